"""Slider paths: control points in, points along the drawn curve out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

TOLERANCE = 0.02  # px between the true curve and the chords that stand for it
MAX_PIECES = 2048
CATMULL_PIECES = 50  # the game's own number
ARC_TOLERANCE = 0.1  # px; the game falls back to Bezier when an arc would need 1000 points at this tolerance


class PathPoint(NamedTuple):
    """A control point; a `type` ("B", "L", "P", "C", or "B" with a degree as in "B3") opens a segment there."""

    x: float
    y: float
    type: str | None = None


@dataclass(frozen=True)
class SliderPath:
    """The control points of a slider, its head first, in absolute osu! pixels.

    A repeated point splits a segment as in the game (a "red anchor"). Lengths that are asked for may be shorter
    than the drawn curve (it is cut) or longer (its last chord is extended).
    """

    points: tuple[PathPoint, ...]

    @classmethod
    def of(cls, kind: str, points: Sequence[tuple[float, float]]) -> SliderPath:
        """The path of one segment type through `points` (head first)."""
        return cls(tuple(PathPoint(float(x), float(y), None if i else kind) for i, (x, y) in enumerate(points)))

    @cached_property
    def polyline(self) -> Points:
        """The whole curve as chords, shape (n, 2), n >= 1."""
        pieces = [_flatten(kind, points) for kind, points in self.segments()]
        if not pieces:
            return np.array([self.points[0][:2] if self.points else (0.0, 0.0)], dtype=np.float64)
        line = np.concatenate(pieces)
        keep = np.ones(len(line), dtype=bool)
        keep[1:] = (line[1:] != line[:-1]).any(axis=1)
        return line[keep]

    @cached_property
    def arc_lengths(self) -> NDArray[np.float64]:
        """Distance from the head to every point of `polyline`, shape (n,), px."""
        line = self.polyline
        steps = np.hypot(*(line[1:] - line[:-1]).T)
        return np.concatenate(([0.0], np.cumsum(steps)))

    def natural_length(self) -> float:
        """The length of the drawn curve in px."""
        return float(self.arc_lengths[-1])

    def at_distances(self, distances: NDArray[np.float64]) -> Points:
        """Positions at `distances` px from the head, shape (n, 2); beyond the end the last chord is extended."""
        line, arc = self.polyline, self.arc_lengths
        if len(line) == 1:
            return np.repeat(line, len(distances), axis=0)
        last = np.clip(np.searchsorted(arc, distances, side="right") - 1, 0, len(line) - 2)
        fraction = (distances - arc[last]) / (arc[last + 1] - arc[last])
        return line[last] + fraction[:, None] * (line[last + 1] - line[last])

    def position_at(self, progress: float, length: float | None = None) -> tuple[float, float]:
        """The position at `progress` (0 head .. 1 end) of one span of `length` px (default: natural length)."""
        total = self.natural_length() if length is None else length
        x, y = self.at_distances(np.array([min(max(progress, 0.0), 1.0) * total]))[0]
        return float(x), float(y)

    def sample(self, length: float | None = None, step: float = 8.0) -> Points:
        """Points at most `step` px apart along one span of `length` px, ends included, shape (n, 2)."""
        total = self.natural_length() if length is None else length
        count = max(1, math.ceil(min(total / step, 100_000)))
        return self.at_distances(np.linspace(0.0, total, count + 1))

    def segments(self) -> Iterator[tuple[str, Points]]:
        """The segments (type, points of shape (n >= 2, 2)) after the game's splitting rules."""
        starts = [i for i, point in enumerate(self.points) if i == 0 or point.type]
        for start, end in zip(starts, starts[1:] + [len(self.points) - 1], strict=False):
            points = np.array([p[:2] for p in self.points[start : end + 1]], dtype=np.float64)
            if len(points) > 1:
                yield from _split(self.points[start].type or "L", points)


def _split(kind: str, points: Points) -> Iterator[tuple[str, Points]]:
    """Cut one typed segment at repeated points and replace arcs that are none."""
    if kind == "P" and len(points) != 3:
        kind = "B"
    start = 0
    for i in range(1, len(points) - 1):
        repeated = points[i][0] == points[i - 1][0] and points[i][1] == points[i - 1][1]
        if repeated and not (kind == "C" and i > 1):
            if i - start > 1:
                yield kind, points[start:i]
            start = i
    yield kind, points[start:]


def _flatten(kind: str, points: Points) -> Points:
    """One segment as chords, shape (n, 2), its ends included."""
    if kind == "L" or len(points) == 2 and kind != "C":
        return points
    if kind == "C":
        return _catmull(points)
    if kind == "P":
        return _arc(points)
    degree = int(kind[1:] or 0)
    return _bezier(points) if degree == 0 or degree >= len(points) - 1 else _bspline(points, degree)


def _pieces(estimate: float) -> int:
    """A power of two of at least `estimate`, so that few bases have to be cached."""
    return 1 << max(2, math.ceil(math.log2(min(max(estimate, 1.0), MAX_PIECES))))


def _bezier(points: Points) -> Points:
    degree = len(points) - 1
    bend = np.hypot(*(points[2:] - 2 * points[1:-1] + points[:-2]).T).max()
    # A chord over 1/n of a curve strays from it by at most max|curve''| / (8 n^2).
    pieces = _pieces(math.sqrt(degree * (degree - 1) * bend / (8 * TOLERANCE)))
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
    spans = len(points) - degree
    bend = np.hypot(*(points[2:] - 2 * points[1:-1] + points[:-2]).T).max()
    return _deboor(len(points), degree, _pieces(spans * math.sqrt(degree * degree * bend / (8 * TOLERANCE)))) @ points


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
    before = np.concatenate((points[:1], points[:-2]))
    start, end = points[:-1], points[1:]
    after = np.concatenate((points[2:], 2 * points[-1:] - points[-2:-1]))
    t = (np.arange(CATMULL_PIECES) / CATMULL_PIECES)[None, :, None]
    a, b, c, d = (p[:, None, :] for p in (before, start, end, after))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.concatenate((curve.reshape(-1, 2), points[-1:]))


def _arc(points: Points) -> Points:
    """The circle through three points; straight when they are in line, Bezier when the circle is too large."""
    (ax, ay), (bx, by), (cx, cy) = points.tolist()
    if abs((by - ay) * (cx - ax) - (bx - ax) * (cy - ay)) < 1e-3:
        return points
    d = 2 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by))
    a2, b2, c2 = ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy
    ox = (a2 * (by - cy) + b2 * (cy - ay) + c2 * (ay - by)) / d
    oy = (a2 * (cx - bx) + b2 * (ax - cx) + c2 * (bx - ax)) / d
    radius = math.hypot(ax - ox, ay - oy)
    first, last = math.atan2(ay - oy, ax - ox), math.atan2(cy - oy, cx - ox)
    turn = (last - first) % math.tau
    if (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) < 0:  # the middle point lies on the other side
        turn -= math.tau
    if radius > ARC_TOLERANCE / 2:
        if abs(turn) / (2 * math.acos(max(-1.0, 1 - ARC_TOLERANCE / radius))) > 999:
            return _bezier(points)
    pieces = _pieces(abs(turn) * math.sqrt(radius / (8 * TOLERANCE)))
    angles = first + turn * np.linspace(0.0, 1.0, pieces + 1)
    curve = np.column_stack((ox + radius * np.cos(angles), oy + radius * np.sin(angles)))
    curve[0], curve[-1] = points[0], points[-1]
    return curve
