"""Beatmap sets as `.osz` archives: zip files of a song, its difficulties and what they show and play.

Reading trusts nothing: names stay inside the archive's folder, sizes are capped before anything is unpacked.
Writing is deterministic: the same input gives the same bytes, on any day.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import UserError
from .beatmap import Beatmap
from .names import MAX_NAME_BYTES, member_name, safe_name, shorten, unique_name
from .parse import MAX_FILE_BYTES, parse_beatmap
from .write import beatmap_bytes, replace_file

MAX_MEMBERS = 10_000
MAX_MEMBER_BYTES = 512 * 2**20
MAX_TOTAL_BYTES = 1024 * 2**20
MAX_RATIO, FREE_BYTES = 200, 64 * 2**20  # no more than `FREE_BYTES` + 200 bytes unpacked per byte of archive
_EPOCH = (1980, 1, 1, 0, 0, 0)
_DEFLATED = (".osu", ".osb", ".wav", ".bmp", ".txt", ".ini", ".json")  # other kinds are compressed already
_UNIX, _PLAIN_FILE = 3, 0o100644 << 16

File = Path | str | tuple[str, bytes]  # a file on disk, or a name and its content


@dataclass
class Mapset:
    """What an archive holds: difficulties with their file names, all other files by name."""

    beatmaps: list[Beatmap] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def find(self, name: str) -> bytes | None:
        """The file of this name, upper and lower case alike as on the game's home system."""
        wanted = name.replace("\\", "/").lower()
        return next((data for key, data in self.files.items() if key.lower() == wanted), None)


def read_osz(source: Path | str | bytes) -> Mapset:
    """Read the archive at a path, or its bytes.

    Damaged or unsafe members are skipped and named in `warnings`. UserError if it is no archive, holds no
    beatmap, or unpacks to more than the caps of this module.
    """
    label = "This file" if isinstance(source, bytes) else str(source)
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            mapset = _read_members(archive, label)
    except OSError as error:
        raise UserError(f"Cannot read {label}: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError, zlib.error) as error:
        raise UserError(f"{label} is not a beatmap archive (.osz): {error}.") from error
    if not mapset.beatmaps:
        raise UserError(f"{label} holds no osu! beatmap.")
    return mapset


def write_osz(
    path: Path | str,
    beatmaps: Sequence[Beatmap],
    audio: File | None = None,
    background: File | None = None,
    extra: Mapping[str, bytes] | None = None,
) -> Path:
    """Write a set to `path` and return it; the file appears whole or not at all.

    `audio` and `background` are packed under a safe name that every difficulty then refers to; without them
    the difficulties keep the names they have (which `extra`, files by name, should hold). UserError if a file
    cannot be read or `path` cannot be written.
    """
    members: dict[str, bytes] = {}
    taken: set[str] = set()
    names: dict[str, Any] = {}
    for attribute, file in (("audio_filename", audio), ("background", background)):
        if file is not None:
            name, data = _load(file)
            names[attribute] = unique_name(safe_name(name), taken)
            members[names[attribute]] = data
    for name, data in sorted((extra or {}).items()):
        inside = member_name(name)
        if inside and inside.lower() not in taken:
            members[unique_name("/".join(map(safe_name, inside.split("/"))), taken)] = data
    for bm in beatmaps:
        members[unique_name(beatmap_name(bm), taken)] = beatmap_bytes(replace(bm, **names))
    replace_file(Path(path), _pack(members))
    return Path(path)


def beatmap_name(bm: Beatmap) -> str:
    """The file name the game gives a difficulty: `Artist - Title (Creator) [Difficulty].osu`, made safe."""
    version = safe_name(f"[{bm.difficulty_name}]")
    if len(version.encode()) > MAX_NAME_BYTES // 2:
        version = shorten(version, MAX_NAME_BYTES // 2) + "]"
    song = safe_name(f"{bm.artist} - {bm.title} ({bm.creator})", MAX_NAME_BYTES - len(version.encode()) - 5)
    return f"{song} {version}.osu"


def archive_name(bm: Beatmap) -> str:
    """The file name of the set of a difficulty: `Artist - Title.osz`, made safe."""
    return safe_name(f"{bm.artist} - {bm.title}", MAX_NAME_BYTES - 4) + ".osz"


def _read_members(archive: zipfile.ZipFile, label: str) -> Mapset:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    total = sum(info.file_size for info in infos)
    packed = archive.fp.seek(0, io.SEEK_END) if archive.fp else 0
    if len(infos) > MAX_MEMBERS or total > min(MAX_TOTAL_BYTES, FREE_BYTES + MAX_RATIO * packed):
        raise UserError(f"{label} is too large to unpack: {len(infos)} files, {total >> 20} MiB.")
    mapset = Mapset()
    for info in infos:
        try:
            _read_member(archive, info, mapset)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, EOFError, UserError) as error:
            mapset.warnings.append(f"{info.filename[:100]!r} was skipped: {error}")
    return mapset


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, mapset: Mapset) -> None:
    name = member_name(_unicode_name(info))
    if name is None:
        raise ValueError("its name is unsafe")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("its compression is unusual")
    is_beatmap = name.lower().endswith(".osu")
    if info.file_size > (MAX_FILE_BYTES if is_beatmap else MAX_MEMBER_BYTES):
        raise ValueError("it is too large")
    data = archive.read(info)
    if is_beatmap:
        mapset.beatmaps.append(parse_beatmap(data))
        mapset.names.append(name)
    else:
        mapset.files[name] = data


def _unicode_name(info: zipfile.ZipInfo) -> str:
    """Zip files without the UTF-8 flag often hold UTF-8 names all the same."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _load(file: File) -> tuple[str, bytes]:
    if isinstance(file, tuple):
        return file
    try:
        return Path(file).name, Path(file).read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read {file}: {error.strerror or error}.") from error


def _pack(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system, info.external_attr = _UNIX, _PLAIN_FILE  # else they tell the platform
            kind = zipfile.ZIP_DEFLATED if name.lower().endswith(_DEFLATED) else zipfile.ZIP_STORED
            archive.writestr(info, data, compress_type=kind, compresslevel=9)
    return buffer.getvalue()
