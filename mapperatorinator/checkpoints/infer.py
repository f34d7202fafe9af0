"""A training checkpoint's missing `config.json`, told from the shapes and names of its tensors.

Sizes stand in the shapes. What does not (window and target lengths of networks without position tables, front ends)
is a fact of the published family that the names belong to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mapperatorinator.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

_HEAD_SIZE = 64
_ROOT = "transformer.model."


def infer_config(tensors: Mapping[str, Tensor], tokenizer: Mapping[str, Any]) -> dict[str, Any]:
    """`config.json` of a mapper; UserError if the tensors belong to no published family."""
    try:
        return _config({name: tuple(value.shape) for name, value in tensors.items()}, tokenizer)
    except KeyError as error:
        raise UserError(
            f"The weights belong to no family that is known: {error.args[0]} is missing."
        ) from error


def _config(shapes: Mapping[str, tuple[int, ...]], tokenizer: Mapping[str, Any]) -> dict[str, Any]:
    width = shapes[f"{_ROOT}encoder.conv2.weight"][0]
    name, source, target = _family(shapes, bool(tokenizer.get("context_sos")))
    vectors = {word: f"{word}_embedder" for word in ("style", "difficulty", "mapper")}
    vectors["song_position"] = "song_pos_embedder"
    old_front = "spectrogram.transform.mel_basis" in shapes
    bands = (
        shapes["spectrogram.transform.mel_basis"][0]
        if old_front
        else shapes["spectrogram.transform.mel_scale.fb"][1]
    )
    mappers = shapes.get("mapper_embedder.embedding.weight")
    return {
        "model_type": "mapperatorinator",
        "backbone_model_name": name,
        "backbone_config": {
            "d_model": width,
            "max_source_positions": source,
            "max_target_positions": target,
            "vocab_size": shapes["transformer.proj_out.weight"][0],
            **_stack(shapes, "encoder", width),
            **_stack(shapes, "decoder", width),
        },
        "hidden_size": width,
        "max_source_positions": source,
        "max_target_positions": target,
        "vocab_size_in": shapes["decoder_embedder.weight"][0],
        "vocab_size": shapes["transformer.proj_out.weight"][0],
        "num_mappers": mappers[0] - 1 if mappers else int(tokenizer.get("num_mapper_classes") or 0),
        "project_encoder_input": "encoder_embedder.weight" in shapes,
        **{
            f"do_{word}_embed": any(key.startswith(f"{at}.") for key in shapes)
            for word, at in vectors.items()
        },
        "spectrogram_implementation": "nnAudio" if old_front else "torchaudio",
        "spectrogram_log_scale": not old_front,
        "n_mels": bands,
        "f_min": 0 if old_front else 20,
        "f_max": 8000,
        "pad_mode": "constant" if old_front else "reflect",
        "sample_rate": 16000,
        "n_fft": 1024,
        "hop_length": 128,
    }


def _family(shapes: Mapping[str, tuple[int, ...]], marked: bool) -> tuple[str, int, int]:
    """Name of the network, most encoder positions, most tokens."""
    if f"{_ROOT}encoder.layers.0.self_attn.Wqkv.weight" in shapes:
        return "OliBomby/varwhisper", 1024, 2560
    table = shapes.get(f"{_ROOT}encoder.embed_positions.weight")
    if table is not None:
        return "openai/whisper", table[0], shapes[f"{_ROOT}decoder.embed_positions.weight"][0]
    return "Tiger14n/ropewhisper", 2048, 8192 if marked else 5120


def _stack(shapes: Mapping[str, tuple[int, ...]], side: str, width: int) -> dict[str, int]:
    layers = {
        match[1] for key in shapes if (match := re.match(rf"{re.escape(_ROOT + side)}\.layers\.(\d+)\.", key))
    }
    return {
        f"{side}_layers": len(layers),
        f"{side}_attention_heads": max(width // _HEAD_SIZE, 1),
        f"{side}_ffn_dim": shapes[f"{_ROOT}{side}.layers.0.fc1.weight"][0],
    }
