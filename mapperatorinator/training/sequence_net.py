"""The published network as it learns: all tokens of a sample at once, its loss, and checkpoints that inference reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mapperatorinator.audio.mel import htk_filters
from mapperatorinator.audio.published import slaney_filters
from mapperatorinator.mapper.sequence.network import Layer, Network, Shape, Spectrogram, Vectors, load, rope
from mapperatorinator.mapper.sequence.vocabulary import Vocabulary

NO_LOSS = -100
_INITIAL = 0.02  # standard deviation of weights at the start
_SLANEY, _HTK = "spectrogram.transform.mel_basis", "spectrogram.transform.mel_scale.fb"


class SequenceNet(nn.Module):
    """Sound and tokens to logits; wraps the network of inference without a weight of its own."""

    def __init__(self, network: Network, ear: Spectrogram) -> None:
        super().__init__()
        self.network = network
        self._ear = [ear]  # no part of the module: its filters are no weights and stay in fp32

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits (B, n, vocabulary) after each of `decoder_input_ids` (B, n), padded at the end."""
        network, mel = self.network, self._hear(batch["frames"])
        vectors = None
        if network.shape.conditions:
            vectors = Vectors(batch["difficulty"], batch["mapper_idx"], batch["song_position"])
        memory = network.encode(mel, vectors)
        # Padding stands at the end, so that what comes before never sees it.
        return network.transformer.proj_out(self._decode(batch["decoder_input_ids"], memory))

    @torch.compiler.disable
    def _hear(self, samples: Tensor) -> Tensor:
        """Mel frames, in fp32 whatever the rest is reckoned in."""
        ear = self._ear[0]
        if ear.filters.device != samples.device:
            self._ear[0] = ear = replace(ear, filters=ear.filters.to(samples.device), hann=ear.hann.to(samples.device))
        with torch.autocast(samples.device.type, enabled=False):
            return ear(samples.float())

    def _decode(self, tokens: Tensor, memory: Tensor) -> Tensor:
        decoder, x = self.network.transformer.model.decoder, self.network.decoder_embedder(tokens)
        places, turn = torch.arange(tokens.shape[1], device=tokens.device)[None], None
        if decoder.embed_positions is not None:
            x = x + decoder.embed_positions(places)
        else:
            turn = rope(places, decoder.size, x.dtype)
        for layer in decoder.layers:
            layer = cast(Layer, layer)
            x = x + layer.self_attn.attend(*layer.own(x, turn), causal=True)
            x = layer.feed(layer.look_across(x, *layer.cross.keys_values(memory)))
        return decoder.layer_norm(x)


def token_weights(vocabulary: Vocabulary, rhythm_weight: float) -> Tensor:
    """(vocabulary,) weight of each token in the loss: times count `rhythm_weight`, all others 1."""
    weights = torch.ones(vocabulary.size_out)
    times = vocabulary.ids("t")
    weights[times.start : times.stop] = rhythm_weight
    return weights


def loss_sum(
    logits: Tensor, labels: Tensor, token_weight: Tensor, smoothing: float = 0.0, sample_weight: Tensor | None = None
) -> Tensor:
    """The sum of weighted cross-entropies over all labels, in nats; divide by the number of labels.

    logits : (B, n, vocabulary). labels : (B, n), -100 where nothing is learned. token_weight : by label.
    smoothing : share of the target that is spread evenly over all tokens. sample_weight : (B,).
    """
    loss = F.cross_entropy(
        logits.flatten(0, 1).float(), labels.flatten(), reduction="none", ignore_index=NO_LOSS,
        label_smoothing=smoothing,
    ).view_as(labels)  # fmt: skip
    loss = loss * token_weight[labels.clamp(min=0)]
    return (loss if sample_weight is None else loss * sample_weight[:, None]).sum()


def fresh(config: Mapping[str, Any], seed: int = 0) -> tuple[Network, dict[str, Tensor]]:
    """A new network, and the tensors of its ear under their published names."""
    generator = torch.Generator().manual_seed(seed)
    network = Network(Shape.of(config))
    for module in network.modules():
        if isinstance(module, (nn.Linear, nn.Conv1d, nn.Embedding)):
            module.weight.data.normal_(0.0, _INITIAL, generator=generator)
            bias = getattr(module, "bias", None)
            if isinstance(bias, Tensor):
                bias.data.zero_()
    bands, low, high = int(config["n_mels"]), float(config["f_min"]), float(config["f_max"])
    if config["spectrogram_implementation"] == "nnAudio":
        return network, {_SLANEY: torch.from_numpy(slaney_filters(bands, high).T.copy())}
    return network, {_HTK: torch.from_numpy(htk_filters(bands, low, high))}


def learning(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Network:
    """The network of a checkpoint, ready to learn: its tensors are copies of its own."""
    return load(config, {name: tensor.float().clone() for name, tensor in tensors.items()}).requires_grad_(True)


def ear_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What of a checkpoint's tensors belongs to its ear."""
    return {name: tensor for name, tensor in tensors.items() if name in (_SLANEY, _HTK)}


def save(
    folder: Path, network: Network, ear: Mapping[str, Tensor], config: Mapping[str, Any], tokenizer: Mapping[str, Any]
) -> None:
    """Write a checkpoint in the published layout, for `model_path=`."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.detach().float().cpu().contiguous() for name, value in network.state_dict().items()}
    save_file(tensors | {name: value.contiguous() for name, value in ear.items()}, folder / "model.safetensors")
    for name, value in (("config.json", config), ("tokenizer.json", tokenizer)):
        (folder / name).write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
