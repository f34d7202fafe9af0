"""Trains the placing network: ``nice python -m mapperatorinator.training.points data/points.npz runs/points``.

Maximum likelihood of human heads, slider bodies and directions given everything before them. Needs no sound, so
maps without audio count fully. One CPU thread; `--minutes` sets the budget, the learning rate follows the clock.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mapperatorinator.mapper.grid.conditions import NUMBERS_WIDTH
from mapperatorinator.mapper.grid.rhythm_features import RHYTHM
from mapperatorinator.mapper.grid.shapes import Alphabet
from mapperatorinator.mapper.grid.spacing import VIEW
from mapperatorinator.training.causal_net import Sizes
from mapperatorinator.training.clockwork import fit
from mapperatorinator.training.descriptors import NAMES
from mapperatorinator.training.points_batches import LEAD, Arrays, cut, examples, faster, flipped
from mapperatorinator.training.points_data import PlacedMap, load
from mapperatorinator.training.points_loss import log_likelihoods
from mapperatorinator.training.points_net import PointsNet

CROP, BATCH = 144, 14
RATE = 1.5e-3
CATCH_WEIGHT = 3.0
NUMBERS = NUMBERS_WIDTH // 8
INPUTS = RHYTHM + VIEW + 2 + NUMBERS_WIDTH + len(NAMES)


def bend_penalty(alphabet: Alphabet) -> torch.Tensor:
    """Log share of an arc bin that counts as one bend, 0 for codes without a bend."""
    shares = [math.log(alphabet.share_of_bin(code)) for code in range(len(alphabet))]
    return torch.tensor(shares, dtype=torch.float32)


def collate(parts: list[Arrays]) -> dict[str, torch.Tensor]:
    """Stack crops of equal length; floats become float32."""
    batch = {}
    for name in parts[0]:
        array = np.stack([p[name] for p in parts])
        batch[name] = torch.from_numpy(array.astype(np.float32) if array.dtype.kind == "f" else array)
    batch["index"] = torch.arange(batch["x"].shape[1], dtype=torch.float32).expand(batch["x"].shape[:2])
    return batch


def known_conditions(rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which cells of `told` a crop is told: mostly nearly all, often few, the mode always."""
    share = 0.9 if rng.random() < 0.6 else 0.4
    numbers = rng.random(NUMBERS) < share
    numbers[0] = rng.random() < 0.93  # the stars are nearly always asked for
    return np.concatenate((np.ones(2, bool), np.repeat(numbers, 8), rng.random(len(NAMES)) < share))


class Crops:
    """Random crops of maps, mirrored at random, a little faster or slower, some conditions unknown."""

    def __init__(self, maps: list[PlacedMap], alphabet: Alphabet, seed: int) -> None:
        self.maps = [m for m in maps if len(m.head) >= CROP]
        self.alphabet = alphabet
        self.rng = np.random.default_rng(seed)
        weights = np.array([len(m.head) ** 0.7 * (CATCH_WEIGHT if m.mode == 2 else 1) for m in self.maps])
        self.weights = weights / weights.sum()

    def crop(self) -> Arrays:
        """One crop of `CROP` objects."""
        rng = self.rng
        placed = self.maps[rng.choice(len(self.maps), p=self.weights)]
        start = int(rng.integers(0, len(placed.head) - CROP + 1))
        lead = min(start, LEAD)
        part = cut(placed, start - lead, start + CROP)
        part = faster(flipped(part, self.alphabet, *(rng.random(2) < 0.5)), float(np.exp(rng.normal(0, 0.06))))
        part.told = part.told * known_conditions(rng)
        part.mapper = part.mapper if rng.random() < 0.5 else 0
        return examples(part, self.alphabet, lead)

    def batch(self) -> dict[str, torch.Tensor]:
        """A batch of crops."""
        return collate([self.crop() for _ in range(BATCH)])


def whole_crops(maps: list[PlacedMap], alphabet: Alphabet) -> list[dict[str, torch.Tensor]]:
    """All maps cut into crops in fixed places, for the held-out loss."""
    parts = []
    for placed in maps:
        for start in range(0, len(placed.head) - CROP + 1, CROP):
            lead = min(start, LEAD)
            parts.append(examples(cut(placed, start - lead, start + CROP), alphabet, lead))
    return [collate(parts[i : i + BATCH]) for i in range(0, len(parts), BATCH)]


def bits(net: PointsNet, batches: list[dict[str, torch.Tensor]], penalty: torch.Tensor) -> dict[str, float]:
    """Mean bits per head, per body and per direction."""
    sums: dict[str, float] = {}
    counts: dict[str, float] = {}
    net.eval()
    with torch.no_grad():
        for batch in batches:
            for name, value in log_likelihoods(net(batch), batch, penalty).items():
                if name == "place":
                    value = value[batch["placed"]]
                sums[name] = sums.get(name, 0.0) - float(value.sum()) / math.log(2)
                counts[name] = counts.get(name, 0.0) + value.numel()
    net.train()
    return {name: round(sums[name] / counts[name], 4) for name in sums if counts[name]}


def loss_of(net: PointsNet, batch: dict[str, torch.Tensor], penalty: torch.Tensor) -> torch.Tensor:
    """Mean nats per object."""
    parts = log_likelihoods(net(batch), batch, penalty)
    placed = batch["placed"]
    total = parts["place"][placed].clamp(min=-40).sum() + parts["body"].sum() + parts["sway"].sum()
    return -total / placed.sum()


def train(data: Path, run: Path, minutes: float, seed: int = 0) -> PointsNet:
    """Train for `minutes` of processor time on one thread; goes on where a stopped run of the same folder was."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    words = json.loads(data.with_suffix(".json").read_text())
    alphabet = Alphabet.from_card(words["alphabet"])
    crops = Crops(load(data), alphabet, seed)
    held_out = whole_crops(load(data.with_suffix(".val.npz")), alphabet)
    penalty = bend_penalty(alphabet)
    net = PointsNet(Sizes(INPUTS, len(words["mappers"])), len(alphabet))

    def report(average: torch.nn.Module) -> str:
        return f"held out {bits(average, held_out, penalty)}"  # type: ignore[arg-type]

    fit(net, lambda step: loss_of(net, crops.batch(), penalty), report, run, minutes, RATE)
    return net


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    train(arguments.data, arguments.run, arguments.minutes, arguments.seed)


if __name__ == "__main__":
    main()
