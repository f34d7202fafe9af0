"""Room between objects: nothing concurrent, nothing closer than the game can tell apart.

Of two objects at one moment the longer stays. A long object that reaches into the next one is cut back to a
tick before it: a slider loses spans, then length, and becomes a circle when nothing is left. In mania this
holds within a column, in the other modes for the whole map.
"""

from __future__ import annotations

from dataclasses import replace

from mapperatorinator.beatmap import MANIA, Beatmap
from mapperatorinator.checks.compose import MIN_COLUMN_GAP, MIN_GAP, MIN_GAP_AFTER_SLIDER
from mapperatorinator.events import EventKind
from mapperatorinator.finishing.notes import SLIDER, Note, Notes, notes_of
from mapperatorinator.finishing.ticks import Ticks

SHORTEST_BEATS, SHORTEST_MS = 1 / 8, 45.0  # a slider, drumroll or hold that would become shorter is a circle
CUT_DIVISORS = (4, 6, 8, 12, 16)  # a cut object ends on the coarsest of these that leaves enough of it
LEAST_LEFT = 0.5  # share of what fits that a coarse tick must leave
ROUNDING_MS = 2.0  # ends are fractions, cut off; starts are whole


def separate(bm: Beatmap, song_end: float | None = None) -> Beatmap:
    """Return `bm` with room between all objects and none outside the song (0 to `song_end` ms)."""
    apart = notes_of(bm)
    if not apart.reds:
        return bm
    ticks = Ticks(apart.reds)
    inside = [
        note for note in apart.notes if note.start >= 0 and (song_end is None or note.start <= song_end)
    ]
    if song_end is not None:
        inside = [_ending_by(note, song_end, ticks) if note.end > song_end else note for note in inside]
    lanes: dict[int, list[Note]] = {}
    for note in sorted(inside, key=lambda note: (note.start, -note.end)):
        _append(lanes.setdefault(note.column if bm.mode == MANIA else 0, []), note, ticks, bm.mode)
    notes = sorted((note for lane in lanes.values() for note in lane), key=lambda n: (n.start, n.column))
    return bm if _same(notes, apart.notes) else Notes(notes, apart.lines, apart.base).beatmap()


def _same(notes: list[Note], before: list[Note]) -> bool:
    return len(notes) == len(before) and set(notes) == set(before)


def _append(lane: list[Note], note: Note, ticks: Ticks, mode: int) -> None:
    """Put `note` at the end of `lane`; what stands in its way is shortened, or one of the two goes."""
    if lane:
        before = lane[-1]
        if note.start - before.start < (MIN_COLUMN_GAP if mode == MANIA else MIN_GAP):
            lane[-1] = _merged(before, note)
            return
        room = note.start - _gap(before, mode)
        if before.end > room:
            lane[-1] = _ending_by(before, room, ticks)
    lane.append(note)


def _gap(note: Note, mode: int) -> float:
    if mode == MANIA:
        return MIN_COLUMN_GAP
    return (MIN_GAP if note.end == note.start else MIN_GAP_AFTER_SLIDER) + ROUNDING_MS


def _merged(first: Note, second: Note) -> Note:
    """The longer of two objects at one moment, with the combo of either."""
    longer = second if second.end - second.start > first.end - first.start else first
    if not (first.events[0].new_combo or second.events[0].new_combo):
        return longer
    return Note((replace(longer.events[0], new_combo=True), *longer.events[1:]))


def _ending_by(note: Note, limit: float, ticks: Ticks) -> Note:
    """Return the note, or what is left of it that ends on a tick at or before `limit` ms."""
    least = note.start + max(ticks.beat(note.start) * SHORTEST_BEATS - 1, SHORTEST_MS)
    if note.kind is SLIDER and note.slides > 1:
        span = note.span(ticks.red(note.start))
        spans = int((limit - note.start) / span)
        if spans >= 1 and note.start + span >= least:
            return note.timed(note.start, int(note.start + spans * span + 1e-6), spans)
    ends = [end for divisor in CUT_DIVISORS if (end := ticks.before(limit, divisor)) >= least]
    # The coarsest tick that leaves enough of the note, else the one that leaves most.
    generous = [end for end in ends if end - note.start >= (limit - note.start) * LEAST_LEFT]
    for end in (*generous, *sorted(ends, reverse=True)):
        shorter = note.timed(note.start, end, 1)
        if ticks.holds(shorter):
            return shorter
    return note if note.kind is EventKind.CIRCLE else note.circle()
