"""Rules about osu!catch: hyperdashes, dashes, spinners and combos."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby

from ..beatmap import Spinner
from .catch_objects import CatchKind, CatchObject, Movement
from .issue import MINOR, PROBLEM, WARNING, Finding, minor, problem, warning
from .levels import Level
from .registry import CATCH, Category, check
from .view import MapView

# Ranking criteria, osu!catch, all in ms.
SPINNER_BEFORE = {Level.EASY: 250, Level.NORMAL: 250, Level.HARD: 125, Level.INSANE: 125}
SPINNER_AFTER = {Level.EASY: 250, Level.NORMAL: 250, Level.HARD: 250, Level.INSANE: 125}
SPINNER_BEFORE_HARDER, SPINNER_AFTER_HARDER = 62, 125
HYPERDASH_GAP = {Level.HARD: 125, Level.INSANE: 62}
DASH_GAP = {Level.EASY: math.inf, Level.NORMAL: 125, Level.HARD: 62}
# Below this gap a movement is “higher-snapped”: hyperdashes of Platters, anything in Rains.
HIGHER_SNAPPED = {Level.HARD: 250, Level.INSANE: 125}

# Most hyperdashes in a row: basic-snapped, higher-snapped, within a slider.
HYPERDASHES_BASIC = {Level.HARD: 2, Level.INSANE: 4}
HYPERDASHES_HIGHER = 1
HYPERDASHES_SLIDER = {Level.HARD: 2, Level.INSANE: 2}

# Most fruits per combo; half as many again are a warning.
MAX_COMBO = {Level.EASY: 8, Level.NORMAL: 10, Level.HARD: 12}
MAX_COMBO_HARDER = 16
FAR_TOO_LONG = 1.5

# Px by which a dash must miss becoming a hyperdash, when there are 300 ms or more (MV, CheckHasEdgeDash).
EDGE_DASH, STRONG_DASH = 10.0, 50.0
EDGE_TIME, EDGE_CURVE = 300.0, 0.75

SAME_SNAP = 4.0  # ms
ANTIFLOW = 10.0  # px of turning back that are free
GAP_LENIENCY = 1.0  # ms, rounding of times


def _hyperdashes(view: MapView) -> Iterator[tuple[CatchObject, CatchObject]]:
    """Every hyperdash as (where it starts, where it leads)."""
    for item, following in zip(view.catch_objects, view.catch_objects[1:], strict=False):
        if item.movement is Movement.HYPERDASH:
            yield item, following


@check(
    "catch_hyperdash", Category.COMPOSE, "A hyperdash in a Cup or Salad, or inside a slider in a Platter.",
    "MV CheckHasHyperdash", (PROBLEM,), modes=(CATCH,), levels=(Level.EASY, Level.NORMAL, Level.HARD), gate=True,
)  # fmt: skip
def catch_hyperdash(view: MapView) -> Iterator[Finding]:
    for item, _ in _hyperdashes(view):
        if view.level < Level.HARD:
            yield problem(f"{item.kind.value} is a hyperdash.", item.time, item.source)
        elif item.kind not in (CatchKind.FRUIT, CatchKind.TAIL):
            yield problem(f"{item.kind.value} is a hyperdash inside a slider.", item.time, item.source)


@check(
    "catch_hyperdash_gap", Category.COMPOSE, "A hyperdash leaves less time than the level allows.",
    "MV CheckHyperdashSnap", (PROBLEM,), modes=(CATCH,), levels=HYPERDASH_GAP, gate=True,
)  # fmt: skip
def catch_hyperdash_gap(view: MapView) -> Iterator[Finding]:
    for item, following in _hyperdashes(view):
        gap = following.time - item.time
        if 0 < gap < HYPERDASH_GAP[view.level] - GAP_LENIENCY:
            least = HYPERDASH_GAP[view.level]
            yield problem(
                f"A hyperdash of {gap:.0f} ms; at least {least} are needed.", item.time, item.source
            )


@check(
    "catch_hyperdash_run", Category.COMPOSE, "Too many hyperdashes follow each other.",
    "MV CheckConsecutiveHyperdash", (PROBLEM, WARNING), modes=(CATCH,), levels=HYPERDASHES_BASIC, gate=True,
)  # fmt: skip
def catch_hyperdash_run(view: MapView) -> Iterator[Finding]:
    items = view.catch_objects
    # An Overdose of a name of its own may have few enough stars for a Rain, which allows less.
    say = warning if view.stated_level is None else problem
    for is_hyper, run in groupby(range(len(items)), key=lambda k: items[k].movement is Movement.HYPERDASH):
        members = list(run)
        if not is_hyper:
            continue
        first = items[members[0]]
        inside = any(items[k].kind not in (CatchKind.FRUIT, CatchKind.TAIL) for k in members)
        most = HYPERDASHES_SLIDER[view.level] if inside else HYPERDASHES_BASIC[view.level]
        if any(_is_higher_snapped(view, items[k], items[k + 1]) for k in members):
            most = HYPERDASHES_HIGHER
        if len(members) > most:
            yield say(
                f"{len(members)} hyperdashes in a row; at most {most} here.", first.time, first.source
            )


def _is_higher_snapped(view: MapView, item: CatchObject, following: CatchObject) -> bool:
    return following.time - item.time < HIGHER_SNAPPED[view.level] - GAP_LENIENCY


@check(
    "catch_dash", Category.COMPOSE, "A dash in a Cup, or one that leaves less time than a Salad or Platter allows.",
    "ranking criteria", (WARNING,), modes=(CATCH,), levels=DASH_GAP,
)  # fmt: skip
def catch_dash(view: MapView) -> Iterator[Finding]:
    for item, following in zip(view.catch_objects, view.catch_objects[1:], strict=False):
        gap = following.time - item.time
        if item.movement is Movement.DASH and gap < DASH_GAP[view.level] - GAP_LENIENCY:
            yield warning(f"{item.kind.value} needs a dash of {gap:.0f} ms.", item.time, item.source)


def _shrunk(pixels: float, milliseconds: float) -> float:
    """`pixels` for a movement of 300 ms, fewer for a faster one."""
    share = min(max(milliseconds, 0.0), EDGE_TIME) / EDGE_TIME
    return round(pixels * (1 - (1 - share) ** EDGE_CURVE))


@check(
    "catch_edge_dash", Category.COMPOSE, "A dash misses becoming a hyperdash by a few pixels.", "MV CheckHasEdgeDash",
    (PROBLEM, WARNING, MINOR), modes=(CATCH,),
    levels=(Level.NORMAL, Level.HARD, Level.INSANE, Level.EXPERT, Level.ULTRA), gate=True,
)  # fmt: skip
def catch_edge_dash(view: MapView) -> Iterator[Finding]:
    edge = problem if view.level <= Level.HARD else warning if view.level is Level.INSANE else minor
    for item, following in zip(view.catch_objects, view.catch_objects[1:], strict=False):
        if item.movement is not Movement.DASH:
            continue
        missing, gap = math.ceil(item.to_hyperdash), following.time - item.time
        if missing <= _shrunk(STRONG_DASH, gap):
            say = edge if missing <= _shrunk(EDGE_DASH, gap) else minor
            yield say(f"{item.kind.value} is {missing} px from a hyperdash.", item.time, item.source)


@check(
    "catch_platter_antiflow", Category.COMPOSE, "A fast hyperdash is followed by a walk back.",
    "MV CheckPlatterHigherSnappedHyperdash", (WARNING,), modes=(CATCH,), levels=(Level.HARD,),
)  # fmt: skip
def catch_platter_antiflow(view: MapView) -> Iterator[Finding]:
    items = view.catch_objects
    for item, landing, after in zip(items, items[1:], items[2:], strict=False):
        fast = item.movement is Movement.HYPERDASH and _is_higher_snapped(view, item, landing)
        turns_back = landing.movement is Movement.WALK and landing.direction == -item.direction != 0
        if fast and turns_back and abs(after.x - landing.x) > ANTIFLOW:
            yield warning("A fast hyperdash is followed by a walk back.", item.time, item.source)


@check(
    "catch_rain_mixed_snaps", Category.COMPOSE, "Hyperdashes in a row have different gaps.",
    "MV CheckRainConsistentHyperdashSnaps", (WARNING,), modes=(CATCH,), levels=(Level.INSANE,),
)  # fmt: skip
def catch_rain_mixed_snaps(view: MapView) -> Iterator[Finding]:
    items = view.catch_objects
    for item, second, third in zip(items, items[1:], items[2:], strict=False):
        both = item.movement is Movement.HYPERDASH and second.movement is Movement.HYPERDASH
        gaps = second.time - item.time, third.time - second.time
        basic = not any(gap < HIGHER_SNAPPED[view.level] - GAP_LENIENCY for gap in gaps)
        if both and basic and abs(gaps[0] - gaps[1]) > SAME_SNAP:
            yield warning(
                f"Hyperdashes of {gaps[0]:.0f} and {gaps[1]:.0f} ms in a row.", item.time, item.source
            )


@check(
    "catch_rain_slider_hyperdash", Category.COMPOSE, "A slider's turn or drop is a hyperdash.",
    "MV CheckRainHyperdashSlider", (WARNING,), modes=(CATCH,), levels=(Level.INSANE,),
)  # fmt: skip
def catch_rain_slider_hyperdash(view: MapView) -> Iterator[Finding]:
    for item, _ in _hyperdashes(view):
        if item.kind in (CatchKind.DROPLET, CatchKind.REPEAT):
            yield warning(f"{item.kind.value} is a hyperdash.", item.time, item.source)


@check(
    "catch_spinner_gap", Category.COMPOSE,
    "A spinner starts too soon after an object, or ends too shortly before one.",
    "MV CheckSpinnerGap; lazer CheckBananaShowerGap", (PROBLEM,), modes=(CATCH,), gate=True,
)  # fmt: skip
def catch_spinner_gap(view: MapView) -> Iterator[Finding]:
    before = SPINNER_BEFORE.get(view.level, SPINNER_BEFORE_HARDER)
    after = SPINNER_AFTER.get(view.level, SPINNER_AFTER_HARDER)
    for i in range(len(view.objects) - 1):
        gap = round(view.starts[i + 1]) - round(view.ends[i])
        first, second = (isinstance(view.objects[k], Spinner) for k in (i, i + 1))
        if first and not second and gap < after - GAP_LENIENCY:
            yield problem(f"Only {gap} ms after the spinner; {after} are needed.", None, i, i + 1)
        elif second and not first and gap < before - GAP_LENIENCY:
            yield problem(f"Only {gap} ms before the spinner; {before} are needed.", None, i, i + 1)


@check(
    "catch_no_spinner", Category.COMPOSE, "There is no spinner.", "MV CheckHasSpinner", (MINOR,), modes=(CATCH,),
)  # fmt: skip
def catch_no_spinner(view: MapView) -> Iterator[Finding]:
    if view.objects and not any(isinstance(obj, Spinner) for obj in view.objects):
        yield minor("There is no spinner.")


@check(
    "catch_max_combo", Category.COMPOSE, "A combo has more fruits than the level's guideline.", "MV CheckMaxCombo",
    (WARNING, MINOR), modes=(CATCH,),
)  # fmt: skip
def catch_max_combo(view: MapView) -> Iterator[Finding]:
    most = MAX_COMBO.get(view.level, MAX_COMBO_HARDER)
    fruits = [0] * len(view.objects)
    for item in view.catch_objects:
        fruits[item.source] += item.kind is not CatchKind.DROPLET
    first = 0
    for i in range(1, len(view.objects) + 1):
        if i < len(view.objects) and view.combos[i][1] != 1 and not isinstance(view.objects[i], Spinner):
            continue
        total = sum(fruits[first:i])
        if total > most:
            say = warning if total > most * FAR_TOO_LONG else minor
            yield say(f"A combo of {total} fruits; the guideline is {most}.", None, first)
        first = i
