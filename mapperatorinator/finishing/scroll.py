"""Mania scroll speed: notes of one map fall equally fast through changes of tempo, in easy maps always."""

from __future__ import annotations

from mapperatorinator.beatmap import MANIA, Beatmap
from mapperatorinator.checks import Level
from mapperatorinator.events import Event, EventKind
from mapperatorinator.finishing.notes import Notes, notes_of


def even_scroll(bm: Beatmap, level: Level) -> Beatmap:
    """Return a mania map without changes of the visible scroll speed if `level` is Easy or Normal.

    A harder map keeps the changes that it has; where it only changes tempo, lines even that out.
    """
    if bm.mode != MANIA or not bm.timing_points:
        return bm
    apart = notes_of(bm)
    changes = [event for event in apart.lines if event.kind is EventKind.SCROLL_SPEED_CHANGE]
    meant = any(not line.uninherited and line.velocity != 1.0 for line in bm.timing_points)
    first = min(line.time for line in bm.timing_points)
    steady = [Event(EventKind.SCROLL_SPEED_CHANGE, int(first), 1, scroll_speed=1.0)]
    if (meant and level > Level.NORMAL) or changes == steady:
        return bm
    rest = [event for event in apart.lines if event.kind is not EventKind.SCROLL_SPEED_CHANGE]
    return Notes(apart.notes, [*steady, *rest], bm).beatmap()
