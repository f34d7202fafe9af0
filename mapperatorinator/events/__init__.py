"""The intermediate representation: beatmap to events and events to beatmap."""

from __future__ import annotations

from mapperatorinator.events.decode import events_to_beatmap
from mapperatorinator.events.encode import beat_events, beatmap_to_events, in_time_order
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
    "beat_events",
    "beatmap_to_events",
    "column_of",
    "column_x",
    "events_to_beatmap",
    "in_time_order",
    "snap_divisor",
]
