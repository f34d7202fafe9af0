"""Stacks: objects on one spot are drawn apart, up and to the left, as a pile of cards.

The game's rules (osu! source, OsuBeatmapProcessor): since format v6 one pass from the last object back to the
first, before that one forwards. Only osu! itself stacks, not the other modes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .beatmap import Beatmap
from .objects import HitObject, Slider, Spinner

STACK_DISTANCE = 3.0  # px within which objects count as one pile
STACK_STEP = 6.4  # px of shift per place in the pile and unit of scale
SCALE_FUDGE = 1.00041  # the game's allowance for its old playfield
OBJECT_RADIUS = 64.0


def preempt(approach_rate: float) -> float:
    """How long before its time an object appears, in ms."""
    slope = 150.0 if approach_rate > 5 else 120.0
    return 1200.0 - slope * (approach_rate - 5)


def circle_scale(circle_size: float) -> float:
    """The scale of objects; 1 stands for a radius of 64 px."""
    return (1.0 - 0.7 * (circle_size - 5) / 5) / 2 * SCALE_FUDGE


def circle_radius(circle_size: float) -> float:
    """The radius of circles in px."""
    return OBJECT_RADIUS * circle_scale(circle_size)


def stack_heights(bm: Beatmap) -> list[int]:
    """The place of every hit object in its pile: 0 at the bottom, negative below the end of a slider."""
    ends = [bm.end_time(obj) for obj in bm.hit_objects]
    return pile_heights(bm.hit_objects, ends, preempt(bm.approach_rate) * bm.stack_leniency, bm.version)


def pile_heights(
    objects: Sequence[HitObject], end_times: Sequence[float], window: float, version: int
) -> list[int]:
    """`stack_heights` of any objects in order of time.

    end_times : ms, one per object. window : ms within which objects form a pile. version : of the file format.
    """
    pile = _Pile(objects, end_times, window)
    for i in range(len(objects)):
        if version < 6:
            pile.stack_forwards(i)
        else:
            pile.stack_backwards(len(objects) - 1 - i)
    return pile.heights


def stack_offset(circle_size: float, height: int) -> float:
    """The shift of a place in a pile in px, the same for x and y."""
    return -STACK_STEP * circle_scale(circle_size) * height


def stacked_positions(bm: Beatmap) -> NDArray[np.float64]:
    """Where the heads of all hit objects are drawn, shape (n, 2), px."""
    heads = np.array([(obj.x, obj.y) for obj in bm.hit_objects], dtype=np.float64).reshape(-1, 2)
    shifts = [stack_offset(bm.circle_size, height) for height in stack_heights(bm)]
    return heads + np.array(shifts).reshape(-1, 1)


class _Pile:
    """The working state of stacking one map."""

    def __init__(self, objects: Sequence[HitObject], end_times: Sequence[float], window: float) -> None:
        self.objects, self.end_times, self.window = objects, end_times, window
        self.heights = [0] * len(objects)
        self.heads = [(obj.x, obj.y) for obj in objects]
        self.tails = [_tail(obj) for obj in objects]
        self.ends = [
            head if isinstance(obj, Slider) and obj.slides % 2 == 0 else tail
            for obj, head, tail in zip(objects, self.heads, self.tails, strict=True)
        ]

    def stack_backwards(self, i: int) -> None:
        """Pile up what leads to object `i`, if `i` is the top of a pile and none has reached it yet."""
        top = self.objects[i]
        if self.heights[i] or isinstance(top, Spinner):
            return
        if isinstance(top, Slider):
            self._below_slider(i)
        else:
            self._below_circle(i)

    def _below_slider(self, i: int) -> None:
        for n in range(i - 1, -1, -1):
            if isinstance(self.objects[n], Spinner):
                continue
            if self.objects[i].time - self.objects[n].time > self.window:
                return
            if _near(self.ends[n], self.heads[i]):
                self.heights[n] = self.heights[i] + 1
                i = n

    def _below_circle(self, first: int) -> None:
        i = first
        for n in range(i - 1, -1, -1):
            if isinstance(self.objects[n], Spinner):
                continue
            if int(self.objects[i].time) - int(self.end_times[n]) > self.window:
                return
            if isinstance(self.objects[n], Slider) and _near(self.ends[n], self.heads[i]):
                self._sink(n, i, first)
                return
            if _near(self.heads[n], self.heads[i]):
                self.heights[n] = self.heights[i] + 1
                i = n

    def _sink(self, slider: int, bottom: int, first: int) -> None:
        """Move the pile from `bottom` up to the object `first` below the end of `slider`."""
        shift = self.heights[bottom] - self.heights[slider] + 1
        for j in range(slider + 1, first + 1):
            if _near(self.ends[slider], self.heads[j]):
                self.heights[j] -= shift

    def stack_forwards(self, i: int) -> None:
        """The rule of formats before v6: `i` rises by one for every later object on its spot."""
        if self.heights[i] and not isinstance(self.objects[i], Slider):
            return
        end, sunk = self.end_times[i], 0
        for j in range(i + 1, len(self.objects)):
            if self.objects[j].time - self.window > end:
                return
            if _near(self.heads[j], self.heads[i]):
                self.heights[i] += 1
                end = self.objects[j].time
            elif _near(self.heads[j], self.tails[i]):
                sunk += 1
                self.heights[j] -= sunk
                end = self.objects[j].time


def _tail(obj: HitObject) -> tuple[float, float]:
    """The far end of a slider, else the object's place."""
    return obj.path.position_at(1.0, obj.span_length) if isinstance(obj, Slider) else (obj.x, obj.y)


def _near(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 < STACK_DISTANCE**2
