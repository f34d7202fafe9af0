"""The placing network: a causal transformer over objects, and three small heads that choose one after the other.

For each object it first says where the head might go (an earlier place, or some distance), then, told the
distance, in which direction; told the head, which body a slider has; told the body, where it points.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mapperatorinator.mapper.grid import spacing
from mapperatorinator.training.causal_net import CausalNet, Sizes


def _choice(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, outputs))


class PointsNet(CausalNet):
    """`trunk` and `place` run once per object (graph "step"), `turn`, `body`, `sway` after each choice ("choose")."""

    def __init__(self, sizes: Sizes, codes: int, dropout: float = 0.05) -> None:
        super().__init__(sizes, dropout)
        w, h = sizes.width, sizes.hidden
        self.place = _choice(w, h, PLACE)
        self.turn = _choice(w + spacing.STEP, h, spacing.BINS + 2 * spacing.TURNS)
        self.body = _choice(w + spacing.HEAD, h, codes + 2 * spacing.SLIDERS)
        self.sway = _choice(w + spacing.HEAD + 8, h, spacing.BINS + 2 * spacing.SWAYS)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """All choices of whole crops, each told the truth of those before it."""
        state = self.states(batch)
        out = {"place": self.place(state), "turn": self.turn(torch.cat((state, batch["step"]), -1))}
        slider = batch["slider"]
        at, head, outline = state[slider], batch["head"][slider], batch["outline"][slider]
        out["body"] = self.body(torch.cat((at, head), -1))
        out["sway"] = self.sway(torch.cat((at, head, outline), -1))
        return out


# Logits of the first choice: a free step or a target (sharp or wide); then the distance of a free step: histogram,
# suggestion (sharp or wide), and the widths of the wide ones.
PLACE = 1 + 2 * spacing.TARGETS + spacing.DISTANCES + 3 * spacing.SUGGESTED


class Step(nn.Module):
    """Graph "step": one or more objects in, their states, first choice, keys and values out."""

    def __init__(self, net: PointsNet) -> None:
        super().__init__()
        self.net = net

    def forward(
        self, x: Tensor, mapper: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, past_k: Tensor, past_v: Tensor
    ) -> tuple[Tensor, ...]:
        state, k, v = self.net.trunk(x, mapper, cos, sin, mask, past_k, past_v)
        return state, self.net.place(state), k, v


class Choose(nn.Module):
    """Graph "choose": logits of the later choices, each of which uses only what was chosen before it."""

    def __init__(self, net: PointsNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, state: Tensor, step: Tensor, head: Tensor, outline: Tensor) -> tuple[Tensor, ...]:
        net = self.net
        return (
            net.turn(torch.cat((state, step), -1)),
            net.body(torch.cat((state, head), -1)),
            net.sway(torch.cat((state, head, outline), -1)),
        )
