"""What a map gets where the user asked for nothing: difficulty settings and names that suit the stars.

The values are medians of human maps of the same mode and stars, kept inside the ranges that mappers use
for the difficulty level (ranking criteria, guideline ranges). Knows nobody else in the house.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

LEVEL_STARS = (2.0, 2.7, 4.0, 5.3, 6.5)
LEVEL_NAMES = (
    ("Easy", "Normal", "Hard", "Insane", "Expert", "Expert+"),
    ("Kantan", "Futsuu", "Muzukashii", "Oni", "Inner Oni", "Hell Oni"),
    ("Cup", "Salad", "Platter", "Rain", "Overdose", "Deluge"),
    ("Easy", "Normal", "Hard", "Insane", "Expert", "Expert+"),
)

# For each mode: knots of stars, and the value of each setting at each knot.
_STARS = {
    0: (1.0, 2.0, 2.6, 3.3, 4.0, 4.6, 5.3, 6.5, 8.0),
    1: (1.0, 2.0, 2.6, 3.3, 4.0, 5.3, 6.5),
    2: (1.0, 2.0, 2.7, 4.0, 5.3, 6.5),
    3: (1.0, 2.0, 2.7, 4.0, 5.3, 6.5),
}
_KNOTS: dict[int, dict[str, tuple[float, ...]]] = {
    0: {
        "hp_drain_rate": (2, 2.5, 3.5, 4.5, 5, 5.5, 6, 6, 6),
        "circle_size": (3, 3, 3.3, 4, 4, 4, 4, 4, 4),
        "overall_difficulty": (1.5, 2.5, 4, 5.5, 6.5, 7.2, 8, 9, 9.5),
        "approach_rate": (2, 4, 5.3, 6.8, 8, 8.6, 9, 9.3, 9.7),
        "slider_multiplier": (0.8, 1, 1, 1.3, 1.5, 1.6, 1.7, 1.8, 2.1),
    },
    1: {
        "hp_drain_rate": (8, 7, 6, 5.5, 5, 5, 5),
        "circle_size": (2, 3, 4, 5, 5, 5, 5),
        "overall_difficulty": (3, 3.5, 4, 5, 5.5, 6, 6),
        "approach_rate": (5, 5, 5, 5, 5, 5, 5),
        "slider_multiplier": (1.4, 1.4, 1.4, 1.4, 1.4, 1.4, 1.4),
    },
    2: {
        "hp_drain_rate": (2.5, 3.5, 4, 5, 5.5, 6),
        "circle_size": (2.5, 3, 3.3, 3.8, 4, 4),
        "overall_difficulty": (5, 6, 7, 8.5, 9.1, 9.5),
        "approach_rate": (5, 6, 7, 8.5, 9.1, 9.5),
        "slider_multiplier": (1.2, 1.4, 1.5, 1.8, 1.9, 1.9),
    },
    3: {
        "hp_drain_rate": (6.5, 7, 7.5, 8, 8, 8),
        "circle_size": (4, 4, 4, 4, 4, 4),
        "overall_difficulty": (7, 7, 7.5, 8, 8, 8),
        "approach_rate": (5, 5, 5, 5, 5, 5),
        "slider_multiplier": (1.4, 1.4, 1.4, 1.4, 1.4, 1.4),
    },
}


@dataclass(frozen=True)
class DifficultyDefaults:
    """The [Difficulty] section of a map; in mania `circle_size` is the number of keys."""

    hp_drain_rate: float
    circle_size: float
    overall_difficulty: float
    approach_rate: float
    slider_multiplier: float
    slider_tick_rate: float = 1.0


def difficulty_defaults(mode: int, stars: float) -> DifficultyDefaults:
    """Settings that suit a map of `mode` (0 to 3) and `stars`, each with one decimal."""
    values = {name: _between(_STARS[mode], knots, stars) for name, knots in _KNOTS[mode].items()}
    return DifficultyDefaults(**values)


def level_name(mode: int, stars: float) -> str:
    """What mappers call a difficulty of `mode` and `stars`: 'Hard', 'Muzukashii', 'Platter', …"""
    return LEVEL_NAMES[mode][bisect_right(LEVEL_STARS, stars)]


def _between(xs: tuple[float, ...], ys: tuple[float, ...], x: float) -> float:
    """Piecewise linear through (xs, ys), constant outside, rounded to one decimal."""
    if x <= xs[0]:
        return ys[0]
    for (x0, x1), (y0, y1) in zip(pairwise(xs), pairwise(ys), strict=True):
        if x <= x1:
            return round(y0 + (y1 - y0) * (x - x0) / (x1 - x0), 1)
    return ys[-1]
