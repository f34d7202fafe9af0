"""Validity: do the maps break rules, and do other programs read them?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from mapperatorinator.beatmap import Beatmap, write_beatmap
from mapperatorinator.evaluation.readers import Reader, rejections

FAILED = "no map"


@dataclass(frozen=True)
class Validity:
    """What is wrong with one map: names of broken rules, warnings, readers that refuse it, its minutes."""

    problems: tuple[str, ...] = ()
    warnings: int = 0
    rejected_by: dict[str, str] = field(default_factory=dict)
    minutes: float = 0.0

    @property
    def valid(self) -> bool:
        """Whether no rule is broken and every reader accepts the map."""
        return not self.problems and not self.rejected_by

    @property
    def warnings_per_minute(self) -> float:
        """Warnings per minute between first and last object."""
        return self.warnings / self.minutes if self.minutes > 0 else float(self.warnings)


def validity(beatmap: Beatmap | None, among: dict[str, Reader] | None = None) -> Validity:
    """Check a map by our rules and by the readers (default: all that work here); None is a failed run."""
    if beatmap is None or not beatmap.hit_objects:
        return Validity(problems=(FAILED,))
    from mapperatorinator.checks import Severity, run_checks

    issues = run_checks(beatmap)
    objects = beatmap.hit_objects
    return Validity(
        problems=tuple(i.check_id for i in issues if i.severity == Severity.PROBLEM),
        warnings=sum(i.severity == Severity.WARNING for i in issues),
        rejected_by=rejections(write_beatmap(beatmap).encode("utf-8"), len(objects), among),
        minutes=max(beatmap.end_time(objects[-1]) - objects[0].time, 1.0) / 60_000.0,
    )


def share_valid(found: Sequence[Validity]) -> float:
    """Share of maps with nothing wrong."""
    return sum(v.valid for v in found) / len(found) if found else float("nan")


def broken_rules(found: Sequence[Validity]) -> dict[str, int]:
    """How many maps break each rule or are refused by each reader, most frequent first."""
    counts: Counter[str] = Counter()
    for v in found:
        counts.update(set(v.problems))
        counts.update(f"refused by {name}" for name in v.rejected_by)
    return dict(counts.most_common())
