"""The published diffusion checkpoint, loaded: a network, its tables of classes, perhaps a second network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mapperatorinator.checkpoints import files, hub
from mapperatorinator.checkpoints.device import choose_device
from mapperatorinator.errors import UserError
from mapperatorinator.positions.network import Network

WEIGHTS, TABLES, CONFIG = "model_ema.safetensors", "tokenizer.json", "config.json"


@dataclass(frozen=True)
class Diffusion:
    """A network with its tables of classes, and perhaps a second network for the last touch."""

    network: Network
    tables: dict[str, Any]
    refiner: Network | None = None

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return next(self.network.parameters()).device


def load(
    path: str | Path, refiner_path: str | Path | None = None, device: str = "auto", offline: bool = False
) -> Diffusion:
    """Load a diffusion checkpoint.

    path, refiner_path : folder (or hub id) with `model_ema.safetensors` and `tokenizer.json`. device : "auto", "cpu",
    "cuda", "cuda:N" or "mps". UserError if it is not there, is a pickle, or holds another kind of network.
    """
    chosen = choose_device(device)
    network, tables = _read(path, chosen, offline)
    refiner = _read(refiner_path, chosen, offline)[0] if refiner_path else None
    return Diffusion(network, tables, refiner)


def _read(path: str | Path, device: torch.device, offline: bool) -> tuple[Network, dict[str, Any]]:
    folder = hub.locate(path, _wanted, None, offline)
    tensors = files.read_tensors(files.weight_files(folder))
    heads = files.read_json(folder / CONFIG).get("num_heads") if (folder / CONFIG).is_file() else None
    try:
        network = Network.of(tensors, heads)
    except (KeyError, RuntimeError, ValueError) as error:
        raise UserError(f"{folder} holds no diffusion of positions that is known.") from error
    return network.to(device), files.read_json(folder / TABLES)


def _wanted(names: Iterable[str]) -> list[str]:
    chosen = [name for name in names if name in (WEIGHTS, TABLES, CONFIG)]
    return chosen if WEIGHTS in chosen else []
