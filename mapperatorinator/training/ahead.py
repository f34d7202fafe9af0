"""Batches made ready while the network learns: read in a thread of its own, as tensors, each with the place after it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from queue import Full, Queue
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor

LEARNED = ("frames", "decoder_input_ids", "labels", "mapper_idx", "difficulty", "song_position", "sample_weights")
Tensors = dict[str, Tensor]


def as_tensors(batch: Mapping[str, NDArray[Any]]) -> Tensors:
    """What of a batch the network learns from."""
    return {name: torch.from_numpy(batch[name]) for name in LEARNED if name in batch}


class Feed(Protocol):
    """Batches of arrays, and where their stream stands; `datasets.Batches` is one."""

    def __iter__(self) -> Iterator[Mapping[str, NDArray[Any]]]: ...

    def state_dict(self) -> dict[str, Any]:
        """Where the next batch begins."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on there."""


class Ahead:
    """Iterates over (batch, state after it), up to `depth` batches ahead; an error of the feed is raised here."""

    def __init__(self, feed: Feed, depth: int, pinned: bool = False) -> None:
        self._feed, self._pinned = feed, pinned
        self._queue: Queue[tuple[Tensors, dict[str, Any]] | BaseException | None] = Queue(max(depth, 1))
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for batch in self._feed:
                self._put((self._tensors(batch), self._feed.state_dict()))
                if self._closed.is_set():
                    return
            self._put(None)
        except BaseException as error:  # raised again where the batch is asked for
            self._put(error)

    def _tensors(self, batch: Mapping[str, NDArray[Any]]) -> Tensors:
        made = as_tensors(batch)
        return {name: value.pin_memory() for name, value in made.items()} if self._pinned else made

    def _put(self, item: tuple[Tensors, dict[str, Any]] | BaseException | None) -> None:
        while not self._closed.is_set():
            try:
                return self._queue.put(item, timeout=0.1)
            except Full:
                continue

    def __iter__(self) -> Iterator[tuple[Tensors, dict[str, Any]]]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        """Stop reading."""
        self._closed.set()
        self._thread.join(timeout=5)
