"""The key-value sections of a beatmap file: which key is which field of `Beatmap`, in the game's order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .numbers import format_number, parse_int, parse_number


def _parse_flag(text: str) -> bool:
    return parse_int(text) == 1


def _format_flag(value: bool) -> str:
    return str(int(value))


def _parse_mode(text: str) -> int:
    mode = parse_int(text)
    if mode not in range(4):
        raise ValueError(f"there is no mode {mode}")
    return mode


def _parse_list(text: str) -> list[float]:
    return [parse_number(part) for part in text.split(",") if part.strip()]


def _format_list(values: list[float]) -> str:
    return ",".join(map(format_number, values))


class Key(NamedTuple):
    """One key of a section; new files do without `optional` keys that have their default value."""

    name: str
    field: str
    parse: Callable[[str], Any] = str
    format: Callable[[Any], str] = str
    optional: bool = False


def _number(name: str, field: str, optional: bool = False) -> Key:
    return Key(name, field, parse_number, format_number, optional)


def _int(name: str, field: str, optional: bool = False) -> Key:
    return Key(name, field, parse_int, format_number, optional)


def _flag(name: str, field: str, optional: bool = False) -> Key:
    return Key(name, field, _parse_flag, _format_flag, optional)


def _text(name: str, field: str, optional: bool = False) -> Key:
    return Key(name, field, optional=optional)


SECTIONS: dict[str, tuple[Key, ...]] = {
    "General": (
        _text("AudioFilename", "audio_filename"),
        _number("AudioLeadIn", "audio_lead_in"),
        _number("PreviewTime", "preview_time"),
        _int("Countdown", "countdown"),
        _text("SampleSet", "sample_set"),
        _number("StackLeniency", "stack_leniency"),
        Key("Mode", "mode", _parse_mode),
        _flag("LetterboxInBreaks", "letterbox_in_breaks"),
        _flag("UseSkinSprites", "use_skin_sprites", optional=True),
        _text("OverlayPosition", "overlay_position", optional=True),
        _text("SkinPreference", "skin_preference", optional=True),
        _flag("EpilepsyWarning", "epilepsy_warning", optional=True),
        _int("CountdownOffset", "countdown_offset", optional=True),
        _flag("SpecialStyle", "special_style", optional=True),
        _flag("WidescreenStoryboard", "widescreen_storyboard"),
        _flag("SamplesMatchPlaybackRate", "samples_match_playback_rate", optional=True),
    ),
    "Editor": (
        Key("Bookmarks", "bookmarks", _parse_list, _format_list, optional=True),
        _number("DistanceSpacing", "distance_spacing"),
        _int("BeatDivisor", "beat_divisor"),
        _int("GridSize", "grid_size"),
        _number("TimelineZoom", "timeline_zoom"),
    ),
    "Metadata": (
        _text("Title", "title"),
        _text("TitleUnicode", "title_unicode"),
        _text("Artist", "artist"),
        _text("ArtistUnicode", "artist_unicode"),
        _text("Creator", "creator"),
        _text("Version", "difficulty_name"),
        _text("Source", "source"),
        _text("Tags", "tags"),
        _int("BeatmapID", "beatmap_id"),
        _int("BeatmapSetID", "beatmapset_id"),
    ),
    "Difficulty": (
        _number("HPDrainRate", "hp_drain_rate"),
        _number("CircleSize", "circle_size"),
        _number("OverallDifficulty", "overall_difficulty"),
        _number("ApproachRate", "approach_rate"),
        _number("SliderMultiplier", "slider_multiplier"),
        _number("SliderTickRate", "slider_tick_rate"),
    ),
}

OPTIONAL = frozenset(key.field for keys in SECTIONS.values() for key in keys if key.optional)
