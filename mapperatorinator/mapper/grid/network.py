"""The rhythm network at run time: hears a song in windows and fills hidden cells of the canvas.

Windows of 256 patches (64 beats) overlap by an eighth on each side; what the middle says is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mapperatorinator import weights
from mapperatorinator.mapper.grid.cells import CLASS_COUNTS
from mapperatorinator.mapper.grid.conditions import descriptor_vector, number_vector
from mapperatorinator.mapper.grid.draft import Conditions
from mapperatorinator.mapper.grid.sound import normalise, tempo_features
from mapperatorinator.mapper.grid.ticks import TICKS_PER_PATCH, TickGrid
from mapperatorinator.weights.adapter import Adapter

Floats = NDArray[np.float32]
WINDOW = 256 * TICKS_PER_PATCH
_STEP = 192 * TICKS_PER_PATCH
_FRAME_MS = 10.0
_MARGIN = 30  # frames heard before the first and after the last tick of a window
_AT_ONCE = 4  # windows in one call: bounds the memory
_QUIET = -11.5  # log-mel of digital silence
SLICES = [
    slice(int(end - count), int(end))
    for end, count in zip(np.cumsum(CLASS_COUNTS), CLASS_COUNTS, strict=True)
]


@dataclass(frozen=True, eq=False)
class Heard:
    """What the network made of a song's sound: per window its rows and features. The same for every difficulty."""

    grid: TickGrid
    starts: tuple[int, ...]
    ticks: Floats  # (windows, WINDOW, tick features)
    patches: Floats  # (windows, WINDOW / 3, width)
    masks: NDArray[np.bool_]  # (windows, WINDOW / 3)

    def kept(self) -> Iterator[tuple[int, slice, slice]]:
        """Yield per window its number, the rows of the song it answers for, and the same rows in the window."""
        for number, start in enumerate(self.starts):
            low = 0 if number == 0 else start + (WINDOW - _STEP) // 2
            last = number == len(self.starts) - 1
            high = len(self.grid) if last else self.starts[number + 1] + (WINDOW - _STEP) // 2
            yield number, slice(low, high), slice(low - start, high - start)


class GridModel:
    """The embedded rhythm network, changed by an adapter or not, and what its card says."""

    def __init__(self, adapter: Adapter | None = None) -> None:
        card = weights.card("grid")
        self.mappers: list[str] = card["mappers"]
        self.descriptors: list[str] = card["descriptors"]
        self._sound = weights.session("grid", "sound", adapter)
        self._canvas = weights.session("grid", "canvas", adapter)

    def hear(self, mel: Floats | None, grid: TickGrid, song_ms: float) -> Heard:
        """Listen to a song at the ticks of its grid.

        mel : (n_frames, 64) log-mel, 10 ms apart, or None to stay deaf. song_ms : the song's length.
        """
        starts = window_starts(len(grid))
        means = np.zeros(64, np.float32) if mel is None else mel.mean(0)
        ticks, patches, masks = [], [], []
        for low in range(0, len(starts), _AT_ONCE):
            inputs = _stack(
                [_window(mel, means, grid, start, song_ms) for start in starts[low : low + _AT_ONCE]]
            )
            tick, patch = self._sound.run(None, inputs)
            ticks.append(tick)
            patches.append(patch)
            masks.append(inputs["mask"])
        return Heard(grid, starts, np.concatenate(ticks), np.concatenate(patches), np.concatenate(masks))

    def predict(
        self,
        heard: Heard,
        cells: NDArray[np.int64],
        conditions: Conditions,
        reference: NDArray[np.int64] | None = None,
    ) -> Floats:
        """Return the logits of all columns' classes for every tick, (n, sum of classes).

        cells : (n, columns) as `Cells.shown` makes them. reference : (n,) another difficulty, see `reference_of`.
        """
        count = len(heard.grid)
        padded = np.zeros((heard.starts[-1] + WINDOW, cells.shape[1]), np.int64)
        padded[:count] = cells
        other = np.zeros(len(padded), np.int64)
        if reference is not None:
            other[:count] = reference
        result = np.empty((count, int(CLASS_COUNTS.sum())), np.float32)
        kept = list(heard.kept())
        for low in range(0, len(kept), _AT_ONCE):
            some = slice(low, low + _AT_ONCE)
            starts = heard.starts[some]
            inputs = {
                "ticks": heard.ticks[some], "patches": heard.patches[some], "mask": heard.masks[some],
                "cells": np.stack([padded[s : s + WINDOW] for s in starts]),
                "reference": np.stack([other[s : s + WINDOW] for s in starts]),
                **self._asked(conditions, len(starts)),
            }  # fmt: skip
            logits = self._canvas.run(None, inputs)[0]
            for number, rows, inside in kept[some]:
                result[rows] = logits[number - low, inside]
        return result

    def _asked(self, conditions: Conditions, count: int) -> dict[str, NDArray]:
        mapper = len(self.mappers) if conditions.mapper is None else conditions.mapper
        return {
            "mode": np.full(count, conditions.mode, np.int64),
            "mapper": np.full(count, mapper, np.int64),
            "descriptors": np.tile(descriptor_vector(conditions, self.descriptors), (count, 1)),
            "numbers": np.tile(number_vector(conditions), (count, 1)),
        }


@lru_cache(maxsize=2)
def grid_model(adapter: Adapter | None) -> GridModel:
    """The embedded rhythm network, loaded once for each adapter."""
    return GridModel(adapter)


def window_starts(count: int) -> tuple[int, ...]:
    """First rows of the windows that cover `count` ticks; the last window may reach beyond them."""
    if count <= WINDOW:
        return (0,)
    return (
        *range(0, count - WINDOW, _STEP),
        (count - WINDOW + TICKS_PER_PATCH - 1) // TICKS_PER_PATCH * TICKS_PER_PATCH,
    )


def _window(
    mel: Floats | None, means: Floats, grid: TickGrid, start: int, song_ms: float
) -> dict[str, NDArray]:
    rows = slice(start, min(start + WINDOW, len(grid)))
    times = grid.times[rows]
    count, patches = len(times), len(times) // TICKS_PER_PATCH
    origin = int(np.floor(times[0] / _FRAME_MS)) - _MARGIN
    frames = int(np.ceil(times[-1] / _FRAME_MS)) + _MARGIN - origin
    window: dict[str, NDArray] = {
        "mel": np.zeros((frames, 64), np.float32),
        "index": np.zeros(WINDOW, np.float32),
        "heard": np.array(mel is not None, np.float32),
        "phase": np.zeros(WINDOW, np.int64),
        "measure": np.zeros(WINDOW // TICKS_PER_PATCH, np.int64),
        "tempo": np.zeros((WINDOW // TICKS_PER_PATCH, 4), np.float32),
        "mask": np.arange(WINDOW // TICKS_PER_PATCH) < patches,
    }
    if mel is not None:
        window["mel"] = normalise(_cut(mel, origin, frames), means)
    window["index"][:count] = times / _FRAME_MS - origin
    window["phase"][:count] = grid.phase[rows]
    window["measure"][:patches] = grid.measure[rows][::TICKS_PER_PATCH]
    window["tempo"][:patches] = tempo_features(
        grid.beat_lengths[rows][::TICKS_PER_PATCH], times[::TICKS_PER_PATCH] / max(song_ms, 1.0)
    )
    return window


def _cut(mel: Floats, origin: int, frames: int) -> Floats:
    """Frames from `origin` on, silence where the song has none."""
    cut = np.full((frames, mel.shape[1]), _QUIET, np.float32)
    low, high = max(origin, 0), min(origin + frames, len(mel))
    if high > low:
        cut[low - origin : high - origin] = mel[low:high]
    return cut


def _stack(windows: list[dict[str, NDArray]]) -> dict[str, NDArray]:
    frames = max(len(window["mel"]) for window in windows)
    for window in windows:
        window["mel"] = np.pad(window["mel"], ((0, frames - len(window["mel"])), (0, 0)))
    return {key: np.stack([window[key] for window in windows]) for key in windows[0]}
