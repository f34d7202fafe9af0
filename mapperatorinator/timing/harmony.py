"""Chords as evidence of the measure: harmony changes where a measure starts more than on its other beats.

The tracker's mel bands are too wide to tell chords apart, so semitones are heard with a longer window of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.audio.mel import SAMPLE_RATE

Floats = NDArray[np.float32]
Array = NDArray[np.floating[Any]]

STEP_MS = 40.0
WINDOW = 4096  # samples: 256 ms
LOWEST, SEMITONES = 110.0, 52  # Hz, to 2.1 kHz
SPAN = 2.0  # beats before and after a beat that are compared
LATE_MS = 20.0  # the sound of a beat starts that much after its place on an osu! grid
LEAST = 0.02  # change that counts as none
_BATCH = 256


def semitones(samples: Floats, count: int) -> Floats:
    """How loud each semitone sounds (square root of its magnitude), (count, 52), row i at i * 40 ms.

    samples: (n,) float32, 16 kHz mono; count: rows wanted, silent beyond the end.
    """
    hop = int(STEP_MS * SAMPLE_RATE / 1000)
    padded = np.zeros(max(count, 1) * hop + WINDOW, np.float32)
    sound = samples[: len(padded) - WINDOW // 2]
    padded[WINDOW // 2 : WINDOW // 2 + len(sound)] = sound
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::hop][:count]
    edges = LOWEST * 2 ** ((np.arange(SEMITONES + 1) - 0.5) / 12) * WINDOW / SAMPLE_RATE
    first, last = np.rint(edges[:-1]).astype(int), int(edges[-1])
    window, found = np.hanning(WINDOW).astype(np.float32), np.empty((count, SEMITONES), np.float32)
    for start in range(0, count, _BATCH):
        spectrum = np.abs(np.fft.rfft(frames[start : start + _BATCH] * window, axis=1))[:, :last]
        found[start : start + _BATCH] = np.sqrt(np.maximum.reduceat(spectrum, first, axis=1))
    return found


def changes(heard: Floats, beats: Array) -> Array:
    """How much the harmony changes at each beat, as the logarithm of a cosine distance.

    heard: what `semitones` returned; beats: ms, at least two, evenly spaced. Near the ends, where too little is
    heard on one side, the usual change is assumed.
    """
    length = float(beats[-1] - beats[0]) / (len(beats) - 1)
    total = np.concatenate([np.zeros((1, heard.shape[1])), np.cumsum(heard, axis=0, dtype=np.float64)])
    before, here, after = (_sum_until(total, beats + LATE_MS + side * SPAN * length) for side in (-1, 0, 1))
    a, b = here - before, after - here
    size = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    change = np.log(1 - np.clip(np.sum(a * b, axis=1) / (size + 1e-9), 0, 1) + LEAST)
    ends = (beats < SPAN * length) | (beats > len(heard) * STEP_MS - SPAN * length) | (size < 1e-6)
    return np.where(ends, np.median(change[~ends]) if not ends.all() else 0.0, change)


def _sum_until(total: Array, times: Array) -> Array:
    """Sums of all rows before each time in ms, from the sums of the first 0, 1, 2 … rows."""
    place = np.clip(times / STEP_MS + 0.5, 0, len(total) - 1)
    low = np.minimum(place.astype(int), len(total) - 2)
    part = (place - low)[:, None]
    return (1 - part) * total[low] + part * total[low + 1]
