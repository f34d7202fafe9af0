"""Writing beatmap files, in the version the map came in or v14; v128 only where an older one cannot hold it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .beatmap import FIRST_LAZER_VERSION, Beatmap
from .lines import format_hit_object, format_timing_point
from .numbers import format_number
from .objects import Slider
from .parse import early_offset
from .sections import SECTIONS

_SPACED = ("General", "Editor")  # here the game puts a space after the colon
_DEFAULTS = Beatmap()


def write_beatmap(bm: Beatmap) -> str:
    """The text of the file of `bm`, CRLF line ends as the game writes them."""
    version = FIRST_LAZER_VERSION if needs_lazer(bm) else bm.version
    lines = [f"osu file format v{version}", ""]
    for name in SECTIONS:
        lines += _section(name, _key_values(bm, name))
    for name, content in bm.extra_sections.items():
        lines += _section(name, content)
    offset = early_offset(version)
    lines += _section("Events", _events(bm, offset))
    lines += _section("TimingPoints", (format_timing_point(point, offset) for point in bm.timing_points))
    lines += _section("Colours", _colours(bm))
    lines += _section("HitObjects", (format_hit_object(obj, offset) for obj in bm.hit_objects))
    return "\r\n".join(lines)


def save_beatmap(bm: Beatmap, path: str | Path) -> None:
    """Write `bm` to `path`; the file appears whole or not at all."""
    path = Path(path)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(write_beatmap(bm).encode("utf-8", errors="replace"))
    os.replace(unfinished, path)


def needs_lazer(bm: Beatmap) -> bool:
    """Whether a slider has several typed segments or a B-spline, which only v128 can express."""
    return bm.version < FIRST_LAZER_VERSION and any(
        any(point.type for point in obj.path.points[1:]) or len(obj.path.points[0].type or "L") > 1
        for obj in bm.hit_objects
        if isinstance(obj, Slider)
    )


def _section(name: str, content: Iterator[str] | list[str]) -> list[str]:
    lines = list(content)
    return [f"[{name}]", *lines, ""] if lines or name in ("Events", "TimingPoints", "HitObjects") else []


def _key_values(bm: Beatmap, section: str) -> Iterator[str]:
    separator = ": " if section in _SPACED else ":"
    for key in SECTIONS[section]:
        value = getattr(bm, key.field)
        if not key.optional or value != getattr(_DEFAULTS, key.field):
            if key.name == "PreviewTime" and value != -1:
                value -= early_offset(bm.version)
            yield key.name + separator + key.format(value)
    for name, text in bm.extra.get(section, {}).items():
        yield name + separator + text


def _events(bm: Beatmap, offset: float) -> Iterator[str]:
    yield "//Background and Video events"
    if bm.background is not None:
        yield f'0,0,"{bm.background}",{",".join(map(format_number, bm.background_offset))}'
    if bm.video is not None:
        position = f"{format_number(bm.video.x)},{format_number(bm.video.y)}"
        yield f'Video,{format_number(bm.video.start)},"{bm.video.filename}",{position}'
    yield "//Break Periods"
    for start, end in bm.breaks:
        yield f"2,{format_number(start - offset)},{format_number(end - offset)}"
    yield from bm.storyboard


def _colours(bm: Beatmap) -> Iterator[str]:
    for number, colour in enumerate(bm.combo_colours, start=1):
        yield f"Combo{number} : {','.join(map(str, colour))}"
    for name, text in bm.extra.get("Colours", {}).items():
        yield f"{name} : {text}"
