"""Checkpoint of the grid mapper to embedded weights: ``python -m mapperatorinator.training.grid_export runs/grid``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from mapperatorinator.mapper.grid.cells import NAMES as COLUMNS
from mapperatorinator.mapper.grid.conditions import NUMBERS_WIDTH
from mapperatorinator.training.chart_maps import CHARTER
from mapperatorinator.training.export import export_graph, save_tensors, write_card
from mapperatorinator.training.grid_maps import NAMES
from mapperatorinator.training.grid_net import BANDS, GridNet, GridSizes
from mapperatorinator.weights import FOLDER


def export_grid(net: GridNet, card: dict[str, object], folder: Path = FOLDER) -> None:
    """Write both halves as graphs over one file of tensors.

    card : everything the card says besides sizes and graphs; must name ``mappers``.
    """
    batch, ticks, frames = 2, 768, 1000
    patches, sizes = ticks // 3, net.sizes
    whole = {"mask": torch.ones(batch, patches, dtype=torch.bool)}

    def whole_numbers(*shape: int) -> torch.Tensor:
        return torch.zeros(*shape, dtype=torch.long)

    sound = {
        "mel": torch.zeros(batch, frames, BANDS), "index": torch.zeros(batch, ticks), "heard": torch.ones(batch),
        "phase": whole_numbers(batch, ticks), "measure": whole_numbers(batch, patches),
        "tempo": torch.zeros(batch, patches, 4), **whole,
    }  # fmt: skip
    canvas = {
        "ticks": torch.zeros(batch, ticks, sizes.tick), "patches": torch.zeros(batch, patches, sizes.width),
        "cells": whole_numbers(batch, ticks, len(COLUMNS)), "reference": whole_numbers(batch, ticks),
        "mode": whole_numbers(batch), "mapper": whole_numbers(batch),
        "descriptors": torch.zeros(batch, sizes.descriptors), "numbers": torch.zeros(batch, NUMBERS_WIDTH), **whole,
    }  # fmt: skip
    graphs = {}
    for name, module, inputs, outputs in (
        ("sound", net.sound, sound, ["tick_features", "patch_features"]),
        ("canvas", net.canvas, canvas, ["logits"]),
    ):
        dynamic = {key: {0: "batch"} for key in inputs}
        if name == "sound":
            dynamic["mel"] = {0: "batch", 1: "frames"}
        graphs[name] = export_graph(
            module, folder / f"grid.{name}.onnx", inputs, outputs, dynamic, prefix=f"{name}."
        )
    save_tensors(net.state_dict(), folder / "grid.safetensors")
    write_card("grid", {**card, "descriptors": NAMES, "sizes": sizes.as_json(), "graphs": graphs}, folder)


def load_net(path: Path) -> GridNet:
    """Return the averaged network of a checkpoint."""
    kept = torch.load(path, weights_only=True)
    net = GridNet(GridSizes(**kept["sizes"]))
    net.load_state_dict(kept["average"])
    return net.eval()


def main() -> None:
    """Export ``RUN/last.pt``; the card takes its figures from ``RUN/card.json`` where there is one."""
    import pickle

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, default=Path("data"))
    options = parser.parse_args()
    with (options.data / "grid_maps.pkl").open("rb") as file:  # our own cache
        _, mappers = pickle.load(file)
    facts = options.run / "card.json"
    card = json.loads(facts.read_text(encoding="utf-8")) if facts.exists() else {}
    net = load_net(options.run / "last.pt")
    charters = [CHARTER] * (net.sizes.mappers - len(mappers))  # one, if the run learned from charts
    export_grid(net, {**card, "mappers": mappers + charters})


if __name__ == "__main__":
    main()
