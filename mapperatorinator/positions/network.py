"""The published diffusion transformer: predicts the noise in a sequence of positions, under its own tensor names.

Blocks are normalised without learned scales; shift, scale and gate of every block come from the step of the
diffusion and from the classes of the map (style, stars, mapper, descriptors, circle size).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mapperatorinator.positions.columns import KINDS

_WAVES, _STEP_WAVES = 128, 256
CONTEXT = 2 * _WAVES + KINDS  # channels: time, distance, kind
_TIME_SCALE = 0.1
_HEAD, _LARGEST = 64, 1152  # the largest network has wider heads: 16 of 72
_EPSILON = 1e-6


def sinusoid(values: Tensor, size: int) -> Tensor:
    """Cosines, then sines, of values at `size` / 2 falling frequencies: shape (..., size)."""
    half = size // 2
    scale = torch.log(torch.tensor(10_000.0)) / half
    frequencies = torch.exp(-scale * torch.arange(half, dtype=torch.float32)).to(values.device)
    angles = values[..., None].float() * frequencies
    return torch.cat((angles.cos(), angles.sin()), dim=-1)


def context_of(times: Tensor, distances: Tensor, kinds: Tensor) -> Tensor:
    """What the network knows of columns besides their places, (..., 272, n): times in ms, distances in px, kinds."""
    kind = F.one_hot(kinds, KINDS).float()
    return torch.cat((sinusoid(times.float() * _TIME_SCALE, _WAVES), sinusoid(distances, _WAVES), kind), -1).mT


class Network(nn.Module):
    """The transformer. depth : number of blocks; width : of a token; heads : of attention; classes : length of y."""

    def __init__(self, depth: int, width: int, heads: int, classes: int) -> None:
        super().__init__()
        self.context_embedder = _Embedder("mlp", nn.Linear(2 * _WAVES + CONTEXT, width))
        self.t_embedder = _Embedder("mlp", *_two_layers(_STEP_WAVES, width))
        self.y_embedder = _Embedder("class_embedding", *_two_layers(classes, width))
        self.blocks = nn.ModuleList(_Block(width, heads) for _ in range(depth))
        self.final_layer = _Final(width)

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor], heads: int | None = None) -> Network:
        """The network that `tensors` belong to, with them in place; KeyError or RuntimeError if to none."""
        width, classes = tensors["y_embedder.class_embedding.0.weight"].shape
        depth = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("blocks."))
        heads = heads or (16 if width == _LARGEST else max(width // _HEAD, 1))
        with torch.device("meta"):
            network = cls(depth, width, heads, classes)
        network.load_state_dict(dict(tensors), assign=True)
        return network.eval().requires_grad_(False)

    def forward(
        self, x: Tensor, context: Tensor, steps: Tensor, classes: Tensor, hidden: Tensor | None = None
    ) -> Tensor:
        """Noise and variance, shape (n, 4, columns).

        x : positions, -1 to 1 across the field, (n, 2, columns). context : (n, 272, columns). steps : of the
        diffusion, (n,). classes : (n, length). hidden : (columns, columns), true where a row may not see a column.
        """
        waves = [sinusoid(512.0 * x[:, axis], _WAVES) for axis in (0, 1)]
        tokens = self.context_embedder(torch.cat((*waves, context.transpose(1, 2)), dim=-1))
        asked = F.silu(self.t_embedder(sinusoid(steps, _STEP_WAVES)) + self.y_embedder(classes))
        seen = None if hidden is None else ~hidden
        for block in self.blocks:
            tokens = block(tokens, asked, seen)
        return self.final_layer(tokens, asked).transpose(1, 2)


class _Embedder(nn.Module):
    """Layers in a row under a published name."""

    def __init__(self, name: str, *layers: nn.Module) -> None:
        super().__init__()
        self._name = name
        setattr(self, name, nn.Sequential(*layers))

    def forward(self, x: Tensor) -> Tensor:
        return getattr(self, self._name)(x)


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn = _Attention(width, heads)
        self.mlp = _Inner(width)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))

    def forward(self, x: Tensor, asked: Tensor, seen: Tensor | None) -> Tensor:
        """asked : conditions after their SiLU, (n, width)."""
        shift1, scale1, gate1, shift2, scale2, gate2 = self.adaLN_modulation[1](asked)[:, None].chunk(
            6, dim=-1
        )
        x = x + gate1 * self.attn(_modulated(x, shift1, scale1), seen)
        return x + gate2 * self.mlp(_modulated(x, shift2, scale2))


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, seen: Tensor | None) -> Tensor:
        rows, columns, width = x.shape
        projected = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = projected.view(rows, columns, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        return self.out_proj(mixed.transpose(1, 2).reshape(rows, columns, width))


class _Inner(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


class _Final(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, 4)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))

    def forward(self, x: Tensor, asked: Tensor) -> Tensor:
        shift, scale = self.adaLN_modulation[1](asked)[:, None].chunk(2, dim=-1)
        return self.linear(_modulated(x, shift, scale))


def _two_layers(inputs: int, width: int) -> tuple[nn.Module, ...]:
    return nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, width)


def _modulated(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], eps=_EPSILON) * (1 + scale) + shift
