"""Rules about slider shapes that cannot be read: ends that coincide, bodies that run back over themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..beatmap import Slider
from .issue import WARNING, Finding, warning
from .registry import OSU, Category, check
from .snapping import Floats
from .view import MapView

SAME_PLACE = 5.0  # px within which two parts of a slider coincide (Mapset Verifier, CheckAmbiguity)
FAR_ALONG = 60.0  # px along the path from which a corner may be taken for an end
BREAK_DISTANCE = 2.0  # radii from the head at which a tick is lost by a player who waits there

# Burai score: how nearly parallel and how close a path comes to itself (Mapset Verifier, CheckBurai).
OVERLAP = 3.0  # px
BURAI, MAYBE_BURAI = 5.0, 2.0
SCORE_DECAY = 0.9
MIN_TURNING = 0.9 * math.pi  # a path that turns less cannot come back on itself
STEP = 1.0  # px between the points of a path that are compared
MAX_POINTS = 2000  # of a path; what is longer is looked at in larger steps
COARSE = 4  # every so many points are compared first, at least `COARSE_APART` of them apart
COARSE_APART = 3


def _corners(slider: Slider) -> Floats:
    """Points where the path may bend sharply: nodes of lines, repeated nodes of curves, shape (n, 2)."""
    points = slider.path.points
    if not points or points[0].type not in ("L", "B"):
        return np.zeros((0, 2))
    if points[0].type == "L":
        return np.array([point[:2] for point in points])
    pairs = zip(points, points[1:], strict=False)
    return np.array([b[:2] for a, b in pairs if a[:2] == b[:2]]).reshape(-1, 2)


def _could_break(view: MapView, i: int, slider: Slider) -> bool:
    """Whether a player who stays at the head loses a tick."""
    ticks = np.array(view.ticks(i))
    if not len(ticks) or view.spans[i] <= 0:
        return False
    phase = (ticks - slider.time) / view.spans[i] % 2.0
    places = slider.path.at_distances(np.where(phase > 1, 2 - phase, phase) * slider.length)
    return bool((np.hypot(*(places - (slider.x, slider.y)).T) > BREAK_DISTANCE * view.radius).any())


def _confusing_corner(slider: Slider, tail: tuple[float, float]) -> str | None:
    """Which end of the slider a corner far along the path lies on."""
    corners = _corners(slider)
    if not len(corners):
        return None
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))))
    to_head = np.hypot(*(corners - (slider.x, slider.y)).T)
    to_tail = np.hypot(*(corners - tail).T)
    if ((to_head <= SAME_PLACE) & (along > FAR_ALONG)).any():
        return "head"
    if ((to_tail <= SAME_PLACE) & (along[-1] - along > FAR_ALONG)).any():
        return "tail"
    return None


@check(
    "ambiguous_slider", Category.COMPOSE, "The ends of a slider, or an end and a corner, lie on each other.",
    "MV CheckAmbiguity", (WARNING,), modes=(OSU,),
)  # fmt: skip
def ambiguous_slider(view: MapView) -> Iterator[Finding]:
    for i, obj in enumerate(view.objects):
        if not isinstance(obj, Slider) or obj.length <= 0:
            continue
        tail = obj.path.position_at(1.0, obj.length)
        if math.dist((obj.x, obj.y), tail) <= SAME_PLACE and _could_break(view, i, obj):
            yield warning("The ends of the slider lie on each other.", None, i)
        elif end := _confusing_corner(obj, tail):
            yield warning(f"A corner of the slider lies on its {end}.", None, i)


def _squared_distances(path: Floats) -> Floats:
    """Squared distance in px between every two points of `path`, shape (n, n)."""
    xs, ys = path[:, 0], path[:, 1]
    return (xs[:, None] - xs) ** 2 + (ys[:, None] - ys) ** 2


def _comes_back(path: Floats) -> bool:
    """Whether two points of a coarse path that are apart along it are close in space."""
    near = _squared_distances(path) < (OVERLAP + COARSE * STEP) ** 2
    return bool(np.triu(near, COARSE_APART).any())


def _overlaps(path: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Pairs of points where the path is back near where it had left, and their distances in px."""
    squares = _squared_distances(path)
    near = squares < OVERLAP**2
    left = np.argmax(np.triu(~near), axis=1)  # where the path first leaves each point
    later = np.arange(len(path)) > np.where(left > 0, left, len(path))[:, None]
    first, second = np.nonzero(near & later)
    inside = (first >= 1) & (second < len(path) - 1)
    first, second = first[inside], second[inside]
    return first, second, np.sqrt(squares[first, second])


def burai_score(path: Floats) -> float:
    """How much the path (n, 2), in steps of a pixel, runs back over itself; above 2 it is hard to read."""
    steps = np.diff(path, axis=0)
    moved = (steps != 0).any(axis=1)
    path, steps = path[np.concatenate(([True], moved))], steps[moved]
    heading = np.arctan2(steps[:, 1], steps[:, 0])
    turning = np.abs((np.diff(heading) + math.pi) % (2 * math.pi) - math.pi).sum()
    if turning < MIN_TURNING or not _comes_back(path[::COARSE]):
        return 0.0
    first, second, distance = _overlaps(path)
    apart = np.abs(heading[first - 1] - heading[second]) % math.pi
    apart = np.minimum(apart, math.pi - apart)
    closeness = 100 * math.sqrt(10) / 10 ** (2 * distance) / 125
    alignment = 1 / ((apart / math.pi * 20) ** 3 + 0.01) / 250
    scores = np.sort(closeness * alignment)[::-1][:200]
    return float((scores * SCORE_DECAY ** np.arange(len(scores))).sum())


@check(
    "burai", Category.COMPOSE, "A slider body runs back over itself.", "MV CheckBurai", (WARNING,), modes=(OSU,),
)  # fmt: skip
def burai(view: MapView) -> Iterator[Finding]:
    for i, obj in enumerate(view.objects):
        if not isinstance(obj, Slider) or obj.length <= 0 or len(obj.path.points) < 3:
            continue
        if any(point.type not in (None, "B") for point in obj.path.points):
            continue
        length = min(obj.length, obj.path.natural_length())
        score = burai_score(obj.path.sample(length, max(STEP, length / MAX_POINTS)))
        if score > MAYBE_BURAI:
            maybe = "" if score > BURAI else "perhaps "
            yield warning(f"The slider {maybe}runs back over itself.", None, i)
