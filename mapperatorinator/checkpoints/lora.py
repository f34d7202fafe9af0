"""Low-rank adapters: read, checked against the checkpoint, added to its weights in place.

A plain adapter adds scale·B·A to a matrix W. One that began as PiSSA replaces the r strongest directions of W
instead: W − U_r S_r V_rᵀ + scale·B·A, because its A and B started as those directions. The published layout is that
of peft (`adapter_config.json`, `adapter_model.safetensors`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from mapperatorinator.checkpoints.files import PICKLE_ENDINGS, read_json, read_tensors, refuse_pickle
from mapperatorinator.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
METADATA = "mapperatorinator_lora_metadata.json"
_PREFIX = "base_model.model."
_HALF = re.compile(r"(?P<module>.+)\.lora_(?P<embedded>embedding_)?(?P<half>[AB])(?:\.default)?(?:\.weight)?")
_OTHER_WORKINGS = ("use_dora", "use_qalora", "fan_in_fan_out", "lora_bias", "alora_invocation_tokens")
_OTHER_STARTS = ("olora", "corda", "loftq")  # these change the checkpoint's own weights in ways of their own


def wanted(names: Iterable[str]) -> list[str]:
    """Of a hub repository's files, those of its adapter."""
    return [name for name in names if name in (CONFIG, WEIGHTS, METADATA)]


def facts_of(folder: Path) -> dict[str, Any]:
    """What an adapter says of itself: `ckpt_subfolders`, `gamemodes`, `base` with its `sha256`, `r`; maybe nothing."""
    try:
        return read_json(folder / METADATA) if (folder / METADATA).is_file() else {}
    except UserError:
        return {}


def meant_for(folder: Path) -> list[str] | None:
    """Sub-models ("" the root, "gamemode=N") that an adapter was made for; None for any, or if it does not say."""
    named = facts_of(folder).get("ckpt_subfolders")
    return [str(name) for name in named] if isinstance(named, list) else None


def merge_if_meant_for(
    tensors: dict[str, Tensor], folder: Path, subfolder: str, mode: int | None, sum_of_base: Callable[[], str]
) -> tuple[str, ...]:
    """`merge`, unless the adapter was made for other sub-models or modes; returns what the user should know.

    mode : 0..3 that is going to be mapped, if that is known. sum_of_base : sha256 of the checkpoint's weights.
    UserError if the adapter names another checkpoint than this one.
    """
    facts, meant = facts_of(folder), meant_for(folder)
    if meant is not None and subfolder not in meant:
        made = ", ".join(name or "the base model" for name in meant)
        return (f"The adapter {folder.name} was made for {made}, not {subfolder or 'the base model'}: not used.",)
    modes = facts.get("gamemodes")
    if mode is not None and isinstance(modes, list) and modes and mode not in modes:
        learned = ", ".join(map(str, modes))
        return (f"The adapter {folder.name} learned from maps of gamemode {learned}, not {mode}: not used.",)
    base = facts.get("base")
    if isinstance(base, dict) and base.get("sha256") not in (None, sum_of_base()):
        _refuse(folder, f"it was trained on {base.get('path', 'another one')}, whose weights are others")
    merge(tensors, folder)
    return ()


def merge(tensors: dict[str, Tensor], folder: Path) -> None:
    """Add the adapter in `folder` to `tensors`; UserError, and no change, if it does not fit them."""
    if not (folder / WEIGHTS).is_file() and any(path.suffix in PICKLE_ENDINGS for path in folder.glob("*")):
        refuse_pickle(folder)
    config = read_json(folder / CONFIG)
    _check_kind(config, folder)
    if not (folder / WEIGHTS).is_file():
        raise UserError(f"There is no {WEIGHTS} in {folder}; an adapter has one.")
    halves, replaced = _sorted(read_tensors([folder / WEIGHTS]), tensors, folder)
    for name, pair in halves.items():
        weight = tensors[name]
        change = _scale(name, len(pair["A"]), config) * (pair["B"].float() @ pair["A"].float())
        if str(config.get("init_lora_weights")).startswith("pissa"):
            change -= _strongest(weight.float(), len(pair["A"]))
        weight.copy_((weight.float() + change).to(weight.dtype))
    tensors |= replaced


def _sorted(
    adapter: dict[str, Tensor], tensors: dict[str, Tensor], folder: Path
) -> tuple[dict[str, dict[str, Tensor]], dict[str, Tensor]]:
    """Pairs A (r, in), B (out, r) by the matrix they change, and tensors that replace others as a whole."""
    halves: dict[str, dict[str, Tensor]] = {}
    replaced: dict[str, Tensor] = {}
    for key, value in adapter.items():
        name = key.removeprefix(_PREFIX)
        match = _HALF.fullmatch(name)
        if match is None:
            name = name.replace(".modules_to_save.default.", ".").replace(".base_layer.", ".")
            if name not in tensors or tensors[name].shape != value.shape:
                _refuse(folder, f"{name} is no tensor of the checkpoint of that size")
            replaced[name] = value
            continue
        half = match["half"]
        if match["embedded"]:  # stored transposed: A (r, rows), B (width, r)
            half, value = "AB"[half == "A"], value.T
        halves.setdefault(f"{match['module']}.weight", {})[half] = value
    for name, pair in halves.items():
        if name not in tensors:
            _refuse(folder, f"the checkpoint has no {name}")
        if len(pair) != 2:
            _refuse(folder, f"half of what changes {name} is missing")
        a, b, weight = pair["A"], pair["B"], tensors[name]
        if (
            a.ndim != 2
            or b.ndim != 2
            or (b.shape[0], a.shape[1]) != tuple(weight.shape)
            or len(a) != b.shape[1]
        ):
            change = tuple(b.shape[:1]) + tuple(a.shape[1:])
            _refuse(folder, f"it changes {change} numbers of {name}, which has {tuple(weight.shape)}")
    if not halves and not replaced:
        _refuse(folder, "it is empty")
    return halves, replaced


def _scale(name: str, rank: int, config: dict[str, Any]) -> float:
    """The factor of one matrix's change: alpha / r, or alpha / sqrt(r) where the adapter says so."""
    alpha = config.get("lora_alpha", rank)
    for pattern, value in (config.get("alpha_pattern") or {}).items():
        if re.fullmatch(rf"(.*\.)?({pattern})", name.removesuffix(".weight")):
            alpha = value
            break
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _strongest(weight: Tensor, rank: int) -> Tensor:
    """The part of a matrix that its `rank` largest singular values make."""
    import torch

    u, s, v = torch.linalg.svd(weight, full_matrices=False)
    return (u[:, :rank] * s[:rank]) @ v[:rank]


def _check_kind(config: dict[str, Any], folder: Path) -> None:
    if config.get("peft_type", "LORA") != "LORA":
        _refuse(folder, f"it is of the kind {config['peft_type']}, not LORA")
    strange = [name for name in _OTHER_WORKINGS if config.get(name)]
    if config.get("init_lora_weights") in _OTHER_STARTS:
        strange.append(str(config["init_lora_weights"]))
    if strange:
        _refuse(folder, f"it uses {', '.join(strange)}, which is not supported")


def _refuse(folder: Path, why: str) -> NoReturn:
    raise UserError(
        f"The adapter {folder} does not fit this checkpoint: {why}; choose the model it was trained on."
    )
