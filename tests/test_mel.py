"""Mel front ends against slow, literal definitions."""

from __future__ import annotations

import hashlib
import json
import math
import time

import numpy as np
import pytest
import sequences
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from mapperatorinator.audio.mel import BANDS, HOP, log_mel
from mapperatorinator.audio.published import load_published, mel_nnaudio, mel_torchaudio, published_mono


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


def test_three_minutes_are_quick():
    samples = np.random.default_rng(0).standard_normal(3 * 60 * 16000).astype(np.float32)
    start = time.process_time()
    log_mel(samples)
    assert time.process_time() - start < 0.6


LOADED = sequences.part("audio/index.json").get("files", {})


@pytest.mark.parametrize("name", list(LOADED))
@pytest.mark.parametrize("speed", [1.0, 1.25])
@pytest.mark.compat
def test_published_loading_is_exact(fixtures_dir, name, speed):
    expected = LOADED[name]
    if speed != 1.0:
        expected = expected["speed_1_25"]
    samples = load_published(fixtures_dir / "audio" / name, speed)
    assert len(samples) == expected["samples"]
    assert hashlib.sha256(samples.astype("<f4").tobytes()).hexdigest() == expected["sha256_float32_le"]


@pytest.mark.parametrize("family", sequences.families())
@pytest.mark.compat
def test_published_spectrograms(fixtures_dir, family):
    facts = json.loads((fixtures_dir / "checkpoints" / "index.json").read_text())["families"][family]
    expected = np.load(fixtures_dir / "checkpoints" / family / "expected.npz")
    song = load_published(fixtures_dir / "audio" / "clip.flac")
    bands = expected["mel_window0"].shape[1]
    for number, frames in enumerate([expected["mel_frame_index"], expected["mel_window1_frame_index"]]):
        start = facts["window_starts_samples"][number]
        window = song[start : start + facts["samples_per_window"]]
        window = np.pad(window, (0, facts["samples_per_window"] - len(window)))
        mel = mel_nnaudio(window) if family == "v29" else mel_torchaudio(window, bands)
        np.testing.assert_allclose(mel[frames], expected[f"mel_window{number}"], rtol=1e-5, atol=2e-4)
        np.testing.assert_allclose(
            mel.sum(axis=1), expected["mel_sum_over_mels"][number], rtol=1e-4, atol=1e-2
        )
        np.testing.assert_allclose(
            mel.sum(axis=0), expected["mel_sum_over_time"][number], rtol=1e-4, atol=1e-2
        )


@pytest.mark.compat
def test_a_checkpoints_own_filters_give_its_own_numbers(fixtures_dir):
    tensors = load_file(fixtures_dir / "checkpoints" / "v32" / "model.safetensors")
    filters = tensors["spectrogram.transform.mel_scale.fb"]
    expected = np.load(fixtures_dir / "checkpoints" / "v32" / "expected.npz")
    window = load_published(fixtures_dir / "audio" / "clip.flac")[: 2047 * 128]
    mel = mel_torchaudio(window, 128, filters)
    np.testing.assert_allclose(mel[expected["mel_frame_index"]], expected["mel_window0"], atol=1e-5)


def literal_ratecv(samples: list[int], rate: int, bits: int) -> list[int]:
    """Resampling to 16 kHz sample by sample, as a running phase."""
    step = math.gcd(rate, 16000)
    rate, target = rate // step, 16000 // step
    phase, before, now, result = -target, 0, 0, []
    for sample in samples:
        before, now = now, sample << (32 - bits)
        phase += target
        while phase >= 0:
            result.append(int((before * float(phase) + now * float(target - phase)) / target) >> (32 - bits))
            phase -= rate
    return result


@given(
    st.lists(st.integers(-32768, 32767), min_size=1, max_size=60),
    st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 55125]),
)
def test_published_resampling(samples, rate):
    channel = np.array([samples], np.float32) / 32768
    expected = samples if rate == 16000 else literal_ratecv(samples, rate, 16)
    assert published_mono(channel, rate).tolist() == expected


def test_published_mixing_rounds_down():
    channels = np.array([[3, -3, 32767], [2, -2, 32767]], np.float32) / 32768
    assert published_mono(channels, 16000).tolist() == [2, -3, 32767]
    three = np.array([[5], [5], [-1]], np.float32) / 32768
    assert published_mono(three, 16000).tolist() == [1 + 1 - 1]
