"""A checkpoint ready to run: network, ear, vocabulary and profile, on a device in a precision."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mapperatorinator.checkpoints.device import choose_device
from mapperatorinator.errors import UserError
from mapperatorinator.mapper.sequence.network import Network, Spectrogram, load
from mapperatorinator.mapper.sequence.profile import PROFILES, Profile
from mapperatorinator.mapper.sequence.vocabulary import Vocabulary

_TYPES = {"fp32": torch.float32, "amp": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Model:
    """Everything that one checkpoint needs to write."""

    network: Network
    ear: Spectrogram
    vocabulary: Vocabulary
    profile: Profile
    amp: bool = False

    @classmethod
    def of(
        cls, version: str, config: Mapping[str, Any], tensors: Mapping[str, Tensor], tokenizer: Mapping[str, Any],
        device: str = "auto", precision: str = "fp32",
    ) -> Model:  # fmt: skip
        """Build the model of a `version` from the parts of its checkpoint.

        UserError if the checkpoint is of another family than the version.
        """
        try:
            network = load(config, tensors)
        except (KeyError, ValueError) as error:
            raise UserError(f"This checkpoint cannot be run as {version}: {error}.") from error
        profile, vocabulary = PROFILES[version], Vocabulary(tokenizer)
        _check(profile, vocabulary, network)
        network.to(device=choose_device(device), dtype=_TYPES[precision])
        return cls(network, Spectrogram.of(config, tensors), vocabulary, profile, precision == "amp")

    def arithmetic(self) -> AbstractContextManager[Any]:
        """What decoding runs in: mixed precision where that was asked for."""
        return torch.autocast(self.network.device.type, torch.bfloat16) if self.amp else nullcontext()


def _check(profile: Profile, vocabulary: Vocabulary, network: Network) -> None:
    markers = {name for template in profile.templates for name in template.made} if profile.markers else set()
    fits = (
        markers <= set(vocabulary.starts)
        and (profile.refinement is not None) == ("pos_refine" in vocabulary)
        and profile.split_axes == ("pos_x" in vocabulary)
        and network.shape.vocab_out == vocabulary.size_out
    )
    if not fits:
        raise UserError(
            f"This checkpoint does not speak as {profile.name} does; choose the profile of its version with -cn."
        )
