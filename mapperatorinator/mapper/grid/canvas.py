"""The canvas: what a map says on every tick of the beat grid, one column per attribute.

`Canvas.of` paints events onto the grid; `drafts` reads objects back off it. Positions and mania columns are not on
the canvas: they belong to objects and are drawn by the placing networks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.events import Event, EventKind
from mapperatorinator.mapper.grid.ticks import TickGrid

UNKNOWN = -1  # a cell that says nothing: attributes where nothing happens


class Hit(IntEnum):
    """What a tick holds in osu! and catch."""

    NONE = 0
    CIRCLE = 1
    SLIDER = 2
    BODY = 3
    REPEAT = 4
    END = 5
    SPINNER = 6
    SPINNING = 7
    SPUN = 8


class Drum(IntEnum):
    """What a tick holds in taiko."""

    NONE = 0
    DON = 1
    KAT = 2
    BIG_DON = 3
    BIG_KAT = 4
    ROLL = 5
    BIG_ROLL = 6
    ROLLING = 7
    ROLLED = 8
    DENDEN = 9
    DENDENNING = 10
    DENDENNED = 11


MAX_NOTES = 10  # notes of a mania chord told apart
# Volume in steps of 5 %; velocity in bins evenly spaced in its logarithm, 0.25 to 4 (a bin is 6 %).
VOLUME_STEP = 5
VELOCITY_BINS = 48
_VELOCITY_LOW, _VELOCITY_HIGH = 0.25, 4.0
# Attribute columns in the network's order, with their number of classes. `kind` comes first and depends on the mode.
KIND_CLASSES = (len(Hit), len(Drum), len(Hit), MAX_NOTES + 1)
COLUMNS = {
    "kind": max(KIND_CLASSES),
    "holds": MAX_NOTES + 1,
    "releases": MAX_NOTES + 1,
    "combo": 2,
    "sound": 8,
    "bank": 9,
    "volume": 100 // VOLUME_STEP + 1,
    "velocity": VELOCITY_BINS,
    "kiai": 2,
}
STARTS = (
    np.isin(np.arange(len(Hit)), (Hit.CIRCLE, Hit.SLIDER, Hit.SPINNER)),
    np.isin(
        np.arange(len(Drum)),
        (Drum.DON, Drum.KAT, Drum.BIG_DON, Drum.BIG_KAT, Drum.ROLL, Drum.BIG_ROLL, Drum.DENDEN),
    ),
    np.isin(np.arange(len(Hit)), (Hit.CIRCLE, Hit.SLIDER, Hit.SPINNER)),
    np.arange(MAX_NOTES + 1) > 0,
)


def velocity_bin(velocity: float) -> int:
    """Return the class of a slider velocity or scroll multiplier, clipped to 0.25..4."""
    place = np.log(np.clip(velocity, _VELOCITY_LOW, _VELOCITY_HIGH) / _VELOCITY_LOW)
    return int(round(place / np.log(_VELOCITY_HIGH / _VELOCITY_LOW) * (VELOCITY_BINS - 1)))


def velocity_of(bin_index: int) -> float:
    """Return the roundest multiplier that falls into a bin: mappers like 1, 1.5, 0.75, 1.2, 0.95, in this order."""
    value = _VELOCITY_LOW * (_VELOCITY_HIGH / _VELOCITY_LOW) ** (bin_index / (VELOCITY_BINS - 1))
    for step in (0.5, 0.25, 0.1, 0.05):
        near = round(round(value / step) * step, 2)
        if near >= _VELOCITY_LOW and velocity_bin(near) == bin_index:
            return near
    return round(value, 2)


@dataclass
class Canvas:
    """A map on the grid: ``columns[name]`` is (n,) int8, `UNKNOWN` where an attribute does not apply."""

    mode: int
    grid: TickGrid
    columns: dict[str, NDArray[np.int8]]

    @classmethod
    def empty(cls, mode: int, grid: TickGrid) -> Canvas:
        """An empty canvas: nothing happens anywhere, kiai is off."""
        columns = {name: np.full(len(grid), UNKNOWN, np.int8) for name in COLUMNS}
        columns["kind"][:] = 0
        columns["kiai"][:] = 0
        return cls(mode, grid, columns)

    @classmethod
    def of(cls, events: Iterable[Event], mode: int, grid: TickGrid) -> Canvas:
        """Paint a map's events; objects off the grid (eighths, sixteenths) are left out."""
        canvas = cls.empty(mode, grid)
        _Painter(canvas).paint(events)
        return canvas

    def starts(self) -> NDArray[np.bool_]:
        """(n,) bool: ticks on which an object (mania: at least one note) starts."""
        return STARTS[self.mode][self.columns["kind"]]


class _Painter:
    """Walks over events in time order and fills the cells of a canvas."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.grid = canvas.grid
        self.open: tuple[int, Event] | None = (
            None  # row and event of a slider, spinner or drumroll not yet ended
        )
        self.span_end: Event | None = None
        self.scroll = 1.0

    def paint(self, events: Iterable[Event]) -> None:
        """Fill the canvas; several objects on one row leave the first (mania: are counted)."""
        events = list(events)
        times = np.array([event.time for event in events], float)
        rows = self.grid.nearest(times)
        on = self.grid.on_grid(times, rows)
        for event, row, on_grid in zip(events, rows, on, strict=True):
            handler = _HANDLERS.get(event.kind)
            if handler is not None:
                handler(self, event, int(row), bool(on_grid))

    def _set(self, row: int, **cells: int) -> None:
        for name, value in cells.items():
            self.canvas.columns[name][row] = value

    def _sounds(self, row: int, event: Event, index: int = 0) -> None:
        if index < len(event.hitsounds):
            sound = event.hitsounds[index]
            bank = (sound.normal_set - 1) + 3 * (sound.addition_set - 1)
            self._set(row, sound=(sound.sound & 14) // 2, bank=bank, volume=round(sound.volume / VOLUME_STEP))

    def _free(self, row: int, on_grid: bool) -> bool:
        return on_grid and self.canvas.columns["kind"][row] == 0

    def circle(self, event: Event, row: int, on_grid: bool) -> None:
        if self.canvas.mode == 3:
            if on_grid:
                self._note(event, row)
            return
        if not self._free(row, on_grid):
            return
        if self.canvas.mode == 1:
            sound = event.hitsounds[0].sound if event.hitsounds else 0
            kat, big = bool(sound & 10), bool(sound & 4)
            self._set(row, kind=Drum.DON + kat + 2 * big, velocity=velocity_bin(event.scroll_speed or 1.0))
        else:
            self._set(row, kind=Hit.CIRCLE, combo=event.new_combo)
        self._sounds(row, event)

    def _note(self, event: Event, row: int) -> None:
        notes = max(int(self.canvas.columns["kind"][row]), 0)
        self._set(row, kind=min(notes + 1, MAX_NOTES), velocity=velocity_bin(self.scroll))
        if notes == 0:
            self._set(row, holds=0)
            self._sounds(row, event)

    def hold(self, event: Event, row: int, on_grid: bool) -> None:
        if on_grid:
            self._note(event, row)
            self._set(row, holds=min(self.canvas.columns["holds"][row] + 1, MAX_NOTES))

    def hold_end(self, event: Event, row: int, on_grid: bool) -> None:
        count = max(int(self.canvas.columns["releases"][row]), 0)
        self._set(row, releases=min(count + 1, MAX_NOTES))

    def long_start(self, event: Event, row: int, on_grid: bool) -> None:
        """A slider, spinner, drumroll or denden begins."""
        self.open = (row, event) if self._free(row, on_grid) else None
        self.span_end = None

    def span(self, event: Event, row: int, on_grid: bool) -> None:
        self.span_end = event

    def long_end(self, event: Event, row: int, on_grid: bool) -> None:
        if self.open is None:
            return
        start, head = self.open
        self.open = None
        first, inside, last = _LONG[head.kind]
        big = head.kind is EventKind.DRUMROLL and bool(head.hitsounds and head.hitsounds[0].sound & 4)
        row = max(row, start + 1)
        if row >= len(self.grid) or self.canvas.columns["kind"][start + 1 : row + 1].any():
            return
        self._set(start, kind=first + big)
        self.canvas.columns["kind"][start + 1 : row] = inside
        self._set(row, kind=last)
        if head.kind is EventKind.SLIDER_HEAD:
            self._set(start, combo=head.new_combo)
            self._repeats(start, row, head, event)
        elif head.kind is EventKind.SPINNER:
            self._set(start, combo=1)
        if head.kind is not EventKind.SPINNER:
            self._set(start, velocity=velocity_bin(head.scroll_speed or 1.0))
        self._sounds(start, head)
        self._sounds(row, event)

    def _repeats(self, start: int, end: int, head: Event, event: Event) -> None:
        if self.span_end is None or self.span_end.time <= head.time:
            return
        span = self.span_end.time - head.time
        slides = max(round((event.time - head.time) / span), 1)
        for number in range(1, slides):
            row = int(self.grid.nearest(head.time + (event.time - head.time) * number / slides))
            if start < row < end:
                self._set(row, kind=Hit.REPEAT)
                self._sounds(row, self.span_end, number)

    def kiai(self, event: Event, row: int, on_grid: bool) -> None:
        self.canvas.columns["kiai"][row:] = event.value

    def scroll_change(self, event: Event, row: int, on_grid: bool) -> None:
        self.scroll = event.scroll_speed or 1.0


_LONG = {
    EventKind.SLIDER_HEAD: (Hit.SLIDER, Hit.BODY, Hit.END),
    EventKind.SPINNER: (Hit.SPINNER, Hit.SPINNING, Hit.SPUN),
    EventKind.DRUMROLL: (Drum.ROLL, Drum.ROLLING, Drum.ROLLED),
    EventKind.DENDEN: (Drum.DENDEN, Drum.DENDENNING, Drum.DENDENNED),
}
_HANDLERS = {
    EventKind.CIRCLE: _Painter.circle,
    EventKind.HOLD_NOTE: _Painter.hold,
    EventKind.HOLD_NOTE_END: _Painter.hold_end,
    EventKind.SLIDER_HEAD: _Painter.long_start,
    EventKind.SPINNER: _Painter.long_start,
    EventKind.DRUMROLL: _Painter.long_start,
    EventKind.DENDEN: _Painter.long_start,
    EventKind.LAST_ANCHOR: _Painter.span,
    EventKind.SLIDER_END: _Painter.long_end,
    EventKind.SPINNER_END: _Painter.long_end,
    EventKind.DRUMROLL_END: _Painter.long_end,
    EventKind.DENDEN_END: _Painter.long_end,
    EventKind.KIAI: _Painter.kiai,
    EventKind.SCROLL_SPEED_CHANGE: _Painter.scroll_change,
}
