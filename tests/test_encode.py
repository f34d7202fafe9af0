"""The song of a beatmap set: what is passed on as it is, and what is encoded, stays in time."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from media import click_track, lag_ms, write_media

from mapperatorinator.audio import load_audio
from mapperatorinator.audio.encode import _sides, game_song
from mapperatorinator.audio.mp3 import read_beginning
from mapperatorinator.errors import UserError


def lag_of(folder: Path, song: tuple[str, bytes]) -> float:
    name, content = song
    path = folder / "out" / name
    path.parent.mkdir()
    path.write_bytes(content)
    return lag_ms(load_audio(path).samples, click_track(16000), 16000)


@pytest.mark.parametrize(("ending", "codec"), [("mp3", "libmp3lame"), ("ogg", "vorbis")])
def test_playable_files_are_passed_on_untouched(tmp_path, ending, codec):
    path = write_media(tmp_path / f"song.{ending}", click_track(44100), 44100, codec, ending)
    assert game_song(path) == (path.name, path.read_bytes())


def test_endings_tell_the_truth(tmp_path):
    path = write_media(tmp_path / "song.wav", click_track(44100), 44100, "libmp3lame", "mp3")
    assert game_song(path) == ("song.mp3", path.read_bytes())
    opus = write_media(tmp_path / "opus.ogg", click_track(48000), 48000, "libopus", "ogg")
    assert game_song(opus)[0] == "opus.mp3"


@pytest.mark.parametrize(
    ("ending", "container", "codec", "rate"),
    [
        ("flac", "flac", "flac", 44100),
        ("flac", "flac", "flac", 96000),
        ("wav", "wav", "pcm_s16le", 22050),
        ("opus", "ogg", "libopus", 48000),
        ("m4a", "ipod", "aac", 44100),
        ("webm", "webm", "libopus", 48000),
    ],
)
def test_other_files_are_encoded_in_time(tmp_path, ending, container, codec, rate):
    path = write_media(tmp_path / f"song.{ending}", click_track(rate), rate, codec, container)
    name, content = game_song(path)
    assert name == "song.mp3"
    assert abs(lag_of(tmp_path, (name, content))) <= 0.3
    beginning = read_beginning(tmp_path / "out" / name)
    assert beginning.counted
    assert beginning.start > 0.02  # the tag that makes the game leave the encoder's delay out
    with av.open(io.BytesIO(content)) as media:
        assert media.streams.audio[0].bit_rate == 192_000
        assert not media.streams.video


def test_sound_of_a_video(tmp_path):
    path = write_media(tmp_path / "film.mp4", click_track(44100), 44100, "aac", "mp4", video=True)
    assert abs(lag_of(tmp_path, game_song(path))) <= 0.3


def test_mp3_in_another_container_is_not_passed_on(tmp_path):
    path = write_media(tmp_path / "song.mkv", click_track(44100), 44100, "libmp3lame", "matroska")
    assert game_song(path)[0] == "song.mp3"
    assert abs(lag_of(tmp_path, game_song(path))) <= 0.3


def test_same_song_same_bytes(tmp_path):
    path = write_media(tmp_path / "song.flac", click_track(44100), 44100, "flac", "flac")
    assert game_song(path) == game_song(path)


def test_mono_stays_mono_within_the_criteria(tmp_path):
    path = write_media(tmp_path / "song.flac", click_track(44100), 44100, "flac", "flac", channels=1)
    with av.open(io.BytesIO(game_song(path)[1])) as media:
        assert media.streams.audio[0].channels == 1
        assert media.streams.audio[0].bit_rate == 128_000


def test_loud_files_do_not_wrap_around(tmp_path):
    path = tmp_path / "loud.wav"
    times = np.arange(2 * 44100) / 44100
    write_media(path, (1.6 * np.sin(2 * np.pi * 220 * times)).astype(np.float32), 44100, "pcm_f32le", "wav")
    out = tmp_path / "loud.mp3"
    out.write_bytes(game_song(path)[1])
    samples = load_audio(out).samples
    assert 0.9 < np.abs(samples).max() < 1.4
    spectrum = np.abs(np.fft.rfft(samples))
    assert spectrum.argmax() * 16000 / len(samples) == pytest.approx(220, abs=1)


def test_surround_becomes_two_sides(tmp_path):
    sides = _sides(("FL", "FR", "FC", "LFE", "BL", "BR"))
    assert sides.shape == (2, 6)
    np.testing.assert_allclose(sides.sum(axis=1), 1.0, rtol=1e-6)
    assert sides[0, 1] == sides[1, 0] == sides[0, 3] == 0
    path = tmp_path / "surround.wav"
    left = (click_track(44100) * 30000).astype("<i2")
    channels = [left] + [np.zeros_like(left)] * 5
    with wave.open(str(path), "wb") as file:
        file.setnchannels(6)
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(np.stack(channels, axis=1).tobytes())
    assert game_song(path)[0] == "surround.mp3"
    assert abs(lag_of(tmp_path, game_song(path))) <= 0.3


def test_no_song(tmp_path):
    (tmp_path / "words.flac").write_text("words " * 500)
    with pytest.raises(UserError):
        game_song(tmp_path / "words.flac")
