"""The `mapperatorinator` command: its sub-commands and their options.

Nothing heavy is imported before a sub-command runs, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

import mapperatorinator
from mapperatorinator.cli.guard import guarded
from mapperatorinator.errors import UserError

# Sub-command -> (module with add_arguments(parser) and run(arguments), what it does).
COMMANDS = {
    "generate": ("mapperatorinator.cli.generate", "turn songs into beatmaps"),
    "spread": ("mapperatorinator.cli.spread", "turn a song into a set of several difficulties"),
    "demo": ("mapperatorinator.cli.demo", "make a beatmap of the song that ships with the package"),
    "timing": ("mapperatorinator.cli.timing", "find a song's tempo and beat"),
    "check": ("mapperatorinator.cli.check", "check .osu and .osz files against the rules of mapping"),
    "serve": ("mapperatorinator.cli.serve", "open the web app"),
    "interactive": ("mapperatorinator.cli.interactive", "ask for everything in the terminal"),
    "convert": ("mapperatorinator.cli.convert", "turn pickled checkpoints into safetensors"),
    "mod": ("mapperatorinator.cli.mod", "say what would surprise a mapper in a map, and what breaks the rules"),
    "classify": ("mapperatorinator.cli.classify", "say whose a map is"),
    "complexity": ("mapperatorinator.cli.complexity", "say how complex the rhythms of maps are, as CSV"),
    "settings": ("mapperatorinator.cli.settings", "list every option"),
    "doctor": ("mapperatorinator.cli.doctor", "look at this installation and say what to mend"),
    "dataset": ("mapperatorinator.training.datasets.cli", "make data sets for training, and look into them"),
    "lora": ("mapperatorinator.training.adapter_command", "fine-tune the embedded model on your own maps"),
    "train": ("mapperatorinator.training.train_command", "train a model for the published networks, or an adapter"),
    "evaluate": ("mapperatorinator.evaluation.cli", "measure the quality of generated maps"),
}


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are `UserError`s: one sentence and exit code 2, like all others."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message[:1].upper()}{message[1:]}; see `{self.prog} --help`.")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command with `arguments` (default: the process's) and exit."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(guarded(lambda: run(words)))


def run(words: list[str]) -> int:
    """Run one sub-command; returns the exit code."""
    parser = _parser(words[0] if words and words[0] in COMMANDS else None)
    given, rest = parser.parse_known_args(words)
    work: Callable[[argparse.Namespace], int] | None = getattr(given, "run", None)
    if work is None:
        parser.print_help()
        return 0
    unknown = [word for word in rest if word.startswith("-") and word != "-"]
    if unknown or (rest and not hasattr(given, "words")):
        raise UserError(
            f"{(unknown or rest)[0]!r} is not understood; see `mapperatorinator {words[0]} --help`."
        )
    if rest:
        given.words = [*given.words, *rest]  # argparse leaves over what follows an option
    return work(given)


def _parser(command: str | None) -> Parser:
    """The parser with every sub-command's name, and the arguments of the one that is going to run."""
    parser = Parser(
        prog="mapperatorinator", description="Turn a song into an osu! beatmap, offline, on any computer."
    )
    parser.add_argument("--version", action="version", version=mapperatorinator.__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, (module_name, meaning) in COMMANDS.items():
        child = commands.add_parser(name, help=meaning, description=f"{meaning[:1].upper()}{meaning[1:]}.")
        if name == command:
            module = importlib.import_module(module_name)
            module.add_arguments(child)
            child.set_defaults(run=module.run)
    return parser
