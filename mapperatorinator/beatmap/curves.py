"""Curves of one segment as chords, at the precision at which the game draws and measures them."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # shape (n, 2), osu! pixels

FLAT_BEND = 0.5  # px; the game draws a Bezier piece whose second differences are no larger
SHORTEST_PIECE = 2.0**-11  # of the curve; only points far beyond any playfield need more
MAX_HALVED_POINTS = 256  # above this, halving costs too much
HIGH_DEGREE_PIECES = 1024
BSPLINE_PIECES, MAX_BASIS = 32, 4_000_000  # pieces per span, numbers in memory at once
CATMULL_PIECES = 50  # the game's own number
COLLINEAR = 1e-3  # twice the area in px^2 below which the game takes three points for a straight line
ARC_TOLERANCE, MAX_ARC_POINTS = 0.1, 999  # px; the game draws arcs that need more points as Beziers


def flatten(kind: str, points: Points) -> Points:
    """One segment as chords, shape (n, 2), its ends included."""
    if kind == "C":
        return _catmull(points)
    if kind == "L" or len(points) == 2:
        return points
    if kind == "P":
        return _arc(points)
    degree = int(kind[1:] or 0)
    return _bezier(points) if degree == 0 or degree >= len(points) - 1 else _bspline(points, degree)


def _bezier(points: Points) -> Points:
    """A Bezier curve, halved until flat by the measure of the game (so that lengths are the game's)."""
    count = len(points)
    if count > MAX_HALVED_POINTS:
        return _bernstein(points)
    halves, leaf = _halving(count)
    pieces, starts, width = points[None], np.zeros(1), 1.0
    chords: list[Points] = []
    order: list[NDArray[np.float64]] = []
    while len(pieces):
        bend = pieces[:, 2:] - 2 * pieces[:, 1:-1] + pieces[:, :-2]
        flat = ((bend * bend).sum(axis=2).max(axis=1) <= FLAT_BEND**2) | (width < SHORTEST_PIECE)
        chords.append(leaf @ pieces[flat])
        order.append(starts[flat])
        pieces, starts, width = (halves @ pieces[~flat]).reshape(-1, count, 2), starts[~flat], width / 2
        starts = np.stack((starts, starts + width), axis=1).reshape(-1)
    line = np.concatenate(chords)[np.concatenate(order).argsort()].reshape(-1, 2)
    return np.concatenate((line, points[-1:]))


@lru_cache(maxsize=32)
def _halving(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What takes control points to those of both halves, and to the points drawn for a flat piece.

    Shapes (2 count, count) and (count - 1, count). De Casteljau at the middle; a flat piece is drawn through
    its first point and weighted means of the points of its two halves.
    """
    left, right = np.zeros((count, count)), np.zeros((count, count))
    row = np.eye(count)
    for i in range(count):
        left[i], right[count - 1 - i] = row[0], row[-1]
        row = (row[1:] + row[:-1]) / 2
    both = np.concatenate((left, right[1:]))
    middle = 2 * np.arange(1, count - 1)
    drawn = (both[middle - 1] + 2 * both[middle] + both[middle + 1]) / 4
    return np.concatenate((left, right)), np.concatenate((both[:1], drawn))


def _bernstein(points: Points) -> Points:
    """A Bezier curve of high degree at evenly spaced parameters."""
    degree = len(points) - 1
    k = np.arange(degree + 1)
    log_factorial = np.concatenate(([0.0], np.cumsum(np.log(k[1:]))))
    log_choose = log_factorial[-1] - log_factorial - log_factorial[::-1]
    line = [points[0]]
    for t in np.linspace(0.0, 1.0, HIGH_DEGREE_PIECES + 1)[1:-1]:
        weights = np.exp(log_choose + k * math.log(t) + (degree - k) * math.log1p(-t))
        line.append(weights @ points / weights.sum())
    return np.stack([*line, points[-1]])


def _bspline(points: Points, degree: int) -> Points:
    """A clamped uniform B-spline by the Cox-de Boor recursion (lazer's "B" with a degree)."""
    count = len(points)
    pieces = max(4, min(BSPLINE_PIECES * (count - degree), MAX_BASIS // count))
    knots = np.concatenate((np.zeros(degree), np.linspace(0.0, 1.0, count - degree + 1), np.ones(degree)))
    t = np.linspace(0.0, 1.0, pieces + 1)[:, None]
    basis = ((knots[:-1] <= t) & (t < knots[1:])).astype(np.float64)
    basis[-1, count - 1] = 1.0
    for d in range(1, degree + 1):
        left, right = knots[d:-1] - knots[: -d - 1], knots[d + 1 :] - knots[1:-d]
        rise = np.divide(t - knots[: -d - 1], left, out=np.zeros_like(basis[:, :-1]), where=left > 0)
        fall = np.divide(knots[d + 1 :] - t, right, out=np.zeros_like(basis[:, :-1]), where=right > 0)
        basis = rise * basis[:, :-1] + fall * basis[:, 1:]
    return basis @ points


def _catmull(points: Points) -> Points:
    """A Catmull-Rom spline at the game's own 50 pieces per chord."""
    before = np.concatenate((points[:1], points[:-2]))
    start, end = points[:-1], points[1:]
    after = np.concatenate((points[2:], 2 * points[-1:] - points[-2:-1]))
    t = (np.arange(CATMULL_PIECES) / CATMULL_PIECES)[:, None]
    a, b, c, d = (p[:, None, :] for p in (before, start, end, after))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.concatenate((curve.reshape(-1, 2), points[-1:]))


def in_line(points: Points) -> bool:
    """Whether the game takes the first three points for a straight line."""
    (ax, ay), (bx, by), (cx, cy) = points[:3].tolist()
    return abs((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)) <= COLLINEAR


def _arc(points: Points) -> Points:
    """The circle through three points; straight if they are in line, Bezier if the circle is too large."""
    (ax, ay), (bx, by), (cx, cy) = points.tolist()
    # Relative to the first point, so that large coordinates cost no precision.
    ux, uy, vx, vy = bx - ax, by - ay, cx - ax, cy - ay
    cross = ux * vy - uy * vx
    if in_line(points):
        return points
    u2, v2 = ux * ux + uy * uy, vx * vx + vy * vy
    rx, ry = (vy * u2 - uy * v2) / (2 * cross), (ux * v2 - vx * u2) / (2 * cross)
    radius = math.hypot(rx, ry)
    first = math.atan2(-ry, -rx)
    turn = (math.atan2(vy - ry, vx - rx) - first) % math.tau
    if cross < 0:  # the middle point lies on the other way round
        turn -= math.tau
    pieces = abs(turn) / (2 * math.acos(1 - ARC_TOLERANCE / radius)) if radius > ARC_TOLERANCE / 2 else 1
    if pieces > MAX_ARC_POINTS:
        return _bezier(points)
    angles = first + turn * np.linspace(0.0, 1.0, max(2, math.ceil(pieces)))
    curve = np.column_stack((ax + rx + radius * np.cos(angles), ay + ry + radius * np.sin(angles)))
    curve[0], curve[-1] = points[0], points[-1]
    return curve
