"""`refine_positions`: coarse positions of a map become exact ones, stretch by stretch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mapperatorinator.beatmap import TimingPoint
from mapperatorinator.events import Event
from mapperatorinator.positions.classes import MapClasses
from mapperatorinator.positions.columns import Columns, SliderShape, columns_of, out_of_sight
from mapperatorinator.positions.denoise import FIELD, Guide, Noise, Question, denoise
from mapperatorinator.positions.model import Diffusion
from mapperatorinator.positions.network import context_of
from mapperatorinator.positions.schedule import LAST_TENTH, Schedule


@dataclass(frozen=True)
class Manner:
    """How to refine.

    timesteps : steps kept of each section of the diffusion. guidance : 1 follows the classes as learned, more follows
    them more. refine_steps : of the refiner. random_start : forget the coarse positions. part, overlap : columns at
    once, and how many of those a part shares with the next on each side. padded : fill every part up to `part`.
    start, end : ms; outside, positions stay. legacy : the published program's mistakes (maps of no more than twice the
    overlap stay as they are, the mapper is looked up among beatmaps).
    """

    timesteps: tuple[int, ...] = LAST_TENTH
    guidance: float = 1.0
    refine_steps: int = 10
    random_start: bool = False
    part: int = 1024
    overlap: int = 128
    padded: bool = False
    start: float = -math.inf
    end: float = math.inf
    legacy: bool = False


def refine_positions(
    model: Diffusion, events: Sequence[Event], red_lines: Sequence[TimingPoint], slider_multiplier: float,
    asked: MapClasses, avoided: tuple[str, ...] = (), manner: Manner | None = None, seed: int = 0,
    progress: Callable[[float], None] = lambda share: None,
) -> list[Event]:  # fmt: skip
    """The events with whole-pixel positions drawn by the diffusion.

    red_lines : of the timing; none leaves sliders' ends to the network. asked : what the map is. avoided : descriptors
    to lead away from. progress : called with the share done, 0 to 1. The same seed gives the same positions.
    """
    columns = columns_of(events, red_lines, slider_multiplier)
    source = torch.Generator().manual_seed(seed)
    places = place(
        model,
        columns,
        asked,
        avoided,
        manner or Manner(),
        lambda shape: torch.randn(shape, generator=source),
        progress,
    )
    refined = list(events)
    for index, (x, y) in zip(columns.events, np.round(places.T).tolist(), strict=True):
        refined[index] = replace(events[index], x=x, y=y, distance=None)
    return refined


@torch.inference_mode()
def place(
    model: Diffusion, columns: Columns, asked: MapClasses, avoided: tuple[str, ...], manner: Manner, noise: Noise,
    progress: Callable[[float], None] = lambda share: None,
) -> np.ndarray:  # fmt: skip
    """Positions of the columns in px, shape (2, n)."""
    schedule = Schedule.of(manner.timesteps)
    kinds = [asked] if manner.guidance == 1 else [asked, asked.avoided(avoided)]
    classes = torch.from_numpy(np.stack([kind.vector(model.tables, manner.legacy) for kind in kinds]))
    coarse = torch.from_numpy(columns.positions) / FIELD * 2 - 1
    context = context_of(*(torch.from_numpy(known) for known in (columns.times, columns.distances, columns.kinds)))
    free = torch.from_numpy((columns.times >= manner.start) & (columns.times <= manner.end))
    spans = _spans(len(columns), manner)
    steps = len(spans) * (len(schedule.steps) + (manner.refine_steps if model.refiner else 0))
    told = count(1)
    fine = coarse.clone()
    for start, end in spans:
        shared = start + manner.overlap if start else 0  # up to here, the part before has placed them
        fine[:, shared:] = coarse[:, shared:]
        size = manner.part if manner.padded else end - start

        def cut(values: Tensor, start: int = start, end: int = end, size: int = size) -> Tensor:
            return F.pad(values[..., start:end], (0, size - (end - start))).to(model.device)

        fixed = cut(~free | (torch.arange(len(columns)) < shared))
        given = cut(fine)
        x = noise((2, size)).to(given) if manner.random_start else given
        x = denoise(
            model.network, schedule, x,
            Question(cut(context), classes.to(model.device), _hidden(end - start, size).to(model.device), manner.guidance),
            Guide(given, ~fixed, _sliders_within(columns, start, end)),
            noise, model.refiner, manner.refine_steps, lambda: progress(next(told) / steps),
        )  # fmt: skip
        fine[:, start:end] = x[:, : end - start].cpu()
    return ((fine + 1) / 2 * FIELD).numpy()


def _spans(length: int, manner: Manner) -> list[tuple[int, int]]:
    """First and last column of every part."""
    last = length - 2 * manner.overlap
    if not manner.legacy and length:
        last = max(last, 1)
    return [(at, min(at + manner.part, length)) for at in range(0, last, manner.part - 2 * manner.overlap)]


def _sliders_within(columns: Columns, start: int, end: int) -> list[SliderShape]:
    """Sliders of a part, their columns counted from its start."""
    return [
        SliderShape(tuple(p - start for p in s.points), s.end - start, s.curve, s.length)
        for s in columns.sliders
        if s.points[0] >= start and s.end < end
    ]


def _hidden(length: int, size: int) -> Tensor:
    """Whom a column does not see, (size, size)."""
    return F.pad(torch.from_numpy(out_of_sight(length)), (0, size - length, 0, size - length))
