"""Mel spectrograms in numpy: our own front end and the two of the published checkpoints.

Contract: samples are mono float at 16 kHz; a spectrogram is float32 of shape (frames, bands); the
frames are centred, so frame i describes the sound around sample i * hop.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SAMPLE_RATE = 16000
WINDOW = 1024
HOP = 160
BANDS = 64
LOG_FLOOR = 1e-5
_BATCH = 512  # frames transformed at once: about 4 MB of scratch memory


def log_mel(samples: Floats) -> Floats:
    """The frames that our own networks read: log mel power, every 10 ms.

    samples: (n,) float32, 16 kHz mono, usually within ±1.
    Returns (1 + n // 160, 64) float32, frame i at i * 10 ms: log(1e-5 + power), Hann window of 64 ms,
    zeros beyond both ends, HTK mel scale from 30 to 8000 Hz, triangles of height 1.
    """
    mel = mel_power(samples, HOP, htk_filters(BANDS, 30.0, 8000.0))
    mel += LOG_FLOOR
    return np.log(mel, out=mel)


def mel_power(samples: Floats, hop: int, filters: Floats, reflect: bool = False) -> Floats:
    """Power spectrogram through a bank of mel filters.

    samples: (n,) 16 kHz mono; hop: samples between frames; filters: (513, bands);
    reflect: mirror the signal at its ends instead of continuing it with zeros.
    Returns (1 + n // hop, bands) float32.
    """
    half = WINDOW // 2
    samples = np.asarray(samples, np.float32)
    padded = np.pad(samples, half, mode="reflect") if reflect else np.pad(samples, half)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::hop]
    window = _hann()
    mel = np.empty((len(frames), filters.shape[1]), np.float32)
    for start in range(0, len(frames), _BATCH):
        spectrum = np.fft.rfft(frames[start : start + _BATCH] * window, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        mel[start : start + _BATCH] = power.astype(np.float32, copy=False) @ filters
    return mel


@lru_cache(maxsize=4)
def htk_filters(bands: int, low: float, high: float) -> Floats:
    """Triangular filters of height 1, evenly spaced on the HTK mel scale, 2595 log10(1 + f / 700).

    low, high: Hz. Returns (513, bands) float32 for the bins of a 1024-point transform at 16 kHz.
    """
    mels = np.linspace(_hz_to_htk(low), _hz_to_htk(high), bands + 2)
    return triangles(700.0 * (10.0 ** (mels / 2595.0) - 1.0)).astype(np.float32)


def _hz_to_htk(frequency: float) -> float:
    return 2595.0 * float(np.log10(1.0 + frequency / 700.0))


def triangles(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(513, len(corners) - 2) triangles: filter b rises from corner b to b + 1 and falls to b + 2."""
    bins = np.arange(WINDOW // 2 + 1)[:, None] * (SAMPLE_RATE / WINDOW)
    widths = np.diff(corners)
    rising = (bins - corners[:-2]) / widths[:-1]
    falling = (corners[2:] - bins) / widths[1:]
    return np.maximum(0.0, np.minimum(rising, falling))


@lru_cache(maxsize=1)
def _hann() -> Floats:
    """Periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
