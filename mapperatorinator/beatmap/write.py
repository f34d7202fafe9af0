"""Writing beatmap files, in the format version of the map; v128 where that cannot hold its sliders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import UserError
from .beatmap import FIRST_LAZER_VERSION, Beatmap
from .lines import format_hit_object, format_timing_point
from .numbers import format_number
from .objects import Slider
from .sections import SECTIONS, Key
from .timing import TimingPoint

_SPACED = ("General", "Editor")  # here the game puts a space after the colon
_DEFAULTS = Beatmap()


def write_beatmap(bm: Beatmap) -> str:
    """The text of the file of `bm`, with CRLF line ends as the game writes them.

    ValueError where a number of `bm` is none (NaN or infinite) or beyond what the game reads.
    """
    upgrade = needs_lazer(bm)
    offset = 0.0 if upgrade else bm.file_offset
    lines = [f"osu file format v{FIRST_LAZER_VERSION if upgrade else bm.version}", ""]
    for name in SECTIONS:
        lines += _section(name, _key_values(bm, name, offset))
    for name, content in bm.extra_sections.items():
        lines += _section(name, content)
    lines += _section("Events", _events(bm, offset))
    lines += _section("TimingPoints", (format_timing_point(point, offset) for point in _timing_points(bm)))
    lines += _section("Colours", _colours(bm))
    lines += _section("HitObjects", (format_hit_object(obj, offset) for obj in bm.hit_objects))
    # A line break inside a title or a file name must not begin a line of its own.
    return "\r\n".join(line.replace("\r", " ").replace("\n", " ") for line in lines)


def beatmap_bytes(bm: Beatmap) -> bytes:
    """The content of the file of `bm`: UTF-8 without a mark."""
    return write_beatmap(bm).encode("utf-8", errors="replace")


def save_beatmap(bm: Beatmap, path: str | Path) -> None:
    """Write `bm` to `path`; UserError if that cannot be written."""
    replace_file(Path(path), beatmap_bytes(bm))


def replace_file(path: Path, data: bytes) -> None:
    """Make `data` the content of the file at `path`: whole or, with a UserError, not at all."""
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.write_bytes(data)
        os.replace(unfinished, path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise UserError(f"Cannot write {path}: {error.strerror or error}.") from error


def needs_lazer(bm: Beatmap) -> bool:
    """Whether a path made for lazer has several types or a B-spline, which only v128 can express.

    Old files that hold such a path anyway (`lazer` is off) keep their version.
    """
    paths = (obj.path for obj in bm.hit_objects if isinstance(obj, Slider) and obj.path.lazer)
    return bm.version < FIRST_LAZER_VERSION and any(
        any(point.type for point in path.points[1:]) or len(path.points[0].type or "L") > 1 for path in paths
    )


def _section(name: str, content: Iterator[str] | list[str]) -> list[str]:
    lines = list(content)
    return [f"[{name}]", *lines, ""] if lines or name in ("Events", "TimingPoints", "HitObjects") else []


def _key_values(bm: Beatmap, section: str, offset: float) -> Iterator[str]:
    separator = ": " if section in _SPACED else ":"
    for key in SECTIONS[section]:
        value: Any = getattr(bm, key.field)
        if key.field in bm.absent and value == _default(bm, key):
            continue
        if key.name == "PreviewTime" and value != -1:
            value -= offset
        yield key.name + separator + key.format(value)
    for name, text in bm.extra.get(section, {}).items():
        yield name + separator + text


def _default(bm: Beatmap, key: Key) -> Any:
    """What a reader takes when the key is missing."""
    return bm.overall_difficulty if key.name == "ApproachRate" else getattr(_DEFAULTS, key.field)


def _events(bm: Beatmap, offset: float) -> Iterator[str]:
    yield "//Background and Video events"
    if bm.background is not None:
        yield f"0,0,{_quoted(bm.background)},{','.join(map(format_number, bm.background_offset))}"
    if bm.video is not None:
        time, x, y = map(format_number, bm.video[1:])
        yield f"Video,{time},{_quoted(bm.video.filename)},{x},{y}"
    yield "//Break Periods"
    for start, end in bm.breaks:
        yield f"2,{format_number(start - offset)},{format_number(end - offset)}"
    yield from bm.storyboard


def _quoted(name: str) -> str:
    return '"' + name.replace('"', "") + '"'


def _timing_points(bm: Beatmap) -> list[TimingPoint]:
    """In the order in which they came, if they are still those that came."""
    unchanged = sorted(bm.unsorted_timing_points, key=lambda point: point.time) == bm.timing_points
    return bm.unsorted_timing_points if unchanged else bm.timing_points


def _colours(bm: Beatmap) -> Iterator[str]:
    for number, colour in enumerate(bm.combo_colours, start=1):
        yield f"Combo{number} : {','.join(map(str, colour))}"
    for name, text in bm.extra.get("Colours", {}).items():
        yield f"{name} : {text}"
