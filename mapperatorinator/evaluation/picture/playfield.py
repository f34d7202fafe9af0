"""osu! maps as a sheet: one playfield for every two seconds, as the player's eye would add it up."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from mapperatorinator.beatmap import Beatmap, HitObject, Slider, Spinner
from mapperatorinator.evaluation.patterns.playfield import stop_of
from mapperatorinator.evaluation.picture.canvas import FAINT, FRAME, PANEL, TEXT, Canvas, Rgb, mix
from mapperatorinator.evaluation.picture.timeline import Moments, clock, draw_timeline

SECONDS = 2.0
COLUMNS = 4
ZOOM = 0.62  # logical pixels per osu! pixel
MARGIN = 26  # osu! pixels shown around the playfield: objects reach beyond it
GAP, STRIP, CAPTION = 12, 30, 16
STACK_PX, STACK_MS = 3.0, 600.0
WHITE: Rgb = (255, 255, 255)
COMBO_COLOURS: tuple[Rgb, ...] = ((255, 170, 60), (90, 200, 110), (90, 150, 255), (245, 95, 95))


@dataclass(frozen=True, slots=True)
class Numbered:
    """An object with its place in the combo (from 1), the combo's colour and its height in a stack."""

    obj: HitObject
    number: int
    colour: Rgb
    height: int = 0


def size_of(pieces: int) -> tuple[float, float]:
    """Width and height of a sheet of so many frames."""
    columns = min(pieces, COLUMNS)
    rows = math.ceil(pieces / COLUMNS)
    width, height = _frame_size()
    return columns * (width + GAP) - GAP, rows * (height + STRIP + CAPTION + GAP) - GAP


def draw(canvas: Canvas, beatmap: Beatmap, when: Moments, left: float, top: float) -> None:
    """Draw all frames of the stretch, reading order left to right, top to bottom."""
    objects = stacked(numbered(beatmap))
    width, height = _frame_size()
    for i, (start, end) in enumerate(when.cuts(SECONDS)):
        x = left + i % COLUMNS * (width + GAP)
        y = top + i // COLUMNS * (height + STRIP + CAPTION + GAP)
        canvas.text(x, y + 1, clock(start), 11, FAINT)
        canvas.box(x, y + CAPTION, width, height, fill=PANEL, outline=FRAME)
        shown = [n for n in objects if start - 1 <= n.obj.time < end - 1]
        earlier = [n for n in objects if n.obj.time < start - 1][-1:]
        place = _Place(x + MARGIN * ZOOM, y + CAPTION + MARGIN * ZOOM)
        canvas.box(place.x, place.y, 512 * ZOOM, 384 * ZOOM, outline=FRAME, alpha=0.6)
        _Frame(canvas, beatmap, place).draw(earlier, shown)
        strip = y + CAPTION + height
        draw_timeline(canvas, when, (start, end), (x, strip, width, STRIP))
        _marks(canvas, beatmap, shown, when, (start, end), (x, strip, width))


def numbered(beatmap: Beatmap) -> list[Numbered]:
    """The objects with combo numbers and colours as the game shows them."""
    colours = [tuple(c) for c in beatmap.combo_colours] or list(COMBO_COLOURS)
    result: list[Numbered] = []
    combo, number = 0, 0
    for obj in beatmap.hit_objects:
        after_spinner = bool(result) and isinstance(result[-1].obj, Spinner)
        if obj.new_combo or not result or after_spinner:
            combo, number = combo + 1 + obj.combo_skip, 0
        number += 1
        red, green, blue = colours[combo % len(colours)]
        result.append(Numbered(obj, number, _readable((int(red), int(green), int(blue)))))
    return result


def stacked(items: list[Numbered]) -> list[Numbered]:
    """Lift objects that lie under the next ones, roughly as the game does, so that stacks can be counted."""
    result = list(items)
    for i in range(len(result) - 2, -1, -1):
        here, after = result[i], result[i + 1]
        start = stop_of(here.obj) if isinstance(here.obj, Slider) else (here.obj.x, here.obj.y)
        near = math.dist(start, (after.obj.x, after.obj.y)) < STACK_PX
        soon = after.obj.time - here.obj.time < STACK_MS
        if near and soon and not isinstance(here.obj, (Spinner, Slider)):
            result[i] = replace(here, height=after.height + 1)
    return result


def _readable(colour: Rgb) -> Rgb:
    """The colour, lightened where it is too dark for a dark ground."""
    light = (0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]) / 255
    return mix(colour, WHITE, max(0.1, 0.5 - light))


def _frame_size() -> tuple[float, float]:
    return (512 + 2 * MARGIN) * ZOOM, (384 + 2 * MARGIN) * ZOOM


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the playfield's origin lies on the canvas."""

    x: float
    y: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.x + min(max(x, -200), 712) * ZOOM, self.y + min(max(y, -200), 584) * ZOOM


class _Frame:
    """Draws the objects of one frame: later ones first, so that earlier ones lie on top as in the game."""

    def __init__(self, canvas: Canvas, beatmap: Beatmap, place: _Place) -> None:
        self.canvas, self.place = canvas, place
        self.radius = max(54.4 - 4.48 * beatmap.circle_size, 4.0) * ZOOM

    def draw(self, earlier: list[Numbered], shown: list[Numbered]) -> None:
        self._follow_lines([*earlier, *shown])
        for item in reversed(shown):
            if isinstance(item.obj, Spinner):
                self._spinner()
            else:
                if isinstance(item.obj, Slider):
                    self._body(item, item.obj)
                self._head(item)

    def _follow_lines(self, items: list[Numbered]) -> None:
        for a, b in zip(items, items[1:], strict=False):
            if isinstance(a.obj, Spinner) or isinstance(b.obj, Spinner):
                continue
            start = stop_of(a.obj) if isinstance(a.obj, Slider) else (a.obj.x, a.obj.y)
            ends = [self.place.at(*start), self.place.at(b.obj.x, b.obj.y)]
            self.canvas.line(ends, TEXT, 1.2, 0.15 if b.number == 1 else 0.4)

    def _head(self, item: Numbered) -> None:
        r = self.radius
        lift = item.height * r * 0.1
        x, y = self.place.at(item.obj.x, item.obj.y)
        x, y = x - lift, y - lift
        fill = mix(item.colour, (0, 0, 0), 0.25)
        self.canvas.disc(x, y, r, fill=fill, outline=WHITE, line=max(1.2, r * 0.12))
        self.canvas.text(x, y, str(item.number), r * (1.0 if item.number < 10 else 0.8), WHITE, "mm")

    def _body(self, item: Numbered, slider: Slider) -> None:
        path = slider.path.sample(slider.length, 4.0)
        points = np.array([self.place.at(float(x), float(y)) for x, y in path])
        end_x, end_y = (float(v) for v in points[-1])
        self.canvas.stroke(points, self.radius, mix(item.colour, WHITE, 0.55), 0.9)
        self.canvas.stroke(points, self.radius * 0.86, mix(item.colour, (0, 0, 0), 0.62), 0.95)
        self.canvas.line([(float(x), float(y)) for x, y in points], item.colour, 1.0, 0.55)
        if slider.slides > 1:
            self._arrow(points[-1], points[-2])
        if slider.slides > 2:
            self.canvas.text(end_x, end_y, f"×{slider.slides - 1}", self.radius * 0.7, (20, 20, 30), "mm")
        elif slider.slides == 1:
            self.canvas.disc(end_x, end_y, self.radius * 0.28, fill=item.colour, alpha=0.7)

    def _arrow(self, tip: np.ndarray, before: np.ndarray) -> None:
        """A reverse arrow at the far end, pointing back along the path."""
        way = before - tip
        way = way / max(float(np.hypot(*way)), 1e-6) * self.radius
        side = np.array([-way[1], way[0]])
        corners = [tip + 0.75 * way, tip - 0.35 * way + 0.6 * side, tip - 0.35 * way - 0.6 * side]
        self.canvas.polygon([(float(x), float(y)) for x, y in corners], WHITE, 0.92)

    def _spinner(self) -> None:
        x, y = self.place.at(256, 192)
        for share, alpha in ((1.0, 0.9), (0.7, 0.5), (0.4, 0.35)):
            self.canvas.disc(x, y, 150 * ZOOM * share, outline=(150, 190, 255), alpha=alpha, line=2)
        self.canvas.text(x, y, "spin", 14, (190, 210, 255), "mm")


def _marks(canvas: Canvas, beatmap: Beatmap, shown: Iterable[Numbered], when: Moments,
           span: tuple[float, float], box: tuple[float, float, float]) -> None:  # fmt: skip
    """The objects of a frame on its timeline, rings in the colour of their snap."""
    x, y, width = box
    start, end = span
    for item in reversed(list(shown)):
        at = x + (item.obj.time - start) / (end - start) * width
        stop = x + (beatmap.end_time(item.obj) - start) / (end - start) * width
        if stop > at + 1:
            middle, reach = y + STRIP * 0.32, min(stop, x + width)
            canvas.line([(at, middle), (reach, middle)], item.colour, 5, 0.7)
        ring = when.snap_colour(item.obj.time)
        canvas.disc(at, y + STRIP * 0.32, 5, fill=item.colour, outline=ring, line=1.6)
