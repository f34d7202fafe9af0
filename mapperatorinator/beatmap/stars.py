"""Star rating by rosu-pp."""

from __future__ import annotations

from .beatmap import Beatmap
from .write import write_beatmap


def star_rating(beatmap: Beatmap | str, mods: int = 0) -> float:
    """The star rating of a beatmap or of the text of its file, with the game's mod bits."""
    import rosu_pp_py  # lazily: the rest of the package works without loading it

    text = write_beatmap(beatmap) if isinstance(beatmap, Beatmap) else beatmap
    return float(rosu_pp_py.Difficulty(mods=mods).calculate(rosu_pp_py.Beatmap(content=text)).stars)
