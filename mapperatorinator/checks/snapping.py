"""How far a moment lies from the beat grid, as leniently as the game's own rounding demands.

A time is compared with the nearest tick of each of the finest divisors. The stable editor cuts
ticks to whole milliseconds and lazer keeps their fractions, so both readings of a tick count;
the smallest distance is the unsnap.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..beatmap import TimingPoint

Floats = NDArray[np.float64]

# Every divisor of the editor divides one of these (ranking criteria: 1/16, 1/12, 1/9, 1/7, 1/5).
FINEST_DIVISORS = (16, 12, 9, 7, 5)
DIVISORS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16)

UNSNAP_PROBLEM = 2.0  # ms, ranking criteria: objects lie within less than 2 ms of a tick
UNSNAP_MINOR = 1.0  # ms, the editor's own rounding; nearly every ranked map has some
SNAPPED = 2.0  # ms: up to here a divisor counts as the one an object was placed on

NEAR_NEXT_LINE = UNSNAP_PROBLEM  # ms: objects this close before a red line belong to its grid


def unsnap_from(times: Floats, origin: Floats | float, beat: Floats | float, divisor: int) -> Floats:
    """Signed distance in ms of `times` from the nearest 1/`divisor` tick (positive: late).

    `origin` and `beat` are the time and the beat length in ms of the red line in force.
    """
    step = np.asarray(beat) / divisor
    ticks = origin + np.rint((times - origin) / step) * step
    exact, cut = times - ticks, times - np.trunc(ticks)
    return np.where(np.abs(cut) < np.abs(exact), cut, exact)


class BeatGrid:
    """The ticks of a map's red lines. A map without red lines has an empty grid: all is snapped."""

    def __init__(self, red_lines: Sequence[TimingPoint]) -> None:
        self.red_lines = list(red_lines)
        self._times = [line.time for line in self.red_lines]
        self.origins = np.array(self._times, dtype=np.float64)
        self.beats = np.array([line.ms_per_beat for line in self.red_lines], dtype=np.float64)

    def __bool__(self) -> bool:
        return bool(self.red_lines)

    def line_index(self, time: float) -> int:
        """Index of the red line in force at `time` (the first one before it)."""
        return max(0, bisect_right(self._times, time) - 1)

    def unsnaps(self, times: Sequence[float] | Floats, divisors: Sequence[int] = FINEST_DIVISORS) -> Floats:
        """Signed distance in ms of each time from its nearest tick among `divisors`, shape (n,)."""
        moments = np.asarray(times, dtype=np.float64)
        if not self.red_lines or not len(moments):
            return np.zeros(len(moments))
        index = np.maximum(np.searchsorted(self.origins, moments, side="right") - 1, 0)
        best = np.full(len(moments), np.inf)
        for divisor in divisors:
            offset = unsnap_from(moments, self.origins[index], self.beats[index], divisor)
            best = np.where(np.abs(offset) < np.abs(best), offset, best)
        following = np.minimum(index + 1, len(self.origins) - 1)
        to_next = moments - self.origins[following]
        joins_next = (np.abs(to_next) < NEAR_NEXT_LINE) & (np.abs(to_next) < np.abs(best))
        return np.where(joins_next, to_next, best)

    def unsnap(self, time: float, divisors: Sequence[int] = FINEST_DIVISORS) -> float:
        """`unsnaps` of one time."""
        return float(self.unsnaps([time], divisors)[0])

    def divisors_of(self, times: Sequence[float] | Floats) -> NDArray[np.int64]:
        """The coarsest divisor whose tick each time lies on (within 2 ms, the nearest), 0 if none."""
        moments = np.asarray(times, dtype=np.float64)
        distances = np.abs(np.stack([self.unsnaps(moments, (divisor,)) for divisor in DIVISORS]))
        nearest = distances.min(axis=0, initial=np.inf)
        # Coarser divisors share ticks with finer ones: the first within rounding of the best is meant.
        chosen = np.argmax(distances <= nearest + UNSNAP_MINOR / 2, axis=0)
        return np.where(nearest < SNAPPED, np.array(DIVISORS)[chosen], 0)
