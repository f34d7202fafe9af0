"""A map as the classifier sees it: the canvas on the beat grid, and where each object is.

Windows of whole beats are cut from a view, 32 beats each, so that every one starts on a beat and a place in the beat
is a place in the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import MANIA, Beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.events import Event, EventKind, beatmap_to_events
from mapperatorinator.mapper.grid.canvas import COLUMNS, KIND_CLASSES, Canvas
from mapperatorinator.mapper.grid.ticks import TICKS_PER_BEAT, TickGrid
from mapperatorinator.timing import Timing

WINDOW = 32  # beats
POINT, BODY, KEYS = 8, 5, 10  # numbers for a point of the cursor's path, a slider's body, the keys of mania
PLACES = POINT + BODY + 2 * KEYS + 1
_LONGEST_TICKS = 60_000
_SHORTEST_BEAT, _LONGEST_BEAT = 60.0, 6000.0  # ms
_STILL = 2.0  # px; shorter steps have no direction
# Every class of every column is a word; 0 says nothing. `kind` means something else in each mode.
_SIZES = (len(KIND_CLASSES) * COLUMNS["kind"], *(size for name, size in COLUMNS.items() if name != "kind"))
_FIRST_WORDS = 1 + np.concatenate(([0], np.cumsum(_SIZES)[:-1]))
WORDS = 1 + sum(_SIZES)

Floats = NDArray[np.float32]


class Windows(NamedTuple):
    """Stretches of maps: words (n, 384, 9), places (n, 384, PLACES), tempo (n, 32) as log(s per beat)."""

    words: NDArray[np.int64]
    places: Floats
    tempo: Floats

    @classmethod
    def empty(cls, count: int) -> Windows:
        """Windows in which nothing happens."""
        ticks = WINDOW * TICKS_PER_BEAT
        words = np.zeros((count, ticks, len(COLUMNS)), np.int64)
        return cls(words, np.zeros((count, ticks, PLACES), np.float32), np.zeros((count, WINDOW), np.float32))


@dataclass(frozen=True)
class View:
    """One map on its grid from the first to the last object.

    words : (ticks, 9) int16, one for each column of the canvas. rows, points : ticks on which something is placed,
    and what, (n, PLACES). tempo : (ticks / 12,) log of the seconds per beat. mode : 0..3. keys : of a mania map.
    """

    words: NDArray[np.int16]
    rows: NDArray[np.int32]
    points: NDArray[np.float16]
    tempo: Floats
    mode: int
    keys: int
    starts: NDArray[np.float64] | None = None  # ms of every beat

    @classmethod
    def of(cls, beatmap: Beatmap) -> View:
        """Look at a map; UserError where it has no objects or no music's timing."""
        if not beatmap.hit_objects or not beatmap.red_lines():
            raise UserError("The map has no objects or no timing, so there is nothing to recognise.")
        start = min(obj.time for obj in beatmap.hit_objects)
        end = max(beatmap.end_time(obj) for obj in beatmap.hit_objects)
        timing = Timing.from_beatmap(beatmap)
        lengths = [point.beat_length for point in timing.points]
        if min(lengths) < _SHORTEST_BEAT or end - start > _LONGEST_TICKS / TICKS_PER_BEAT * min(lengths):
            raise UserError("The map's timing is no music's (an absurd tempo or hours of beats).")
        grid = TickGrid.of(timing, start, end + 1)
        events = beatmap_to_events(beatmap)
        canvas = Canvas.of(events, beatmap.mode, grid)
        keys = beatmap.keys if beatmap.mode == MANIA else 0
        rows, points = _Tracer(grid, keys).trace(events)
        tempo = np.log(np.minimum(grid.beat_lengths[::TICKS_PER_BEAT], _LONGEST_BEAT) / 1000)
        starts = grid.times[::TICKS_PER_BEAT]
        return cls(_words(canvas), rows, points, tempo.astype(np.float32), beatmap.mode, keys, starts)

    def beat_at(self, time: float) -> int:
        """The beat in which a moment (ms) lies; UserError if the map is over by then."""
        assert self.starts is not None, "a view that was kept in a file does not know its times"
        beat = int(np.searchsorted(self.starts, time, side="right")) - 1
        if time > self.starts[-1] + 1000 * float(np.exp(self.tempo[-1])):
            raise UserError(f"The map is over before {time / 1000:g} s; choose an earlier moment.")
        return max(beat, 0)

    def cut(self, beat: int) -> Windows:
        """One window from a beat on (n = 1); what lies beyond the map says nothing."""
        first = beat * TICKS_PER_BEAT
        count = WINDOW * TICKS_PER_BEAT
        window = Windows.empty(1)
        there = self.words[first : first + count]
        window.words[0, : len(there)] = there
        inside = slice(*np.searchsorted(self.rows, (first, first + count)))
        window.places[0, self.rows[inside] - first] = self.points[inside]
        window.tempo[:] = np.resize(self.tempo[beat : beat + WINDOW], (1, WINDOW))
        return window

    def windows(self, stride: int = WINDOW) -> Windows:
        """Windows over the whole map, `stride` beats apart, the last one ending where the map does."""
        last = max(len(self.tempo) - WINDOW, 0)
        return stacked([self.cut(beat) for beat in [*range(0, last, stride), last]])


def stacked(parts: Sequence[Windows]) -> Windows:
    """Windows one after another."""
    return Windows(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _words(canvas: Canvas) -> NDArray[np.int16]:
    columns = np.stack([canvas.columns[name] for name in COLUMNS], axis=1).astype(np.int16)
    shift = _FIRST_WORDS.copy()
    shift[0] += canvas.mode * COLUMNS["kind"]
    return np.where(columns < 0, 0, columns + shift).astype(np.int16)


class _Tracer:
    """Follows the cursor, or the keys, and notes what it finds at each tick."""

    def __init__(self, grid: TickGrid, keys: int) -> None:
        self.grid = grid
        self.shift = (KEYS - keys) // 2  # the keys lie in the middle of the ten
        self.keys = keys
        self.found: dict[int, Floats] = {}
        self.at: NDArray[np.float64] = np.array([256.0, 192.0])
        self.heading: float | None = None
        self.body: tuple[int | None, NDArray[np.float64]] = (None, self.at)
        self.anchors: list[EventKind] = []

    def trace(self, events: Sequence[Event]) -> tuple[NDArray[np.int32], NDArray[np.float16]]:
        """Rows in order and what was found on each."""
        times = np.array([event.time for event in events], float)
        nearest = self.grid.nearest(times)
        on = self.grid.on_grid(times, nearest)
        for event, row, there in zip(events, nearest.tolist(), on.tolist(), strict=True):
            if self.keys:
                if there and event.kind in (EventKind.CIRCLE, EventKind.HOLD_NOTE):
                    self._press(row, event)
            elif event.kind in _ANCHORS:
                self.anchors.append(event.kind)
            elif event.kind in _POINTS and event.x is not None:
                self._arrive(row if there else None, event)
        rows = sorted(self.found)
        points = np.array([self.found[row] for row in rows], np.float16).reshape(len(rows), PLACES)
        return np.array(rows, np.int32), points

    def _row(self, row: int) -> Floats:
        return self.found.setdefault(row, np.zeros(PLACES, np.float32))

    def _press(self, row: int, event: Event) -> None:
        numbers = self._row(row)
        column = POINT + BODY + min(max((event.column or 0) + self.shift, 0), KEYS - 1)
        numbers[column] = 1
        numbers[column + KEYS] = event.kind is EventKind.HOLD_NOTE
        numbers[-1] = self.keys / KEYS

    def _arrive(self, row: int | None, event: Event) -> None:
        here = np.array([event.x or 0.0, event.y or 0.0])
        step = here - self.at
        distance = float(np.hypot(*step))
        turn = 0.0
        if distance > _STILL:
            heading = float(np.arctan2(step[1], step[0]))
            turn = heading - (heading if self.heading is None else self.heading)
            self.heading = heading
        moved = distance > _STILL
        if row is not None:
            self._row(row)[:POINT] = (
                *np.clip(here / 256 - (1, 0.75), -2, 2), *np.clip(step / 200, -4, 4), np.log1p(distance) / 3,
                np.cos(turn) * moved, np.sin(turn) * moved, 1,
            )  # fmt: skip
        if event.kind is EventKind.SLIDER_HEAD:
            self.body, self.anchors = (row, here), []
        elif event.kind is EventKind.SLIDER_END and self.body[0] is not None:
            kinds = self.anchors
            reach = float(np.hypot(*(here - self.body[1])))
            self._row(self.body[0])[POINT : POINT + BODY] = (
                np.log1p(len(kinds)), np.log1p(kinds.count(EventKind.RED_ANCHOR)), EventKind.PERFECT_ANCHOR in kinds,
                EventKind.BEZIER_ANCHOR in kinds, min(reach / 200, 4),
            )  # fmt: skip
        self.at = here


_ANCHORS = (
    EventKind.BEZIER_ANCHOR,
    EventKind.PERFECT_ANCHOR,
    EventKind.CATMULL_ANCHOR,
    EventKind.RED_ANCHOR,
)
_POINTS = (EventKind.CIRCLE, EventKind.SLIDER_HEAD, EventKind.SLIDER_END)
