"""The walk of a review: a map and its song in, a report out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mapperatorinator.beatmap import Beatmap
from mapperatorinator.checks import Issue, run_checks, run_set_checks
from mapperatorinator.modding.suggestion import Report, Suggestion, Topic

if TYPE_CHECKING:
    from mapperatorinator.audio import Audio

NO_AUDIO = "The song is missing, so nothing could be said about surprise; only the rules were checked."


def review(beatmap: Beatmap, audio: Audio | None = None) -> Report:
    """Review one map.

    audio : its song; without it only the rules are checked and a note says so. Nothing is changed or written.
    """
    found = [_of_issue(issue) for issue in run_checks(beatmap, audio)]
    notes = () if audio is not None else (NO_AUDIO,)
    return Report(_title(beatmap), beatmap.mode, _minutes(beatmap), _in_order(found), notes)


def review_set(beatmaps: Sequence[Beatmap], audio: Audio | None = None) -> list[Report]:
    """Review every difficulty of a set, then, in a last report, what shows only when they are compared."""
    reports = [review(beatmap, audio) for beatmap in beatmaps]
    if len(beatmaps) > 1:
        found = [_of_issue(issue) for issue in run_set_checks(beatmaps)]
        title = _title(beatmaps[0]).rsplit(" [", 1)[0]
        reports.append(Report(f"{title} (whole set)", beatmaps[0].mode, 0.0, _in_order(found)))
    return reports


def _in_order(found: list[Suggestion]) -> tuple[Suggestion, ...]:
    return tuple(sorted(found, key=lambda s: (s.time is not None, s.time or 0, -s.weight)))


def _of_issue(issue: Issue) -> Suggestion:
    return Suggestion(
        issue.time, issue.time, Topic.RULES, issue.message, severity=issue.severity, objects=issue.objects,
        timestamp=issue.timestamp, source=issue.check_id, difficulty=issue.difficulty or "",
    )  # fmt: skip


def _title(beatmap: Beatmap) -> str:
    return f"{beatmap.artist} - {beatmap.title} [{beatmap.difficulty_name}]"


def _minutes(beatmap: Beatmap) -> float:
    """Time from the first to the last object without breaks."""
    if not beatmap.hit_objects:
        return 0.0
    first = min(obj.time for obj in beatmap.hit_objects)
    last = max(beatmap.end_time(obj) for obj in beatmap.hit_objects)
    return max(0.0, last - first - sum(rest.end - rest.start for rest in beatmap.breaks)) / 60_000
