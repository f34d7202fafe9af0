"""Rhythm F1: how well the starts of a map agree with those of a human map.

A start is the moment at which a circle, slider head (drumroll, juice stream) or hold begins; spinners do not
count. Notes of one chord are one start, so a map gains nothing by stacking notes on a moment it already hit
(and two human mania maps of one set agree by .89; by notes it would be .86). Starts are matched one to one
within 10 ms and counted over the whole set of maps. Because a model that hears nothing comes close on the
true grid, F1 is read together with `hearing` and with the density at which it was reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import Beatmap, Spinner
from mapperatorinator.timing import Timing

TOLERANCE_MS = 10.0
FLOOR_DIVISORS = (1, 2, 3, 4, 6, 8, 12, 16)
FLOOR_SHARE = 0.95
MOST_TICKS = 500_000
_ROUNDING = 1e-6
Times = NDArray[np.float64]


class RhythmScore(NamedTuple):
    """Counts of matched starts, of the map's and of the reference's; scores add up over maps."""

    matched: int
    produced: int
    expected: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where one side is empty."""
        total = self.produced + self.expected
        return 2 * self.matched / total if total else 0.0

    @property
    def precision(self) -> float:
        """Share of the map's starts that the reference has."""
        return self.matched / self.produced if self.produced else 0.0

    @property
    def recall(self) -> float:
        """Share of the reference's starts that the map has."""
        return self.matched / self.expected if self.expected else 0.0

    @property
    def density(self) -> float:
        """Starts of the map per start of the reference."""
        return self.produced / self.expected if self.expected else 0.0


def starts(beatmap: Beatmap, distinct: bool = True) -> Times:
    """The starts of a map in ms, ascending; with `distinct` a chord counts once."""
    times = np.array([o.time for o in beatmap.hit_objects if not isinstance(o, Spinner)], dtype=np.float64)
    return np.unique(times) if distinct else np.sort(times)


def matched(a: Times, b: Times, tolerance: float = TOLERANCE_MS) -> int:
    """The largest number of one-to-one pairs within `tolerance` ms of two ascending arrays.

    Taking the earliest possible pair each time is optimal, because all pairs have the same reach.
    """
    i = j = count = 0
    reach = tolerance + _ROUNDING
    left, right = a.tolist(), b.tolist()
    while i < len(left) and j < len(right):
        gap = left[i] - right[j]
        if abs(gap) <= reach:
            count, i, j = count + 1, i + 1, j + 1
        elif gap < 0:
            i += 1
        else:
            j += 1
    return count


def compare(produced: Times, expected: Times, tolerance: float = TOLERANCE_MS) -> RhythmScore:
    """Score ascending start times against those of the reference (ms)."""
    return RhythmScore(matched(produced, expected, tolerance), len(produced), len(expected))


def rhythm_score(beatmap: Beatmap | None, reference: Beatmap, tolerance: float = TOLERANCE_MS) -> RhythmScore:
    """Score a map against a human map; None (a crash, a refused run) counts as a map without objects."""
    expected = starts(reference)
    return compare(starts(beatmap) if beatmap is not None else np.empty(0), expected, tolerance)


def total(scores: Iterable[RhythmScore]) -> RhythmScore:
    """The sum of scores, whose F1 is that of the set."""
    counts = np.array(list(scores), dtype=np.int64).reshape(-1, 3).sum(axis=0)
    return RhythmScore(*(int(c) for c in counts))


def f1_of(scores: Sequence[RhythmScore]) -> float:
    """F1 summed over a set."""
    return total(scores).f1


def hearing(f1: float, deaf: float, human: float) -> float:
    """The share of the way from a deaf model to a second human: (F1 - deaf) / (human - deaf)."""
    return (f1 - deaf) / (human - deaf) if human != deaf else float("nan")


def grid_divisor(times: Times, timing: Timing) -> int:
    """The coarsest division of the beat whose ticks hold 95 % of `times` (ms) to within 5 ms, or 12."""
    beats = timing.beat_at(times)
    for divisor in FLOOR_DIVISORS:
        off = np.abs(timing.time_of(np.round(beats * divisor) / divisor) - times)
        if (off <= 5.0).mean() >= FLOOR_SHARE:
            return divisor
    return 12


def random_starts(reference: Beatmap, rng: np.random.Generator) -> Times:
    """The floor: as many random ticks of the true grid as the reference has starts, first to last.

    The grid is the coarsest that holds the reference, so this knows metre and density and nothing else.
    """
    expected = starts(reference)
    if not len(expected) or not reference.red_lines():
        return expected[:0]
    timing = Timing.from_beatmap(reference)
    divisor = grid_divisor(expected, timing)
    first, last = np.round(timing.beat_at(expected[[0, -1]]) * divisor)
    if last - first > MOST_TICKS:  # a joke map with a beat of microseconds
        return expected[:0]
    ticks = np.unique(timing.time_of(np.arange(first, last + 1) / divisor))
    return np.sort(rng.choice(ticks, size=min(len(expected), len(ticks)), replace=False))


def aligned(times: Times, reference: Times, reach: float = 2000.0) -> Times:
    """Shift `times` so that most of them meet `reference`, for two cuts of one song (within `reach` ms)."""
    differences = (times[:, None] - reference[None, :]).ravel()
    differences = np.round(differences[np.abs(differences) <= reach])
    if not len(differences):
        return times
    values, counts = np.unique(differences, return_counts=True)
    nearby = np.array([counts[np.abs(values - v) <= 3].sum() for v in values[np.argsort(-counts)[:50]]])
    return times - values[np.argsort(-counts)[:50]][int(np.argmax(nearby))]
