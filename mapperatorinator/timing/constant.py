"""One constant grid for a stretch of music: tempo candidates, their scores, and the exact fit.

Candidates come from the Fourier spectrum of the beat curve and the usual misreadings of each peak (double, half,
two thirds …); each is fitted exactly to the beat curve and scored by what the network thinks of its beats, its
downbeats and its tempo; the best score wins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.timing.harmony import changes
from mapperatorinator.timing.tracker import FRAME_MS, METERS, TEMPO_LOW, TEMPO_STEPS, Activations

Array = NDArray[np.floating[Any]]

SLOWEST, FASTEST = 45.0, 340.0  # BPM
RATIOS = (1.0, 2.0, 0.5, 3.0, 1 / 3, 1.5, 2 / 3, 0.75, 4 / 3, 4.0, 0.25)
PEAKS = 6
FINALISTS = 8  # readings that are settled with care
USUAL = (-1.0, 0.0, -2.5, -2.0, -2.5)  # log odds of meters 3 to 7 before listening
CLIP = 5.0  # log-odds beyond this say no more
CHORDS = 1.5  # how much changes of harmony say of the measure, beside what the network says
PASSAGES = 6  # of a stretch, which may sound softer or harder than one another
# How much each kind of evidence counts, learned by comparing true with wrong readings (training/timing_weights.py);
# scores are then log-odds.
WEIGHTS = {
    "support": 3.09, "explained": 2.78, "count": -0.73, "tempo": 0.91, "turns": -0.68, "downbeats": 1.99,
    "measures": 2.27, "bars": -0.97,
}  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """A constant grid over a stretch: `offset` is a beat in ms, `beat_length` in ms, and how well it explains.

    error: standard error of the beat length in ms; support: mean probability of a beat at the grid's beats.
    """

    offset: float
    beat_length: float
    error: float = 0.0
    support: float = 0.0
    score: float = -np.inf

    @property
    def bpm(self) -> float:
        """Beats per minute."""
        return 60_000.0 / self.beat_length

    def beats(self, duration: float) -> Array:
        """All grid beats in [0, duration) ms."""
        first = np.ceil(-self.offset / self.beat_length)
        last = np.ceil((duration - self.offset) / self.beat_length)
        return self.offset + np.arange(first, last) * self.beat_length


def probability(logits: NDArray[np.float32]) -> Array:
    """Log-odds to probability, with a floor so small that silence weighs nothing."""
    return 1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30).astype(np.float64)))


def at(curve: NDArray, times: Array) -> Array:
    """A frame-wise curve at times in ms, linearly interpolated."""
    return np.interp(times / FRAME_MS, np.arange(len(curve)), curve)


def read(heard: Activations, bpm: float | None = None, finalists: int = FINALISTS) -> list[Reading]:
    """The best readings of a stretch as one constant grid, best first; at a given BPM where one is given."""
    curve = probability(heard.beat)
    lengths = [60_000.0 / bpm] if bpm is not None else candidates(curve)
    found: list[Reading] = []
    for length in lengths:
        for phase in phases(curve, length):
            reading = settle(curve, phase, length, fixed=bpm is not None, rounds=3, step=5.0)
            if not any(_same(reading, other) for other in found):
                found.append(score(heard, curve, reading))
    found.sort(key=lambda reading: -reading.score)
    settled = [settle(curve, r.offset, r.beat_length, fixed=bpm is not None) for r in found[:finalists]]
    return sorted((score(heard, curve, reading) for reading in settled), key=lambda reading: -reading.score)


def _same(a: Reading, b: Reading) -> bool:
    if abs(a.beat_length / b.beat_length - 1) > 2e-3:
        return False
    apart = (a.offset - b.offset) / b.beat_length
    return abs(apart - round(apart)) < 0.1


def candidates(curve: Array) -> list[float]:
    """Beat lengths in ms worth trying: peaks of the beat curve's spectrum and their misreadings."""
    size = 1 << (4 * len(curve) - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(curve - curve.mean(), size))
    step = 1000.0 / FRAME_MS / size  # Hz
    low, high = int(SLOWEST / 60 / step), int(FASTEST / 60 / step)
    index = np.arange(low, high)
    comb = spectrum[index] + 0.7 * spectrum[2 * index] + 0.5 * spectrum[3 * index]
    lengths: list[float] = []
    for _ in range(PEAKS):
        best = int(np.argmax(comb))
        frequency = index[best] * step
        for ratio in RATIOS:
            length = 1000.0 / (frequency * ratio)
            if 60_000 / FASTEST <= length <= 60_000 / SLOWEST:
                lengths.append(length)
        comb[np.abs(index * step / frequency - 1) < 0.015] = 0
    return lengths


def phases(curve: Array, length: float, count: int = 2) -> list[float]:
    """The best beat phases in ms for a beat length: peaks of the curve folded onto one beat."""
    bins = max(16, int(length / FRAME_MS))
    where = (np.arange(len(curve)) * FRAME_MS / length) % 1.0
    fold = np.bincount((where * bins).astype(int) % bins, curve, minlength=bins)
    smooth = fold + 0.5 * (np.roll(fold, 1) + np.roll(fold, -1))
    found = []
    for _ in range(count):
        best = int(np.argmax(smooth))
        found.append((best + 0.5) / bins * length)
        near = np.abs((np.arange(bins) - best + bins // 2) % bins - bins // 2) <= max(1, bins // 6)
        smooth = np.where(near, -1.0, smooth)
    return found


def settle(
    curve: Array, offset: float, length: float, fixed: bool = False, rounds: int = 8, step: float = 2.5
) -> Reading:
    """Move a grid onto the beat curve: each beat's local centre of mass, then a robust straight line.

    curve: beat probability per frame; offset, length: first guess in ms; fixed: keep the length; step: ms at
    which the curve is read.
    """
    duration = len(curve) * FRAME_MS
    reading = Reading(offset, length)
    for turn in range(rounds):
        beats = reading.beats(duration)
        number = np.rint((beats - reading.offset) / reading.beat_length)
        half = min(max(70.0 - 15.0 * turn, 25.0), 0.3 * reading.beat_length)
        shift, weight = centres(curve, beats, half, step)
        scale = max(4.0, _spread(shift, weight))
        robust = weight * np.clip(1 - (shift / (4 * scale)) ** 2, 0, None) ** 2
        if robust.sum() < 1e-3:
            break
        middle = np.sum(robust * number) / robust.sum()
        centred = number - middle
        mean = np.sum(robust * shift) / robust.sum()
        variance = max(np.sum(robust * centred**2), 1e-9)
        slope = 0.0 if fixed else np.sum(robust * centred * shift) / variance
        if not fixed and abs(slope) > 0.02 * reading.beat_length:
            slope = np.copysign(0.02 * reading.beat_length, slope)
        reading = Reading(
            reading.offset + mean - slope * middle,
            reading.beat_length + slope,
            error=_slope_error(shift - mean - slope * centred, robust, centred),
        )
    return replace(reading, support=float(np.mean(at(curve, reading.beats(duration)))))


def _slope_error(rest: Array, weight: Array, centred: Array) -> float:
    """Standard error of a fitted slope: beats of one passage err together, so each of PASSAGES counts as one."""
    pull = weight * centred * rest
    if len(pull) >= 4 * PASSAGES:
        pull = np.add.reduceat(pull, np.linspace(0, len(pull), PASSAGES, endpoint=False).astype(int))
    return float(np.sqrt(np.sum(pull**2) * PASSAGES / (PASSAGES - 2)) / max(float(np.sum(weight * centred**2)), 1e-9))


def centres(curve: Array, times: Array, half: float, step: float = 2.5) -> tuple[Array, Array]:
    """Where the curve's mass lies around each time: signed distance in ms and its height (the weight)."""
    steps = np.linspace(-half, half, 2 * int(half / step) + 1)
    values = at(curve, times[:, None] + steps)  # symmetric, so that a beat on its grid is not moved
    mass = values.sum(axis=1) + 1e-9
    return values @ steps / mass, values.max(axis=1, initial=0.0)


def _spread(values: Array, weight: Array) -> float:
    """Weighted robust standard deviation around zero: 1.48 times the weighted median distance."""
    order = np.argsort(np.abs(values))
    total = np.cumsum(weight[order])
    if not len(total) or total[-1] <= 0:
        return 0.0
    return 1.48 * float(np.abs(values)[order][np.searchsorted(total, 0.5 * total[-1])])


def evidence(heard: Activations, curve: Array, reading: Reading) -> dict[str, float]:
    """What speaks for a reading, independent of the song's length; `curve` is the beat probability.

    support: mean probability on the grid's beats; explained: share of all probability that lies near one; count:
    beats per second; tempo: the network's opinion; turns: how far odd and even beats differ, as they do on a grid
    that is twice too fast; downbeats: how plainly measures stand out; measures: mean probability of a downbeat
    where they start; bars: how far odd and even measures differ.
    """
    beats = reading.beats(heard.duration_ms)
    if len(beats) < 2:
        return dict.fromkeys(WEIGHTS, 0.0) | {"support": -7.0, "explained": -7.0}
    index = int(np.clip(round(np.log2(reading.bpm / TEMPO_LOW) * TEMPO_STEPS), 1, heard.tempo.shape[1] - 2))
    near = np.logaddexp.reduce(heard.tempo[:, index - 1 : index + 2], axis=1)
    meter, place, plain = measure(heard, beats)
    starts = beats[(-place) % meter :: meter]
    downbeat = np.clip(heard.downbeat, -CLIP, CLIP)
    return {
        "support": float(np.log(around(curve, beats).mean() + 1e-3)),
        "explained": float(np.log(explained(curve, beats) + 1e-3)),
        "count": len(beats) / (heard.duration_ms / 1000),
        "tempo": float(np.mean(np.maximum(near, -8))),
        "turns": _turns(around(np.clip(heard.beat, -CLIP, CLIP), beats)),
        "downbeats": plain,
        "measures": float(np.log(around(probability(heard.downbeat), starts).mean() + 1e-2)),
        "bars": _turns(around(downbeat, starts)),
    }


def explained(curve: Array, beats: Array) -> float:
    """Share of all beat probability that lies near one of the beats (ms)."""
    total = at(np.concatenate([[0.0], np.cumsum(curve)]), beats[:, None] + np.array([-30.0, 40.0]))
    return float(np.diff(total, axis=1).sum() / (curve.sum() + 1e-9))


def _turns(values: Array) -> float:
    """How far the means of every other value and of the rest lie apart."""
    return abs(float(values[::2].mean() - values[1::2].mean())) if len(values) > 3 else 0.0


def around(curve: NDArray, times: Array) -> Array:
    """The highest value of a curve within 7 ms of each time."""
    return np.maximum(at(curve, times), np.maximum(at(curve, times - 7), at(curve, times + 7)))


def measure(heard: Activations, beats: Array) -> tuple[int, int, float]:
    """Meter, place of the first beat in its measure (0 = downbeat), and how plainly the downbeats stand out.

    The last is the correlation, 0 to 1, of the evidence at the beats (the downbeat curve and, where harmony is
    heard, its changes) with the pattern of the measure.
    """
    if len(beats) < 2 * METERS[-1]:
        return 4, 0, 0.0
    values = _standard(around(np.clip(heard.downbeat, -CLIP, CLIP), beats))
    if heard.harmony is not None:
        values = _standard(values + CHORDS * _standard(changes(heard.harmony, beats)))
    opinion = heard.meter.mean(axis=0)
    best, found = -np.inf, (4, 0, 0.0)
    for meter, usual in zip(METERS, USUAL, strict=True):
        for phase in range(meter):
            share = len(values[phase::meter]) / len(values)
            correlation = float(values[phase::meter].mean()) * np.sqrt(share / (1 - share))
            level = 0.5 * len(beats) * max(correlation, 0.0) ** 2 + usual + 0.5 * float(opinion[METERS.index(meter)])
            if level > best:
                best, found = level, (meter, (-phase) % meter, max(correlation, 0.0))
    return found


def _standard(values: NDArray[Any]) -> NDArray[np.float64]:
    return (values - values.mean()) / (values.std() + 1e-6)


def score(heard: Activations, curve: Array, reading: Reading) -> Reading:
    """The reading with its score filled in."""
    seen = evidence(heard, curve, reading)
    return replace(reading, score=sum(weight * seen[key] for key, weight in WEIGHTS.items()))
