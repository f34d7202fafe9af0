"""The largest score and combo a map can give, and whether the stable client can count it.

The stable client keeps scores in 31 bits and combos in 16. The formula is that of ScoreV1:
every scored object adds its value times (1 + combo · difficulty multiplier · mods / 25).
"""

from __future__ import annotations

from collections.abc import Iterator

from ..beatmap import Slider, Spinner
from .catch_objects import CatchKind
from .issue import PROBLEM, Finding, problem
from .registry import CATCH, MANIA, OSU, Category, check
from .view import MapView, difficulty_range

MAX_SCORE = 2**31 - 1
MAX_COMBO = 2**16 - 1
MODS_MULTIPLIER = 1.06 * 1.06 * 1.12 * 1.12  # Hidden, Hard Rock, Double Time, Flashlight
FULL, EDGE, TICK = 300, 30, 10
DROPLET = 100
BONUS_SPIN, SPIN = 1100, 100
SPINS_PER_SECOND = 477 / 60  # the most the game counts
REQUIRED_SPINS = (1.5, 2.5, 3.75)  # per second at OD 0, 5, 10
SPINS_BEFORE_BONUS = 2


def difficulty_multiplier(view: MapView) -> int:
    """The whole number by which ScoreV1 weighs a combo."""
    bm = view.beatmap
    seconds = view.drain_time / 1000
    density = min(16.0, max(0.0, len(view.objects) / seconds * 8)) if seconds > 0 else 16.0
    return round((bm.hp_drain_rate + bm.circle_size + bm.overall_difficulty + density) / 38 * 5)


def spinner_bonus(milliseconds: float, overall_difficulty: float) -> float:
    """What the fastest spin counts beyond the spinner's own score."""
    seconds = milliseconds / 1000
    spins = seconds * SPINS_PER_SECOND
    required = seconds * difficulty_range(overall_difficulty, *REQUIRED_SPINS) + SPINS_BEFORE_BONUS
    return max(0.0, spins - required) * BONUS_SPIN + min(spins, required) * SPIN


def _osu_steps(view: MapView) -> Iterator[tuple[float, int, float]]:
    """(value weighted by combo, combo gained before it, plain value) of each object."""
    for i, obj in enumerate(view.objects):
        if isinstance(obj, Slider):
            ticks = len(view.ticks(i))
            yield FULL, obj.slides + 1 + ticks, EDGE * (obj.slides + 1) + TICK * ticks
        elif isinstance(obj, Spinner):
            bonus = spinner_bonus(obj.end_time - obj.time, view.beatmap.overall_difficulty)
            yield FULL, 1, bonus
        else:
            yield FULL, 1, 0.0


def _catch_steps(view: MapView) -> Iterator[tuple[float, int, float]]:
    for item in view.catch_objects:
        yield (FULL, 1, 0.0) if item.kind is not CatchKind.DROPLET else (0.0, 1, DROPLET)


def best_score(view: MapView) -> tuple[float, int]:
    """Largest ScoreV1 with every bonus mod, and the largest combo (osu! and catch)."""
    factor = difficulty_multiplier(view) * MODS_MULTIPLIER / 25
    score, combo = 0.0, 0
    for weighted, gained, plain in _osu_steps(view) if view.mode == OSU else _catch_steps(view):
        combo += gained
        score += weighted * (1 + max(0, combo - 1) * factor) + plain
    return score, combo


@check(
    "score_overflow", Category.SETTINGS,
    "The best score does not fit 31 bits, or the best combo 16 bits (stable client).", "MV CheckScoreOverflow",
    (PROBLEM,), gate=True,
)  # fmt: skip
def score_overflow(view: MapView) -> Iterator[Finding]:
    if view.mode in (OSU, CATCH):
        score, combo = best_score(view)
        if score > MAX_SCORE:
            yield problem(f"The best score is about {score / 1e9:.2f} billion; the stable client overflows.")
    else:
        holds = 2 if view.mode == MANIA else 1
        combo = sum(holds if end > start else 1 for start, end in zip(view.starts, view.ends, strict=True))
    if combo > MAX_COMBO:
        yield problem(f"The best combo is {combo}; the stable client counts to {MAX_COMBO}.")
