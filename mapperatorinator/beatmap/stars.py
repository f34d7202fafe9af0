"""Star rating, difficulty attributes and strains, by rosu-pp (a port of the game's own calculators)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from .beatmap import Beatmap
from .write import write_beatmap

if TYPE_CHECKING:
    import rosu_pp_py


def star_rating(beatmap: Beatmap | str, mods: int = 0, speed: float | None = None) -> float:
    """The star rating of a beatmap or of the text of its file, under the game's mod bits `mods`.

    speed : of playback, 0.01 to 100; None as the mods say. UserError if the text is no beatmap or a map so
    freakish that rating it could take forever.
    """
    return float(_difficulty(mods, speed).calculate(_load(beatmap)).stars)


def difficulty_attributes(beatmap: Beatmap | str, mods: int = 0) -> dict[str, Any]:
    """Everything the calculator of the map's mode says (`stars`, `max_combo`, `aim`, `speed`, ...)."""
    attributes = _difficulty(mods).calculate(_load(beatmap))
    values = {name: getattr(attributes, name) for name in dir(attributes) if not name.startswith("_")}
    return {name: value for name, value in values.items() if isinstance(value, (int, float))}


def strains(beatmap: Beatmap | str, mods: int = 0) -> tuple[float, dict[str, NDArray[np.float64]]]:
    """The difficulty over time: ms per section, and per skill one value per section from the first object."""
    result = _difficulty(mods).strains(_load(beatmap))
    skills = {name: getattr(result, name) for name in dir(result) if not name.startswith("_")}
    series = {name: np.asarray(v, dtype=np.float64) for name, v in skills.items() if isinstance(v, list)}
    return float(result.section_length), series


def _difficulty(mods: int, speed: float | None = None) -> rosu_pp_py.Difficulty:
    import rosu_pp_py  # here, so that the package loads without it

    return rosu_pp_py.Difficulty(mods=mods) if speed is None else rosu_pp_py.Difficulty(mods=mods, clock_rate=speed)


def _load(beatmap: Beatmap | str) -> rosu_pp_py.Beatmap:
    import rosu_pp_py

    text = write_beatmap(beatmap) if isinstance(beatmap, Beatmap) else beatmap
    if "osu file format v" not in text[:200]:  # rosu-pp takes any text for an empty beatmap
        raise UserError("The star rating cannot be computed: this is not an osu! beatmap.")
    try:
        loaded = rosu_pp_py.Beatmap(content=text.removeprefix("\ufeff"))
    except (rosu_pp_py.ParseError, ValueError) as error:
        raise UserError(f"The star rating cannot be computed: {error}.") from error
    if loaded.is_suspicious():
        raise UserError("The star rating of this beatmap cannot be computed: it is too large or too dense.")
    return loaded
