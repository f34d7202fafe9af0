"""Steps a causal network through a map: one object at a time, several candidates at once, keys and values kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from mapperatorinator import weights
from mapperatorinator.weights.adapter import Adapter

from .conditions import descriptor_vector, number_vector
from .draft import Conditions

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

_BARRED = np.float32(-1e9)


class CausalModel:
    """What all placing networks share: the graph "step", the tables of their card, the size of their memory."""

    def __init__(self, name: str, adapter: Adapter | None = None) -> None:
        self.card: dict[str, Any] = weights.card(name)
        self.mappers: list[str] = self.card["mappers"]
        self.descriptors: list[str] = self.card["descriptors"]
        sizes = self.card["sizes"]
        self.blocks, self.heads = sizes["blocks"], sizes["heads"]
        self.half = sizes["width"] // sizes["heads"] // 2
        self.index_heads, self.context = self.card["index_heads"], self.card["context"]
        self.step: InferenceSession = weights.session(name, "step", adapter, threads=1)


class Decoder:
    """One pass over a map for `rows` candidates.

    known : (n, k) what every object is told beforehand, (n, rows, k) where candidates are different maps.
    beats : (n,) or (n, rows) beats since the first object.
    """

    def __init__(
        self, model: CausalModel, rows: int, known: Floats, beats: Floats, conditions: Conditions
    ) -> None:
        self.model = model
        self.count = 0
        mapper = conditions.mapper
        named = mapper is not None and 0 <= mapper < len(model.mappers)
        self._mapper = np.full((rows, 1), mapper + 1 if mapper is not None and named else 0, np.int64)
        self._known = known.astype(np.float32)
        self._told = told(conditions, model.descriptors).astype(np.float32)
        shape = (model.blocks, rows, model.heads, model.context, 2 * model.half)
        self._keys, self._values = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._mask = np.full((rows, 1, 1, model.context + 1), _BARRED, np.float32)
        self._mask[..., -1] = 0.0
        beats = np.broadcast_to(beats if beats.ndim == 2 else beats[:, None], (len(beats), rows))
        number = np.broadcast_to(np.arange(len(beats))[:, None], beats.shape)
        by_index = number[..., None] * np.logspace(0, -3, model.half)
        by_beat = beats[..., None] * (2 * np.pi * np.logspace(0, -2.5, model.half))
        kinds = [by_index] * model.index_heads + [by_beat] * (model.heads - model.index_heads)
        angles = np.stack(kinds, axis=2)[:, :, :, None]
        self._cos, self._sin = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)

    def step(self, seen: Floats) -> tuple[Singles, Singles]:
        """States (rows, w) and first logits (rows, k) for the next object; `seen` (rows, v) differs by candidate."""
        i, rows = self.count, len(seen)
        first, last = self._known.shape[-1], len(self._told)
        x = np.empty((rows, 1, first + seen.shape[1] + last), np.float32)
        x[:, 0, :first], x[:, 0, first:-last], x[:, 0, -last:] = self._known[i], seen, self._told
        state, logits, keys, values = self.model.step.run(
            None,
            {
                "x": x, "mapper": self._mapper, "cos": self._cos[i], "sin": self._sin[i], "mask": self._mask,
                "past_k": self._keys, "past_v": self._values,
            },
        )
        slot = i % self.model.context
        self._keys[:, :, :, slot], self._values[:, :, :, slot] = keys[:, :, :, 0], values[:, :, :, 0]
        self._mask[..., slot] = 0.0
        self.count += 1
        return state[:, 0], logits[:, 0]


_WINDOW, _WARM = 144, 72  # objects that are read at a time, and how many of them only warm the network up


def read(
    model: CausalModel, known: Floats, beats: Floats, seen: Floats, conditions: Conditions
) -> tuple[Singles, Singles]:
    """States (n, w) and first logits (n, k) of a map of which everything is known, in windows side by side.

    known : (n, k). beats : (n,). seen : (n, v) what each object sees before it.
    """
    n = len(seen)
    first = np.arange(0, max(n - _WARM, 1), _WINDOW - _WARM)
    index = np.minimum(first + np.arange(min(_WINDOW, n))[:, None], n - 1)  # (step, window)
    net = Decoder(model, len(first), known[index], beats[index], conditions)
    states, logits = zip(*(net.step(seen[rows]) for rows in index), strict=True)
    every = np.arange(n)
    window = np.maximum(every - _WARM, 0) // (_WINDOW - _WARM)
    step = every - window * (_WINDOW - _WARM)
    return np.stack(states)[step, window], np.stack(logits)[step, window]


def told(conditions: Conditions, descriptors: list[str]) -> Floats:
    """The conditions as the networks are told them: mode, numbers, and one cell per descriptor they know."""
    mode = [conditions.mode == 0, conditions.mode == 2]
    return np.concatenate((mode, number_vector(conditions), descriptor_vector(conditions, descriptors)))
