"""The events that every mapper speaks: one `Event` is one group of the published vocabulary.

A beatmap is a list of events. Circles, spinner starts and ends, slider heads, anchors, first span ends and
slider ends, hold and drumroll and denden starts and ends, kiai switches, scroll changes and beats are all
events with a time, and whatever attributes their kind has. Times are whole milliseconds and positions are
exact osu! pixels; a tokenizer may round them, this representation does not.

| kind | carries |
|---|---|
| CIRCLE | x, y (osu!, catch) or column (mania), new_combo, scroll_speed (taiko), 1 hitsound |
| SLIDER_HEAD | x, y, new_combo, scroll_speed, 1 hitsound (first edge) |
| BEZIER_, PERFECT_, CATMULL_, RED_ANCHOR | x, y; the time only orders them, snap is None |
| LAST_ANCHOR | time of the first span's end, x, y of the last control point, sounds: body, inner edges |
| SLIDER_END | time, x, y of the end of the path at its length, 1 hitsound (last edge) |
| SPINNER, SPINNER_END | the end carries the hitsound |
| HOLD_NOTE, HOLD_NOTE_END | column; the start carries the hitsound |
| DRUMROLL, DRUMROLL_END, DENDEN, DENDEN_END | the start carries scroll_speed and hitsound |
| KIAI | value 1 on, 0 off |
| SCROLL_SPEED_CHANGE | scroll_speed (mania: relative to the map's usual tempo) |
| BEAT, MEASURE, TIMING_POINT | the time |
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

SNAP_TOLERANCE_MS = 2.0
MAX_SNAP_DIVISOR = 16
FIELD_WIDTH = 512.0
FIELD_HEIGHT = 384.0


class EventKind(str, Enum):
    """What an event is; the value is its name in the published vocabularies."""

    CIRCLE = "circle"
    SPINNER = "spinner"
    SPINNER_END = "spinner_end"
    SLIDER_HEAD = "slider_head"
    BEZIER_ANCHOR = "bezier_anchor"
    PERFECT_ANCHOR = "perfect_anchor"
    CATMULL_ANCHOR = "catmull_anchor"
    RED_ANCHOR = "red_anchor"
    LAST_ANCHOR = "last_anchor"
    SLIDER_END = "slider_end"
    BEAT = "beat"
    MEASURE = "measure"
    TIMING_POINT = "timing_point"
    KIAI = "kiai"
    HOLD_NOTE = "hold_note"
    HOLD_NOTE_END = "hold_note_end"
    DRUMROLL = "drumroll"
    DRUMROLL_END = "drumroll_end"
    DENDEN = "denden"
    DENDEN_END = "denden_end"
    SCROLL_SPEED_CHANGE = "scroll_speed_change"


ANCHOR_KINDS = frozenset(
    {EventKind.BEZIER_ANCHOR, EventKind.PERFECT_ANCHOR, EventKind.CATMULL_ANCHOR, EventKind.RED_ANCHOR}
)
BEAT_KINDS = frozenset({EventKind.BEAT, EventKind.MEASURE, EventKind.TIMING_POINT})


class Hitsound(NamedTuple):
    """What sounds at one moment of an object.

    `sound` holds the bits 2 whistle, 4 finish, 8 clap; the sets are 1 normal, 2 soft, 3 drum (never 0: they
    are resolved); `volume` is 0 to 100 percent.
    """

    sound: int = 0
    normal_set: int = 2
    addition_set: int = 2
    volume: int = 100

    @property
    def packed(self) -> int:
        """Sound and sets as one number 0..71 (volume apart)."""
        return (self.sound & 14) // 2 + 8 * (self.normal_set - 1) + 24 * (self.addition_set - 1)

    @classmethod
    def from_packed(cls, value: int, volume: int = 100) -> Hitsound:
        """Undo `packed`; `value` is 0..72 and wraps as the published tokenizers do."""
        return cls((value % 8) * 2, value // 8 % 3 + 1, value // 24 % 3 + 1, volume)


@dataclass(frozen=True, slots=True)
class Event:
    """One event; which fields matter is the table of this module.

    `time` is ms from the start of the audio, `snap` the beat divisor 1..16 it lies on (0: unsnapped, None: an
    anchor or a beat, which have none), `x` and `y` osu! pixels, `column` 0-based, `scroll_speed` the slider
    velocity or scroll multiplier (1 is the base speed). `distance` is what a published model said of the px from the
    event before; it tells the position diffusion more than coarse positions do, and nobody else asks for it.
    """

    kind: EventKind
    time: int
    snap: int | None = None
    x: float | None = None
    y: float | None = None
    column: int | None = None
    new_combo: bool = False
    scroll_speed: float | None = None
    hitsounds: tuple[Hitsound, ...] = ()
    value: int = 0
    distance: float | None = None


def snap_divisor(time: float, offset: float, beat_length: float) -> int:
    """Return the smallest divisor 1..16 whose tick lies within 2 ms of `time`, or 0 (all in ms)."""
    beats = (time - offset) / beat_length
    for divisor in range(1, MAX_SNAP_DIVISOR + 1):
        if abs(beats - round(beats * divisor) / divisor) * beat_length < SNAP_TOLERANCE_MS:
            return divisor
    return 0


def column_of(x: float, keys: int) -> int:
    """Return the mania column 0..keys-1 of a position `x` in 0..512 px."""
    return min(max(int(x / FIELD_WIDTH * keys), 0), keys - 1)


def column_x(column: int, keys: int) -> int:
    """Return the x in px at which files put notes of a mania column."""
    return int((column + 0.5) * FIELD_WIDTH / keys)
