"""The embedded placing network of osu! and catch, and the later of its choices."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from onnxruntime import RunOptions

from mapperatorinator import weights
from mapperatorinator.weights.adapter import Adapter

from . import spacing
from .decoder import CausalModel, Singles
from .shapes import Alphabet

Floats = NDArray[np.float64]

NAME = "points"


class PlacingModel(CausalModel):
    """Graph "step" says where a head might go; graph "choose" what follows from each choice."""

    def __init__(self, adapter: Adapter | None = None) -> None:
        super().__init__(NAME, adapter)
        self.alphabet = Alphabet.from_card(self.card["alphabet"])
        self._choose = weights.session(NAME, "choose", adapter, threads=1)
        self._only = RunOptions()
        self._only.only_execute_path_to_fetches = True

    def turn(self, state: Singles, step: Floats) -> Floats:
        """Logits of a free step's direction, told its distance (`spacing.step_features`)."""
        return self._chosen(0, state, step=step)

    def body(self, state: Singles, head: Floats) -> Floats:
        """Logits of a slider's body, told its head (`spacing.head_features`)."""
        return self._chosen(1, state, head=head)

    def sway(self, state: Singles, head: Floats, outline: Floats) -> Floats:
        """Logits of a slider's heading, told its head and every other point of its outline (n, 8)."""
        return self._chosen(2, state, head=head, outline=outline)

    def _chosen(self, output: int, state: Singles, **given: Floats) -> Floats:
        inputs = {"state": state}
        for name, width in (("step", spacing.STEP), ("head", spacing.HEAD), ("outline", 8)):
            value = given.get(name)
            inputs[name] = np.zeros((len(state), width), np.float32) if value is None else value.astype(np.float32)
        name = self._choose.get_outputs()[output].name
        return self._choose.run([name], inputs, self._only)[0].astype(float)


@lru_cache(maxsize=2)
def placing_model(adapter: Adapter | None) -> PlacingModel:
    """The embedded placing network, loaded once for each adapter."""
    return PlacingModel(adapter)
