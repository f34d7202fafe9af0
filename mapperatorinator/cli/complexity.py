"""`mapperatorinator complexity MAP…` and `python rcomplexion/inference.py beatmap_path=…`: rhythm complexity as CSV."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from mapperatorinator.cli.maps import map_files, read_maps
from mapperatorinator.errors import UserError

COLUMNS = ("beatmap_id", "complexity", "bits_per_note", "notes", "seconds", "difficulty", "file")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `complexity`."""
    parser.add_argument("files", nargs="+", type=Path, metavar="MAP", help=".osu, .osz or a folder of them")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the CSV there instead of printing it")
    parser.epilog = "The column `complexity` is bits a second."


def run(given: argparse.Namespace) -> int:
    """Write one row for every map; returns 0."""
    rows = list(_rows(given.files))
    with ExitStack() as stack:
        stream = sys.stdout
        if given.out is not None:
            try:
                stream = stack.enter_context(open(given.out, "w", encoding="utf-8", newline=""))
            except OSError as error:
                raise UserError(f"Cannot write {given.out}: {error.strerror or error}.") from error
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return 0


def _rows(paths: list[Path]) -> Iterator[tuple[object, ...]]:
    """A row for every map; in a folder, what has no rhythm or cannot be read is left out with a word on stderr."""
    from mapperatorinator.complexity import complexity

    for path in paths:
        for file in map_files(path):
            try:
                for bm in read_maps(file):
                    found = complexity(bm)
                    if not found.notes:
                        raise UserError(f"{file.name} has no timing or fewer than two objects, so it has no rhythm.")
                    yield (bm.beatmap_id, round(found.per_second, 4), round(found.per_note, 4), found.notes,
                           round(found.seconds, 1), bm.difficulty_name, file)  # fmt: skip
            except UserError as error:
                if not path.is_dir():
                    raise
                print(f"left out {file}: {error}", file=sys.stderr)
