"""The corpus: its index as typed rows, its maps read when asked for, grouped by song and by set.

The folder is named by `MAPPERATORINATOR_CORPUS` (default `../shared/corpus` beside the repository) and holds
`maps.csv`, the maps with their songs, and `maps_without_audio.zip`.
"""

from __future__ import annotations

import csv
import itertools
import os
import zipfile
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from mapperatorinator.beatmap import Beatmap, parse_beatmap
from mapperatorinator.errors import UserError

MODES = ("osu!", "taiko", "catch", "mania")
SAME_DIFFICULTY = 0.5  # stars; two maps this close count as the same request
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MapRow:
    """One map of the index. `audio` is "" where the song is missing; `stars` by rosu-pp; times in seconds."""

    path: str
    audio: str
    split: str
    mode: int
    stars: float
    n_objects: int
    drain_seconds: float
    artist: str
    title: str
    creator: str
    difficulty_name: str
    beatmap_id: int
    beatmapset_id: int
    circle_size: float
    n_red_lines: int
    align_lag_ms: float | None
    align_ok: bool | None

    @property
    def song(self) -> str:
        """Artist and title, by which the splits are made."""
        return f"{self.artist} - {self.title}".casefold()

    @property
    def set_key(self) -> str:
        """What names the set: its audio, else its id, else the song and the mapper."""
        if self.audio:
            return self.audio
        return str(self.beatmapset_id) if self.beatmapset_id > 0 else f"{self.song}/{self.creator}"


def default_folder() -> Path:
    """The corpus folder of the environment, or `../shared/corpus` beside the repository."""
    root = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("MAPPERATORINATOR_CORPUS", root / ".." / "shared" / "corpus")).resolve()


class Corpus:
    """The maps of one folder: `rows` is the index, `beatmap` reads a map, `audio_path` finds its song."""

    def __init__(self, folder: Path | str | None = None, keep: int = 64) -> None:
        self.folder = Path(folder) if folder is not None else default_folder()
        if not (self.folder / "maps.csv").is_file():
            raise UserError(
                f"No corpus at {self.folder}: it has no maps.csv. Name its folder in MAPPERATORINATOR_CORPUS."
            )
        self._keep = keep  # maps kept in memory
        self._maps: OrderedDict[str, Beatmap] = OrderedDict()

    @cached_property
    def rows(self) -> tuple[MapRow, ...]:
        """All maps of the index, in its order."""
        with open(self.folder / "maps.csv", encoding="utf-8", newline="") as file:
            return tuple(_row(values) for values in csv.DictReader(file))

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.folder / "maps_without_audio.zip")

    def select(
        self, mode: int | None = None, split: str | None = None, with_audio: bool | None = None
    ) -> list[MapRow]:
        """The rows of a mode (0..3), a split ("train", "val"), and with or without a song; None takes all."""
        return [
            row for row in self.rows
            if (mode is None or row.mode == mode)
            and (split is None or row.split == split)
            and (with_audio is None or bool(row.audio) == with_audio)
        ]

    def text(self, row: MapRow) -> bytes:
        """The bytes of the map's file."""
        path = self.folder / row.path
        return path.read_bytes() if path.is_file() else self._archive.read(row.path)

    def beatmap(self, row: MapRow) -> Beatmap:
        """The map, parsed; the last few are kept, so do not change what you get."""
        kept = self._maps.pop(row.path, None)
        self._maps[row.path] = kept = kept or parse_beatmap(self.text(row))
        if len(self._maps) > self._keep:
            self._maps.popitem(last=False)
        return kept

    def beatmaps(self, rows: Iterable[MapRow]) -> Iterator[tuple[MapRow, Beatmap]]:
        """Each row with its map."""
        for row in rows:
            yield row, self.beatmap(row)

    def audio_path(self, row: MapRow) -> Path | None:
        """The song's file, or None where the corpus lacks it."""
        return self.folder / row.audio if row.audio else None


def grouped(items: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """The items in groups of equal key, in order of first appearance."""
    groups: dict[Hashable, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return list(groups.values())


def pairs_of_one_set(rows: Iterable[MapRow], within: float = SAME_DIFFICULTY) -> list[tuple[MapRow, MapRow]]:
    """Pairs of maps of one set and mode whose star ratings differ by at most `within`."""
    sets = grouped(rows, lambda row: (row.mode, row.set_key))
    return [pair for one in sets for pair in itertools.combinations(one, 2) if _close(*pair, within)]


def pairs_of_two_sets(rows: Iterable[MapRow], within: float = SAME_DIFFICULTY) -> list[tuple[MapRow, MapRow]]:
    """Pairs of maps of one song and mode, from two sets by two mappers, at most `within` stars apart."""
    songs = grouped(rows, lambda row: (row.mode, row.song))
    return [
        (a, b) for one in songs for a, b in itertools.combinations(one, 2)
        if a.set_key != b.set_key and a.creator != b.creator and _close(a, b, within)
    ]


def _close(a: MapRow, b: MapRow, within: float) -> bool:
    return abs(a.stars - b.stars) <= within + 1e-9


def _row(values: dict[str, str]) -> MapRow:
    return MapRow(
        path=values["path"],
        audio=values["audio"],
        split=values["split"],
        mode=int(values["mode"]),
        stars=float(values["stars"]),
        n_objects=int(values["n_objects"]),
        drain_seconds=float(values["drain_seconds"]),
        artist=values["artist"],
        title=values["title"],
        creator=values["creator"],
        difficulty_name=values["version"],
        beatmap_id=int(values["beatmap_id"] or 0),
        beatmapset_id=int(values["beatmapset_id"] or -1),
        circle_size=float(values["circle_size"] or 5),
        n_red_lines=int(values["n_uninherited"] or 1),
        align_lag_ms=float(values["align_lag_ms"]) if values["align_lag_ms"] else None,
        align_ok=values["align_ok"] == "1" if values["align_ok"] else None,
    )
