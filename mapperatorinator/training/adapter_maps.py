"""Somebody's own maps, from any folder of `.osz` archives, song folders or a built data set, ready to learn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

import numpy as np

from mapperatorinator.beatmap import Beatmap, read_beatmap, read_osz, safe_name, star_rating
from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.corpus import MapRow
from mapperatorinator.training.features import song_mel

_ENDINGS = (".osz", ".osu")
_HELD_SHARE = 0.15  # of the maps, about, to see whether learning them helps with others
_LEAST_SONGS = 3  # with fewer, everything is learned from


@dataclass(frozen=True)
class OwnMap:
    """A map and what is known of it; `row.audio` names its song's frames, `song_ms` is their length, 0 without."""

    beatmap: Beatmap
    row: MapRow
    song_ms: float

    @property
    def song(self) -> str:
        """What tells its song from others."""
        return self.row.audio or self.row.song


def read_maps(
    source: Path, scratch: Path, modes: Sequence[int], tell: Callable[[str], None] = print
) -> list[OwnMap]:
    """Read all maps of some modes below a folder, each once; songs are heard and kept as frames in `scratch`.

    tell : is told what had to be left out. UserError if nothing is left.
    """
    paths = [source] if source.is_file() else sorted(p for p in source.rglob("*") if p.is_file())
    found: dict[tuple[str, ...], OwnMap] = {}
    for path in (p for p in paths if p.suffix.lower() in _ENDINGS):
        try:
            members = _members(path)
        except (UserError, OSError, ValueError) as error:
            tell(f"left out {path.name}: {error}")
            continue
        for beatmap, song in members:
            key = (beatmap.artist, beatmap.title, beatmap.creator, beatmap.difficulty_name)
            if key in found or beatmap.mode not in modes or not beatmap.hit_objects:
                continue
            try:
                found[key] = _own(beatmap, path, song, scratch, tell)
            except (UserError, ValueError) as error:
                tell(f"left out {path.name} [{beatmap.difficulty_name}]: {error}")
    if not found:
        raise UserError(f"There is no readable beatmap of the wanted modes in {source}; name a folder of .osz files.")
    return list(found.values())


def hold_out(maps: Sequence[OwnMap]) -> tuple[list[OwnMap], list[OwnMap]]:
    """Split into maps to learn from and maps of other songs: in each mode, one song with about a seventh of it."""
    held: set[str] = set()
    for mode in range(4):
        counts = Counter(item.song for item in maps if item.beatmap.mode == mode)
        if len(counts) >= _LEAST_SONGS and not counts.keys() & held:
            wanted = _HELD_SHARE * sum(counts.values())
            held.add(min(sorted(counts), key=lambda song: abs(counts[song] - wanted)))
    return [m for m in maps if m.song not in held], [m for m in maps if m.song in held]


def _members(path: Path) -> list[tuple[Beatmap, bytes | None]]:
    """The difficulties of an archive or a file, each with the content of its song, None where that is missing."""
    if path.suffix.lower() == ".osz":
        mapset = read_osz(path)
        return [(beatmap, mapset.find(beatmap.audio_filename)) for beatmap in mapset.beatmaps]
    beatmap = read_beatmap(path)
    name = beatmap.audio_filename.replace("\\", "/")
    beside = (path.parent / name, path.parent / safe_name(Path(name).name))  # the second: as `dataset build` names it
    places = (*beside, *path.parent.parent.glob("audio.*"))  # the last: its layout ORS
    song = next((place for place in places if place.is_file()), None)
    return [(beatmap, None if song is None else song.read_bytes())]


def _own(
    beatmap: Beatmap, path: Path, song: bytes | None, scratch: Path, tell: Callable[[str], None]
) -> OwnMap:
    audio, song_ms = "", 0.0
    if song is None:
        tell(f"{path.name} [{beatmap.difficulty_name}] has no song; it teaches patterns only")
    else:
        audio = sha1(song).hexdigest()
        song_ms = 10.0 * _hear(audio, Path(beatmap.audio_filename).suffix, song, scratch)
    times = [item.time for item in beatmap.hit_objects]
    row = MapRow(
        path=str(path), audio=audio, split="train", mode=beatmap.mode, stars=star_rating(beatmap),
        n_objects=len(times), drain_seconds=(max(times) - min(times)) / 1000, artist=beatmap.artist,
        title=beatmap.title, creator=beatmap.creator, difficulty_name=beatmap.difficulty_name,
        beatmap_id=beatmap.beatmap_id, beatmapset_id=beatmap.beatmapset_id, circle_size=beatmap.circle_size,
        n_red_lines=len(beatmap.red_lines()), align_lag_ms=None, align_ok=None,
    )  # fmt: skip
    return OwnMap(beatmap, row, song_ms)


def _hear(name: str, ending: str, song: bytes, scratch: Path) -> int:
    """Keep a song's frames as `<name>.npy`; returns how many there are."""
    kept = scratch / f"{name}.npy"
    if not kept.exists():
        whole = scratch / f"{name}{ending}"
        whole.write_bytes(song)
        song_mel(whole, scratch)
        whole.unlink()
    return len(np.load(kept, mmap_mode="r"))
