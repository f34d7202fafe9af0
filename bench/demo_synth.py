"""The instruments of the demo song: small synthesisers in numpy.

Contract: a voice returns one note as (n,) or (2, n) float64 at RATE, starting with its attack on sample 0.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE = 44100
Wave = NDArray[np.float64]
_TABLE = 2048
_noise = np.random.default_rng(150)  # one stream: the same song every time


def seconds(length: float) -> Wave:
    """Times of the samples of a note, in seconds."""
    return np.arange(round(length * RATE)) / RATE


def hertz(midi: float) -> float:
    """Equal temperament, A4 = MIDI 69 = 440 Hz."""
    return 440.0 * 2.0 ** ((midi - 69) / 12)


@lru_cache(maxsize=128)
def _cycle(shape: str, harmonics: int) -> Wave:
    """One cycle of a saw or square wave with so many harmonics, softened against ringing."""
    spectrum = np.zeros(_TABLE // 2 + 1, complex)
    number = np.arange(1, harmonics + 1)
    strength = np.sinc(number / (harmonics + 1)) / number
    spectrum[1 : harmonics + 1] = -1j * strength * (number % 2 if shape == "square" else 1.0)
    return np.fft.irfft(spectrum * _TABLE / 2, _TABLE)


def oscillator(
    shape: str, frequency: float | Wave, length: float, bright: float = 9000.0, phase: float = 0.0
) -> Wave:
    """A band-limited tone; bright: Hz of its highest harmonic."""
    times = seconds(length)
    pitch = np.broadcast_to(frequency, times.shape)
    turns = phase + np.concatenate([[0.0], np.cumsum(pitch[:-1])]) / RATE
    if shape == "sine":
        return np.sin(2 * np.pi * turns)
    table = _cycle(shape, int(np.clip(bright / float(np.max(pitch)), 1, 400)))
    return np.interp(turns % 1.0 * _TABLE, np.arange(_TABLE + 1), np.append(table, table[0]))


def envelope(length: float, attack: float, decay: float, sustain: float, release: float) -> Wave:
    """Attack to 1, exponential decay to the sustain level, linear release at the end; all in seconds."""
    times = seconds(length)
    level = sustain + (1 - sustain) * np.exp(-np.maximum(times - attack, 0) / decay)
    return level * np.minimum(times / attack, 1) * np.clip((length - times) / release, 0, 1)


def filtered(sound: Wave, low: float = 0.0, high: float = 0.0, order: int = 2) -> Wave:
    """Causal cascades of RC filters over the last axis: keep what is above `low` and below `high` Hz."""
    size = 1 << (sound.shape[-1] + RATE // 4).bit_length()
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    response = np.ones(len(frequency), complex)
    if high:
        response /= (1 + 1j * frequency / high) ** order
    if low:
        ratio = 1j * frequency / low
        response *= (ratio / (1 + ratio)) ** order
    return np.fft.irfft(np.fft.rfft(sound, size) * response, size)[..., : sound.shape[-1]]


def noise(length: float) -> Wave:
    """White noise."""
    return _noise.uniform(-1, 1, round(length * RATE))


def kick() -> Wave:
    """A sine that falls from 190 to 48 Hz, with a click."""
    times = seconds(0.32)
    body = np.sin(2 * np.pi * np.cumsum(48 + 142 * np.exp(-times / 0.028)) / RATE) * np.exp(-times / 0.11)
    click = filtered(noise(0.32), low=2500) * np.exp(-times / 0.004)
    return (body + 0.35 * click) * np.minimum((0.32 - times) / 0.03, 1)


def snare(power: float = 1.0) -> Wave:
    """Two drum modes and a rattle."""
    times = seconds(0.24)
    skin = np.sin(2 * np.pi * 188 * times) + 0.6 * np.sin(2 * np.pi * 331 * times)
    rattle = filtered(noise(0.24), low=1500, high=9000)
    return power * (0.5 * skin * np.exp(-times / 0.045) + 1.1 * rattle * np.exp(-times / 0.07))


def clap() -> Wave:
    """A short hand clap: three bursts within 20 ms."""
    times = seconds(0.26)
    bursts = sum(np.exp(-np.maximum(times - at, 0) / 0.006) * (times >= at) for at in (0.0, 0.009, 0.018))
    return filtered(noise(0.26), low=900, high=5200) * (0.7 * bursts + np.exp(-times / 0.07))


def hat(decay: float) -> Wave:
    """A hi-hat; decay: 0.02 s closed to 0.12 s open."""
    times = seconds(4 * decay)
    return filtered(noise(4 * decay), low=7000, order=3) * np.exp(-times / decay)


def crash() -> Wave:
    """A cymbal that rings for two seconds."""
    times = seconds(2.4)
    return filtered(noise(2.4), low=3500) * (0.6 * np.exp(-times / 0.5) + 0.4 * np.exp(-times / 0.08))


def tom(midi: float) -> Wave:
    """A tuned drum."""
    times = seconds(0.3)
    pitch = hertz(midi) * (1 + 0.6 * np.exp(-times / 0.03))
    return (
        np.sin(2 * np.pi * np.cumsum(pitch) / RATE)
        * np.exp(-times / 0.1)
        * np.minimum((0.3 - times) / 0.02, 1)
    )


def bass(midi: float, length: float, bright: float = 900.0) -> Wave:
    """A plucked saw over a sine an octave below it."""
    frequency = hertz(midi)
    tone = 0.6 * oscillator("saw", frequency, length, bright) + 0.8 * oscillator(
        "sine", frequency / 2, length
    )
    snap = oscillator("saw", frequency, length, 3500) * np.exp(-seconds(length) / 0.03)
    return (tone + 0.3 * snap) * envelope(length, 0.003, 0.18, 0.65, min(0.03, length / 2))


def keys(midi: float, length: float) -> Wave:
    """An electric piano: one sine bends the phase of another."""
    times = seconds(length + 0.35)
    frequency = hertz(midi)
    bell = np.sin(2 * np.pi * 3 * frequency * times) * np.exp(-times / 0.12)
    tone = np.sin(2 * np.pi * frequency * times + 1.4 * bell) + 0.25 * np.sin(4 * np.pi * frequency * times)
    return tone * envelope(length + 0.35, 0.003, 0.5, 0.25, 0.3)


def pluck(midi: float, length: float, bright: float) -> Wave:
    """A short square note that loses its edge as it fades."""
    times = seconds(length + 0.15)
    frequency = hertz(midi)
    sharp = oscillator("square", frequency, length + 0.15, bright) * np.exp(-times / 0.05)
    round_ = oscillator("square", frequency, length + 0.15, 1800) * np.exp(-times / 0.16)
    return (
        (sharp + 0.7 * round_) * np.minimum(times / 0.002, 1) * np.clip((length + 0.15 - times) / 0.05, 0, 1)
    )


def lead(midi: float, length: float) -> Wave:
    """Two detuned saws and a square, with vibrato on long notes; returns (2, n)."""
    times = seconds(length)
    sway = 1 + 0.005 * np.sin(2 * np.pi * 5.6 * times) * np.clip((times - 0.22) / 0.2, 0, 1)
    sides = [
        oscillator("saw", hertz(midi + cents / 100) * sway, length, 8500, phase)
        for cents, phase in ((-7, 0.0), (7, 0.37))
    ]
    centre = 0.8 * oscillator("square", hertz(midi) * sway, length, 6000)
    return np.stack([side + centre for side in sides]) * envelope(
        length, 0.004, 0.15, 0.7, min(0.05, length / 3)
    )


def pad(chord: list[int], length: float, bright: float) -> Wave:
    """A wide chord of five detuned saws a note; returns (2, n)."""
    sound = np.zeros((2, round(length * RATE)))
    for note in chord:
        for number, cents in enumerate((-13, -6, 0, 6, 13)):
            voice = oscillator(
                "saw", hertz(note + cents / 100), length, bright, phase=0.61 * number + 0.17 * note
            )
            right = 0.5 + 0.4 * (-1) ** number * abs(cents) / 13
            sound += voice * np.array([[1 - right], [right]])
    return sound * envelope(length, 0.012, 1.0, 0.85, min(0.08, length / 2)) / len(chord)


def riser(length: float) -> Wave:
    """Noise that climbs from 300 Hz to 8 kHz and swells; returns (2, n)."""
    times = seconds(length)
    carrier = np.sin(2 * np.pi * np.cumsum(300 * (8000 / 300) ** (times / length)) / RATE)
    breath = filtered(noise(length), high=400)
    return np.stack([carrier * breath, carrier * np.roll(breath, 700)]) * (times / length) ** 2


def ducking(drum: Wave, recover: float) -> Wave:
    """A gain that dips to a third at each stroke of the kick and recovers within so many seconds."""
    strokes = np.flatnonzero(np.diff((np.abs(drum) > 0.02).astype(int), prepend=0) == 1)
    gain = np.ones(len(drum))
    last = -RATE
    for stroke in strokes:
        if stroke - last > 0.15 * RATE:
            last = stroke
            length = min(len(drum) - stroke, round(recover * RATE))
            recovery = 0.33 + 0.67 * (np.arange(length) / (recover * RATE)) ** 0.8
            gain[stroke : stroke + length] = np.minimum(gain[stroke : stroke + length], recovery)
    return gain


def room(sound: Wave, length: float = 1.6) -> Wave:
    """The echo of a hall alone, for (2, n): fading noise, darker as it fades."""
    times = seconds(length)
    tail = np.stack([noise(length), noise(length)]) * np.exp(-times / (length / 5))
    tail = filtered(tail, low=250, high=4500, order=1)
    tail[:, : round(0.012 * RATE)] = 0.0  # the first wall is four metres away
    tail /= np.sqrt(np.square(tail).sum(axis=1, keepdims=True))
    size = 1 << (sound.shape[1] + tail.shape[1]).bit_length()
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)[:, : sound.shape[1]]
