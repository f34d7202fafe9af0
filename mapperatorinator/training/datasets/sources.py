"""Readers of the three published layouts: every one is a list of shards, and a shard a sequence of songs.

`open_dataset` tells them apart: ORS by its Track folders, MMRS by metadata.parquet, web by its tar files (a folder,
or `hf://owner/name/folder`, whose files are fetched one by one when their turn comes).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from mapperatorinator.audio.published import load_published
from mapperatorinator.beatmap import read_beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.training.datasets.options import Selection
from mapperatorinator.training.datasets.song import Chart, Song

METADATA, TRACK = "metadata.parquet", "Track"
MAPPERS, DESCRIPTORS = "mappers.json", "descriptors.csv"
SPEEDS = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)  # of the star ratings in parquet
DOUBLE_TIME = 1.5
HUB = "hf://"
LEAST_VOTES = 2  # of a tag
# Tags that exist in several modes under one name: id -> the one that the published token tables keep.
SAME_TAG = {
    15: 111, 87: 111, 90: 111, 28: 129, 128: 129, 18: 125, 124: 125, 88: 97, 48: 136, 135: 136, 33: 98, 14: 86,
}  # fmt: skip


class Shard(Protocol):
    """Songs that can be read in any order."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: int) -> Song: ...


Opener = Callable[[], Shard]


def open_dataset(root: Path | str, selection: Selection = Selection()) -> list[Opener]:  # noqa: B008
    """The shards of a data set, each to be opened when its turn comes.

    UserError if `root` is none of the layouts, or nothing in it is selected.
    """
    if str(root).startswith(HUB):
        from mapperatorinator.training.datasets.web import hub_shards

        return _some(hub_shards(str(root).removeprefix(HUB), selection), root)
    folder = Path(root)
    if not folder.is_dir():
        raise UserError(f"There is no data set at {folder}; make one with `mapperatorinator dataset build`.")
    if (folder / METADATA).is_file():
        return _some([partial(_once, Mmrs(folder, selection))], root)
    if any(folder.glob(f"{TRACK}*")):
        return _some([partial(_once, Ors(folder, selection))], root)
    from mapperatorinator.training.datasets.web import local_shards

    return _some(local_shards(folder, selection), root)


def _once(shard: Shard) -> Shard:
    return shard


def _some(openers: list[Opener], root: Path | str) -> list[Opener]:
    if not openers:
        raise UserError(f"{root} is no data set: it has no {METADATA}, no {TRACK}00000 and no tar files.")
    return openers


def mode_fits(mode: int, selection: Selection) -> bool:
    """Whether maps of a mode are selected."""
    return not selection.modes or mode in selection.modes


def fits(selection: Selection, stars: float | None, year: int | None, status: int | None) -> bool:
    """Whether a map is selected by what is known of it; a bound on something unknown leaves it out."""
    within = selection.stars is None or (stars is not None and selection.stars[0] <= stars <= selection.stars[1])
    dated = selection.years is None or (year is not None and selection.years[0] <= year <= selection.years[1])
    return within and dated and (not selection.ranked or status in selection.ranked)


class Ors:
    """Tracks of osu! maps, each a folder: audio.*, metadata.json and beatmaps/*.osu.

    Who made a map and its style are in optional tables beside them (mappers.json, descriptors.csv).
    """

    def __init__(self, folder: Path, selection: Selection) -> None:
        tracks = sorted(path for path in folder.glob(f"{TRACK}*") if path.is_dir())
        self.tracks = tracks[selection.start : selection.stop]
        self.selection = selection
        self.mappers = _mappers(folder / MAPPERS)
        self.descriptors = _descriptors(folder / DESCRIPTORS)

    def __len__(self) -> int:
        return len(self.tracks)

    def __getitem__(self, place: int) -> Song:
        track = self.tracks[place]
        audio = next(iter(sorted(track.glob("audio.*"))), None)
        if audio is None:
            raise UserError(f"{track} has no audio file.")
        facts = json.loads((track / "metadata.json").read_text(encoding="utf-8"))["Beatmaps"]
        charts = (self._chart(track, name, told) for name, told in facts.items())
        return Song(track.name, tuple(c for c in charts if c is not None), partial(load_published, audio))

    def _chart(self, track: Path, name: str, told: dict[str, Any]) -> Chart | None:
        number, rating = int(told.get("BeatmapId") or 0), told.get("StandardStarRating") or {}
        stars = tuple((speed, float(rating[mods])) for mods, speed in (("0", 1.0), ("64", DOUBLE_TIME)) if mods in rating)
        if not fits(self.selection, stars[0][1] if stars else None, None, None):
            return None
        beatmap = read_beatmap(track / "beatmaps" / f"{name}.osu")
        if not mode_fits(beatmap.mode, self.selection):
            return None
        return Chart(beatmap, number, self.mappers.get(number), None, stars, self.descriptors.get(number, ()))


def _mappers(path: Path) -> dict[int, int]:
    if not path.is_file():
        return {}
    return {int(number): int(user) for number, user in json.loads(path.read_text(encoding="utf-8")).items()}


def _descriptors(path: Path) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            for number, name in csv.reader(file):
                if number.isdigit():
                    found[int(number)] = (*found.get(int(number), ()), name)
    return found


class Mmrs:
    """Sets of maps of all modes: one row of metadata.parquet a map, files under data/."""

    def __init__(self, folder: Path, selection: Selection) -> None:
        self.folder, self.selection = folder, selection
        sets: dict[int, list[dict[str, Any]]] = {}
        for row in sorted(parquet_rows(folder / METADATA), key=lambda row: (row["BeatmapSetId"], row["Id"])):
            sets.setdefault(row["BeatmapSetId"], []).append(row)
        songs: dict[tuple[str, str], list[dict[str, Any]]] = {}  # a set may have a song and cuts of it
        for row in (row for rows in list(sets.values())[selection.start : selection.stop] for row in rows):
            if self._fits(row):
                songs.setdefault((row["BeatmapSetFolder"], row["AudioFile"]), []).append(row)
        self.songs = list(songs.items())

    def _fits(self, row: dict[str, Any]) -> bool:
        return mode_fits(row["ModeInt"], self.selection) and fits(
            self.selection, row.get("DifficultyRating"), year_of(row), row.get("Ranked")
        )

    def __len__(self) -> int:
        return len(self.songs)

    def __getitem__(self, place: int) -> Song:
        (name, audio), rows = self.songs[place]
        folder = self.folder / "data" / name
        return Song(name, tuple(self._chart(folder, row) for row in rows), partial(load_published, folder / audio))

    def _chart(self, folder: Path, row: dict[str, Any]) -> Chart:
        ratings = row.get("StarRating")
        stars = list(zip(SPEEDS, ratings, strict=False)) if ratings is not None else []
        tags: tuple[str | int, ...] = tuple(row.get("OmdbTags") or ())
        if self.selection.tags == "user_tags":
            votes = zip(row.get("TopTagIds") or (), row.get("TopTagCounts") or (), strict=False)
            tags = tuple(SAME_TAG.get(tag, tag) for tag, count in votes if count >= LEAST_VOTES)
        return Chart(
            read_beatmap(folder / row["BeatmapFile"]), int(row["Id"]), row.get("UserId"), year_of(row),
            tuple((speed, float(value)) for speed, value in stars), tags,
        )  # fmt: skip


def year_of(row: dict[str, Any]) -> int | None:
    """The year in which a map was ranked, else uploaded; None where nobody knows."""
    for column in ("RankedDate", "SubmittedDate"):
        date = row.get(column)
        if date is not None:
            return int(str(date)[:4])
    return None


def parquet_rows(path: Path) -> Sequence[dict[str, Any]]:
    """All rows of a parquet file; UserError if pyarrow is not there or the file is damaged."""
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise UserError("Data sets with parquet need pyarrow: pip install 'mapperatorinator[train]'.") from error
    try:
        return parquet.read_table(path).to_pylist()
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}); build the data set again.") from error
