"""Writes a trained placing network into the package: ``python -m mapperatorinator.training.points_export``.

Arguments: the data file (`.npz`, for alphabet and mapper table), the run folder, minutes trained, notes as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from mapperatorinator.mapper.grid import spacing
from mapperatorinator.mapper.grid.shapes import Alphabet
from mapperatorinator.training.causal_net import INDEX_HEADS, STEP_AXES, Sizes, step_inputs
from mapperatorinator.training.export import export_graph, save_tensors, write_card
from mapperatorinator.training.points import CROP, INPUTS
from mapperatorinator.training.points_net import Choose, PointsNet, Step
from mapperatorinator.weights import FOLDER


def choose_inputs(sizes: Sizes, rows: int = 2) -> dict[str, torch.Tensor]:
    """Example inputs of the graph "choose"."""
    widths = {"state": sizes.width, "step": spacing.STEP, "head": spacing.HEAD, "outline": 8}
    return {name: torch.zeros(rows, width) for name, width in widths.items()}


def export_points(net: PointsNet, words: dict[str, Any], notes: dict[str, Any], folder: Path = FOLDER) -> None:
    """Write graphs, tensors and card of the model "points"."""
    net.eval()
    sizes = net.sizes
    graphs = {
        "step": export_graph(Step(net), folder / "points.step.onnx", step_inputs(sizes, CROP),
                             ["state", "place", "keys", "values"], STEP_AXES),
        "choose": export_graph(Choose(net), folder / "points.choose.onnx", choose_inputs(sizes),
                               ["turn", "body", "sway"], {name: {0: "rows"} for name in choose_inputs(sizes)}),
    }
    save_tensors(Step(net).state_dict(), folder / "points.safetensors")
    card = {
        "model": "points",
        "does": "places circles and sliders of osu! and catch maps, and draws slider bodies",
        **notes,
        "sizes": asdict(sizes),
        "index_heads": INDEX_HEADS,
        "context": CROP,
        "graphs": graphs,
        **words,
    }
    write_card("points", card, folder)


def load_run(data: Path, run: Path) -> tuple[PointsNet, dict[str, Any]]:
    """The network of a training run, with alphabet and mapper table."""
    words = json.loads(data.with_suffix(".json").read_text())
    alphabet = Alphabet.from_card(words["alphabet"])
    net = PointsNet(Sizes(INPUTS, len(words["mappers"])), len(alphabet))
    net.load_state_dict(torch.load(run / "net.pt", weights_only=True))
    return net, words


def main() -> None:
    """Command line."""
    data, run, notes = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    net, words = load_run(data, run)
    export_points(net, words, json.loads(notes.read_text()))


if __name__ == "__main__":
    main()
