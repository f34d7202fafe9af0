"""Drawing a difficulty several times and keeping the best: valid first, then nearest to the asked stars.

The model's own sense of difficulty is a little off for every song, so each further candidate is asked for
stars corrected by what the earlier ones came out as (a secant step). In osu! and catch, where half of the
stars lies in the distances, a candidate that is nearly right keeps its rhythm and is spaced anew, which is
quick. Where asking for stars does not help, because the song is calmer than any map of so many stars that the
model knows, it is the odds of a note that are raised. A candidate whose checks find a problem has just the
broken stretch drawn again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from mapperatorinator.beatmap import Beatmap, star_rating
from mapperatorinator.checks import Issue, Severity

CLOSE_ENOUGH = 0.05  # stars
_STEEPEST = 2.0  # a correction may ask for at most this much per star that is missing
_FURTHER_TRIES = 3  # beyond the asked number of candidates, while none is valid and about right
LOWEST_AIM, HIGHEST_AIM = 0.3, 10.0  # the stars of the maps that the model knows
_NEARLY = 1.4  # up to this ratio of stars a candidate is spaced anew rather than drawn anew
_ABOUT = 1.1  # further off than this ratio after a second try, asking for other stars will not do


@dataclass(frozen=True)
class Ask:
    """What the model is asked for: `aim` in stars, a seed, factors on distances and on the odds of a note."""

    aim: float
    seed: int
    spacing: float = 1.0
    density: float = 1.0


@dataclass(frozen=True)
class _Lever:
    """A factor of `Ask` that moves the stars: it grows with about `power` of them, between `low` and `high`."""

    name: str
    power: float
    low: float
    high: float

    def of(self, ask: Ask) -> float:
        return float(getattr(ask, self.name))

    def put(self, ask: Ask, value: float) -> Ask:
        change: dict[str, Any] = {self.name: value}
        return replace(ask, **change)

    def pulled(self, asked: float, best: Candidate, usable: list[Candidate]) -> Ask:
        """The ask of `best` with the factor that should bring it to the asked stars, learned from the others."""
        power = self.power
        for other in usable[1:]:
            apart = math.log(other.stars / best.stars)
            if self.put(other.ask, self.of(best.ask)) == best.ask and abs(apart) > 0.01:
                power = math.log(self.of(other.ask) / self.of(best.ask)) / apart
                power = min(max(power, self.power / 3), self.power * 2.5)
                break
        factor = self.of(best.ask) * (asked / best.stars) ** power
        return self.put(best.ask, round(min(max(factor, self.low), self.high), 3))


# Beyond these a map no longer looks like one.
_SPACING = _Lever("spacing", 1.6, 0.6, 1.6)
_DENSITY = _Lever("density", 1.8, 1 / 8, 16.0)


Draw = Callable[[Ask], Beatmap]  # -> finished beatmap
Repair = Callable[[Beatmap, list[Issue], Ask], Beatmap]
Check = Callable[[Beatmap], list[Issue]]


@dataclass(frozen=True)
class Candidate:
    """One finished map: what the model was asked for, the stars that came out, and what the checks say."""

    beatmap: Beatmap
    ask: Ask
    stars: float
    issues: tuple[Issue, ...]

    @property
    def problems(self) -> list[Issue]:
        """Issues that break a rule."""
        return [issue for issue in self.issues if issue.severity == Severity.PROBLEM]

    @property
    def empty(self) -> bool:
        """Whether the map has no objects."""
        return not self.beatmap.hit_objects


def choose(
    asked: float, seed: int, count: int, draw: Draw, check: Check, repair: Repair, spaced: bool = False,
    once: bool = False,
) -> Candidate | None:  # fmt: skip
    """The best of `count` candidates for `asked` stars; None if all of them are empty.

    spaced : whether distances may be scaled to meet the stars. once : one candidate, as it is drawn.
    """
    drawn: list[Candidate] = []
    if once:
        drawn.append(_judge(draw(Ask(asked, seed)), Ask(asked, seed), check))
    while not once and not _enough(drawn, asked, count):
        ask = _next_ask(asked, seed + len(drawn), drawn, spaced)
        beatmap = draw(ask)
        candidate = _judge(beatmap, ask, check)
        if candidate.problems and not candidate.empty:
            mended = repair(beatmap, candidate.problems, ask)
            candidate = min(candidate, _judge(mended, ask, check), key=_cost(asked))
        drawn.append(candidate)
    best = min(drawn, key=_cost(asked))
    return None if best.empty else best


def _enough(drawn: list[Candidate], asked: float, count: int) -> bool:
    valid = [c for c in drawn if not c.empty and not c.problems]
    if any(abs(c.stars - asked) <= CLOSE_ENOUGH for c in valid):
        return True
    near = any(max(c.stars / asked, asked / c.stars) < _ABOUT for c in valid)
    return len(drawn) >= (count if near or count == 1 else count + _FURTHER_TRIES)


def _judge(beatmap: Beatmap, ask: Ask, check: Check) -> Candidate:
    if not beatmap.hit_objects:
        return Candidate(beatmap, ask, 0.0, ())
    return Candidate(beatmap, ask, star_rating(beatmap), tuple(check(beatmap)))


def _cost(asked: float) -> Callable[[Candidate], tuple[bool, int, float]]:
    return lambda c: (c.empty, len(c.problems), abs(c.stars - asked))


def _next_ask(asked: float, seed: int, drawn: list[Candidate], spaced: bool) -> Ask:
    """What to ask the model for, so that `asked` stars come out."""
    usable = sorted((c for c in drawn if not c.empty), key=lambda c: abs(c.stars - asked))
    if not usable:
        return Ask(asked, seed)
    best = usable[0]
    away = max(asked / best.stars, best.stars / asked)
    levers = [_SPACING] * (spaced and away < _NEARLY)
    tried = len(usable) > 1
    if best.ask.density != 1 or (away > _ABOUT if tried else away > _NEARLY and not spaced):
        levers.append(_DENSITY)
    for lever in levers:
        ask = lever.pulled(asked, best, usable)
        if all(c.ask != ask for c in drawn):
            return ask
    slope = 1.0
    if len(usable) > 1 and abs(usable[1].stars - best.stars) > 0.05:
        slope = (usable[1].ask.aim - best.ask.aim) / (usable[1].stars - best.stars)
        slope = min(max(slope, 1 / _STEEPEST), _STEEPEST)
    aim = best.ask.aim + slope * (asked - best.stars)
    return Ask(min(max(aim, LOWEST_AIM), HIGHEST_AIM), seed)
