"""Drawing one map: events from the mapper, a beatmap from the events, finishing, checks, local repair."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from mapperatorinator.audio import Audio
from mapperatorinator.beatmap import Beatmap
from mapperatorinator.checks import Issue, run_checks
from mapperatorinator.events import Event, EventKind, beatmap_to_events, events_to_beatmap
from mapperatorinator.finishing import finish, merge
from mapperatorinator.mapper.sequence import merging, writing
from mapperatorinator.pipeline.contexts import lines_of, takes_over_timing, touched, touches
from mapperatorinator.pipeline.refining import Refine
from mapperatorinator.settings import Settings
from mapperatorinator.timing import Timing

if TYPE_CHECKING:
    from mapperatorinator.mapper import Mapper

_REPAIR_BEATS = 8  # redrawn on each side of a problem
_MOST_REPAIRS = 6  # stretches; a map with more is drawn again as a whole
_WHOLE_MAP_CHECKS = {"drain_time"}  # a part of a map cannot meet these alone
_REPAIR_SEED = 1_000_003  # keeps the seeds of repairs apart from those of candidates
_NAMES = ("title", "title_unicode", "artist", "artist_unicode", "creator", "source", "tags")
_DIFFICULTY = (
    "hp_drain_rate", "circle_size", "overall_difficulty", "approach_rate", "slider_multiplier",
    "slider_tick_rate", "preview_time",
)  # fmt: skip


Watch = Callable[[Beatmap], None]


@runtime_checkable
class Sketcher(Protocol):
    """A mapper that shows what it has of a map while it draws."""

    sketch: Callable[[Sequence[Event]], None] | None


@dataclass(frozen=True)
class Drawing:
    """Everything that stays the same from candidate to candidate of one run."""

    mapper: Mapper | None
    audio: Audio
    timing: Timing
    reference: Beatmap | None = None
    refine: Refine | None = None

    def draw(self, settings: Settings, watch: Watch | None = None) -> Beatmap:
        """One finished map for complete `settings`; outside the range the reference stays as it is.

        watch : called with the map as far as it is known while it is drawn, not yet finished.
        """
        if self.reference is not None and touches(settings):
            return stamped(self._map(settings, None), settings)
        if self.reference is None or not settings.add_to_beatmap:
            return self._map(settings, None, watch)
        return stamped(self._within(self.reference, settings), settings)

    def redraw(self, beatmap: Beatmap, problems: Sequence[Issue], settings: Settings) -> Beatmap:
        """The map with the stretches around `problems` drawn anew."""
        stretches = self._stretches([issue.time for issue in problems if issue.time is not None])
        if len(stretches) > _MOST_REPAIRS:
            return beatmap
        for number, (start, end) in enumerate(stretches, 1):
            start, end = max(start, settings.start_time or 0), min(end, settings.end_time or end)
            if start < end:
                seed = (settings.seed or 0) + _REPAIR_SEED * number
                part = replace(settings, start_time=start, end_time=end, seed=seed)
                beatmap = self._within(beatmap, part)
        return beatmap

    def check(self, beatmap: Beatmap, settings: Settings) -> list[Issue]:
        """What the checks say; a range of a map is not measured by rules for whole maps."""
        issues = run_checks(beatmap)
        first, last = _bounds(settings)
        if settings.add_to_beatmap:
            return [issue for issue in issues if issue.time is not None and first <= issue.time <= last]
        if first > 0 or last < math.inf:
            return [issue for issue in issues if issue.check_id not in _WHOLE_MAP_CHECKS]
        return issues

    def red_lines_only(self, settings: Settings) -> Beatmap:
        """A map without objects: what `output_type=[TIMING]` asks for."""
        return events_to_beatmap([], blank(settings, self.audio.path.name), list(self.timing.points))

    def _map(self, settings: Settings, given: list[Event] | None, watch: Watch | None = None) -> Beatmap:
        assert self.mapper is not None
        if isinstance(self.mapper, Sketcher):
            self.mapper.sketch = None if watch is None else lambda events: watch(self._plain(settings, events))
        reference = self.reference if takes_over_timing(settings) else None
        events = list(self.mapper.map(self.audio, self.timing, settings, given, reference))
        if touches(settings) and reference is not None:
            return touched(reference, events, settings)
        if "MAP" not in settings.output_type:
            events = lines_of(events)
        if self.refine is not None:
            coarse = events
            events = self.refine(
                events, settings, lambda: None if watch is None else watch(self._plain(settings, coarse))
            )
        if "KIAI" not in (*settings.output_type, *settings.in_context):
            events = [event for event in events if event.kind != EventKind.KIAI]
        drawn = self._plain(settings, events)
        return finish(drawn, settings, self.audio) if drawn.hit_objects and not is_published(settings) else drawn

    def _plain(self, settings: Settings, events: Sequence[Event]) -> Beatmap:
        base, lines = blank(settings, self.audio.path.name), list(self.timing.points)
        if is_published(settings):
            resnap, overlaps = settings.resnap_events, bool(settings.snap_near_perfect_overlaps)
            return writing.write(events, base, lines, resnap, overlaps, settings.seed or 0)
        return events_to_beatmap(events, base, lines)

    def _within(self, beatmap: Beatmap, settings: Settings) -> Beatmap:
        """`beatmap` with the range of `settings` drawn anew."""
        first, last = _bounds(settings)
        kept = [item for item in beatmap.hit_objects if not first <= item.time <= last]
        drawn = self._map(settings, beatmap_to_events(replace(beatmap, hit_objects=kept)))
        join = merging.merge if is_published(settings) else merge
        return join(beatmap, drawn, settings.start_time, settings.end_time)

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


def is_published(settings: Settings) -> bool:
    """Whether the map is to be written as the published program writes it, mistakes and all."""
    return settings.legacy and settings.model != "embedded"


def blank(settings: Settings, song: str) -> Beatmap:
    """A beatmap without objects that holds what `settings` say; `song` is the audio file's name."""
    beatmap = Beatmap(mode=settings.mode, audio_filename=song, sample_set="Soft", widescreen_storyboard=True)
    for name in _DIFFICULTY:
        value = getattr(settings, name)
        if value is not None:
            setattr(beatmap, name, value)
    return stamped(beatmap, settings)


def stamped(beatmap: Beatmap, settings: Settings) -> Beatmap:
    """`beatmap` under the names, tags and ids of a generated map."""
    names: dict[str, Any] = {name: getattr(settings, name) or "" for name in _NAMES}
    return replace(beatmap, **names, difficulty_name=settings.version or "", beatmap_id=0, beatmapset_id=-1)


def _bounds(settings: Settings) -> tuple[float, float]:
    """First and last ms of the range."""
    first = -math.inf if settings.start_time is None else float(settings.start_time)
    return first, math.inf if settings.end_time is None else float(settings.end_time)
