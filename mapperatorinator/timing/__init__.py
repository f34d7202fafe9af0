"""Timing: from samples to red lines (beat tracker, grid fit) and the beat grid they define."""

from __future__ import annotations

from mapperatorinator.timing.find import find_timing
from mapperatorinator.timing.grid import Section, Timing, red_line

__all__ = ["Section", "Timing", "find_timing", "red_line"]
