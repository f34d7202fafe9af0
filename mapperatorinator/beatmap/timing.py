"""Timing points and what is in force at a given moment."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

MIN_BEAT_LENGTH, MAX_BEAT_LENGTH = 6.0, 60_000.0  # ms; the game clips red lines to 1..10000 BPM
KIAI, OMIT_BARLINE = 1, 8
_time = attrgetter("time")


@dataclass(frozen=True, slots=True)
class TimingPoint:
    """A red line (uninherited: `beat_length` in ms) or a green one (`beat_length` = -100 / velocity)."""

    time: float
    beat_length: float
    meter: int = 4
    sample_set: int = 1
    sample_index: int = 0
    volume: int = 100
    uninherited: bool = True
    effects: int = 0

    @property
    def kiai(self) -> bool:
        """Whether kiai time is on from here."""
        return bool(self.effects & KIAI)

    @property
    def velocity(self) -> float:
        """The slider velocity multiplier, clipped to 0.1..10 as in the game; 1 for red lines."""
        return self._multiplier(0.1)

    @property
    def scroll_speed(self) -> float:
        """The scroll speed multiplier of taiko and mania, clipped to 0.01..10; 1 for red lines."""
        return self._multiplier(0.01)

    @property
    def bpm(self) -> float:
        """Beats per minute of a red line (the game's clipping applied)."""
        return 60_000.0 / self.ms_per_beat

    @property
    def ms_per_beat(self) -> float:
        """`beat_length` of a red line, clipped to 6..60000 ms as in the game."""
        return min(max(self.beat_length, MIN_BEAT_LENGTH), MAX_BEAT_LENGTH)

    def _multiplier(self, least: float) -> float:
        if not self.beat_length < 0:  # also NaN, which maps use to switch slider ticks off
            return 1.0
        return min(max(-100.0 / self.beat_length, least), 10.0)


NO_TIMING = TimingPoint(0.0, 1000.0)  # what the game assumes for a map without red lines: 60 BPM


class TimingIndex:
    """Finds the lines in force at a time; of lines at one time the first red and the last green one count."""

    def __init__(self, points: Sequence[TimingPoint]) -> None:
        self.points = list(points)
        reds = [point for point in reversed(self.points) if point.uninherited]
        greens = [point for point in self.points if not point.uninherited]
        self._reds = sorted(reds, key=_time)
        self._all = sorted(reds + greens, key=_time)

    def red_at(self, time: float) -> TimingPoint:
        """The red line at or before `time`, or the first one, or 60 BPM where there is none."""
        if not self._reds:
            return NO_TIMING
        return self._reds[max(0, bisect_right(self._reds, time, key=_time) - 1)]

    def point_at(self, time: float) -> TimingPoint | None:
        """The last line of either colour at or before `time`."""
        i = bisect_right(self._all, time, key=_time) - 1
        return self._all[i] if i >= 0 else None

    def green_at(self, time: float) -> TimingPoint | None:
        """The green line in force at `time`; a later red line ends it."""
        point = self.point_at(time)
        return None if point is None or point.uninherited else point
