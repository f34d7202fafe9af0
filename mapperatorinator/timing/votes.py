"""Super timing: many hearings of one song, averaged, for music whose tempo varies or is hard to hear.

The embedded tracker hears the song a little faster, slower, higher, lower or brighter each time; a sequence model
decodes it from other starting points. Either way the votes become one set of activations for the usual fit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.audio.mel import LOG_FLOOR, log_mel
from mapperatorinator.timing.harmony import semitones
from mapperatorinator.timing.tracker import (
    COARSE,
    FRAME_MS,
    METERS,
    TEMPO_LOW,
    TEMPO_STEPS,
    Activations,
    Floats,
    hear,
)

VOTES = 20
SPEED, PITCH, TILT = 0.06, 2, 1.0  # largest change of log speed, bands, and loudness (nepers) per vote
BUMP = 10.0  # ms: standard deviation of a voted beat, as in super timing of the published models
SURE = 6.0  # log-odds of a beat that every vote has


def vote(samples: Floats, votes: int = VOTES, seed: int = 0) -> Activations:
    """What the tracker hears in a song on average over several hearings.

    samples: (n,) float32, 16 kHz mono; votes: how many hearings, at least 1, of which the first is plain.
    """
    rng, mel = np.random.default_rng(seed), log_mel(samples)
    heard = [hear(mel)]
    size = len(heard[0].beat)
    for _ in range(votes - 1):
        speed = float(np.exp(rng.uniform(-SPEED, SPEED)))
        other = np.roll(mel, int(rng.integers(-PITCH, PITCH + 1)), axis=1)
        low, high = (float(end) for end in rng.uniform(-TILT, TILT, 2))
        other = other + np.linspace(low, high, mel.shape[1], dtype=np.float32)
        heard.append(_back(hear(_played(np.maximum(other, np.float32(np.log(LOG_FLOOR))), speed)), speed, size))
    return Activations(
        beat=_mean([one.beat for one in heard]),
        downbeat=_mean([one.downbeat for one in heard]),
        onset=_mean([one.onset for one in heard]),
        tempo=_mixture([one.tempo for one in heard]),
        meter=_mixture([one.meter for one in heard]),
        harmony=semitones(samples, size // COARSE),
    )


def _mean(curves: list[Floats]) -> Floats:
    return np.mean(curves, axis=0).astype(np.float32)


def _played(mel: Floats, speed: float) -> Floats:
    """Frames of the song played `speed` times as fast."""
    place = np.arange(int(len(mel) / speed)) * speed
    low = np.minimum(place.astype(int), len(mel) - 2)
    part = (place - low).astype(np.float32)[:, None]
    return (1 - part) * mel[low] + part * mel[low + 1]


def _back(heard: Activations, speed: float, size: int) -> Activations:
    """Activations of the song at another speed, at the song's own."""
    frames, steps = np.arange(size) / speed, np.arange(size // COARSE) / speed
    nearest = np.minimum(np.rint(steps).astype(int), len(heard.tempo) - 1)
    turn = round(TEMPO_STEPS * np.log2(speed))
    beat, downbeat, onset = (
        np.interp(frames, np.arange(len(curve)), curve).astype(np.float32)
        for curve in (heard.beat, heard.downbeat, heard.onset)
    )
    return Activations(beat, downbeat, onset, np.roll(heard.tempo[nearest], -turn, axis=1), heard.meter[nearest])


def _mixture(votes: list[Floats]) -> Floats:
    return np.logaddexp.reduce(votes, axis=0) - np.log(len(votes))


def counted(votes: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], duration: float) -> Activations:
    """Activations from lists of beats that several decodings of a song gave.

    votes: (beats, those that start a measure) in ms, each increasing; duration: of the song in ms.
    """
    size = -(-int(duration / FRAME_MS + 1) // (2 * COARSE)) * 2 * COARSE
    beat, downbeat = (_density([one[index] for one in votes], size) for index in (0, 1))
    tempo, meter = np.full((size // COARSE, 104), 1e-3), np.full((size // COARSE, len(METERS)), 1e-3)
    for beats, downbeats in votes:
        _count_tempo(tempo, beats)
        for start, end in zip(downbeats[:-1], downbeats[1:], strict=True):
            length = np.searchsorted(beats, end - 1) - np.searchsorted(beats, start - 1)
            meter[_span(start, end), int(np.clip(length, METERS[0], METERS[-1])) - METERS[0]] += 1
    share = [np.log(table / table.sum(axis=1, keepdims=True)).astype(np.float32) for table in (tempo, meter)]
    return Activations(beat, downbeat, beat, *share)


def _span(start: float, end: float) -> slice:
    return slice(int(max(start, 0) / FRAME_MS / COARSE), int(end / FRAME_MS / COARSE) + 1)


def _count_tempo(tempo: NDArray[np.float64], beats: NDArray[np.float64]) -> None:
    for start, end in zip(beats[:-1], beats[1:], strict=True):
        place = np.log2(60_000 / max(end - start, 1.0) / TEMPO_LOW) * TEMPO_STEPS
        if 0 <= place < tempo.shape[1]:
            tempo[_span(start, end), round(place) if place < tempo.shape[1] - 1 else -1] += 1


def _density(lists: Sequence[NDArray[np.float64]], size: int) -> Floats:
    """Log-odds of a beat per frame: the share of votes that have one near it."""
    time, total = np.arange(-4, 5), np.zeros(size)
    for beats in lists:
        at = np.rint(beats / FRAME_MS).astype(int)
        where = at[:, None] + time
        bumps = np.exp(-0.5 * ((where * FRAME_MS - beats[:, None]) / BUMP) ** 2)
        inside = (where >= 0) & (where < size)
        np.add.at(total, where[inside], bumps[inside])
    share = np.clip(total / max(len(lists), 1), 0, 1)
    return (SURE * (2 * share - 1)).astype(np.float32)
