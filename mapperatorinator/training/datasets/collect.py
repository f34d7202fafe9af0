"""Song folders and .osz files below some folders, and what is in each: maps to learn from, and why others are not.

`examine` is the whole work on one set and knows nothing of the others, so that it can run anywhere and its answer
can be kept.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mapperatorinator.audio import is_silent, load_audio
from mapperatorinator.beatmap import Beatmap, Mapset, read_beatmap, read_osz, star_rating, write_beatmap
from mapperatorinator.beatmap.names import member_name
from mapperatorinator.errors import UserError
from mapperatorinator.pipeline.naming import AI_TAGS
from mapperatorinator.training.datasets.sources import SPEEDS

# Words in a map's tags by which its maker forbids learning from it.
OPT_OUT_TAGS = frozenset({"noai", "no-ai", "no_ai", "no-ai-training", "no_ai_training", "noaitraining"})
OPT_OUT_FILE = ".noai"  # in a folder: nothing in it or below it is used
BEHIND_END_MS = 1000  # that the last object may lie behind the end of the song
Record = dict[str, Any]


@dataclass
class Facts:
    """What one set holds. maps : a record of every usable map. skipped : file and reason of the others."""

    source: str
    maps: list[Record] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)


def find_sets(folders: Sequence[Path]) -> list[Path]:
    """Every .osz file and every folder with .osu files in it, at or below `folders`, in order of name.

    UserError if a folder does not exist or nothing is found.
    """
    found: set[Path] = set()
    for folder in folders:
        if not folder.exists():
            raise UserError(f"There is no folder {folder}; name folders of .osz files or song folders.")
        top = folder.resolve()
        for path in [top] if top.is_file() else top.rglob("*"):
            ending = path.suffix.lower()
            if ending in (".osz", ".osu") and path.is_file() and not _is_closed(path, top):
                found.add(path if ending == ".osz" else path.parent)
    if not found:
        raise UserError(f"There is no .osz and no .osu file in {', '.join(map(str, folders))}.")
    return sorted(found)


def _is_closed(path: Path, top: Path) -> bool:
    inside = [parent for parent in path.parents if parent == top or top in parent.parents]
    return any((parent / OPT_OUT_FILE).exists() for parent in inside)


def state_of(source: Path) -> str:
    """A sum that changes when a set on disk does: of its files' names, sizes and dates."""
    files = sorted(source.iterdir()) if source.is_dir() else [source]
    stats = [(path.name, path.stat()) for path in files if path.is_file()]
    told = [source.as_posix(), *(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]


def open_set(source: Path) -> tuple[Mapset, Callable[[str], bytes | None]]:
    """The difficulties of a set, and a function that gives its other files by name. UserError if it is damaged."""
    if not source.is_dir():
        mapset = read_osz(source)
        return mapset, mapset.find
    mapset = Mapset()
    for path in sorted(source.iterdir()):
        if path.suffix.lower() == ".osu":
            try:
                mapset.beatmaps.append(read_beatmap(path))
                mapset.names.append(path.name)
            except UserError as error:
                mapset.warnings.append(f"{path.name!r} was skipped: {error}")

    def find(name: str) -> bytes | None:
        inside = member_name(name)
        path = source / inside if inside else source
        if inside and not path.is_file():  # the game's home system knows no case
            path = next((p for p in path.parent.glob("*") if p.name.lower() == path.name.lower()), path)
        return path.read_bytes() if path.is_file() else None

    return mapset, find


def examine(source: str) -> Record:
    """What one set holds, as JSON has it: `maps`, `skipped`. Never fails: what is damaged is said there."""
    facts = Facts(source)
    try:
        mapset, find = open_set(Path(source))
        facts.skipped += [("", warning) for warning in mapset.warnings]
        songs: dict[str, tuple[str, float] | str] = {}
        for name, bm in zip(mapset.names, mapset.beatmaps, strict=True):
            audio = bm.audio_filename
            if audio not in songs:
                songs[audio] = _heard(audio, find(audio))
            song = songs[audio]
            reason = song if isinstance(song, str) else unfit(bm, song[1])
            if reason is None:
                facts.maps.append(_record(name, bm, *songs[audio]))
            else:
                facts.skipped.append((name, reason))
    except Exception as error:  # whatever is wrong with one set must not stop the others
        facts.skipped.append(("", f"{type(error).__name__}: {error}" if not isinstance(error, UserError) else str(error)))
    return vars(facts)


def unfit(bm: Beatmap, seconds: float) -> str | None:
    """Why a map with a song of `seconds` must not or cannot be learned from; None if it can."""
    words = {word.lower() for word in bm.tags.split()}
    if words & OPT_OUT_TAGS:
        return "its tags forbid learning from it"
    if set(AI_TAGS.split()) <= words:
        return "a program made it"
    if not bm.hit_objects:
        return "it has no objects"
    if not bm.red_lines():
        return "it has no timing"
    if max(bm.end_time(obj) for obj in bm.hit_objects) > 1000 * seconds + BEHIND_END_MS:
        return "it goes on behind the end of its song"
    return None


def _heard(name: str, data: bytes | None) -> tuple[str, float] | str:
    """Sum of the decoded sound and its length in seconds; or what is wrong with it."""
    if data is None:
        return f"its song {name!r} is missing"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"song{Path(name).suffix}"
        path.write_bytes(data)
        try:
            audio = load_audio(path)
        except UserError as error:
            return f"its song {name!r} is damaged: {error}"
    if is_silent(audio.samples):
        return f"its song {name!r} is silent"
    rounded = np.clip(audio.samples * 32767, -32768, 32767).astype("<i2")
    return hashlib.sha256(rounded.tobytes()).hexdigest(), audio.duration_ms / 1000


def _record(name: str, bm: Beatmap, sound: str, seconds: float) -> Record:
    text = write_beatmap(bm)
    return {
        "file": name, "audio": bm.audio_filename, "sound": sound, "seconds": round(seconds, 3),
        "sum": hashlib.sha256(text.encode()).hexdigest(), "id": bm.beatmap_id, "set": bm.beatmapset_id,
        "mode": bm.mode, "stars": [round(star_rating(text, speed=speed), 4) for speed in SPEEDS],
        "objects": len(bm.hit_objects), "artist": bm.artist, "title": bm.title, "creator": bm.creator,
        "difficulty": bm.difficulty_name, "bpm": round(bm.red_lines()[0].bpm or 0, 3),
    }  # fmt: skip
