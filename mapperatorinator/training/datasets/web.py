"""The web layout: tar files in which a song is two members, its sound and a JSON of all its difficulties.

A file's headers are read once, its songs then in any order. Styles are in an optional table beside the files
(tags.csv or tags.parquet: id of the map, one column of votes per tag).
"""

from __future__ import annotations

import csv
import json
import tarfile
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mapperatorinator.audio.published import load_published
from mapperatorinator.beatmap import parse_beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.training.datasets.options import Selection
from mapperatorinator.training.datasets.song import Chart, Samples, Song
from mapperatorinator.training.datasets.sources import LEAST_VOTES, Opener, fits, mode_fits, parquet_rows

TAG_TABLES = "tags.parquet", "tags.csv"
SOUNDS = ("opus", "ogg", "mp3", "flac", "wav")
Tags = dict[int, tuple[str, ...]]


@dataclass(frozen=True)
class Member:
    """Where a file lies in its archive, in bytes."""

    offset: int
    size: int


def local_shards(folder: Path, selection: Selection) -> list[Opener]:
    """The selected tar files of a folder."""
    paths = sorted(folder.glob("*.tar"))[selection.start : selection.stop]
    tags = _tags(selection.tag_table or next((p for p in map(folder.joinpath, TAG_TABLES) if p.is_file()), None))
    return [partial(Tar, path, selection, tags) for path in paths]


def hub_shards(place: str, selection: Selection) -> list[Opener]:
    """The selected tar files of `owner/name[/folder]` on the hub; each is fetched when it is opened, and kept."""
    try:
        import huggingface_hub as client
    except ImportError as error:
        raise UserError("Streaming needs huggingface_hub: pip install 'mapperatorinator[train]'.") from error
    owner, name, *inner = place.split("/")
    repository, folder = f"{owner}/{name}", "/".join(inner)
    try:
        names = client.list_repo_files(repository, repo_type="dataset")
    except Exception as error:  # the client raises its own errors and those of its HTTP library
        raise UserError(f"The data set {repository} cannot be reached ({type(error).__name__}); try again.") from error
    chosen = sorted(n for n in names if n.endswith(".tar") and n.startswith(folder))
    tags = _tags(selection.tag_table)
    return [partial(_fetched, repository, name, selection, tags) for name in chosen[selection.start : selection.stop]]


def _fetched(repository: str, name: str, selection: Selection, tags: Tags) -> Tar:
    import huggingface_hub as client

    return Tar(Path(client.hf_hub_download(repository, name, repo_type="dataset")), selection, tags)


class Tar:
    """One tar file as a shard."""

    def __init__(self, path: Path, selection: Selection, tags: Tags) -> None:
        self.path, self.selection, self.tags = path, selection, tags
        rows: dict[str, dict[str, Member]] = {}
        try:
            with tarfile.open(path, "r:") as archive:
                for item in archive:
                    key, _, ending = item.name.rpartition("/")[2].partition(".")
                    if item.isfile():
                        rows.setdefault(key, {})[ending.lower()] = Member(item.offset_data, item.size)
        except (OSError, tarfile.TarError) as error:
            raise UserError(f"{path} is no tar file that can be read: {error}.") from error
        self.rows = [(key, row) for key, row in rows.items() if "json" in row and row.keys() & set(SOUNDS)]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> Song:
        key, row = self.rows[place]
        ending = next(ending for ending in SOUNDS if ending in row)
        told = json.loads(self._read(row["json"]))
        charts = tuple(c for c in map(self._chart, told["beatmaps"]) if c is not None)
        return Song(key, charts, partial(self._load, row[ending], ending))

    def _read(self, member: Member) -> bytes:
        with self.path.open("rb") as file:
            file.seek(member.offset)
            return file.read(member.size)

    def _load(self, member: Member, ending: str, speed: float) -> Samples:
        with tempfile.TemporaryDirectory() as folder:
            sound = Path(folder) / f"audio.{ending}"
            sound.write_bytes(self._read(member))
            return load_published(sound, speed)

    def _chart(self, told: dict[str, Any]) -> Chart | None:
        date = told.get("approved_date") or told.get("submit_date")
        year = int(str(date)[:4]) if date else None
        stars, number = _number(told.get("difficultyrating")), int(told.get("beatmap_id") or 0)
        mode, status = int(told.get("mode") or 0), told.get("approved")
        status = None if status is None else int(status)
        if not mode_fits(mode, self.selection) or not fits(self.selection, stars, year, status):
            return None
        mapper = told.get("creator_id")
        known = ((1.0, stars),) if stars is not None else ()
        return Chart(
            parse_beatmap(told["content"]), number, None if mapper is None else int(mapper), year, known,
            self.tags.get(number, ()),
        )  # fmt: skip


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _tags(table: Path | None) -> Tags:
    """Tags of each map with enough votes, the most wanted first."""
    if table is None:
        return {}
    if table.suffix == ".parquet":
        rows: list[dict[str, Any]] = list(parquet_rows(table))
    else:
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    tags: Tags = {}
    for row in rows:
        (_, number), *votes = row.items()
        counts = sorted(((float(count or 0), name) for name, count in votes), key=lambda pair: -pair[0])
        tags[int(number)] = tuple(name for count, name in counts if count >= LEAST_VOTES)
    return tags
