"""A small causal transformer over a map's objects: what the placing networks of all modes are built on.

At run time it steps one object at a time, keeping the keys and values of the last ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

INDEX_HEADS = 3  # attention heads that count objects; the others count beats


@dataclass(frozen=True)
class Sizes:
    """Numbers that fix the network's tensors."""

    inputs: int
    mappers: int
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


class CausalNet(nn.Module):
    """The common part: inputs and mapper in, states of all objects out."""

    def __init__(self, sizes: Sizes, dropout: float) -> None:
        super().__init__()
        self.sizes = sizes
        w = sizes.width
        self.enter = nn.Sequential(nn.Linear(sizes.inputs, 2 * w), nn.SiLU(), nn.Linear(2 * w, w))
        self.mapper = nn.Embedding(sizes.mappers + 1, w)
        self.blocks = nn.ModuleList(Block(w, sizes.heads, dropout) for _ in range(sizes.blocks))
        self.leave = nn.LayerNorm(w)
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

    def states(self, batch: dict[str, Tensor]) -> Tensor:
        """States (b, t, w) of whole crops: `x`, `mapper`, and positions in objects (`index`) and `beats`."""
        x, s = batch["x"], self.sizes
        b, t, _ = x.shape
        cos, sin = rotary(s, batch["index"], batch["beats"])
        mask = torch.full((t, t), -1e9).triu(1)[None, None]
        none = x.new_zeros(s.blocks, b, s.heads, 0, s.width // s.heads)
        return self.trunk(x, batch["mapper"], cos, sin, mask, none, none)[0]


def rotary(sizes: Sizes, index: Tensor, beats: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines (b, heads, t, d/2) for positions counted in objects and in beats, each (b, t)."""
    half = sizes.width // sizes.heads // 2
    by_index = torch.logspace(0, -3, half)
    by_beat = 2 * math.pi * torch.logspace(0, -2.5, half)
    angle = torch.stack(
        [index[..., None] * by_index] * INDEX_HEADS + [beats[..., None] * by_beat] * (sizes.heads - INDEX_HEADS), 1
    )
    return angle.cos(), angle.sin()


def step_inputs(sizes: Sizes, context: int, rows: int = 2) -> dict[str, Tensor]:
    """Example inputs of a one-object step with an empty memory of `context` objects."""
    half = sizes.width // sizes.heads // 2
    past = torch.zeros(sizes.blocks, rows, sizes.heads, context, 2 * half)
    return {
        "x": torch.zeros(rows, 1, sizes.inputs),
        "mapper": torch.zeros(rows, 1, dtype=torch.int64),
        "cos": torch.ones(rows, sizes.heads, 1, half),
        "sin": torch.zeros(rows, sizes.heads, 1, half),
        "mask": torch.zeros(rows, 1, 1, context + 1),
        "past_k": past,
        "past_v": past.clone(),
    }


STEP_AXES = {
    name: {1 if name.startswith("past") else 0: "rows"}
    for name in ("x", "mapper", "cos", "sin", "mask", "past_k", "past_v")
}
