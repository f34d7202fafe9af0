"""What falls in osu!catch, and how the catcher must move from one to the next.

Sliders become a fruit at each edge and droplets at their ticks (tiny droplets never matter here).
Whether a movement is a hyperdash follows the game's own computation, down to its whole
milliseconds and its quarter frame of grace (lazer, CatchBeatmapProcessor).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from ..beatmap import Slider, Spinner

if TYPE_CHECKING:
    from .view import MapView

PLAYFIELD_WIDTH = 512.0
CATCHER_WIDTH = 106.75  # px at scale 1
CATCH_RANGE = 0.8  # share of the catcher that catches
DASH_SPEED, WALK_SPEED = 1.0, 0.5  # px per ms
GRACE = 1000 / 60 / 4  # ms, a quarter of a frame


class CatchKind(Enum):
    """What falls, by the words of the editor."""

    FRUIT = "Fruit"
    HEAD = "Slider head"
    REPEAT = "Slider repeat"
    TAIL = "Slider tail"
    DROPLET = "Droplet"


class Movement(Enum):
    """What the catcher must do to reach the next object."""

    WALK = "walk"
    DASH = "dash"
    HYPERDASH = "hyperdash"


@dataclass(slots=True)
class CatchObject:
    """A fruit or droplet: time in ms, x in px, the object of the map it belongs to.

    `movement` leads to the next one, `to_hyperdash` is how many px it lacks to a hyperdash
    (negative: it is one), `direction` is -1 left, 0 none, 1 right.
    """

    kind: CatchKind
    time: float
    x: float
    source: int
    movement: Movement = Movement.WALK
    to_hyperdash: float = float("inf")
    direction: int = 0


def catcher_half_width(circle_size: float) -> float:
    """Half the catcher's width in px at that circle size."""
    return CATCHER_WIDTH * (1.0 - 0.7 * (circle_size - 5) / 5) / 2


def _slider_objects(view: MapView, i: int, slider: Slider) -> list[CatchObject]:
    span = view.spans[i]
    edges, ticks = view.edges(i), view.ticks(i)
    kinds = [CatchKind.HEAD, *[CatchKind.REPEAT] * (slider.slides - 1), CatchKind.TAIL]
    parts = [*zip(kinds, edges, strict=False), *((CatchKind.DROPLET, time) for time in ticks)]
    parts.sort(key=lambda part: part[1])
    phase = np.array([(time - slider.time) / span if span > 0 else 0.0 for _, time in parts]) % 2.0
    # An odd multiple of a span is the far end; the modulo leaves it at 1.
    progress = np.where(phase > 1.0, 2.0 - phase, phase)
    xs = slider.path.at_distances(progress * slider.length)[:, 0]
    return [
        CatchObject(kind, time, min(max(float(x), 0.0), PLAYFIELD_WIDTH), i)
        for (kind, time), x in zip(parts, xs, strict=True)
    ]


def catch_objects(view: MapView) -> list[CatchObject]:
    """Everything that falls in the map in order of time, with the movements between."""
    items: list[CatchObject] = []
    for i, obj in enumerate(view.objects):
        if isinstance(obj, Slider):
            items += _slider_objects(view, i, obj)
        elif not isinstance(obj, Spinner):
            items.append(CatchObject(CatchKind.FRUIT, obj.time, min(max(obj.x, 0.0), PLAYFIELD_WIDTH), i))
    items.sort(key=lambda item: item.time)
    _find_movements(items, catcher_half_width(view.beatmap.circle_size))
    return items


def _find_movements(items: list[CatchObject], half_width: float) -> None:
    last_direction, excess = 0, half_width
    for current, following in zip(items, items[1:], strict=False):
        direction = 1 if following.x > current.x else -1
        time = int(following.time) - int(current.time) - GRACE
        distance = abs(following.x - current.x)
        reach = excess if direction == last_direction else half_width
        current.to_hyperdash = time * DASH_SPEED - (distance - reach)
        current.direction = 0 if int(following.x) == int(current.x) else direction
        if current.to_hyperdash < 0:
            current.movement = Movement.HYPERDASH
            excess = half_width
        else:
            walks = distance <= half_width * CATCH_RANGE + max(0.0, time) * WALK_SPEED
            current.movement = Movement.WALK if walks else Movement.DASH
            excess = min(current.to_hyperdash, half_width)
        last_direction = direction
