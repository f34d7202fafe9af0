"""The published encoder-decoder in one module: every family by configuration, under its published tensor names.

| family | norm | positions | projections |
|---|---|---|---|
| whisper (v28, v29) | LayerNorm | learned tables | q, k, v, out |
| ropewhisper (v30, v31) | RMSNorm | rotary | q, k, v, out |
| varwhisper (v32, v32-mini) | RMSNorm | rotary | fused |

Pre-norm blocks, exact GELU, head by head attention over a static cache of keys and values; attention to the
encoder is projected once per window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

RMS_EPSILON = 1.1920929e-07
ROPE_BASE = 10_000.0
CONDITION_SIZE = 128
_UNUSED = ("loss_fn.", "spectrogram.", "transformer.model.decoder.embed_tokens.")


@dataclass(frozen=True)
class Shape:
    """Sizes and family of a network, from a checkpoint's `config.json`."""

    family: str
    width: int
    encoder: tuple[int, int, int]  # layers, heads, inner width
    decoder: tuple[int, int, int]
    source: int  # encoder positions: half the mel frames
    target: int  # most tokens
    vocab_in: int
    vocab_out: int
    mels: int
    mel_kind: str
    projected: bool
    conditions: tuple[str, ...]
    mappers: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Shape:
        """Read the shape; missing fields have the published constructor's defaults."""
        backbone = config["backbone_config"]
        name = config.get("backbone_model_name", "openai/whisper-base").lower()
        families = ("ropewhisper", "varwhisper", "whisper")
        family = next((word for word in families if f"/{word}" in name), "")
        if not family:
            raise ValueError(f"networks of the family {name} are not supported")
        sides = [
            (backbone[f"{side}_layers"], backbone[f"{side}_attention_heads"], backbone[f"{side}_ffn_dim"])
            for side in ("encoder", "decoder")
        ]
        asked = ("difficulty", "mapper", "song_position")
        return cls(
            family, backbone["d_model"], sides[0], sides[1],
            backbone["max_source_positions"], backbone["max_target_positions"],
            config.get("vocab_size_in", 9920), config.get("vocab_size", backbone.get("vocab_size", 3988)),
            config.get("n_mels", 388), config.get("spectrogram_implementation", "nnAudio"),
            config.get("project_encoder_input", True),
            tuple(word for word in asked if config.get(f"do_{word}_embed")), config.get("num_mappers", 3731),
        )  # fmt: skip

    @property
    def rotary(self) -> bool:
        """Whether positions are rotations of queries and keys."""
        return self.family != "whisper"

    @property
    def window(self) -> int:
        """Samples of one window: 128 for every mel frame but the first."""
        return (2 * self.source - 1) * 128


class Norm(nn.Module):
    """LayerNorm, or RMSNorm without a bias."""

    def __init__(self, width: int, rms: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = None if rms else nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis."""
        if self.bias is None:
            return F.rms_norm(x, self.weight.shape, self.weight, RMS_EPSILON)
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias)


Turn = tuple[Tensor, Tensor]


def rotate(x: Tensor, turn: Turn) -> Tensor:
    """Turn pairs (first half, second half) of x (B, H, L, D) by the cosines and sines of `rope`."""
    first, second = x.chunk(2, -1)
    return x * turn[0] + torch.cat((-second, first), -1) * turn[1]


def rope(positions: Tensor, size: int, dtype: torch.dtype = torch.float32) -> Turn:
    """Cosines and sines (B, 1, L, size) of whole positions (B, L) for heads of `size`, reckoned in fp32."""
    steps = torch.arange(0, size, 2, dtype=torch.float32, device=positions.device)
    angles = positions.float().unsqueeze(-1) * (1.0 / ROPE_BASE ** (steps / size))
    angles = torch.cat((angles, angles), -1)[:, None]
    return angles.cos().to(dtype), angles.sin().to(dtype)


class Attention(nn.Module):
    """Projections of one attention, separate or fused; `cross` reads keys and values from the encoder."""

    def __init__(self, width: int, heads: int, fused: bool, cross: bool) -> None:
        super().__init__()
        self.heads, self.fused, self.cross = heads, fused, cross
        if fused and cross:
            self.Wq, self.Wkv = nn.Linear(width, width), nn.Linear(width, 2 * width)
        elif fused:
            self.Wqkv = nn.Linear(width, 3 * width)
        else:
            self.q_proj, self.v_proj = nn.Linear(width, width), nn.Linear(width, width)
            self.k_proj = nn.Linear(width, width, bias=False)
        out = nn.Linear(width, width)
        if fused:
            self.Wo = out
        else:
            self.out_proj = out

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def queries(self, x: Tensor) -> Tensor:
        """(B, H, L, D) of cross attention."""
        return self._split(self.Wq(x) if self.fused else self.q_proj(x))

    def keys_values(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, H, L, D) of the encoder's output."""
        if self.fused:
            keys, values = self.Wkv(memory).chunk(2, -1)
        else:
            keys, values = self.k_proj(memory), self.v_proj(memory)
        return self._split(keys), self._split(values)

    def all_three(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values (B, H, L, D) of self attention."""
        parts = self.Wqkv(x).chunk(3, -1) if self.fused else (self.q_proj(x), self.k_proj(x), self.v_proj(x))
        queries, keys, values = (self._split(part) for part in parts)
        return queries, keys, values

    def attend(
        self, queries: Tensor, keys: Tensor, values: Tensor, visible: Tensor | None = None, causal: bool = False
    ) -> Tensor:
        """Attention and output projection, (B, L, width); visible : bool, broadcast to (B, H, Lq, Lk)."""
        mixed = F.scaled_dot_product_attention(queries, keys, values, visible, is_causal=causal)
        mixed = mixed.transpose(1, 2).flatten(2)
        return self.Wo(mixed) if self.fused else self.out_proj(mixed)


class Layer(nn.Module):
    """A block of encoder or decoder."""

    def __init__(self, shape: Shape, heads: int, inner: int, cross: bool) -> None:
        super().__init__()
        width, rms, fused = shape.width, shape.rotary, shape.family == "varwhisper"
        self.self_attn = Attention(width, heads, fused, cross=False)
        self.self_attn_layer_norm = Norm(width, rms)
        self.fc1, self.fc2 = nn.Linear(width, inner), nn.Linear(inner, width)
        self.final_layer_norm = Norm(width, rms)
        self.cross_name = ("cross_attn" if fused else "encoder_attn") if cross else ""
        if cross:
            self.add_module(self.cross_name, Attention(width, heads, fused, cross=True))
            self.add_module(f"{self.cross_name}_layer_norm", Norm(width, rms))

    @property
    def cross(self) -> Attention:
        """Attention to the encoder."""
        return getattr(self, self.cross_name)

    def own(self, x: Tensor, turn: Turn | None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys, values of self attention, rotated."""
        queries, keys, values = self.self_attn.all_three(self.self_attn_layer_norm(x))
        if turn is not None:
            queries, keys = rotate(queries, turn), rotate(keys, turn)
        return queries, keys, values

    def look_across(self, x: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Add what the encoder heard."""
        normed = getattr(self, f"{self.cross_name}_layer_norm")(x)
        return x + self.cross.attend(self.cross.queries(normed), keys, values)

    def feed(self, x: Tensor) -> Tensor:
        """Add the inner layer."""
        return x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))


@dataclass
class Cache:
    """What the decoder remembers of a batch: projected encoder output, and keys and values of tokens so far.

    own : per layer two tensors (B, H, length, D), written up to `used`. real : (B, length), False at padding.
    count : (B,) real tokens so far, the next token's position. padded : whether any row has padding.
    """

    across: list[tuple[Tensor, Tensor]]
    own: list[tuple[Tensor, Tensor]]
    real: Tensor
    count: Tensor
    used: int = 0
    padded: bool = False

    def reorder(self, rows: Tensor) -> None:
        """Continue row i of the batch from what row `rows[i]` was (beams)."""
        self.own = [(keys[rows], values[rows]) for keys, values in self.own]
        self.real, self.count = self.real[rows], self.count[rows]


class Encoder(nn.Module):
    """Two convolutions and a stack of blocks over mel frames."""

    def __init__(self, shape: Shape, channels: int) -> None:
        super().__init__()
        layers, heads, inner = shape.encoder
        self.size = shape.width // heads
        self.conv1 = nn.Conv1d(channels, shape.width, 3, padding=1)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=2, padding=1)
        self.embed_positions = None if shape.rotary else nn.Embedding(shape.source, shape.width)
        self.layers = nn.ModuleList(Layer(shape, heads, inner, cross=False) for _ in range(layers))
        self.layer_norm = Norm(shape.width, shape.rotary)

    def forward(self, features: Tensor) -> Tensor:
        """(B, T, channels) to (B, T/2, width)."""
        x = F.gelu(self.conv2(F.gelu(self.conv1(features.transpose(1, 2))))).transpose(1, 2)
        turn = None
        if self.embed_positions is not None:
            x = x + self.embed_positions.weight[: x.shape[1]]
        else:
            turn = rope(torch.arange(x.shape[1], device=x.device)[None], self.size, x.dtype)
        for layer in self.layers:
            assert isinstance(layer, Layer)
            x = layer.feed(x + layer.self_attn.attend(*layer.own(x, turn)))
        return self.layer_norm(x)


class Decoder(nn.Module):
    """A stack of blocks over tokens."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        layers, heads, inner = shape.decoder
        self.heads, self.size = heads, shape.width // heads
        self.embed_positions = None if shape.rotary else nn.Embedding(shape.target, shape.width)
        self.layers = nn.ModuleList(Layer(shape, heads, inner, cross=True) for _ in range(layers))
        self.layer_norm = Norm(shape.width, shape.rotary)

    def forward(self, x: Tensor, cache: Cache, real: Tensor) -> Tensor:
        """(B, n, width) embedded tokens after those in the cache; real : (B, n), False at padding."""
        start, end = cache.used, cache.used + x.shape[1]
        cache.real[:, start:end] = real
        positions = (cache.count[:, None] + real.long().cumsum(1) - 1).clamp(min=0)
        cache.count = cache.count + real.sum(1)
        cache.used = end
        visible = self._visible(cache, start) if cache.padded or x.shape[1] > 1 else None
        turn = None
        if self.embed_positions is not None:
            x = x + self.embed_positions(positions)
        else:
            turn = rope(positions, self.size, x.dtype)
        for layer, own, across in zip(self.layers, cache.own, cache.across, strict=True):
            assert isinstance(layer, Layer)
            queries, keys, values = layer.own(x, turn)
            own[0][:, :, start:end], own[1][:, :, start:end] = keys, values
            x = x + layer.self_attn.attend(queries, own[0][:, :, :end], own[1][:, :, :end], visible)
            x = layer.feed(layer.look_across(x, *across))
        return self.layer_norm(x)

    @staticmethod
    def _visible(cache: Cache, start: int) -> Tensor:
        """(B, 1, n, used): nothing that comes later, no padding."""
        steps = torch.arange(cache.used, device=cache.real.device)
        now = steps[start:, None]
        # Padding sees itself, for a softmax over nothing is no number.
        return (((steps <= now) & cache.real[:, None, : cache.used]) | (steps == now))[:, None]


def _bumps(values: Tensor, centers: Tensor, widths: Tensor) -> Tensor:
    """Gaussian features of values (B,): (B, number of centers)."""
    return torch.exp(-((values[:, None] - centers) ** 2) / (2 * widths**2))


def _projection(inputs: int, inner: int) -> nn.Sequential:
    """Two layers with norms; the fourth place is a dropout in training."""
    return nn.Sequential(
        nn.Linear(inputs, inner), nn.LayerNorm(inner), nn.ReLU(), nn.Identity(),
        nn.Linear(inner, CONDITION_SIZE), nn.LayerNorm(CONDITION_SIZE),
    )  # fmt: skip


class DifficultyEmbedder(nn.Module):
    """Stars (B,) to (B, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.basis_centers = nn.Parameter(torch.linspace(0, 1, 8))
        self.basis_widths = nn.Parameter(torch.full((8,), 0.1))
        self.difficulty_proj = _projection(8, CONDITION_SIZE)

    def forward(self, stars: Tensor) -> Tensor:
        """Embed stars."""
        return self.difficulty_proj(_bumps(stars / 10, self.basis_centers, self.basis_widths))


class MapperEmbedder(nn.Module):
    """Mapper index (B,), -1 unknown, to (B, 128)."""

    def __init__(self, mappers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(mappers + 1, CONDITION_SIZE)
        self.layer_norm = nn.LayerNorm(CONDITION_SIZE)

    def forward(self, index: Tensor) -> Tensor:
        """Embed indexes."""
        unknown = self.embedding.num_embeddings - 1
        return self.layer_norm(self.embedding(torch.where(index < 0, unknown, index).clamp(max=unknown)))


class SongPositionEmbedder(nn.Module):
    """Window start and end as shares of the song (B, 2) to (B, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.basis_centers = nn.Parameter(torch.linspace(0, 1, 10))
        self.basis_widths = nn.Parameter(torch.full((10,), 0.1))
        self.position_proj = _projection(20, 2 * CONDITION_SIZE)

    def forward(self, place: Tensor) -> Tensor:
        """Embed start and end."""
        bumps = [_bumps(place[:, i], self.basis_centers, self.basis_widths) for i in range(2)]
        return self.position_proj(torch.cat(bumps, 1))


@dataclass(frozen=True)
class Vectors:
    """Conditions that go beside the mel frames (v30, v31): stars (B,), mapper index (B,), place in the song (B, 2)."""

    difficulty: Tensor
    mapper: Tensor
    song_position: Tensor


class Halves(nn.Module):
    """Encoder and decoder, under the published names."""

    def __init__(self, shape: Shape, channels: int) -> None:
        super().__init__()
        self.encoder = Encoder(shape, channels)
        self.decoder = Decoder(shape)


class Transformer(nn.Module):
    """Encoder, decoder and what turns the decoder's output into logits, under the published names."""

    def __init__(self, shape: Shape, channels: int) -> None:
        super().__init__()
        self.model = Halves(shape, channels)
        self.proj_out = nn.Linear(shape.width, shape.vocab_out, bias=False)


class Network(nn.Module):
    """Mel frames and tokens to logits; built empty, filled by `load`."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        channels = shape.mels + CONDITION_SIZE * len(shape.conditions)
        if shape.projected:
            self.encoder_embedder = nn.Linear(channels, shape.width)
        self.decoder_embedder = nn.Embedding(shape.vocab_in, shape.width)
        if "difficulty" in shape.conditions:
            self.difficulty_embedder = DifficultyEmbedder()
        if "mapper" in shape.conditions:
            self.mapper_embedder = MapperEmbedder(shape.mappers)
        if "song_position" in shape.conditions:
            self.song_pos_embedder = SongPositionEmbedder()
        self.transformer = Transformer(shape, shape.width if shape.projected else channels)

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        return self.decoder_embedder.weight.dtype

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.decoder_embedder.weight.device

    def encode(self, mel: Tensor, vectors: Vectors | None = None) -> Tensor:
        """Mel frames (B, T, bands) to the encoder's output (B, T/2, width)."""
        parts = [mel.to(self.dtype)]
        if vectors is not None:
            for embedded in self.embed_conditions(vectors):
                parts.append(embedded.to(self.dtype)[:, None].expand(-1, mel.shape[1], -1))
        features = torch.cat(parts, -1)
        if self.shape.projected:
            features = self.encoder_embedder(features)
        return self.transformer.model.encoder(features)

    def embed_conditions(self, vectors: Vectors) -> list[Tensor]:
        """The condition vectors, each (B, 128), in the order in which the encoder takes them."""
        made = []
        if "difficulty" in self.shape.conditions:
            made.append(self.difficulty_embedder(vectors.difficulty.to(self.dtype)))
        if "mapper" in self.shape.conditions:
            made.append(self.mapper_embedder(vectors.mapper))
        if "song_position" in self.shape.conditions:
            made.append(self.song_pos_embedder(vectors.song_position.to(self.dtype)))
        return made

    def listen(self, memory: Tensor, length: int) -> Cache:
        """A cache for up to `length` tokens about the encoder's output (B, T/2, width)."""
        decoder = self.transformer.model.decoder
        rows = memory.shape[0]
        size = (rows, decoder.heads, length, decoder.size)
        own = [(memory.new_empty(size), memory.new_empty(size)) for _ in decoder.layers]
        real = torch.zeros(rows, length, dtype=torch.bool, device=memory.device)
        count = torch.zeros(rows, dtype=torch.long, device=memory.device)
        heard = [cast(Layer, layer).cross.keys_values(memory) for layer in decoder.layers]
        return Cache(heard, own, real, count)

    def decode(self, tokens: Tensor, cache: Cache, real: Tensor | None = None, last: bool = False) -> Tensor:
        """Logits (B, n, vocabulary) after each of the tokens (B, n), which follow those in the cache.

        real : (B, n), False at padding (default: nowhere). last : only after the last token, (B, 1, …).
        """
        if real is None:
            real = torch.ones_like(tokens, dtype=torch.bool)
        elif not cache.padded:
            cache.padded = not bool(real.all())
        x = self.transformer.model.decoder(self.decoder_embedder(tokens), cache, real)
        return self.transformer.proj_out(x[:, -1:] if last else x)


def load(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Network:
    """The network of a checkpoint around its own tensors, without a second copy of them.

    ValueError names tensors that are missing or too many.
    """
    with torch.device("meta"):
        network = Network(Shape.of(config))
    used = {name: tensor for name, tensor in tensors.items() if not name.startswith(_UNUSED)}
    missing, foreign = network.load_state_dict(used, strict=False, assign=True)
    if missing or foreign:
        raise ValueError(f"the tensors do not fit the network: {', '.join([*missing, *foreign][:5])}")
    return network.eval().requires_grad_(False)


@dataclass
class Spectrogram:
    """The network's ear: windows of samples to mel frames, with the checkpoint's own filters, always in fp32."""

    filters: Tensor  # (513, bands)
    log: bool
    reflect: bool
    hann: Tensor = field(default_factory=lambda: torch.hann_window(1024))

    @classmethod
    def of(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Spectrogram:
        """The ear that a checkpoint was trained with."""
        filters = tensors.get("spectrogram.transform.mel_scale.fb")
        if filters is None:
            filters = tensors["spectrogram.transform.mel_basis"].T
        return cls(filters.float().contiguous(), bool(config["spectrogram_log_scale"]), config["pad_mode"] == "reflect")

    def __call__(self, samples: Tensor) -> Tensor:
        """Samples (B, n) to mel frames (B, 1 + n/128, bands)."""
        device = samples.device
        padded = F.pad(samples[:, None], (512, 512), "reflect" if self.reflect else "constant")[:, 0]
        frames = padded.unfold(1, 1024, 128) * self.hann.to(device)
        power = torch.fft.rfft(frames).abs().square()
        mel = power @ self.filters.to(device)
        return mel.log1p() if self.log else mel
