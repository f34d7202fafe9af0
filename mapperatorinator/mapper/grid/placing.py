"""The placing network at run time: its graphs, its memory of earlier objects, and where each candidate stands."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mapperatorinator import weights

from .conditions import descriptor_vector, number_vector
from .draft import Conditions
from .rhythm_features import Rhythm, beats_of, describe
from .shapes import Alphabet

Floats = NDArray[np.float64]

NAME = "points"
_BARRED = np.float32(-1e9)


class PlacingModel:
    """The embedded network and what its card says; one per process."""

    def __init__(self, threads: int = 1) -> None:
        card = weights.card(NAME)
        self.alphabet = Alphabet.from_card(card["alphabet"])
        self.mappers: list[str] = card["mappers"]
        self.descriptors: list[str] = card["descriptors"]
        sizes = card["sizes"]
        self.blocks, self.heads = sizes["blocks"], sizes["heads"]
        self.half = sizes["width"] // sizes["heads"] // 2
        self.index_heads, self.context = card["index_heads"], card["context"]
        self.step = weights.session(NAME, "step", threads=threads)
        self.choose = weights.session(NAME, "choose", threads=threads)


@lru_cache(maxsize=1)
def placing_model() -> PlacingModel:
    """The embedded placing network, loaded once."""
    return PlacingModel()


class Decoder:
    """Steps through a map object by object for several candidates at once, keeping keys and values."""

    def __init__(self, model: PlacingModel, rows: int, rhythm: Rhythm, conditions: Conditions) -> None:
        self.model = model
        self.rhythm, self.beats = describe(rhythm), beats_of(rhythm)
        self.told = told(conditions, model.descriptors)
        known = conditions.mapper is not None and 0 <= conditions.mapper < len(model.mappers)
        self.mapper = np.full((rows, 1), conditions.mapper + 1 if known else 0, np.int64)
        shape = (model.blocks, rows, model.heads, model.context, 2 * model.half)
        self.keys, self.values = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self.mask = np.full((rows, 1, 1, model.context + 1), _BARRED, np.float32)
        self.mask[..., -1] = 0.0
        self.count = 0
        self._by_index = np.logspace(0, -3, model.half)
        self._by_beat = 2 * np.pi * np.logspace(0, -2.5, model.half)

    def step(self, seen: Floats) -> tuple[NDArray[np.float32], Floats]:
        """States (n, w) and logits of the first choice for the next object; `seen` (n, VIEW) are view features."""
        i, rows = self.count, len(seen)
        x = np.empty((rows, 1, len(self.rhythm[i]) + seen.shape[1] + len(self.told)), np.float32)
        x[:, 0] = np.concatenate(
            (np.tile(self.rhythm[i], (rows, 1)), seen, np.tile(self.told, (rows, 1))), axis=1
        )
        angles = np.stack(
            [i * self._by_index] * self.model.index_heads
            + [self.beats[i] * self._by_beat] * (self.model.heads - self.model.index_heads)
        )[None, :, None].repeat(rows, axis=0)
        state, place, keys, values = self.model.step.run(
            None,
            {
                "x": x,
                "mapper": self.mapper,
                "cos": np.cos(angles).astype(np.float32),
                "sin": np.sin(angles).astype(np.float32),
                "mask": self.mask,
                "past_k": self.keys,
                "past_v": self.values,
            },
        )
        slot = i % self.model.context
        self.keys[:, :, :, slot], self.values[:, :, :, slot] = keys[:, :, :, 0], values[:, :, :, 0]
        self.mask[..., slot] = 0.0
        self.count += 1
        return state[:, 0], place[:, 0].astype(float)

    def choose(
        self, state: NDArray[np.float32], step: Floats | None = None, head: Floats | None = None,
        outline: Floats | None = None,
    ) -> tuple[Floats, Floats, Floats]:
        """Logits of turn, body and sway; each holds only if what it depends on was given."""
        given = {"state": state}
        for name, value, width in (("step", step, 12), ("head", head, 17), ("outline", outline, 8)):
            given[name] = (np.zeros((len(state), width)) if value is None else value).astype(np.float32)
        turn, body, sway = self.model.choose.run(None, given)
        return turn.astype(float), body.astype(float), sway.astype(float)


def told(conditions: Conditions, descriptors: list[str]) -> Floats:
    """The conditions as the network is told them: mode, numbers, and one cell per descriptor it knows."""
    mode = [conditions.mode == 0, conditions.mode == 2]
    return np.concatenate((mode, number_vector(conditions), descriptor_vector(conditions, descriptors)))
