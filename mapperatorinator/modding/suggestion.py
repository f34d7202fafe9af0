"""What a review says: suggestions, each at a moment of the map, and the report that holds them.

A suggestion comes from the model (it has a surprisal) or from a check of the ranking criteria (it has a severity).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from mapperatorinator.checks import Severity
from mapperatorinator.checks.issue import clock
from mapperatorinator.complexity import Complexity


class Topic(str, Enum):
    """What a suggestion is about, in the order of the report; the words are its heading."""

    TIMING = "Timing points"
    RHYTHM = "Snapping and rhythm"
    MISSING = "Missing objects"
    EXTRA = "Extra objects"
    PLACES = "Positions and new combos"
    SLIDERS = "Slider shapes"
    HITSOUNDS = "Hitsounds and volumes"
    RULES = "Ranking criteria"


@dataclass(frozen=True)
class Suggestion:
    """One thing worth a look.

    time, end_time : ms from the start of the audio, None where the map as a whole is meant; they differ where a
    stretch is meant. message : one sentence. surprisal : calibrated bits, see `calibration` (None for checks).
    severity : of a check (None for the model). said, expected : what the map says and what the model expected in
    its place; likelihood : how probable the model holds the expected, 0..1. objects : indexes into
    `Beatmap.hit_objects`. timestamp : what the editor jumps to, `00:12:345 (1,2) -`. source : the aspect that was
    scored, or the id of the check. difficulty : the map's difficulty name, "" for a whole set.
    """

    time: int | None
    end_time: int | None
    topic: Topic
    message: str
    surprisal: float | None = None
    severity: Severity | None = None
    said: str = ""
    expected: str = ""
    likelihood: float | None = None
    objects: tuple[int, ...] = ()
    timestamp: str = ""
    source: str = ""
    difficulty: str = ""

    @property
    def link(self) -> str:
        """The `osu://edit/` link to the moment and its objects; "" without a moment."""
        if self.time is None:
            return ""
        where = self.timestamp.removesuffix(" -") or clock(self.time)
        return "osu://edit/" + where.replace(" ", "%20")

    @property
    def weight(self) -> float:
        """By what suggestions are ranked: the surprisal, or what a check's severity counts for."""
        return _SEVERITY_WEIGHT[self.severity] if self.severity else self.surprisal or 0.0

    def as_json(self) -> dict[str, Any]:
        """The suggestion as JSON types."""
        return {
            "time": self.time,
            "end_time": self.end_time,
            "timestamp": self.timestamp,
            "link": self.link,
            "category": self.topic.value,
            "message": self.message,
            "surprisal": None if self.surprisal is None else round(self.surprisal, 2),
            "severity": None if self.severity is None else str(self.severity),
            "said": self.said,
            "expected": self.expected,
            "likelihood": None if self.likelihood is None else round(self.likelihood, 4),
            "objects": list(self.objects),
            "source": self.source,
            "difficulty": self.difficulty,
        }


_SEVERITY_WEIGHT = {Severity.MINOR: 1.0, Severity.WARNING: 4.0, Severity.PROBLEM: 12.0}


def ranked(suggestions: Iterable[Suggestion]) -> list[Suggestion]:
    """Weightiest first; of what one check says again and again only the first: one habit is one thing to tell."""
    told: set[str] = set()
    order = []
    for one in sorted(suggestions, key=lambda one: -one.weight):
        if one.severity is None or one.source not in told:
            order.append(one)
        if one.severity is not None:
            told.add(one.source)
    return order


@dataclass(frozen=True)
class Report:
    """The review of one map: suggestions in order of time, those of the whole map first.

    title : artist, title and difficulty. minutes : drain time. notes : what was left out and why. complexity : of the
    rhythm; None for a whole set.
    """

    title: str
    mode: int
    minutes: float
    suggestions: tuple[Suggestion, ...]
    notes: tuple[str, ...] = field(default=())
    complexity: Complexity | None = None

    def top(self, count: int = 10) -> tuple[Suggestion, ...]:
        """The weightiest suggestions, see `ranked`."""
        return tuple(ranked(self.suggestions)[:count])

    def only(
        self,
        topics: Iterable[Topic] | None = None,
        threshold: float = 0.0,
        severity: Severity = Severity.MINOR,
    ) -> Report:
        """The report with only these topics, surprisals from `threshold` up and severities from `severity` up."""
        wanted = set(Topic if topics is None else topics)

        def kept(one: Suggestion) -> bool:
            grave = one.severity >= severity if one.severity else (one.surprisal or 0.0) >= threshold
            return one.topic in wanted and grave

        return replace(self, suggestions=tuple(filter(kept, self.suggestions)))

    def by_topic(self) -> dict[Topic, list[Suggestion]]:
        """The suggestions of each topic that has any, in order of time."""
        groups = {topic: [s for s in self.suggestions if s.topic is topic] for topic in Topic}
        return {topic: some for topic, some in groups.items() if some}

    def as_json(self) -> dict[str, Any]:
        """The report as JSON types."""
        return {
            "title": self.title,
            "mode": self.mode,
            "minutes": round(self.minutes, 3),
            "notes": list(self.notes),
            "complexity": None if self.complexity is None else self.complexity.as_json(),
            "suggestions": [one.as_json() for one in self.suggestions],
        }
