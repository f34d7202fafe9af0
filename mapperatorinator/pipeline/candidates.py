"""Drawing a difficulty several times and keeping the best: valid first, then nearest to the asked stars.

The model's own sense of difficulty is a little off for every song, so each further candidate is asked for
stars corrected by what the earlier ones came out as (a secant step). In osu! and catch, where half of the
stars lies in the distances, a candidate that is nearly right keeps its rhythm and is spaced anew, which is
quick. A candidate whose checks find a problem has just the broken stretch drawn again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from mapperatorinator.beatmap import Beatmap, star_rating
from mapperatorinator.checks import Issue, Severity

CLOSE_ENOUGH = 0.05  # stars
_STEEPEST = 2.0  # a correction may ask for at most this much per star that is missing
_FURTHER_TRIES = 3  # beyond the asked number of candidates, while none is valid
LOWEST_AIM, HIGHEST_AIM = 0.3, 15.0
NARROWEST, WIDEST = 0.6, 1.6  # spacing beyond which a map no longer looks like one
_SPACING_SHARE = 1.6  # distances grow with about this power of the stars
_NEARLY = 1.4  # up to this ratio of stars a candidate is spaced anew rather than drawn anew


@dataclass(frozen=True)
class Ask:
    """What the model is asked for: `aim` in stars, a seed, `spacing` as a factor on distances."""

    aim: float
    seed: int
    spacing: float = 1.0


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
    return len(drawn) >= (count if valid else count + _FURTHER_TRIES)


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
    if spaced and 1 / _NEARLY < best.stars / asked < _NEARLY:
        spacing = _next_spacing(asked, best, usable)
        if all(c.ask != replace(best.ask, spacing=spacing) for c in drawn):
            return replace(best.ask, spacing=spacing)
    slope = 1.0
    if len(usable) > 1 and abs(usable[1].stars - best.stars) > 0.05:
        slope = (usable[1].ask.aim - best.ask.aim) / (usable[1].stars - best.stars)
        slope = min(max(slope, 1 / _STEEPEST), _STEEPEST)
    aim = best.ask.aim + slope * (asked - best.stars)
    return Ask(min(max(aim, LOWEST_AIM), HIGHEST_AIM), seed)


def _next_spacing(asked: float, best: Candidate, usable: list[Candidate]) -> float:
    """The factor on distances that should bring the best candidate's rhythm to the asked stars."""
    power = _SPACING_SHARE
    for other in usable[1:]:
        apart = math.log(other.stars / best.stars)
        if replace(other.ask, spacing=best.ask.spacing) == best.ask and abs(apart) > 0.01:
            power = min(max(math.log(other.ask.spacing / best.ask.spacing) / apart, 0.5), 4.0)
            break
    spacing = best.ask.spacing * (asked / best.stars) ** power
    return round(min(max(spacing, NARROWEST), WIDEST), 3)
