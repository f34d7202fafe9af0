"""Maps named on a command line: files, archives and folders of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mapperatorinator.errors import UserError

if TYPE_CHECKING:
    from mapperatorinator.beatmap import Beatmap

ENDINGS = (".osu", ".osz")


def read_maps(path: Path) -> list[Beatmap]:
    """The maps of a `.osu` or `.osz` file; UserError if it is missing or cannot be read."""
    from mapperatorinator.beatmap import read_beatmap, read_osz

    if not path.is_file():
        raise UserError(f"There is no file at {path}; check the path.")
    try:
        if path.suffix.lower() == ".osz":
            return list(read_osz(path).beatmaps)
        return [read_beatmap(path)]
    except (OSError, ValueError) as error:
        raise UserError(f"{path.name} cannot be read as a beatmap: {error}.") from error


def map_files(path: Path) -> Iterator[Path]:
    """The path itself, or all map files in a folder at any depth; UserError if it holds none."""
    if not path.is_dir():
        yield path
        return
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in ENDINGS)
    if not found:
        raise UserError(f"There is no .osu or .osz file in {path}; choose another folder.")
    yield from found
