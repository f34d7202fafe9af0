"""What a run trains: a new network, a published one, or an adapter on one; and how it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from mapperatorinator import checkpoints
from mapperatorinator.errors import UserError
from mapperatorinator.mapper.sequence.network import Spectrogram
from mapperatorinator.mapper.sequence.vocabulary import Vocabulary
from mapperatorinator.training import sequence_lora, sequence_net
from mapperatorinator.training.blueprint import config_of, people_and_styles, tokenizer_of
from mapperatorinator.training.recipe import Recipe
from mapperatorinator.training.sequence_net import SequenceNet

if TYPE_CHECKING:
    from peft import PeftModel

ADAPTER = "lora"  # folder of the adapter within a checkpoint


@dataclass
class Subject:
    """A network with all that its checkpoint holds. adapter : where only that learns; facts : what it says of itself."""

    net: SequenceNet
    config: Mapping[str, Any]
    tokenizer: Mapping[str, Any]
    ear: Mapping[str, Tensor]
    adapter: PeftModel | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def vocabulary(self) -> Vocabulary:
        """The meaning of its tokens."""
        return Vocabulary(self.tokenizer)

    def save(self, folder: Path) -> None:
        """Write what inference needs: a checkpoint in the published layout, or the adapter in `lora`."""
        if self.adapter is not None:
            sequence_lora.save(self.adapter, folder / ADAPTER, self.facts)
        else:
            sequence_net.save(folder, self.net.network, self.ear, self.config, self.tokenizer)


def subject_of(recipe: Recipe, begun: Path | None = None) -> Subject:
    """Build what a recipe trains, or take it up from the checkpoint `begun` of an earlier run.

    UserError if the checkpoint to begin with does not fit the recipe.
    """
    if recipe.enable_lora:
        return _with_adapter(recipe, begun)
    if begun is not None or recipe.pretrained_path:
        found = _found(recipe) if begun is None else checkpoints.load(begun)
        return _of(found, recipe)
    tokenizer = tokenizer_of(recipe.data, *people_and_styles(recipe.data))
    config = config_of(recipe, tokenizer)
    network, ear = sequence_net.fresh(config, recipe.seed)
    return Subject(SequenceNet(network, Spectrogram.of(config, ear)), config, tokenizer, ear)


def _found(recipe: Recipe) -> checkpoints.Checkpoint:
    if not recipe.pretrained_path:
        raise UserError("An adapter needs a model to change: give pretrained_path=FOLDER or a hub id.")
    return checkpoints.load(recipe.pretrained_path, gamemode=recipe.pretrained_gamemode)


def _of(found: checkpoints.Checkpoint, recipe: Recipe) -> Subject:
    try:
        network = sequence_net.learning(found.config, found.tensors)
    except (KeyError, ValueError) as error:
        raise UserError(f"{found.path} cannot be trained: {error}.") from error
    window = 2 * network.shape.source
    if (recipe.data.src_seq_len, recipe.data.tgt_seq_len) != (window, network.shape.target):
        raise UserError(
            f"{found.path} hears {window} frames and writes {network.shape.target} tokens, the recipe's "
            f"{recipe.data.src_seq_len} and {recipe.data.tgt_seq_len}: begin with the recipe of its version."
        )
    ear = sequence_net.ear_tensors(found.tensors)
    return Subject(SequenceNet(network, Spectrogram.of(found.config, ear)), found.config, found.tokenizer, ear)


def _with_adapter(recipe: Recipe, begun: Path | None) -> Subject:
    found = _found(recipe)
    subject = _of(found, recipe)
    subject.adapter = sequence_lora.put_on(subject.net.network, recipe.lora)
    if begun is not None:
        sequence_lora.take_up(subject.adapter, begun / ADAPTER)
    named = recipe.lora_metadata.ckpt_subfolders
    subject.facts = {
        "ckpt_subfolders": [found.subfolder] if named is None else named,
        "base": {"path": recipe.pretrained_path, "sha256": found.sha256},
        "gamemodes": list(recipe.data.gamemodes), "r": recipe.lora.r,
    }  # fmt: skip
    return subject
