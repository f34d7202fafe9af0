"""Where a slider ends, as the published networks were told: Bezier lengths from 50 samples, no arc extended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Place = tuple[float, float]
_SAMPLES = 50
_NEARLY = 1e-8  # squared px, and px^4, below which three points have no circle


def curve_kind(kind: str, points: Sequence[Place]) -> str:
    """The type that is drawn: an arc needs three points that lie on a circle, anything else is a Bezier."""
    if kind in ("L", "C"):
        return kind
    return "P" if kind == "P" and len(points) == 3 and _centre(points) is not None else "B"


def curve_end(kind: str, points: Sequence[Place], length: float) -> Place:
    """The position after `length` px along the curve of a `kind` from `curve_kind`, its head first."""
    if kind == "C":
        return points[-1]
    if kind == "P":
        return _arc_end(points, length)
    pieces = [list(pair) for pair in pairwise(points)] if kind == "L" else _pieces(points)
    lengths = [_length(piece) for piece in pieces]
    total = sum(lengths)
    if len(pieces) == 1:
        return _at(pieces[0], length / total if total else 0.0)
    reached = 0.0
    for piece, own in zip(pieces[:-1], lengths[:-1], strict=True):
        reached += own
        if total and reached / total >= 1:
            return _at(piece, 1.0)
    rest = max(0.0, lengths[-1] - (total - length))
    return _at(pieces[-1], rest / lengths[-1] if lengths[-1] else 0.0)


def _pieces(points: Sequence[Place]) -> list[list[Place]]:
    """Bezier pieces between repeated points."""
    pieces = [[points[0]]]
    for before, point in pairwise(points):
        if before == point:
            pieces.append([])
        pieces[-1].append(point)
    return pieces


def _bezier(points: Sequence[Place], t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Positions (n, 2) at parameters t (n,), which may lie beyond 0..1."""
    degree = len(points) - 1
    k = np.arange(degree + 1)
    choose = np.array([math.comb(degree, int(i)) for i in k], float)
    weights = choose * (1 - t[:, None]) ** (degree - k) * t[:, None] ** k
    return (weights[:, None] * np.array(points, float).T).sum(-1)


def _at(points: Sequence[Place], t: float) -> Place:
    x, y = _bezier(points, np.array([t]))[0].tolist()
    return x, y


def _length(points: Sequence[Place]) -> float:
    line = _bezier(points, np.linspace(0, 1, _SAMPLES))
    return float(np.sqrt((np.diff(line, axis=0) ** 2).sum(1)).sum())


def _centre(points: Sequence[Place]) -> NDArray[np.float64] | None:
    """The centre of the circle through three points, None if there is none."""
    a, b, c = np.array(points, float)
    aa, bb, cc = (float(np.square(p - q).sum()) for p, q in ((b, c), (a, c), (a, b)))
    s, t, u = aa * (bb + cc - aa), bb * (aa + cc - bb), cc * (aa + bb - cc)
    if min(aa, bb, cc) <= _NEARLY or abs(s + t + u) <= _NEARLY:
        return None
    return (s * a + t * b + u * c) / (s + t + u)


def _arc_end(points: Sequence[Place], length: float) -> Place:
    """The order of operations matters: ends often lie on the edge between two cells."""
    centre = _centre(points)
    assert centre is not None
    a, b, c = np.array(points, float) - centre
    start, stop = np.arctan2(a[1], a[0]), np.arctan2(c[1], c[0])
    turn = stop + (math.tau if stop < start else 0.0) - start
    (x, y), middle = c - a, b - a
    if y * middle[0] - x * middle[1] < 0:
        turn = -(math.tau - turn)
    drawn = abs(turn * math.sqrt(a[0] ** 2 + a[1] ** 2))
    if drawn > length:
        turn *= length / drawn
    from_x, from_y = points[0][0] - centre[0], points[0][1] - centre[1]
    cos, sin = math.cos(turn), math.sin(turn)
    return float(from_x * cos - from_y * sin + centre[0]), float(from_x * sin + from_y * cos + centre[1])
