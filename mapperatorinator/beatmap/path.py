"""Slider paths: control points in, points along the drawn curve out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

TOLERANCE = 0.02  # px between the true curve and the chords that stand for it
MAX_PIECES = 2048
MAX_SAMPLES = 100_000
CATMULL_PIECES = 50  # the game's own number
COLLINEAR = 1e-3  # twice the area in px^2 below which the game takes three points for a straight line
ARC_TOLERANCE, MAX_ARC_POINTS = 0.1, 999  # px; the game draws arcs that need more points as Beziers


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
    curve (which is cut) or longer (its last chord is extended, unless its last two points are equal).
    """

    points: tuple[PathPoint, ...]

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
    def _measured(self) -> tuple[Points, NDArray[np.float64]]:
        pieces = [_flatten(kind, points) for kind, points in self.segments()]
        line = np.concatenate(pieces) if pieces else np.array([self.points[0][:2]], dtype=np.float64)
        steps = line[1:] - line[:-1]
        arc = np.zeros(len(line))
        np.sqrt((steps * steps).sum(axis=1)).cumsum(out=arc[1:])
        keep = np.ones(len(line), dtype=bool)
        np.greater(arc[1:], arc[:-1], out=keep[1:])
        return line[keep], arc[keep]

    def natural_length(self) -> float:
        """The length of the drawn curve in px."""
        return float(self.arc_lengths[-1])

    def span_length(self, asked: float) -> float:
        """The length in px of one span for which the file asks `asked` px (0: the drawn curve's)."""
        if asked <= 0:
            return self.natural_length()
        return asked if self._extensible else min(asked, self.natural_length())

    @property
    def _extensible(self) -> bool:
        return len(self.points) > 1 and self.points[-1][:2] != self.points[-2][:2]

    def at_distances(self, distances: NDArray[np.float64]) -> Points:
        """Positions at `distances` px from the head, shape (n, 2)."""
        line, arc = self.polyline, self.arc_lengths
        distances = np.asarray(distances, dtype=np.float64)
        if len(line) == 1:
            return np.repeat(line, len(distances), axis=0)
        if not self._extensible:
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
            yield from _split(self.points[start].type or "L", points, stop == end)


def _split(kind: str, points: Points, is_last: bool) -> Iterator[tuple[str, Points]]:
    """Cut one typed segment at repeated points; a perfect curve needs three points, else it is a Bezier."""
    if kind == "P" and len(points) != 3:
        kind = "B"
    if kind == "C":  # repeated points of Catmull curves split nothing, but for the head
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


def _flatten(kind: str, points: Points) -> Points:
    """One segment as chords, shape (n, 2), its ends included."""
    if kind == "C":
        return _catmull(points)
    if kind == "L" or len(points) == 2:
        return points
    if kind == "P":
        return _arc(points)
    degree = int(kind[1:] or 0)
    return _bezier(points) if degree == 0 or degree >= len(points) - 1 else _bspline(points, degree)


def _pieces(estimate: float) -> int:
    """A power of two of at least `estimate`, so that few bases have to be kept."""
    return 1 << max(2, math.ceil(math.log2(min(max(estimate, 1.0), MAX_PIECES))))


def _bend(points: Points) -> float:
    """The largest second difference of a control polygon, px."""
    second = points[2:] - 2 * points[1:-1] + points[:-2]
    return math.sqrt((second * second).sum(axis=1).max())


def _bezier(points: Points) -> Points:
    degree = len(points) - 1
    # A chord over 1/n of a curve strays from it by at most max|curve''| / (8 n^2).
    pieces = _pieces(math.sqrt(degree * (degree - 1) * _bend(points) / (8 * TOLERANCE)))
    return _bernstein(degree, pieces) @ points


@lru_cache(maxsize=256)
def _bernstein(degree: int, pieces: int) -> NDArray[np.float64]:
    """The Bernstein polynomials at i / pieces, shape (pieces + 1, degree + 1)."""
    t = np.linspace(0.0, 1.0, pieces + 1)[1:-1, None]
    k = np.arange(degree + 1)
    choose = np.array([math.lgamma(degree + 1) - math.lgamma(i + 1) - math.lgamma(degree - i + 1) for i in k])
    inner = np.exp(choose + k * np.log(t) + (degree - k) * np.log1p(-t))
    ends = np.eye(degree + 1)[[0, -1]]
    return np.concatenate((ends[:1], inner / inner.sum(axis=1, keepdims=True), ends[1:]))


def _bspline(points: Points, degree: int) -> Points:
    """A clamped uniform B-spline (lazer's "B" with a degree)."""
    pieces_per_span = degree * math.sqrt(_bend(points) / (8 * TOLERANCE))
    return _deboor(len(points), degree, _pieces((len(points) - degree) * pieces_per_span)) @ points


@lru_cache(maxsize=64)
def _deboor(count: int, degree: int, pieces: int) -> NDArray[np.float64]:
    """The B-spline basis at i / pieces by the Cox-de Boor recursion, shape (pieces + 1, count)."""
    knots = np.concatenate((np.zeros(degree), np.linspace(0.0, 1.0, count - degree + 1), np.ones(degree)))
    t = np.linspace(0.0, 1.0, pieces + 1)[:, None]
    basis = ((knots[:-1] <= t) & (t < knots[1:])).astype(np.float64)
    basis[-1, count - 1] = 1.0
    for d in range(1, degree + 1):
        left, right = knots[d:-1] - knots[: -d - 1], knots[d + 1 :] - knots[1:-d]
        rise = np.divide(t - knots[: -d - 1], left, out=np.zeros_like(basis[:, :-1]), where=left > 0)
        fall = np.divide(knots[d + 1 :] - t, right, out=np.zeros_like(basis[:, :-1]), where=right > 0)
        basis = rise * basis[:, :-1] + fall * basis[:, 1:]
    return basis


def _catmull(points: Points) -> Points:
    """A Catmull-Rom spline at the game's own 50 pieces per chord."""
    before = np.concatenate((points[:1], points[:-2]))
    start, end = points[:-1], points[1:]
    after = np.concatenate((points[2:], 2 * points[-1:] - points[-2:-1]))
    t = (np.arange(CATMULL_PIECES) / CATMULL_PIECES)[:, None]
    a, b, c, d = (p[:, None, :] for p in (before, start, end, after))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.concatenate((curve.reshape(-1, 2), points[-1:]))


def _arc(points: Points) -> Points:
    """The circle through three points; straight if they are in line, Bezier if the circle is too large."""
    (ax, ay), (bx, by), (cx, cy) = points.tolist()
    # Relative to the first point, so that large coordinates cost no precision.
    ux, uy, vx, vy = bx - ax, by - ay, cx - ax, cy - ay
    cross = ux * vy - uy * vx
    if abs(cross) <= COLLINEAR:
        return points
    u2, v2 = ux * ux + uy * uy, vx * vx + vy * vy
    rx, ry = (vy * u2 - uy * v2) / (2 * cross), (ux * v2 - vx * u2) / (2 * cross)
    radius = math.hypot(rx, ry)
    first = math.atan2(-ry, -rx)
    turn = (math.atan2(vy - ry, vx - rx) - first) % math.tau
    if cross < 0:  # the middle point lies on the other way round
        turn -= math.tau
    if abs(turn) > 2 * MAX_ARC_POINTS * math.acos(max(-1.0, 1 - ARC_TOLERANCE / radius)):
        return _bezier(points)
    pieces = _pieces(abs(turn) * math.sqrt(radius / (8 * TOLERANCE)))
    angles = first + turn * np.linspace(0.0, 1.0, pieces + 1)
    curve = np.column_stack((ax + rx + radius * np.cos(angles), ay + ry + radius * np.sin(angles)))
    curve[0], curve[-1] = points[0], points[-1]
    return curve
