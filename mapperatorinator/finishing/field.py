"""Everything on the screen: circles, stacks and slider bodies inside what a 4:3 screen shows.

A circle moves inwards as far as it must. A slider is pushed inside if a small push does, else turned or
mirrored about its head, by as little as possible; one that is too long for any of this slows down and
shrinks, and one that cannot be slow enough becomes a circle.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import (
    CATCH,
    OSU,
    Beatmap,
    Circle,
    HitObject,
    PathPoint,
    Slider,
    SliderPath,
    Spinner,
)
from mapperatorinator.checks.osu import BODY_STEP, BOTTOM, LEFT, RIGHT, TOP
from mapperatorinator.checks.view import MapView
from mapperatorinator.events.event import FIELD_HEIGHT, FIELD_WIDTH
from mapperatorinator.finishing.places import moved, whole_places
from mapperatorinator.finishing.sliders import LEAST_VELOCITY, scaled, with_velocities

EDGE_PX, MARGIN_PX = (
    0.5,
    5.0,
)  # what is nearer to the edge of the screen is moved; what moves stays this far off
CATCH_HEIGHT = 512.0  # px beyond the field; in osu!catch only x matters
GENTLE_PUSH_PX = 48.0
TURN_STEP = 10  # degrees
SHRINK = 0.75
STACK_MEMORY_MS = 2000.0
MOST_ROUNDS = 12  # stacks change as objects move

Points = NDArray[np.float64]


@dataclass(frozen=True)
class _Room:
    """Where the centres of circles may lie, before stacking moves them by `shift` px on both axes."""

    low: Points  # (2,)
    high: Points  # (2,)

    @classmethod
    def of(cls, mode: int, radius: float, shift: float, margin: float) -> _Room:
        field = np.array([FIELD_WIDTH, FIELD_HEIGHT])
        if mode == CATCH:
            return cls(np.array([0.0, -CATCH_HEIGHT]), np.array([FIELD_WIDTH, FIELD_HEIGHT + CATCH_HEIGHT]))
        inset = radius + margin
        low = np.array([LEFT, TOP]) + inset - shift
        high = np.array([RIGHT, BOTTOM]) - inset - shift
        return cls(np.minimum(low, field / 2), np.maximum(high, field / 2))

    def heads(self) -> _Room:
        """The part of the room that is playfield."""
        field = np.array([FIELD_WIDTH, FIELD_HEIGHT])
        return _Room(np.clip(self.low, 0.0, field), np.clip(self.high, 0.0, field))

    def push(self, points: Points) -> Points:
        """The shift (2,) that brings `points` (n, 2) inside; NaN on an axis on which they are too wide."""
        below = np.maximum(self.low - points.min(axis=0), 0.0)
        above = np.minimum(self.high - points.max(axis=0), 0.0)
        return np.where((below > 0) & (above < 0) | self._too_wide(points), np.nan, below + above)

    def _too_wide(self, points: Points) -> NDArray[np.bool_]:
        return np.ptp(points, axis=0) > self.high - self.low


def keep_on_screen(bm: Beatmap, push: bool = True) -> Beatmap:
    """Return an osu! or catch map with nothing off the screen of 4:3 (objects must be in order of time).

    Without `push` sliders whose heads are inside are only turned, not moved.
    """
    if bm.mode not in (OSU, CATCH):
        return bm
    for _ in range(MOST_ROUNDS):
        inside, slower = _round(bm, GENTLE_PUSH_PX if push else 0.0)
        if inside == bm.hit_objects:
            return bm
        bm = whole_places(with_velocities(replace(bm, hit_objects=inside), slower))
    return bm


def _round(bm: Beatmap, push: float) -> tuple[list[HitObject], dict[int, float]]:
    """The objects moved once, and new velocities for sliders that shrank (by index)."""
    view = MapView(bm)
    moves: dict[tuple[float, float], tuple[float, tuple[float, float]]] = {}
    slower: dict[int, float] = {}
    objects: list[HitObject] = []
    for i, obj in enumerate(bm.hit_objects):
        edge, room = (
            _Room.of(bm.mode, view.radius, view.stack_shift(i), margin) for margin in (EDGE_PX, MARGIN_PX)
        )
        if isinstance(obj, Spinner) or _inside(obj, edge):
            objects.append(obj)
        elif isinstance(obj, Slider):
            velocity = bm.velocity_at(obj.time)
            fitted, factor = _fit_slider(obj, room, LEAST_VELOCITY / velocity, push)
            if factor < 1:
                slower[i] = velocity * factor
            objects.append(fitted)
        else:
            shift = room.heads().push(np.array([[obj.x, obj.y]]))
            moves[obj.x, obj.y] = obj.time, _outwards(shift)
            objects.append(obj)
    return [_with_its_stack(obj, moves) for obj in objects], slower


def _with_its_stack(
    obj: HitObject, moves: dict[tuple[float, float], tuple[float, tuple[float, float]]]
) -> HitObject:
    """A circle moved as far as any on its spot has to: a stack moves as one, or it would fall apart."""
    time, push = moves.get((obj.x, obj.y), (math.inf, (0.0, 0.0)))
    together = abs(obj.time - time) <= STACK_MEMORY_MS and not isinstance(obj, (Slider, Spinner))
    return moved(obj, *push) if together else obj


def _outwards(push: Points) -> tuple[float, float]:
    """Whole pixels, away from zero."""
    dx, dy = (math.copysign(math.ceil(abs(v)), v) for v in push.tolist())
    return dx, dy


def _fit_slider(slider: Slider, room: _Room, least: float, most_push: float) -> tuple[HitObject, float]:
    """The slider inside `room`, and by which factor (at least `least`) its path shrank; else a circle."""
    push = room.push(_body(slider))
    if not np.isnan(push).any() and float(np.hypot(*push)) <= most_push:
        pushed = moved(slider, *_outwards(push))
        if _inside(pushed, room):
            return pushed, 1.0
    head = room.heads().push(np.array([[slider.x, slider.y]]))
    start = moved(slider, *_outwards(head))
    assert isinstance(start, Slider)
    factor = 1.0
    while factor >= least:
        for path in _turned(scaled(start.path, factor)):
            if _inside(replace(start, path=path, length=start.length * factor), room):
                return replace(start, path=path), factor
        factor *= SHRINK
    return Circle(start.x, start.y, start.time, start.new_combo, sound=start.sound, sample=start.sample), 1.0


def _body(slider: Slider) -> Points:
    return slider.path.sample(slider.length, BODY_STEP)


def _inside(obj: HitObject, room: _Room) -> bool:
    heads = room.heads()
    head = np.array([obj.x, obj.y])
    if (head < heads.low).any() or (head > heads.high).any():
        return False
    if not isinstance(obj, Slider):
        return True
    body = _body(obj)
    return bool((body >= room.low).all() and (body <= room.high).all())


def _turned(path: SliderPath) -> Iterator[SliderPath]:
    """The path as it is, mirrored, and turned about its head by more and more, on whole pixels."""
    head = path.points[0]
    relative = [complex(p.x - head.x, p.y - head.y) for p in path.points]
    shapes = [[z.conjugate() for z in relative], [-z.conjugate() for z in relative]]
    for degrees in range(0, 181, TURN_STEP):
        for sign in (1, -1) if degrees else (1,):
            turn = complex(math.cos(math.radians(degrees)), sign * math.sin(math.radians(degrees)))
            yield _placed(path, [z * turn for z in relative])
        if degrees == 2 * TURN_STEP:  # small turns are less of a change than mirroring
            yield from (_placed(path, shape) for shape in shapes)


def _placed(path: SliderPath, relative: list[complex]) -> SliderPath:
    head = path.points[0]
    return SliderPath(
        tuple(
            PathPoint(head.x + round(z.real), head.y + round(z.imag), p.type)
            for p, z in zip(path.points, relative, strict=True)
        )
    )
