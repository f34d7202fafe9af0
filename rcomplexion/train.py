"""Counts human rhythms anew: `python rcomplexion/train.py`; options in `configs/train.yaml`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from mapperatorinator.cli.scripts import Values, training_script  # noqa: E402


def train(values: Values) -> None:
    """Count, judge on held-out songs, write the model into `out`."""
    from mapperatorinator.evaluation.corpus import Corpus
    from mapperatorinator.training.complexity import train as count
    from mapperatorinator.weights import FOLDER

    print(count(Corpus(values["corpus"]), Path(values["out"]) if values["out"] else FOLDER)["held_out"])


if __name__ == "__main__":
    training_script(HERE / "configs", "train", train)
