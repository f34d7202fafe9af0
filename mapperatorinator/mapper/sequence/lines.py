"""Timing points as the published program changes them, and its snapping of times to them; for `legacy=true`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from mapperatorinator.beatmap import TimingPoint
from mapperatorinator.beatmap.timing import KIAI

_FUZZ_MS = 2
_EDGE_MS = 20  # how far beyond a red line its ticks still count
# Ticks of a divisor are those that are none of these.
_COARSER = {
    1: (), 4: (2,), 6: (2, 3), 8: (4,), 9: (3,), 10: (2, 5), 12: (4, 6), 14: (2, 7), 15: (3, 5), 16: (8,),
}  # fmt: skip


class Lines:
    """Timing points that change from a time on; at one time red ones come first."""

    def __init__(self, points: Iterable[TimingPoint]) -> None:
        exact = (replace(point, time=round(point.time, 3)) for point in points)
        self.points = sorted(exact, key=_order)

    def at(self, time: float) -> TimingPoint:
        """The line in force."""
        return next((p for p in reversed(self.points) if p.time <= time), self.points[0])

    def red(self, time: float) -> TimingPoint:
        """The red line in force."""
        reds = [p for p in self.points if p.uninherited]
        return next((p for p in reversed(reds) if p.time <= time), reds[0])

    def velocity(self, time: float) -> float:
        """The multiplier in force."""
        line = self.at(time)
        return 1.0 if line.uninherited else -100 / line.beat_length

    def set_velocity(self, time: float, velocity: float) -> None:
        """A multiplier from `time` on; none of 0."""
        if velocity:
            self.change(time, -100 / velocity + 1e-10)

    def set_volume(self, time: float, volume: int) -> None:
        """A volume for all that follows."""
        self.change(time, volume=volume, sample_index=-1)

    def set_kiai(self, time: float, on: int) -> None:
        """Kiai on or off for all that follows."""
        self.change(time, effects=KIAI * bool(on))

    def from_first_red(self) -> list[TimingPoint]:
        """The lines without green ones in front."""
        first = next((i for i, p in enumerate(self.points) if p.uninherited), 0)
        return [replace(p, time=float(math.floor(p.time))) for p in self.points[first:]]

    def change(self, time: float, length: float | None = None, onwards: bool = True, **rest: Any) -> None:
        """Set a green line's length at `time`, and what else a line says, there or for all that follows."""
        here = [i for i, p in enumerate(self.points) if abs(p.time - time) <= _FUZZ_MS]
        if not here and not any(p.time < time for p in self.points):
            self._begin_before(time)
        before = self.points[here[-1]] if here else self.at(time - 1e-6)
        plain = -100.0 if before.uninherited else before.beat_length
        made = replace(before, time=float(time), beat_length=plain, uninherited=False)
        wanted = replace(made, beat_length=plain if length is None else length, **rest)
        missing = not here or (length is not None and all(self.points[i].uninherited for i in here))
        for i, p in enumerate(self.points):
            own = length if length is not None and i in here and not p.uninherited else p.beat_length
            if i in here or (onwards and p.time > time):
                self.points[i] = replace(p, **rest, beat_length=own)
        if missing and wanted != replace(before, time=wanted.time, uninherited=False):
            self.points.append(wanted)
            self.points.sort(key=_order)

    def _begin_before(self, time: float) -> None:
        """Move the first red line back by whole measures."""
        at = next(i for i, p in enumerate(self.points) if p.uninherited)
        red = self.points[at]
        measure = red.beat_length * red.meter
        self.points[at] = replace(red, time=red.time - math.ceil((red.time - time) / measure) * measure)

    def snapped(self, time: int, divisor: int) -> int:
        """The nearest tick of a divisor, also of the lines before and after near their edges; `time` if none is."""
        return min(self._ticks(time, divisor), key=lambda tick: abs(tick - time), default=time)

    def _ticks(self, time: int, divisor: int) -> Iterator[int]:
        reds = [p for p in self.points if p.uninherited]
        at = max((i for i, p in enumerate(reds) if p.time <= time), default=0)
        now, later = reds[at], reds[at + 1 : at + 2]
        first = now.time - _EDGE_MS if at else -math.inf
        last = later[0].time + _EDGE_MS if later else math.inf
        yield from (tick for tick in _ticks_of(now, time, divisor) if first <= tick < last)
        for before in [p for p in self.points if p.time <= now.time - 1][-1:]:
            yield from (tick for tick in _ticks_of(before, time, divisor) if tick <= now.time + _EDGE_MS)
        for after in later:
            yield from (tick for tick in _ticks_of(after, time, divisor) if tick >= after.time - _EDGE_MS)


def _ticks_of(line: TimingPoint, time: int, divisor: int) -> set[int]:
    """Ticks of no coarser divisor around a time; of two as near, the published program takes the set's first."""
    coarser = [_around(line, time, other) for other in _COARSER.get(divisor, (1,))]
    return _around(line, time, divisor).difference(*coarser)


def _around(line: TimingPoint, time: int, divisor: int) -> set[int]:
    tick = line.beat_length / divisor
    before = time - (time - line.time) % tick
    return {int(before + i * tick) for i in (-1, 0, 1, 2)}


def _order(point: TimingPoint) -> tuple[float, bool]:
    return point.time, not point.uninherited
