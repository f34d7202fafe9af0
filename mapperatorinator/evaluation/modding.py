"""`evaluate modding`: mistakes planted into held-out maps, and whether they come first in a review.

Per map one review of the untouched map, one with local mistakes of all kinds in different places, one 15 ms off and
one 0.3 % off in tempo. For each kind the list is that of a map with mistakes of this kind only: what the planted
review says within a second of them, and what the untouched one says elsewhere. Recall is the share of mistakes in
the first ten suggestions; precision the share of the first ten that point at one, of as many as could
(`--each` mistakes of a kind). Rules and surprisals are ranked together, as users see them, but for the rules about
the song's file: the corpus holds transcoded songs.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mapperatorinator.audio import Audio, load_audio
from mapperatorinator.beatmap import Beatmap
from mapperatorinator.checks import REGISTRY, Severity
from mapperatorinator.evaluation.bootstrap import mean
from mapperatorinator.evaluation.calibrate import chosen
from mapperatorinator.evaluation.corpus import MODES, Corpus, MapRow
from mapperatorinator.evaluation.mistakes import GLOBAL, Mistake, mistimed, plant
from mapperatorinator.evaluation.options import add_common, chosen_modes, shown
from mapperatorinator.evaluation.tables import Report as Tables
from mapperatorinator.modding import Report, Suggestion, review
from mapperatorinator.modding.suggestion import ranked

FIRST = 10
THRESHOLDS = (6.0, 8.0, 10.0)
_AROUND_MS = 1000.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `evaluate modding`."""
    add_common(parser, split="val")
    parser.add_argument("--each", type=int, default=2, help="mistakes of a kind in one map")
    parser.add_argument("--quick", action="store_true", help="three maps per mode")


def run(given: argparse.Namespace) -> int:
    """Plant, review and count; returns the exit code."""
    tables, corpus = Tables("Modding", given.seed), Corpus(given.corpus)
    rows_shown: list[list[object]] = []
    quiet: list[list[object]] = []
    for mode in chosen_modes(given):
        rows = chosen(corpus, mode, given.n or (3 if given.quick else 20), given.split)
        if not rows:
            continue
        trials = [_trial(corpus, row, given) for row in shown(rows, MODES[mode], len(rows))]
        figures, untouched = _by_kind(trials), _untouched(trials)
        tables.summary[MODES[mode]] = {"kinds": figures, "untouched": untouched}
        tables.rows += [trial["row"] for trial in trials]
        rows_shown += [[MODES[mode], kind, *figure.values()] for kind, figure in figures.items()]
        quiet.append([MODES[mode], *(untouched[f"from {bits:g}"] for bits in THRESHOLDS), untouched["problems"],
                      untouched["seconds per minute"], len(trials)])  # fmt: skip
    tables.table("planted mistakes", ["mode", "kind", "recall@10", "precision@10", "median rank", "n"], rows_shown)
    names = [f"a minute from {bits:g}" for bits in THRESHOLDS]
    tables.table("untouched maps", ["mode", *names, "problems a map", "s a minute", "maps"], quiet)
    tables.finish(given.json)
    return 0


def _trial(corpus: Corpus, row: MapRow, given: argparse.Namespace) -> dict[str, Any]:
    """One map: hits and ranks by kind, and what the untouched map's review says."""
    rng = np.random.default_rng((given.seed, row.n_objects, int(row.stars * 1000)))
    path = corpus.audio_path(row)
    assert path is not None, "only maps with a song are chosen"
    beatmap, audio = corpus.beatmap(row), load_audio(path)
    started = time.process_time()
    plain = _review(beatmap, audio)
    seconds = time.process_time() - started
    outcomes: dict[str, list[tuple[int, float, int]]] = defaultdict(list)
    made, mistakes = plant(beatmap, given.each, rng)
    after = _review(made, audio)
    for kind in dict.fromkeys(mistake.kind for mistake in mistakes):
        some = [mistake for mistake in mistakes if mistake.kind == kind]
        outcomes[kind].append(_outcome(_composed(plain, after, some), some))
    for kind in GLOBAL:
        outcomes[kind].append(_mistimed(beatmap, audio, kind, rng))
    problems = Counter(s.source for s in plain.suggestions if s.severity == Severity.PROBLEM)
    tops = [f"{s.weight:.1f} {s.source} {s.timestamp} {s.message}" for s in plain.top(FIRST)]
    shown_row = {"mode": MODES[row.mode], "map": row.path, "title": f"{row.title} [{row.difficulty_name}]",
                 "problems": dict(problems), "top": tops, "kinds": dict(outcomes)}  # fmt: skip
    return {"row": shown_row, "outcomes": outcomes, "report": plain, "seconds": seconds, "problems": problems}


def _review(beatmap: Beatmap, audio: Audio) -> Report:
    report = review(beatmap, audio)
    told = (one for one in report.suggestions if one.severity is None or not REGISTRY[one.source].needs_audio)
    return replace(report, suggestions=tuple(told))


def _mistimed(beatmap: Beatmap, audio: Audio, kind: str, rng: np.random.Generator) -> tuple[int, float, int]:
    made, mistake = mistimed(beatmap, kind, rng)
    return _outcome(_review(made, audio).suggestions, [mistake])


def _composed(plain: Report, after: Report, mistakes: Sequence[Mistake]) -> list[Suggestion]:
    """What a review of a map with only these mistakes would say."""
    times = np.array([time for mistake in mistakes for time in mistake.times])

    def near(one: Suggestion) -> bool:
        return one.time is not None and bool((np.abs(times - one.time) <= _AROUND_MS).any())

    return [one for one in after.suggestions if near(one)] + [one for one in plain.suggestions if not near(one)]


def _outcome(suggestions: Sequence[Suggestion], mistakes: Sequence[Mistake]) -> tuple[int, float, int]:
    """How many of the mistakes are in the first ten, the median place of their first suggestions, their number."""
    order = ranked(suggestions)
    places = [
        next((i for i, one in enumerate(order) if mistake.found_by(one.time, one.topic)), len(order))
        for mistake in mistakes
    ]
    return sum(place < FIRST for place in places), float(np.median(places)) + 1, len(mistakes)


def _by_kind(trials: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    kinds: dict[str, list[tuple[int, float, int]]] = defaultdict(list)
    for trial in trials:
        for kind, outcomes in trial["outcomes"].items():
            kinds[kind] += outcomes
    return {
        kind: {
            "recall": sum(hits for hits, _, _ in some) / sum(count for *_, count in some),
            "precision": mean([hits / FIRST for hits, _, _ in some]),
            "median_rank": float(np.median([place for _, place, _ in some])),
            "n": sum(count for *_, count in some),
        }
        for kind, some in kinds.items()
    }


def _untouched(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    minutes = sum(trial["report"].minutes for trial in trials)
    surprisals = [s.surprisal for trial in trials for s in trial["report"].suggestions if s.surprisal is not None]
    problems: Counter[str] = sum((trial["problems"] for trial in trials), Counter())
    return {
        **{f"from {bits:g}": sum(s >= bits for s in surprisals) / minutes for bits in THRESHOLDS},
        "problems": sum(problems.values()) / len(trials),
        "problems by check": dict(problems),
        "seconds per minute": sum(trial["seconds"] for trial in trials) / minutes,
    }
