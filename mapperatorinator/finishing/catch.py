"""Fruits that can be caught at the level: dashes and hyperdashes where it does not allow them get shorter.

A movement that is too far brings the object it leads to nearer; inside a slider the path turns upright
instead. Only x matters in osu!catch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from mapperatorinator.beatmap import CATCH, Beatmap, HitObject, PathPoint, Slider, SliderPath
from mapperatorinator.checks import Level
from mapperatorinator.checks.catch_objects import Movement
from mapperatorinator.checks.view import MapView
from mapperatorinator.events.event import FIELD_HEIGHT, FIELD_WIDTH
from mapperatorinator.finishing.places import moved
from mapperatorinator.finishing.rules import problems

RULES = ("catch_hyperdash", "catch_hyperdash_gap", "catch_hyperdash_run", "catch_edge_dash")
MARGIN_PX = 14.0  # beyond the edge of a hyperdash, where the strictest levels see none
TURN = math.radians(15)
BODY_STEP_PX = 8.0
MOST_ROUNDS = 60


def calm_dashes(bm: Beatmap, level: Level) -> Beatmap:
    """Return a catch map without the dashes that `level` forbids; other modes as they are."""
    if bm.mode != CATCH:
        return bm
    for _ in range(MOST_ROUNDS):
        view = MapView(bm, level)
        objects = _swept(bm.hit_objects, view, set(_forbidden(view)))
        if objects == bm.hit_objects:
            return bm
        bm = replace(bm, hit_objects=objects)
    return bm


def _forbidden(view: MapView) -> Iterator[int]:
    """Positions in `catch_objects` of movements that must become shorter."""
    items = view.catch_objects
    blamed = {
        (found.time, found.objects[0])
        for name in RULES
        for found in problems(view, name)
        if found.time is not None
    }
    for _, run in groupby(range(len(items)), key=lambda k: items[k].movement):
        members = list(run)
        # Of a run that is too long every second movement goes; single offenders are their own run.
        first = next((k for k in members if (items[k].time, items[k].source) in blamed), None)
        if first is not None:
            yield from (k for k in members if (items[k].time, items[k].source) in blamed or (k - first) % 2)


def _swept(before: Sequence[HitObject], view: MapView, forbidden: set[int]) -> list[HitObject]:
    """The objects moved from first to last so that no movement in `forbidden` is too far, and none becomes so."""
    objects, shifts = list(before), [0.0] * len(before)
    items = view.catch_objects
    for k, (item, following) in enumerate(zip(items, items[1:], strict=False)):
        obj = objects[following.source]
        if item.source == following.source:
            if k in forbidden and isinstance(obj, Slider):
                objects[following.source] = _more_upright(obj)
            continue
        if item.movement is Movement.HYPERDASH and k not in forbidden:
            continue
        here, there = item.x + shifts[item.source], following.x + shifts[following.source]
        allowed = max(abs(following.x - item.x) + item.to_hyperdash - MARGIN_PX, 0.0)
        excess = abs(there - here) - allowed
        if excess > 0 and (k in forbidden or abs(there - here) > abs(following.x - item.x)):
            dx = math.copysign(math.ceil(excess), here - there)
            objects[following.source] = moved(obj, min(max(dx, -obj.x), FIELD_WIDTH - obj.x), 0.0)
            shifts[following.source] += objects[following.source].x - obj.x
    return objects


def _more_upright(slider: Slider) -> Slider:
    """The slider turned by 15 degrees towards the vertical, or straight up once it is nearly that.

    A body that the turn would take off the field is made straight as well: brought back it would be as wide as before.
    """
    head, end = slider.path.points[0], slider.path.position_at(1.0, slider.length)
    angle = math.atan2(end[1] - head.y, end[0] - head.x)
    target = math.copysign(math.pi / 2, FIELD_HEIGHT / 2 - head.y or 1.0)
    step = target - angle
    turn = math.copysign(min(abs(step), TURN), step)
    upright = PathPoint(head.x, head.y + math.copysign(max(slider.length, 1.0), target))
    straight = replace(slider, path=SliderPath((head._replace(type="L"), upright)))
    if abs(step) < 1e-3 or max(abs(p.x - head.x) for p in slider.path.points) < 2:
        return straight
    cos, sin = math.cos(turn), math.sin(turn)
    turned = [
        PathPoint(
            float(round(head.x + (p.x - head.x) * cos - (p.y - head.y) * sin)),
            float(round(head.y + (p.x - head.x) * sin + (p.y - head.y) * cos)),
            p.type,
        )
        for p in slider.path.points
    ]
    path = SliderPath(tuple(turned))
    width = path.sample(slider.length, BODY_STEP_PX)[:, 0]
    return replace(slider, path=path) if width.min() >= 0 and width.max() <= FIELD_WIDTH else straight
