"""`evaluate features`: how far maps are from human ones as the mapper classifier sees them.

With a folder, the maps in it (named like the corpus's, `<md5>.osu`) are held against the human maps of other songs,
beside the human maps of the same songs: the floor. Without one only the floor is printed. The reference is human maps of
songs that the classifier was not trained on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np

from mapperatorinator.beatmap import Beatmap, read_beatmap
from mapperatorinator.classifier import Classifier
from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.bootstrap import Estimate
from mapperatorinator.evaluation.corpus import MODES, Corpus, MapRow, grouped
from mapperatorinator.evaluation.feature_distance import Floats, SongFeatures, compare
from mapperatorinator.evaluation.options import add_common, chosen_modes, shown
from mapperatorinator.evaluation.song import spread
from mapperatorinator.evaluation.tables import Report
from mapperatorinator.training.classifier_data import held_out_songs

GOAL = 2.0  # times the distance of the human maps
LEAST_SONGS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `evaluate features`."""
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="measure the maps in here")
    add_common(parser, split="val")


def run(given: argparse.Namespace) -> int:
    """Measure and report; returns the exit code."""
    if given.folder is not None and not given.folder.is_dir():
        raise UserError(f"There is no folder {given.folder}.")
    corpus = Corpus(given.corpus)
    report = Report("Distances in the classifier's features", given.seed)
    rows: list[list[object]] = []
    for mode in chosen_modes(given):
        chosen = spread(corpus.select(mode, given.split), given.n)
        if given.folder is not None:
            chosen = [row for row in chosen if (given.folder / Path(row.path).name).is_file()]
        if len({row.song for row in chosen}) < LEAST_SONGS:
            continue
        human = [features(corpus.beatmap(row)) for row in shown(chosen, MODES[mode], len(chosen))]
        ours = human
        if given.folder is not None:
            ours = [features(_read(given.folder / Path(row.path).name), corpus.beatmap(row)) for row in chosen]
        others = reference(corpus, mode, chosen, given.n)
        songs = [row.song for row in chosen]
        found = compare(by_song(songs, ours), by_song(songs, human), others, given.seed)
        if given.folder is None:
            found = {name: value for name, value in found.items() if name.endswith("_floor")}
        report.summary[MODES[mode]] = {"maps": len(chosen), "reference_songs": len(others), **found}
        rows += [[MODES[mode], name.replace("_", ", "), value, len(chosen), _verdict(name, value)]
                 for name, value in found.items()]  # fmt: skip
    if not rows:
        raise UserError(f"There is nothing to measure: no mode has maps of {LEAST_SONGS} songs here.")
    report.table(report.title, ["mode", "distance", "value [95 %]", "maps", ""], rows)
    report.finish(given.json)
    return 0


def features(beatmap: Beatmap | None, instead_of: Beatmap | None = None) -> Floats:
    """The vectors of a map; a failed one (None, or one that cannot be seen) counts as an empty map as long as
    `instead_of`."""
    try:
        if beatmap is not None:
            return _classifier().features(beatmap).astype(float)
    except UserError:
        pass
    length = 1 if instead_of is None else len(features(instead_of))
    return np.repeat(_classifier().nothing().astype(float), length, axis=0)


def by_song(songs: Iterable[str], found: Iterable[Floats]) -> list[SongFeatures]:
    """The vectors of maps gathered by song, in order of the songs' first appearance."""
    pairs = grouped(zip(songs, found, strict=True), lambda pair: pair[0])
    return [SongFeatures(some[0][0], np.concatenate([part for _, part in some])) for some in pairs]


def reference(corpus: Corpus, mode: int, without: Iterable[MapRow], n: int | None = None) -> list[SongFeatures]:
    """Human maps of a mode whose songs the classifier never saw, other than those of `without`."""
    held, used = held_out_songs(corpus.rows), {row.song for row in without}
    rows = [row for row in corpus.select(mode) if row.song in held and row.song not in used]
    rows = spread(rows, n)
    return by_song([row.song for row in rows], [features(corpus.beatmap(row)) for row in rows])


@cache
def _classifier() -> Classifier:
    return Classifier()


def _read(path: Path) -> Beatmap | None:
    try:
        return read_beatmap(path)
    except (OSError, ValueError, UserError):
        return None


def _verdict(name: str, value: Estimate) -> str:
    """Whether a ratio meets the goal; the kernel's floor is about 0, so few songs leave its ratio unsure."""
    if not name.endswith("ratio"):
        return ""
    return "ok" if value.value <= GOAL else "too far" if value.low > GOAL else "unsure"
