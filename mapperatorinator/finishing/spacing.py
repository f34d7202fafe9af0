"""Objects neither confusingly far apart nor confusingly on each other (osu!).

The rules are those of the checks, which are asked again after every round of moves: a jump far beyond any
other of the same rhythm gets shorter, objects that look like one get apart, and in easy maps objects that
follow each other quickly overlap.
"""

from __future__ import annotations

import math
from dataclasses import replace

from mapperatorinator.beatmap import OSU, Beatmap, Spinner
from mapperatorinator.checks import Level
from mapperatorinator.checks.spread import OVERLAP_WARNING
from mapperatorinator.checks.view import MapView
from mapperatorinator.events.event import FIELD_HEIGHT, FIELD_WIDTH
from mapperatorinator.finishing.places import moved
from mapperatorinator.finishing.rules import problems

JUMP_RADII = 4.0  # no two objects this close are too far apart
OVERLAP_RADII = 2.0  # centres this close overlap
SPARE_PX = 6.0  # what moves goes this much farther, so that small moves of others do not undo it
APART_PX = 12.0
MOST_ROUNDS = 12

Point = tuple[float, float]


def tame_spacing(bm: Beatmap, level: Level) -> Beatmap:
    """Return an osu! map that keeps the rules of spacing of `level` (objects must be in order of time)."""
    if bm.mode != OSU:
        return bm
    for _ in range(MOST_ROUNDS):
        view = MapView(bm, level)
        wanted = {**_overlapping(view), **_apart(view), **_nearer(view)}
        if not wanted:
            return bm
        objects = list(bm.hit_objects)
        for i, (x, y) in wanted.items():
            to_x, to_y = min(max(round(x), 0), int(FIELD_WIDTH)), min(max(round(y), 0), int(FIELD_HEIGHT))
            objects[i] = moved(objects[i], to_x - objects[i].x, to_y - objects[i].y)
        bm = replace(bm, hit_objects=objects)
    return bm


def _pairs(view: MapView, rule: str) -> list[tuple[int, ...]]:
    return [found.objects for found in problems(view, rule)]


def _nearer(view: MapView) -> dict[int, Point]:
    """Where the targets of abnormal jumps should be."""
    reach = view.radius * JUMP_RADII - SPARE_PX
    return {j: _towards(view, i, j, reach) for i, j in _pairs(view, "abnormal_spacing")}


def _apart(view: MapView) -> dict[int, Point]:
    """Where objects should be that look like one with an earlier object."""
    places = {}
    for i, j in _pairs(view, "stack_leniency"):
        (x0, y0), (x1, y1) = view.heads[i], view.heads[j]
        angle = math.atan2(y1 - y0, x1 - x0) if (x0, y0) != (x1, y1) else math.tau * (j % 8) / 8
        obj = view.objects[j]
        dx, dy = _inwards(obj.x, math.cos(angle), FIELD_WIDTH), _inwards(obj.y, math.sin(angle), FIELD_HEIGHT)
        places[j] = (obj.x + dx, obj.y + dy)
    return places


def _inwards(place: float, direction: float, size: float) -> float:
    """A step of 12 px in `direction`, or away from the edge of the field."""
    at_edge = not APART_PX < place < size - APART_PX
    return math.copysign(APART_PX, size / 2 - place if at_edge else direction)


def _overlapping(view: MapView) -> dict[int, Point]:
    """Where objects of an easy map should be that follow a circle quickly and do not touch it."""
    if view.level > Level.NORMAL:
        return {}
    reach = view.radius * OVERLAP_RADII - SPARE_PX
    return {
        i + 1: _towards(view, i, i + 1, reach)
        for i in range(len(view.objects) - 1)
        if not any(isinstance(view.objects[k], Spinner) for k in (i, i + 1))
        and view.starts[i + 1] - view.ends[i] < OVERLAP_WARNING
        and math.dist(view.tails[i], view.heads[i + 1]) >= view.radius * OVERLAP_RADII
    }


def _towards(view: MapView, i: int, j: int, reach: float) -> Point:
    """The place of object `j` if it were drawn `reach` px from the end of object `i`, in the same
    direction."""
    (x0, y0), (x1, y1) = view.tails[i], view.heads[j]
    share = 1 - reach / max(math.dist((x0, y0), (x1, y1)), reach)
    obj = view.objects[j]
    return obj.x + (x0 - x1) * share, obj.y + (y0 - y1) * share
