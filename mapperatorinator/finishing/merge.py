"""Joining maps: a range of a generated map takes the place of the same range of a reference.

Everything else of the reference stays as its author made it: objects and lines outside the range, storyboard,
colours, metadata, sample indexes. Where the range begins and ends, a line hands over from one map to the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mapperatorinator.beatmap import MANIA, Beatmap, HitObject, TimingPoint
from mapperatorinator.beatmap.timing import KIAI
from mapperatorinator.checks.compose import MIN_GAP_AFTER_SLIDER
from mapperatorinator.finishing.notes import Notes, notes_of

SAME_GRID_MS = 1.0
SAME_BEAT = 1e-6


def merge(
    reference: Beatmap, generated: Beatmap, start: float | None = None, end: float | None = None
) -> Beatmap:
    """Return `reference` with what `generated` has from `start` to `end` ms, both included (None: no bound).

    Generated objects that collide with objects kept at the edges of the range are left out. Red lines change only
    where the tempo, or the place of the beats, of the two maps differs.
    """
    first, last = -math.inf if start is None else start, math.inf if end is None else end
    generated = _with_multiplier(generated, reference.slider_multiplier)
    kept = [obj for obj in reference.hit_objects if not first <= obj.time <= last]
    new = list(_fitting(reference, kept, generated, first, last))
    objects = sorted([*kept, *new], key=lambda obj: obj.time)
    breaks = [pause for pause in reference.breaks if not first <= pause.start <= last]
    breaks += [pause for pause in generated.breaks if first <= pause.start <= last]
    free = [p for p in breaks if not any(p.start < obj.time < p.end for obj in objects)]
    lines = _merged_lines(reference, generated, kept, first, last)
    return replace(reference, hit_objects=objects, breaks=sorted(free), timing_points=lines)


def _with_multiplier(bm: Beatmap, multiplier: float) -> Beatmap:
    """The same map on another base velocity: every slider as long in px and ms as before."""
    if bm.slider_multiplier == multiplier or bm.mode == MANIA:
        return bm
    apart = notes_of(bm)
    ratio = bm.slider_multiplier / multiplier
    notes = [
        note if (speed := note.events[0].scroll_speed) is None else note.with_velocity(speed * ratio)
        for note in apart.notes
    ]
    return Notes(notes, apart.lines, replace(bm, slider_multiplier=multiplier)).beatmap()


def _fitting(
    reference: Beatmap, kept: Sequence[HitObject], generated: Beatmap, first: float, last: float
) -> Iterator[HitObject]:
    """The generated objects of the range that keep clear of the objects around it, per column in mania."""

    def lane(obj: HitObject) -> int:
        return reference.column(obj) if reference.mode == MANIA else 0

    busy_until: dict[int, float] = {}
    free_until: dict[int, float] = {}
    for obj in kept:
        if obj.time < first:
            until = reference.end_time(obj)
            busy_until[lane(obj)] = max(until, busy_until.get(lane(obj), until))
        else:
            free_until[lane(obj)] = min(obj.time, free_until.get(lane(obj), obj.time))
    for obj in generated.hit_objects:
        begins = busy_until.get(lane(obj), -math.inf) + MIN_GAP_AFTER_SLIDER
        ends = free_until.get(lane(obj), math.inf) - MIN_GAP_AFTER_SLIDER
        if first <= obj.time <= last and obj.time >= begins and generated.end_time(obj) <= ends:
            yield obj


def _merged_lines(
    reference: Beatmap, generated: Beatmap, kept: Sequence[HitObject], first: float, last: float
) -> list[TimingPoint]:
    outside = [line for line in reference.timing_points if not first <= line.time <= last]
    inside = [_with_index(line, reference) for line in _inside(reference, generated, first, last)]
    if not reference.timing_points or not generated.timing_points:
        return outside + inside
    lines = [line for line in outside if line.time < first] + inside
    if last < math.inf:
        lines += _handed_back(reference, lines, kept, last)
    lines += [line for line in outside if line.time > last]
    return sorted(lines, key=lambda line: (line.time, not line.uninherited))


def _inside(reference: Beatmap, generated: Beatmap, first: float, last: float) -> Iterator[TimingPoint]:
    """The lines of the range: the generated ones, on the reference's red lines if the beats agree."""
    lines = [line for line in generated.timing_points if first <= line.time <= last]
    if _same_beats(reference, generated, first, last):
        reds = [line for line in reference.timing_points if line.uninherited and first <= line.time <= last]
        yield from (_sounding_as(red, generated) for red in reds)
        lines = [line for line in lines if not line.uninherited]
    elif first > -math.inf:
        yield _next_beat(generated.timing.red_at(first), first)
    entered = generated.timing.point_at(first) if first > -math.inf else None
    before = reference.timing.point_at(first)
    if entered and not any(line.time == first for line in lines):
        handover = _with_index(green_line(entered, first), reference)
        if _state(handover) != _state(before):
            yield handover
    yield from lines


def _handed_back(
    reference: Beatmap, lines: Sequence[TimingPoint], kept: Sequence[HitObject], last: float
) -> Iterator[TimingPoint]:
    """What makes everything behind the range sound and move as it did."""
    red, now = (
        reference.timing.red_at(last),
        max((line for line in lines if line.uninherited), key=lambda line: line.time, default=None),
    )
    if now is not None and not _same_grid(red, now, last):
        yield _next_beat(red, last)
    then, state = (
        reference.timing.point_at(last),
        max(lines, key=lambda line: (line.time, not line.uninherited), default=None),
    )
    if then is None or _state(then) == _state(state):
        return
    following = [obj.time for obj in kept if obj.time > last]
    next_line = min((line.time for line in reference.timing_points if line.time > last), default=math.inf)
    time = min(following, default=math.inf)
    if reference.mode == MANIA or then.kiai != (state is not None and state.kiai):
        time = last + 1
    if time < next_line:
        yield green_line(then, time)


State = tuple[float, int, int, int, bool]


def _state(line: TimingPoint | None) -> State | None:
    if line is None:
        return None
    return round(line.scroll_speed, 6), line.volume, line.sample_set, line.sample_index, line.kiai


def green_line(line: TimingPoint, time: float) -> TimingPoint:
    """A green line at `time` that sets what `line` sets."""
    beat_length = -100.0 if line.uninherited else line.beat_length
    return replace(line, time=time, beat_length=beat_length, uninherited=False, effects=line.effects & KIAI)


def _with_index(line: TimingPoint, reference: Beatmap) -> TimingPoint:
    """The line with the sample index that the reference has there."""
    there = reference.timing.point_at(line.time)
    return line if there is None else replace(line, sample_index=there.sample_index)


def _sounding_as(red: TimingPoint, generated: Beatmap) -> TimingPoint:
    """A red line of the reference with volume, samples and kiai of the generated map."""
    line = generated.timing.point_at(red.time)
    if line is None:
        return red
    effects = red.effects & ~KIAI | line.effects & KIAI
    return replace(red, volume=line.volume, sample_set=line.sample_set, effects=effects)


def _same_beats(reference: Beatmap, generated: Beatmap, first: float, last: float) -> bool:
    """Whether both maps have their beats at the same times all over the range."""
    marks = {
        line.time for bm in (reference, generated) for line in bm.red_lines() if first <= line.time <= last
    }
    if first > -math.inf:
        marks.add(first)
    return all(_same_grid(reference.timing.red_at(t), generated.timing.red_at(t), t) for t in marks)


def _same_grid(a: TimingPoint, b: TimingPoint, time: float) -> bool:
    """Whether two red lines put beats and measures at the same times around `time`."""
    if a.meter != b.meter or abs(a.ms_per_beat - b.ms_per_beat) > SAME_BEAT * a.ms_per_beat:
        return False
    measure = a.ms_per_beat * max(a.meter, 1)
    apart = ((time - a.time) - (time - b.time)) % measure
    return min(apart, measure - apart) <= SAME_GRID_MS


def _next_beat(red: TimingPoint, time: float) -> TimingPoint:
    """The red line begun anew on its first beat at or after `time`."""
    beats = max(0, math.ceil((time - red.time) / red.ms_per_beat - 1e-6))
    return replace(red, time=red.time + beats * red.ms_per_beat)
