"""One-shots for songs rendered by us: numpy voices, and those of a General MIDI soundfont where one is given.

Contract: a voice is a function (MIDI pitch, seconds, velocity 0..1) -> float32 samples at 16 kHz whose sound
begins at sample 0; drums ignore the pitch and the length.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 16000
Samples = NDArray[np.float32]
Voice = Callable[[int, float, float], Samples]

# General MIDI programs by the part they play, and drum keys by name.
PROGRAMS = {
    "bass": [*range(32, 40), 43, 58],
    "chords": [*range(0, 8), *range(16, 32), *range(48, 52), 46, 61, 62],
    "pad": [*range(48, 53), *range(88, 96), 19, 20],
    "lead": [*range(80, 88), *range(56, 76), 40, 22, 11, 13, 27, 30, 0, 4, 104, 107],
}
DRUM_KEYS = {
    "kick": [35, 36], "snare": [38, 40], "clap": [39], "rim": [37], "hat": [42, 44], "open": [46], "ride": [51, 59],
    "crash": [49, 57], "tom": [45, 47, 48, 50], "shaker": [70, 54, 69], "cowbell": [56],
}  # fmt: skip


def tone(
    pitch: float, seconds: float, velocity: float, shape: NDArray[np.float64], attack: float, fade: float, bright: float
) -> Samples:
    """A sum of harmonics; `shape` holds their amplitudes, `attack` is in s, `fade` the rate of decay in 1/s,
    `bright` how much faster each higher harmonic fades."""
    frequency = 440.0 * 2 ** ((pitch - 69) / 12)
    time = np.arange(int((seconds + 0.08) * RATE)) / RATE
    count = max(1, min(len(shape), int(7500 / frequency)))
    sound = np.zeros(len(time))
    for index in range(count):
        harmonic = index + 1
        level = np.exp(-time * (fade + bright * index)) if fade + bright else 1.0
        sound += shape[index] * level * np.sin(2 * np.pi * frequency * harmonic * time + index * 1.7)
    sound *= np.minimum(1.0, time / max(attack, 1e-3)) * np.clip((seconds + 0.08 - time) / 0.08, 0, 1)
    return (0.25 * velocity * sound / np.sqrt(np.sum(shape[:count] ** 2))).astype(np.float32)


def noise(rng: np.random.Generator, seconds: float, fade: float, low: float, high: float, attack: float = 0) -> Samples:
    """A burst of noise between two frequencies (Hz) that fades at a rate (1/s)."""
    count = int(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequencies = np.fft.rfftfreq(count, 1 / RATE)
    spectrum *= 1 / (1 + (low / np.maximum(frequencies, 1)) ** 4) / (1 + (frequencies / high) ** 4)
    sound = np.fft.irfft(spectrum, count)
    time = np.arange(count) / RATE
    envelope = np.exp(-fade * time) * (np.minimum(1, time / attack) if attack else 1)
    return (sound * envelope / (np.abs(sound).max() + 1e-9)).astype(np.float32)


def sweep(start: float, end: float, speed: float, fade: float, seconds: float) -> Samples:
    """A sine whose frequency falls from `start` to `end` Hz, as of a drum skin."""
    time = np.arange(int(seconds * RATE)) / RATE
    frequency = end + (start - end) * np.exp(-speed * time)
    return (np.sin(2 * np.pi * np.cumsum(frequency) / RATE) * np.exp(-fade * time)).astype(np.float32)


def synth_drums(rng: np.random.Generator) -> dict[str, Voice]:
    """A kit of synthetic drums, different for every random state."""
    kick = sweep(rng.uniform(100, 320), rng.uniform(38, 62), rng.uniform(18, 60), rng.uniform(6, 18), 0.4)
    click = noise(rng, 0.02, 250, 1000, 7000) * rng.uniform(0, 0.6)
    kick[: len(click)] += click
    skin = sweep(rng.uniform(220, 330), rng.uniform(140, 210), 40, rng.uniform(12, 30), 0.25)
    snare = noise(rng, 0.25, rng.uniform(10, 28), rng.uniform(200, 1500), rng.uniform(4000, 9000))
    snare = snare * rng.uniform(0.5, 1) + skin * rng.uniform(0, 0.7)
    clap = np.zeros(int(0.3 * RATE), np.float32)
    for delay in (0.0, 0.009, 0.018):
        burst = noise(rng, 0.2, rng.uniform(18, 30), 700, 4000)
        clap[int(delay * RATE) : int(delay * RATE) + len(burst)] += burst * 0.6
    floor = rng.uniform(2500, 6000)
    sounds = {
        "kick": kick, "snare": snare, "clap": clap,
        "rim": noise(rng, 0.05, 120, 1200, 5000) * 0.6,
        "hat": noise(rng, 0.1, rng.uniform(40, 120), floor, 9000) * 0.4,
        "open": noise(rng, 0.4, rng.uniform(8, 16), floor, 9000) * 0.4,
        "ride": noise(rng, 0.6, rng.uniform(5, 10), 3500, 9000) * 0.3,
        "crash": noise(rng, 1.6, rng.uniform(2, 4), 1500, 9000) * 0.6,
        "tom": sweep(rng.uniform(150, 260), rng.uniform(80, 130), 20, 9, 0.4),
        "shaker": noise(rng, 0.12, 30, 4000, 9000, attack=0.015) * 0.3,
        "cowbell": tone(76, 0.2, 1.0, np.array([1.0, 0.7, 0.2]), 0, 18, 4),
    }  # fmt: skip
    return {name: _fixed(sound) for name, sound in sounds.items()}


def _fixed(sound: Samples) -> Voice:
    return lambda pitch, seconds, velocity: sound * np.float32(velocity)


def synth_voice(rng: np.random.Generator, part: str) -> Voice:
    """A synthetic instrument for a part: "bass", "chords", "pad" or "lead"."""
    number = np.arange(1, 25)
    shape = [
        1.0 / number, (number % 2) / number, 1.0 / number**2, rng.uniform(0, 1, 24) / number, np.exp(-number / 2.0)
    ][rng.integers(5)]  # fmt: skip
    plucked = part != "pad" and rng.random() < 0.6
    fade = rng.uniform(1.5, 7) if plucked else 0.0
    bright = rng.uniform(0.3, 2) if plucked else 0.0
    attack = rng.uniform(0.06, 0.25) if part == "pad" else rng.choice([0.001, 0.005, 0.02, 0.05])
    drive = rng.uniform(2, 8) if rng.random() < 0.2 else 0.0

    def play(pitch: int, seconds: float, velocity: float) -> Samples:
        sound = tone(pitch, seconds, velocity, shape, attack, fade, bright)
        return np.tanh(drive * sound).astype(np.float32) * 0.4 if drive else sound

    return play


class SoundFont:
    """The voices of a General MIDI soundfont, played by `tinysoundfont` (an optional package)."""

    def __init__(self, path: Path) -> None:
        import tinysoundfont

        self.synth: Any = tinysoundfont.Synth(samplerate=RATE, gain=0)
        self.font = self.synth.sfload(str(path))

    def voice(self, rng: np.random.Generator, part: str) -> Voice:
        """A random instrument that suits a part."""
        return self._player(int(rng.choice(PROGRAMS[part])), None)

    def drums(self, rng: np.random.Generator) -> dict[str, Voice]:
        """A kit with a random choice among the keys for each drum."""
        kit = int(rng.choice([0, 0, 0, 8, 16, 24, 25, 40]))
        return {name: self._player(kit, int(rng.choice(keys))) for name, keys in DRUM_KEYS.items()}

    def _player(self, program: int, key: int | None) -> Voice:
        channel = 9 if key is not None else 0

        def play(pitch: int, seconds: float, velocity: float) -> Samples:
            synth = self.synth
            synth.sounds_off()
            synth.generate(64)
            if key is not None:
                synth.program_select(channel, self.font, 128, program, True)
            else:
                synth.program_select(channel, self.font, 0, program)
            synth.noteon(channel, pitch if key is None else key, int(20 + 107 * velocity))
            sound = self._take(max(seconds, 0.4 if key is not None else 0.05))
            synth.noteoff(channel, pitch if key is None else key)
            return np.concatenate([sound, self._take(0.25)])

        return play

    def _take(self, seconds: float) -> Samples:
        stereo = np.frombuffer(bytes(self.synth.generate(int(seconds * RATE))), np.float32)
        return stereo.reshape(-1, 2).mean(axis=1)
