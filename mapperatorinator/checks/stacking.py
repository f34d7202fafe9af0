"""Where osu! objects are drawn once the game has stacked those that lie on each other.

Objects close in space and time are moved up and left by a tenth of a radius each, so that all
can be seen; under the end of a slider they go down and right. The rule changed with format v6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..beatmap import Circle, HitObject, Slider

STACK_DISTANCE = 3.0  # px within which objects stack (game constant)
SHIFT_PER_RADIUS = -0.1  # how far one step of a stack moves an object, in radii, on both axes
FIRST_NEW_VERSION = 6

Point = tuple[float, float]


def slider_end(slider: Slider) -> Point:
    """Where the ball of `slider` comes to rest."""
    if slider.slides % 2 == 0 or slider.length <= 0:
        return slider.x, slider.y
    return slider.path.position_at(1.0, slider.length)


def _near(a: Point, b: Point) -> bool:
    return math.dist(a, b) < STACK_DISTANCE


class _Piles:
    """The objects of a map while their heights are worked out."""

    def __init__(self, objects: Sequence[HitObject], ends: Sequence[float], threshold: float) -> None:
        self.objects, self.ends, self.threshold = objects, ends, threshold
        self.heads: list[Point] = [(obj.x, obj.y) for obj in objects]
        self.tails: list[Point] = [
            slider_end(obj) if isinstance(obj, Slider) else head
            for obj, head in zip(objects, self.heads, strict=True)
        ]
        self.heights = [0] * len(objects)

    def stackable(self, i: int) -> bool:
        return isinstance(self.objects[i], (Circle, Slider))

    def new_rule(self) -> None:
        for i in range(len(self.objects) - 1, 0, -1):
            if self.heights[i] == 0 and self.stackable(i):
                if isinstance(self.objects[i], Slider):
                    self._pile_before_slider(i)
                else:
                    self._pile_before_circle(i)

    def _pile_before_circle(self, top: int) -> None:
        current = top
        for n in range(top - 1, -1, -1):
            if not self.stackable(n):
                continue
            if self.objects[current].time - self.ends[n] > self.threshold:
                break
            if isinstance(self.objects[n], Slider) and _near(self.tails[n], self.heads[current]):
                # Everything since that slider which lies on its end goes below the end instead.
                offset = self.heights[current] - self.heights[n] + 1
                for j in range(n + 1, top + 1):
                    if _near(self.tails[n], self.heads[j]):
                        self.heights[j] -= offset
                break
            if _near(self.heads[n], self.heads[current]):
                self.heights[n] = self.heights[current] + 1
                current = n

    def _pile_before_slider(self, top: int) -> None:
        current = top
        for n in range(top - 1, -1, -1):
            if not self.stackable(n):
                continue
            if self.objects[current].time - self.objects[n].time > self.threshold:
                break
            if _near(self.tails[n], self.heads[current]):
                self.heights[n] = self.heights[current] + 1
                current = n

    def old_rule(self) -> None:
        for i, obj in enumerate(self.objects):
            if self.heights[i] != 0 and not isinstance(obj, Slider):
                continue
            start, below = self.ends[i], 0
            for j in range(i + 1, len(self.objects)):
                if self.objects[j].time - self.threshold > start:
                    break
                if _near(self.heads[j], self.heads[i]):
                    self.heights[i] += 1
                    start = self.objects[j].time
                elif _near(self.heads[j], self.tails[i]):
                    below += 1
                    self.heights[j] -= below
                    start = self.objects[j].time


def stack_heights(
    objects: Sequence[HitObject], ends: Sequence[float], preempt: float, leniency: float, version: int
) -> list[int]:
    """How many steps of its stack each object is drawn up (negative: down).

    `objects` in order of time with their end times in ms, `preempt` in ms, `leniency` the map's
    stack leniency, `version` its file format. Source of the rule: lazer, OsuBeatmapProcessor.
    """
    piles = _Piles(objects, ends, preempt * leniency)
    if version >= FIRST_NEW_VERSION:
        piles.new_rule()
    else:
        piles.old_rule()
    return piles.heights
