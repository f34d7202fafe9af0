"""How the song is put before the network: frames standardised by song, tempo and place as numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SPREAD = 2.5  # standard deviation, in nepers, of a band around its mean over typical songs
_USUAL_BEAT_MS = 350.0


def normalise(mel: NDArray[np.float32], means: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take away the song's mean of every band, so that loudness and equaliser settings do not matter.

    mel : (n_frames, 64) log-mel. means : (64,) over the whole song.
    """
    return ((mel - means) / _SPREAD).astype(np.float32)


def tempo_features(beat_lengths: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return (n, 4): log tempo relative to 171 BPM, its square, place in the song (0..1) and its parabola.

    beat_lengths : (n,) ms. place : (n,) share of the song.
    """
    pace = np.log2(beat_lengths / _USUAL_BEAT_MS)
    place = np.clip(place, 0.0, 1.0)
    return np.stack([pace, pace**2, place, 4 * place * (1 - place)], axis=1).astype(np.float32)
