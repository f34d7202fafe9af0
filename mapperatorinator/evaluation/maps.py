"""`evaluate maps`: our mapper on held-out songs, with the human's timing and stars given, against the human maps.

Without a folder the mappers of `--mappers` map every song; with one, the maps in it are measured: files named
like the corpus's (`<md5>.osu`), as `--save` writes them or as any other program made them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mapperatorinator.beatmap import read_beatmap, save_beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.ceilings import described_maps, floor_scores, human_f1
from mapperatorinator.evaluation.copies import TrainingRuns
from mapperatorinator.evaluation.corpus import MODES, Corpus, MapRow
from mapperatorinator.evaluation.features import reference
from mapperatorinator.evaluation.figures import Figures, measure
from mapperatorinator.evaluation.mappers import NAMES, attempt, named
from mapperatorinator.evaluation.options import add_common, chosen_modes, shown
from mapperatorinator.evaluation.readers import readers
from mapperatorinator.evaluation.scorecard import Context, add_tables, scorecard
from mapperatorinator.evaluation.song import Attempt, MapSong, Song, spread
from mapperatorinator.evaluation.tables import Report

DEFAULT = ("sampled", "likeliest", "deaf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `evaluate maps`."""
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="measure the maps in here")
    add_common(parser, split="val")
    parser.add_argument("--mappers", nargs="+", default=list(DEFAULT), metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--candidates", type=int, default=1, help="maps drawn per request (sampled only)")
    parser.add_argument("--save", type=Path, metavar="DIR", help="keep the maps as DIR/<mapper>/<md5>.osu")
    parser.add_argument("--quick", action="store_true", help="leave out rule checks and copies")


def run(given: argparse.Namespace) -> int:
    """Map, measure, report; returns the exit code."""
    corpus = Corpus(given.corpus)
    mappers = _mappers(given)
    report = Report("Maps of held-out songs", given.seed)
    for mode in chosen_modes(given):
        rows = spread(corpus.select(mode, given.split, with_audio=True), given.n)
        if given.folder is not None:
            rows = [row for row in rows if _file(given.folder, row).is_file()]
        if rows:
            evaluate_mode(corpus, mode, rows, mappers, report, given)
    if not report.summary:
        raise UserError("There is nothing to measure: no map of these modes and this split was found.")
    report.finish(given.json)
    return 0


def evaluate_mode(
    corpus: Corpus, mode: int, rows: Sequence[MapRow], mappers: dict[str, MapSong], report: Report,
    given: argparse.Namespace,
) -> None:  # fmt: skip
    """Measure every mapper on the songs of one mode and add the tables."""
    quick = given.quick
    training = None if quick else TrainingRuns(map(corpus.beatmap, corpus.select(mode, "train")))
    among = {} if quick else readers()
    found: dict[str, list[Figures]] = {name: [] for name in ("human", *mappers)}
    for row in shown(rows, f"{MODES[mode]}", len(rows)):
        song = Song(corpus, row)
        for name, mapper in {"human": named("human"), **mappers}.items():
            made = attempt(mapper, song)
            _keep(made, given.save, name, row)
            figures = measure(made, song, training, among, check=not quick)
            found[name].append(figures)
            report.rows.append({"mode": MODES[mode], "mapper": name, **figures.as_dict()})
    others = [row for row in corpus.select(mode) if row.song not in {r.song for r in rows}]
    context = Context(
        mode=mode,
        human=found.pop("human"),
        ceiling=human_f1(corpus, mode),
        floor=floor_scores(corpus, rows, given.seed),
        others=[] if quick else described_maps(corpus, others),
        reference=[] if quick else reference(corpus, mode, rows),
        seed=given.seed,
    )
    cards: dict[str, dict[str, Any]] = {
        name: scorecard(figures, found.get("deaf"), context) for name, figures in found.items()
    }
    report.summary[MODES[mode]] = cards
    add_tables(report, context, cards)
    failures = [[name, f.path, f.failure] for name, some in found.items() for f in some if f.failure]
    if failures:
        report.table(f"{MODES[mode]}: failed runs", ["mapper", "map", "why"], failures)


def _mappers(given: argparse.Namespace) -> dict[str, MapSong]:
    if given.folder is None:
        return {name: named(name, given.seed, given.candidates) for name in given.mappers if name != "human"}
    if not given.folder.is_dir():
        raise UserError(f"There is no folder {given.folder}.")
    return {given.folder.name: _reading(given.folder)}


def _reading(folder: Path) -> MapSong:
    """A mapper that hands out what lies in a folder."""
    read: Callable[[Song], Any] = lambda song: read_beatmap(_file(folder, song.row))  # noqa: E731
    return read


def _file(folder: Path, row: MapRow) -> Path:
    return folder / Path(row.path).name


def _keep(made: Attempt, folder: Path | None, name: str, row: MapRow) -> None:
    if folder is None or made.beatmap is None or name == "human":
        return
    (folder / name).mkdir(parents=True, exist_ok=True)
    save_beatmap(made.beatmap, _file(folder / name, row))
