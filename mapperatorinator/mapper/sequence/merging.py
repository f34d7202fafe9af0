"""A range of a generated map in place of the reference's, as the published program does it; for `legacy=true`.

The house's way is `finishing.merge`, which gives the reference back what holds behind the range; this does not.
"""

from __future__ import annotations

import math
from dataclasses import replace

from mapperatorinator.beatmap import Beatmap, TimingPoint
from mapperatorinator.beatmap.timing import KIAI
from mapperatorinator.mapper.sequence.lines import Lines

_SLACK = 1e-4  # beats, or ms per beat


def merge(reference: Beatmap, generated: Beatmap, start: float | None, end: float | None) -> Beatmap:
    """`reference` with the objects and lines of `generated` from `start` to `end` ms, both included."""
    first, last = -math.inf if start is None else start, math.inf if end is None else end

    def chosen(time: float, inside: bool) -> bool:
        return (first <= time <= last) == inside

    both = ((reference, False), (generated, True))
    objects = [obj for bm, inside in both for obj in bm.hit_objects if chosen(obj.time, inside)]
    points = [p for bm, inside in both for p in bm.timing_points if chosen(p.time, inside)]
    lines = Lines(replace(p, effects=KIAI * bool(p.effects)) for p in points)  # every effect counts as kiai
    if reference.timing_points and generated.timing_points:
        source = Lines(generated.timing_points)
        entered = source.at(first)
        length = -100.0 if entered.uninherited else entered.beat_length
        lines.change(entered.time, length, False, volume=entered.volume, effects=entered.effects & KIAI)
        _keep_beat(lines, source.red(first), first)
    objects.sort(key=lambda obj: obj.time)
    return replace(reference, hit_objects=objects, timing_points=lines.from_first_red())


def _keep_beat(lines: Lines, red: TimingPoint, start: float) -> None:
    """A red line in front of `start` where the beat there would else be another one."""
    now = lines.red(start)
    if now.time == red.time and now.beat_length == red.beat_length and now.meter == red.meter:
        return
    place, other = (((start - p.time) / p.beat_length + _SLACK) % p.meter for p in (red, now))
    if max(abs(place - other), abs(now.beat_length - red.beat_length)) > _SLACK or now.meter != red.meter:
        time = start - place * red.beat_length
        made = replace(lines.at(time), time=time, beat_length=red.beat_length, meter=red.meter, uninherited=True)
        lines.points = Lines([*lines.points, made]).points
