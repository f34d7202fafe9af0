"""Batches for the grid mapper: crops of maps with their sound, cells hidden at random, augmented."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mapperatorinator.mapper.grid.cells import Cells, cells_of, reference_of
from mapperatorinator.mapper.grid.conditions import descriptor_vector, number_vector
from mapperatorinator.mapper.grid.draft import Conditions
from mapperatorinator.mapper.grid.sound import normalise, tempo_features
from mapperatorinator.mapper.grid.ticks import TICKS_PER_BEAT, TICKS_PER_PATCH
from mapperatorinator.training.features import unpack
from mapperatorinator.training.grid_maps import NAMES, GridMap

PATCHES = 256
FRAMES = 2500
_MARGIN = 30  # frames of sound before the first and after the last tick of a crop
_MODE_SHARE = (0.52, 0.11, 0.09, 0.28)
_DEAF = 0.2  # share of crops without sound; they come from all maps, the others from maps with a song


@dataclass(frozen=True)
class Hiding:
    """How much of a crop is hidden; the shares of the four ways."""

    all: float = 0.45
    some: float = 0.27
    range: float = 0.12  # the rest shows every kind and hides attributes


class Sampler:
    """Draws training batches; the same seed draws the same batches."""

    def __init__(
        self, maps: Sequence[GridMap], mappers: int, mel_folder: Path, seed: int, augment: bool = True,
        remembered: int | None = None,
    ) -> None:  # fmt: skip
        """mappers : how many are told apart. remembered : the mapper who is never forgotten (charts)."""
        self.maps, self.mappers, self.augment = list(maps), mappers, augment
        self.remembered = remembered
        self.rng = np.random.default_rng(seed)
        self.mels: dict[str, NDArray[np.uint8]] = {}
        self.means: dict[str, NDArray[np.float32]] = {}
        self.load_songs(maps, mel_folder)
        siblings: dict[str, list[GridMap]] = defaultdict(list)
        for item in maps:
            siblings[item.row.set_key].append(item)
        self.siblings = siblings
        self.pools = {(mode, heard): self._pool(mode, heard) for mode in range(4) for heard in (False, True)}

    def load_songs(self, maps: Sequence[GridMap], folder: Path) -> None:
        """Read the cached frames of the maps' songs."""
        for audio in {m.audio for m in maps if m.audio} - self.mels.keys():
            self.mels[audio] = np.load(folder / f"{Path(audio).stem}.npy")
            self.means[audio] = unpack(self.mels[audio]).mean(0)

    def _pool(self, mode: int, heard: bool) -> tuple[list[GridMap], NDArray[np.float64]]:
        chosen = [m for m in self.maps if m.row.mode == mode and (m.audio or not heard)]
        if not chosen:
            return [], np.zeros(0)
        count: dict[str, int] = defaultdict(int)
        for item in chosen:
            count[item.row.song] += 1
        weights = np.array([1 / np.sqrt(count[m.row.song]) for m in chosen])
        return chosen, weights / weights.sum()

    def batch(self, size: int) -> dict[str, Tensor]:
        """Draw `size` crops; see `GridNet.forward` for the tensors, `target` (B, T, columns) has -1 where unasked."""
        crops = [self.crop() for _ in range(size)]
        return {key: torch.from_numpy(np.stack([crop[key] for crop in crops])) for key in crops[0]}

    def crop(self) -> dict[str, NDArray]:
        """Draw one crop."""
        heard = self.rng.random() >= _DEAF
        mode = int(self.rng.choice(4, p=_MODE_SHARE))
        pool, weights = self.pools[mode, heard]
        if not pool:
            return self.crop()
        item = pool[int(self.rng.choice(len(pool), p=weights))]
        return self.cut(item, heard)

    def cut(self, item: GridMap, heard: bool) -> dict[str, NDArray]:
        """Cut a random crop out of a map."""
        grid = item.canvas.grid
        speed = float(np.exp(self.rng.uniform(-0.12, 0.12))) if self.augment else 1.0
        beats = (item.last - item.first) // TICKS_PER_BEAT
        start = item.first + int(self.rng.integers(0, max(beats - 24, 1))) * TICKS_PER_BEAT
        stop = min(start + PATCHES * TICKS_PER_PATCH, len(grid), item.last + 48)
        seconds = (FRAMES - 2 * _MARGIN) / 100 * speed
        within = np.searchsorted(grid.times[start:stop], grid.times[start] + 1000 * seconds)
        rows = slice(start, start + max(int(within) // TICKS_PER_BEAT, 1) * TICKS_PER_BEAT)
        rows = slice(rows.start, min(rows.stop, stop // TICKS_PER_PATCH * TICKS_PER_PATCH))
        crop = self._sound(item, rows, speed, heard)
        crop.update(self._cells(item, rows))
        crop.update(self._conditions(item.conditions))
        return crop

    def whole(self, item: GridMap, rows: slice, heard: bool) -> dict[str, NDArray]:
        """Return a crop as it is, everything hidden, only stars and keys or circle size given (for measuring)."""
        crop = self._sound(item, rows, 1.0, heard, disturb=False)
        truth = cells_of(item.canvas, rows, PATCHES * TICKS_PER_PATCH)
        hidden = np.ones(truth.classes.shape, bool)
        crop["cells"] = truth.shown(hidden)
        crop["target"] = np.where(truth.applies, truth.classes, -1)
        crop["reference"] = np.zeros(len(hidden), np.int64)
        plain = Conditions(
            item.conditions.mode,
            item.conditions.stars,
            item.conditions.circle_size,
            item.conditions.keys,
            None,
        )
        crop.update(
            mode=np.array(plain.mode), mapper=np.array(self.mappers),
            descriptors=descriptor_vector(plain, NAMES), numbers=number_vector(plain),
        )  # fmt: skip
        return crop

    def _sound(
        self, item: GridMap, rows: slice, speed: float, heard: bool, disturb: bool = True
    ) -> dict[str, NDArray]:
        grid = item.canvas.grid
        times = grid.times[rows]
        ticks = PATCHES * TICKS_PER_PATCH
        origin = times[0] / 10 - _MARGIN * speed
        index = np.zeros(ticks, np.float32)
        index[: len(times)] = (times / 10 - origin) / speed
        mel = np.zeros((FRAMES, 64), np.float32)
        if heard and item.audio:
            mel = self._mel(item.audio, origin + np.arange(FRAMES) * speed, disturb and self.augment)
        patches = len(times) // TICKS_PER_PATCH
        phase = np.zeros(ticks, np.int64)
        phase[: len(times)] = grid.phase[rows]
        measure = np.zeros(PATCHES, np.int64)
        measure[:patches] = grid.measure[rows][::TICKS_PER_PATCH]
        tempo = np.zeros((PATCHES, 4), np.float32)
        end = item.song_end or float(grid.times[item.last - 1])
        tempo[:patches] = tempo_features(
            grid.beat_lengths[rows][::TICKS_PER_PATCH] / speed, times[::TICKS_PER_PATCH] / end
        )
        mask = np.arange(PATCHES) < patches
        return {
            "mel": mel, "index": index, "heard": np.array(heard and bool(item.audio), np.float32),
            "phase": phase, "measure": measure, "tempo": tempo, "mask": mask,
        }  # fmt: skip

    def _mel(self, audio: str, frames: NDArray[np.float64], disturb: bool) -> NDArray[np.float32]:
        song = self.mels[audio]
        low = np.floor(frames).astype(int)
        share = (frames - low)[:, None].astype(np.float32)
        inside = (low >= 0) & (low < len(song) - 1)
        low = np.clip(low, 0, len(song) - 2)
        mel = unpack(song[low]) * (1 - share) + unpack(song[low + 1]) * share
        mel[~inside] = -11.5
        mel = normalise(mel, self.means[audio])
        return self._disturb(mel) if disturb else mel

    def _disturb(self, mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Shift pitch by up to four bands, tilt the spectrum, add noise, hide bands and moments.

        There are few songs, and the network sees each of them hundreds of times.
        """
        rng = self.rng
        shift = int(rng.integers(-4, 5))
        if shift:
            mel = np.roll(mel, shift, axis=1)
            mel[:, : max(shift, 0)] = mel[:, [max(shift, 0)]]
            if shift < 0:
                mel[:, shift:] = mel[:, [shift - 1]]
        tilt = np.interp(np.linspace(0, 4, 64), np.arange(5), rng.normal(0, 0.35, 5))
        mel = mel * float(np.exp(rng.normal(0, 0.15))) + tilt.astype(np.float32)
        mel = mel + float(rng.uniform(0, 0.35)) * rng.standard_normal(mel.shape, np.float32)
        for _ in range(int(rng.integers(0, 3))):
            low = int(rng.integers(0, 56))
            mel[:, low : low + int(rng.integers(2, 14))] = 0
        for _ in range(int(rng.integers(0, 6))):
            low = int(rng.integers(0, FRAMES - 100))
            mel[low : low + int(rng.integers(5, 60))] = 0
        return mel.astype(np.float32)

    def _cells(self, item: GridMap, rows: slice) -> dict[str, NDArray]:
        ticks = PATCHES * TICKS_PER_PATCH
        truth = cells_of(item.canvas, rows, ticks)
        hidden = self._hidden(truth)
        valid = np.zeros(ticks, bool)
        valid[: rows.stop - rows.start] = item.canvas.grid.valid[rows]
        asked = hidden & truth.applies & valid[:, None]
        target = np.where(asked, truth.classes, -1)
        reference = np.zeros(ticks, np.int64)
        if self.rng.random() < 0.25:
            others = [m for m in self.siblings[item.row.set_key] if m is not item and m.audio == item.audio]
            if others:
                other = others[int(self.rng.integers(len(others)))]
                reference[: rows.stop - rows.start] = reference_of(other.canvas, item.canvas.grid.times[rows])
        return {"cells": truth.shown(hidden), "target": target.astype(np.int64), "reference": reference}

    def _hidden(self, truth: Cells) -> NDArray[np.bool_]:
        rng, (ticks, columns) = self.rng, truth.classes.shape
        way, hiding = rng.random(), Hiding()
        hidden = rng.random((ticks, columns)) < rng.random(columns)
        hidden[:, rng.random(columns) < 0.4] = True
        if way < hiding.all:
            hidden[:] = True
        elif way < hiding.all + hiding.some:
            hidden[:, 0] = np.repeat(rng.random(ticks // TICKS_PER_PATCH) < rng.random(), TICKS_PER_PATCH)
            if rng.random() < 0.5:
                hidden[:, 0] = rng.random(ticks) < rng.random()
        elif way < hiding.all + hiding.some + hiding.range:
            low, length = int(rng.integers(0, ticks)), int(rng.integers(48, ticks))
            hidden[:] = False
            hidden[low : low + length] = True
        else:
            hidden[:, 0] = False
        return hidden

    def _conditions(self, wanted: Conditions) -> dict[str, NDArray]:
        """Forget each condition now and then, so that the network can do without any of them."""
        rng = self.rng
        forget: dict[str, Any] = {name: None for name, share in _FORGET.items() if rng.random() < share}
        if wanted.mapper == self.remembered:
            forget["mapper"] = wanted.mapper
        known = replace(wanted, **forget)
        if rng.random() < 0.35:
            known = replace(known, descriptors=frozenset())
        elif rng.random() < 0.5:
            known = replace(known, descriptors=frozenset(d for d in known.descriptors if rng.random() < 0.6))
        mapper = self.mappers if known.mapper is None else known.mapper
        return {
            "mode": np.array(wanted.mode),
            "mapper": np.array(mapper),
            "descriptors": descriptor_vector(known, NAMES),
            "numbers": number_vector(known),
        }


_FORGET = {
    "stars": 0.1, "density": 0.7, "circle_size": 0.3, "keys": 0.02, "slider_multiplier": 0.3, "mapper": 0.5,
    "year": 0.4, "hitsounded": 0.3, "hold_ratio": 0.5, "scroll_ratio": 0.5,
}  # fmt: skip
