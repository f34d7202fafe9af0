"""What the page may ask for: the options with their groups, the styles a model knows, presets, languages."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import mapperatorinator
from mapperatorinator import weights
from mapperatorinator.defaults import LEVEL_NAMES, LEVEL_STARS
from mapperatorinator.options import MODELS
from mapperatorinator.settings import MODE_NAMES, schema

LANGUAGES = Path(__file__).resolve().parent / "static" / "lang"
# Starting points: nothing that a user could not set by hand.
PRESETS: dict[str, dict[str, Any]] = {
    "relaxed": {"gamemode": 0, "difficulty": 2.2, "descriptors": ["simple"]},
    "jumps": {"gamemode": 0, "difficulty": 5.3, "descriptors": ["jump aim", "spaced"]},
    "streams": {"gamemode": 0, "difficulty": 5.8, "descriptors": ["stream", "burst"]},
    "tech": {"gamemode": 0, "difficulty": 5.5, "descriptors": ["tech", "complex"]},
    "sliders": {"gamemode": 0, "difficulty": 4.2, "descriptors": ["slider heavy"]},
    "oni": {"gamemode": 1, "difficulty": 4.5},
    "rain": {"gamemode": 2, "difficulty": 4.2},
    "mania4": {"gamemode": 3, "difficulty": 3.5, "keycount": 4},
    "mania7": {"gamemode": 3, "difficulty": 4.0, "keycount": 7},
}


@lru_cache(maxsize=1)
def offer() -> dict[str, Any]:
    """Everything a form needs, as JSON types."""
    return {
        "version": mapperatorinator.__version__,
        "options": [option for option in schema() if option["type"] != "path"],
        "models": list(MODELS),
        "modes": list(MODE_NAMES),
        "styles": {"embedded": list(weights.card("grid")["descriptors"])},
        "levels": {"stars": list(LEVEL_STARS), "names": [list(names) for names in LEVEL_NAMES]},
        "presets": PRESETS,
        "languages": languages(),
    }


def languages() -> dict[str, str]:
    """Codes of the page's languages and what they call themselves."""
    files = sorted(LANGUAGES.glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8"))["language"] for path in files}
