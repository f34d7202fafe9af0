"""Reading beatmap files: every format from v3 to v14 and v128, and damaged ones as far as they go."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import UserError
from .beatmap import FIRST_LAZER_VERSION, Beatmap, Break, Colour, Video
from .lines import parse_hit_object, parse_timing_point
from .numbers import parse_int, parse_number
from .sections import SECTIONS

MAX_WARNINGS = 100
MAX_FILE_BYTES = 64 * 2**20
_HEADER = re.compile(r"osu file format v(\d{1,4})")
_GENERATED_COMMENTS = ("//Background and Video events", "//Break Periods")
_MEDIA = re.compile(
    r"""\w+,(?P<start>[^,]*),"?(?P<name>(?<=")[^"]*|[^,"]*)"?(?:,(?P<x>[^,]*))?(?:,(?P<y>[^,]*))?.*"""
)
_SAMPLE_SETS = {"none": 0, "normal": 1, "soft": 2, "drum": 3}


def read_beatmap(path: str | Path) -> Beatmap:
    """Read the beatmap at `path`; UserError if it cannot be read or is none."""
    try:
        if Path(path).stat().st_size > MAX_FILE_BYTES:
            raise UserError(f"{path} is too large for a beatmap.")
        data = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror or error}.") from error
    try:
        return parse_beatmap(data)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def parse_beatmap(text: str | bytes) -> Beatmap:
    """Read a beatmap from the text or bytes of its file; UserError if it is none.

    A damaged line is skipped and named in `warnings` of the result.
    """
    if isinstance(text, bytes):
        text = decode_text(text)
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    version = _format_version(lines)
    parser = _Parser(version or Beatmap.version)
    if version is None:
        parser.warn("the first line does not name the file format; v14 is assumed")
    for number, line in enumerate(lines, start=1):
        parser.read_line(number, line)
    return parser.finish()


def _format_version(lines: list[str]) -> int | None:
    """The version named in the first line that is not empty, None if only the sections tell a beatmap."""
    header = _HEADER.search(next((line for line in lines if line.strip("\0 \t")), ""))
    if not header and not any(line.strip() == "[HitObjects]" for line in lines):
        raise UserError("This is not an osu! beatmap: it does not begin with 'osu file format v'.")
    return int(header[1]) if header else None


def decode_text(data: bytes) -> str:
    """The text of a file: UTF-8 or UTF-16 by its mark; lines that are not UTF-8 are taken as Latin-1."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "\n".join(map(_decode_line, data.removeprefix(b"\xef\xbb\xbf").splitlines()))


def _decode_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


class _Parser:
    """Reads one file line by line into a `Beatmap`."""

    def __init__(self, version: int) -> None:
        self.bm = Beatmap(version=version)
        self.offset = self.bm.file_offset
        self.section = ""
        self.sample_volume = 100
        self.given: set[str] = set()
        self.keys = {name: {key.name: key for key in keys} for name, keys in SECTIONS.items()}

    def warn(self, text: str) -> None:
        """Note a finding, up to a limit, since a damaged file may have one per line."""
        if len(self.bm.warnings) < MAX_WARNINGS:
            self.bm.warnings.append(text)

    def read_line(self, number: int, line: str) -> None:
        """Read one line; a damaged one is noted and skipped."""
        stripped = line.strip("\0 \t")
        if not stripped or stripped.startswith("//") and self.section != "Events":
            return
        if stripped[0] == "[" and stripped[-1] == "]":
            self.section = stripped[1:-1]
            return
        try:
            self._dispatch(line, stripped)
        except (ValueError, IndexError, OverflowError) as error:
            self.warn(f"line {number} ({self.section}: {stripped[:60]}) is damaged and was skipped: {error}")

    def _dispatch(self, line: str, stripped: str) -> None:
        if self.section in self.keys:
            self._key_value(stripped)
        elif self.section == "Events":
            self._event(line)
        elif self.section == "TimingPoints":
            bank = _SAMPLE_SETS.get(self.bm.sample_set.lower(), 1)
            self.bm.timing_points.append(parse_timing_point(stripped, self.offset, bank, self.sample_volume))
        elif self.section == "Colours":
            self._colour(stripped)
        elif self.section == "HitObjects":
            lazer = self.bm.version >= FIRST_LAZER_VERSION
            self.bm.hit_objects.append(parse_hit_object(stripped, self.offset, lazer))
        elif self.section:
            self.bm.extra_sections.setdefault(self.section, []).append(line)

    def _key_value(self, line: str) -> None:
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon:
            raise ValueError("there is no colon")
        key = self.keys[self.section].get(name)
        if key is None:
            self.bm.extra.setdefault(self.section, {})[name] = value
            if name == "SampleVolume":
                self.sample_volume = parse_int(value)
            return
        parsed = key.parse(value)
        if name == "PreviewTime" and parsed != -1:
            parsed += self.offset
        self.given.add(key.field)
        setattr(self.bm, key.field, parsed)

    def _event(self, line: str) -> None:
        bm, kind = self.bm, line.partition(",")[0].lower()
        media = _MEDIA.fullmatch(line)
        if kind in ("2", "break"):
            start, end = (parse_number(part) + self.offset for part in line.split(",")[1:3])
            bm.breaks.append(Break(start, end))
        elif media and kind in ("0", "background") and bm.background is None:
            bm.background, bm.background_offset = media["name"].strip(), _place(media)
        elif media and kind in ("1", "video") and bm.video is None:
            bm.video = Video(media["name"].strip(), parse_number(media["start"]), *_place(media))
        elif line.strip() and line.strip() not in _GENERATED_COMMENTS:
            bm.storyboard.append(line.rstrip())

    def _colour(self, line: str) -> None:
        name, _, value = (part.strip() for part in line.partition(":"))
        if not re.fullmatch(r"Combo\d+", name):
            self.bm.extra.setdefault("Colours", {})[name] = value
            return
        red, green, blue = (min(max(parse_int(part), 0), 255) for part in value.split(",")[:3])
        self.bm.combo_colours.append(Colour(red, green, blue))

    def finish(self) -> Beatmap:
        """The beatmap, in order of time."""
        bm = self.bm
        bm.absent = frozenset(key.field for keys in SECTIONS.values() for key in keys) - self.given
        if "approach_rate" in bm.absent:
            bm.approach_rate = bm.overall_difficulty  # files older than the key mean this
        in_order = sorted(bm.timing_points, key=lambda point: point.time)
        if in_order != bm.timing_points:
            self.warn("the timing points were not in order of time and have been sorted")
            bm.unsorted_timing_points, bm.timing_points = bm.timing_points, in_order
        bm.hit_objects.sort(key=lambda obj: obj.time)
        return bm


def _place(media: re.Match[str]) -> tuple[float, float]:
    return parse_number(media["x"] or "0"), parse_number(media["y"] or "0")
