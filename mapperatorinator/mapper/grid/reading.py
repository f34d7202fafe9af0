"""Reading a finished beatmap back into drafts and chords: what training, scoring and remapping start from."""

from __future__ import annotations

from collections import defaultdict

from mapperatorinator.beatmap import Beatmap, HitObject, Hold, Slider, Spinner
from mapperatorinator.timing import Timing

from .draft import Chord, Draft, DraftKind
from .ticks import TICKS_PER_BEAT


def read_drafts(beatmap: Beatmap) -> list[Draft]:
    """The objects of an osu! or catch map as placed drafts, in order of time; hitsounds are left out."""
    timing = Timing.from_beatmap(beatmap)
    return [_draft(beatmap, timing, obj) for obj in beatmap.hit_objects if not isinstance(obj, Hold)]


def _draft(beatmap: Beatmap, timing: Timing, obj: HitObject) -> Draft:
    draft = Draft(
        tick=tick_at(timing, obj.time),
        time=obj.time,
        kind=DraftKind.CIRCLE,
        end_time=beatmap.end_time(obj),
        beat=timing.point_at(obj.time).beat_length,
        new_combo=obj.new_combo,
        points=[(obj.x, obj.y)],
    )
    if isinstance(obj, Slider):
        draft.kind, draft.slides, draft.length = DraftKind.SLIDER, obj.slides, obj.length
        draft.velocity = beatmap.velocity_at(obj.time)
        draft.points = [(p.x, p.y) for p in obj.path.points]
        draft.curve = obj.path.points[0].type or "L"
    elif isinstance(obj, Spinner):
        draft.kind = DraftKind.SPINNER
    return draft


def read_chords(beatmap: Beatmap) -> list[Chord]:
    """The notes of a mania map as placed chords, in order of time; hitsounds are left out."""
    timing = Timing.from_beatmap(beatmap)
    starts: dict[float, set[int]] = defaultdict(set)
    holds: dict[float, set[int]] = defaultdict(set)
    releases: dict[float, set[int]] = defaultdict(set)
    for obj in beatmap.hit_objects:
        column = beatmap.column(obj)
        starts[obj.time].add(column)
        if isinstance(obj, Hold) and obj.end_time > obj.time:
            holds[obj.time].add(column)
            releases[obj.end_time].add(column)
    chords = []
    for time in sorted(starts.keys() | releases.keys()):
        columns = tuple(sorted(starts[time]))
        held, released = tuple(sorted(holds[time])), tuple(sorted(releases[time]))
        chord = Chord(
            tick_at(timing, time), time, timing.point_at(time).beat_length, len(columns), len(held), len(released)
        )
        chord.columns, chord.hold_columns, chord.release_columns = columns, held, released
        chords.append(chord)
    return chords


def tick_at(timing: Timing, time: float) -> int:
    """The nearest tick of the beat grid to a time in ms, counted from the first red line."""
    return round(float(timing.beat_at(time)) * TICKS_PER_BEAT)
