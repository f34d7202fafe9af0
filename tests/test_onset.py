"""The onset curve: silence, clicks, notes in noise, loudness."""

from __future__ import annotations

import numpy as np
import pytest
from media import CLICKS, click_track

from mapperatorinator.audio.onset import onset_strength, strong_onsets


def notes_in_noise(times: np.ndarray, seconds: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    samples = 0.005 * rng.standard_normal(int(16000 * seconds))
    sound = np.arange(2400) / 16000
    for time in times:
        at = round(time * 16000)
        pitch = rng.uniform(150, 2000)
        samples[at : at + 2400] += (
            rng.uniform(0.15, 0.4)
            * np.exp(-sound / 0.05)
            * np.sin(2 * np.pi * pitch * sound)
            * np.minimum(sound / 0.002, 1)
        )
    return samples.astype(np.float32)


def test_silence_has_no_onsets():
    strength = onset_strength(np.zeros(16000, np.float32))
    assert strength.shape == (101,)
    assert strength.dtype == np.float32
    assert not strength.any()
    assert len(strong_onsets(strength)) == 0
    assert len(strong_onsets(onset_strength(np.zeros(0, np.float32)))) == 0


def test_a_steady_tone_starts_once():
    tone = np.sin(2 * np.pi * 440 * np.arange(48000) / 16000).astype(np.float32)
    fade = np.linspace(0.3, 0, 48000, dtype=np.float32)
    samples = np.concatenate([np.zeros(16000, np.float32), fade * tone])
    onsets = strong_onsets(onset_strength(samples))
    assert len(onsets) == 1
    assert onsets[0] == pytest.approx(1000, abs=8)


def test_clicks_are_found_in_place():
    onsets = strong_onsets(onset_strength(click_track(16000)))
    np.testing.assert_allclose(onsets, CLICKS * 1000, atol=6)


def test_notes_in_noise():
    times = np.sort(np.random.default_rng(3).uniform(0.5, 40, 90))
    times = times[np.insert(np.diff(times) > 0.12, 0, True)]
    onsets = strong_onsets(onset_strength(notes_in_noise(times, 41)))
    errors = np.array([onsets[np.abs(onsets - 1000 * time).argmin()] - 1000 * time for time in times])
    assert np.mean(np.abs(errors) < 15) > 0.9
    assert abs(np.median(errors)) < 3
    assert len(onsets) < 2 * len(times)


def test_loudness_does_not_matter():
    samples = notes_in_noise(np.arange(1, 9) * 0.5, 5)
    np.testing.assert_allclose(onset_strength(samples), onset_strength(0.05 * samples), rtol=1e-3, atol=1e-4)
