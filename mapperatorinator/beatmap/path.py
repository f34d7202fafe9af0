"""Slider paths: control points in, points along the drawn curve out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .curves import Points, flatten, in_line

MAX_SAMPLES = 100_000


class PathPoint(NamedTuple):
    """A control point; a `type` opens a segment there.

    "L" straight, "P" arc through three points, "B" Bezier ("B3": B-spline of degree 3), "C" Catmull.
    """

    x: float
    y: float
    type: str | None = None


@dataclass(frozen=True)
class SliderPath:
    """The control points of a slider, its head first, in absolute osu! pixels.

    A repeated point splits a segment, as in the game (a "red anchor"). A span may be shorter than the drawn
    curve (which is cut) or longer (its last chord is extended, unless that has no length). `lazer` asks for
    the rules of v128, which differ for arcs through three points in line and for Catmull curves.
    """

    points: tuple[PathPoint, ...]
    lazer: bool = False

    @classmethod
    def of(cls, kind: str, points: Iterable[tuple[float, float]]) -> SliderPath:
        """The path of one segment of type `kind` through `points` (head first)."""
        head, *rest = ((float(x), float(y)) for x, y in points)
        return cls((PathPoint(*head, kind), *(PathPoint(*point) for point in rest)))

    @cached_property
    def polyline(self) -> Points:
        """The whole curve as chords of positive length, shape (n, 2), n >= 1."""
        return self._measured[0]

    @cached_property
    def arc_lengths(self) -> NDArray[np.float64]:
        """The distance in px from the head to every point of `polyline`, strictly rising, shape (n,)."""
        return self._measured[1]

    @cached_property
    def _measured(self) -> tuple[Points, NDArray[np.float64], bool]:
        """Polyline, arc lengths, and whether the last chord can be extended."""
        pieces = [flatten(kind, points) for kind, points in self.segments()]
        line = np.concatenate(pieces) if pieces else np.array([self.points[0][:2]], dtype=np.float64)
        steps = line[1:] - line[:-1]
        arc = np.zeros(len(line))
        np.sqrt((steps * steps).sum(axis=1)).cumsum(out=arc[1:])
        keep = np.ones(len(line), dtype=bool)
        np.greater(arc[1:], arc[:-1], out=keep[1:])
        return line[keep], arc[keep], bool(keep[-1]) and len(line) > 1

    def natural_length(self) -> float:
        """The length of the drawn curve in px."""
        return float(self.arc_lengths[-1])

    def span_length(self, asked: float) -> float:
        """The length in px of one span for which the file asks `asked` px (0: the drawn curve's)."""
        if asked <= 0:
            return self.natural_length()
        if len(self.points) > 1 and self.points[-1][:2] != self.points[-2][:2]:
            return asked  # the common case, decided without drawing the curve
        return asked if self._measured[2] else min(asked, self.natural_length())

    def at_distances(self, distances: NDArray[np.float64]) -> Points:
        """Positions at `distances` px from the head, shape (n, 2)."""
        line, arc = self.polyline, self.arc_lengths
        distances = np.asarray(distances, dtype=np.float64)
        if len(line) == 1:
            return np.repeat(line, len(distances), axis=0)
        if not self._measured[2]:
            distances = np.minimum(distances, arc[-1])
        i = np.clip(arc.searchsorted(distances, side="right") - 1, 0, len(line) - 2)
        fraction = (distances - arc[i]) / (arc[i + 1] - arc[i])
        return line[i] + fraction[:, None] * (line[i + 1] - line[i])

    def position_at(self, progress: float, length: float = 0.0) -> tuple[float, float]:
        """The position at `progress` (0 head .. 1 end) of one span of `length` px (0: the drawn curve)."""
        distance = min(max(progress, 0.0), 1.0) * (length or self.natural_length())
        x, y = self.at_distances(np.array([distance]))[0].tolist()
        return x, y

    def sample(self, length: float = 0.0, step: float = 8.0) -> Points:
        """Points at most `step` px apart along one span of `length` px, ends included, shape (n, 2)."""
        total = length or self.natural_length()
        count = max(1, math.ceil(min(total / step, MAX_SAMPLES)))
        return self.at_distances(np.linspace(0.0, total, count + 1))

    def segments(self) -> Iterator[tuple[str, Points]]:
        """The segments (type, points of shape (n >= 2, 2)) after the game's splitting rules."""
        end = len(self.points) - 1
        starts = [i for i in range(end) if i == 0 or self.points[i].type]
        for start, stop in zip(starts, starts[1:] + [end], strict=False):
            points = np.array([point[:2] for point in self.points[start : stop + 1]], dtype=np.float64)
            kind = self.points[start].type or "L"
            if kind == "P" and (len(points) != 3 or self.lazer and in_line(points)):
                kind = "B"
            yield from _split(kind, points, stop == end, self.lazer)


def _split(kind: str, points: Points, is_last: bool, lazer: bool) -> Iterator[tuple[str, Points]]:
    """Cut one typed segment at repeated points."""
    if kind == "C" and not lazer:  # here they split nothing, but for the head
        yield kind, points[1:] if len(points) > 2 and (points[0] == points[1]).all() else points
        return
    start = 0
    repeated = (points[1:] == points[:-1]).all(axis=1)
    repeated[len(points) - (2 if is_last else 3) :] = False  # the end of a segment starts no other
    for i in (np.flatnonzero(repeated) + 1).tolist():
        if i - start > 1:
            yield kind, points[start:i]
        start = i
    yield kind, points[start:]
