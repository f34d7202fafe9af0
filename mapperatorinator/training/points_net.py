"""The placing network: a causal transformer over objects, and three small heads that choose one after the other.

For each object it first says where the head might go (an earlier place, or some distance), then, told the
distance, in which direction; told the head, which body a slider has; told the body, where it points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mapperatorinator.mapper.grid import spacing

INDEX_HEADS = 3  # attention heads that count objects; the others count beats


@dataclass(frozen=True)
class Sizes:
    """Numbers that fix the network's tensors."""

    inputs: int
    mappers: int
    codes: int
    width: int = 160
    blocks: int = 5
    heads: int = 5
    hidden: int = 192


class Block(nn.Module):
    """Attention to earlier objects with rotary positions, then a gated feed-forward layer."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.before = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.after = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(2 * width, width)
        self.drop = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, past_k: Tensor, past_v: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x (b, t, w); cos, sin (b, heads, t, d/2); mask (b, 1, t, s + t) added; past (b, heads, s, d)."""
        b, t, w = x.shape
        q, k, v = self.qkv(self.before(x)).view(b, t, 3, self.heads, w // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
        weights = torch.cat((q @ past_k.transpose(2, 3), q @ k.transpose(2, 3)), dim=-1)
        weights = torch.softmax(weights / math.sqrt(q.shape[-1]) + mask, dim=-1)
        s = past_k.shape[2]
        seen = weights[..., :s] @ past_v + weights[..., s:] @ v
        x = x + self.drop(self.out(seen.transpose(1, 2).reshape(b, t, w)))
        gate, value = self.up(self.after(x)).chunk(2, dim=-1)
        return x + self.drop(self.down(F.silu(gate) * value)), k, v


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


def _choice(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, outputs))


class PointsNet(nn.Module):
    """`trunk` and `place` run once per object (graph "step"), `turn`, `body`, `sway` after each choice ("choose")."""

    def __init__(self, sizes: Sizes, dropout: float = 0.05) -> None:
        super().__init__()
        self.sizes = sizes
        w, h = sizes.width, sizes.hidden
        self.enter = nn.Sequential(nn.Linear(sizes.inputs, 2 * w), nn.SiLU(), nn.Linear(2 * w, w))
        self.mapper = nn.Embedding(sizes.mappers + 1, w)
        self.blocks = nn.ModuleList(Block(w, sizes.heads, dropout) for _ in range(sizes.blocks))
        self.leave = nn.LayerNorm(w)
        self.place = _choice(w, h, PLACE)
        self.turn = _choice(w + spacing.STEP, h, spacing.BINS + 2 * spacing.TURNS)
        self.body = _choice(w + spacing.HEAD, h, sizes.codes + 2 * spacing.SLIDERS)
        self.sway = _choice(w + spacing.HEAD + 8, h, spacing.BINS + 2 * spacing.SWAYS)
        nn.init.normal_(self.mapper.weight, std=0.02)

    def trunk(
        self, x: Tensor, mapper: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, past_k: Tensor, past_v: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """States (b, t, w) and the new keys and values (blocks, b, heads, t, d); `past_*` is shaped like those."""
        x = self.enter(x) + self.mapper(mapper)
        keys, values = [], []
        for i, block in enumerate(self.blocks):
            x, k, v = block(x, cos, sin, mask, past_k[i], past_v[i])
            keys.append(k)
            values.append(v)
        return self.leave(x), torch.stack(keys), torch.stack(values)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """All choices of whole crops, each told the truth of those before it."""
        x = batch["x"]
        b, t, _ = x.shape
        s = self.sizes
        cos, sin = rotary(s, batch["index"], batch["beats"])
        mask = torch.full((t, t), -1e9).triu(1)[None, None]
        none = x.new_zeros(s.blocks, b, s.heads, 0, s.width // s.heads)
        state, _, _ = self.trunk(x, batch["mapper"], cos, sin, mask, none, none)
        out = {"place": self.place(state), "turn": self.turn(torch.cat((state, batch["step"]), -1))}
        slider = batch["slider"]
        at, head, outline = state[slider], batch["head"][slider], batch["outline"][slider]
        out["body"] = self.body(torch.cat((at, head), -1))
        out["sway"] = self.sway(torch.cat((at, head, outline), -1))
        return out


# Logits of the first choice: a free step or a target (sharp or wide); then the distance of a free step: histogram,
# suggestion (sharp or wide), and the widths of the wide ones.
PLACE = 1 + 2 * spacing.TARGETS + spacing.DISTANCES + 3 * spacing.SUGGESTED


def rotary(sizes: Sizes, index: Tensor, beats: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines (b, heads, t, d/2) for positions counted in objects and in beats, each (b, t)."""
    half = sizes.width // sizes.heads // 2
    by_index = torch.logspace(0, -3, half)
    by_beat = 2 * math.pi * torch.logspace(0, -2.5, half)
    angle = torch.stack(
        [index[..., None] * by_index] * INDEX_HEADS + [beats[..., None] * by_beat] * (sizes.heads - INDEX_HEADS), 1
    )
    return angle.cos(), angle.sin()


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
