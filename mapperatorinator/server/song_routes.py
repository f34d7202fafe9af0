"""Routes of songs: uploads, corrected red lines, pictures, and the maps that came with them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, PlainTextResponse

from mapperatorinator.server import uploads
from mapperatorinator.server.bodies import Red
from mapperatorinator.server.finding import OfficeNow, file, text, there
from mapperatorinator.server.store import Document

router = APIRouter(prefix="/api/songs")


@router.post("", status_code=201)
async def upload(office: OfficeNow, request: Request, name: str) -> Document:
    """Upload a song, an .osz or an .osu as the body; `name` is its file name."""
    return await uploads.take_in(office, request.stream(), name)


@router.get("")
def songs(office: OfficeNow) -> list[Document]:
    """All songs, the oldest first."""
    return office.store.all("songs")


@router.get("/{song}")
def song(office: OfficeNow, song: str) -> Document:
    """One song: names, waveform, red lines, the maps that came with it."""
    return there(office.store, "songs", song)


@router.delete("/{song}")
def forget(office: OfficeNow, song: str) -> dict[str, bool]:
    """Delete a song; results that were made from it stay."""
    office.store.remove("songs", there(office.store, "songs", song)["id"])
    return {"removed": True}


@router.put("/{song}/timing")
def correct(office: OfficeNow, song: str, red: Red) -> Document:
    """Replace the red lines by corrected ones."""
    return uploads.correct(office, there(office.store, "songs", song), red.lines)


@router.post("/{song}/sound", status_code=201)
async def take_sound(office: OfficeNow, request: Request, song: str, name: str) -> Document:
    """Upload the song of a map that came without it."""
    return await uploads.take_sound(office, there(office.store, "songs", song), request.stream(), name)


@router.post("/{song}/background", status_code=201)
async def background(office: OfficeNow, request: Request, song: str, name: str) -> Document:
    """Upload a background picture for the maps of this song."""
    return await uploads.take_picture(office, there(office.store, "songs", song), request.stream(), name)


@router.get("/{song}/sound")
def sound(office: OfficeNow, song: str) -> FileResponse:
    """The song as the game will play it."""
    return file(office.store.files("songs", song) / str(there(office.store, "songs", song).get("file") or "-"))


@router.get("/{song}/cover")
def cover(office: OfficeNow, song: str) -> FileResponse:
    """The picture inside the song's file."""
    known = there(office.store, "songs", song)
    return file(office.store.files("songs", song) / "cover", known.get("cover") or "image/jpeg")


@router.get("/{song}/maps/{number}")
def song_map(office: OfficeNow, song: str, number: int) -> PlainTextResponse:
    """The text of one of the maps that came with the song."""
    there(office.store, "songs", song)
    return text(office.store.files("songs", song) / "maps" / f"{number}.osu")
