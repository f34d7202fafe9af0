"""Red lines from beats that a network wrote: each stretch of beats gets the roundest tempo that fits it.

As the published program finds them; our own fit of beats is `timing.lines`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mapperatorinator.beatmap import TimingPoint
from mapperatorinator.mapper.sequence.vocabulary import BEATS, TIME, Mark

_STEPS = (1, 2, 10, 100, 1000)  # parts of a BPM that are tried, roundest first
_FRACTIONS = (1.0, 1 / 2, 1 / 4, 1 / 8, 1 / 16)
_FUZZ_MS = 2
_UNKNOWN = 1000.0  # ms per beat
_SLOWEST = 60_000.0
_SOFT = 2


@dataclass
class Beat:
    """One beat: ms, whether a measure begins, whether a red line does, and beats since the one before."""

    time: int
    measure: bool
    red: bool
    since: float


def beats_in(marks: Sequence[Mark], types_first: bool) -> list[Beat]:
    """Beats in order of time; a beat without a time of its own is none."""
    found = []
    for i, mark in enumerate(marks):
        at = i + 1 if types_first else i - 1
        if mark.kind in BEATS and 0 <= at < len(marks) and marks[at].kind == TIME:
            red = mark.kind == "timing_point"
            found.append(Beat(int(marks[at].value), mark.kind == "measure", red, 0.0 if red else 1.0))
    return sorted(found, key=lambda beat: beat.time)


def red_lines(beats: Sequence[Beat], leniency: float) -> list[TimingPoint]:
    """Red lines so that every beat lies within `leniency` ms of theirs; none for no beats."""
    if not beats:
        return []
    fit = _Fit(list(beats), leniency)
    fit.open_lines()
    fit.count_measures()
    fit.measure_tempo()
    return fit.lines


class _Fit:
    def __init__(self, beats: list[Beat], leniency: float) -> None:
        self.beats, self.leniency = beats, leniency
        self.times = [beat.time for beat in beats]
        self.lines: list[TimingPoint] = []

    def at(self, time: float) -> int:
        """Which line is in force: the last one up to `time`, or the first."""
        return max((i for i, line in enumerate(self.lines) if line.time <= time), default=0)

    def change(self, time: float, length: float | None = None, meter: int | None = None) -> None:
        """Set tempo, meter or both from `time` on, in the lines that are there or in a new one."""
        here = [i for i, line in enumerate(self.lines) if abs(line.time - time) <= _FUZZ_MS]
        if not here:
            before = [line for line in self.lines if line.time < time]
            like = before[-1] if before else TimingPoint(time, _UNKNOWN, 4, _SOFT, -1, 100)
            self.lines.append(replace(like, time=float(time)))
            here = [len(self.lines) - 1]
        for i in here:
            line = self.lines[i]
            self.lines[i] = replace(
                line, beat_length=line.beat_length if length is None else length,
                meter=line.meter if meter is None else meter,
            )  # fmt: skip
        self.lines.sort(key=lambda line: line.time)

    def open_lines(self) -> None:
        starts = [beat.time for beat in self.beats if beat.red] or [self.beats[0].time]
        for time in starts:
            self.change(time, _UNKNOWN, 4)

    def count_measures(self) -> None:
        """Meters as many as the beats from measure to measure."""
        count, last = 0, self.beats[0].time
        for beat in self.beats:
            if beat.red:
                count, last = 0, beat.time
                continue
            line = self.lines[self.at(beat.time - 1)]
            if round(line.time) == beat.time:
                continue
            count += 1
            if beat.measure:
                if line.meter != count:
                    self.change(line.time if last <= line.time else last, meter=count)
                count, last = 0, beat.time

    def measure_tempo(self) -> None:
        """Tempos, and new lines where one tempo does not fit all beats."""
        count, length = 0, _UNKNOWN
        for beat in self.beats:
            number = self.at(beat.time - 1)
            line = self.lines[number]
            if line.time == beat.time:
                count = 0
                continue
            first = bisect_left(self.times, line.time + 1)
            before = [*self.beats[first : bisect_left(self.times, beat.time)], beat]
            if beat.since == 0:
                if len(before) != 1:
                    count = 0
                    continue
                beat.since = _nearest((beat.time - line.time) / length)
            length = _length(beat.time - line.time, _sum(before), 0)
            if self._fits(before, line.time, length):
                length = self._roundest(before, line.time, length)
                self.change(line.time, length)
            elif len(before) > 1:
                length, count = self._split(before, line)
            count = self._line_at_measure(beat, count + 1)

    def _split(self, before: Sequence[Beat], line: TimingPoint) -> tuple[float, int]:
        """Begin a new line at the beat that leaves the least error on both sides."""
        best, least, final = len(before) - 1, float("inf"), len(before) - 1
        for i in range(1, len(before)):
            if not before[i - 1].measure and i != final:
                continue
            error = _error(before[:i], line.time) + _error(before[i:], before[i - 1].time)
            if error < least:
                best, least = i, error
        if best < final:
            kept = before[:best]
            length = _length(kept[-1].time - line.time, _sum(kept), 0)
            self.change(line.time, self._roundest(kept, line.time, length))
        start = before[best - 1].time
        length = _length(before[-1].time - start, _sum(before[best:]), self.leniency)
        self.change(start, length)
        count = 0
        for i in range(final - 1, best - 1, -1):
            if before[i].measure:
                break
            count += 1
        return length, count

    def _line_at_measure(self, beat: Beat, count: int) -> int:
        """A measure that comes early begins a line; returns the beats since the last measure."""
        if any(line.time == beat.time for line in self.lines):
            count = 0
        if not beat.measure:
            return count
        line = self.lines[self.at(beat.time - 1)]
        if count % line.meter:
            self.change(beat.time, line.beat_length, line.meter)
        return 0

    def _fits(self, beats: Sequence[Beat], start: float, length: float) -> bool:
        total = 0.0
        for beat in beats:
            total += beat.since
            if abs(beat.time - (start + length * total)) > self.leniency:
                return False
        return True

    def _roundest(self, beats: Sequence[Beat], start: float, length: float) -> float:
        if length == 0 or length > _SLOWEST:
            return length
        for step in _STEPS:
            bpm = round(60_000 / length * step) / step
            if bpm and self._fits(beats, start, 60_000 / bpm):
                return 60_000 / bpm
        return length


def _sum(beats: Sequence[Beat]) -> float:
    return sum(beat.since for beat in beats)


def _nearest(beats: float) -> float:
    return min((float(round(beats)), *_FRACTIONS), key=lambda one: abs(one - beats))


def _length(time: float, beats: float, leniency: float) -> float:
    """Ms per beat; the roundest tempo that ends within `leniency` ms of `time`."""
    if time == 0 or beats == 0 or 60_000 * beats / time < 1:
        return _UNKNOWN
    for step in _STEPS:
        bpm = round(60_000 * beats / time * step) / step
        if bpm and abs(beats * 60_000 / bpm - time) <= leniency:
            return 60_000 / bpm
    return time / beats


def _error(beats: Sequence[Beat], start: float) -> float:
    """Mean squared distance in ms² of the beats from their own line."""
    length = _length(beats[-1].time - start, _sum(beats), 0)
    total = error = 0.0
    for beat in beats:
        total += beat.since
        error += (beat.time - (start + length * total)) ** 2
    return error / len(beats)
