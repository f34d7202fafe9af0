"""Options that all `evaluate` commands share, and a progress bar for their loops."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.corpus import MODES

T = TypeVar("T")


def add_common(parser: argparse.ArgumentParser, split: str | None = None) -> None:
    """--corpus, --split, --mode, --n, --seed, --json."""
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="default: MAPPERATORINATOR_CORPUS")
    parser.add_argument("--split", default=split, choices=("train", "val"), help="default: %(default)s")
    parser.add_argument("--mode", nargs="+", default=list(MODES), help="osu! taiko catch mania; default: all")
    parser.add_argument("--n", type=int, metavar="N", help="at most so many maps per mode, evenly chosen")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")


def chosen_modes(given: argparse.Namespace) -> list[int]:
    """The modes of --mode as numbers, written as name or number."""
    return [mode_number(word) for word in given.mode]


def mode_number(word: str) -> int:
    """0..3 for a mode's name or number; UserError for anything else."""
    known = {name: i for i, name in enumerate(MODES)} | {"osu": 0} | {str(i): i for i in range(4)}
    if word.casefold() not in known:
        raise UserError(f"There is no mode {word!r}; choose from {', '.join(MODES)}.")
    return known[word.casefold()]


def shown(items: Sequence[T] | Iterable[T], words: str, total: int | None = None) -> Iterator[T]:
    """The items, with a progress bar on the error stream."""
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description=words, total=total, console=Console(stderr=True), transient=True)
