"""A checkpoint as the mappers get it: tensors, configuration, vocabulary, and where they came from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapperatorinator.checkpoints import hub, lora
from mapperatorinator.checkpoints.files import is_weight_file, read_json, read_tensors, sha256, weight_files

if TYPE_CHECKING:
    import torch

CONFIG, TOKENIZER = "config.json", "tokenizer.json"


@dataclass(frozen=True)
class Checkpoint:
    """One model, read.

    tensors : by their published names, mapped from the files; an adapter is merged already. config, tokenizer :
    `config.json` and `tokenizer.json` as they are. path : the folder; files : its weight files. subfolder :
    "gamemode=N" where the sub-model of a mode was chosen, else "". notes : what the user should know.
    """

    tensors: dict[str, torch.Tensor]
    config: dict[str, Any]
    tokenizer: dict[str, Any]
    path: Path
    files: tuple[Path, ...]
    subfolder: str = ""
    notes: tuple[str, ...] = ()

    @cached_property
    def sha256(self) -> str:
        """sha256 of the weight file, in hex; of several files: of their sums, one after another."""
        return _sum_of(self.files)


def load(
    path_or_hub_id: str | Path,
    revision: str | None = None,
    gamemode: int | None = None,
    lora_path: str | Path | None = None,
    offline: bool = False,
) -> Checkpoint:
    """Read a published checkpoint.

    path_or_hub_id : a folder, or an id such as "OliBomby/Mapperatorinator-v32" (also "id@revision").
    revision : commit or tag on the hub; None keeps the one that was fetched first. gamemode : 0..3 prefers the
    sub-model "gamemode=N" where there is one. lora_path : folder or hub id of an adapter to merge. offline : use
    only what is on this computer.
    UserError if it is not there, cannot be fetched, is a pickle, or the adapter does not fit.
    """

    def wanted(names: Iterable[str]) -> list[str]:
        names = list(names)
        sub = _sub_model(names, gamemode)
        own = [name for name in names if name.rpartition("/")[0] == sub]
        return [name for name in own if is_weight_file(name) or name.endswith((CONFIG, TOKENIZER))]

    root = hub.locate(path_or_hub_id, wanted, revision, offline)
    there = (path.relative_to(root).as_posix() for path in root.glob(f"gamemode=*/{TOKENIZER}"))
    sub = _sub_model(there, gamemode)
    folder = root / sub
    files = weight_files(folder)
    tensors = read_tensors(files)
    notes: tuple[str, ...] = ()
    if lora_path:
        adapter = hub.locate(lora_path, lora.wanted, None, offline)
        notes = lora.merge_if_meant_for(tensors, adapter, sub, gamemode, lambda: _sum_of(files))
    config, tokenizer = read_json(folder / CONFIG), read_json(folder / TOKENIZER)
    return Checkpoint(tensors, config, tokenizer, folder, tuple(files), sub, notes)


def _sum_of(files: Sequence[Path]) -> str:
    sums = [sha256(file) for file in files]
    return sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()


def _sub_model(names: Iterable[str], gamemode: int | None) -> str:
    """The folder of the mode's own sub-model, "" if there is none."""
    folder = f"gamemode={gamemode}"
    return folder if f"{folder}/{TOKENIZER}" in set(names) else ""
