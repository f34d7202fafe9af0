"""Checks that compare difficulties, that need the song, or that need the file's name."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from checks_maps import BEATS, at, clean_map, green, red

from mapperatorinator.audio import Audio, Tags
from mapperatorinator.beatmap import CATCH, MANIA, OSU, TAIKO, Beatmap, Circle, Video
from mapperatorinator.checks import REGISTRY, Level, Severity, run_checks, run_set_checks, song
from mapperatorinator.checks.song import SongHeader

PROBLEM, WARNING, MINOR = Severity.PROBLEM, Severity.WARNING, Severity.MINOR
Change = Callable[[list[Beatmap]], object]


def _set(mode: int) -> list[Beatmap]:
    """Three clean difficulties of five minutes, sharing everything but their names."""
    maps = []
    for name in ("Normal", "Hard", "Insane"):
        bm = clean_map(mode, name)
        bm.hit_objects += [Circle(o.x, o.y, o.time + 260_000, sound=o.sound) for o in bm.hit_objects[:8]]
        maps.append(bm)
    return maps


LEVELS = (Level.NORMAL, Level.HARD, Level.INSANE)


def _give(n: int, **fields: object) -> Change:
    def change(maps: list[Beatmap]) -> None:
        for name, value in fields.items():
            assert hasattr(maps[n], name)
            setattr(maps[n], name, value)

    return change


def _lines(n: int, *lines: object) -> Change:
    return lambda maps: maps[n].timing_points.extend(lines)  # type: ignore


def _all_lines(*lines: object) -> Change:
    return lambda maps: [bm.timing_points.extend(lines) for bm in maps]  # type: ignore


def _unclap(maps: list[Beatmap]) -> None:
    maps[1].hit_objects[2].sound = 0


def _other_sounds(maps: list[Beatmap]) -> None:
    for obj in maps[2].hit_objects:
        obj.sound = 4


def _short(maps: list[Beatmap]) -> None:
    for bm in maps:
        del bm.hit_objects[BEATS:]
    del maps[0]


def _stream(maps: list[Beatmap]) -> None:
    maps[1].hit_objects = [Circle(256, 192, at(n / 4)) for n in range(8)]


def _apart(maps: list[Beatmap]) -> None:
    maps[0].hit_objects.insert(1, Circle(500, 380, at(0.25)))


def _earlier(maps: list[Beatmap]) -> None:
    maps[0].hit_objects[5].time += 67  # 1/6, where the harder ones have 1/4
    maps[1].hit_objects[5].time += 100
    maps[2].hit_objects[5].time += 100
    maps[2].hit_objects.insert(3, Circle(9, 9, at(2.25)))
    maps[2].hit_objects.insert(4, Circle(9, 9, at(2.5)))


CASES: list[tuple[str, Severity | None, int, Change]] = [
    ("multiple_audio", PROBLEM, OSU, _give(1, audio_filename="other.mp3")),
    ("hitsound_difficulty", PROBLEM, OSU, _give(1, difficulty_name="Hitsounds")),
    ("hitsound_consistency", WARNING, OSU, _unclap),
    ("hitsound_consistency", WARNING, OSU, _other_sounds),
    ("mania_hitsound_consistency", WARNING, MANIA, _unclap),
    ("inconsistent_metadata", PROBLEM, OSU, _give(2, source="Game")),
    ("inconsistent_metadata", PROBLEM, OSU, _give(2, tags="rock english live")),
    ("inconsistent_metadata", None, OSU, _give(2, tags="english rock rock")),
    ("multiple_video", WARNING, OSU, _give(0, video=Video("a.mp4"))),
    ("video_offset", PROBLEM, OSU, lambda m: [_give(n, video=Video("a.mp4", n * 10.0))(m) for n in range(3)]),
    ("inconsistent_settings", PROBLEM, OSU, _give(0, beatmapset_id=9)),
    ("inconsistent_settings", WARNING, OSU, _give(0, audio_lead_in=2000.0)),
    ("inconsistent_settings", MINOR, OSU, _give(0, slider_tick_rate=2.0)),
    ("inconsistent_settings", None, OSU, _give(0, letterbox_in_breaks=True)),
    ("lowest_difficulty", PROBLEM, OSU, _short),
    ("inconsistent_lines", PROBLEM, OSU, _lines(1, red(at(160), 300))),
    ("inconsistent_lines", PROBLEM, OSU, _give(1, timing_points=[red(meter=3)])),
    ("inconsistent_lines", MINOR, OSU, _give(1, timing_points=[red(1000.4)])),
    ("inconsistent_preview", PROBLEM, OSU, _give(1, preview_time=5.0)),
    ("wrong_snapping", WARNING, OSU, _earlier),
    ("close_overlap", PROBLEM, OSU, _apart),
    ("taiko_pattern_length", WARNING, TAIKO, _stream),
    ("taiko_kiai_consistency", MINOR, TAIKO, _lines(0, green(at(8), effects=1))),
    ("taiko_bar_lines", PROBLEM, TAIKO, _give(1, timing_points=[red(effects=8)])),
    ("taiko_background_offset", WARNING, TAIKO, _give(1, background="a.jpg", background_offset=(30.0, 0.0))),
    ("taiko_base_velocity", WARNING, TAIKO, _give(1, slider_multiplier=1.6)),
    ("taiko_base_velocity", None, TAIKO, _give(2, slider_multiplier=1.6)),
    ("mania_easy_velocity", PROBLEM, MANIA, _lines(0, green(at(8), 1.5))),
    ("mania_easy_velocity", None, MANIA, _lines(1, green(at(8), 1.5))),
    ("mania_variable_bpm", WARNING, MANIA, _all_lines(red(at(640), 200))),
    ("mania_variable_bpm", PROBLEM, MANIA, _all_lines(red(at(640), 200), green(at(642), 0.5))),
    ("mania_variable_bpm", None, MANIA, _all_lines(red(at(640), 200), green(at(640), 0.5))),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1] or 'nothing'}")
def test_set_case(case: tuple[str, Severity | None, int, Change]) -> None:
    check_id, severity, mode, change = case
    maps = _set(mode)
    change(maps)
    found = run_set_checks(maps, ids=[check_id], levels=LEVELS[-len(maps) :])
    assert max((issue.severity for issue in found), default=None) == severity, [str(i) for i in found]


def test_clean_sets_and_all_set_checks_have_cases() -> None:
    for mode in (OSU, TAIKO, CATCH, MANIA):
        found = [str(i) for i in run_set_checks(_set(mode), levels=LEVELS) if i.severity > MINOR]
        assert not found
    sets = {rule.id for rule in REGISTRY.values() if rule.set_rule}
    assert sets == {check_id for check_id, severity, _, _ in CASES if severity}


def test_mixed_modes_are_compared_within_their_mode() -> None:
    maps = [*_set(OSU), *_set(MANIA)]
    found = [i for i in run_set_checks(maps, levels=LEVELS * 2) if i.check_id.startswith(("mania", "taiko"))]
    assert not found


def _song(path: Path, seconds: float) -> Audio:
    return Audio(np.zeros(int(16000 * seconds), np.float32), 16000, Tags(), path)


@pytest.mark.parametrize(
    ("header", "name", "format_", "rate"),
    [
        (SongHeader("mp3", "mp3float", 192.0), "a.mp3", None, None),
        (SongHeader("mp3", "mp3float", 320.0), "a.mp3", None, PROBLEM),
        (SongHeader("mp3", "mp3float", 64.0), "a.ogg", WARNING, PROBLEM),
        (SongHeader("ogg", "vorbis", 208.0), "a.ogg", None, None),
        (SongHeader("ogg", "opus", 160.0), "a.ogg", PROBLEM, None),
        (SongHeader("flac", "flac", 900.0), "a.flac", PROBLEM, PROBLEM),
        (None, "a.mp3", PROBLEM, None),
    ],
)
def test_song_file(
    monkeypatch: pytest.MonkeyPatch, header: SongHeader | None, name: str,
    format_: Severity | None, rate: Severity | None,
) -> None:  # fmt: skip
    monkeypatch.setattr(song, "song_header", lambda path: header)
    for check_id, expected in (("audio_format", format_), ("bitrate", rate)):
        found = run_checks(clean_map(), _song(Path(name), 70), [check_id])
        assert max((issue.severity for issue in found), default=None) == expected


def test_song_header_is_read_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    header = song.song_header(path)
    assert header is not None and header.container == "wav" and header.bitrate == pytest.approx(128)
    assert song.song_header(tmp_path / "missing.mp3") is None


def test_use_of_the_song(tmp_path: Path) -> None:
    bm = clean_map()  # ends after 64.6 s
    assert not run_checks(bm, _song(tmp_path, 80), ["audio_usage", "past_song"])
    assert [i.severity for i in run_checks(bm, _song(tmp_path, 82), ["audio_usage"])] == [WARNING]
    assert [i.severity for i in run_checks(bm, _song(tmp_path, 60), ["past_song"])] == [PROBLEM]
    assert not run_checks(bm, None, ["audio_usage", "past_song"])


def test_file_name() -> None:
    bm = clean_map()
    bm.title = "Why?"
    assert not run_checks(bm, ids=["file_name"])
    assert not run_checks(bm, ids=["file_name"], file_name="Band - Why (Mapper) [Hard].osu")
    assert run_checks(bm, ids=["file_name"], file_name="map.osu")[0].severity == WARNING
