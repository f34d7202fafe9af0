"""`evaluate human`: how the human maps of a corpus stand to each other, the scale for all other figures."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from mapperatorinator.evaluation.bootstrap import Estimate, bootstrap
from mapperatorinator.evaluation.ceilings import (
    described_maps,
    f1_estimate,
    floor_scores,
    same_set_scores,
    two_set_scores,
)
from mapperatorinator.evaluation.corpus import MODES, Corpus, MapRow
from mapperatorinator.evaluation.emphasis import NAMES, combined, emphasis
from mapperatorinator.evaluation.options import add_common, chosen_modes
from mapperatorinator.evaluation.patterns import HEADLINE, human_floor
from mapperatorinator.evaluation.song import spread
from mapperatorinator.evaluation.tables import Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `evaluate human`."""
    add_common(parser)


def run(given: argparse.Namespace) -> int:
    """Measure the human maps; returns the exit code."""
    report = Report("Human maps against each other", given.seed)
    corpus = Corpus(given.corpus, keep=1000)  # they are read several times
    for mode in chosen_modes(given):
        rows = spread(corpus.select(mode, given.split), given.n)
        if not rows:
            continue
        summary: dict[str, Any] = {"maps": len(rows), "songs": len({row.song for row in rows})}
        summary["rhythm"] = _rhythm(corpus, rows, given.seed)
        described = described_maps(corpus, rows)
        summary["pattern_floor"] = human_floor(described, seed=given.seed)
        summary["downbeats"] = _emphasis(corpus, rows, given.seed)
        report.summary[MODES[mode]] = summary
        _tables(report, mode, summary)
    report.finish(given.json)
    return 0


def _rhythm(corpus: Corpus, rows: list[MapRow], seed: int) -> dict[str, Estimate]:
    heard = [row for row in rows if row.audio]
    return {
        "random ticks (maps with audio)": f1_estimate(floor_scores(corpus, heard, seed), seed=seed),
        "random ticks (all maps)": f1_estimate(floor_scores(corpus, rows, seed), seed=seed),
        "one set (maps with audio)": f1_estimate(same_set_scores(corpus, heard), seed=seed),
        "one set (all maps)": f1_estimate(same_set_scores(corpus, rows), seed=seed),
        "two sets of one song (all maps)": f1_estimate(two_set_scores(corpus, rows), seed=seed),
    }


def _emphasis(corpus: Corpus, rows: list[MapRow], seed: int) -> dict[str, Estimate]:
    parts = [(row.song, emphasis(corpus.beatmap(row))) for row in rows]

    def share(name: str) -> Estimate:
        return bootstrap(
            parts, lambda some: combined(e for _, e in some).shares()[name], lambda p: p[0], 200, seed
        )

    return {name: share(name) for name in NAMES}


def _tables(report: Report, mode: int, summary: dict[str, Any]) -> None:
    title = f"{MODES[mode]}: {summary['maps']} maps of {summary['songs']} songs"
    rows: list[list[object]] = [[name, estimate, estimate.n] for name, estimate in summary["rhythm"].items()]
    report.table(f"{title}: rhythm F1, pairs at most half a star apart", ["between", "F1 [95 %]", "n"], rows)
    floor = summary["pattern_floor"]
    named = sorted(floor, key=lambda name: (name not in HEADLINE[mode], name))
    patterns: list[list[object]] = [[name, f"{floor[name]:.4f}"] for name in named if np.isfinite(floor[name])]
    report.table(f"{title}: two halves, Jensen-Shannon (bits)", ["pattern", "floor"], patterns)
    downbeats: list[list[object]] = [[name, e, e.n] for name, e in summary["downbeats"].items()]
    report.table(f"{title}: share on downbeats", ["what", "share [95 %]", "maps"], downbeats)
