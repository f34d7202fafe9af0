"""Round tempos: music is mostly made at whole BPM, so a fitted tempo is rounded where its error allows."""

from __future__ import annotations

import math

# Divisors of the grid of values, and what choosing from it costs in nats: whole, half, third, tenth BPM.
GRIDS = ((1, 0.0), (2, 2.0), (3, 5.0), (10, 6.0))
UNROUNDED = 9.0
# Soft and hard passages of a recording pull a fitted grid about: its ends may be WANDER ms off without blame, and
# its standard error is really this many times as large (seen in songs of whole tempo).
WANDER, DISTRUST = 2.0, 3.0


def round_bpm(bpm: float, error: float, duration: float | None = None) -> float:
    """The likeliest value behind a fitted tempo.

    error: its standard error in BPM; duration: ms of the recording that was heard (None: exact beats were given).
    """
    scale = math.hypot(DISTRUST * error, WANDER / duration * bpm) if duration else max(error, 1e-6 * bpm)
    best, cost = bpm, UNROUNDED
    for divisor, price in GRIDS:
        value = round(bpm * divisor) / divisor
        total = price + 0.5 * ((bpm - value) / scale) ** 2
        if total < cost - 1e-9:
            best, cost = value, total
    return best
