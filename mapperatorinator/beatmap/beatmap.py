"""The beatmap: one difficulty, everything its file holds, and the questions one asks of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from .objects import HitObject, Hold, Slider, Spinner
from .sections import OPTIONAL
from .timing import TimingIndex, TimingPoint

OSU, TAIKO, CATCH, MANIA = range(4)
LATEST_STABLE_VERSION = 14
FIRST_LAZER_VERSION = 128
EARLY_OFFSET = 24.0  # ms by which times in formats v3 and v4 lag behind those of later ones


class Break(NamedTuple):
    """A pause of the map, in ms."""

    start: float
    end: float


class Video(NamedTuple):
    """A background video; `start` in ms."""

    filename: str
    start: float = 0.0
    x: float = 0.0
    y: float = 0.0


class Colour(NamedTuple):
    """Red, green, blue, 0..255."""

    red: int
    green: int
    blue: int


@dataclass(kw_only=True)
class Beatmap:
    """One difficulty.

    `timing_points` and `hit_objects` are in order of time. Times are those of today's game: the 24 ms by
    which formats v3 and v4 lag are added on reading and taken off on writing. What this class has no field
    for is kept as text: unknown keys in `extra[section][key]`, unknown sections in `extra_sections`,
    storyboard lines in `storyboard`. `absent` names the fields whose keys the file does without, as long as
    they have their default values; `unsorted_timing_points` keeps the order of a file that was not in order,
    since the game's reading depends on it. `warnings` says which damaged lines were skipped on reading.
    """

    version: int = LATEST_STABLE_VERSION
    # General
    audio_filename: str = ""
    audio_lead_in: float = 0.0
    preview_time: float = -1.0
    countdown: int = 0
    sample_set: str = "Normal"
    stack_leniency: float = 0.7
    mode: int = OSU
    letterbox_in_breaks: bool = False
    use_skin_sprites: bool = False
    overlay_position: str = "NoChange"
    skin_preference: str = ""
    epilepsy_warning: bool = False
    countdown_offset: int = 0
    special_style: bool = False
    widescreen_storyboard: bool = False
    samples_match_playback_rate: bool = False
    # Editor
    bookmarks: list[float] = field(default_factory=list)
    distance_spacing: float = 1.0
    beat_divisor: int = 4
    grid_size: int = 4
    timeline_zoom: float = 1.0
    # Metadata
    title: str = ""
    title_unicode: str = ""
    artist: str = ""
    artist_unicode: str = ""
    creator: str = ""
    difficulty_name: str = ""
    source: str = ""
    tags: str = ""
    beatmap_id: int = 0
    beatmapset_id: int = -1
    # Difficulty
    hp_drain_rate: float = 5.0
    circle_size: float = 5.0
    overall_difficulty: float = 5.0
    approach_rate: float = 5.0
    slider_multiplier: float = 1.4
    slider_tick_rate: float = 1.0
    # Events
    background: str | None = None
    background_offset: tuple[float, float] = (0.0, 0.0)
    video: Video | None = None
    breaks: list[Break] = field(default_factory=list)
    storyboard: list[str] = field(default_factory=list)
    # The rest
    timing_points: list[TimingPoint] = field(default_factory=list)
    combo_colours: list[Colour] = field(default_factory=list)
    hit_objects: list[HitObject] = field(default_factory=list)
    extra: dict[str, dict[str, str]] = field(default_factory=dict)
    extra_sections: dict[str, list[str]] = field(default_factory=dict)
    unsorted_timing_points: list[TimingPoint] = field(default_factory=list)
    absent: frozenset[str] = OPTIONAL
    warnings: list[str] = field(default_factory=list, compare=False)
    _index: TimingIndex | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def timing(self) -> TimingIndex:
        """The index over `timing_points`, rebuilt when they have changed."""
        # Timing points are immutable, so comparing the list (by identity, nanoseconds each) is enough.
        if self._index is None or self._index.points != self.timing_points:
            self._index = TimingIndex(self.timing_points)
        return self._index

    @property
    def file_offset(self) -> float:
        """How much later a time is than its number in a file of this format version, in ms."""
        return EARLY_OFFSET if self.version < 5 else 0.0

    @property
    def keys(self) -> int:
        """The number of mania columns."""
        return max(1, round(self.circle_size))

    def red_lines(self) -> list[TimingPoint]:
        """The uninherited timing points in order of time."""
        return [p for p in self.timing_points if p.uninherited]

    def timing_at(self, time: float) -> tuple[TimingPoint, TimingPoint | None]:
        """The red line and, if one has come after it, the green line in force at `time` ms."""
        return self.timing.red_at(time), self.timing.green_at(time)

    def velocity_at(self, time: float) -> float:
        """The slider velocity multiplier at `time` ms, 0.1..10."""
        green = self.timing.green_at(time)
        return 1.0 if green is None else green.velocity

    def kiai_at(self, time: float) -> bool:
        """Whether `time` ms lies in kiai time."""
        point = self.timing.point_at(time)
        return point is not None and point.kiai

    def slider_span_duration(self, slider: Slider) -> float:
        """How long one span of `slider` lasts, in ms."""
        beat = self.timing.red_at(slider.time).ms_per_beat
        multiplier = min(max(self.slider_multiplier, 0.4), 3.6)  # the game's limits
        return slider.span_length * beat / (100.0 * multiplier * self.velocity_at(slider.time))

    def end_time(self, obj: HitObject) -> float:
        """When `obj` ends, in ms; a circle ends when it starts."""
        if isinstance(obj, (Spinner, Hold)):
            return obj.end_time
        if isinstance(obj, Slider):
            return obj.time + obj.slides * self.slider_span_duration(obj)
        return obj.time

    def column(self, obj: HitObject) -> int:
        """The mania column of `obj`, 0 at the left."""
        return min(max(int(obj.x * self.keys / 512), 0), self.keys - 1)
