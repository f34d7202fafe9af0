"""Taiko: finishers where they can be hit, drumrolls that are rolls, a last bar line that is drawn."""

from __future__ import annotations

from dataclasses import replace

from mapperatorinator.beatmap import TAIKO, Beatmap
from mapperatorinator.checks import Level
from mapperatorinator.checks.samples import FINISH
from mapperatorinator.checks.view import MapView
from mapperatorinator.events import EventKind
from mapperatorinator.finishing.notes import Notes, notes_of
from mapperatorinator.finishing.rules import problems
from mapperatorinator.finishing.ticks import Ticks

SHORTEST_ROLL_BEATS = 1 / 4
ROUNDING_MS = 1.5


def tidy_taiko(bm: Beatmap, level: Level) -> Beatmap:
    """Return a taiko map that keeps the rules of `level`; other modes as they are."""
    if bm.mode != TAIKO:
        return bm
    return _playable_finishers(_last_barline(_long_rolls(bm), level), level)


def _long_rolls(bm: Beatmap) -> Beatmap:
    """Drumrolls shorter than a quarter beat become notes."""
    apart = notes_of(bm)
    ticks = Ticks(apart.reds)
    notes = [
        note.circle()
        if note.kind is EventKind.DRUMROLL
        and note.end - note.start < ticks.beat(note.start) * SHORTEST_ROLL_BEATS - ROUNDING_MS
        else note
        for note in apart.notes
    ]
    return bm if notes == apart.notes else Notes(notes, apart.lines, bm).beatmap()


def _last_barline(bm: Beatmap, level: Level) -> Beatmap:
    """A last note just before a bar line moves onto it, else the line would not be drawn."""
    if not _problems(bm, level, "taiko_last_barline"):
        return bm
    last = bm.hit_objects[-1]
    return replace(bm, hit_objects=[*bm.hit_objects[:-1], replace(last, time=last.time + 1)])


def _playable_finishers(bm: Beatmap, level: Level) -> Beatmap:
    """Finishers in patterns that are too fast for them become plain notes."""
    blamed = set(_problems(bm, level, "taiko_finisher"))
    objects = [
        replace(obj, sound=obj.sound & ~FINISH) if i in blamed else obj
        for i, obj in enumerate(bm.hit_objects)
    ]
    return replace(bm, hit_objects=objects) if blamed else bm


def _problems(bm: Beatmap, level: Level, rule: str) -> list[int]:
    """Positions of the objects that a check finds a problem with (objects in order of time)."""
    return [found.objects[0] for found in problems(MapView(bm, level), rule)]
