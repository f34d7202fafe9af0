"""Trains the column network: ``nice python -m mapperatorinator.training.columns data/columns.npz runs/columns``.

Maximum likelihood of the columns that mappers chose, given how many notes start, are held and end at every moment
and everything before. Needs no sound. One CPU thread; `--export NOTES.json` writes the model into the package.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mapperatorinator.mapper.grid import lanes
from mapperatorinator.mapper.grid.conditions import NUMBERS_WIDTH
from mapperatorinator.training.causal_net import INDEX_HEADS, STEP_AXES, Sizes, step_inputs
from mapperatorinator.training.clockwork import fit
from mapperatorinator.training.columns_data import LEAD, Arrays, ChordMap, cut, examples, load, mirrored
from mapperatorinator.training.columns_net import ColumnsNet, Step, log_likelihoods
from mapperatorinator.training.descriptors import NAMES
from mapperatorinator.training.export import export_graph, save_tensors, write_card
from mapperatorinator.training.points import collate, known_conditions
from mapperatorinator.weights import FOLDER

CROP, BATCH = 144, 12
RATE = 1.5e-3
RARE_KEYS_WEIGHT = 2.0  # for all but 4 keys
INPUTS = lanes.CHORD + lanes.FINGERS * lanes.FINGER + 2 + NUMBERS_WIDTH + len(NAMES)


def network(mappers: int) -> ColumnsNet:
    """An untrained network."""
    return ColumnsNet(Sizes(INPUTS, mappers, width=128, blocks=4, heads=4, hidden=64))


class Crops:
    """Random crops of maps, mirrored at random, some conditions unknown."""

    def __init__(self, maps: list[ChordMap], seed: int) -> None:
        self.maps = [m for m in maps if len(m.time) >= CROP]
        self.rng = np.random.default_rng(seed)
        weights = np.array([len(m.time) ** 0.7 * (1 if m.keys == 4 else RARE_KEYS_WEIGHT) for m in self.maps])
        self.weights = weights / weights.sum()

    def crop(self) -> Arrays:
        """One crop of `CROP` chords."""
        rng = self.rng
        item = self.maps[rng.choice(len(self.maps), p=self.weights)]
        start = int(rng.integers(0, len(item.time) - CROP + 1))
        lead = min(start, LEAD)
        part = cut(item, start - lead, start + CROP)
        part = mirrored(part) if rng.random() < 0.5 else part
        part.told = part.told * known_conditions(rng)
        part.mapper = part.mapper if rng.random() < 0.5 else 0
        return examples(part, lead)

    def batch(self) -> dict[str, torch.Tensor]:
        """A batch of crops."""
        return collate([self.crop() for _ in range(BATCH)])


def whole_crops(maps: list[ChordMap]) -> list[dict[str, torch.Tensor]]:
    """All maps cut into crops in fixed places, for the held-out loss."""
    parts = []
    for item in maps:
        for start in range(0, len(item.time) - CROP + 1, CROP):
            lead = min(start, LEAD)
            parts.append(examples(cut(item, start - lead, start + CROP), lead))
    return [collate(parts[i : i + BATCH]) for i in range(0, len(parts), BATCH)]


def bits(net: torch.nn.Module, batches: list[dict[str, torch.Tensor]]) -> dict[str, float]:
    """Mean bits per chord with a choice of starts, holds and releases."""
    sums: dict[str, list[float]] = {}
    net.eval()
    with torch.no_grad():
        for batch in batches:
            for name, value in log_likelihoods(net(batch), batch).items():
                sums.setdefault(name, []).extend((-value / math.log(2)).tolist())
    return {name: round(float(np.mean(values)), 4) for name, values in sums.items() if values}


def loss_of(net: ColumnsNet, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean nats per chord."""
    parts = log_likelihoods(net(batch), batch)
    total = torch.stack([part.clamp(min=-20).sum() for part in parts.values()]).sum()
    return -total / batch["mapper"].numel()


def train(data: Path, run: Path, minutes: float, seed: int = 0) -> ColumnsNet:
    """Train for `minutes` of processor time on one thread; goes on where a stopped run of the same folder was."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    words = json.loads(data.with_suffix(".json").read_text())
    crops = Crops(load(data), seed)
    held_out = whole_crops(load(data.with_suffix(".val.npz")))
    net = network(len(words["mappers"]))

    fit(net, lambda step: loss_of(net, crops.batch()), lambda average: f"held out {bits(average, held_out)}", run, minutes, RATE)
    return net


def export_columns(net: ColumnsNet, words: dict[str, Any], notes: dict[str, Any], folder: Path = FOLDER) -> None:
    """Write graph, tensors and card of the model "columns"."""
    net.eval()
    step = Step(net)
    outputs = ["state", "scores", "keys", "values"]
    graph = export_graph(step, folder / "columns.step.onnx", step_inputs(net.sizes, CROP), outputs, STEP_AXES)
    save_tensors(step.state_dict(), folder / "columns.safetensors")
    card = {
        "model": "columns",
        "does": "chooses the columns of mania notes, holds and releases",
        **notes,
        "sizes": asdict(net.sizes),
        "index_heads": INDEX_HEADS,
        "context": CROP,
        "graphs": {"step": graph},
        **words,
    }
    write_card("columns", card, folder)


def load_run(data: Path, run: Path) -> tuple[ColumnsNet, dict[str, Any]]:
    """The network of a training run, with its tables."""
    words = json.loads(data.with_suffix(".json").read_text())
    net = network(len(words["mappers"]))
    net.load_state_dict(torch.load(run / "net.pt", weights_only=True))
    return net, words


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--export", type=Path, metavar="NOTES", help="write the trained run into the package")
    arguments = parser.parse_args()
    if arguments.export:
        net, words = load_run(arguments.data, arguments.run)
        export_columns(net, words, json.loads(arguments.export.read_text()))
    else:
        train(arguments.data, arguments.run, arguments.minutes, arguments.seed)


if __name__ == "__main__":
    main()
