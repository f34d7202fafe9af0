"""Mel front ends against slow, literal definitions."""

from __future__ import annotations

import math

import numpy as np

from mapperatorinator.audio.mel import BANDS, HOP, log_mel


def naive_log_mel(samples: np.ndarray) -> np.ndarray:
    """Our front end, written from its definition with a plain discrete Fourier transform."""
    padded = np.concatenate([np.zeros(512), samples, np.zeros(512)])
    window = [0.5 - 0.5 * math.cos(2 * math.pi * k / 1024) for k in range(1024)]
    transform = np.exp(-2j * np.pi * np.outer(np.arange(1024), np.arange(513)) / 1024)
    mels = [2595 * math.log10(1 + 30 / 700) + i * (mel_of(8000) - mel_of(30)) / 65 for i in range(66)]
    corners = [700 * (10 ** (mel / 2595) - 1) for mel in mels]
    filters = np.zeros((513, 64))
    for band in range(64):
        low, centre, high = corners[band : band + 3]
        for k in range(513):
            hz = k * 16000 / 1024
            if low < hz <= centre:
                filters[k, band] = (hz - low) / (centre - low)
            elif centre < hz < high:
                filters[k, band] = (high - hz) / (high - centre)
    rows = []
    for frame in range(1 + len(samples) // 160):
        power = np.abs((padded[frame * 160 : frame * 160 + 1024] * window) @ transform) ** 2
        rows.append(np.log(1e-5 + power @ filters))
    return np.array(rows)


def mel_of(hz: float) -> float:
    return 2595 * math.log10(1 + hz / 700)


def test_log_mel_is_its_definition():
    rng = np.random.default_rng(0)
    samples = (0.2 * rng.standard_normal(5000)).astype(np.float32)
    samples[1000:3000] *= 0.001
    np.testing.assert_allclose(log_mel(samples), naive_log_mel(samples), atol=2e-4)


def test_log_mel_shape_and_silence():
    for length in (1, 159, 160, 512, 16000):
        mel = log_mel(np.zeros(length, np.float32))
        assert mel.shape == (1 + length // HOP, BANDS)
        assert mel.dtype == np.float32
        np.testing.assert_allclose(mel, math.log(1e-5), rtol=1e-6)


def test_frame_times_are_centred():
    samples = np.zeros(16000, np.float32)
    samples[8000] = 1.0
    assert int(log_mel(samples).sum(axis=1).argmax()) == 50
