"""Batches that hold about as many tokens each: a buffer of samples, the longest dealt first to the least filled."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from mapperatorinator.mapper.sequence.vocabulary import PAD
from mapperatorinator.training.datasets.assemble import NO_LOSS
from mapperatorinator.training.datasets.samples import Sample, Samples

BUFFER = 256
Batch = dict[str, NDArray[Any]]


def batches(
    samples: Samples, tokens_per_batch: int = 0, *, rows: int = 0, buffer: int = BUFFER, workers: int = 0
) -> Batches:
    """Batches of about `tokens_per_batch` tokens, or of exactly `rows` samples (one of the two is given).

    buffer : samples that are dealt together. workers : processes that make samples, 0: this one.
    """
    return Batches(samples, tokens_per_batch, rows, buffer, workers)


class Batches:
    """The batches of a stream; `state_dict` says where the next one begins, to the sample."""

    def __init__(self, samples: Samples, tokens: int, rows: int, buffer: int, workers: int) -> None:
        self.samples, self.tokens, self.rows, self.workers = samples, tokens, rows, workers
        self.buffer = max(buffer // rows, 1) * rows if rows else buffer
        self._begin = samples.state_dict()  # where the buffer in hand begins
        self._given = 0  # batches of it that are out

    def __iter__(self) -> Iterator[Batch]:
        stream, skip = self._stream(), self._given
        while True:
            held = list(itertools.islice(stream, self.buffer))
            for number, members in enumerate(self._dealt(held)):
                if number >= skip:
                    self._given = number + 1
                    yield collate([held[i] for i in members])
            if len(held) < self.buffer:
                return
            self._begin, self._given, skip = self._after(held), 0, 0

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to give the next batch next."""
        return {"samples": self._begin, "given": self._given}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken; takes effect when iteration begins."""
        self.samples.load_state_dict(state["samples"])
        self._begin, self._given = self.samples.state_dict(), int(state["given"])

    def _stream(self) -> Iterator[Sample]:
        if not self.workers:
            return iter(self.samples)
        loader: DataLoader[Sample] = DataLoader(
            self.samples, None, num_workers=self.workers, collate_fn=_as_it_is, prefetch_factor=8
        )
        return iter(loader)

    def _after(self, held: Sequence[Sample]) -> dict[str, Any]:
        cursors = dict(self._begin["cursors"])
        for sample in held:
            cursors[sample["stream"]] = list(sample["cursor"])
        turn = (int(self._begin["turn"]) + len(held)) % max(self.workers, 1)
        return {"turn": turn, "cursors": cursors}

    def _dealt(self, held: Sequence[Sample]) -> list[list[int]]:
        lengths = [len(sample["decoder_input_ids"]) for sample in held]
        if self.rows:
            return deal(lengths, -(-len(held) // self.rows), self.rows)
        return deal(lengths, -(-sum(lengths) // self.tokens), len(held))


def deal(lengths: Sequence[int], count: int, most: int) -> list[list[int]]:
    """Deal items into `count` batches of at most `most`: the longest first, each to the least filled batch."""
    dealt: list[list[int]] = [[] for _ in range(count)]
    heap = [(0, number) for number in range(count)]
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        filled, number = heapq.heappop(heap)
        dealt[number].append(i)
        if len(dealt[number]) < most:
            heapq.heappush(heap, (filled + lengths[i], number))
    return [members for members in dealt if members]


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples; tokens are padded at the end, `decoder_attention_mask` is False there."""
    longest = max(len(sample["labels"]) for sample in samples)

    def padded(name: str, filler: int) -> NDArray[Any]:
        return np.stack([np.pad(s[name], (0, longest - len(s[name])), constant_values=filler) for s in samples])

    batch = {
        name: np.stack([np.asarray(sample[name]) for sample in samples])
        for name in ("frames", "mapper_idx", "difficulty", "song_position", "sample_weights", "beatmap_id")
    }
    tokens = padded("decoder_input_ids", PAD)
    return batch | {
        "decoder_input_ids": tokens, "labels": padded("labels", NO_LOSS), "decoder_attention_mask": tokens != PAD,
    }  # fmt: skip


def _as_it_is(sample: Any) -> Any:
    return sample
