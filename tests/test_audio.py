"""Decoding: alignment in every codec, damage, bad input, odd paths."""

from __future__ import annotations

import contextlib
import tracemalloc
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media import click_track, lag_ms, write_media

from mapperatorinator.audio import Audio, is_silent, load_audio
from mapperatorinator.audio.mp3 import DECODER_DELAY, read_beginning
from mapperatorinator.errors import UserError

FORMATS = [  # ending, container, codec, rate
    ("mp3", "mp3", "libmp3lame", 44100),
    ("mp3", "mp3", "libmp3lame", 48000),
    ("mp3", "mp3", "libmp3lame", 22050),
    ("ogg", "ogg", "vorbis", 44100),
    ("opus", "ogg", "libopus", 48000),
    ("flac", "flac", "flac", 44100),
    ("flac", "flac", "flac", 96000),
    ("wav", "wav", "pcm_s16le", 44100),
    ("wav", "wav", "pcm_u8", 22050),
    ("wav", "wav", "pcm_s24le", 48000),
    ("wav", "wav", "pcm_f32le", 44100),
    ("aiff", "aiff", "pcm_s16be", 44100),
    ("m4a", "ipod", "aac", 44100),
    ("m4a", "ipod", "alac", 44100),
    ("mp4", "mp4", "aac", 48000),
    ("mkv", "matroska", "aac", 44100),
    ("mkv", "matroska", "libmp3lame", 44100),
    ("mka", "matroska", "flac", 44100),
    ("webm", "webm", "libopus", 48000),
    ("avi", "avi", "pcm_s16le", 44100),
    ("mov", "mov", "aac", 44100),
]


def reference(rate: int = 16000) -> np.ndarray:
    return click_track(rate)


@pytest.mark.parametrize(("ending", "container", "codec", "rate"), FORMATS)
def test_clicks_stay_in_place(tmp_path, ending, container, codec, rate):
    path = write_media(tmp_path / f"clicks.{ending}", click_track(rate), rate, codec, container)
    audio = load_audio(path)
    assert abs(lag_ms(audio.samples, reference(), 16000)) <= 0.3
    assert audio.samples.dtype == np.float32
    assert audio.sample_rate == 16000
    assert audio.duration_ms == pytest.approx(3400, abs=60)
    assert 0.25 < np.abs(audio.samples).max() < 0.9


@pytest.mark.parametrize(
    ("ending", "container", "codec"),
    [
        ("mp4", "mp4", "aac"),
        ("mkv", "matroska", "libopus"),
        ("webm", "matroska", "libopus"),
        ("ts", "mpegts", "mp2"),
    ],
)
@pytest.mark.parametrize("delay", [0.0, 0.25])
def test_video_containers_keep_sound_and_picture_together(tmp_path, ending, container, codec, delay):
    path = write_media(
        tmp_path / f"film.{ending}", click_track(48000), 48000, codec, container, video=True, delay=delay
    )
    lag = lag_ms(load_audio(path).samples, reference(), 16000)
    # mp2 has no field for its encoder's delay of 481 samples
    assert abs(lag - 1000 * delay) <= (12 if codec == "mp2" else 1)


def test_any_rate_and_channel_count(tmp_path):
    path = write_media(
        tmp_path / "mono.ogg", click_track(48000), 48000, "libopus", "ogg", channels=1, bit_rate=64000
    )
    audio = load_audio(path, sample_rate=22050)
    assert audio.sample_rate == 22050
    assert abs(lag_ms(audio.samples, click_track(22050), 22050)) <= 0.3


def test_channels_are_averaged(tmp_path):
    path = tmp_path / "left.wav"
    left = (click_track(44100) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(np.stack([left, np.zeros_like(left)], axis=1).tobytes())
    assert np.abs(load_audio(path, 44100).samples - left / 65536).max() < 1e-3


def strip_first_frame(data: bytes) -> bytes:
    """An mp3 without its Info frame, as old encoders write it."""
    frame = data.index(b"Info")
    following = data.index(b"\xff\xfb", frame)
    return data[following:]


def test_mp3_without_a_tag_keeps_the_delay_that_the_game_plays(tmp_path):
    tagged = write_media(tmp_path / "tagged.mp3", click_track(44100), 44100, "libmp3lame", "mp3")
    bare = tmp_path / "bare.mp3"
    bare.write_bytes(strip_first_frame(tagged.read_bytes()))
    assert read_beginning(tagged).start == pytest.approx(1105 / 44100)
    assert read_beginning(bare).start == 0.0
    lag = lag_ms(load_audio(bare).samples, reference(), 16000)
    assert lag == pytest.approx(1000 * 1105 / 44100, abs=0.3)


@pytest.mark.parametrize(
    ("encoder", "delay", "expected"),
    [
        (b"LAME3.100", 576, 576 + DECODER_DELAY),
        (b"GOGO3.13b", 576, 576 + DECODER_DELAY),
        (b"LAME3.100", 1200, 1200 + DECODER_DELAY),
        (b"\0\0\0\0\0\0\0\0\0", 576, 0),
    ],
)
def test_mp3_delay_follows_the_tag(tmp_path, encoder, delay, expected):
    path = write_media(tmp_path / "song.mp3", click_track(44100), 44100, "libmp3lame", "mp3")
    data = bytearray(path.read_bytes())
    at = data.index(b"Info") + 120
    data[at : at + 9] = encoder
    data[at + 21 : at + 24] = (delay << 12 | 300).to_bytes(3, "big")
    path.write_bytes(bytes(data))
    assert round(read_beginning(path).start * 44100) == expected
    lag = lag_ms(load_audio(path).samples, reference(), 16000)
    assert lag == pytest.approx(1000 * (1105 - expected) / 44100, abs=0.3)


def test_mp3_start_survives_large_cover_and_junk(tmp_path):
    path = write_media(tmp_path / "song.mp3", click_track(44100), 44100, "libmp3lame", "mp3")
    song = path.read_bytes()
    sound = song[song.index(b"\xff\xfb") :]
    size = 1_500_000
    id3 = b"ID3\x04\0\0" + bytes([size >> 21, size >> 14 & 127, size >> 7 & 127, size & 127]) + bytes(size)
    path.write_bytes(id3 + b"junk\xff\xfb\x90\0junk" + sound)
    assert read_beginning(path).start == pytest.approx(1105 / 44100)
    assert start_of_bytes(tmp_path, b"\xff" * 5000) == 0.0


def start_of_bytes(folder: Path, data: bytes) -> float:
    path = folder / "data.mp3"
    path.write_bytes(data)
    return read_beginning(path).start


def test_fhg_tag_counts_as_a_frame_of_sound(tmp_path):
    frame = bytearray(b"\xff\xfb\x90\0" + bytes(413))
    following = bytes(frame)
    frame[36:46] = b"VBRI\0\x01" + (576).to_bytes(2, "big") + bytes(2)
    assert round(start_of_bytes(tmp_path, bytes(frame) + following) * 44100) == 576 - 1152


@pytest.mark.parametrize(
    "name",
    [
        "it's.mp3",
        "#1 hit.mp3",
        "千本桜 (初音ミク).mp3",
        "🎵 emoji 🎶.mp3",
        "a:b%20c.mp3",
        "x" * 240 + ".mp3",
        "-f.mp3",
    ],
)
def test_any_file_name(tmp_path, monkeypatch, name):
    song = write_media(tmp_path / "song.mp3", click_track(44100), 44100, "libmp3lame", "mp3")
    path = song.rename(tmp_path / name)
    assert load_audio(path).path == path
    monkeypatch.chdir(tmp_path)
    assert len(load_audio(name).samples) > 50000


def sentence_of(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_audio(path)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


def test_bad_files_get_one_sentence(tmp_path):
    assert "does not exist" in sentence_of(tmp_path / "missing.mp3")
    assert "folder" in sentence_of(tmp_path)
    empty = tmp_path / "empty.mp3"
    empty.touch()
    assert "empty" in sentence_of(empty)
    text = tmp_path / "text.mp3"
    text.write_text("These are words, not music.\n" * 200)
    assert "not an audio file" in sentence_of(text)
    noise = tmp_path / "noise.mp3"
    noise.write_bytes(np.random.default_rng(1).bytes(100_000))
    sentence_of(noise)
    short = write_media(tmp_path / "short.wav", click_track(16000, 3.4)[:8000], 16000, "pcm_s16le", "wav")
    assert "0.5 s" in sentence_of(short)
    playlist = tmp_path / "list.mp3"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://{short}\n#EXT-X-ENDLIST\n")
    assert "not an audio file" in sentence_of(playlist)


def test_unknown_compression(tmp_path):
    path = write_media(tmp_path / "song.wav", click_track(16000), 16000, "pcm_s16le", "wav")
    data = bytearray(path.read_bytes())
    data[20:22] = b"\x99\x99"
    path.write_bytes(bytes(data))
    assert "unknown kind of compression" in sentence_of(path)


def test_float_file_with_impossible_values(tmp_path):
    path = write_media(tmp_path / "song.wav", click_track(16000), 16000, "pcm_f32le", "wav", channels=1)
    data = bytearray(path.read_bytes())
    for number, value in enumerate([np.nan, np.inf, 1e30]):
        data[20000 + 400 * number : 20004 + 400 * number] = np.float32(value).tobytes()
    path.write_bytes(bytes(data))
    samples = load_audio(path).samples
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() < 32


@pytest.fixture(scope="module")
def small_songs(tmp_path_factory) -> list[tuple[str, bytes]]:
    folder = tmp_path_factory.mktemp("songs")
    kinds = [
        ("mp3", "mp3", "libmp3lame"),
        ("ogg", "ogg", "vorbis"),
        ("m4a", "ipod", "aac"),
        ("ts", "mpegts", "aac"),
    ]
    paths = [write_media(folder / f"a.{e}", click_track(44100), 44100, codec, box) for e, box, codec in kinds]
    return [(path.suffix, path.read_bytes()) for path in paths]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.integers(0, 3),
    seed=st.integers(0, 2**32 - 1),
    bytes_changed=st.integers(1, 60),
    cut=st.booleans(),
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_bytes_never_crash(small_songs, tmp_path, kind, seed, bytes_changed, cut):
    ending, data = small_songs[kind]
    rng = np.random.default_rng(seed)
    damaged = bytearray(data[: rng.integers(1, len(data))] if cut else data)
    span = len(damaged) if seed % 2 else min(len(damaged), 400)  # headers are short and matter most
    for at in rng.integers(0, span, bytes_changed):
        damaged[at] = rng.integers(256)
    path = tmp_path / f"damaged{ending}"
    path.write_bytes(bytes(damaged))
    with contextlib.suppress(UserError):
        assert np.isfinite(load_audio(path).samples).all()


def test_video_without_sound(tmp_path):
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as media:
        stream = media.add_stream("mpeg4", rate=25, width=32, height=32, pix_fmt="yuv420p")
        media.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        media.mux(stream.encode(None))
    assert "no sound" in sentence_of(path)


def long_clicks(tmp_path: Path, ending: str, codec: str) -> Path:
    samples = np.concatenate([click_track(44100)] * 6)
    return write_media(tmp_path / f"long.{ending}", samples, 44100, codec, ending)


@pytest.mark.parametrize(("ending", "codec"), [("flac", "flac"), ("mp3", "libmp3lame")])
def test_cut_off_files(tmp_path, ending, codec):
    path = long_clicks(tmp_path, ending, codec)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 96 // 100])
    with pytest.warns(UserWarning, match="missing"):
        audio = load_audio(path)
    assert 19_000 < audio.duration_ms < 20_400
    path.write_bytes(whole[: len(whole) // 2])
    assert "missing" in sentence_of(path)


@pytest.mark.parametrize(
    ("ending", "container", "codec"),
    [("flac", "flac", "flac"), ("ogg", "ogg", "vorbis"), ("opus", "ogg", "libopus"), ("m4a", "ipod", "aac")],
)
def test_damage_inside_becomes_silence_in_place(tmp_path, ending, container, codec):
    samples = np.concatenate([click_track(48000)] * 6)
    path = write_media(tmp_path / f"song.{ending}", samples, 48000, codec, container)
    data = bytearray(path.read_bytes())
    size = 2 * len(data) // 100
    middle = len(data) // 2
    data[middle : middle + size] = np.random.default_rng(0).bytes(size)
    path.write_bytes(bytes(data))
    with pytest.warns(UserWarning, match="damaged"):
        audio = load_audio(path)
    start = 16000 * 14
    whole = np.concatenate([reference()] * 6)
    assert abs(lag_ms(audio.samples[start:], whole[start:], 16000)) <= 0.3


def test_long_songs_take_little_more_than_their_samples(tmp_path):
    path = tmp_path / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        for _ in range(6):
            file.writeframes(bytes(2 * 8000 * 60))
    tracemalloc.start()
    audio = load_audio(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert audio.duration_ms == pytest.approx(360_000)
    assert peak < 2.2 * audio.samples.nbytes
    assert is_silent(audio.samples)


def test_longer_than_two_hours_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("mapperatorinator.audio.decode.LONGEST_HOURS", 3 / 3600)
    path = write_media(tmp_path / "song.wav", click_track(44100), 44100, "pcm_s16le", "wav")
    assert "longer than" in sentence_of(path)


def test_is_silent():
    assert is_silent(np.zeros(0, np.float32))
    assert is_silent(np.full(100, 5e-4, np.float32))
    assert not is_silent(reference())


def test_audio_tells_its_length():
    assert Audio(np.zeros(8000, np.float32), 16000, None, Path("x")).duration_ms == 500  # type: ignore[arg-type]


def test_songs_of_the_corpus_decode(corpus):
    for path in sorted((corpus / "music").glob("*.*"))[:2]:
        if path.suffix != ".csv":
            audio = load_audio(path)
            assert audio.duration_ms > 60_000
            assert not is_silent(audio.samples)
