"""`mapperatorinator train -cn train_v29 key=value …`, and `osuT5/train.py`, which is the same."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mapperatorinator.cli.guard import guarded
from mapperatorinator.errors import UserError
from mapperatorinator.training.recipe import DEFAULT_RECIPE, read_recipe

CONFIGS = Path("configs/train")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `train`."""
    parser.add_argument("-cn", "--config-name", default=DEFAULT_RECIPE, metavar="RECIPE", help="under configs/train")
    parser.add_argument("-cp", "--config-path", "-cd", "--config-dir", type=Path, metavar="FOLDER", help="of recipes")
    parser.add_argument("words", nargs="*", metavar="key=value", help="see docs/training.md")
    parser.epilog = "Example: mapperatorinator train -cn lora train_dataset_path=maps total_steps=200"


def run(given: argparse.Namespace) -> int:
    """Train; returns the exit code."""
    try:
        from mapperatorinator.training.trainer import train
    except ImportError as error:
        raise UserError(f"Training needs {error.name}: pip install 'mapperatorinator[train]'.") from error
    train(read_recipe(_recipes(given.config_path), given.config_name, given.words))
    return 0


def _recipes(asked: Path | None) -> Path:
    """The folder of recipes: the one that was asked for, that of this folder, or that of the source tree."""
    here = [asked] if asked else [CONFIGS, Path(__file__).parents[2] / CONFIGS]
    found = next((folder for folder in here if folder.is_dir()), None)
    if found is None:
        raise UserError(f"There is no folder {here[0]} with recipes; name it with --config-dir.")
    return found


def main() -> None:
    """Run with the process's arguments and exit."""
    parser = argparse.ArgumentParser(prog="train.py", description="Train a model, or an adapter for one.")
    add_arguments(parser)
    given = parser.parse_intermixed_args()
    sys.exit(guarded(lambda: run(given)))
