"""Adapters (LoRA) of the published models: put on a network with peft, kept so that they say what they fit.

Beside peft's own two files an adapter has a third, which names the checkpoint that it changes (by the sum of its
weights), the modes it learned from and its rank; `checkpoints.lora` reads it at inference.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapperatorinator.checkpoints.lora import METADATA
from mapperatorinator.errors import UserError
from mapperatorinator.mapper.sequence.network import Network
from mapperatorinator.training.recipe import LoraOptions

if TYPE_CHECKING:
    from peft import PeftModel

FORMAT = 1
_BIASES = ("none", "all", "lora_only")


def put_on(network: Network, options: LoraOptions) -> PeftModel:
    """Freeze a network and put an adapter on its layers, in place; UserError if the options do not fit it."""
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise UserError("Adapters need peft: pip install 'mapperatorinator[train]'.") from error
    layers = options.target_modules or usual_layers(network)
    if options.bias not in _BIASES:
        raise UserError(f"lora.bias is {options.bias!r}; it can be {', '.join(_BIASES)}.")
    start = {"true": True, "false": False}.get(options.init_lora_weights, options.init_lora_weights)
    try:
        config = LoraConfig(
            r=options.r, lora_alpha=options.lora_alpha, target_modules=list(layers), bias=options.bias,  # type: ignore[arg-type]
            lora_dropout=options.lora_dropout, init_lora_weights=start, use_rslora=options.use_rslora,  # type: ignore[arg-type]
        )  # fmt: skip
        return get_peft_model(network, config)
    except ValueError as error:
        raise UserError(f"The adapter does not fit the network: {error}") from error


def usual_layers(network: Network) -> tuple[str, ...]:
    """Names of the attention's projections."""
    if network.shape.family == "varwhisper":
        return "Wq", "Wkv", "Wqkv", "Wo"
    return "k_proj", "v_proj", "q_proj", "out_proj"


def save(adapter: PeftModel, folder: Path, facts: dict[str, Any]) -> None:
    """Write an adapter and what it says of itself."""
    adapter.save_pretrained(str(folder))
    (folder / "README.md").unlink(missing_ok=True)  # peft's empty model card
    text = json.dumps({"format_version": FORMAT, **facts}, indent=1)
    (folder / METADATA).write_text(text, encoding="utf-8")


def take_up(adapter: PeftModel, folder: Path) -> None:
    """Go on with the numbers of an adapter that `save` wrote."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    set_peft_model_state_dict(adapter, load_file(folder / "adapter_model.safetensors"))
