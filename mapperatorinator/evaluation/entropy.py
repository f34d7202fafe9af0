"""How varied a map's rhythm is by itself: an entropy that knows no other map, no beat and no model.

Gaps between starts in classes of 10 %, in ms; their entropy rate is estimated from how long the stretches are that
have occurred before (Kontoyiannis, Algoet, Suhov and Wyner 1998).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapperatorinator.beatmap import Beatmap

_CLASS = np.log(1.1)
_REST_MS = 5000.0


def entropy_rate(symbols: bytes) -> float:
    """Bits for each symbol, from the mean length of the shortest stretch at each place that is new there."""
    n = len(symbols)
    if n < 2:
        return 0.0
    total, longest = 0, 0
    for i in range(1, n):
        longest = max(longest - 1, 0)  # a stretch that has occurred has done so without its first symbol too
        while i + longest < n and symbols.find(symbols[i : i + longest + 1], 0, i + longest) != -1:
            longest += 1
        total += longest + 1
    return float(n * np.log2(n) / max(total, 1))


def rhythm_entropy(beatmap: Beatmap) -> float:
    """Bits for each gap of a map's rhythm; 0 for one without."""
    gaps = np.diff(np.unique(np.round([obj.time for obj in beatmap.hit_objects])))
    classes = np.rint(np.log(gaps[gaps < _REST_MS]) / _CLASS).astype(int)
    return entropy_rate(bytes(np.clip(classes, 0, 255).astype(np.uint8).tolist()))


def spearman(one: ArrayLike, other: ArrayLike) -> float:
    """Rank correlation, -1..1; equal values share a rank."""
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: ArrayLike) -> NDArray[np.float64]:
    _, place, count = np.unique(np.asarray(values, float), return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def spearman_of(pairs: Sequence[tuple[float, float]]) -> float:
    """Rank correlation of pairs, NaN of fewer than three."""
    return spearman(*zip(*pairs, strict=True)) if len(pairs) > 2 else float("nan")
