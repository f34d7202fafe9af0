"""The beat tracker at run time: samples to beat, downbeat and onset activations every 10 ms.

The network (`training/beats.py`) has learned the osu! convention: it fires some 20 ms before the acoustic onset,
where a mapper would put the red line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapperatorinator import weights
from mapperatorinator.audio.mel import LOG_FLOOR, log_mel
from mapperatorinator.timing.harmony import semitones

Floats = NDArray[np.float32]

FRAME_MS = 10.0
COARSE = 4  # frames per tempo and meter output
TEMPO_LOW, TEMPO_STEPS = 48.0, 36  # BPM of the first tempo class, classes per octave
METERS = (3, 4, 5, 6, 7)
_WHOLE = 24_000  # frames that are read in one pass; longer songs are cut into pieces
_PIECE, _MARGIN = 16_000, 2_000


@dataclass(frozen=True)
class Activations:
    """What the network hears, as log-odds: `beat`, `downbeat`, `onset` (n,), frame i at i * 10 ms.

    tempo: (n / 4, classes) log-probabilities of the local tempo; meter: (n / 4, 5) log-probabilities; harmony:
    (n / 4, 52) loudness of semitones, None where only beats are known.
    """

    beat: Floats
    downbeat: Floats
    onset: Floats
    tempo: Floats
    meter: Floats
    harmony: Floats | None = None

    @property
    def duration_ms(self) -> float:
        """Length of the song in ms."""
        return len(self.beat) * FRAME_MS

    def cut(self, start: float, end: float) -> Activations:
        """The part between two times in ms (whole coarse frames)."""
        first, last = int(start / FRAME_MS) // COARSE, -(-int(end / FRAME_MS) // COARSE)
        fine = slice(first * COARSE, last * COARSE)
        part = slice(first, last)
        harmony = None if self.harmony is None else self.harmony[part]
        return Activations(
            self.beat[fine], self.downbeat[fine], self.onset[fine], self.tempo[part], self.meter[part], harmony
        )


@lru_cache(maxsize=1)
def _session() -> Any:
    return weights.session("beats")


def track(samples: Floats) -> Activations:
    """Run the tracker over a whole song: `samples` (n,) float32, 16 kHz mono."""
    heard = hear(log_mel(samples))
    return replace(heard, harmony=semitones(samples, len(heard.tempo)))


def hear(mel: Floats) -> Activations:
    """Run the tracker over log-mel frames (n, 64); silence is added up to a whole number of coarse frames."""
    spare = -len(mel) % (2 * COARSE)
    mel = np.concatenate([mel, np.full((spare, mel.shape[1]), np.log(LOG_FLOOR), np.float32)])
    if len(mel) <= _WHOLE:
        return activations(*_run(mel))
    parts = []
    for start in range(0, len(mel), _PIECE):
        first, last = max(0, start - _MARGIN), min(len(mel), start + _PIECE + _MARGIN)
        frames, tempo, meter = _run(mel[first:last])
        keep = slice(start - first, start - first + min(_PIECE, len(mel) - start))
        coarse = slice(keep.start // COARSE, keep.stop // COARSE)
        parts.append((frames[keep], tempo[coarse], meter[coarse]))
    return activations(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _run(mel: Floats) -> tuple[Floats, Floats, Floats]:
    frames, tempo, meter = _session().run(None, {"mel": mel[None]})
    return frames[0], tempo[0], meter[0]


def activations(frames: Floats, tempo: Floats, meter: Floats) -> Activations:
    """What the network says of a song, from its outputs: frames (n, 3), tempo (n / 4, classes), meter (n / 4, 5)."""
    beat, downbeat, onset = (np.ascontiguousarray(frames[:, i]) for i in range(3))
    return Activations(beat, downbeat, onset, _log_softmax(tempo), _log_softmax(meter))


def _log_softmax(logits: Floats) -> Floats:
    top = logits.max(axis=1, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
