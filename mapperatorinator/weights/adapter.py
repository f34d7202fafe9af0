"""Adapters of the embedded models: low-rank changes of their matrices, fine-tuned on somebody's own maps.

One safetensors file holds, for each changed matrix W of a model, ``<model>/<tensor>.A`` (rank, in) and ``.B``
(out, rank): W + alpha / rank * B A takes its place. Its metadata, one JSON text under `METADATA`, says for which
weights (sha256) and modes it is, and how it came about. Nothing here needs torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from mapperatorinator import weights
from mapperatorinator.errors import UserError

METADATA, FORMAT = "mapperatorinator_adapter", 1
_MODES = ("osu!", "taiko", "catch", "mania")


@dataclass(frozen=True)
class Adapter:
    """An adapter's file and what it says of itself; two of the same content are equal.

    about : "format", "bases" (sha256 by model), "modes", "rank", "alpha", and how it was trained.
    """

    sha256: str
    path: Path = field(compare=False)
    about: dict[str, Any] = field(compare=False, repr=False)

    def merge(self, name: str) -> weights.Tensors:
        """The tensors of an embedded model with this adapter's changes."""
        from safetensors.numpy import load_file

        merged, changes = weights.tensors(name), load_file(self.path)
        scale = np.float32(self.about["alpha"] / self.about["rank"])
        for key in (key[:-2] for key in changes if key.startswith(f"{name}/") and key.endswith(".A")):
            low, high = (changes[f"{key}.{half}"].astype(np.float32) for half in "AB")
            merged[key.removeprefix(f"{name}/")] += scale * (high @ low)
        return merged


def find(path: str | Path, mode: int) -> Adapter:
    """Return the adapter in a file if it fits the embedded models and a mode, 0 to 3; UserError says why not."""
    adapter = read(path)
    if mode not in adapter.about["modes"]:
        learned = ", ".join(_MODES[number] for number in adapter.about["modes"])
        raise UserError(f"The adapter {adapter.path.name} learned {learned}, so it cannot draw {_MODES[mode]} maps.")
    for name, base in adapter.about["bases"].items():
        if not weights.available(name) or weights.fingerprint(name) != base:
            raise UserError(
                f"The adapter {adapter.path.name} was made for other weights of the embedded model {name!r}; "
                "make it again with `mapperatorinator lora`."
            )
    return adapter


def read(path: str | Path) -> Adapter:
    """Return the adapter in a file, whatever it fits; UserError if it is none."""
    path = Path(path)
    if path.is_dir():
        raise UserError(
            f"{path} is a folder: adapters of the embedded model are single .safetensors files, made by "
            "`mapperatorinator lora`; one of a published model needs that model's profile."
        )
    try:
        status = path.stat()
    except OSError:
        raise UserError(f"There is no adapter at {path}; check lora_path.") from None
    return _read(path.resolve(), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> Adapter:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            about = json.loads((file.metadata() or {})[METADATA])
            fits = about["format"] == FORMAT and bool(about["modes"]) and about["rank"] > 0
            shapes = {key: file.get_slice(key).get_shape() for key in file.keys()}  # noqa: SIM118
        fits = fits and _fit(shapes, about["bases"]) and isinstance(about["alpha"], (int, float))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        fits = False
    if not fits:
        raise UserError(
            f"{path.name} is not an adapter of the embedded model, or damaged; `mapperatorinator lora` makes one."
        )
    return Adapter(sha256(path.read_bytes()).hexdigest(), path, about)


def _fit(shapes: dict[str, list[int]], bases: dict[str, str]) -> bool:
    """Whether there is a B for every A, in models that are named."""
    lows = [key[:-2] for key in shapes if key.endswith(".A")]
    return 2 * len(lows) == len(shapes) > 0 and all(
        key.split("/")[0] in bases and len(shapes[f"{key}.A"]) == 2 == len(shapes[f"{key}.B"])
        and shapes[f"{key}.A"][0] == shapes[f"{key}.B"][1]
        for key in lows
    )  # fmt: skip
