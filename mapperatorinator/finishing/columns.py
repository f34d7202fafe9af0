"""Mania columns: no two notes on one spot, no hold too short to be one, no column without notes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from mapperatorinator.beatmap import MANIA, Beatmap
from mapperatorinator.checks.compose import MIN_COLUMN_GAP
from mapperatorinator.events import EventKind
from mapperatorinator.finishing.notes import Note, Notes, notes_of
from mapperatorinator.finishing.ticks import Ticks

SHORTEST_HOLD_MS = 40.0
SHORTEST_HOLD_BEATS = 1 / 12  # ranking criteria
EMPTY_SHARE = 0.2  # an empty column is given this share of an even distribution
ROUNDING_MS = 1.5


class _Lanes:
    """What is taken: in each column the (start, end) in ms of its notes, in order of time."""

    def __init__(self, keys: int, notes: Iterable[Note] = ()) -> None:
        self.starts: list[list[int]] = [[] for _ in range(keys)]
        self.ends: list[list[int]] = [[] for _ in range(keys)]
        for note in notes:
            self.add(note)

    def add(self, note: Note) -> None:
        at = bisect_right(self.starts[note.column], note.start)
        self.starts[note.column].insert(at, note.start)
        self.ends[note.column].insert(at, note.end)

    def remove(self, note: Note) -> None:
        at = bisect_left(self.starts[note.column], note.start)
        del self.starts[note.column][at], self.ends[note.column][at]

    def free(self, column: int, start: int, end: int) -> bool:
        """Whether a note from `start` to `end` fits into `column`, with room on both sides."""
        starts = self.starts[column]
        after = bisect_right(starts, start)
        clear = after == len(starts) or starts[after] - end >= MIN_COLUMN_GAP
        return clear and (after == 0 or start - self.ends[column][after - 1] >= MIN_COLUMN_GAP)


def arrange_columns(bm: Beatmap) -> Beatmap:
    """Return a mania map whose notes do not share a spot, whose holds can be held and whose columns are used.

    A note on another one's spot moves to the nearest free column. Other modes are returned as they are.
    """
    if bm.mode != MANIA:
        return bm
    apart = notes_of(bm)
    ticks = Ticks(apart.reds) if apart.reds else None
    notes = [_long_enough(note, ticks) if ticks else note for note in apart.notes]
    notes = _filled(_spread(notes, bm.keys), bm.keys)
    return bm if notes == apart.notes else Notes(notes, apart.lines, apart.base).beatmap()


def _long_enough(note: Note, ticks: Ticks) -> Note:
    least = max(SHORTEST_HOLD_MS, ticks.beat(note.start) * SHORTEST_HOLD_BEATS - ROUNDING_MS)
    return note.circle() if note.kind is EventKind.HOLD_NOTE and note.end - note.start < least else note


def _spread(notes: list[Note], keys: int) -> list[Note]:
    """Move notes that start on the spot of another to the nearest column that is free there."""
    taken: set[tuple[int, int]] = set()
    lanes = _Lanes(keys, notes)
    result = []
    for note in notes:
        if (note.start, note.column) in taken:
            by_distance = sorted(range(keys), key=lambda c: (abs(c - note.column), c))
            place = next((c for c in by_distance if lanes.free(c, note.start, note.end)), None)
            if place is None:
                continue
            lanes.remove(note)
            note = note.with_column(place)
            lanes.add(note)
        taken.add((note.start, note.column))
        result.append(note)
    return result


def _filled(notes: list[Note], keys: int) -> list[Note]:
    """Give every column that has no note some of its fuller neighbour's."""
    if len(notes) < keys:
        return notes
    lanes = _Lanes(keys, notes)
    result = list(notes)
    for column in range(keys):
        if lanes.starts[column]:
            continue
        wanted = max(1, round(len(notes) / keys * EMPTY_SHARE))
        donor = max(range(keys), key=lambda c: (len(lanes.starts[c]) / (1 + abs(c - column)), -c))
        donated = [i for i, note in enumerate(result) if note.column == donor]
        for i in donated[:: max(1, len(donated) // wanted)][:wanted]:
            if len(lanes.starts[donor]) > 1 and lanes.free(column, result[i].start, result[i].end):
                lanes.remove(result[i])
                result[i] = result[i].with_column(column)
                lanes.add(result[i])
    return result
