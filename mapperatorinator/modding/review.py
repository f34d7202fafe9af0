"""The walk of a review: a map and its song in, a report out."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mapperatorinator.beatmap import Beatmap
from mapperatorinator.checks import Issue, run_checks, run_set_checks
from mapperatorinator.checks.issue import timestamp
from mapperatorinator.checks.view import MapView
from mapperatorinator.complexity import complexity
from mapperatorinator.errors import UserError
from mapperatorinator.mapper import Surprisal
from mapperatorinator.modding.calibration import TOPICS, rarities, rated
from mapperatorinator.modding.findings import findings
from mapperatorinator.modding.suggestion import Report, Suggestion, Topic
from mapperatorinator.modding.wording import sentence

if TYPE_CHECKING:
    from mapperatorinator.audio import Audio
    from mapperatorinator.mapper import Mapper

NO_AUDIO = "The song is missing, so nothing could be said about surprise; only the rules were checked."
LEAST_SURPRISAL = 3.0  # bits; what comes every eight seconds in human maps is not worth a word
_AT = 2.0  # ms between an object and what is said of it


def review(beatmap: Beatmap, audio: Audio | None = None, mapper: Mapper | None = None) -> Report:
    """Review one map.

    audio : its song; without it only the rules are checked and a note says so. mapper : whose surprise counts; the
    embedded one if None. Another has no table of human maps: its findings count by how rare they are in this map.
    Nothing is changed or written.
    """
    view = MapView(beatmap, audio=audio)
    found = [_of_issue(issue) for issue in run_checks(beatmap, audio)]
    notes = [] if audio is not None else [NO_AUDIO]
    if audio is not None:
        try:
            told = findings(beatmap, audio, mapper)
            seconds = _minutes(beatmap) * 60
            values = rated(told, beatmap.mode, seconds) if mapper is None else rarities(told, seconds)
            pairs = zip(told, values, strict=True)
            found += [_suggestion(view, one, value) for one, value in pairs if value >= LEAST_SURPRISAL]
        except UserError as error:
            notes.append(str(error))
    return Report(_title(beatmap), beatmap.mode, _minutes(beatmap), _in_order(found), tuple(notes), complexity(beatmap))


def review_set(
    beatmaps: Sequence[Beatmap], audio: Audio | None = None, mapper: Mapper | None = None
) -> list[Report]:
    """Review every difficulty of a set, then, in a last report, what shows only when they are compared."""
    reports = [review(beatmap, audio, mapper) for beatmap in beatmaps]
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


def _suggestion(view: MapView, one: Surprisal, surprisal: float) -> Suggestion:
    here = [] if one.aspect in ("missing", "offset", "tempo") else _objects_at(view, one.time)
    starts = here and abs(view.starts[here[0]] - one.time) <= _AT
    time = view.starts[here[0]] if starts else one.time
    return Suggestion(
        time=round(time),
        end_time=round(max(view.ends[i] for i in here)) if starts else round(time),
        topic=TOPICS.get(one.aspect, Topic.RHYTHM),
        message=sentence(one, view.red_line_at(one.time).ms_per_beat),
        surprisal=round(surprisal, 2),
        said=one.said,
        expected=one.expected,
        likelihood=one.likelihood,
        objects=tuple(view.order[i] for i in here),
        timestamp=timestamp(time, [view.label(i) for i in here] if here else None),
        source=one.aspect,
        difficulty=view.beatmap.difficulty_name,
    )


def _objects_at(view: MapView, time: float) -> list[int]:
    """Objects that start at a time; where none does, the last one before it that still goes on (a slider's edge)."""
    first = bisect_left(view.starts, time - _AT)
    starting = []
    while first < len(view.starts) and view.starts[first] <= time + _AT:
        starting.append(first)
        first += 1
    if starting or not first:
        return starting
    return [first - 1] if view.ends[first - 1] >= time - _AT else []


def _title(beatmap: Beatmap) -> str:
    return f"{beatmap.artist} - {beatmap.title} [{beatmap.difficulty_name}]"


def _minutes(beatmap: Beatmap) -> float:
    """Time from the first to the last object without breaks."""
    if not beatmap.hit_objects:
        return 0.0
    first = min(obj.time for obj in beatmap.hit_objects)
    last = max(beatmap.end_time(obj) for obj in beatmap.hit_objects)
    return max(0.0, last - first - sum(rest.end - rest.start for rest in beatmap.breaks)) / 60_000
