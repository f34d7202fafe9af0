"""The list of checks: one check is one function with what is known about it.

A check of one map takes a `MapView`, a check of a whole set takes a list of them; both yield
`Finding`s. Decorating a function with `check` or `set_check` enters it into `REGISTRY`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from .issue import Finding, Severity
from .levels import ALL_LEVELS, Level

if TYPE_CHECKING:
    from .view import MapView

MapRule = Callable[["MapView"], Iterable[Finding]]
SetRule = Callable[[Sequence["MapView"]], Iterable[Finding]]

OSU, TAIKO, CATCH, MANIA = 0, 1, 2, 3
ALL_MODES = frozenset((OSU, TAIKO, CATCH, MANIA))
MODE_NAMES = ("osu!", "taiko", "catch", "mania")


class Category(str, Enum):
    """Where a check belongs, in the order of the report."""

    AUDIO = "Audio"
    METADATA = "Metadata"
    SETTINGS = "Settings"
    TIMING = "Timing"
    COMPOSE = "Compose"
    SPREAD = "Spread"
    HITSOUNDS = "Hitsounds"
    EVENTS = "Events"
    FILES = "Files"


@dataclass(frozen=True)
class Check:
    """One rule: what it is called, to whom it applies, what it may say, where it comes from.

    `gate` marks rules that no generated map may break; `needs_audio` rules are skipped when no
    audio is given. Exactly one of `map_rule` and `set_rule` is set.
    """

    id: str
    category: Category
    meaning: str
    source: str
    severities: tuple[Severity, ...]
    modes: frozenset[int] = ALL_MODES
    levels: frozenset[Level] = ALL_LEVELS
    gate: bool = False
    needs_audio: bool = False
    map_rule: MapRule | None = None
    set_rule: SetRule | None = None

    def applies(self, mode: int, level: Callable[[], Level]) -> bool:
        """Whether the rule concerns a map of that mode and level (asked for only if it matters)."""
        return mode in self.modes and (self.levels == ALL_LEVELS or level() in self.levels)


REGISTRY: dict[str, Check] = {}


def _register(rule: Check) -> None:
    if rule.id in REGISTRY:
        raise ValueError(f"two checks are called {rule.id!r}")
    REGISTRY[rule.id] = rule


def check(
    id: str,
    category: Category,
    meaning: str,
    source: str,
    severities: Sequence[Severity],
    *,
    modes: Iterable[int] = ALL_MODES,
    levels: Iterable[Level] = ALL_LEVELS,
    gate: bool = False,
    needs_audio: bool = False,
) -> Callable[[MapRule], MapRule]:
    """Enters a function of one map into the registry; the arguments are the fields of `Check`."""

    def enter(rule: MapRule) -> MapRule:
        _register(
            Check(
                id, category, meaning, source, tuple(severities), frozenset(modes), frozenset(levels),
                gate, needs_audio, map_rule=rule,
            )
        )  # fmt: skip
        return rule

    return enter


def set_check(
    id: str,
    category: Category,
    meaning: str,
    source: str,
    severities: Sequence[Severity],
    *,
    modes: Iterable[int] = ALL_MODES,
    gate: bool = False,
) -> Callable[[SetRule], SetRule]:
    """Enters a function of a whole set into the registry.

    The function is given only the set's maps whose mode is in `modes`, and is not called when
    there are none.
    """

    def enter(rule: SetRule) -> SetRule:
        _register(
            Check(
                id, category, meaning, source, tuple(severities), frozenset(modes), gate=gate, set_rule=rule
            )
        )
        return rule

    return enter
