"""Mania as strips of falling columns, catch as strips of the catcher's field: time goes upwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mapperatorinator.beatmap import MANIA, Beatmap, HitObject, Hold, Slider, Spinner
from mapperatorinator.evaluation.picture.canvas import (
    ACCENT,
    FAINT,
    FRAME,
    PANEL,
    SNAP_COLOURS,
    Canvas,
    Rgb,
    mix,
)
from mapperatorinator.evaluation.picture.playfield import WHITE, Numbered, numbered
from mapperatorinator.evaluation.picture.timeline import KIAI, Moments, clock

SECONDS = 4.0
HEIGHT, GAP, CAPTION, CURVE = 760, 16, 16, 26
KEY_WIDTH = {1: 40, 2: 36, 3: 34, 4: 30, 5: 26, 6: 24, 7: 22, 8: 20, 9: 19, 10: 18}
NOTE = 9.0
FIELD = 230.0  # width of a catch strip
PLAIN: Rgb = (236, 240, 250)
BLUE: Rgb = (104, 168, 255)
GOLD: Rgb = (255, 206, 84)
HYPER: Rgb = (255, 82, 92)
HYPER_SPEED = 1.0  # px per ms; the catcher runs at this speed, so that what is faster needs a hyperdash
PX_BETWEEN_DROPLETS = 26.0


@dataclass(frozen=True, slots=True)
class _Strip:
    """One strip on the canvas: its span in ms and its box."""

    start: float
    end: float
    x: float
    y: float
    width: float

    def at(self, time: float) -> float:
        """The height at which a time lies; the strip's start is at the bottom."""
        share = (min(max(time, self.start), self.end) - self.start) / (self.end - self.start)
        return self.y + HEIGHT * (1 - share)


def size_of(beatmap: Beatmap, pieces: int) -> tuple[float, float]:
    """Width and height of so many strips."""
    return pieces * (_width(beatmap) + CURVE + GAP) - GAP, HEIGHT + CAPTION


def draw(canvas: Canvas, beatmap: Beatmap, when: Moments, left: float, top: float) -> None:
    """Draw the stretch strip by strip, left to right."""
    width = _width(beatmap)
    items = numbered(beatmap)
    for i, (start, end) in enumerate(when.cuts(SECONDS)):
        x = left + i * (width + CURVE + GAP)
        strip = _Strip(start, end, x + CURVE, top, width)
        canvas.box(strip.x, top, width, HEIGHT, fill=PANEL)
        _grid(canvas, when, strip)
        _onsets(canvas, when, strip)
        shown = [n for n in items if n.obj.time < end - 1 and beatmap.end_time(n.obj) >= start - 1]
        if beatmap.mode == MANIA:
            _mania(canvas, beatmap, [n.obj for n in shown], strip)
        else:
            _catch(canvas, beatmap, shown, strip)
        canvas.box(strip.x, top, width, HEIGHT, outline=FRAME)
        canvas.text(strip.x, top + HEIGHT + 3, clock(start), 11, FAINT)


def _width(beatmap: Beatmap) -> float:
    return beatmap.keys * KEY_WIDTH.get(beatmap.keys, 16) if beatmap.mode == MANIA else FIELD


def _grid(canvas: Canvas, when: Moments, strip: _Strip) -> None:
    for time, snap, measure in when.lines(strip.start, strip.end):
        y = strip.at(time)
        strength = 0.95 if measure else 0.5 if snap == 1 else 0.28
        ends = [(strip.x, y), (strip.x + strip.width, y)]
        canvas.line(ends, SNAP_COLOURS[snap], 2 if measure else 1, strength)
    for begun, ended in when.kiai:
        if begun < strip.end and ended > strip.start:
            top = strip.at(ended)
            canvas.box(strip.x + strip.width + 1, top, 3, strip.at(begun) - top, fill=KIAI)


def _onsets(canvas: Canvas, when: Moments, strip: _Strip) -> None:
    curve = when.curve(strip.start, strip.end, HEIGHT // 2)
    if curve is None:
        return
    x = strip.x - 2
    outline = [(x - v * (CURVE - 4), strip.y + HEIGHT - 2 * i) for i, v in enumerate(curve)]
    canvas.polygon([(x, strip.y + HEIGHT), *outline, (x, strip.y)], ACCENT, 0.45)


def _mania(canvas: Canvas, beatmap: Beatmap, shown: list[HitObject], strip: _Strip) -> None:
    keys, width = beatmap.keys, strip.width / beatmap.keys
    for column in range(1, keys):
        x = strip.x + column * width
        canvas.line([(x, strip.y), (x, strip.y + HEIGHT)], FRAME, 1, 0.6)
    for obj in shown:
        column = beatmap.column(obj)
        x, colour = strip.x + column * width + 1.5, column_colour(column, keys)
        y = strip.at(obj.time)
        if isinstance(obj, Hold):
            end = strip.at(obj.end_time)
            canvas.box(x + 3, end, width - 9, y - end, fill=mix(colour, PANEL, 0.45), radius=3)
        if obj.time >= strip.start - 1:
            canvas.box(x, y - NOTE, width - 3, NOTE, fill=colour, radius=2.5)


def column_colour(column: int, keys: int) -> Rgb:
    """White and blue by turns from the outside in, the middle column gold."""
    if keys % 2 and column == keys // 2:
        return GOLD
    return PLAIN if min(column, keys - 1 - column) % 2 == 0 else BLUE


def _catch(canvas: Canvas, beatmap: Beatmap, shown: list[Numbered], strip: _Strip) -> None:
    scale = FIELD / 512.0

    def place(x: float, time: float) -> tuple[float, float]:
        return strip.x + min(max(x, 0.0), 512.0) * scale, strip.at(time)

    last: tuple[float, float] | None = None
    radius = max(54.4 - 4.48 * beatmap.circle_size, 8) * scale
    fruits: list[tuple[float, float, Rgb, float]] = []
    for item in shown:
        obj = item.obj
        if isinstance(obj, Spinner):
            _bananas(canvas, obj, strip)
            last = None
            continue
        way = [(obj.x, obj.time), *_stream(beatmap, obj)]
        if last is not None and obj.time > last[1]:
            speed = abs(obj.x - last[0]) / (obj.time - last[1])
            colour = HYPER if speed > HYPER_SPEED else PLAIN
            canvas.line([place(*last), place(*way[0])], colour, 1.4, 0.25 + 0.5 * min(speed, 1))
        canvas.line([place(*p) for p in way], item.colour, 3, 0.5)
        fruits += [(*p, item.colour, 0.35) for p in way[1:-1]] + [(*way[0], item.colour, 1.0)]
        if len(way) > 1:
            fruits.append((*way[-1], item.colour, 0.85))
        last = way[-1]
    for x, time, colour, size in fruits:
        if strip.start - 1 <= time < strip.end:
            canvas.disc(*place(x, time), radius * size, fill=colour, outline=WHITE if size > 0.5 else None)


def _stream(beatmap: Beatmap, obj: HitObject) -> list[tuple[float, float]]:
    """Droplets and fruits of a juice stream after its head, (x, time)."""
    if not isinstance(obj, Slider):
        return []
    span = beatmap.slider_span_duration(obj)
    pieces = max(1, min(64, round(obj.length / PX_BETWEEN_DROPLETS)))
    way = obj.path.at_distances(np.linspace(0, obj.length, pieces + 1))[:, 0]
    result: list[tuple[float, float]] = []
    for i in range(min(obj.slides, 32)):
        xs = way if i % 2 == 0 else way[::-1]
        result += [(float(x), obj.time + span * (i + (k + 1) / pieces)) for k, x in enumerate(xs[1:])]
    return result


def _bananas(canvas: Canvas, obj: Spinner, strip: _Strip) -> None:
    top, bottom = strip.at(obj.end_time), strip.at(obj.time)
    canvas.box(strip.x, top, strip.width, bottom - top, fill=GOLD, alpha=0.18)
    canvas.text(strip.x + strip.width / 2, (top + bottom) / 2, "bananas", 12, GOLD, "mm")
