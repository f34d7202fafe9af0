"""Beatmap archives: what is packed comes out again, and nothing else gets in or out."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapperatorinator.beatmap import (
    Beatmap,
    Circle,
    archive_name,
    beatmap_name,
    read_osz,
    safe_name,
    write_osz,
)
from mapperatorinator.beatmap import osz as osz_module
from mapperatorinator.beatmap.names import MAX_NAME_BYTES, member_name
from mapperatorinator.errors import UserError

MAP = b"osu file format v14\n[HitObjects]\n1,1,1,1,0\n"


def song(difficulty: str = "Hard", **fields: object) -> Beatmap:
    common = {"artist": "A", "title": "T", "creator": "C", "hit_objects": [Circle(1, 2, 3)]}
    return Beatmap(**{**common, "difficulty_name": difficulty, **fields})  # type: ignore[arg-type]


def archive(members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo(name), data, compress_type=kind)
    return buffer.getvalue()


def test_a_set_comes_back_as_it_was_packed(tmp_path: Path) -> None:
    (tmp_path / "my song.mp3").write_bytes(b"audio")
    maps = [song("Easy"), song("Hard", video=None)]
    path = write_osz(
        tmp_path / "set.osz", maps, tmp_path / "my song.mp3", ("bg.png", b"picture"), {"sb/a.wav": b"clap"}
    )
    assert zipfile.ZipFile(path).testzip() is None
    mapset = read_osz(path)
    assert mapset.names == ["A - T (C) [Easy].osu", "A - T (C) [Hard].osu"] and not mapset.warnings
    assert mapset.files == {"my song.mp3": b"audio", "bg.png": b"picture", "sb/a.wav": b"clap"}
    assert {(bm.audio_filename, bm.background) for bm in mapset.beatmaps} == {("my song.mp3", "bg.png")}
    assert mapset.find("SB\\A.wav") == b"clap" and mapset.find("none") is None
    assert maps[0].audio_filename == "", "the given beatmaps stay as they are"
    again = write_osz(tmp_path / "again.osz", mapset.beatmaps, extra=mapset.files)
    assert read_osz(again).beatmaps == mapset.beatmaps and read_osz(again).files == mapset.files
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.osz", "my song.mp3", "set.osz"]


def test_the_same_set_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write_osz(tmp_path / "a.osz", [song()], ("a.mp3", b"x"), extra={"b": b"1", "a": b"2"})
    second = write_osz(tmp_path / "b.osz", [song()], ("a.mp3", b"x"), extra={"a": b"2", "b": b"1"})
    assert first.read_bytes() == second.read_bytes()
    assert {info.date_time for info in zipfile.ZipFile(first).infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_difficulties_of_one_name_get_files_of_their_own(tmp_path: Path) -> None:
    path = write_osz(tmp_path / "a.osz", [song("x"), song("X")])
    assert read_osz(path).names == ["A - T (C) [x].osu", "A - T (C) [X] (2).osu"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ('a<b>c:d"e/f\\g|h?i*.mp3', "a_b_c_d_e_f_g_h_i_.mp3"),
        ("con.mp3", "_con.mp3"),
        ("LPT1", "_LPT1"),
        ("nul .osu", "_nul.osu"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("trailing dots. . .", "trailing dots"),
        ("a\u202egnp\u200b.exe\0", "agnp.exe"),
        ("tab\tand\nline", "tab and line"),
        ("", "untitled"),
        ("..", "untitled"),
        ("日本語 🎵 Ünïcode #1 'quoted'.ogg", "日本語 🎵 Ünïcode #1 'quoted'.ogg"),
    ],
)
def test_safe_names(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400), st.text(max_size=300))
def test_any_metadata_gives_a_legal_name(title: str, version: str) -> None:
    name = beatmap_name(song(version, title=title))
    assert len(name.encode()) <= MAX_NAME_BYTES + 5 and name.endswith("].osu")
    assert not set(name) & set('<>:"/\\|?*\0\n\r') and member_name(name) == name
    assert safe_name(safe_name(title)) == safe_name(title)
    assert len(archive_name(song(title=title)).encode()) <= MAX_NAME_BYTES + 1


def test_a_long_title_leaves_the_difficulty_readable() -> None:
    assert beatmap_name(song("Insane", title="長" * 300)).endswith("長 [Insane].osu")


@pytest.mark.parametrize(
    "name",
    [
        "../evil.osu",
        "/abs.osu",
        "a/../../b.osu",
        "..\\up.osu",
        "C:\\win.osu",
        "c:x.osu",
        "con.osu",
        "a/nul/b.osu",
        "..",
    ],
)
def test_members_that_lead_out_are_skipped(name: str) -> None:
    mapset = read_osz(archive({name: MAP, "good.osu": MAP}))
    assert mapset.names == ["good.osu"] and "unsafe" in mapset.warnings[0]
    assert member_name(name) is None


def test_damaged_members_are_skipped() -> None:
    data = archive({"bad.osu": b"no map", "x.wav": b"A" * 1000, "good.osu": MAP}, zipfile.ZIP_STORED)
    mapset = read_osz(data.replace(b"A" * 1000, b"B" * 1000))
    assert mapset.names == ["good.osu"] and not mapset.files and len(mapset.warnings) == 2


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"PK\3\4" + b"\0" * 50, MAP, archive({}), archive({"a.mp3": b"x"})]
)
def test_what_is_no_set_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(UserError):
        read_osz(data)
    with pytest.raises(UserError, match="Cannot read"):
        read_osz(tmp_path / "missing.osz")


def test_bombs_are_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = archive({"good.osu": MAP, **{f"{i}.bin": bytes(8 * 2**20) for i in range(10)}})
    with pytest.raises(UserError, match="too large"):
        read_osz(bomb)
    monkeypatch.setattr(osz_module, "MAX_MEMBERS", 5)
    with pytest.raises(UserError, match="too large"):
        read_osz(archive({f"{i}.osu": MAP for i in range(6)}))


def test_a_size_that_lies_reads_no_further() -> None:
    data = bytearray(archive({"a.osu": MAP + b"0" * 5000, "good.osu": MAP}, zipfile.ZIP_DEFLATED))
    central = data.index(b"PK\1\2")
    data[central + 24 : central + 28] = (10).to_bytes(4, "little")
    mapset = read_osz(bytes(data))
    assert mapset.names == ["good.osu"] and len(mapset.warnings) == 1


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damaged_archives_are_read_or_refused(data: st.DataObject) -> None:
    raw = bytearray(archive({"a.osu": MAP, "b.mp3": b"sound" * 20}))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        mapset = read_osz(bytes(raw))
    except UserError:
        return
    assert len(mapset.beatmaps) == 1


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Cannot read"):
        write_osz(tmp_path / "a.osz", [song()], tmp_path / "missing.mp3")
    with pytest.raises(UserError, match="Cannot write"):
        write_osz(tmp_path / "no" / "a.osz", [song()])
    assert not list(tmp_path.iterdir())
