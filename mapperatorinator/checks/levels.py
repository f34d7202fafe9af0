"""Difficulty levels: which rules a difficulty has to answer to.

The ranking criteria are written for levels, not stars. A map's level is read from its name
where the name says it, else from its stars.
"""

from __future__ import annotations

import re
from enum import IntEnum


class Level(IntEnum):
    """Easy (Kantan, Cup) to Ultra, as the ranking criteria group difficulties."""

    EASY = 0
    NORMAL = 1
    HARD = 2
    INSANE = 3
    EXPERT = 4
    ULTRA = 5

    def __str__(self) -> str:
        return self.name.capitalize()


ALL_LEVELS = frozenset(Level)

# Upper star bound of each level (Mapset Verifier, `Beatmap.GetDifficulty`).
STAR_BOUNDS = (
    (2.0, Level.EASY),
    (2.7, Level.NORMAL),
    (4.0, Level.HARD),
    (5.3, Level.INSANE),
    (6.5, Level.EXPERT),
)

# Names that say the level, per mode (ranking criteria, difficulty naming).
LEVEL_NAMES: tuple[dict[Level, tuple[str, ...]], ...] = (
    {
        Level.EASY: ("Beginner", "Easy", "Novice"),
        Level.NORMAL: ("Basic", "Normal", "Medium", "Intermediate"),
        Level.HARD: ("Advanced", "Hard"),
        Level.INSANE: ("Hyper", "Insane"),
        Level.EXPERT: ("Expert", "Extra", "Extreme"),
    },
    {
        Level.EASY: ("Kantan",),
        Level.NORMAL: ("Futsuu",),
        Level.HARD: ("Muzukashii",),
        Level.INSANE: ("Oni",),
        Level.EXPERT: ("Inner Oni", "Ura Oni"),
        Level.ULTRA: ("Hell Oni",),
    },
    {
        Level.EASY: ("Cup",),
        Level.NORMAL: ("Salad",),
        Level.HARD: ("Platter",),
        Level.INSANE: ("Rain",),
        Level.EXPERT: ("Overdose", "Deluge"),
    },
    {
        Level.EASY: ("EZ", "Beginner", "Beginning", "Basic", "Easy"),
        Level.NORMAL: ("NM", "Normal", "Novice"),
        Level.HARD: ("HD", "Hard", "Advanced", "Hyper"),
        Level.INSANE: ("MX", "SC", "Another", "Exhaust", "Insane", "Lunatic"),
        Level.EXPERT: (
            "SHD", "EX", "Black Another", "Infinite", "Gravity", "Heavenly", "Maximum", "Extra",
            "White Another", "Vivid", "Exceed",
        ),
    },
)  # fmt: skip

_EDGE = r"[^A-Za-z0-9]*"


def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    joined = "|".join(re.escape(name) for name in names)
    return re.compile(rf"(?:^|\s){_EDGE}(?:{joined}){_EDGE}(?:\s|$)", re.IGNORECASE)


# Hardest first, so that "Inner Oni" is found before "Oni".
_PATTERNS = tuple(
    tuple((level, _pattern(names[level])) for level in sorted(names, reverse=True)) for names in LEVEL_NAMES
)


def level_from_name(name: str, mode: int) -> Level | None:
    """The level a difficulty name states in that mode (0..3), None where it states none."""
    for level, pattern in _PATTERNS[mode]:
        if pattern.search(name):
            return level
    return None


def level_from_stars(stars: float) -> Level:
    """The level of a star rating."""
    for bound, level in STAR_BOUNDS:
        if stars < bound:
            return level
    return Level.ULTRA
