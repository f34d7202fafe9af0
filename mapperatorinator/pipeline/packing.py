"""What each file of a result holds, as functions that write it to a path."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mapperatorinator.audio.encode import game_song
from mapperatorinator.beatmap import Beatmap, save_beatmap, write_osz
from mapperatorinator.pipeline.delivery import Writer


def osz_writer(beatmaps: Sequence[Beatmap], song: Path, background: str = "") -> Writer:
    """An archive of all difficulties with their song and picture."""
    picture = Path(background) if background else None
    return lambda path: write_osz(path, beatmaps, game_song(song), background=picture)


def osu_writer(beatmap: Beatmap) -> Writer:
    """One bare .osu file."""
    return lambda path: save_beatmap(beatmap, path)


def recipe_writer(recipe: dict[str, Any]) -> Writer:
    """The recipe as readable JSON."""
    content = (json.dumps(recipe, indent=2) + "\n").encode()
    return lambda path: path.write_bytes(content)
