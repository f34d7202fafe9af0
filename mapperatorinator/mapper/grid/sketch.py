"""A first idea of a map that is still being drawn: the notes known so far of its beginning, with places."""

from __future__ import annotations

import numpy as np

from mapperatorinator.beatmap import MANIA, TAIKO
from mapperatorinator.events import Event
from mapperatorinator.mapper.grid.canvas import Canvas, Drum, Hit
from mapperatorinator.mapper.grid.columns import place_columns
from mapperatorinator.mapper.grid.draft import Conditions
from mapperatorinator.mapper.grid.objects import chords, drafts
from mapperatorinator.mapper.grid.points import place
from mapperatorinator.mapper.grid.spelling import Speller, spell_chords
from mapperatorinator.timing import Timing

LENGTH_MS = 15_000.0


def sketch(canvas: Canvas, conditions: Conditions, timing: Timing, start: float) -> list[Event]:
    """The objects that start in the `LENGTH_MS` from `start` (ms), all of them as notes without length."""
    grid, mode = canvas.grid, canvas.mode
    low, high = (int(row) for row in np.searchsorted(grid.times, (start, start + LENGTH_MS)))
    known = Canvas.empty(mode, grid)
    kinds, starts = canvas.columns["kind"], canvas.starts()
    if mode == MANIA:
        known.columns["kind"][starts] = kinds[starts]
    else:
        long = Drum.ROLL if mode == TAIKO else Hit.SLIDER
        known.columns["kind"][starts] = np.where(kinds[starts] < long, kinds[starts], 1)
    rng = np.random.default_rng(0)
    if mode == MANIA:
        found = chords(known, low, high, conditions.keys or 4)
        place_columns(found, conditions, rng)
        return list(spell_chords(found, Speller(timing, mode)))
    made = drafts(known, low, high, conditions.slider_multiplier or 1.4)
    if mode != TAIKO:
        place(made, conditions, rng)
    return list(Speller(timing, mode).spell(made))
