"""The published checkpoints' ears: their way to load a song and their two mel spectrograms.

Their tokens depend on every bit of the samples, so this path keeps what their loader does: integer
samples, linear interpolation without a low-pass filter, mixing down after that, full scale at the peak.
Our own models do not use it (see `decode` and `mel`).
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .mel import SAMPLE_RATE, Floats, htk_filters, mel_power, triangles
from .source import Block, Sound, open_media

HOP = 128
_BITS = {"u8": 8, "u8p": 8, "s16": 16, "s16p": 16}  # other formats are read as 32 bits
_SIXTEEN_BIT_CODECS = ("mp3", "mp3float", "aac")  # float inside, but written out as 16 bits


def load_published(path: str | Path, speed: float = 1.0) -> Floats:
    """Load a song as the published checkpoints hear it.

    path: any file that `load_audio` reads; speed: of playback: the song is relabelled to int(rate * speed)
    Hz, so it becomes shorter and higher.
    Returns (n,) float32, 16 kHz mono, scaled so that its largest magnitude is 1.
    Raises UserError if the file cannot be decoded.
    """
    path = Path(path)
    with open_media(path) as media:
        sound = Sound(media, path)
        blocks = list(sound.blocks())
        bits = 16 if sound.codec in _SIXTEEN_BIT_CODECS else _BITS.get(sound.sample_format, 32)
    whole = np.concatenate(blocks, axis=1) if blocks else np.zeros((1, 0), np.float32)
    samples = published_mono(whole, int(sound.rate * speed), bits).astype(np.float32)
    peak = np.max(np.abs(samples), initial=0.0)
    return samples / peak if peak > 0 else samples


def published_mono(channels: Block, rate: int, bits: int = 16) -> NDArray[np.int64]:
    """Resample stored samples to 16 kHz and mix them to mono, all in integers.

    channels: (c, n) float32 within ±1, exact multiples of 2^(1 - bits) where the file stored integers;
    rate: Hz they are labelled with; bits: of the integers. Returns (m,) integers.
    """
    scale = 2.0 ** (bits - 1)
    stored = np.clip(np.rint(channels.astype(np.float64) * scale), -scale, scale - 1)
    resampled = np.stack([_interpolate(channel, rate, bits) for channel in stored])
    if len(resampled) == 2:
        return np.floor(resampled.sum(axis=0) * 0.5).astype(np.int64)
    return (resampled.astype(np.int64) // len(resampled)).sum(axis=0)


def _interpolate(samples: NDArray[np.float64], rate: int, bits: int) -> NDArray[np.float64]:
    """Linear interpolation from rate to 16 kHz as Python's audioop.ratecv does it.

    Output k lies at input position k * rate / 16000; it is cut to 32 bits towards zero, then to its own
    number of bits downwards.
    """
    step = gcd(rate, SAMPLE_RATE)
    before, after = rate // step, SAMPLE_RATE // step
    if before == after:
        return samples
    count = (len(samples) - 1) * after // before + 1 if len(samples) else 0
    position = np.arange(count, dtype=np.int64) * before
    right = -(-position // after)
    weight = right * after - position  # of the left neighbour, out of `after`
    wide = samples * 2.0 ** (32 - bits)
    mixed = np.trunc((wide[np.maximum(right - 1, 0)] * weight + wide[right] * (after - weight)) / after)
    return np.floor(mixed / 2.0 ** (32 - bits))


def mel_nnaudio(samples: Floats) -> Floats:
    """The spectrogram of checkpoints v28 and v29.

    samples: (n,) float32 from `load_published`. Returns (1 + n // 128, 388) float32: power, no logarithm,
    Slaney mel scale from 0 to 8000 Hz with filters of equal area, zeros beyond both ends.
    """
    return mel_power(samples, HOP, slaney_filters(388, 8000.0))


def mel_torchaudio(samples: Floats, bands: int, filters: Floats | None = None) -> Floats:
    """The spectrogram of checkpoints v30 and v31 (80 bands), v32 and v32-mini (128 bands).

    samples: (n,) float32 from `load_published`, n > 512; filters: (513, bands), the checkpoint's own, whose
    rounding differs from ours by 1e-5 (1e-4 in the result).
    Returns (1 + n // 128, bands) float32: log(1 + power), HTK mel scale from 20 to 8000 Hz, the sound
    mirrored beyond both ends.
    """
    if filters is None:
        filters = htk_filters(bands, 20.0, 8000.0)
    mel = mel_power(samples, HOP, filters, reflect=True)
    return np.log1p(mel, out=mel)


@lru_cache(maxsize=2)
def slaney_filters(bands: int, high: float) -> Floats:
    """(513, bands) triangles of equal area, spaced on the Slaney mel scale from 0 Hz to `high`.

    The scale is linear to 1 kHz (15 mel) with 200/3 Hz per mel, then logarithmic with 27 mel per factor 6.4
    (M. Slaney, Auditory Toolbox, 1998).
    """
    top = 15.0 + 27.0 * np.log(high / 1000.0) / np.log(6.4)
    mels = np.linspace(0.0, top, bands + 2)
    corners = np.where(mels < 15.0, mels * 200.0 / 3.0, 1000.0 * 6.4 ** ((mels - 15.0) / 27.0))
    return (triangles(corners) * (2.0 / (corners[2:] - corners[:-2]))).astype(np.float32)
