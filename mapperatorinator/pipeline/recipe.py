"""The recipe beside a result: everything needed to make the same bytes again.

A recipe is a JSON file with the settings that differ from their defaults, the seed, the red lines that
were used, the sha256 of song and weights, and what came out.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mapperatorinator
from mapperatorinator import weights
from mapperatorinator.errors import UserError
from mapperatorinator.settings import Settings
from mapperatorinator.timing import Timing, red_line
from mapperatorinator.weights import adapter

FORMAT = 1
SUFFIX = ".recipe.json"


@dataclass(frozen=True)
class Recipe:
    """Settings and timing of an earlier run, read back; the sums are of its song and its adapter, "" without."""

    settings: Settings
    timing: Timing | None
    song_sha256: str
    adapter_sha256: str = ""


def write_recipe(
    settings: Settings, song: Path, timing: Timing, results: list[dict[str, Any]]
) -> dict[str, Any]:
    """The recipe of a run as JSON types; `settings` are complete, with the seed that was used."""
    return {
        "format": FORMAT,
        "mapperatorinator": mapperatorinator.__version__,
        "settings": {**settings.changed(), **_paths(settings, song)},
        "song_sha256": file_hash(song),
        "weights": weight_hashes(),
        **_adapter(settings),
        "timing": [[point.time, point.beat_length, point.meter] for point in timing.points],
        "results": results,
    }


def read_recipe(path: Path) -> Recipe:
    """Read a recipe; the song is looked for where it was and beside the recipe."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        settings = Settings.from_mapping(content["settings"])
        lines = [red_line(time, beat_length, meter) for time, beat_length, meter in content["timing"]]
        sha256, changes = str(content["song_sha256"]), str(content.get("adapter", {}).get("sha256", ""))
    except FileNotFoundError:
        raise UserError(f"There is no recipe at {path}; check the path.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path.name} is not a recipe of Mapperatorinator ({error}).") from error
    beside = path.parent / Path(settings.audio_path).name
    if not Path(settings.audio_path).is_file() and beside.is_file():
        settings = replace(settings, audio_path=str(beside))
    return Recipe(settings, Timing(tuple(lines)) if lines else None, sha256, changes)


def weight_hashes() -> dict[str, str]:
    """sha256 of each embedded model's tensors, by the model's name."""
    names = sorted(path.stem for path in weights.FOLDER.glob("*.safetensors"))
    return {name: weights.fingerprint(name) for name in names}


def _paths(settings: Settings, song: Path) -> dict[str, str]:
    """Paths as they can be found again from elsewhere."""
    paths = {"audio_path": str(song.resolve()), "output_path": ""}
    if settings.lora_path and Path(settings.lora_path).is_file():
        paths["lora_path"] = str(Path(settings.lora_path).resolve())
    return paths


def _adapter(settings: Settings) -> dict[str, Any]:
    """What tells the embedded model's adapter from others, if there was one."""
    if settings.model != "embedded" or not settings.lora_path:
        return {}
    used = adapter.read(settings.lora_path)
    return {"adapter": {"file": used.path.name, "sha256": used.sha256, **used.about}}


def file_hash(path: Path) -> str:
    """sha256 of a file's content."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
