"""Rules about difficulty settings: legal values, and what suits a level or a star rating."""

from __future__ import annotations

import math
from collections.abc import Iterator

from .issue import MINOR, PROBLEM, WARNING, Finding, minor, problem, warning
from .levels import Level
from .registry import ALL_MODES, CATCH, MANIA, OSU, TAIKO, Category, check
from .view import MapView

SETTING_LIMITS = (0.0, 10.0)
KEY_COUNTS = frozenset((*range(4, 11), 12, 14, 16, 18))  # ranking criteria, osu!mania
MULTIPLIER_LIMITS = (0.4, 3.6)  # slider multiplier: the game clips to this
FRACTIONAL_TICK_RATES = (0.5, 4 / 3, 1.5)  # ranking criteria; besides whole numbers
TICK_RATE_LIMITS = (0.5, 8.0)  # the game clips to this
PRECISION = 1e-3  # within which a tick rate is one of the above

Range = tuple[float, float]
FREE = (0.0, 10.0)

# Guideline ranges per level Easy..Expert (ranking criteria; Mapset Verifier, CheckDiffSettings*).
OSU_RANGES: dict[str, tuple[Range, ...]] = {
    "AR": ((0, 5), (4, 6), (6, 8), (7, 9.3), (8, 10)),
    "OD": ((1, 3), (3, 5), (5, 7), (7, 9), (8, 10)),
    "HP": ((1, 3), (3, 5), (4, 6), (5, 8), (5, 10)),
    "CS": ((0, 4), (0, 5), (0, 6), (0, 7), (0, 7)),
}
CATCH_RANGES: dict[str, tuple[Range, ...]] = {
    "AR": ((0, 6), (0, 7), (0, 8), (0, 9), (9, 10)),
    "OD": ((0, 6), (0, 7), (0, 8), (0, 9), (9, 10)),
    "HP": ((2, 3), (3, 4), (4, 5), (5, 6), (5, 10)),
    "CS": ((0, 2.5), (0, 3), (0, 3.5), (0, 4), (4, 10)),
}
MANIA_MAXIMUM = {Level.EASY: 7.0, Level.NORMAL: 7.5, Level.HARD: 8.0}  # of HP and OD

TAIKO_OD = {Level.EASY: 3.0, Level.NORMAL: 4.0, Level.HARD: 5.0, Level.INSANE: 5.5}
TAIKO_OD_LENIENCY, TAIKO_HP_LENIENCY = 0.5, 1.0
TAIKO_DRAIN_BANDS = (60_000.0, 225_000.0, 285_000.0)  # ms; HP depends on which band the drain is in
TAIKO_HP = {
    Level.EASY: (9.0, 8.0, 7.0, 6.0),
    Level.NORMAL: (8.0, 7.0, 6.0, 5.0),
    Level.HARD: (7.0, 6.0, 5.0, 4.0),
    Level.INSANE: (7.0, 5.5, 5.0, 4.0),
}

# What human maps of a star rating use, generously (2nd to 98th percentile of 1,434 maps, widened):
# upper star bound, then the ranges. A setting outside makes a map of its stars read wrong.
AR_FOR_STARS: dict[int, tuple[tuple[float, Range], ...]] = {
    OSU: (
        (1.5, (0, 5)), (2.0, (0, 6.5)), (2.7, (1, 7.5)), (3.3, (3.5, 9)), (4.0, (5, 9.5)), (4.6, (6, 9.7)),
        (5.3, (7, 10)), (99.0, (7.5, 10)),
    ),
    CATCH: ((2.0, (0, 8)), (3.3, (4, 9)), (5.3, (6, 9.8)), (99.0, (7, 10))),
}  # fmt: skip
OD_FOR_STARS: dict[int, tuple[tuple[float, Range], ...]] = {
    OSU: (
        (2.0, (0, 6)), (2.7, (0, 7)), (3.3, (2, 8)), (4.0, (3, 9)), (5.3, (4, 10)), (99.0, (5, 10)),
    ),
    TAIKO: ((2.0, (0, 6)), (4.0, (1, 8)), (99.0, (2, 10))),
    CATCH: ((2.0, (0, 8)), (3.3, (3, 9)), (5.3, (5, 10)), (99.0, (6, 10))),
}  # fmt: skip


def _values(view: MapView) -> dict[str, float]:
    bm = view.beatmap
    return {
        "HP": bm.hp_drain_rate,
        "CS": bm.circle_size,
        "AR": bm.approach_rate,
        "OD": bm.overall_difficulty,
    }


@check(
    "setting_values", Category.SETTINGS, "HP, CS, AR or OD is outside 0..10 or has more than one decimal.",
    "MV CheckDiffSettingsAllModes; ranking criteria", (PROBLEM,), gate=True,
)  # fmt: skip
def setting_values(view: MapView) -> Iterator[Finding]:
    low, high = SETTING_LIMITS
    for name, value in _values(view).items():
        if name == "CS" and view.mode == MANIA:
            continue
        if not low <= value <= high:
            yield problem(f"{name} {value:.4g} is outside {low:.0f}..{high:.0f}.")
        elif abs(value * 10 - round(value * 10)) > PRECISION:
            yield problem(f"{name} {value:.4g} has more than one decimal.")


@check(
    "key_count", Category.SETTINGS, "The number of keys is not one of 4 to 10, 12, 14, 16 and 18.",
    "MV CheckDiffSettingsAllModes; ranking criteria", (PROBLEM,), modes=(MANIA,), gate=True,
)  # fmt: skip
def key_count(view: MapView) -> Iterator[Finding]:
    if view.beatmap.circle_size not in KEY_COUNTS:
        yield problem(f"{view.beatmap.circle_size:.4g} keys.")


@check(
    "slider_multiplier", Category.SETTINGS, "The base slider velocity is outside 0.4..3.6.", "file format",
    (PROBLEM,), gate=True,
)  # fmt: skip
def slider_multiplier(view: MapView) -> Iterator[Finding]:
    low, high = MULTIPLIER_LIMITS
    if not low <= view.beatmap.slider_multiplier <= high:
        yield problem(f"The slider multiplier {view.beatmap.slider_multiplier:.4g} is outside {low}..{high}.")


@check(
    "tick_rate", Category.SETTINGS, "The slider tick rate is neither whole nor 1/2, 4/3 or 3/2.", "MV CheckTickRate",
    (PROBLEM,), gate=True,
)  # fmt: skip
def tick_rate(view: MapView) -> Iterator[Finding]:
    rate = view.beatmap.slider_tick_rate
    low, high = TICK_RATE_LIMITS
    whole = abs(rate - round(rate)) <= PRECISION
    if not low <= rate <= high or not (
        whole or any(abs(rate - r) <= PRECISION for r in FRACTIONAL_TICK_RATES)
    ):
        yield problem(f"The slider tick rate is {rate:.4g}.")


def _outside(value: float, bounds: Range) -> bool:
    return not bounds[0] <= value <= bounds[1]


def _spoken(bounds: Range) -> str:
    if bounds[0] <= FREE[0]:
        return f"at most {bounds[1]:g}"
    return f"at least {bounds[0]:g}" if bounds[1] >= FREE[1] else f"{bounds[0]:g} to {bounds[1]:g}"


@check(
    "settings_guideline", Category.SETTINGS, "AR, OD, HP or CS is outside the guideline range of the level.",
    "MV CheckDiffSettingsStandard, CheckDiffSettingsCatch", (MINOR,), modes=(OSU, CATCH),
    levels=(Level.EASY, Level.NORMAL, Level.HARD, Level.INSANE, Level.EXPERT),
)  # fmt: skip
def settings_guideline(view: MapView) -> Iterator[Finding]:
    ranges = OSU_RANGES if view.mode == OSU else CATCH_RANGES
    for name, value in _values(view).items():
        bounds = ranges[name][view.level]
        if _outside(value, bounds):
            yield minor(f"{name} {value:g}; the guideline for {view.level} is {_spoken(bounds)}.")


@check(
    "settings_guideline_taiko", Category.SETTINGS, "OD or HP differs from what suits the level and the length.",
    "MV CheckDiffSettingsTaiko", (WARNING, MINOR), modes=(TAIKO,),
    levels=(Level.EASY, Level.NORMAL, Level.HARD, Level.INSANE),
)  # fmt: skip
def settings_guideline_taiko(view: MapView) -> Iterator[Finding]:
    shortest, *longer = TAIKO_DRAIN_BANDS
    drain = view.drain_time
    band = 0 if drain <= shortest else 1 + sum(drain >= bound for bound in longer)
    suggested = {
        "HP": (view.beatmap.hp_drain_rate, TAIKO_HP[view.level][band], TAIKO_HP_LENIENCY),
        "OD": (view.beatmap.overall_difficulty, TAIKO_OD[view.level], TAIKO_OD_LENIENCY),
    }
    for name, (value, wanted, leniency) in suggested.items():
        if value != wanted:
            say = warning if abs(value - wanted) > leniency else minor
            yield say(f"{name} {value:g}; {wanted:g} is suggested for {view.level}.")


@check(
    "settings_guideline_mania", Category.SETTINGS, "HP or OD is higher than the level allows.",
    "MV CheckDiffSettingsLowerDifficulties", (WARNING,), modes=(MANIA,),
    levels=(Level.EASY, Level.NORMAL, Level.HARD),
)  # fmt: skip
def settings_guideline_mania(view: MapView) -> Iterator[Finding]:
    most = MANIA_MAXIMUM[view.level]
    for name, value in (("HP", view.beatmap.hp_drain_rate), ("OD", view.beatmap.overall_difficulty)):
        if value > most:
            yield warning(f"{name} {value:g}; {view.level} allows at most {most:g}.")


@check(
    "settings_for_stars", Category.SETTINGS, "AR or OD is far from what human maps of these stars use.",
    "percentiles of human maps", (WARNING,), modes=ALL_MODES - {MANIA},
)  # fmt: skip
def settings_for_stars(view: MapView) -> Iterator[Finding]:
    tables = {"AR": AR_FOR_STARS, "OD": OD_FOR_STARS}
    values = _values(view)
    for name, table in tables.items():
        if view.mode in table and view.objects and math.isfinite(view.stars):
            bounds = next(
                b for most, b in table[view.mode] if view.stars < most or most == table[view.mode][-1][0]
            )
            if _outside(values[name], bounds):
                yield warning(
                    f"{name} {values[name]:g} in a map of {view.stars:.2f} stars ({_spoken(bounds)})."
                )
