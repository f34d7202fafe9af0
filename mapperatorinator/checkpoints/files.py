"""Safetensors and JSON of a checkpoint's folder, and the refusal of everything that is a pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from mapperatorinator.errors import UserError

if TYPE_CHECKING:
    import torch

INDEX_ENDING = ".safetensors.index.json"
PICKLE_ENDINGS = (".bin", ".pkl", ".pickle", ".pt", ".pth", ".ckpt")
_CHUNK = 1 << 20
_PICKLE_STARTS = (b"\x80", b"PK\x03\x04")  # a pickle's protocol mark; the archive that torch puts around one


def is_weight_file(name: str) -> bool:
    """Whether a file of this name holds weights that may be read, or lists those that do."""
    return name.endswith((".safetensors", INDEX_ENDING)) and not name.startswith("adapter_")


def weight_files(folder: Path) -> list[Path]:
    """The folder's safetensors: one file, or the parts that an index names.

    UserError if parts are missing, or there are none but pickles.
    """
    for index in sorted(folder.glob(f"*{INDEX_ENDING}")):
        names = sorted(set(read_json(index).get("weight_map", {}).values()))
        parts = [folder / Path(str(name)).name for name in names]
        lost = [part.name for part in parts if not part.is_file()]
        if lost or not parts:
            raise UserError(f"{folder} lacks {', '.join(lost) or 'its parts'}: fetch the checkpoint again.")
        return parts
    files = sorted(path for path in folder.glob("*.safetensors") if is_weight_file(path.name))
    if len(files) == 1:
        return files
    if files:
        named = folder / "model.safetensors"
        if named in files:
            return [named]
        raise UserError(f"{folder} holds several safetensors and no index; leave the one that is meant.")
    if any(path.suffix in PICKLE_ENDINGS for path in folder.glob("*")):
        refuse_pickle(folder)
    raise UserError(f"There are no weights in {folder}; a checkpoint has a model.safetensors.")


def read_tensors(files: Sequence[Path]) -> dict[str, torch.Tensor]:
    """All tensors of `files`, mapped and not copied: pages are read when used, and writing to a tensor changes
    neither the file nor what others see."""
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise UserError(
            "The published models need torch: pip install 'mapperatorinator[published]'; "
            "the embedded model (leave model= away) does not."
        ) from error
    tensors: dict[str, torch.Tensor] = {}
    for file in files:
        if _is_pickle(file):
            refuse_pickle(file)
        try:
            tensors |= load_file(file)
        except Exception as error:  # safetensors raises a type of its own, or what its reader ran into
            raise UserError(f"{file} is damaged ({error}); fetch it again.") from error
    return tensors


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; UserError if it is missing or none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"There is no {path.name} in {path.parent}; a checkpoint has one.") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}); fetch the checkpoint again.") from error
    if not isinstance(value, dict):
        raise UserError(f"{path} holds no JSON object; fetch the checkpoint again.")
    return value


def sha256(file: Path) -> str:
    """The sum of a file, in hex."""
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()


def refuse_pickle(path: Path) -> NoReturn:
    """Say why a pickle is not opened, and what to do."""
    raise UserError(
        f"{path} holds its weights as a pickle, which can run any program when it is opened, so it is never "
        f"loaded; `mapperatorinator convert {path}` makes safetensors of it without running anything."
    )


def _is_pickle(file: Path) -> bool:
    try:
        with open(file, "rb") as stream:
            return stream.read(4).startswith(_PICKLE_STARTS)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.") from error
