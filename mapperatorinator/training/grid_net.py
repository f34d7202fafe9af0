"""The grid mapper's network in torch: `SoundNet` hears the song at the ticks, `CanvasNet` fills hidden cells.

The two halves are exported as two graphs, so that a song is heard once for all difficulties, candidates and
unmasking passes. Shapes: B crops, F frames of 10 ms, T ticks, P = T / 3 patches (quarter beats).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mapperatorinator.mapper.grid.canvas import COLUMNS, KIND_CLASSES
from mapperatorinator.mapper.grid.conditions import NUMBERS_WIDTH
from mapperatorinator.mapper.grid.ticks import MAX_MEASURE, TICKS_PER_BEAT, TICKS_PER_PATCH

BANDS = 64
READS = (-3, -1, 0, 1, 2, 3, 5)  # frames around a tick that are read; grids lie some 20 ms before the onset
REFERENCE_CLASSES = 4  # unknown, nothing, start, held


@dataclass(frozen=True)
class GridSizes:
    """Sizes of the network; stored in the model card."""

    frame: int = 128
    tick: int = 128
    width: int = 256
    heads: int = 4
    sound_blocks: int = 2
    canvas_blocks: int = 5
    mappers: int = 0
    descriptors: int = 0
    dropout: float = 0.1

    def as_json(self) -> dict[str, float]:
        """The sizes as plain JSON."""
        return asdict(self)


def rotary(length: int, dim: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines, (length, dim / 2) each, of rotary positions with base 10,000."""
    frequencies = 10000.0 ** (-torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    angles = torch.arange(length, dtype=torch.float32)[:, None] * frequencies
    return angles.cos(), angles.sin()


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


class Block(nn.Module):
    """A pre-norm transformer block, bidirectional, with rotary positions and an optional condition."""

    def __init__(self, width: int, heads: int, dropout: float, conditioned: bool) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, elementwise_affine=not conditioned)
        self.norm2 = nn.LayerNorm(width, elementwise_affine=not conditioned)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.film = nn.Linear(width, 4 * width) if conditioned else None
        self.dropout = nn.Dropout(dropout)
        if self.film is not None:
            nn.init.zeros_(self.film.weight)
            nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, mask: Tensor, condition: Tensor | None) -> Tensor:
        """x : (B, P, width). mask : (B, 1, 1, P), True where a patch may be attended to. condition : (B, width)."""
        batch, length, width = x.shape
        a, b = self.norm1(x), None
        if self.film is not None and condition is not None:
            scale1, shift1, scale2, shift2 = self.film(condition)[:, None].chunk(4, dim=-1)
            a, b = a * (1 + scale1) + shift1, (scale2, shift2)
        qkv = self.qkv(a).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        cos, sin = rotary(length, width // self.heads)
        mixed = F.scaled_dot_product_attention(
            _rotate(qkv[0], cos, sin), _rotate(qkv[1], cos, sin), qkv[2], attn_mask=mask
        )
        x = x + self.dropout(self.out(mixed.transpose(1, 2).reshape(batch, length, width)))
        a = self.norm2(x)
        if b is not None:
            a = a * (1 + b[0]) + b[1]
        return x + self.dropout(self.down(F.gelu(self.up(a))))


class Frames(nn.Module):
    """Log-mels to frame features: three 2-D convolutions over time and pitch, then dilated ones over time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.pitch = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=(1, 2), padding=1)
            for before, after in ((1, 16), (16, 24), (24, 32))
        )
        self.flat = nn.Linear(32 * BANDS // 8, width)
        self.time = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation) for dilation in (1, 2, 4, 8)
        )
        # Twice as fast to train on a CPU.
        self.pitch.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, mel: Tensor) -> Tensor:
        """mel : (B, F, 64) standardised. Returns (B, F, width)."""
        x = mel[:, None].to(memory_format=torch.channels_last)
        for conv in self.pitch:
            x = F.gelu(conv(x))
        x = self.flat(x.permute(0, 2, 3, 1).flatten(2)).transpose(1, 2)
        for conv in self.time:
            x = x + conv(F.gelu(x))
        return x.transpose(1, 2)


class SoundNet(nn.Module):
    """Hears the song where the ticks are."""

    def __init__(self, sizes: GridSizes) -> None:
        super().__init__()
        self.frames = Frames(sizes.frame)
        self.read = nn.Linear(sizes.frame * len(READS), sizes.tick)
        self.null = nn.Parameter(torch.zeros(sizes.tick))
        self.phase = nn.Embedding(TICKS_PER_BEAT, sizes.tick)
        self.measure = nn.Embedding(MAX_MEASURE, sizes.width)
        self.tempo = nn.Linear(4, sizes.width)
        self.patch = nn.Linear(TICKS_PER_PATCH * sizes.tick, sizes.width)
        self.blocks = nn.ModuleList(
            Block(sizes.width, sizes.heads, sizes.dropout, False) for _ in range(sizes.sound_blocks)
        )

    def forward(
        self,
        mel: Tensor,
        index: Tensor,
        heard: Tensor,
        phase: Tensor,
        measure: Tensor,
        tempo: Tensor,
        mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Return tick features (B, T, tick) and patch features (B, P, width).

        mel : (B, F, 64). index : (B, T) frame position of each tick, fractional. heard : (B,) 1 or 0 (deaf).
        phase : (B, T) tick in beat. measure : (B, P) beat in measure. tempo : (B, P, 4). mask : (B, P) bool.
        """
        frames = self.frames(mel)
        below = index.floor().clamp(0, mel.shape[1] - 2)
        share = (index - below).clamp(0, 1)[..., None]
        reads = [self._at(frames, below.long() + step, share) for step in READS]
        heard = heard[:, None, None]
        ticks = self.read(torch.cat(reads, dim=-1)) * heard + self.null * (1 - heard) + self.phase(phase)
        batch, length, width = ticks.shape
        x = self.patch(ticks.reshape(batch, length // TICKS_PER_PATCH, TICKS_PER_PATCH * width))
        x = x + self.measure(measure) + self.tempo(tempo)
        for block in self.blocks:
            x = block(x, mask[:, None, None], None)
        return ticks, x

    @staticmethod
    def _at(frames: Tensor, index: Tensor, share: Tensor) -> Tensor:
        last = frames.shape[1] - 1
        width = frames.shape[2]
        low = index.clamp(0, last)[..., None].expand(-1, -1, width)
        high = (index + 1).clamp(0, last)[..., None].expand(-1, -1, width)
        return frames.gather(1, low) * (1 - share) + frames.gather(1, high) * share


class CanvasNet(nn.Module):
    """Predicts hidden cells of the canvas from sound, conditions and visible cells."""

    def __init__(self, sizes: GridSizes) -> None:
        super().__init__()
        counts = [sum(KIND_CLASSES), *list(COLUMNS.values())[1:]]
        self.offsets = nn.Buffer(torch.tensor([0, *torch.tensor(counts).add(2).cumsum(0)[:-1].tolist()]))
        self.cells = nn.Embedding(sum(counts) + 2 * len(counts), sizes.tick)
        self.reference = nn.Embedding(REFERENCE_CLASSES, sizes.tick)
        self.near = nn.Conv1d(sizes.tick, sizes.tick, 5, padding=2)
        self.patch = nn.Linear(TICKS_PER_PATCH * sizes.tick, sizes.width)
        self.mode = nn.Embedding(4, sizes.width)
        self.mapper = nn.Embedding(sizes.mappers + 1, sizes.width)
        self.descriptors = nn.Linear(sizes.descriptors, sizes.width, bias=False)
        self.numbers = nn.Linear(NUMBERS_WIDTH, sizes.width)
        self.condition = nn.Sequential(nn.SiLU(), nn.Linear(sizes.width, sizes.width), nn.SiLU())
        self.blocks = nn.ModuleList(
            Block(sizes.width, sizes.heads, sizes.dropout, True) for _ in range(sizes.canvas_blocks)
        )
        self.norm = nn.LayerNorm(sizes.width)
        self.unpatch = nn.Linear(sizes.width, TICKS_PER_PATCH * sizes.tick)
        self.norm_tick = nn.LayerNorm(sizes.tick)
        self.hidden = nn.Linear(sizes.tick, 2 * sizes.tick)
        self.output = nn.Linear(2 * sizes.tick, sum(counts))

    def forward(
        self, ticks: Tensor, patches: Tensor, cells: Tensor, reference: Tensor,
        mode: Tensor, mapper: Tensor, descriptors: Tensor, numbers: Tensor, mask: Tensor,
    ) -> Tensor:  # fmt: skip
        """Return the logits of every column's classes, side by side: (B, T, sum of classes).

        ticks, patches : from `SoundNet`. cells : (B, T, columns) class of each visible cell, or one past the last
        class for "hidden", two past for "does not apply"; kinds are numbered through over the modes.
        reference : (B, T) another difficulty, 0 unknown, 1 nothing, 2 start, 3 held.
        mode, mapper : (B,). descriptors : (B, D) 0/1. numbers : (B, N). mask : (B, P) bool.
        """
        x = ticks + self.cells(cells + self.offsets).sum(2) + self.reference(reference)
        x = x + F.gelu(self.near(x.transpose(1, 2)).transpose(1, 2))
        batch, length, width = x.shape
        condition = self.condition(
            self.mode(mode) + self.mapper(mapper) + self.descriptors(descriptors) + self.numbers(numbers)
        )
        h = self.patch(x.reshape(batch, length // TICKS_PER_PATCH, TICKS_PER_PATCH * width)) + patches
        for block in self.blocks:
            h = block(h, mask[:, None, None], condition)
        x = x + self.unpatch(self.norm(h)).reshape(batch, length, width)
        return self.output(F.gelu(self.hidden(self.norm_tick(x))))


class GridNet(nn.Module):
    """Both halves together, as they are trained."""

    def __init__(self, sizes: GridSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.sound = SoundNet(sizes)
        self.canvas = CanvasNet(sizes)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Return logits for a batch of `grid_data`."""
        ticks, patches = self.sound(
            batch["mel"],
            batch["index"],
            batch["heard"],
            batch["phase"],
            batch["measure"],
            batch["tempo"],
            batch["mask"],
        )
        return self.canvas(
            ticks, patches, batch["cells"], batch["reference"],
            batch["mode"], batch["mapper"], batch["descriptors"], batch["numbers"], batch["mask"],
        )  # fmt: skip
