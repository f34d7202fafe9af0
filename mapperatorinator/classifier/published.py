"""The published classifier of osu! mappers, run by the parts that run the published mappers (needs torch).

`mapperatorinator convert model.ckpt` makes its folder. An encoder hears 8 seconds, a decoder reads the map's tokens of
them, and a projection, averaged over all places with padding among them, is the feature from which mappers are told. Its
file names mappers by user id. Tensor names, sizes and vocabulary are read from the file; that the tokens stand between a
start and an end is taken over from the mappers of its time and not checked against the published weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mapperatorinator.beatmap import OSU, Beatmap
from mapperatorinator.checkpoints.checkpoint import TOKENIZER
from mapperatorinator.checkpoints.files import read_json, read_tensors, weight_files
from mapperatorinator.checkpoints.infer import infer_config
from mapperatorinator.classifier.classifier import Guess
from mapperatorinator.errors import UserError
from mapperatorinator.mapper.sequence.network import Spectrogram, load
from mapperatorinator.mapper.sequence.profile import Profile
from mapperatorinator.mapper.sequence.reading import Reader
from mapperatorinator.mapper.sequence.vocabulary import END, START, Vocabulary
from mapperatorinator.mapper.sequence.windows import cut

if TYPE_CHECKING:
    from mapperatorinator.audio import Audio

_PROFILE = Profile(
    "classifier", conditions=(), distances=False, precision=1, split_axes=True, velocity=False, markers=False, modes=(OSU,)
)  # fmt: skip
_HEAD = ("projector.weight", "projector.bias", "classifier.weight", "classifier.bias")
_OUT = "transformer.proj_out.weight"


class PublishedClassifier:
    """A converted checkpoint. UserError where the folder holds none, or one of another kind."""

    def __init__(self, folder: str | Path) -> None:
        path = Path(folder)
        if not path.is_dir():
            raise UserError(f"There is no folder {path}; make it with `mapperatorinator convert model.ckpt`.")
        tensors = _named(read_tensors(weight_files(path)))
        if any(name not in tensors for name in _HEAD):
            raise UserError(f"{path} holds no classifier of mappers: it has no projector and no classifier.")
        self.head = {name: tensors.pop(name).float() for name in _HEAD}
        tokenizer = read_json(path / TOKENIZER)
        try:
            self.vocabulary = Vocabulary(tokenizer)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path / TOKENIZER} is no vocabulary of a classifier ({error}).") from error
        users = {index: user for user, index in self.vocabulary.mappers.items()}
        classes = len(self.head["classifier.bias"])
        self.mappers = [f"user {users[i]}" if i in users else f"mapper {i}" for i in range(classes)]
        tensors.setdefault(_OUT, tensors["decoder_embedder.weight"])  # the classifier says no tokens
        config = infer_config(tensors, tokenizer)
        try:
            self.network = load(config, tensors)
        except ValueError as error:
            raise UserError(f"{path} cannot be run as a classifier: {error}.") from error
        self.ear = Spectrogram.of(config, tensors)

    def classify(self, beatmap: Beatmap, audio: Audio, top: int = 10, time: float | None = None) -> list[Guess]:
        """The `top` likeliest mappers, likeliest first: of the window at `time` (ms), or the mean over the song."""
        if beatmap.mode != OSU:
            raise UserError("The published classifier knows osu! maps only; leave the model away for other modes.")
        windows = cut(audio.samples, self.network.shape.window, parallel=True)
        reader = Reader(beatmap, _PROFILE)
        marks = [mark for mark in reader.objects(windows.length_ms) if mark.kind in self.vocabulary]
        odds = []
        for samples, start in zip(windows.samples, windows.times, strict=True):
            end = start + windows.size_ms
            inside = [mark for mark in marks if start <= mark.time < end]
            if inside and (time is None or start <= time < end):
                tokens = [START, *self.vocabulary.spell(inside, start), END]
                odds.append(self._logits(torch.from_numpy(samples.copy()), tokens).softmax(-1))
        if not odds:
            raise UserError("The map has no objects in the part of the song that was asked for.")
        mean = torch.stack(odds).mean(dim=0)
        best = mean.topk(min(top, len(mean)))
        return [Guess(self.mappers[i], value) for value, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)]

    @torch.inference_mode()
    def _logits(self, samples: Tensor, tokens: list[int]) -> Tensor:
        """Logits (mappers,) of one window of samples and its tokens."""
        network, length = self.network, self.network.shape.target
        padded = torch.zeros(1, length, dtype=torch.long)
        padded[0, : min(len(tokens), length)] = torch.tensor(tokens[:length])
        cache = network.listen(network.encode(self.ear(samples[None])), length)
        embedded = network.decoder_embedder(padded)
        states = network.transformer.model.decoder(embedded, cache, torch.ones_like(padded, dtype=torch.bool))
        feature = F.linear(states, self.head["projector.weight"], self.head["projector.bias"]).mean(dim=1)
        return F.linear(feature, self.head["classifier.weight"], self.head["classifier.bias"])[0]


def _named(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """The tensors under the mappers' names: the backbone may lie at `transformer.` or at `transformer.model.`."""
    return {
        name.replace("transformer.", "transformer.model.", 1)
        if name.startswith(("transformer.encoder.", "transformer.decoder."))
        else name: tensor
        for name, tensor in tensors.items()
    }
