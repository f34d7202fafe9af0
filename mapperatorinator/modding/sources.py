"""Where maps under review come from: a file, an archive or a folder, each map with the song it names."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mapperatorinator.audio import Audio, load_audio
from mapperatorinator.beatmap import Beatmap, read_beatmap, read_osz
from mapperatorinator.errors import UserError


@dataclass(frozen=True)
class Source:
    """The maps of one song: the file or folder they come from, and the song, None where it is missing."""

    path: Path
    beatmaps: list[Beatmap]
    audio: Audio | None


def read_sources(path: Path, audio_path: Path | None = None) -> Iterator[Source]:
    """Yield the maps under a path, song by song; UserError where there are none or they cannot be read.

    path : a `.osu`, a `.osz`, or a folder that holds some at any depth. audio_path : the song, instead of the one
    that the maps name.
    """
    given = load_audio(audio_path) if audio_path is not None else None
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in (".osu", ".osz"))
        if not files:
            raise UserError(f"There is no .osu or .osz file in {path}; choose another folder.")
        archives = [file for file in files if file.suffix.lower() == ".osz"]
        for folder in sorted({file.parent for file in files if file not in archives}):
            yield from _songs(folder, [file for file in files if file.parent == folder and file not in archives], given)
    elif path.is_file():
        archives = [path] if path.suffix.lower() == ".osz" else []
        if not archives:
            yield from _songs(path, [path], given)
    else:
        raise UserError(f"There is no file at {path}; check the path.")
    for archive in archives:
        yield _archive(archive, given)


def _songs(shown: Path, files: list[Path], given: Audio | None) -> Iterator[Source]:
    """Maps of one folder, grouped by the song they name."""
    groups: dict[str, list[tuple[Path, Beatmap]]] = {}
    for file in files:
        beatmap = _read(file)
        groups.setdefault(beatmap.audio_filename.strip().casefold(), []).append((file, beatmap))
    for name, some in groups.items():
        song = given or _beside(some[0][0].parent, name)
        yield Source(shown if len(some) > 1 else some[0][0], [beatmap for _, beatmap in some], song)


def _read(path: Path) -> Beatmap:
    if path.suffix.lower() != ".osu":
        raise UserError(f"{path.name} is neither a .osu nor a .osz file; choose a beatmap.")
    try:
        return read_beatmap(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path.name} cannot be read as a beatmap: {error}.") from error


def _beside(folder: Path, name: str) -> Audio | None:
    """The song of that name in a folder, in whatever case its name is written."""
    if not name or Path(name).name != name:
        return None
    found = [file for file in folder.iterdir() if file.is_file() and file.name.casefold() == name]
    return load_audio(found[0]) if found else None


def _archive(path: Path, given: Audio | None) -> Source:
    mapset = read_osz(path)
    name = mapset.beatmaps[0].audio_filename
    content = None if given is not None else mapset.find(name)
    if content is not None:
        with tempfile.TemporaryDirectory() as folder:
            song = Path(folder) / f"song{Path(name).suffix}"
            song.write_bytes(content)
            given = load_audio(song)
    return Source(path, list(mapset.beatmaps), given)
