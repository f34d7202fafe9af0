"""Resnapping: starts, ends and turns that lie off the beat grid go to a tick.

What lies within 2 ms of a tick stays: the editor's own rounding is up to 1 ms. A slider is given a span that
puts every one of its edges on the grid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mapperatorinator.beatmap import Beatmap
from mapperatorinator.events import EventKind
from mapperatorinator.finishing.notes import SLIDER, SPINNER_KINDS, Note, Notes, notes_of
from mapperatorinator.finishing.ticks import FINENESS_MS, Ticks

LONGEST_SEARCH = 3  # spans tried to either side of the one that was meant


def snap(bm: Beatmap, finest: int | None = None) -> Beatmap:
    """Return `bm` with every edge on a tick; `finest` is the finest divisor allowed (None: all up to
    1/16)."""
    apart = notes_of(bm)
    if not apart.reds:
        return bm
    ticks = Ticks(apart.reds, finest)
    notes = list(apart.notes)
    for i in _unsnapped(notes, ticks):
        notes[i] = _snapped(notes[i], ticks)
    lines = [
        replace(event, time=ticks.nearest(event.time)) if ticks.off([event.time])[0] else event
        for event in apart.lines
    ]
    if notes == apart.notes and lines == apart.lines:
        return bm
    return Notes(sorted(notes, key=lambda note: note.start), lines, apart.base).beatmap()


def _unsnapped(notes: list[Note], ticks: Ticks) -> list[int]:
    """Positions of the notes that have an edge off the grid."""
    owners: list[int] = []
    times: list[float] = []
    for i, note in enumerate(notes):
        edges = note.edges(ticks.red(note.start))
        times += edges[:1] if note.kind in SPINNER_KINDS else edges
        owners += [i] * (len(times) - len(owners))
    return sorted({owner for owner, off in zip(owners, ticks.off(times), strict=True) if off})


def _snapped(note: Note, ticks: Ticks) -> Note:
    start = ticks.nearest(note.start) if ticks.off([note.start])[0] else note.start
    if note.end == note.start:
        return note if start == note.start else note.timed(start, start)
    if note.kind in (SLIDER, EventKind.DRUMROLL):
        return _snapped_slider(note, start, ticks)
    end = note.end
    if note.kind not in SPINNER_KINDS and ticks.off([end])[0]:
        end = ticks.nearest(end)
    if end <= start:
        return note.circle().timed(start, start)
    return note if (start, end) == (note.start, note.end) else note.timed(start, end)


def _snapped_slider(note: Note, start: int, ticks: Ticks) -> Note:
    for count, span in _spans(note, start, ticks):
        moved = note.timed(start, _cut(start + span * count), count)
        if ticks.holds(moved):
            return moved
    return note.circle().timed(start, start)


def _spans(note: Note, start: int, ticks: Ticks) -> Iterator[tuple[int, float]]:
    """(slides, span in ms) that might do, the likeliest first."""
    beat, slides = ticks.beat(start), note.slides
    wanted = (note.end - note.start) / slides
    costs: dict[float, float] = {}
    for divisor in ticks.divisors:
        middle = max(1, round(wanted / beat * divisor))
        for count in range(max(1, middle - LONGEST_SEARCH), middle + LONGEST_SEARCH + 1):
            span = count * beat / divisor
            costs.setdefault(span, abs(span - wanted) + FINENESS_MS * divisor)
    spans = sorted(costs, key=lambda span: costs[span])
    yield from ((slides, span) for span in spans)
    whole = ticks.nearest(start + wanted * slides) - start
    yield from ((1, float(span)) for span in (whole, *spans) if span > 0)


def _cut(time: float) -> int:
    return int(time + 1e-6)
