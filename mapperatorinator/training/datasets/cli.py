"""`mapperatorinator dataset`: make data sets for training out of folders of maps, and look into them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mapperatorinator.errors import UserError

if TYPE_CHECKING:
    from mapperatorinator.training.datasets.build import Progress, Step

LOST = 1  # exit code when files are missing
_MOST_NAMED = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dataset build` and `dataset inspect`."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    make = commands.add_parser("build", help="from folders of .osz files or song folders")
    make.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    make.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the data set goes")
    make.add_argument("--layout", choices=("mmrs", "ors"), default="mmrs", help="mmrs: all modes; ors: osu! only")
    make.add_argument("--metadata", type=Path, metavar="FILE", help="CSV or JSON: who made a map, when, its styles")
    make.add_argument("--opt-out", type=Path, metavar="FILE", help="mappers whose maps are not used, one a line")
    make.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes")
    make.add_argument("--cluster", action="store_true", help="examine on the machines of a Ray cluster")
    make.add_argument("--quiet", action="store_true", help="no progress")
    make.epilog = "With OSU_CLIENT_ID and OSU_CLIENT_SECRET set, the osu! API is asked for what files do not say."
    make.set_defaults(work=_build)
    look = commands.add_parser("inspect", help="counts and histograms of a data set, and files it lacks")
    look.add_argument("folder", type=Path, metavar="DIR")
    look.set_defaults(work=_inspect)


def run(given: argparse.Namespace) -> int:
    """Run the sub-command; returns the exit code."""
    return given.work(given)


def _build(given: argparse.Namespace) -> int:
    from mapperatorinator.training.datasets.build import REPORT, SUMMARY, Order, build

    if given.workers < 1:
        raise UserError("--workers must be at least 1.")
    order = Order(
        given.folders, given.out, given.layout, given.workers, given.cluster, given.metadata, given.opt_out
    )
    with _bar(given.quiet) as progress:
        report = build(order, progress)
    print(
        f"{report['maps']:,} maps of {report['sets']:,} sets are in {given.out}, {len(report['skipped']):,} files were "
        f"left out ({REPORT} says why); {given.out / SUMMARY} shows what there is."
    )
    return 0


def _inspect(given: argparse.Namespace) -> int:
    from mapperatorinator.training.datasets.summary import as_text, lost_files, rows_of, summarise

    print(as_text(summarise(rows_of(given.folder))))
    lost = lost_files(given.folder)
    if lost:
        print(f"\n{len(lost)} files are missing; build the data set again: {', '.join(lost[:_MOST_NAMED])}")
    return LOST if lost else 0


@contextmanager
def _bar(quiet: bool) -> Iterator[Progress]:
    """A progress bar a stage, on a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda step: None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (*Bars.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, int] = {}

        def show(step: Step) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = bars.add_task(step.stage)
            bars.update(tasks[step.stage], completed=step.done, total=step.total)  # type: ignore[arg-type]

        yield show
