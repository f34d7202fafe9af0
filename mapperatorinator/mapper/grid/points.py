"""Places circles and sliders: from drafts with times to drafts with points and curves (osu! and catch).

`place` draws a map object by object with the placing network; `place_many` draws several candidates at once, each
with its own spacing; `score` says how surprising each object of a placed map is. Drafts must be in order of time.
Positions are whole osu! pixels on the 512 x 384 field, y down.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import numpy as np

from .draft import Conditions, Draft, DraftKind
from .hand import Hand
from .judge import judge
from .placing import placing_model
from .rhythm_features import Rhythm

TEMPERATURE = 0.9


def place(
    drafts: Sequence[Draft],
    conditions: Conditions,
    rng: np.random.Generator,
    scale: float = 1.0,
    temperature: float = TEMPERATURE,
) -> None:
    """Fill `points` and `curve` of every draft that is not fixed, in place.

    scale : multiplies what the network holds for distances between objects, 0.3 to 3.
    temperature : 1 draws as mappers do on average, less draws likelier places.
    """
    chosen = place_many(drafts, conditions, rng, [scale], temperature)[0]
    for draft, placed in zip(drafts, chosen, strict=True):
        draft.points, draft.curve = placed.points, placed.curve


def place_many(
    drafts: Sequence[Draft],
    conditions: Conditions,
    rng: np.random.Generator,
    scales: Sequence[float],
    temperature: float = TEMPERATURE,
) -> list[list[Draft]]:
    """Draw one candidate per entry of `scales`, together; returns placed copies of the drafts."""
    rhythm = Rhythm.of(drafts)
    walk = Hand(placing_model(conditions.adapter), rhythm, conditions, np.array(scales, float))
    candidates = [[copy(draft) for draft in drafts] for _ in scales]
    for i, draft in enumerate(drafts):
        column = [candidate[i] for candidate in candidates]
        if draft.kind not in (DraftKind.CIRCLE, DraftKind.SLIDER):
            walk.skip()
            for one in column:
                one.points = one.points if draft.fixed else [(256.0, 192.0)]
        elif draft.fixed:
            walk.skip()
            walk.keep(draft, i)
        else:
            walk.draw(column, i, rng, temperature)
    return candidates


def score(drafts: Sequence[Draft], conditions: Conditions) -> list[float]:
    """How surprising each placed object is, in bits: its head, and a slider's body and direction; 0 for spinners."""
    verdict = judge(drafts, conditions, placing_model(conditions.adapter))
    return (verdict.heads + verdict.bodies).tolist()
