"""`evaluate stars`: songs x modes x stars through the whole house, and what came out.

Every request walks from the song's file to an .osz, which is read back, checked and given to the independent
readers. A refused or crashed run counts as an error of ten stars.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mapperatorinator.beatmap import Beatmap, read_osz
from mapperatorinator.evaluation.bootstrap import bootstrap, mean
from mapperatorinator.evaluation.corpus import MODES, Corpus, MapRow, grouped
from mapperatorinator.evaluation.options import add_common, chosen_modes, shown
from mapperatorinator.evaluation.readers import Reader, readers
from mapperatorinator.evaluation.request import StarError, median_error, p90_error, star_error
from mapperatorinator.evaluation.song import Song
from mapperatorinator.evaluation.tables import Report
from mapperatorinator.evaluation.validity import Validity, broken_rules, share_valid, validity
from mapperatorinator.timing import Timing


@dataclass(frozen=True)
class Answer:
    """One request and what came of it."""

    song: str
    mode: int
    stars: StarError
    validity: Validity
    seconds: float
    failure: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `evaluate stars`; --n counts songs."""
    add_common(parser)
    parser.set_defaults(n=20)
    parser.add_argument("--stars", nargs="+", type=float, default=[2.0, 4.0, 6.0])
    parser.add_argument("--candidates", type=int, default=None, help="maps drawn per request; default: the product's")
    parser.add_argument("--find-timing", action="store_true", help="find the beat instead of taking the human's")


def run(given: argparse.Namespace) -> int:
    """Make every request; returns the exit code."""
    corpus, report = Corpus(given.corpus), Report("Stars asked against stars got", given.seed)
    songs = one_per_song(corpus.select(split=given.split, with_audio=True), given.n)
    modes, among = chosen_modes(given), readers()
    requests = [(Song(corpus, row), mode, asked) for row in songs for mode in modes for asked in given.stars]
    answers = [
        _ask(song, mode, asked, given, among) for song, mode, asked in shown(requests, "stars", len(requests))
    ]
    report.rows = [_row(answer) for answer in answers]
    table: list[list[object]] = []
    for mode in modes:
        for asked in [*given.stars, None]:
            some = [a for a in answers if a.mode == mode and asked in (None, a.stars.asked)]
            figures = _figures(some, given.seed)
            report.summary.setdefault(MODES[mode], {})["all" if asked is None else f"{asked:g}"] = figures
            label = "all" if asked is None else f"{asked:g}"
            table.append([MODES[mode], label, *(figures[name] for name in _COLUMNS), len(some)])
    report.summary["readers"] = list(among)
    report.table(f"{len(songs)} songs", ["mode", "asked", *_COLUMNS, "n"], table)
    everything = {"broken_rules": broken_rules([a.validity for a in answers])}
    report.summary.update(everything)
    if everything["broken_rules"]:
        report.table("what is wrong", ["rule", "maps"], list(everything["broken_rules"].items()))
    report.finish(given.json)
    return 0


_COLUMNS = ("median error", "p90 error", "mean got", "valid", "seconds", "failures")


def one_per_song(rows: Sequence[MapRow], n: int | None) -> list[MapRow]:
    """One row for each of `n` songs, evenly chosen."""
    songs = [group[0] for group in grouped(sorted(rows, key=lambda row: row.audio), lambda row: row.audio)]
    count = len(songs) if n is None else min(n, len(songs))
    return [songs[int(i * len(songs) / count)] for i in range(count)]


def _ask(song: Song, mode: int, asked: float, given: argparse.Namespace, among: dict[str, Reader]) -> Answer:
    begun = time.perf_counter()
    try:
        beatmap, failure = _generate(song, mode, asked, given), ""
    except Exception as error:  # a crash is a result here
        beatmap, failure = None, f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - begun
    return Answer(song.row.song, mode, star_error(beatmap, asked), validity(beatmap, among), seconds, failure)


def _generate(song: Song, mode: int, asked: float, given: argparse.Namespace) -> Beatmap:
    from mapperatorinator.pipeline import generate
    from mapperatorinator.settings import Settings

    name, content = _as_mp3(song)
    wanted: dict[str, Any] = {} if given.candidates is None else {"candidates": given.candidates}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        settings = Settings(
            audio_path=str(path), output_path=folder, gamemode=mode, difficulty=asked, seed=given.seed, **wanted
        )
        result = generate(settings, timing=_found(song) if given.find_timing else song.timing)
        (beatmap,) = read_osz(Path(result.path)).beatmaps
        return beatmap


@lru_cache(maxsize=1)
def _as_mp3(song: Song) -> tuple[str, bytes]:
    """The song as the game plays it, so that not every request encodes it anew."""
    from mapperatorinator.audio.encode import game_song

    return game_song(song.song_file)


@lru_cache(maxsize=1)
def _found(song: Song) -> Timing:
    from mapperatorinator.timing import find_timing

    return find_timing(song.audio)


def _figures(answers: Sequence[Answer], seed: int) -> dict[str, Any]:
    def over(statistic: Any) -> Any:
        return bootstrap(answers, lambda some: statistic([a.stars for a in some]), lambda a: a.song, seed=seed)

    return {
        "median error": over(median_error),
        "p90 error": over(p90_error),
        "mean got": mean([a.stars.got for a in answers if a.stars.got is not None]),
        "valid": share_valid([a.validity for a in answers]),
        "seconds": mean([a.seconds for a in answers]),
        "failures": sum(bool(a.failure) for a in answers),
    }


def _row(answer: Answer) -> dict[str, Any]:
    return {
        "song": answer.song,
        "mode": MODES[answer.mode],
        "asked": answer.stars.asked,
        "got": answer.stars.got,
        "problems": list(answer.validity.problems),
        "refused": answer.validity.rejected_by,
        "seconds": answer.seconds,
        "failure": answer.failure,
    }
