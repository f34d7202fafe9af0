"""Trains the grid mapper: ``python -m mapperatorinator.training.grid --minutes 90 --out runs/grid``.

Trains on the corpus's train split for a given time, writes a checkpoint every few minutes, resumes from it when
started again, and prints held-out figures as it goes. ``grid_export`` turns a checkpoint into embedded weights.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mapperatorinator.evaluation.corpus import Corpus
from mapperatorinator.mapper.grid.canvas import KIND_CLASSES
from mapperatorinator.mapper.grid.cells import CLASS_COUNTS, KIND_OFFSETS
from mapperatorinator.training.chart_maps import CHARTER, chart_maps
from mapperatorinator.training.grid_data import Sampler
from mapperatorinator.training.grid_maps import NAMES, GridMap, prepare
from mapperatorinator.training.grid_net import GridNet, GridSizes
from mapperatorinator.training.grid_probe import probe

_TICKS_A_BEAT = 12.0  # the rhythm loss counts nats per beat, so that it outweighs the attributes
_ATTRIBUTE_WEIGHTS = (
    0.2,
    0.3,
    0.2,
    0.15,
    0.1,
    0.1,
    0.15,
    0.1,
)  # holds, releases, combo, sound, bank, volume, ...
_LEAST_COVERAGE = 0.9  # maps with fewer of their objects on the grid would teach that nothing happens
_EMA = 0.995


def column_slices() -> list[slice]:
    """Where each column's classes stand in the logits."""
    ends = np.cumsum(CLASS_COUNTS)
    return [slice(int(end - count), int(end)) for end, count in zip(ends, CLASS_COUNTS, strict=True)]


def kind_mask(mode: Tensor) -> Tensor:
    """(B, 1, kinds) additive mask: minus infinity (nearly) for kinds of other modes."""
    rows = torch.full((4, sum(KIND_CLASSES)), -1e4)
    for number, (offset, count) in enumerate(zip(KIND_OFFSETS, KIND_CLASSES, strict=True)):
        rows[number, int(offset) : int(offset) + count] = 0
    return rows[mode][:, None]


def losses(logits: Tensor, target: Tensor, mode: Tensor) -> tuple[Tensor, list[float]]:
    """Return the training loss and each column's mean cross-entropy over asked cells, in nats."""
    total = logits.new_zeros(())
    figures = []
    for column, where in enumerate(column_slices()):
        scores = logits[..., where] + kind_mask(mode) if column == 0 else logits[..., where]
        wanted = target[..., column]
        loss = F.cross_entropy(scores.flatten(0, 1), wanted.flatten(), ignore_index=-1, reduction="sum")
        loss = loss / (wanted >= 0).sum().clamp(min=1)
        figures.append(float(loss.detach()))
        total = total + loss * (_TICKS_A_BEAT if column == 0 else _ATTRIBUTE_WEIGHTS[column - 1])
    return total, figures


def optimisers(net: GridNet, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the hidden layers, AdamW for everything else."""
    hidden: list[Tensor] = []
    rest: list[Tensor] = []
    for name, value in net.named_parameters():
        matrix = (
            value.ndim == 2
            and "film" not in name
            and any(key in name for key in ("blocks", "patch", "hidden", "flat", "read"))
        )
        (hidden if matrix else rest).append(value)
    return [
        torch.optim.Muon(hidden, lr=rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.02),
    ]


def usable(item: GridMap) -> bool:
    """Say whether enough of a map lies on the grid to learn from it."""
    kinds = item.canvas.columns["kind"]
    found = kinds.clip(0).sum() if item.row.mode == 3 else item.canvas.starts().sum()
    return bool(found >= _LEAST_COVERAGE * item.row.n_objects)


class Trainer:
    """One run: network, averaged copy, optimisers and a log; knows how to keep and take up a checkpoint."""

    def __init__(self, sizes: GridSizes, out: Path, minutes: float, rate: float) -> None:
        self.net = GridNet(sizes)
        self.out, self.seconds, self.rate = out, minutes * 60, rate
        self.steps, self.spent = 0, 0.0
        self.optimisers = optimisers(self.net, rate)
        self.average = copy.deepcopy(self.net).eval().requires_grad_(False)
        out.mkdir(parents=True, exist_ok=True)
        if (out / "last.pt").exists():
            self._resume()

    def begin_from(self, path: Path) -> None:
        """Take the averaged weights of another run, which may know one mapper fewer (the charts')."""
        state = torch.load(path, weights_only=True)["average"]
        table, wanted = state["canvas.mapper.weight"], self.net.canvas.mapper.weight.shape[0]
        if len(table) == wanted - 1:  # the last row stands for an unknown mapper
            state["canvas.mapper.weight"] = torch.cat([table, table[-1:]])
        self.net.load_state_dict(state)
        self.average.load_state_dict(state)

    def _resume(self) -> None:
        kept = torch.load(self.out / "last.pt", weights_only=True)
        self.net.load_state_dict(kept["net"])
        self.average.load_state_dict(kept["average"])
        for optimiser, state in zip(self.optimisers, kept["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        self.steps, self.spent = kept["steps"], kept["spent"]

    def keep(self) -> None:
        """Write the checkpoint, first beside its place so that a kill leaves the old one whole."""
        state = {
            "net": self.net.state_dict(), "average": self.average.state_dict(), "steps": self.steps,
            "spent": self.spent, "optimisers": [o.state_dict() for o in self.optimisers],
            "sizes": self.net.sizes.as_json(),
        }  # fmt: skip
        torch.save(state, self.out / "new.pt")
        (self.out / "new.pt").replace(self.out / "last.pt")

    def _set_rate(self) -> None:
        share = min(self.spent / self.seconds, 1.0)
        rate = (
            self.rate
            * min(1.0, (self.steps + 1) / 60)
            * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        )
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate

    def _average(self) -> None:
        decay = min(_EMA, (self.steps + 1) / (self.steps + 10))
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.net.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)

    def run(self, sampler: Sampler, size: int, held_out: list[GridMap], every: float, compiled: bool) -> None:
        """Train until the time is spent; print and log held-out figures every `every` seconds."""
        step = torch.compile(self.net) if compiled else self.net
        last_probe = self.spent
        recent: list[list[float]] = []
        while self.spent < self.seconds:
            began = time.monotonic()
            self._set_rate()
            batch = sampler.batch(size)
            loss, figures = losses(step(batch), batch["target"], batch["mode"])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
            for optimiser in self.optimisers:
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
            self.steps += 1
            self._average()
            # The first step compiles for minutes; it must not eat the schedule.
            self.spent += min(time.monotonic() - began, 30.0)
            recent.append(figures)
            if self.steps % 20 == 0:
                self._log({"train": np.mean(recent, 0).round(4).tolist()})
                recent = []
            if self.spent - last_probe > every:
                last_probe = self.spent
                self.keep()
                self._log({"held_out": probe(self.average, held_out, sampler)})
        self.keep()

    def _log(self, figures: dict[str, object]) -> None:
        line = json.dumps({"steps": self.steps, "minutes": round(self.spent / 60, 1), **figures})
        print(line, flush=True)
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--out", type=Path, default=Path("runs/grid"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--probe-minutes", type=float, default=10)
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--charts", action="store_true", help="learn from charts of other games as well")
    parser.add_argument("--begin-from", type=Path, help="checkpoint of an earlier run whose weights to start with")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    maps, mappers = prepare(Corpus(), options.data / "grid_maps.pkl")
    train = [m for m in maps if m.row.split == "train" and usable(m)]
    held_out = [m for m in maps if m.row.split == "val" and m.audio]
    charts = list(chart_maps(Corpus().folder, len(mappers))) if options.charts else []
    mappers += [CHARTER] * options.charts
    sizes = GridSizes(
        frame=96, tick=96, width=192, mappers=len(mappers), descriptors=len(NAMES), dropout=options.dropout
    )
    trainer = Trainer(sizes, options.out, options.minutes, options.rate)
    if options.begin_from and not trainer.steps:
        trainer.begin_from(options.begin_from)
    sampler = Sampler(
        [*train, *filter(usable, charts)], len(mappers), options.data / "mel", options.seed,
        remembered=len(mappers) - 1 if options.charts else None,
    )  # fmt: skip
    sampler.load_songs(held_out, options.data / "mel")
    print(f"{len(sampler.maps)} maps, {sum(p.numel() for p in trainer.net.parameters()) / 1e6:.2f} M parameters")
    trainer.run(sampler, options.batch, held_out, options.probe_minutes * 60, not options.no_compile)


if __name__ == "__main__":
    main()
