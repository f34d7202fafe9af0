"""Ticks of the beat grid: where objects may start and end.

Every divisor counts from the red line in force; a tick never lies behind the next red line, whose own time is
a tick. Times are whole milliseconds, cut off as the editor does.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from mapperatorinator.beatmap import TimingPoint
from mapperatorinator.checks.snapping import FINEST_DIVISORS, NEAR_NEXT_LINE, UNSNAP_PROBLEM, BeatGrid
from mapperatorinator.finishing.notes import SPINNER_KINDS, Note

COMMON_DIVISORS = (1, 2, 4, 3, 6, 8, 12, 16, 5, 7, 9)
FINENESS_MS = 0.5  # a tick finer by one divisor must be nearer by this much to be preferred
TOLERANCE = UNSNAP_PROBLEM - 0.05
_EPSILON = 1e-6


class Ticks:
    """The grid of some red lines (in order of time), limited to `divisors`."""

    def __init__(self, reds: Sequence[TimingPoint], finest: int | None = None) -> None:
        self.reds = list(reds)
        self.divisors = [d for d in COMMON_DIVISORS if finest is None or d <= finest]
        self._grid = BeatGrid(self.reds)
        self._times = [red.time for red in self.reds]
        # Of the allowed divisors those that no other allowed one contains.
        self._finest = [d for d in self.divisors if not any(e > d and e % d == 0 for e in self.divisors)]
        if finest is None:
            self._finest = list(FINEST_DIVISORS)

    def off(self, times: Sequence[float]) -> list[bool]:
        """Return for each time in ms whether it lies 2 ms or more from every tick."""
        return [abs(unsnap) >= TOLERANCE for unsnap in self._grid.unsnaps(list(times), self._finest)]

    def holds(self, note: Note) -> bool:
        """Return whether every edge of `note` lies on a tick; the end of a spinner need not."""
        edges = note.edges(self.red(note.start))
        return not any(self.off(edges[:1] if note.kind in SPINNER_KINDS else edges))

    def red(self, time: float) -> TimingPoint:
        """Return the red line whose grid `time` belongs to; just before the next line it is that one."""
        return self.reds[max(0, bisect_right(self._times, time + NEAR_NEXT_LINE - _EPSILON) - 1)]

    def beat(self, time: float) -> float:
        """Return the beat length in ms at `time`."""
        return self.red(time).ms_per_beat

    def nearest(self, time: float) -> int:
        """Return the tick that `time` probably means: the nearest one, coarse ticks preferred a little."""
        return min(self._around(time), key=lambda tick: (tick[0], tick[1]))[1]

    def before(self, time: float, divisor: int) -> int:
        """Return the last tick of 1/`divisor` at or before `time`, in the grid that is in force there."""
        red = self.reds[max(0, bisect_right(self._times, time) - 1)]
        step = red.ms_per_beat / divisor
        tick = _whole(red.time + math.floor((time - red.time) / step + _EPSILON) * step)
        return tick if tick <= time else _whole(red.time + (math.floor((time - red.time) / step) - 1) * step)

    def _around(self, time: float) -> Iterator[tuple[float, int]]:
        """(cost, tick) of the nearest tick of every divisor and of the next red line."""
        index = max(0, bisect_right(self._times, time) - 1)
        red = self.reds[index]
        limit = self.reds[index + 1].time if index + 1 < len(self.reds) else math.inf
        for divisor in self.divisors:
            step = red.ms_per_beat / divisor
            tick = red.time + round((time - red.time) / step) * step
            if tick > limit - NEAR_NEXT_LINE:
                tick = limit
            yield abs(tick - time) + FINENESS_MS * divisor, _whole(tick)
        if limit < math.inf:
            yield abs(limit - time) + FINENESS_MS, _whole(limit)


def _whole(time: float) -> int:
    return math.floor(time + _EPSILON)
