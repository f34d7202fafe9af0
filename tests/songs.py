"""Songs for tests that need some sound of a known tempo and nothing from outside the repository."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

RATE = 16_000


def click_track(path: Path, seconds: float = 40.0, bpm: float = 120.0, offset_ms: float = 100.0) -> Path:
    """Write a mono wav with a click on every beat, the first of four louder, and return its path."""
    samples = np.zeros(round(seconds * RATE), np.float32)
    time = np.arange(round(0.05 * RATE)) / RATE
    click = np.exp(-time * 80) * np.sin(2 * np.pi * 1000 * time)
    for number, beat in enumerate(np.arange(offset_ms / 1000, seconds - 0.1, 60 / bpm)):
        start = round(beat * RATE)
        samples[start : start + len(click)] += click * (0.9 if number % 4 == 0 else 0.5)
    return write_wav(path, samples)


def silence(path: Path, seconds: float = 40.0) -> Path:
    """Write a silent wav and return its path."""
    return write_wav(path, np.zeros(round(seconds * RATE), np.float32))


def write_wav(path: Path, samples: np.ndarray) -> Path:
    """Write (n,) samples within ±1 as 16 bit mono and return the path."""
    with open(path, "wb") as file, wave.open(file) as wav:
        wav.setparams((1, 2, RATE, 0, "NONE", ""))
        wav.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path
