"""Old files made safe: raw training checkpoints and pickles become safetensors and JSON, nothing in them is run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapperatorinator.checkpoints import hub
from mapperatorinator.checkpoints.files import PICKLE_ENDINGS, read_json, read_tensors
from mapperatorinator.checkpoints.infer import infer_config
from mapperatorinator.checkpoints.pickles import Record, read_pickle
from mapperatorinator.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

# Weights and vocabulary of a folder, in order of preference: the published diffusion model, its training checkpoint
# (the averaged weights come first, the vocabulary second), a mapper's training checkpoint.
_LAYOUTS = (
    ("model_ema.pkl", "tokenizer.pkl", "model_ema"),
    ("custom_checkpoint_0.pkl", "custom_checkpoint_1.pkl", "model_ema"),
    ("pytorch_model.bin", "custom_checkpoint_0.pkl", "model"),
    ("model.safetensors", "custom_checkpoint_0.pkl", "model"),
)
_WRAPPERS = ("state_dict", "ema", "model_state_dict", "model")  # keys under which programs put their weights
_PREFIXES = ("_orig_mod.", "module.")  # of compiled and distributed networks
_LIGHTNING = "model."  # before all names of a file that Lightning wrote


def convert(source: str | Path, out: str | Path | None = None, offline: bool = False) -> list[Path]:
    """Write what a pickled checkpoint holds as safetensors and JSON.

    source : a folder (training checkpoint, published diffusion model), a file, or a hub id. out : a folder; default
    beside the source, for a hub id where loading it by its id finds it. Returns the files written.
    UserError if a pickle asks for anything but data, or holds no weights.
    """
    path = Path(source)
    if not path.exists():
        path = hub.locate(source, _pickled, None, offline, converted=False)
        folder = Path(out) if out else hub.converted_folder(str(source))
    else:
        folder = Path(out) if out else path.parent / f"{path.stem if path.is_file() else path.name}-converted"
    tensors, extras, stem = _read_file(path) if path.is_file() else _read_folder(path)
    folder.mkdir(parents=True, exist_ok=True)
    return [_write_tensors(folder / f"{stem}.safetensors", tensors)] + [
        _write_json(folder / f"{name}.json", value) for name, value in extras.items() if value
    ]


def _pickled(names: Iterable[str]) -> list[str]:
    known = {name for weights, vocabulary, _ in _LAYOUTS for name in (weights, vocabulary)}
    found = [name for name in names if name in known or name == "config.json"]
    return found if any(name.endswith(PICKLE_ENDINGS) for name in found) else []


def _read_folder(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any], str]:
    layout = next((x for x in _LAYOUTS if all((folder / name).is_file() for name in x[:2])), None)
    if layout is None:
        raise UserError(f"{folder} is not a checkpoint that can be converted; name one of its files instead.")
    weights, vocabulary, stem = layout
    safe = weights.endswith(".safetensors")
    tensors = _state(read_tensors([folder / weights]) if safe else read_pickle(folder / weights), folder)
    tokenizer = _plain(read_pickle(folder / vocabulary))
    extras: dict[str, Any] = {"tokenizer": tokenizer}
    if (folder / "config.json").is_file():
        extras["config"] = read_json(folder / "config.json")
    elif stem == "model":
        extras["config"] = infer_config(tensors, tokenizer)
    return tensors, extras, stem


def _read_file(path: Path) -> tuple[dict[str, Tensor], dict[str, Any], str]:
    held = read_pickle(path)
    told = held.get("hyper_parameters", {}) if isinstance(held, Mapping) else {}
    extras = {"tokenizer": _plain(told.get("tokenizer")), "config": _plain(told.get("args"))}
    return _state(held, path), extras, path.stem


def _state(held: Any, source: Path) -> dict[str, Tensor]:
    """The tensors of what was read, under the names that the network itself gives them."""
    import torch

    for key in _WRAPPERS:
        if isinstance(held, Mapping) and isinstance(held.get(key), Mapping):
            held = held[key]
            break
    found = {
        str(name): value for name, value in held.items() if isinstance(value, torch.Tensor)
    } if isinstance(held, Mapping) else {}  # fmt: skip
    if not found:
        raise UserError(f"{source} holds no weights.")
    if any(".lora_A." in name for name in found):
        raise UserError(
            f"{source} holds an adapter in training: give its folder `lora` as lora_path instead."
        )
    wrapped = all(name.startswith(_LIGHTNING) for name in found)
    return {_own_name(name.removeprefix(_LIGHTNING) if wrapped else name): value for name, value in found.items()}


def _own_name(name: str) -> str:
    while prefix := next((prefix for prefix in _PREFIXES if name.startswith(prefix)), None):
        name = name.removeprefix(prefix)
    return name


def _plain(value: Any) -> Any:
    """JSON types in place of records, numpy numbers, sets and keys that are not text."""
    if isinstance(value, Record):
        return _plain(value.fields)
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def _write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> Path:
    from safetensors.torch import save_file

    part = path.with_suffix(".part")
    save_file(
        {name: value.detach().clone().contiguous() for name, value in tensors.items()}, part, {"format": "pt"}
    )
    os.replace(part, path)
    return path


def _write_json(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8", newline="\n")
    return path
