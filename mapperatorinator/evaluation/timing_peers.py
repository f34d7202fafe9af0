"""Other beat trackers, measured beside ours where they are installed: librosa, essentia, madmom, Beat This."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from mapperatorinator.audio import Audio
from mapperatorinator.evaluation.timing_metrics import Guess, Tracker
from mapperatorinator.evaluation.timing_truth import Array, Truth


def installed() -> dict[str, Tracker]:
    """The peers that can be imported here."""
    peers = {"librosa": _librosa, "essentia": _essentia, "madmom": _madmom, "beat_this": _beat_this}
    return {name: peer for name, peer in peers.items() if importlib.util.find_spec(name)}


def _guess(beats: Array, downbeats: Array | None) -> Guess:
    """Beats in ms, with the tempo of a straight line through them."""
    bpm = 0.0
    if len(beats) > 2:
        period = float(np.median(np.diff(beats)))
        number = np.concatenate([[0.0], np.cumsum(np.rint(np.diff(beats) / period))])
        bpm = 60_000.0 / float(np.polyfit(number, beats, 1)[0])
    return Guess(beats, downbeats, bpm, 1, 1.0)


def _librosa(audio: Audio, truth: Truth) -> Guess:
    import librosa

    _, beats = librosa.beat.beat_track(y=audio.samples, sr=audio.sample_rate, units="time")
    return _guess(np.asarray(beats) * 1000, None)


def _essentia(audio: Audio, truth: Truth) -> Guess:
    import soxr
    from essentia.standard import BeatTrackerDegara

    samples = soxr.resample(audio.samples, audio.sample_rate, 44_100)
    return _guess(np.asarray(BeatTrackerDegara()(samples.astype(np.float32))) * 1000, None)


def _madmom(audio: Audio, truth: Truth) -> Guess:
    from madmom.features.downbeats import (
        DBNDownBeatTrackingProcessor,
        RNNDownBeatProcessor,
    )

    found: Any = DBNDownBeatTrackingProcessor(beats_per_bar=[3, 4], fps=100)(RNNDownBeatProcessor()(str(truth.audio)))
    return _guess(found[:, 0] * 1000, found[found[:, 1] == 1, 0] * 1000)


def _beat_this(audio: Audio, truth: Truth) -> Guess:
    from beat_this.inference import Audio2Beats

    beats, downbeats = Audio2Beats(checkpoint_path="final0", device="cpu", dbn=False)(audio.samples, audio.sample_rate)
    return _guess(np.asarray(beats) * 1000, np.asarray(downbeats) * 1000)
