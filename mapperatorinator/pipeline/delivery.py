"""Writing the result: all of it or nothing, and never over something that is already there.

Every file is first written under a temporary name in the target folder and renamed at the end, so a full
disk or a pulled plug leaves no half-written file behind.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mapperatorinator.errors import UserError

Writer = Callable[[Path], object]


@dataclass(frozen=True)
class Target:
    """Where results go: a folder, and the file name that was asked for (None: named after the set)."""

    folder: Path
    name: str | None = None

    def file(self, name: str) -> Path:
        """A path that is free: 'name.osz', then 'name (2).osz', …; an asked name is taken as it is."""
        suffix = Path(name).suffix
        if self.name is not None:
            return self.folder / f"{self.name}{suffix}"
        path, number = self.folder / name, 2
        while path.exists():
            path = self.folder / f"{name.removesuffix(suffix)} ({number}){suffix}"
            number += 1
        return path


def find_target(output_path: str, song: Path) -> Target:
    """Where `output_path` points: an .osz file or a folder; beside the song if empty.

    UserError, before any work is done, if nothing can be written there.
    """
    path = Path(output_path) if output_path else song.parent
    named = path.suffix.lower() == ".osz" and not path.is_dir()
    folder = path.parent if named else path
    nearest = folder
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise UserError(f"Cannot write to {folder}: {nearest} is a file; choose another output folder.")
    if not os.access(nearest, os.W_OK):
        raise UserError(f"Cannot write to {folder}: no permission; choose another output folder.")
    return Target(folder, path.stem if named else None)


def deliver(files: Mapping[Path, Writer]) -> None:
    """Write all files or none; UserError if the disk refuses."""
    written: list[tuple[Path, Path]] = []
    try:
        for path, write in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{os.getpid()}-{len(written)}{path.suffix}.part")
            written.append((temporary, path))
            write(temporary)
        for temporary, path in written:
            os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"The result could not be written to {path.parent}: {reason}.") from error
    finally:
        for temporary, _ in written:
            temporary.unlink(missing_ok=True)
