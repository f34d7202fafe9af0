"""`mapperatorinator evaluate …`: one sub-command for each family of figures.

Each module has `add_arguments(parser)` and `run(arguments)`, prints tables with counts, intervals, command,
date, hardware and seed, and writes the same with `--json FILE`, its figures under `summary`.
"""

from __future__ import annotations

import argparse
import importlib

COMMANDS = {
    "maps": ("mapperatorinator.evaluation.maps", "our maps of held-out songs against the human ones"),
    "human": ("mapperatorinator.evaluation.human", "the scale: chance, and humans against each other"),
    "validity": ("mapperatorinator.evaluation.validity_command", "broken rules, and who reads the files"),
    "features": ("mapperatorinator.evaluation.features", "distances from human maps in the classifier's features"),
    "stars": ("mapperatorinator.evaluation.stars", "stars asked against stars got"),
    "modding": ("mapperatorinator.evaluation.modding", "whether planted mistakes come first in a review"),
    "timing": ("mapperatorinator.evaluation.timing_metrics", "red lines of songs with known timing"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands to `evaluate`."""
    add_parsers(parser.add_subparsers(title="figures", metavar="FIGURE", required=True))


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """Add one parser per sub-command; each sets `measure`, the function that does the work."""
    for name, (module_name, meaning) in COMMANDS.items():
        module = importlib.import_module(module_name)
        child = commands.add_parser(name, help=meaning, description=f"{meaning[:1].upper()}{meaning[1:]}.")
        module.add_arguments(child)
        child.set_defaults(measure=module.run)


def run(given: argparse.Namespace) -> int:
    """Run the chosen sub-command; returns the exit code."""
    return given.measure(given)
