"""Breaks: where nothing is to be hit for a while, the player may rest."""

from __future__ import annotations

import math
from dataclasses import replace

from mapperatorinator.beatmap import Beatmap, Break
from mapperatorinator.checks.events import BREAK_AFTER_OBJECT, MIN_BREAK
from mapperatorinator.checks.view import MapView

LEAST_GAP_MS = 5000.0


def set_breaks(bm: Beatmap) -> Beatmap:
    """Return `bm` with a break in every gap of five seconds or more, and no other breaks.

    A break begins 200 ms after an object ends and ends when the next one appears (osu! wiki, Beatmap editor).
    """
    view = MapView(bm)
    breaks = []
    for i in range(1, len(view.objects)):
        end, start = view.latest_end(i - 1), view.starts[i]
        pause = Break(float(math.ceil(end + BREAK_AFTER_OBJECT)), float(math.floor(start - view.preempt)))
        if start - end >= LEAST_GAP_MS and pause.end - pause.start >= MIN_BREAK:
            breaks.append(pause)
    return replace(bm, breaks=breaks)
