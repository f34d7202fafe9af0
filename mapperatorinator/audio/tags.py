"""What a song's file says about itself: names and cover picture."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .romanise import romanise
from .source import is_picture, open_media

if TYPE_CHECKING:
    from av.container import InputContainer

_PICTURES = {"mjpeg": "jpeg", "png": "png", "webp": "webp", "bmp": "bmp", "gif": "gif"}  # codec: mime subtype
_LARGEST_COVER = 20_000_000
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Cover:
    """A picture inside a song's file: its bytes as stored and their type, such as image/jpeg."""

    data: bytes
    mime: str


@dataclass(frozen=True)
class Tags:
    """Names of a song. title and artist are ASCII and never empty; the unicode ones are as written.

    From the file's tags, else from a file name like "Artist - Title"; album is empty if not told.
    """

    title: str = "Unknown Title"
    artist: str = "Unknown Artist"
    album: str = ""
    title_unicode: str = "Unknown Title"
    artist_unicode: str = "Unknown Artist"
    cover: Cover | None = None


def read_tags(path: str | Path) -> Tags:
    """Read the names and the cover of a song without decoding it.

    Raises UserError if the file is not audio.
    """
    path = Path(path)
    with open_media(path) as media:
        told: dict[str, str] = {}
        for metadata in (media.metadata, *(stream.metadata for stream in media.streams.audio)):
            for key, value in metadata.items():
                if _clean(value):
                    told.setdefault(key.lower().replace("_", ""), _clean(value))
        cover = _read_cover(media)
    named_artist, named_title = split_name(path.stem)
    title = told.get("title") or named_title
    artist = told.get("artist") or told.get("albumartist") or told.get("performer") or named_artist
    return Tags(
        title=romanise(title) or romanise(named_title) or Tags.title,
        artist=romanise(artist) or romanise(named_artist) or Tags.artist,
        album=told.get("album", ""),
        title_unicode=title or Tags.title_unicode,
        artist_unicode=artist or Tags.artist_unicode,
        cover=cover,
    )


def split_name(stem: str) -> tuple[str, str]:
    """(artist, title) from a file's name without its ending; the artist is empty if there is none.

    Leading numbers of tracks and beatmap sets, underscores for spaces and video site ids are dropped.
    """
    name = re.sub(r"\s*\[[\w-]{11}\]$", "", stem)
    if " " not in name:
        name = name.replace("_", " ")
    name = _clean(re.sub(r"^(\d{1,3}\s*[.)-]|0\d|\d{4,7})\s+(?=\S)", "", name))
    artist, dash, title = (part.strip() for part in re.sub(r"\s+[–—]\s+", " - ", name).partition(" - "))
    return (artist, title) if dash and artist and title else ("", name)


def _clean(text: str) -> str:
    """One line of printable characters, spaces joined, of bounded length; nothing if it cannot be read."""
    if "\ufffd" in text:  # bytes in an unknown old encoding
        return ""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:_LONGEST_NAME].strip()


def _read_cover(media: InputContainer) -> Cover | None:
    """The first attached picture of an opened file."""
    for stream in media.streams.video:
        kind = _PICTURES.get(stream.codec_context.name) if stream.codec_context else None
        if not is_picture(stream) or kind is None:
            continue
        for packet in media.demux(stream):
            if 0 < packet.size <= _LARGEST_COVER:
                return Cover(bytes(packet), f"image/{kind}")
            break
    return None
