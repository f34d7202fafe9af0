"""The embedded networks as fine-tuning sees them: loaded back into torch, with batches and figures of own maps.

Each learns with the batches and the loss that it was trained with. Mappers stay unknown: an adapter is one style.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from mapperatorinator import weights
from mapperatorinator.mapper.grid.canvas import STARTS
from mapperatorinator.mapper.grid.cells import KIND_OFFSETS, cells_of
from mapperatorinator.mapper.grid.lanes import FINGERS
from mapperatorinator.mapper.grid.reading import read_chords
from mapperatorinator.mapper.grid.shapes import Alphabet
from mapperatorinator.mapper.grid.ticks import TICKS_PER_BEAT, TICKS_PER_PATCH
from mapperatorinator.training import columns, points
from mapperatorinator.training.adapter_maps import OwnMap
from mapperatorinator.training.causal_net import Sizes
from mapperatorinator.training.columns_data import read_map
from mapperatorinator.training.columns_net import ColumnsNet
from mapperatorinator.training.columns_net import Step as ColumnsStep
from mapperatorinator.training.grid import column_slices, kind_mask, losses, usable
from mapperatorinator.training.grid_data import PATCHES, Sampler
from mapperatorinator.training.grid_maps import GridMap, conditions_of, grid_map
from mapperatorinator.training.grid_net import GridNet, GridSizes, SoundNet
from mapperatorinator.training.points_data import read_placed
from mapperatorinator.training.points_net import PointsNet
from mapperatorinator.training.points_net import Step as PointsStep

_BATCH = 4
_JUDGED_MS = 24_000  # of a song at once
_HEARING = ("mel", "index", "heard", "phase", "measure", "tempo", "mask")
_MINOR = 0.05  # there are many attributes, and volumes alone would outweigh the rhythm
_HIDDEN = (1.0, 0.5)  # shares of cells that are hidden when held-out maps are judged
_MOST_JUDGED = 32  # crops, about: a look at the held-out maps must stay short

Figures = dict[str, float]
Shelf = Callable[[str], weights.Tensors]  # where tensors come from: `weights.tensors`, or an adapter's `merge`


class Network(ABC):
    """One embedded network on somebody's maps.

    name : of the embedded model. net : what is trained. prefix : of `net`'s parameters in the model's tensors.
    modes : what it is for. ready : whether there are maps that it can learn from.
    minor : figures that count little, as in the trainer's loss.
    """

    name: str
    prefix: str
    modes: tuple[int, ...]
    minor: frozenset[str] = frozenset()
    net: nn.Module
    ready: bool

    @abstractmethod
    def loss(self) -> Tensor:
        """The mean loss of a new batch."""

    @abstractmethod
    def bits(self) -> Figures:
        """How surprising the held-out maps are, in bits; empty without such maps."""

    def worth(self, figures: Figures) -> float:
        """One number of the figures: the less, the better."""
        return sum(value * (_MINOR if name in self.minor else 1.0) for name, value in figures.items())


class _Listener(Sampler):
    """Crops at fixed places of maps; what the network hears there is kept, as its hearing stays as it is."""

    def __init__(self, sound: SoundNet, maps: Sequence[GridMap], mappers: int, scratch: Path, seed: int) -> None:
        super().__init__(maps, mappers, scratch, seed, augment=False)
        self.sound = sound.eval().requires_grad_(False)
        self.places = {id(item): list(_stretches(item)) for item in maps}
        self.kept: dict[tuple[int, int], dict[str, NDArray]] = {}

    def cut(self, item: GridMap, heard: bool) -> dict[str, NDArray]:
        """One of the map's crops with other cells hidden each time; deaf only where the song is missing."""
        places = self.places[id(item)]
        rows = places[int(self.rng.integers(len(places)))]
        return {**self.hear(item, rows), **self._cells(item, rows), **self._conditions(item.conditions)}

    def hear(self, item: GridMap, rows: slice) -> dict[str, NDArray]:
        """What `CanvasNet` is told of the sound."""
        key = id(item), rows.start
        if key not in self.kept:
            crop = self._sound(item, rows, 1.0, bool(item.audio), disturb=False)
            with torch.no_grad():
                ticks, patches = self.sound(*(torch.from_numpy(crop[name][None]) for name in _HEARING))
            self.kept[key] = {"ticks": ticks[0].numpy(), "patches": patches[0].numpy(), "mask": crop["mask"]}
        return self.kept[key]

    def hidden(self, item: GridMap, rows: slice, share: float) -> dict[str, NDArray]:
        """A crop of which that share of the cells is hidden, always the same ones."""
        crop = self.whole(item, rows, False)
        truth = cells_of(item.canvas, rows, PATCHES * TICKS_PER_PATCH)
        hidden = np.random.default_rng(rows.start).random(truth.classes.shape) < share
        target = np.where(hidden, crop["target"], -1)
        return {**crop, **self.hear(item, rows), "cells": truth.shown(hidden), "target": target}


class Rhythm(Network):
    """What starts when, for how long, and how it sounds. Bits per note: "rhythm" and "attributes"."""

    name, prefix, modes, minor = "grid", "canvas.", (0, 1, 2, 3), frozenset({"attributes"})

    def __init__(
        self, shelf: Shelf, maps: Sequence[OwnMap], held: Sequence[OwnMap], scratch: Path, seed: int
    ) -> None:
        card = weights.card(self.name)
        whole = GridNet(GridSizes(**card["sizes"]))
        _fill(whole, shelf(self.name))
        self.net = whole.canvas
        known, self._held = _on_grid(maps), _on_grid(held)
        self.ready = bool(known)
        self._listener = _Listener(whole.sound, known, len(card["mappers"]), scratch, seed)
        self._listener.load_songs(self._held, scratch)

    def loss(self) -> Tensor:
        """The trainer's loss of a few crops."""
        batch = self._listener.batch(_BATCH)
        return losses(self._draw(batch), batch["target"], batch["mode"])[0]

    def _draw(self, batch: dict[str, Tensor]) -> Tensor:
        names = ("ticks", "patches", "cells", "reference", "mode", "mapper", "descriptors", "numbers", "mask")
        return self.net(*(batch[name] for name in names))

    @torch.no_grad()
    def bits(self) -> Figures:
        """Bits per note with everything hidden and with half of it, averaged; stars and mode are told."""
        if not self._held:
            return {}
        self.net.eval()
        asked = [(item, rows, share) for item in self._held for rows in _stretches(item) for share in _HIDDEN]
        asked = asked[:: max(len(asked) // _MOST_JUDGED, 1)]
        rhythm = attributes = notes = 0.0
        for low in range(0, len(asked), _BATCH):
            some = [self._listener.hidden(*one) for one in asked[low : low + _BATCH]]
            batch = {key: torch.from_numpy(np.stack([crop[key] for crop in some])) for key in some[0]}
            nats = _nats(self._draw(batch), batch["target"], batch["mode"])
            rhythm, attributes = rhythm + nats[0], attributes + sum(nats[1:])
            notes += sum(_notes(crop) for crop in some)
        self.net.train()
        scale = 1 / (math.log(2) * max(notes, 1.0))
        return {"rhythm": rhythm * scale, "attributes": attributes * scale}


class Places(Network):
    """Where objects of osu! and catch are. Bits per head ("place"), slider body and direction ("sway")."""

    name, prefix, modes = "points", "net.", (0, 2)
    net: PointsNet

    def __init__(
        self, shelf: Shelf, maps: Sequence[OwnMap], held: Sequence[OwnMap], scratch: Path, seed: int
    ) -> None:
        card = weights.card(self.name)
        self._alphabet = Alphabet.from_card(card["alphabet"])
        self._penalty = points.bend_penalty(self._alphabet)
        self.net = PointsNet(Sizes(**card["sizes"]), len(self._alphabet))
        _fill(PointsStep(self.net), shelf(self.name))
        known, told = ([self._read(item) for item in some] for some in (maps, held))
        self.ready = any(len(placed.head) >= points.CROP for placed in known)
        self._crops = points.Crops(known, self._alphabet, seed) if self.ready else None
        self._held = points.whole_crops(told, self._alphabet)

    def _read(self, item: OwnMap) -> Any:
        return read_placed(item.beatmap, self._alphabet, conditions_of(item.beatmap, item.row, None, frozenset()))

    def loss(self) -> Tensor:
        """The trainer's loss of a batch of crops."""
        assert self._crops is not None
        return points.loss_of(self.net, self._crops.batch(), self._penalty)

    def bits(self) -> Figures:
        """The trainer's held-out figures."""
        return points.bits(self.net, self._held, self._penalty) if self._held else {}


class Columns(Network):
    """In which columns mania notes are. Bits per choice of "starts", "holds" and "releases"."""

    name, prefix, modes = "columns", "net.", (3,)
    net: ColumnsNet

    def __init__(
        self, shelf: Shelf, maps: Sequence[OwnMap], held: Sequence[OwnMap], scratch: Path, seed: int
    ) -> None:
        card = weights.card(self.name)
        self.net = ColumnsNet(Sizes(**card["sizes"]))
        _fill(ColumnsStep(self.net), shelf(self.name))
        known, told = ([_chords(item) for item in some if item.beatmap.keys <= FINGERS] for some in (maps, held))
        self.ready = any(len(item.time) >= columns.CROP for item in known)
        self._crops = columns.Crops(known, seed) if self.ready else None
        self._held = columns.whole_crops(told)

    def loss(self) -> Tensor:
        """The trainer's loss of a batch of crops."""
        assert self._crops is not None
        return columns.loss_of(self.net, self._crops.batch())

    def bits(self) -> Figures:
        """The trainer's held-out figures."""
        return columns.bits(self.net, self._held) if self._held else {}


NETWORKS = (Rhythm, Places, Columns)


def of_modes(maps: Sequence[OwnMap], modes: Sequence[int]) -> list[OwnMap]:
    """The maps of some modes."""
    return [item for item in maps if item.beatmap.mode in modes]


def _fill(module: nn.Module, tensors: weights.Tensors) -> None:
    """Give a module the embedded tensors, which are named as its own."""
    module.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()})


def _chords(item: OwnMap) -> Any:
    conditions = conditions_of(item.beatmap, item.row, None, frozenset())
    return read_map(read_chords(item.beatmap), item.beatmap.keys, conditions)


def _on_grid(maps: Sequence[OwnMap]) -> list[GridMap]:
    """Maps whose objects are on the grid of their timing."""
    made = (
        grid_map(m.beatmap, m.row, conditions_of(m.beatmap, m.row, None, frozenset()), m.song_ms) for m in maps
    )
    return [item for item in made if item is not None and usable(item)]


def _stretches(item: GridMap) -> Iterator[slice]:
    """Rows of a map, one stretch after the other."""
    times, start = item.canvas.grid.times, item.first
    while start + TICKS_PER_BEAT <= item.last:
        stop = min(start + PATCHES * TICKS_PER_PATCH, item.last)
        within = int(np.searchsorted(times[start:stop], times[start] + _JUDGED_MS))
        rows = slice(start, start + max(within // TICKS_PER_BEAT, 1) * TICKS_PER_BEAT)
        yield rows
        start = rows.stop


def _notes(crop: dict[str, Any]) -> float:
    """How many of the asked cells are the start of something."""
    mode = int(crop["mode"])
    kinds = crop["target"][:, 0]
    return float(STARTS[mode][kinds[kinds >= 0] - KIND_OFFSETS[mode]].sum())


def _nats(logits: Tensor, target: Tensor, mode: Tensor) -> list[float]:
    """The sum of the nats of all asked cells, column by column."""
    sums = []
    for column, where in enumerate(column_slices()):
        scores = logits[..., where] + kind_mask(mode) if column == 0 else logits[..., where]
        wanted = target[..., column].flatten()
        sums.append(float(F.cross_entropy(scores.flatten(0, 1), wanted, ignore_index=-1, reduction="sum")))
    return sums
