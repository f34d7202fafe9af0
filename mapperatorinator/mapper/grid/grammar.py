"""Which kinds may follow each other on the canvas, and the nearest legal reading of one that breaks the rules."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.mapper.grid.canvas import Drum, Hit

_CHANGE = 4.0  # nats it costs to change a drawn cell by itself
_DOUBT = 0.25  # how much the network's own preferences count besides
_NEVER = -1e9
_OUT_OF_REACH = -1e6


def _transitions(count: int, longs: dict[int, tuple[int, ...]]) -> NDArray[np.bool_]:
    """(count, count): may the column's kind follow the row's? `longs` maps a kind to what must come next."""
    inner = {kind for following in longs.values() for kind in following}
    free = [kind for kind in range(count) if kind not in inner]
    allowed = np.zeros((count, count), bool)
    for kind in range(count):
        allowed[kind, list(longs.get(kind, free))] = True
    return allowed


_SLIDING = (Hit.BODY, Hit.REPEAT, Hit.END)
_STANDARD = _transitions(
    len(Hit),
    {
        Hit.SLIDER: (Hit.BODY, Hit.END),
        Hit.BODY: _SLIDING,
        Hit.REPEAT: _SLIDING,
        Hit.SPINNER: (Hit.SPINNING, Hit.SPUN),
        Hit.SPINNING: (Hit.SPINNING, Hit.SPUN),
    },
)
_TAIKO = _transitions(
    len(Drum),
    {
        Drum.ROLL: (Drum.ROLLING, Drum.ROLLED),
        Drum.BIG_ROLL: (Drum.ROLLING, Drum.ROLLED),
        Drum.ROLLING: (Drum.ROLLING, Drum.ROLLED),
        Drum.DENDEN: (Drum.DENDENNING, Drum.DENDENNED),
        Drum.DENDENNING: (Drum.DENDENNING, Drum.DENDENNED),
    },
)
FOLLOWS = (_STANDARD, _TAIKO, _STANDARD, None)


def legal(
    mode: int, kinds: NDArray, preferences: NDArray[np.float32], fixed: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Return the legal sequence of kinds nearest to a drawn one (Viterbi).

    kinds : (n,) as drawn. preferences : (n, kinds) log probabilities. fixed : (n,) cells that must not change.
    Mania has no such rules: its kinds come back as they are.
    """
    follows = FOLLOWS[mode]
    if follows is None:
        return kinds.astype(np.int8)
    count = len(follows)
    rows = np.arange(len(kinds))
    score = np.maximum(preferences, -12.0) * _DOUBT - _CHANGE
    score[rows, kinds] = 0.0
    score[preferences < _OUT_OF_REACH] = _NEVER / 10  # what must not be drawn must not come back as a repair
    score[fixed] = _NEVER / 10
    score[rows[fixed], kinds[fixed]] = 0.0
    steps = np.where(follows, 0.0, _NEVER)
    best = np.where(follows[0], score[0], _NEVER)  # before the first tick there is nothing
    came = np.zeros((len(kinds), count), np.int8)
    for row in range(1, len(kinds)):
        paths = best[:, None] + steps
        came[row] = paths.argmax(0)
        best = paths[came[row], np.arange(count)] + score[row]
    ends = np.isin(np.arange(count), np.flatnonzero(follows[:, 0]))  # nothing may be left open at the end
    result = np.zeros(len(kinds), np.int8)
    result[-1] = np.where(ends, best, 2 * _NEVER).argmax()
    for row in range(len(kinds) - 1, 0, -1):
        result[row - 1] = came[row, result[row]]
    return result
