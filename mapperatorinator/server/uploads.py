"""What comes in from the page: songs, pictures, corrected red lines, chosen alternatives; names are never trusted."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from mapperatorinator.beatmap import safe_name
from mapperatorinator.errors import UserError
from mapperatorinator.server.office import Office
from mapperatorinator.server.store import Document

SONGS = (
    ".mp3", ".ogg", ".opus", ".flac", ".wav", ".m4a", ".aac", ".mp4", ".mkv", ".webm", ".avi", ".flv", ".wma",
    ".aiff",
)  # fmt: skip
MAPS = (".osz", ".osu")
PICTURES = {".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff", ".png": b"\x89PNG\r\n\x1a\n"}
PICTURE_BYTES = 20 * 2**20


async def take_in(office: Office, body: AsyncIterator[bytes], name: str) -> Document:
    """Store an upload and have it heard; UserError if its kind is unknown or it is empty."""
    safe = _named(name, (*SONGS, *MAPS))
    song = office.store.add("songs", {"name": safe, "file": safe, "state": "listening", "maps": []})
    try:
        size = await _save(body, office.store.files("songs", song["id"]) / safe)
        if size == 0:
            raise UserError(f"{safe} is empty.")
    except BaseException:
        office.store.remove("songs", song["id"])
        raise
    office.stream.publish("song", song=song)
    office.listen(song)
    return song


async def take_sound(office: Office, song: Document, body: AsyncIterator[bytes], name: str) -> Document:
    """Store the song that a bare .osu came without, and have it heard."""
    if song["file"]:
        raise UserError("This beatmap has its song already.")
    safe = _named(name, SONGS)
    if await _save(body, office.store.files("songs", song["id"]) / safe) == 0:
        raise UserError(f"{safe} is empty.")
    changed = office.store.change("songs", song["id"], file=safe, state="listening") or song
    office.stream.publish("song", song=changed)
    office.listen(changed)
    return changed


async def take_picture(office: Office, song: Document, body: AsyncIterator[bytes], name: str) -> Document:
    """Store a background picture; UserError unless it is a JPEG or PNG of a sensible size."""
    suffix = Path(safe_name(name)).suffix.lower()
    folder = office.store.files("songs", song["id"])
    if suffix not in PICTURES:
        raise UserError("The background must be a .jpg or .png picture.")
    path = folder / "background.part"
    size = await _save(body, path)
    with path.open("rb") as file:
        good = size <= PICTURE_BYTES and file.read(8).startswith(PICTURES[suffix])
    if not good:
        path.unlink()
        raise UserError(f"This is no {suffix} picture of up to {PICTURE_BYTES >> 20} MiB.")
    for old in folder.glob("background.*"):
        if old != path:
            old.unlink()
    path.replace(folder / f"background{suffix}")
    return office.store.change("songs", song["id"], background=safe_name(name)) or song


def correct(office: Office, song: Document, lines: Sequence[tuple[float, float, int]]) -> Document:
    """Replace a song's red lines; UserError if no song could have them."""
    for time, length, meter in lines:
        usable = math.isfinite(time) and math.isfinite(length) and abs(time) < 4e6 and 20 <= length <= 6000
        if not usable or not 1 <= meter <= 64:
            raise UserError("A red line needs a time in the song and a tempo between 10 and 3000 BPM.")
    ordered = sorted({round(time): [time, length, meter] for time, length, meter in lines}.items())
    timing: dict[str, Any] = {"lines": [line for _, line in ordered], "confidence": 1.0, "sections": [],
                              "by_hand": True}  # fmt: skip
    changed = office.store.change("songs", song["id"], timing=timing) or song
    office.stream.publish("song", song=changed)
    office.prepare(changed)
    return changed


def keep(office: Office, reroll: Document, choice: int) -> Document:
    """The result from which a stretch was mapped again, with the chosen alternative in it."""
    base = office.job(str(reroll.get("of")))
    if reroll["kind"] != "reroll" or base is None or choice >= len(reroll["result"]["alternatives"]):
        raise UserError("There is no such alternative.")
    old, new = (office.store.files("jobs", job["id"]) / "maps" for job in (base, reroll))
    maps = [old / f"{number}.osu" for number in range(len(base["result"]["difficulties"]))]
    maps[reroll["map"]] = new / f"{choice}.osu"
    inherited: Document = {k: base[k] for k in ("kind", "song", "settings", "reference", "label") if k in base}
    return office.keep(base, maps, {**inherited, "of": base["id"], "kept": reroll["id"], "choice": choice})


def _named(name: str, kinds: Sequence[str]) -> str:
    """The name as one that is safe for a file; UserError if its ending is none of `kinds`."""
    safe = safe_name(Path(name.replace("\\", "/")).name or "song")
    if Path(safe).suffix.lower() not in kinds:
        raise UserError(f"{safe} cannot be used here; drop a file of the kinds {', '.join(kinds)}.")
    return safe


async def _save(body: AsyncIterator[bytes], path: Path) -> int:
    size = 0
    with path.open("wb") as file:
        async for block in body:
            file.write(block)
            size += len(block)
    return size
