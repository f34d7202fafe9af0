"""Recorded behaviour of the published system: where its cases are and how to open them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from conftest import FIXTURES

TOLERANCE = 1e-4


class Recorded(NamedTuple):
    """A tiny checkpoint as it lies on disk."""

    tensors: dict[str, Any]
    config: dict[str, Any]
    tokenizer: dict[str, Any]


@cache
def part(name: str) -> dict[str, Any]:
    """The index of one part of the fixtures; empty where the fixtures are not there."""
    path = FIXTURES / name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def arrays(name: str) -> Any:
    """The arrays of one file of the fixtures."""
    return np.load(FIXTURES / name)


@cache
def checkpoint(family: str) -> Recorded:
    """The recorded checkpoint of a family."""
    pytest.importorskip("torch")
    from safetensors.torch import load_file

    folder = FIXTURES / "checkpoints" / family
    read = [json.loads((folder / name).read_text("utf-8")) for name in ("config.json", "tokenizer.json")]
    return Recorded(load_file(folder / "model.safetensors"), *read)


def tokenizer(family: str) -> dict[str, Any]:
    """The token table of a family."""
    name = part("tokens/index.json")["families"][family]["tokenizer"]
    return json.loads((FIXTURES / name).read_text("utf-8"))


def families() -> list[str]:
    """Families with a recorded checkpoint."""
    return list(part("checkpoints/index.json").get("families", {}))


@cache
def song() -> Any:
    """The recorded clip as the published loader hears it."""
    from mapperatorinator.audio.published import load_published

    return load_published(FIXTURES / "audio" / "clip.flac")


def map_path(name: str) -> Path:
    """A recorded map."""
    rows = {row["name"]: row["file"] for row in part("maps/index.json")}
    return FIXTURES / rows[name]
