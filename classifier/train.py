"""Trains the embedded classifier: `python classifier/train.py minutes=0.7`; options in `configs/train.yaml`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from mapperatorinator.cli.scripts import Values, training_script  # noqa: E402


def train(values: Values) -> None:
    """Train, judge on held-out songs, write the model into `out`."""
    from mapperatorinator.training.classifier import train_and_export

    out = Path(values["out"]) if values["out"] else None
    train_and_export(Path(values["data"]), Path(values["run"]), values["minutes"], values["seed"], out)


if __name__ == "__main__":
    training_script(HERE / "configs", "train", train)
