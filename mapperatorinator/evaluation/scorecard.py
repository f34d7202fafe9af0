"""From the figures of single maps to the rows of the quality sheet, each with its 95 % interval over songs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mapperatorinator.evaluation.bootstrap import Estimate, bootstrap, mean
from mapperatorinator.evaluation.ceilings import Scored, f1_estimate
from mapperatorinator.evaluation.corpus import MODES
from mapperatorinator.evaluation.emphasis import gap_in_points
from mapperatorinator.evaluation.feature_distance import SongFeatures, compare
from mapperatorinator.evaluation.features import by_song
from mapperatorinator.evaluation.figures import Figures
from mapperatorinator.evaluation.patterns import HEADLINE, Described, distances, human_floor
from mapperatorinator.evaluation.request import median_error, p90_error
from mapperatorinator.evaluation.rhythm import f1_of, hearing, total
from mapperatorinator.evaluation.tables import Report
from mapperatorinator.evaluation.validity import broken_rules, share_valid

PATTERN_GOAL = 1.5  # times the distance between two halves of the human maps


@dataclass(frozen=True)
class Context:
    """What the figures of one mode are held against.

    human : figures of the human maps of the same songs. ceiling : F1 of two human maps. floor : scores of
    random ticks. others : patterns of all human maps of other songs (may be empty). reference : features of those of
    them that the classifier was not trained on (may be empty).
    """

    mode: int
    human: Sequence[Figures]
    ceiling: Estimate
    floor: Sequence[Scored]
    others: Sequence[Described] = field(default=(), repr=False)
    reference: Sequence[SongFeatures] = field(default=(), repr=False)
    seed: int = 0


def scorecard(figures: Sequence[Figures], deaf: Sequence[Figures] | None, context: Context) -> dict[str, Any]:
    """All rows of one mapper; `deaf` are the figures of the deaf network on the same songs."""

    def over(statistic: Callable[[Sequence[Figures]], float]) -> Estimate:
        return bootstrap(figures, statistic, lambda f: f.song, seed=context.seed)

    checked = [f.validity for f in figures if f.validity is not None]
    return {
        "maps": len(figures),
        "failures": sum(bool(f.failure) for f in figures),
        "f1": over(lambda some: f1_of([f.rhythm for f in some])),
        "hearing": _hearing(figures, deaf, context),
        "density": over(lambda some: total(f.rhythm for f in some).density),
        "objects": over(lambda some: mean([f.objects for f in some])),
        "patterns": pattern_rows(figures, context),
        "emphasis_points": gap_in_points([f.emphasis for f in figures], [f.emphasis for f in context.human]),
        "structure": over(lambda some: float(np.median([f.structure for f in some]))),
        **feature_rows(figures, context),
        "coverage": over(lambda some: mean([f.coverage for f in some])),
        "covered_95": over(lambda some: mean([f.coverage >= 0.95 for f in some])),
        "star_error_median": over(lambda some: median_error([f.stars for f in some])),
        "star_error_p90": over(lambda some: p90_error([f.stars for f in some])),
        "valid": share_valid(checked),
        "warnings_per_minute": mean([v.warnings_per_minute for v in checked]),
        "broken_rules": broken_rules(checked),
        "longest_copy": max((f.longest_copy for f in figures if f.longest_copy is not None), default=None),
        "seconds": over(lambda some: mean([f.seconds for f in some])),
    }


def _hearing(figures: Sequence[Figures], deaf: Sequence[Figures] | None, context: Context) -> Estimate:
    """Hearing with its interval: songs are drawn for the hearing and the deaf maps together."""
    if deaf is None:
        return bootstrap([], lambda _: 0.0)
    both = list(zip(figures, deaf, strict=True))

    def statistic(some: Sequence[tuple[Figures, Figures]]) -> float:
        here, there = f1_of([f.rhythm for f, _ in some]), f1_of([d.rhythm for _, d in some])
        return hearing(here, there, context.ceiling.value)

    return bootstrap(both, statistic, lambda pair: pair[0].song, seed=context.seed)


def feature_rows(figures: Sequence[Figures], context: Context) -> dict[str, Estimate]:
    """Distances in the classifier's features to the human maps of other songs, and how many times the humans' own."""
    if len(context.reference) < 2:
        return {}
    ours, human = (by_song((f.song for f in some), (f.features for f in some)) for some in (figures, context.human))
    return compare(ours, human, context.reference, context.seed)


def pattern_rows(figures: Sequence[Figures], context: Context) -> dict[str, dict[str, float]]:
    """Per pattern: distance to the human maps of the same songs, the floor, their ratio, distance to all others."""
    ours, theirs = [f.described for f in figures], [f.described for f in context.human]
    apart, floor = distances(ours, theirs), human_floor(theirs, seed=context.seed)
    elsewhere = distances(ours, context.others) if context.others else {}
    human = distances(theirs, context.others) if context.others else {}
    nothing = float("nan")
    return {
        name: {
            "distance": apart[name],
            "floor": floor.get(name, nothing),
            "ratio": apart[name] / floor[name] if floor.get(name) else nothing,
            "to_other_songs": elsewhere.get(name, nothing),
            "human_to_other_songs": human.get(name, nothing),
        }
        for name in sorted(apart, key=lambda name: (name not in HEADLINE[context.mode], name))
    }


def add_tables(report: Report, context: Context, cards: dict[str, dict[str, Any]]) -> None:
    """The tables of one mode: the rows of the sheet by mapper, then the patterns of each mapper."""
    title = f"{MODES[context.mode]}: {len(context.human)} maps of {len({f.song for f in context.human})} songs"
    human = scorecard(context.human, None, context)
    columns = {**cards, "human": human}
    rows: list[list[object]] = [[row, *(_show(card, row) for card in columns.values())] for row in _ROWS]
    floor = f1_estimate(context.floor, seed=context.seed)
    rows.insert(0, [f"(F1: random ticks {floor.value:.3f}, two human maps {context.ceiling.value:.3f})"])
    report.table(title, ["", *columns], [[*row, *[""] * (len(columns) + 1 - len(row))] for row in rows])
    name, card = next(iter(cards.items()))  # the others are in the JSON
    patterns: list[list[object]] = [
        [pattern, *(f"{value:.4f}" if np.isfinite(value) else "–" for value in row.values()), _verdict(row)]
        for pattern, row in card["patterns"].items()
    ]
    heads = ["pattern (bits)", "to human", "floor", "ratio", "to other songs", "human to others", ""]
    report.table(f"{title}: {name}", heads, patterns)
    broken = [(name, rule, n) for name, card in cards.items() for rule, n in card["broken_rules"].items()]
    if broken:
        report.table(f"{title}: what is wrong", ["mapper", "rule", "maps"], broken)
    report.summary[MODES[context.mode]]["human"] = human
    report.summary[MODES[context.mode]]["floor_f1"] = floor
    report.summary[MODES[context.mode]]["ceiling_f1"] = context.ceiling


_ROWS = (
    "f1", "hearing", "density", "objects", "emphasis_points", "structure", "frechet", "frechet_ratio", "kernel",
    "kernel_ratio", "coverage", "covered_95",
    "star_error_median", "star_error_p90", "valid", "warnings_per_minute", "longest_copy", "failures", "seconds",
)  # fmt: skip


def _show(card: dict[str, Any], row: str) -> object:
    value = card.get(row)
    if row == "emphasis_points" and isinstance(value, dict):
        return ", ".join(f"{name.split()[0]} {points:+.0f}" for name, points in value.items())
    return value


def _verdict(row: dict[str, float]) -> str:
    if not np.isfinite(row["ratio"]):
        return ""
    return "ok" if row["ratio"] <= PATTERN_GOAL else "too far"
