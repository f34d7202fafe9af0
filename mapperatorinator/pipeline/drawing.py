"""Drawing one map: events from the mapper, a beatmap from the events, finishing, checks, local repair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mapperatorinator.audio import Audio
from mapperatorinator.beatmap import Beatmap, TimingPoint
from mapperatorinator.checks import Issue, run_checks
from mapperatorinator.events import Event, EventKind, beatmap_to_events, events_to_beatmap
from mapperatorinator.finishing import finish
from mapperatorinator.settings import Settings
from mapperatorinator.timing import Timing

if TYPE_CHECKING:
    from mapperatorinator.mapper import Mapper

_REPAIR_BEATS = 8  # redrawn on each side of a problem
_MOST_REPAIRS = 6  # stretches; a map with more is drawn again as a whole
_WHOLE_MAP_CHECKS = {"drain_time"}  # a part of a map cannot meet these alone
_REPAIR_SEED = 1_000_003  # keeps the seeds of repairs apart from those of candidates
_SAME_NAMES = (  # fields that options and beatmaps share
    "title", "title_unicode", "artist", "artist_unicode", "creator", "source", "tags", "preview_time",
    "hp_drain_rate", "circle_size", "overall_difficulty", "approach_rate", "slider_multiplier",
    "slider_tick_rate",
)  # fmt: skip


@dataclass(frozen=True)
class Drawing:
    """Everything that stays the same from candidate to candidate of one run."""

    mapper: Mapper | None
    audio: Audio
    timing: Timing
    reference: Beatmap | None = None

    def draw(self, settings: Settings) -> Beatmap:
        """One finished map for complete `settings`; outside the range the reference stays as it is."""
        kept = self._kept(settings)
        beatmap = self._map(settings, beatmap_to_events(kept) if kept else None)
        return merge(kept, beatmap, settings) if kept else beatmap

    def redraw(self, beatmap: Beatmap, problems: Sequence[Issue], settings: Settings) -> Beatmap:
        """The map with the stretches around `problems` drawn anew."""
        stretches = self._stretches([issue.time for issue in problems if issue.time is not None])
        if not stretches or len(stretches) > _MOST_REPAIRS:
            return beatmap
        for number, (start, end) in enumerate(stretches):
            start, end = max(start, settings.start_time or 0), min(end, settings.end_time or end)
            if start >= end:
                continue
            part = replace(
                settings,
                start_time=start,
                end_time=end,
                seed=(settings.seed or 0) + _REPAIR_SEED * (number + 1),
            )
            kept = replace(
                beatmap, hit_objects=[item for item in beatmap.hit_objects if not start <= item.time <= end]
            )
            beatmap = merge(kept, self._map(part, beatmap_to_events(kept)), part)
        return beatmap

    def check(self, beatmap: Beatmap, settings: Settings) -> list[Issue]:
        """What the checks say; a range of a map is not measured by rules for whole maps."""
        issues = run_checks(beatmap)
        if settings.start_time is None and settings.end_time is None:
            return issues
        return [issue for issue in issues if issue.check_id not in _WHOLE_MAP_CHECKS]

    def red_lines_only(self, settings: Settings) -> Beatmap:
        """A map without objects: what `output_type=[TIMING]` asks for."""
        return events_to_beatmap([], blank(settings, self.audio.path.name), list(self.timing.points))

    def _map(self, settings: Settings, given: list[Event] | None) -> Beatmap:
        assert self.mapper is not None
        events = list(self.mapper.map(self.audio, self.timing, settings, given))
        if "KIAI" not in settings.output_type:
            events = [event for event in events if event.kind != EventKind.KIAI]
        beatmap = events_to_beatmap(events, blank(settings, self.audio.path.name), list(self.timing.points))
        return finish(beatmap, settings, self.audio)

    def _kept(self, settings: Settings) -> Beatmap | None:
        if self.reference is None or not settings.add_to_beatmap:
            return None
        first, last = _bounds(settings)
        objects = [item for item in self.reference.hit_objects if not first <= item.time <= last]
        return replace(self.reference, hit_objects=objects)

    def _stretches(self, times: Sequence[float]) -> list[tuple[int, int]]:
        """Ranges in ms around the times, whole beats wide, overlapping ones joined."""
        stretches: list[tuple[int, int]] = []
        for time in sorted(times):
            beat = round(float(self.timing.beat_at(time)))
            start = round(float(self.timing.time_of(beat - _REPAIR_BEATS)))
            end = round(float(self.timing.time_of(beat + _REPAIR_BEATS)))
            if stretches and start <= stretches[-1][1]:
                stretches[-1] = (stretches[-1][0], end)
            else:
                stretches.append((max(start, 0), end))
        return stretches


def blank(settings: Settings, song: str) -> Beatmap:
    """A beatmap without objects that holds what `settings` say; `song` is the audio file's name."""
    beatmap = Beatmap(
        mode=settings.mode,
        audio_filename=song,
        sample_set="Soft",
        widescreen_storyboard=True,
        difficulty_name=settings.version or "",
    )
    for name in _SAME_NAMES:
        value = getattr(settings, name)
        if value is not None:
            setattr(beatmap, name, value)
    return beatmap


def merge(kept: Beatmap, drawn: Beatmap, settings: Settings) -> Beatmap:
    """`kept` with the objects and lines that `drawn` has inside the range of `settings`.

    Outside the range nothing of `kept` changes: the line in force where the range ends is put back there.
    """
    first, last = _bounds(settings)
    objects = [item for item in drawn.hit_objects if first <= item.time <= last]
    lines = [line for line in kept.timing_points if line.uninherited or not first <= line.time <= last]
    lines += [line for line in drawn.timing_points if not line.uninherited and first <= line.time <= last]
    lines += _restored(kept, last)
    return replace(
        kept,
        hit_objects=sorted([*kept.hit_objects, *objects], key=lambda item: item.time),
        timing_points=sorted(lines, key=lambda line: (line.time, not line.uninherited)),
    )


def _restored(kept: Beatmap, end: float) -> list[TimingPoint]:
    """The green line that makes everything behind `end` sound and move as before."""
    if end == float("inf") or not kept.timing_points:
        return []
    red, green = kept.timing_at(end)
    if any(line.time == end for line in kept.timing_points):
        return []
    source = green or replace(red, beat_length=-100.0, uninherited=False)
    return [replace(source, time=end)]


def _bounds(settings: Settings) -> tuple[float, float]:
    first = float("-inf") if settings.start_time is None else float(settings.start_time)
    return first, float("inf") if settings.end_time is None else float(settings.end_time)
