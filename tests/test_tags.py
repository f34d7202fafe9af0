"""Names and covers of songs, and their Latin spelling."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import click_track, lag_ms, write_media

from mapperatorinator.audio import load_audio
from mapperatorinator.audio.romanise import romanise
from mapperatorinator.audio.tags import read_tags, split_name
from mapperatorinator.errors import UserError

NAMES = {"title": "Café ノンストップ", "artist": "Sigur Rós", "album": "Ágætis"}


@pytest.mark.parametrize(
    ("ending", "container", "codec"),
    [
        ("mp3", "mp3", "libmp3lame"),
        ("flac", "flac", "flac"),
        ("ogg", "ogg", "vorbis"),
        ("opus", "ogg", "libopus"),
    ]
    + [("m4a", "ipod", "aac"), ("mkv", "matroska", "flac"), ("mp4", "mp4", "aac")],
)
def test_names_in_each_container(tmp_path, ending, container, codec):
    rate = 48000
    path = tmp_path / f"Somebody - Something.{ending}"
    tags = read_tags(write_media(path, click_track(rate), rate, codec, container, metadata=NAMES))
    assert tags.title_unicode == NAMES["title"]
    assert tags.artist_unicode == NAMES["artist"]
    assert tags.album == NAMES["album"]
    assert (tags.title, tags.artist) == ("Cafe Nonsutoppu", "Sigur Ros")
    assert tags.cover is None


@pytest.mark.parametrize(
    ("stem", "artist", "title"),
    [
        ("Artist - Title", "Artist", "Title"),
        ("01. Artist - Title - Remix", "Artist", "Title - Remix"),
        ("123456 Camellia - GHOST", "Camellia", "GHOST"),
        ("My_Song_Name", "", "My Song Name"),
        ("a-b", "", "a-b"),
        ("Someone – Something [dQw4w9WgXcQ]", "Someone", "Something"),
        ("99 Luftballons", "", "99 Luftballons"),
        ("1999", "", "1999"),
    ],
)
def test_file_names(stem, artist, title):
    assert split_name(stem) == (artist, title)


def test_file_name_stands_in_for_missing_tags(tmp_path):
    path = tmp_path / "Someone - 夜 (Night).flac"
    tags = read_tags(write_media(path, click_track(44100), 44100, "flac", "flac"))
    assert (tags.artist, tags.title_unicode) == ("Someone", "夜 (Night)")
    assert tags.title == "Unknown Title"
    japanese = write_media(
        tmp_path / "Someone - Night.flac", click_track(44100), 44100, "flac", "flac", metadata={"title": "夜"}
    )
    assert (read_tags(japanese).title, read_tags(japanese).title_unicode) == ("Night", "夜")


def test_unreadable_encoding_is_ignored(tmp_path):
    path = write_media(
        tmp_path / "Name.mp3", click_track(44100), 44100, "libmp3lame", "mp3", metadata={"title": "abcdef"}
    )
    data = path.read_bytes()
    assert b"abcdef" in data
    path.write_bytes(data.replace(b"abcdef", b"\x83\x65\x83\x58\xff\xfe"))
    assert read_tags(path).title_unicode == "Name"


def test_long_and_many_lined_titles_become_one_short_line(tmp_path):
    path = write_media(
        tmp_path / "a.flac",
        click_track(44100),
        44100,
        "flac",
        "flac",
        metadata={"title": "Line\nbreak " + "x" * 5000},
    )
    title = read_tags(path).title_unicode
    assert title.startswith("Line break xxx")
    assert len(title) <= 200


@pytest.mark.parametrize("ending", ["flac", "mp3"])
def test_cover(tmp_path, ending):
    picture = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
    path = tmp_path / f"song.{ending}"
    with av.open(str(path), "w") as media:
        sound = media.add_stream("flac" if ending == "flac" else "libmp3lame", rate=44100, layout="mono")
        cover = media.add_stream("png", rate=1, width=16, height=16, pix_fmt="rgb24")
        cover.disposition = av.stream.Disposition.attached_pic
        media.mux(cover.encode(picture) + cover.encode(None))
        frame = av.AudioFrame.from_ndarray(click_track(44100)[None], format="fltp", layout="mono")
        frame.rate = 44100
        media.mux(sound.encode(frame))
        media.mux(sound.encode(None))
    assert abs(lag_ms(load_audio(path).samples, click_track(16000), 16000)) <= 0.3
    cover = read_tags(path).cover
    assert cover is not None
    assert cover.mime == "image/png"
    assert cover.data.startswith(b"\x89PNG")


def test_tags_of_no_song(tmp_path):
    (tmp_path / "words.mp3").write_text("words " * 1000)
    with pytest.raises(UserError):
        read_tags(tmp_path / "words.mp3")


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("キャッチー", "Kyatchi"),
        ("ファイナル", "Fainaru"),
        ("ジェットコースター", "Jettokosuta"),
        ("ティーンエイジ", "Tineiji"),
        ("ヴァイオリン", "Vaiorin"),
        ("ちょっと", "Chotto"),
        ("Привет, Щука", "Privet, Shchuka"),
        ("한국 노래", "Hangug Norae"),
        ("ＦＲＥＥＤＯＭ ＤｉＶＥ↓", "FREEDOM DiVE"),
        ("Ænima Straße – Ⅳ", "Aenima Strasse - IV"),
        ("★ Star ♥ 😀", "Star"),
        ("千本桜", ""),
        ("ΑΒΓ", ""),
    ],
)
def test_spelling(name, spelled):
    assert romanise(name) == spelled


@given(st.text(max_size=40))
def test_spelling_is_always_ascii(text):
    spelled = romanise(text)
    assert spelled.isascii()
    assert spelled == " ".join(spelled.split())


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
def test_ascii_stays(text):
    assert romanise(text) == text
