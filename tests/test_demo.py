"""The demo song: what its facts promise is what it sounds like."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mapperatorinator.audio import Audio, load_audio, onset_strength, strong_onsets
from mapperatorinator.audio.source import Sound, open_media
from mapperatorinator.demo import demo_song


@pytest.fixture(scope="module")
def audio() -> Audio:
    return load_audio(demo_song())


@pytest.fixture(scope="module")
def facts() -> dict:
    return json.loads(demo_song().with_suffix(".json").read_text(encoding="utf-8"))


def test_small_enough_to_ship():
    assert demo_song().stat().st_size < 900_000
    assert "CC0" in demo_song().with_name("README.md").read_text(encoding="utf-8")


def test_length_and_names(audio, facts):
    assert 50_000 < audio.duration_ms < 60_000
    assert audio.duration_ms == pytest.approx(facts["duration_ms"], abs=60)
    assert (audio.tags.title, audio.tags.artist) == (facts["title"], facts["artist"])


def test_the_first_sound_is_the_first_beat(audio, facts):
    loud = np.flatnonzero(np.abs(audio.samples) > 0.01)
    assert 1000 * loud[0] / audio.sample_rate == pytest.approx(facts["offset_ms"], abs=5)


def test_onsets_lie_on_the_beat_grid(audio, facts):
    onsets = strong_onsets(onset_strength(audio.samples))
    assert len(onsets) > 150
    sixteenth = 60_000 / facts["bpm"] / 4
    steps = (onsets - facts["offset_ms"]) / sixteenth
    errors = (steps - np.round(steps)) * sixteenth
    assert np.mean(np.abs(errors) < 12) > 0.95
    assert abs(np.median(errors)) < 5


def test_sections_differ_and_nothing_clips(facts):
    with open_media(demo_song()) as media:
        sound = Sound(media, demo_song())
        samples = np.concatenate(list(sound.blocks()), axis=1)
    assert np.abs(samples).max() < 1.0
    decibels = {
        name: 10
        * np.log10(np.mean(np.square(samples[:, sound.rate * start // 1000 : sound.rate * end // 1000])))
        for name, (start, end) in facts["sections_ms"].items()
    }
    assert max(decibels, key=lambda name: decibels[name]) == "chorus"
    assert decibels["intro"] < decibels["verse"] - 3
    assert -16 < decibels["chorus"] < -11
    spectrum = np.square(np.abs(np.fft.rfft(samples.mean(axis=0))))
    hertz = np.fft.rfftfreq(samples.shape[1], 1 / sound.rate)
    for low, high in [(40, 150), (150, 1000), (1000, 5000), (5000, 15000)]:  # no part of the range is empty
        assert spectrum[(hertz >= low) & (hertz < high)].sum() > 0.003 * spectrum.sum()
