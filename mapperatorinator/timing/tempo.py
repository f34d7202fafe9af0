"""Round tempos: music is mostly made at whole BPM, so a fitted tempo is rounded where its error allows."""

from __future__ import annotations

import math

# Divisors of the grid of values, and what choosing from it costs in nats: whole, half, third, tenth, hundredth BPM.
GRIDS = ((1, 0.0), (2, 2.0), (3, 4.0), (10, 4.5), (100, 7.0))
UNROUNDED = 9.0
FLOOR = 1.5e-5  # relative error that no fit to a recording is trusted to beat


def round_bpm(bpm: float, error: float, floor: float = FLOOR) -> float:
    """The likeliest value behind a fitted tempo: `error` is its standard error in BPM, at least floor * bpm."""
    scale = math.hypot(error, floor * bpm)
    best, cost = bpm, UNROUNDED
    for divisor, price in GRIDS:
        value = round(bpm * divisor) / divisor
        total = price + 0.5 * ((bpm - value) / scale) ** 2
        if total < cost - 1e-9:
            best, cost = value, total
    return best
