"""Rules about combo colours and slider borders."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..beatmap import Spinner
from .issue import PROBLEM, WARNING, Finding, problem, warning
from .registry import CATCH, OSU, Category, check
from .view import MapView

# Luminosity of the HSP colour model, 0..255 (Mapset Verifier, CheckLuminosity).
TOO_DARK, DARK, BRIGHT = 30.0, 43.0, 250.0
HSP_WEIGHTS = (0.299, 0.587, 0.114)
MIN_COLOURS = 2  # ranking criteria, osu!


def luminosity(colour: tuple[int, int, int]) -> float:
    """How bright an RGB colour (0..255) looks, 0..255, by the HSP model."""
    return math.sqrt(sum(weight * channel**2 for weight, channel in zip(HSP_WEIGHTS, colour, strict=True)))


@check(
    "default_colours", Category.SETTINGS, "The map neither has combo colours of its own nor prefers a skin.",
    "MV CheckDefaultColours", (PROBLEM,), modes=(OSU, CATCH), gate=True,
)  # fmt: skip
def default_colours(view: MapView) -> Iterator[Finding]:
    bm = view.beatmap
    if not bm.combo_colours and bm.skin_preference != "Default":
        yield problem("There are no combo colours.")
    elif 0 < len(bm.combo_colours) < MIN_COLOURS:
        yield problem("There is only one combo colour.")


def _darkness(name: str, colour: tuple[int, int, int]) -> Iterator[Finding]:
    value = luminosity(colour)
    if value < TOO_DARK:
        yield problem(f"{name} is too dark ({value:.0f} of 255).")
    elif value < DARK:
        yield warning(f"{name} is very dark ({value:.0f} of 255).")


def slider_border(view: MapView) -> tuple[int, int, int] | None:
    """The slider border colour of the map, if it sets one."""
    text = view.beatmap.extra.get("Colours", {}).get("SliderBorder", "")
    try:
        red, green, blue = (int(part) for part in text.split(",")[:3])
    except ValueError:
        return None
    return red, green, blue


@check(
    "luminosity", Category.SETTINGS, "A combo colour or the slider border is too dark, or too bright in kiai.",
    "MV CheckLuminosity", (PROBLEM, WARNING), modes=(OSU, CATCH), gate=True,
)  # fmt: skip
def colour_luminosity(view: MapView) -> Iterator[Finding]:
    border = slider_border(view)
    if border is not None:
        yield from _darkness("The slider border", border)
    first_in_kiai: dict[int, int] = {}
    for i, obj in enumerate(view.objects):
        line = view.line_at(obj.time)
        if line is not None and line.kiai and not isinstance(obj, Spinner):
            first_in_kiai.setdefault(view.combos[i][0], i)
    for number, colour in enumerate(view.beatmap.combo_colours):
        yield from _darkness(f"Combo colour {number + 1}", colour)
        if luminosity(colour) > BRIGHT and number in first_in_kiai:
            yield warning(f"Combo colour {number + 1} is very bright in kiai.", None, first_in_kiai[number])
