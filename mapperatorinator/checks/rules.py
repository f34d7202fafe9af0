"""Every module that holds checks; importing this one fills the registry."""

from __future__ import annotations

from . import (
    catch,
    colours,
    compose,
    events,
    hitsounds,
    lines,
    mania,
    markers,
    metadata,
    osu,
    score,
    set_hitsounds,
    sets,
    settings,
    shapes,
    song,
    spread,
    taiko,
    taiko_lines,
    taiko_sets,
    timing,
)

__all__ = [
    "catch", "colours", "compose", "events", "hitsounds", "lines", "mania", "markers", "metadata", "osu",
    "score", "set_hitsounds", "sets", "settings", "shapes", "song", "spread", "taiko", "taiko_lines",
    "taiko_sets", "timing",
]  # fmt: skip
