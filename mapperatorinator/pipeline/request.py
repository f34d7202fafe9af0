"""What exactly is asked: settings with every blank filled, from the reference beatmap, tags and defaults.

Order of precedence: what the user set, the reference beatmap, the song's tags, medians of human maps.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mapperatorinator.audio import Tags
from mapperatorinator.beatmap import MANIA, TAIKO, Beatmap, read_beatmap, star_rating
from mapperatorinator.defaults import difficulty_defaults
from mapperatorinator.errors import UserError
from mapperatorinator.mapper.sequence.conditions import Wishes
from mapperatorinator.pipeline.contexts import touches
from mapperatorinator.settings import Settings

DEFAULT_STARS = 4.0
GENERATOR = "Mapperatorinator"
_LARGEST_SEED = 65_536
_STATS = (
    "hp_drain_rate", "circle_size", "overall_difficulty", "approach_rate", "slider_multiplier", "slider_tick_rate",
)  # fmt: skip


def read_reference(settings: Settings) -> Beatmap | None:
    """The reference beatmap, or None if none was given; UserError if it cannot be read."""
    if not settings.beatmap_path:
        return None
    path = Path(settings.beatmap_path)
    if path.suffix.lower() != ".osu":
        raise UserError(f"beatmap_path is {path.name}; it must be an .osu file (unpack an .osz first).")
    if not path.is_file():
        raise UserError(f"There is no beatmap at {path}; check beatmap_path.")
    try:
        return read_beatmap(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path.name} cannot be read as a beatmap: {error}.") from error


def song_path(settings: Settings, reference: Beatmap | None) -> Path:
    """The song's file: `audio_path`, else the one that the reference beatmap names."""
    if settings.audio_path:
        path = Path(settings.audio_path)
    elif reference is not None and reference.audio_filename:
        path = Path(settings.beatmap_path).parent / reference.audio_filename
    else:
        raise UserError("There is no song: give audio_path, or a beatmap_path whose audio lies beside it.")
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise UserError(f"The song {path} {what}; check the path.")
    return path


def check_picture(settings: Settings) -> None:
    """UserError if a background was asked for and is not there."""
    if settings.background and not Path(settings.background).is_file():
        raise UserError(f"There is no background picture at {settings.background}; check background.")


def complete(settings: Settings, reference: Beatmap | None, tags: Tags) -> Settings:
    """Fill what holds for the whole set: mode, keys, seed, title and artist."""
    given = _from_reference(settings, reference) if reference else {}
    given.setdefault("gamemode", 0)
    given.setdefault("hitsounded", True)
    given.setdefault("difficulty", DEFAULT_STARS)
    given.setdefault("keycount", 4)
    given.setdefault("seed", secrets.randbelow(_LARGEST_SEED))
    for name in ("title", "artist"):
        written = getattr(settings, f"{name}_unicode") or getattr(settings, name)
        given.setdefault(f"{name}_unicode", written or getattr(tags, f"{name}_unicode"))
        given.setdefault(name, getattr(tags, name))
    return _fill(settings, given)


def asked_stars(settings: Settings) -> tuple[float, ...]:
    """Star ratings of the difficulties to make, in rising order."""
    if settings.difficulties:
        return tuple(sorted(settings.difficulties))
    return (settings.difficulty if settings.difficulty is not None else DEFAULT_STARS,)


def for_stars(settings: Settings, stars: float) -> Settings:
    """The settings of one difficulty: HP, CS, OD, AR and slider velocity suit the stars unless asked."""
    suited: dict[str, Any] = asdict(difficulty_defaults(settings.mode, stars))
    if settings.mode == 3 and settings.circle_size is None:
        suited["circle_size"] = float(settings.keycount or 4)
    return _fill(replace(settings, difficulty=stars), suited)


def _from_reference(settings: Settings, reference: Beatmap) -> dict[str, Any]:
    mode = reference.mode
    values: dict[str, Any] = {
        "gamemode": mode,
        "title": reference.title,
        "title_unicode": reference.title_unicode or reference.title,
        "artist": reference.artist,
        "artist_unicode": reference.artist_unicode or reference.artist,
        "source": reference.source,
        "preview_time": round(reference.preview_time) if reference.preview_time >= 0 else None,
        "tags": reference.tags,
    }
    if settings.add_to_beatmap or touches(settings):
        marked = settings.ai_mark and not settings.overwrite_reference_beatmap
        name = reference.difficulty_name
        values["version"] = f"AI {name}" if marked and not name.startswith("AI ") else name
        values["creator"] = reference.creator
    if reference.background:
        picture = Path(settings.beatmap_path).parent / reference.background
        values["background"] = str(picture) if picture.is_file() else ""
    if settings.gamemode in (None, mode):
        # A guest difficulty of other stars wants other difficulty settings than its sister.
        if "GD" not in settings.in_context or settings.difficulty is None:
            values |= {name: getattr(reference, name) for name in _STATS}
        if reference.hit_objects:
            wishes = Wishes.of(reference, round(star_rating(reference), 2))
            values["difficulty"] = wishes.difficulty
            values["hitsounded"] = wishes.hitsounded or "NO_HS" in settings.in_context
            values["scroll_speed_ratio"] = wishes.scroll_speed_ratio if mode in (TAIKO, MANIA) else None
            values["hold_note_ratio"] = wishes.hold_note_ratio if mode == MANIA else None
        if mode == MANIA:
            values["keycount"], values["circle_size"] = reference.keys, reference.circle_size
    return {name: value for name, value in values.items() if value not in (None, "")}


def _fill(settings: Settings, values: dict[str, Any]) -> Settings:
    """Set the options that are still empty."""
    empty = {name: value for name, value in values.items() if getattr(settings, name) in (None, "")}
    return replace(settings, **empty)
