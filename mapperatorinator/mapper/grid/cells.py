"""Canvas columns as the network's cells: what applies where, what is shown, what is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.mapper.grid.canvas import COLUMNS, KIND_CLASSES, UNKNOWN, Canvas, Drum, Hit

NAMES = list(COLUMNS)
# Classes of each column as the network counts them: kinds are numbered through over the four modes.
CLASS_COUNTS = np.array([sum(KIND_CLASSES), *list(COLUMNS.values())[1:]])
KIND_OFFSETS = np.concatenate([[0], np.cumsum(KIND_CLASSES)[:-1]])
_SOUNDING = (
    np.isin(np.arange(len(Hit)), (Hit.CIRCLE, Hit.SLIDER, Hit.REPEAT, Hit.END, Hit.SPUN)),
    np.arange(len(Drum)) > 0,
    np.isin(np.arange(len(Hit)), (Hit.CIRCLE, Hit.SLIDER, Hit.REPEAT, Hit.END, Hit.SPUN)),
)
_KIND, _HOLDS, _RELEASES, _COMBO, _SOUND, _BANK, _VOLUME, _VELOCITY, _KIAI = range(len(NAMES))


@dataclass
class Cells:
    """(T, columns) classes and whether each cell applies (says anything) given the kinds."""

    classes: NDArray[np.int64]
    applies: NDArray[np.bool_]

    def shown(self, hidden: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return what the network sees: classes, "hidden" (one past the last class) or "does not apply" (two past).

        A hidden kind hides all attributes of its tick but kiai, which would betray it.
        """
        hidden = hidden.copy()
        hidden[:, _HOLDS:_KIAI] |= hidden[:, [_KIND]]
        shown = np.where(self.applies, np.maximum(self.classes, 0), CLASS_COUNTS + 1)
        return np.where(hidden, CLASS_COUNTS, shown)


def applicable(mode: int, kinds: NDArray) -> NDArray[np.bool_]:
    """Say which attributes a tick has given what happens on it. kinds : (T,). Returns (T, columns) bool."""
    applies = np.zeros((len(kinds), len(NAMES)), bool)
    applies[:, [_KIND, _KIAI]] = True
    if mode == 3:
        notes = kinds > 0
        applies[:, _RELEASES] = True
        for column in (_HOLDS, _SOUND, _BANK, _VOLUME, _VELOCITY):
            applies[:, column] = notes
        return applies
    sounding = _SOUNDING[mode][kinds]
    for column in (_SOUND, _BANK, _VOLUME):
        applies[:, column] = sounding
    if mode == 1:
        hits = (Drum.DON, Drum.KAT, Drum.BIG_DON, Drum.BIG_KAT, Drum.ROLL, Drum.BIG_ROLL, Drum.DENDEN)
        applies[:, _VELOCITY] = np.isin(kinds, hits)
    else:
        applies[:, _COMBO] = np.isin(kinds, (Hit.CIRCLE, Hit.SLIDER))
        applies[:, _VELOCITY] = kinds == Hit.SLIDER
    return applies


def cells_of(canvas: Canvas, rows: slice, ticks: int) -> Cells:
    """Read rows of a canvas, padded to `ticks`; attributes the map does not state are left unasked."""
    count = rows.stop - rows.start
    classes = np.zeros((ticks, len(NAMES)), np.int64)
    for column, name in enumerate(NAMES):
        classes[:count, column] = canvas.columns[name][rows]
    if canvas.mode == 3:
        classes[:count, _RELEASES] = np.maximum(classes[:count, _RELEASES], 0)
    applies = np.zeros((ticks, len(NAMES)), bool)
    applies[:count] = applicable(canvas.mode, classes[:count, _KIND])
    applies &= classes != UNKNOWN
    classes[:, _KIND] += KIND_OFFSETS[canvas.mode]
    return Cells(classes, applies)


def reference_of(other: Canvas, times: NDArray[np.float64]) -> NDArray[np.int64]:
    """Another difficulty as seen from these times (ms): 1 nothing, 2 a start, 3 held; mania: 2 for any note."""
    rows = other.grid.nearest(times)
    on = other.grid.on_grid(times, rows)
    kinds = other.columns["kind"][rows]
    starts = other.starts()[rows]
    held = (kinds > 0) & ~starts
    seen = np.where(starts, 2, np.where(held, 3, 1))
    return np.where(on, seen, 1)
