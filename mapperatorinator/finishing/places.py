"""Whole positions, and objects that nearly overlap overlapping exactly (osu!)."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace

from mapperatorinator.beatmap import CATCH, OSU, Beatmap, HitObject, PathPoint, Slider, SliderPath, Spinner
from mapperatorinator.events.event import FIELD_HEIGHT, FIELD_WIDTH

NEAR_PX = 3.8
MEMORY_MS = 1000.0

Point = tuple[float, float]


def whole_places(bm: Beatmap) -> Beatmap:
    """Return `bm` with heads and control points on whole pixels, as the format has them."""
    if bm.mode not in (OSU, CATCH):
        return bm
    return replace(bm, hit_objects=[_whole(obj) for obj in bm.hit_objects])


def snap_overlaps(bm: Beatmap) -> Beatmap:
    """Return an osu! map in which a head that all but lies on an earlier object lies on it exactly.

    What lies within 3.8 px of a head or slider end of the second before it is meant to overlap; sliders move
    as a whole. Other modes are returned as they are.
    """
    if bm.mode != OSU:
        return bm
    recent: deque[tuple[float, Point]] = deque()
    objects: list[HitObject] = []
    for obj in bm.hit_objects:
        while recent and obj.time - recent[0][0] > MEMORY_MS:
            recent.popleft()
        if not isinstance(obj, Spinner):
            obj = _onto(obj, [place for _, place in recent])
            recent.append((obj.time, (obj.x, obj.y)))
            if isinstance(obj, Slider):
                end = obj.path.position_at(1.0, obj.length)
                recent.append((obj.time, (_within(end[0], FIELD_WIDTH), _within(end[1], FIELD_HEIGHT))))
        objects.append(obj)
    return replace(bm, hit_objects=objects)


def moved(obj: HitObject, dx: float, dy: float) -> HitObject:
    """Return the object shifted by (dx, dy) px, a slider with its whole path."""
    if not dx and not dy:
        return obj
    if isinstance(obj, Slider):
        path = SliderPath(tuple(PathPoint(p.x + dx, p.y + dy, p.type) for p in obj.path.points))
        return replace(obj, x=obj.x + dx, y=obj.y + dy, path=path)
    return replace(obj, x=obj.x + dx, y=obj.y + dy)


def _within(value: float, size: float) -> float:
    return float(min(max(round(value), 0), int(size)))


def _onto(obj: HitObject, places: list[Point]) -> HitObject:
    here = obj.x, obj.y
    if here in places:
        return obj
    near = next((place for place in places if math.dist(place, here) < NEAR_PX), None)
    return obj if near is None else moved(obj, near[0] - obj.x, near[1] - obj.y)


def _whole(obj: HitObject) -> HitObject:
    x, y = float(round(obj.x)), float(round(obj.y))
    if not isinstance(obj, Slider):
        return obj if (x, y) == (obj.x, obj.y) else replace(obj, x=x, y=y)
    points: list[PathPoint] = []
    before: PathPoint | None = None
    for point in obj.path.points:
        rounded = PathPoint(float(round(point.x)), float(round(point.y)), point.type)
        # Points that were apart and now fall together would split the curve.
        apart = before is None or before[:2] != point[:2]
        if not (points and apart and points[-1][:2] == rounded[:2] and point.type is None):
            points.append(rounded)
        before = point
    if len(points) < 2:
        points = [points[0], PathPoint(points[0].x + 1, points[0].y)]
    path = SliderPath(tuple(points))
    return obj if path == obj.path else replace(obj, x=x, y=y, path=path)
