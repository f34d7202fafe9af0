"""`evaluate validity [DIR]`: rules broken and files refused, for the maps of a folder or for ones made on the spot.

Warnings are held against human maps of the same mode and stars. Maps made on the spot are made twice, and
both must be the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mapperatorinator.beatmap import Beatmap, read_beatmap, read_osz, star_rating, write_beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.bootstrap import bootstrap, mean
from mapperatorinator.evaluation.corpus import MODES, Corpus
from mapperatorinator.evaluation.mappers import attempt, named
from mapperatorinator.evaluation.options import add_common, chosen_modes, shown
from mapperatorinator.evaluation.patterns import STAR_BINS
from mapperatorinator.evaluation.readers import readers
from mapperatorinator.evaluation.song import Song, spread
from mapperatorinator.evaluation.tables import Report
from mapperatorinator.evaluation.validity import Validity, broken_rules, share_valid, validity

HUMANS = 40  # human maps per mode that warnings are compared with
Judged = tuple[str, float, Validity]  # name of the map or song, stars, what is wrong with it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `evaluate validity`."""
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help=".osu and .osz files in here")
    add_common(parser, split="val")
    parser.add_argument("--candidates", type=int, default=1)


def run(given: argparse.Namespace) -> int:
    """Judge the maps; returns the exit code."""
    report = Report("Validity", given.seed)
    among = readers()
    corpus = Corpus(given.corpus)
    table: list[list[object]] = []
    for mode in chosen_modes(given):
        failures: dict[str, str] = {}
        made, repeated = (
            _from_folder(given, mode) if given.folder else _on_the_spot(given, corpus, mode, failures)
        )
        judged = [(name, _stars(beatmap), validity(beatmap, among)) for name, beatmap in made]
        if not judged:
            continue
        human = _human_warnings(corpus, mode)
        figures = {**_figures(judged, human, given.seed), "same bytes": repeated}
        report.summary[MODES[mode]] = figures
        report.rows += [_row(mode, *one) for one in judged]
        table.append([MODES[mode], *(figures[name] for name in _COLUMNS), len(judged)])
        if broken := figures["broken_rules"]:
            report.table(f"{MODES[mode]}: what is wrong", ["rule", "maps"], list(broken.items()))
        if failures:
            report.table(f"{MODES[mode]}: failed runs", ["map", "why"], list(failures.items()))
    if not table:
        raise UserError("There is no map of these modes to judge.")
    report.summary["readers"] = list(among)
    report.table(f"maps, read by {', '.join(among)}", ["mode", *_COLUMNS, "n"], table)
    report.finish(given.json)
    return 0


_COLUMNS = ("valid", "warnings/min", "human warnings/min", "below human median", "same bytes")


def _from_folder(given: argparse.Namespace, mode: int) -> tuple[list[tuple[str, Beatmap | None]], None]:
    maps = [(name, beatmap) for name, beatmap in _maps_in(given.folder) if beatmap is None or beatmap.mode == mode]
    return maps, None


def _maps_in(folder: Path) -> Iterator[tuple[str, Beatmap | None]]:
    """All maps under a folder; a file that cannot be read is a failed map."""
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}.")
    for path in sorted(folder.rglob("*.os[uz]")):
        try:
            maps = read_osz(path).beatmaps if path.suffix == ".osz" else [read_beatmap(path)]
        except (UserError, OSError, ValueError):
            yield path.name, None
            continue
        for beatmap in maps:
            yield f"{path.name} [{beatmap.difficulty_name}]", beatmap


def _on_the_spot(
    given: argparse.Namespace, corpus: Corpus, mode: int, failures: dict[str, str]
) -> tuple[list[tuple[str, Beatmap | None]], float]:
    """Maps of the split's songs, and the share of them whose second run gave the same bytes."""
    made, same = [], []
    rows = spread(corpus.select(mode, given.split, with_audio=True), given.n)
    for row in shown(rows, MODES[mode], len(rows)):
        song = Song(corpus, row)
        first, second = (attempt(named("sampled", given.seed, given.candidates), song) for _ in range(2))
        made.append((row.song, first.beatmap))
        if first.failure:
            failures[row.path] = first.failure
        same.append(first.beatmap is not None and _bytes(first.beatmap) == _bytes(second.beatmap))
    return made, mean(same)


def _bytes(beatmap: Beatmap | None) -> str:
    text = write_beatmap(beatmap) if beatmap is not None else ""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _stars(beatmap: Beatmap | None) -> float:
    return star_rating(beatmap) if beatmap is not None and beatmap.hit_objects else 0.0


def _bin(stars: float) -> int:
    return int(np.searchsorted(STAR_BINS, stars, side="right"))


def _human_warnings(corpus: Corpus, mode: int) -> dict[int, list[float]]:
    """Warnings per minute of human maps by bin of stars."""
    found: dict[int, list[float]] = {}
    for row in spread(corpus.select(mode), HUMANS):
        judged = validity(corpus.beatmap(row), {})
        found.setdefault(_bin(row.stars), []).append(judged.warnings_per_minute)
    return found


def _figures(judged: Sequence[Judged], human: dict[int, list[float]], seed: int) -> dict[str, Any]:
    medians = {star_bin: float(np.median(values)) for star_bin, values in human.items()}
    everyone = [v for values in human.values() for v in values]
    overall = float(np.median(everyone)) if everyone else float("nan")
    ours = [v.warnings_per_minute if v.minutes else float("inf") for _, _, v in judged]
    beside = [medians.get(_bin(stars), overall) for _, stars, _ in judged]
    return {
        "valid": bootstrap(judged, lambda some: share_valid([v for *_, v in some]), lambda j: j[0], seed=seed),
        "warnings/min": float(np.median(ours)),
        "human warnings/min": float(np.median(beside)),
        "below human median": mean([a <= b for a, b in zip(ours, beside, strict=True)]),
        "broken_rules": broken_rules([v for *_, v in judged]),
    }


def _row(mode: int, name: str, stars: float, judged: Validity) -> dict[str, Any]:
    return {
        "mode": MODES[mode],
        "map": name,
        "stars": stars,
        "problems": list(judged.problems),
        "warnings_per_minute": judged.warnings_per_minute,
        "refused": judged.rejected_by,
    }
