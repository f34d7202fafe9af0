"""The intermediate representation: beatmap to events and events to beatmap."""

from __future__ import annotations

from mapperatorinator.events.event import (
    ANCHOR_KINDS,
    BEAT_KINDS,
    Event,
    EventKind,
    Hitsound,
    column_of,
    column_x,
    snap_divisor,
)

__all__ = [
    "ANCHOR_KINDS",
    "BEAT_KINDS",
    "Event",
    "EventKind",
    "Hitsound",
    "column_of",
    "column_x",
    "snap_divisor",
]
