"""Drawing a difficulty several times and keeping the best: valid first, then nearest to the asked stars.

The model's own sense of difficulty is a little off for every song, so each further candidate is asked for
stars corrected by what the earlier ones came out as (a secant step). A candidate whose checks find a
problem has just the broken stretch drawn again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mapperatorinator.beatmap import Beatmap, star_rating
from mapperatorinator.checks import Issue, Severity

CLOSE_ENOUGH = 0.05  # stars
_STEEPEST = 2.0  # a correction may ask for at most this much per star that is missing
_FURTHER_TRIES = 3  # beyond the asked number of candidates, while none is valid
LOWEST_AIM, HIGHEST_AIM = 0.3, 15.0

Draw = Callable[[float, int], Beatmap]  # (stars to ask the model for, seed) -> finished beatmap
Repair = Callable[[Beatmap, list[Issue], float, int], Beatmap]
Check = Callable[[Beatmap], list[Issue]]


@dataclass(frozen=True)
class Candidate:
    """One finished map: the stars the model was asked for, those that came out, and what the checks say."""

    beatmap: Beatmap
    seed: int
    aim: float
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


def choose(asked: float, seed: int, count: int, draw: Draw, check: Check, repair: Repair) -> Candidate | None:
    """The best of `count` candidates for `asked` stars; None if all of them are empty."""
    drawn: list[Candidate] = []
    while not _enough(drawn, asked, count):
        aim = _next_aim(asked, drawn)
        beatmap = draw(aim, seed + len(drawn))
        candidate = _judge(beatmap, seed + len(drawn), aim, check)
        if candidate.problems and not candidate.empty:
            mended = repair(beatmap, candidate.problems, aim, candidate.seed)
            candidate = min(candidate, _judge(mended, candidate.seed, aim, check), key=_cost(asked))
        drawn.append(candidate)
    best = min(drawn, key=_cost(asked))
    return None if best.empty else best


def _enough(drawn: list[Candidate], asked: float, count: int) -> bool:
    valid = [c for c in drawn if not c.empty and not c.problems]
    if any(abs(c.stars - asked) <= CLOSE_ENOUGH for c in valid):
        return True
    return len(drawn) >= (count if valid else count + _FURTHER_TRIES)


def _judge(beatmap: Beatmap, seed: int, aim: float, check: Check) -> Candidate:
    if not beatmap.hit_objects:
        return Candidate(beatmap, seed, aim, 0.0, ())
    return Candidate(beatmap, seed, aim, star_rating(beatmap), tuple(check(beatmap)))


def _cost(asked: float) -> Callable[[Candidate], tuple[bool, int, float]]:
    return lambda c: (c.empty, len(c.problems), abs(c.stars - asked))


def _next_aim(asked: float, drawn: list[Candidate]) -> float:
    """Stars to ask the model for, so that `asked` comes out."""
    usable = sorted((c for c in drawn if not c.empty), key=lambda c: abs(c.stars - asked))
    if not usable:
        return asked
    best = usable[0]
    slope = 1.0
    if len(usable) > 1 and abs(usable[1].stars - best.stars) > 0.05:
        slope = (usable[1].aim - best.aim) / (usable[1].stars - best.stars)
        slope = min(max(slope, 1 / _STEEPEST), _STEEPEST)
    return min(max(best.aim + slope * (asked - best.stars), LOWEST_AIM), HIGHEST_AIM)
