"""What a song's file says about itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tags:
    """Names of a song; an empty string where the file says nothing."""

    title: str = ""
    artist: str = ""
    album: str = ""
    title_unicode: str = ""
    artist_unicode: str = ""
