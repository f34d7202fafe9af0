"""Rules about what osu!taiko difficulties of a set share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from ..beatmap import Circle
from .issue import MINOR, PROBLEM, WARNING, Finding, minor, problem, warning
from .levels import Level
from .lines import OMIT_BARLINE
from .registry import TAIKO, Category, set_check
from .taiko import EPSILON, beat_at
from .view import MapView

# Patterns: (gap in beats, most notes); in Futsuu fewer where the set has no Kantan.
PATTERNS = {
    Level.EASY: ((1.0, 7), (1 / 2, 2)),
    Level.NORMAL: ((1 / 2, 7), (1 / 3, 2)),
    Level.HARD: ((1 / 4, 5), (1 / 6, 4)),
    Level.INSANE: ((1 / 4, 9), (1 / 6, 4), (1 / 8, 2)),
}
FUTSUU_WITHOUT_KANTAN = ((1 / 2, 5), (1 / 3, 2))


@set_check(
    "taiko_pattern_length", Category.COMPOSE, "A fast pattern is as long as the level allows, or longer.",
    "MV CheckPatternLength", (WARNING, MINOR), modes=(TAIKO,),
)  # fmt: skip
def taiko_pattern_length(views: Sequence[MapView]) -> Iterator[Finding]:
    has_kantan = any(view.level is Level.EASY for view in views)
    for n, view in enumerate(views):
        rules = PATTERNS.get(view.level, ())
        if view.level is Level.NORMAL and not has_kantan:
            rules = FUTSUU_WITHOUT_KANTAN
        notes = [i for i, obj in enumerate(view.objects) if isinstance(obj, Circle)]
        for beats, most in rules:
            for first, count in _runs(view, notes, beats):
                if count >= most:
                    say = warning if count > most else minor
                    finding = say(f"{count} notes at gaps of {beats:.3g} beats or less.", None, first)
                    yield finding._replace(difficulty=n)


def _runs(view: MapView, notes: list[int], beats: float) -> Iterator[tuple[int, int]]:
    """(first note, how many) of every run of notes whose gaps are at most `beats`."""
    fast = [
        view.starts[j] - view.starts[i] <= beat_at(view, i) * beats + EPSILON
        for i, j in zip(notes, notes[1:], strict=False)
    ]
    for is_fast, run in groupby(range(len(fast)), key=lambda k: fast[k]):
        members = list(run)
        if is_fast:
            yield notes[members[0]], len(members) + 1


@set_check(
    "taiko_kiai_consistency", Category.COMPOSE, "Kiai differs between difficulties.", "MV CheckKiaiConsistency",
    (MINOR,), modes=(TAIKO,),
)  # fmt: skip
def taiko_kiai_consistency(views: Sequence[MapView]) -> Iterator[Finding]:
    groups: dict[tuple[float, ...], list[str]] = {}
    for view in views:
        key = tuple(time for time, _ in view.kiai_toggles)
        groups.setdefault(key, []).append(view.beatmap.difficulty_name)
    if len(groups) > 1:
        for names in groups.values():
            yield minor(f"Kiai of its own: {', '.join(names)}.")


@set_check(
    "taiko_bar_lines", Category.TIMING, "A bar line is omitted in one difficulty only.",
    "MV CheckInconsistentBarLines", (PROBLEM,), modes=(TAIKO,), gate=True,
)  # fmt: skip
def taiko_bar_lines(views: Sequence[MapView]) -> Iterator[Finding]:
    for n, view in enumerate(views[1:], 1):
        for line in views[0].red_lines:
            same = [other for other in view.red_lines if abs(other.time - line.time) < 1.0]
            if same and (same[0].effects ^ line.effects) & OMIT_BARLINE:
                finding = problem(
                    f"The bar line is shown here or in {views[0].beatmap.difficulty_name} only.", line.time
                )
                yield finding._replace(difficulty=n)


@set_check(
    "taiko_background_offset", Category.SETTINGS, "The background is shifted differently, or sideways.",
    "MV CheckBgOffsetIssues", (WARNING,), modes=(TAIKO,),
)  # fmt: skip
def taiko_background_offset(views: Sequence[MapView]) -> Iterator[Finding]:
    offsets = {view.beatmap.background_offset for view in views if view.beatmap.background}
    if len(offsets) > 1:
        yield warning("The background offset differs between difficulties.")
    if any(x != 0 for x, _ in offsets):
        yield warning("The background is shifted sideways, which leaves black gaps.")


@set_check(
    "taiko_base_velocity", Category.SETTINGS, "The base slider velocity goes up and down over the difficulties.",
    "MV CheckBaseSvProgression", (WARNING,), modes=(TAIKO,),
)  # fmt: skip
def taiko_base_velocity(views: Sequence[MapView]) -> Iterator[Finding]:
    order = sorted(range(len(views)), key=lambda n: (views[n].level, views[n].stars))
    values = [round(views[n].beatmap.slider_multiplier, 2) for n in order]
    steps = list(zip(values, values[1:], strict=False))
    falls, rises = sum(b < a for a, b in steps), sum(b > a for a, b in steps)
    if not falls or not rises:
        return
    for n, (before, value) in zip(order[1:], steps, strict=True):
        if (value < before) if falls <= rises else (value > before):
            finding = warning(f"The base velocity {value:g} follows {before:g} of the difficulty below.")
            yield finding._replace(difficulty=n)
