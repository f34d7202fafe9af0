"""Taiko maps as rows of a scrolling lane, about four seconds each."""

from __future__ import annotations

import math

from mapperatorinator.beatmap import Beatmap, HitObject, Slider, Spinner
from mapperatorinator.evaluation.patterns.lanes import FINISH, RIM
from mapperatorinator.evaluation.picture.canvas import FAINT, FRAME, PANEL, SNAP_COLOURS, Canvas, Rgb
from mapperatorinator.evaluation.picture.timeline import Moments, clock, draw_timeline

SECONDS = 4.0
WIDTH, LANE, STRIP, CAPTION, GAP = 1340, 62, 20, 15, 12
DON: Rgb = (235, 69, 44)
KAT: Rgb = (68, 141, 171)
ROLL: Rgb = (252, 184, 6)
SWELL: Rgb = (170, 120, 200)
WHITE: Rgb = (255, 255, 255)
SMALL, BIG = 13.0, 20.0


def size_of(pieces: int) -> tuple[float, float]:
    """Width and height of so many rows."""
    return WIDTH, pieces * (CAPTION + LANE + STRIP + GAP) - GAP


def draw(canvas: Canvas, beatmap: Beatmap, when: Moments, left: float, top: float) -> None:
    """Draw the stretch row by row."""
    for i, (start, end) in enumerate(when.cuts(SECONDS)):
        y = top + i * (CAPTION + LANE + STRIP + GAP)
        canvas.text(left, y, clock(start), 11, FAINT)
        y += CAPTION
        canvas.box(left, y, WIDTH, LANE, fill=PANEL, outline=FRAME)
        for time, snap, measure in when.lines(start, end):
            x = left + (time - start) / (end - start) * WIDTH
            strength = 0.9 if measure else 0.5 if snap == 1 else 0.25
            canvas.line([(x, y), (x, y + LANE)], SNAP_COLOURS[snap], 2 if measure else 1, strength)
        draw_timeline(canvas, when, (start, end), (left, y + LANE, WIDTH, STRIP))
        shown = [o for o in beatmap.hit_objects if o.time < end - 1 and beatmap.end_time(o) >= start - 1]
        for obj in reversed(shown):
            _note(canvas, beatmap, obj, (start, end), (left, y + LANE / 2))


def _note(canvas: Canvas, beatmap: Beatmap, obj: HitObject, span: tuple[float, float],
          origin: tuple[float, float]) -> None:  # fmt: skip
    start, end = span
    left, y = origin
    radius = BIG if obj.sound & FINISH else SMALL

    def at(time: float) -> float:
        return left + (min(max(time, start), end) - start) / (end - start) * WIDTH

    x = at(obj.time)
    if isinstance(obj, (Slider, Spinner)):
        colour = ROLL if isinstance(obj, Slider) else SWELL
        stop = at(beatmap.end_time(obj))
        canvas.box(x, y - radius, max(stop - x, 1), 2 * radius, fill=colour, alpha=0.8, radius=radius)
        if obj.time >= start - 1:
            canvas.disc(x, y, radius, fill=colour, outline=WHITE)
            _label(canvas, x, y, "roll" if isinstance(obj, Slider) else "den")
        return
    colour = KAT if obj.sound & RIM else DON
    canvas.disc(x, y, radius, fill=colour, outline=WHITE, line=2 if radius == SMALL else 2.6)


def _label(canvas: Canvas, x: float, y: float, words: str) -> None:
    canvas.text(x + math.ceil(BIG) + 4, y, words, 11, WHITE, "lm", 0.85)
