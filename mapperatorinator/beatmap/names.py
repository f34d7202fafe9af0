"""File names that every system and the game accept, and archive members that stay inside their folder."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

MAX_NAME_BYTES = 180  # of UTF-8; file systems take 255, Windows paths 260 with the folder before them
_ILLEGAL = re.compile(r'[<>:"/\\|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # control, direction marks, halves of characters


def safe_name(name: str, max_bytes: int = MAX_NAME_BYTES, fallback: str = "untitled") -> str:
    """`name` as a legal file name of at most `max_bytes` of UTF-8 on every system, its extension kept.

    Characters that no Windows name may hold become "_"; invisible ones vanish.
    """
    name = "".join(c for c in " ".join(name.split()) if unicodedata.category(c) not in _INVISIBLE)
    name = _ILLEGAL.sub("_", " ".join(unicodedata.normalize("NFC", name).split())).rstrip(". ")
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 8 or " " in extension:
        stem, dot, extension = name, "", ""
    stem = shorten(stem, max_bytes - len((dot + extension).encode())).rstrip(". ")
    name = (stem or fallback) + dot + extension
    return "_" + name if _RESERVED.fullmatch(name) else name


def shorten(text: str, max_bytes: int) -> str:
    """`text` cut to at most `max_bytes` of UTF-8, between characters."""
    return text.encode("utf-8", errors="replace")[: max(max_bytes, 0)].decode("utf-8", errors="ignore")


def unique_name(name: str, taken: set[str]) -> str:
    """`name`, numbered if `taken` (lower-case names, to which it is added) has it already."""
    stem, dot, extension = name.rpartition(".")
    stem, extension = (stem, dot + extension) if dot else (name, "")
    number, candidate = 1, name
    while candidate.lower() in taken:
        number += 1
        candidate = f"{stem} ({number}){extension}"
    taken.add(candidate.lower())
    return candidate


def member_name(name: str) -> str | None:
    """The name of an archive member with forward slashes, or None if it would lead out of its folder.

    None also for drive letters, empty names, names with NUL and names that Windows reserves.
    """
    name = name.replace("\\", "/")
    parts = PurePosixPath(name).parts
    unsafe = (
        not parts
        or name.startswith("/")
        or "\0" in name
        or any(part == ".." or ":" in part or _RESERVED.fullmatch(part) for part in parts)
    )
    return None if unsafe else "/".join(parts)
