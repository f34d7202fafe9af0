"""How surprising a given map is to the grid mapper: some ticks hidden at a time, past and future in sight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.mapper import Surprisal
from mapperatorinator.mapper.grid.canvas import KIND_CLASSES, VOLUME_STEP, Canvas, Drum, Hit, velocity_of
from mapperatorinator.mapper.grid.cells import KIND_OFFSETS, NAMES, Cells, applicable
from mapperatorinator.mapper.grid.draft import Conditions
from mapperatorinator.mapper.grid.network import SLICES, GridModel, Heard

_GROUPS = 8  # every eighth half-beat is hidden at a time: neighbours stay in sight
_TICKS_TOGETHER = 6
_BANKS = ("normal", "soft", "drum")


def surprisals(model: GridModel, heard: Heard, canvas: Canvas, conditions: Conditions) -> list[Surprisal]:
    """Return a `Surprisal` for every kind (also of ticks where nothing starts) and every attribute of the canvas.

    Ticks without an object appear only where the model expected one more than not.
    """
    classes = np.stack([canvas.columns[name] for name in NAMES], axis=1).astype(np.int64)
    kinds = classes[:, 0].copy()
    applies = applicable(canvas.mode, kinds) & (classes >= 0)
    classes = np.maximum(classes, 0)
    classes[:, 0] += KIND_OFFSETS[canvas.mode]
    group = (np.arange(len(kinds)) // _TICKS_TOGETHER) % _GROUPS
    logits = np.empty((len(kinds), SLICES[-1].stop), np.float32)
    for number in range(_GROUPS):
        hidden = np.repeat((group == number)[:, None], len(NAMES), axis=1)
        shown = Cells(classes, applies).shown(hidden)
        logits[group == number] = model.predict(heard, shown, conditions)[group == number]
    found: list[Surprisal] = []
    for column, name in enumerate(NAMES):
        found += _column(heard, canvas, name, logits[:, _classes(canvas.mode, column)], applies[:, column])
    return sorted(found, key=lambda s: s.time)


def _classes(mode: int, column: int) -> slice:
    if column:
        return SLICES[column]
    low = int(KIND_OFFSETS[mode])
    return slice(low, low + KIND_CLASSES[mode])


def _column(
    heard: Heard, canvas: Canvas, name: str, logits: NDArray[np.float32], cells: NDArray[np.bool_]
) -> list[Surprisal]:
    scores = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    said = np.maximum(canvas.columns[name].astype(int), 0)
    expected = scores.argmax(1)
    if name == "kind":
        cells = cells & ((said > 0) | (expected > 0))
    rows = np.flatnonzero(cells & heard.grid.valid)
    return [
        Surprisal(
            float(heard.grid.times[row]), name, float(-scores[row, said[row]] / np.log(2)),
            class_name(canvas.mode, name, int(said[row])), class_name(canvas.mode, name, int(expected[row])),
            float(np.exp(scores[row, expected[row]])),
        )
        for row in rows
    ]  # fmt: skip


def class_name(mode: int, column: str, value: int) -> str:
    """Return a class of a column in the mapper's words."""
    if column == "kind":
        if mode == 3:
            return f"{value} notes" if value != 1 else "1 note"
        return (Drum if mode == 1 else Hit)(value).name.lower().replace("_", " ")
    if column == "volume":
        return f"{value * VOLUME_STEP} %"
    if column == "velocity":
        return f"{velocity_of(value):g}x"
    if column == "bank":
        return f"{_BANKS[value % 3]}, additions {_BANKS[value // 3]}"
    if column == "sound":
        parts = [word for bit, word in enumerate(("whistle", "finish", "clap")) if value >> bit & 1]
        return " + ".join(parts) or "no addition"
    return str(bool(value)).lower() if column in ("combo", "kiai") else str(value)
