"""The two layouts on disk: what goes where is planned from the records of all sets, then written folder by folder.

A plan depends on the records alone. `place` writes one folder and leaves a note of what it wrote, so that a second
run leaves finished folders alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mapperatorinator.beatmap import OSU, safe_name
from mapperatorinator.beatmap.names import unique_name
from mapperatorinator.beatmap.write import beatmap_bytes, replace_file
from mapperatorinator.errors import UserError
from mapperatorinator.training.datasets.collect import Facts, Record, open_set
from mapperatorinator.training.datasets.enrich import Known
from mapperatorinator.training.datasets.sources import DESCRIPTORS, MAPPERS, METADATA, TRACK

LAYOUTS = ("mmrs", "ors")
WORK, PLACED = ".work", "placed"
_STEADY = 2**31 - 1  # made-up ids are negative and fit 32 bits


@dataclass(frozen=True)
class Refusal:
    """Who does not want to be learned from: names (lower case), ids of users, ids of sets."""

    names: frozenset[str] = frozenset()
    users: frozenset[int] = frozenset()
    sets: frozenset[int] = frozenset()

    @classmethod
    def read(cls, path: Path | None) -> Refusal:
        """A list with one a line: a mapper's name or user id, or `set 123`; # begins a comment."""
        try:
            text = path.read_text(encoding="utf-8-sig") if path else ""
        except (OSError, UnicodeError) as error:
            raise UserError(f"The opt-out list {path} cannot be read: {error}.") from error
        lines = [line for line in (line.partition("#")[0].strip().lower() for line in text.splitlines()) if line]
        sets = [line[4:].strip() for line in lines if line.startswith("set ")]
        return cls(
            frozenset(lines), frozenset(int(line) for line in lines if line.isdigit()),
            frozenset(int(number) for number in sets if number.isdigit()),
        )  # fmt: skip

    def meets(self, record: Record, told: dict[str, Any]) -> bool:
        """Whether a map is one of theirs."""
        maker = told.get("UserId")
        return record["creator"].strip().lower() in self.names or record["set"] in self.sets or maker in self.users


@dataclass
class Folder:
    """One folder to be written. maps : (source, name in it, name here). sounds : the same of songs, by their sum.

    sums : of the maps. note : text of its metadata.json, if it has one.
    """

    path: str
    maps: list[tuple[str, str, str]] = field(default_factory=list)
    sounds: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    sums: list[str] = field(default_factory=list)
    note: str | None = None


@dataclass
class Plan:
    """All folders, the rows of the table, and what is left out and why."""

    folders: list[Folder] = field(default_factory=list)
    rows: list[Record] = field(default_factory=list)
    skipped: list[tuple[str, str, str]] = field(default_factory=list)


def select(facts: Sequence[Facts], known: Known, refusal: Refusal, modes: Sequence[int]) -> tuple[list[Record], Plan]:
    """The maps that go in, each once, with their `source`; a plan that so far says what does not."""
    plan, chosen = Plan(), list[Record]()
    seen: dict[object, str] = {}
    for fact in sorted(facts, key=lambda fact: fact.source):
        plan.skipped += [(fact.source, name, reason) for name, reason in fact.skipped]
        for record in fact.maps:
            keys: list[object] = [record["sum"], *([record["id"]] if record["id"] > 0 else [])]
            twin = next((seen[key] for key in keys if key in seen), None)
            reason = None
            if record["mode"] not in modes:
                reason = "this layout has no maps of its mode"
            elif refusal.meets(record, known.get(record["id"], {})):
                reason = "its mapper is on the opt-out list"
            elif twin is not None:
                reason = f"the same map is in {twin}"
            if reason:
                plan.skipped.append((fact.source, record["file"], reason))
                continue
            seen.update(dict.fromkeys(keys, fact.source))
            chosen.append({**record, "source": fact.source})
    return chosen, plan


def plan_mmrs(facts: Sequence[Facts], known: Known, refusal: Refusal) -> Plan:
    """Every source a folder under data/, every map a row of the table."""
    chosen, plan = select(facts, known, refusal, (0, 1, 2, 3))
    taken: set[str] = set()
    for source in dict.fromkeys(record["source"] for record in chosen):
        records = [record for record in chosen if record["source"] == source]
        first = records[0]
        number = first["set"] if first["set"] > 0 else _made_up(first["sound"] + first["creator"])
        title = f"{number} {first['artist']} - {first['title']}"
        name = unique_name(safe_name(title, 120).replace(".", "_"), taken)
        folder, names = Folder(f"data/{name}"), set[str]()
        for record in sorted(records, key=lambda record: (record["stars"][2], record["sum"])):
            file = unique_name(safe_name(Path(record["file"]).name), names)
            song = folder.sounds.get(record["sound"])
            if song is None:
                song = source, record["audio"], unique_name(safe_name(Path(record["audio"]).name), names)
                folder.sounds[record["sound"]] = song
            folder.maps.append((source, record["file"], file))
            folder.sums.append(record["sum"])
            plan.rows.append(_row(record, number, name, file, song[2], known.get(record["id"], {})))
        plan.folders.append(folder)
    plan.rows.sort(key=lambda row: (row["BeatmapSetId"], row["Id"]))
    return plan


def _row(record: Record, number: int, folder: str, file: str, song: str, told: dict[str, Any]) -> Record:
    return {
        "BeatmapSetId": number, "Id": record["id"] if record["id"] > 0 else _made_up(record["sum"]),
        "BeatmapSetFolder": folder, "BeatmapFile": file, "AudioFile": song, "ModeInt": record["mode"],
        "Ranked": None, "RankedDate": None, "SubmittedDate": None, "DifficultyRating": record["stars"][2],
        "StarRating": record["stars"], "UserId": None, "OmdbTags": [], "TopTagIds": [], "TopTagCounts": [], **told,
        "Artist": record["artist"], "Title": record["title"], "Creator": record["creator"],
        "Version": record["difficulty"], "Seconds": record["seconds"], "Bpm": record["bpm"],
        "Objects": record["objects"], "AudioHash": record["sound"],
    }  # fmt: skip


def plan_ors(facts: Sequence[Facts], known: Known, refusal: Refusal) -> Plan:
    """Every song a track, whatever sets its maps come from; osu! maps only."""
    chosen, plan = select(facts, known, refusal, (OSU,))
    count = 0
    for number, sound in enumerate(dict.fromkeys(record["sound"] for record in chosen)):
        records = [record for record in chosen if record["sound"] == sound]
        source, audio = records[0]["source"], records[0]["audio"]
        folder, names, note = Folder(f"{TRACK}{number:05d}"), set[str](), dict[str, Record]()
        folder.sounds[sound] = source, audio, f"audio{Path(audio).suffix.lower()}"
        for record in records:
            file = unique_name(safe_name(Path(record["file"]).name), names)
            folder.maps.append((record["source"], record["file"], f"beatmaps/{file}"))
            folder.sums.append(record["sum"])
            stars = {"0": record["stars"][2], "64": record["stars"][4]}
            note[Path(file).stem] = {"BeatmapId": record["id"], "Index": count, "StandardStarRating": stars}
            plan.rows.append(_row(record, record["set"], folder.path, file, "", known.get(record["id"], {})))
            count += 1
        folder.note = json.dumps({"Beatmaps": note}, ensure_ascii=False, indent=1)
        plan.folders.append(folder)
    return plan


def _made_up(text: str) -> int:
    """A negative id that depends on the text alone, for maps that were never uploaded."""
    return -1 - int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % _STEADY


def place(job: tuple[str, Folder]) -> str | None:
    """Write one folder of a data set at `job[0]`; returns why not, if so. Finished ones are left alone."""
    root, folder = Path(job[0]), job[1]
    done = note_of(root, folder)
    told = json.dumps(vars(folder))
    if done.is_file() and done.read_text(encoding="utf-8") == told:
        return None
    target = root / folder.path
    shutil.rmtree(target, ignore_errors=True)
    try:
        for name, data in _contents(folder):
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        done.parent.mkdir(parents=True, exist_ok=True)
        replace_file(done, told.encode())
    except (OSError, UserError) as error:
        return str(error)
    return None


def _contents(folder: Folder) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file; each source is opened once."""
    songs = list(folder.sounds.values())
    for source in dict.fromkeys(entry[0] for entry in (*folder.maps, *songs)):
        mapset, find = open_set(Path(source))
        maps = dict(zip(mapset.names, mapset.beatmaps, strict=True))
        yield from ((name, beatmap_bytes(maps[file])) for at, file, name in folder.maps if at == source)
        for at, file, name in songs:
            if at == source:
                yield name, find(file) or b""
    if folder.note is not None:
        yield "metadata.json", folder.note.encode()


def note_of(root: Path, folder: Folder) -> Path:
    """Where it is written what a finished folder holds."""
    name = hashlib.sha256(folder.path.encode()).hexdigest()[:24]
    return root / WORK / PLACED / f"{name}.json"


def clear_strays(root: Path, plan: Plan) -> None:
    """Remove the folders that an earlier run wrote and this plan does not have."""
    wanted = {note_of(root, folder) for folder in plan.folders}
    for note in (root / WORK / PLACED).glob("*.json"):
        if note not in wanted:
            shutil.rmtree(root / json.loads(note.read_text(encoding="utf-8"))["path"], ignore_errors=True)
            note.unlink()


def share_sounds(root: Path, plan: Plan) -> int:
    """Let folders with the same sound share one file where the file system can; returns the bytes saved."""
    first: dict[str, Path] = {}
    saved = 0
    for folder in plan.folders:
        for sound, (_, _, name) in folder.sounds.items():
            path = root / folder.path / name
            twin = first.setdefault(sound, path)
            if twin == path or not path.is_file() or path.samefile(twin):
                continue
            spare = path.with_name(path.name + ".part")
            with suppress(OSError):
                os.link(twin, spare)
                saved += path.stat().st_size
                os.replace(spare, path)
    return saved


def write_table(root: Path, rows: Sequence[Record]) -> None:
    """Write metadata.parquet; UserError without pyarrow."""
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise UserError("The mmrs layout needs pyarrow: pip install 'mapperatorinator[train]'.") from error
    whole, real, text, date = arrow.int64(), arrow.float64(), arrow.string(), arrow.timestamp("ms")
    kinds = {
        "BeatmapSetId": whole, "Id": whole, "ModeInt": whole, "Ranked": whole, "UserId": whole, "Objects": whole,
        "RankedDate": date, "SubmittedDate": date, "DifficultyRating": real, "Seconds": real, "Bpm": real,
        "StarRating": arrow.list_(real), "OmdbTags": arrow.list_(text), "TopTagIds": arrow.list_(whole),
        "TopTagCounts": arrow.list_(whole),
    }  # fmt: skip
    columns = list(rows[0])
    schema = arrow.schema([(name, kinds.get(name, text)) for name in columns])
    dated = [{**row, **{name: _date(row[name]) for name in ("RankedDate", "SubmittedDate")}} for row in rows]
    sink = arrow.BufferOutputStream()
    parquet.write_table(arrow.Table.from_pylist(dated, schema), sink)
    replace_file(root / METADATA, sink.getvalue().to_pybytes())


def _date(value: Any) -> datetime | None:
    """A date of the API or a table; None for what is none."""
    if not value:
        return None
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).replace(tzinfo=None)
    except ValueError:
        return None


def write_side_tables(root: Path, rows: Sequence[Record]) -> None:
    """The ors layout's tables of mappers and styles, where anything is known of them."""
    mappers = {row["Id"]: row["UserId"] for row in rows if row["UserId"] is not None}
    styles = [f"{row['Id']},{tag}" for row in rows for tag in row["OmdbTags"]]
    replace_file(root / MAPPERS, json.dumps(mappers).encode())
    replace_file(root / DESCRIPTORS, "\n".join(["beatmap_id,descriptor", *styles, ""]).encode())
