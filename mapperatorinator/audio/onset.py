"""Where sounds start: a cheap onset curve by spectral flux, and the onsets that stand out.

It measures whether a map covers its song and where the song rests; timing has its own, learned ears.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .mel import SAMPLE_RATE, Floats

HOP_MS = 10.0
_HOP = SAMPLE_RATE // 100
_WINDOW = 400  # 25 ms: short, so that a rise is seen where it is
_SIZE = 512
_BANDS = 24
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 8000.0
_BATCH = 2048
_CONTEXT = 50  # frames on each side that an onset is compared with
_APART = 5  # frames between two onsets
_STANDS_OUT = (
    2.0  # times the mean around it: 72 % of these onsets carry an object of a human map of 4-6 stars
)
_EARLY_MS = 2.5  # the flux of a click peaks this much before the click (measured)


def onset_strength(samples: Floats) -> Floats:
    """How much sound starts in each hundredth of a second.

    samples: (n,) 16 kHz mono. Returns (1 + n // 160,) float32 >= 0, frame i at i * 10 ms: the rise of
    the log magnitude since the frame before, averaged over 24 bands; 0 throughout in silence. The song's
    mean magnitude is the unit, so loudness does not matter.
    """
    bands = _band_magnitudes(np.asarray(samples, np.float32))
    mean = float(bands.mean())
    if mean <= 0:
        return np.zeros(len(bands), np.float32)
    level = np.log1p(bands * (10.0 / mean))
    rise = np.diff(level, axis=0, prepend=level[:1])
    return np.maximum(rise, 0.0).mean(axis=1).astype(np.float32)


def strong_onsets(strength: Floats, least: float = 0.35) -> NDArray[np.float64]:
    """The onsets that a listener notices.

    strength: (n,) from `onset_strength`; least: share of the song's strong attacks (its 98th percentile)
    that an onset must reach. It must also be the largest within 50 ms and twice the mean of the
    second around.
    Returns ms, ascending, interpolated between frames.
    """
    if len(strength) < 3 or strength.max() <= 0:
        return np.zeros(0)
    padded = np.pad(strength.astype(np.float64), _APART)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _APART + 1).max(axis=1)
    kernel = np.ones(2 * _CONTEXT + 1)
    mean = np.convolve(strength, kernel, "same") / np.convolve(np.ones(len(strength)), kernel, "same")
    attack = max(float(np.percentile(strength, 98)), 0.25 * float(strength.max()))  # few attacks: the largest
    enough = np.maximum(least * attack, _STANDS_OUT * mean)
    peaks = np.flatnonzero((strength >= around) & (strength >= enough) & (strength > 0))
    peaks = peaks[np.diff(peaks, prepend=-_APART - 1) > 1]  # of equal neighbours only the first
    before, here, after = (padded[peaks + _APART + shift] for shift in (-1, 0, 1))
    bend = np.maximum(2 * here - before - after, 1e-9)
    shift = np.clip(0.5 * (after - before) / bend, -0.5, 0.5).astype(np.float64)
    return (peaks + shift) * HOP_MS + _EARLY_MS


def _band_magnitudes(samples: Floats) -> Floats:
    """(frames, 24) mean magnitudes of bands evenly spaced in log frequency, centred on every 10 ms."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, _WINDOW // 2), _WINDOW)[::_HOP]
    window = np.hanning(_WINDOW + 2)[1:-1].astype(np.float32)
    edges = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 1) * (_SIZE / SAMPLE_RATE)
    starts = np.maximum.accumulate(np.maximum(np.round(edges[:-1]).astype(int), np.arange(2, _BANDS + 2)))
    widths = np.diff(starts, append=_SIZE // 2 + 1)
    bands = np.empty((len(frames), _BANDS), np.float32)
    for at in range(0, len(frames), _BATCH):
        spectrum = np.abs(np.fft.rfft(frames[at : at + _BATCH] * window, _SIZE, axis=1))
        bands[at : at + _BATCH] = np.add.reduceat(spectrum, starts, axis=1) / widths
    return bands
