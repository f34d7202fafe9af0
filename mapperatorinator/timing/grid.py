"""The result of timing: red lines, how sure we are of them, and the beat count they define.

Beats are counted from the first red line (beat 0) and go on through the song. Every red line
starts on a whole beat, as in the game, where a red line restarts the measure: a section that is
cut in the middle of a beat still ends on a whole number, and beats that would fall behind the
next red line lie on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapperatorinator.beatmap import Beatmap, TimingPoint

# A section's length counts as whole when it is this close to a whole number of beats: red lines are
# often written in whole milliseconds, so a section of 16 beats may measure 15.99.
_WHOLE = 0.05


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of music under one red line: `start` and `end` in ms, `confidence` from 0 to 1."""

    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Timing:
    """The red lines of a song (at least one, ordered by time) and the confidence in them.

    points: red lines only; confidence: 0 to 1 over the whole song; sections: one per red line,
    empty where nothing is known (timing given by the user or a beatmap).
    """

    points: tuple[TimingPoint, ...]
    confidence: float = 1.0
    sections: tuple[Section, ...] = ()
    _times: NDArray[np.float64] = field(init=False, repr=False, compare=False)
    _beat_lengths: NDArray[np.float64] = field(init=False, repr=False, compare=False)
    _first_beats: NDArray[np.float64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.points:
            raise ValueError("a timing needs at least one red line")
        times = np.array([point.time for point in self.points], dtype=np.float64)
        lengths = np.array([point.beat_length for point in self.points], dtype=np.float64)
        if (np.diff(times) < 0).any() or not (lengths > 0).all():
            raise ValueError("red lines must be ordered by time and have positive beat lengths")
        spans = np.diff(times) / lengths[:-1]
        whole = np.where(np.abs(spans - np.round(spans)) < _WHOLE, np.round(spans), np.ceil(spans))
        first = np.concatenate([[0.0], np.cumsum(whole)])
        object.__setattr__(self, "_times", times)
        object.__setattr__(self, "_beat_lengths", lengths)
        object.__setattr__(self, "_first_beats", first)

    @classmethod
    def constant(cls, bpm: float, offset: float, meter: int = 4, confidence: float = 1.0) -> Timing:
        """One red line: `bpm` beats per minute, a downbeat at `offset` ms, `meter` beats a measure."""
        return cls((red_line(offset, 60_000.0 / bpm, meter),), confidence)

    @classmethod
    def from_beatmap(cls, beatmap: Beatmap) -> Timing:
        """The red lines of a beatmap, trusted fully; ValueError if it has none."""
        return cls.from_points(beatmap.red_lines())

    @classmethod
    def from_points(cls, points: Iterable[TimingPoint]) -> Timing:
        """Any timing points: red lines with a usable beat length, sorted, one per millisecond."""
        usable = (p for p in points if p.uninherited and 0 < p.beat_length < float("inf"))
        latest = {round(p.time): p for p in sorted(usable, key=lambda p: p.time)}
        return cls(tuple(latest.values()))

    @property
    def bpm(self) -> float:
        """Beats per minute under the first red line."""
        return 60_000.0 / float(self._beat_lengths[0])

    @property
    def offset(self) -> float:
        """Time of the first red line in ms."""
        return float(self._times[0])

    def index_at(self, time: ArrayLike) -> NDArray[np.intp]:
        """Index into `points` of the red line that governs each time (ms); the first before them all."""
        return np.maximum(np.searchsorted(self._times, np.asarray(time, float), side="right") - 1, 0)

    def point_at(self, time: float) -> TimingPoint:
        """The red line that governs a time in ms."""
        return self.points[int(self.index_at(time))]

    def beat_at(self, time: ArrayLike) -> NDArray[np.float64]:
        """Beats since the first red line at each time (ms), fractional, negative before it."""
        time = np.asarray(time, dtype=np.float64)
        index = self.index_at(time)
        beat = self._first_beats[index] + (time - self._times[index]) / self._beat_lengths[index]
        limit = np.append(self._first_beats[1:], np.inf)[index]
        return np.minimum(beat, limit)

    def time_of(self, beat: ArrayLike) -> NDArray[np.float64]:
        """Time in ms of each beat number; the inverse of `beat_at`."""
        beat = np.asarray(beat, dtype=np.float64)
        index = np.maximum(np.searchsorted(self._first_beats, beat, side="right") - 1, 0)
        time = self._times[index] + (beat - self._first_beats[index]) * self._beat_lengths[index]
        limit = np.append(self._times[1:], np.inf)[index]
        return np.minimum(time, limit)

    def tick_time(self, tick: ArrayLike, ticks_per_beat: int = 12) -> NDArray[np.float64]:
        """Time in ms of each tick, counted from the first red line, `ticks_per_beat` to a beat."""
        return self.time_of(np.asarray(tick, dtype=np.float64) / ticks_per_beat)

    def beat_in_measure(self, beat: ArrayLike) -> NDArray[np.float64]:
        """Position of each beat number in its measure: 0 on a downbeat, below the meter."""
        beat = np.asarray(beat, dtype=np.float64)
        index = np.maximum(np.searchsorted(self._first_beats, beat, side="right") - 1, 0)
        meters = np.array([max(point.meter, 1) for point in self.points], dtype=np.float64)
        return np.mod(beat - self._first_beats[index], meters[index])

    def beats(self, start: float, end: float) -> NDArray[np.float64]:
        """Times in ms of all whole beats in [start, end)."""
        numbers = np.arange(np.floor(float(self.beat_at(start))), np.ceil(float(self.beat_at(end))) + 1)
        times = self.time_of(numbers)
        return times[(times >= start) & (times < end)]

    def downbeats(self, start: float, end: float) -> NDArray[np.float64]:
        """Times in ms of all first beats of a measure in [start, end)."""
        numbers = np.arange(np.floor(float(self.beat_at(start))), np.ceil(float(self.beat_at(end))) + 1)
        times = self.time_of(numbers[self.beat_in_measure(numbers) == 0])
        return times[(times >= start) & (times < end)]

    def scaled(self, factor: float) -> Timing:
        """The same music read `factor` times as fast: 2 doubles every BPM, 0.5 halves it."""
        points = (replace(point, beat_length=point.beat_length / factor) for point in self.points)
        return replace(self, points=tuple(points))

    def shifted(self, milliseconds: float) -> Timing:
        """The same grid, later by `milliseconds`."""
        points = (replace(point, time=point.time + milliseconds) for point in self.points)
        sections = (replace(s, start=s.start + milliseconds, end=s.end + milliseconds) for s in self.sections)
        return replace(self, points=tuple(points), sections=tuple(sections))


def red_line(time: float, beat_length: float, meter: int = 4) -> TimingPoint:
    """An uninherited timing point: `time` and `beat_length` in ms, `meter` beats a measure."""
    return TimingPoint(
        time=time, beat_length=beat_length, meter=meter, sample_set=1, sample_index=0, volume=100,
        uninherited=True, effects=0,
    )
