"""Beatmap files: what is read, what is written, and that nothing is lost between."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import fosu
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapperatorinator.beatmap import (
    Beatmap,
    Break,
    Circle,
    Colour,
    HitObject,
    HitSample,
    Hold,
    PathPoint,
    Slider,
    SliderPath,
    Spinner,
    TimingPoint,
    Video,
    parse_beatmap,
    read_beatmap,
    save_beatmap,
    star_rating,
    write_beatmap,
)
from mapperatorinator.beatmap.write import needs_lazer
from mapperatorinator.errors import UserError

FULL = """osu file format v14

[General]
AudioFilename: audio file.mp3
AudioLeadIn: 500
PreviewTime: 23456
Countdown: 1
SampleSet: Soft
StackLeniency: 0.3
Mode: 0
LetterboxInBreaks: 1
SkinPreference:Old: skin
EpilepsyWarning: 1
WidescreenStoryboard: 1
SomethingNew: 4:5

[Editor]
Bookmarks: 100,2500,70000
DistanceSpacing: 1.1
BeatDivisor: 6
GridSize: 16
TimelineZoom: 2.4

[Metadata]
Title:A // B: C
TitleUnicode:歌
Artist:Somebody
ArtistUnicode:誰か
Creator:me
Version:[Hard] #1
Source:
Tags:one two  three
BeatmapID:12
BeatmapSetID:34

[Difficulty]
HPDrainRate:4.5
CircleSize:4
OverallDifficulty:7.3
ApproachRate:9
SliderMultiplier:1.6
SliderTickRate:2

[Events]
//Background and Video events
0,0,"back, ground.jpg",0,20
Video,-120,"film.mp4"
//Break Periods
2,3000,4500
//Storyboard Layer 0 (Background)
Sprite,Background,Centre,"sb\\star.png",320,240
 F,0,1000,2000,0,1
_L,100,3
__S,0,0,,1
Sample,3000,0,"hit.wav",60

[TimingPoints]
100,333.333333333333,3,2,1,60,1,0
1100,-66.6666666666667,4,2,1,60,0,1
1200,NaN,4,2,1,60,0,9

[Colours]
Combo1 : 255,128,0
Combo2 : 1,2,3
SliderBorder : 9,8,7

[HitObjects]
256,192,100,5,0,0:0:0:0:
10,20,600,53,4,3:1:2:70:clap.wav
100,100,1100,2,2,B|150:50|150:50|200:100,2,130.5,2|0|8,1:2|0:0|3:1,2:0:0:0:
256,192,2200,12,8,3000,1:0:0:0:
"""


def test_everything_in_a_file_is_read() -> None:
    bm = parse_beatmap(FULL)
    assert not bm.warnings
    assert (bm.version, bm.audio_filename, bm.preview_time, bm.sample_set) == (
        14,
        "audio file.mp3",
        23456,
        "Soft",
    )
    assert (bm.skin_preference, bm.epilepsy_warning, bm.use_skin_sprites) == ("Old: skin", True, False)
    assert bm.bookmarks == [100, 2500, 70000]
    assert (bm.title, bm.title_unicode, bm.difficulty_name) == ("A // B: C", "歌", "[Hard] #1")
    assert (bm.beatmap_id, bm.beatmapset_id, bm.tags) == (12, 34, "one two  three")
    assert (bm.hp_drain_rate, bm.overall_difficulty, bm.slider_multiplier) == (4.5, 7.3, 1.6)
    assert (bm.background, bm.background_offset) == ("back, ground.jpg", (0, 20))
    assert bm.video == Video("film.mp4", -120)
    assert bm.breaks == [Break(3000, 4500)]
    assert len(bm.storyboard) == 6 and bm.storyboard[3] == "_L,100,3"
    assert bm.combo_colours == [Colour(255, 128, 0), Colour(1, 2, 3)]
    assert bm.extra == {"General": {"SomethingNew": "4:5"}, "Colours": {"SliderBorder": "9,8,7"}}


def test_objects_and_their_sounds_are_read() -> None:
    first, second, slider, spinner = parse_beatmap(FULL).hit_objects
    assert first == Circle(256, 192, 100, True, 0, 0, HitSample())
    assert second == Circle(10, 20, 600, True, 3, 4, HitSample(3, 1, 2, 70, "clap.wav"))
    assert isinstance(slider, Slider) and isinstance(spinner, Spinner)
    assert slider.edge_sounds == [2, 0, 8] and slider.edge_sets == [(1, 2), (0, 0), (3, 1)]
    assert slider.path.points[0] == PathPoint(100, 100, "B") and len(slider.path.points) == 4
    assert (slider.slides, slider.length, slider.sample) == (2, 130.5, HitSample(2))
    assert (spinner.end_time, spinner.new_combo, spinner.sound) == (3000, True, 8)


def test_a_full_file_is_written_as_it_was() -> None:
    bm = parse_beatmap(FULL)
    written = write_beatmap(bm)
    assert parse_beatmap(written) == bm
    # All that changes are spellings without a meaning: extra spaces, the short form of the video line.
    lost = {line.strip() for line in FULL.splitlines()} - {line.strip() for line in written.splitlines()}
    assert lost == {"SkinPreference:Old: skin", 'Video,-120,"film.mp4"'}


def test_the_writer_uses_the_line_ends_and_numbers_of_the_game() -> None:
    bm = Beatmap(
        slider_multiplier=1.4, hit_objects=[Circle(1.0, 2.5, 3.0)], timing_points=[TimingPoint(0, 1 / 3)]
    )
    text = write_beatmap(bm)
    assert "\r\n" in text and "\n" not in text.replace("\r\n", "")
    assert "SliderMultiplier:1.4\r\n" in text and "BeatmapID:0\r\nBeatmapSetID:-1\r\n" in text
    assert "1,2.5,3,1,0" in text.splitlines()
    assert "0,0.3333333333333333,4,1,0,100,1,0" in text.splitlines()


@pytest.mark.parametrize("time", [math.inf, math.nan, 1e300, -(2.0**40)])
def test_numbers_that_no_reader_takes_are_not_written(time: float) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        write_beatmap(Beatmap(hit_objects=[Circle(0, 0, time)]))


def test_text_cannot_break_out_of_its_line() -> None:
    bm = Beatmap(title="a\n[HitObjects]\r\n1,1,1,1,0", tags="x\ry", background='b".png\n2,0,9')
    read = parse_beatmap(write_beatmap(bm))
    assert not read.hit_objects and not read.breaks and not read.warnings
    assert (read.title, read.background) == ("a [HitObjects]  1,1,1,1,0", "b.png 2,0,9")


def test_old_formats_lag_by_24_ms() -> None:
    old = "osu file format v3\n[General]\nPreviewTime: 10\n[Events]\n2,1000,2000\n[TimingPoints]\n100,500\n"
    old += "[Difficulty]\nOverallDifficulty:6\n[HitObjects]\n1,2,100,1,0\n1,2,500,12,0,900\n"
    bm = parse_beatmap(old)
    assert [obj.time for obj in bm.hit_objects] == [124, 524] and bm.end_time(bm.hit_objects[1]) == 924
    assert (bm.preview_time, bm.breaks[0], bm.timing_points[0].time) == (34, Break(1024, 2024), 124)
    assert bm.approach_rate == 6, "before the key existed OD stood for AR"
    written = write_beatmap(bm)
    assert {"osu file format v3", "PreviewTime: 10", "2,1000,2000", "1,2,500,12,0,900"} <= set(
        written.splitlines()
    )
    assert "ApproachRate" not in written and "[Editor]" not in written, "keys that were absent stay absent"


def test_timing_points_of_two_to_eight_fields() -> None:
    text = "osu file format v9\n[General]\nSampleSet: Drum\n[TimingPoints]\n1,400\n2,400,3\n3,400,4,2,5,70\n"
    points = parse_beatmap(text + "4,-50,4,1,0,60,0\n5,-50,4,0,0,60,0,1\n6,300,0,1,0,9,1,8\n").timing_points
    assert points[0] == TimingPoint(1, 400, 4, 3, 0, 100, True, 0)
    assert points[1].meter == 3
    assert points[2] == TimingPoint(3, 400, 4, 2, 5, 70, True, 0)
    assert points[3] == TimingPoint(4, -50, 4, 1, 0, 60, False, 0)
    assert points[4].kiai and points[4].sample_set == 0 and not points[5].kiai
    assert points[5].meter == 4, "a meter of 0 means 4"


def test_timing_points_out_of_order_are_sorted_but_written_as_they_came() -> None:
    lines = ["500,400,4,1,0,100,1,0", "0,300,4,1,0,100,1,0", "500,-50,4,1,0,100,0,0"]
    bm = parse_beatmap("osu file format v14\n[TimingPoints]\n" + "\n".join(lines))
    assert [point.beat_length for point in bm.timing_points] == [300, 400, -50] and len(bm.warnings) == 1
    assert [line for line in write_beatmap(bm).splitlines() if line.endswith("0")] == lines
    bm.timing_points.pop()
    assert [line for line in write_beatmap(bm).splitlines() if line.endswith("0")] == [lines[1], lines[0]]


def test_old_objects_without_samples_keep_their_short_lines() -> None:
    lines = [
        "1,1,0,1,0",
        "1,1,100,2,0,C|9:9|20:30,1,40",
        "1,1,900,6,2,L|9:9,2,40,2|0|2",
        "1,1,2000,12,0,2500",
    ]
    text = "osu file format v5\n[HitObjects]\n" + "\n".join(lines)
    assert write_beatmap(parse_beatmap(text)).splitlines()[-4:] == lines


def test_lazer_sliders_of_several_segments() -> None:
    line = (
        "158.32059,100.22127,2062.75,2,0,P|140.14474:146.4989|B3|149.9:214.1|236.5:196.4|284.8:264.3,2,297.5"
    )
    bm = parse_beatmap("osu file format v128\n[HitObjects]\n" + line)
    slider = bm.hit_objects[0]
    assert isinstance(slider, Slider)
    assert [point.type for point in slider.path.points] == ["P", None, "B3", None, None]
    assert write_beatmap(bm).splitlines()[-1] == line
    bm.version = 14
    assert needs_lazer(bm) and write_beatmap(bm).startswith("osu file format v128")


def test_files_without_a_type_or_with_a_strange_one_draw_as_the_game_does() -> None:
    bm = parse_beatmap("osu file format v14\n[HitObjects]\n0,0,0,2,0,X|9:9,1,40\n0,0,9,2,0,9:9,1,40\n")
    assert [obj.path.points[0].type for obj in bm.hit_objects if isinstance(obj, Slider)] == ["C"]
    assert len(bm.warnings) == 1


DAMAGED = [
    "1,2,3", "a,b,c,d,e", "1,2,nan,1,0", "1,2,inf,1,0", "1,2,1e99,1,0", "9999999999,2,3,1,0", "1,2,3,0,0",
    "1,2,3,2,0,L|5:x,1,100", "1,2,3,2,0,,1,100", "1,2,3,2,0,L|5:5,99999,100", "1,2,3,8,0",
    "1,2,3,1,0,9:x:0:0:",
    "1,2,3,2,0,L|5:5,1,inf", "1,2,3,1,1_0", "\ufffd,2,3,1,0", "1,2,3,128,0,x:0:0:0:0:",
]  # fmt: skip


@pytest.mark.parametrize("line", DAMAGED)
def test_a_damaged_line_is_skipped_and_named(line: str) -> None:
    bm = parse_beatmap(f"osu file format v14\n[HitObjects]\n1,1,1,1,0\n{line}\n2,2,2,1,0")
    assert [obj.time for obj in bm.hit_objects] == [1, 2]
    assert len(bm.warnings) == 1 and "line 4" in bm.warnings[0]


def test_damaged_settings_keep_their_defaults() -> None:
    text = "osu file format v14\n[General]\nMode: 7\nno colon\n[Difficulty]\nCircleSize:big\nHPDrainRate:3\n"
    bm = parse_beatmap(
        text + "[TimingPoints]\n1\n1,x\n5,NaN,4,1,0,9,1,0\n[Colours]\nCombo1: red\n[Events]\n2,5\n"
    )
    assert (bm.mode, bm.circle_size, bm.hp_drain_rate) == (0, 5, 3)
    assert len(bm.warnings) == 8 and not bm.timing_points and not bm.breaks


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"ID3\x04 not a map", "{}".encode("utf-16"), b"osu! file"]
)
def test_what_is_no_beatmap_is_refused_in_one_sentence(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.osu").write_bytes(data)
    with pytest.raises(UserError, match="not an osu! beatmap"):
        read_beatmap(tmp_path / "x.osu")
    with pytest.raises(UserError, match="Cannot read"):
        read_beatmap(tmp_path / "missing.osu")
    with pytest.raises(UserError, match="cannot be computed"):
        star_rating("nothing")


def test_every_encoding_of_text() -> None:
    text = FULL.replace("Somebody", "Café ♪")
    expected = parse_beatmap(text)
    for data in (
        text.encode(),
        b"\xef\xbb\xbf" + text.encode(),
        text.replace("\n", "\r\n").encode(),
        text.encode("utf-16"),
        b"\n\n" + text.encode(),
    ):
        assert parse_beatmap(data) == expected
    mixed = text.encode().replace("♪".encode(), b"\xe9").replace("Café".encode(), b"Caf\xe9")
    assert parse_beatmap(mixed).artist == "Café é" and parse_beatmap(mixed).title_unicode == "歌"


def test_saving_replaces_the_file_or_says_why_not(tmp_path: Path) -> None:
    bm = parse_beatmap(FULL)
    save_beatmap(bm, tmp_path / "歌 #1.osu")
    assert read_beatmap(tmp_path / "歌 #1.osu") == bm
    assert [path.name for path in tmp_path.iterdir()] == ["歌 #1.osu"]
    with pytest.raises(UserError, match="Cannot write"):
        save_beatmap(bm, tmp_path / "no" / "folder.osu")


# Round trips of generated and of human maps

TEXT = st.text(st.characters(blacklist_categories=("Cc", "Cs")), max_size=12).map(str.strip)
TIMES = st.integers(-5000, 10**6).map(float) | st.floats(0, 1e6)
COORDINATES = st.integers(-200, 700).map(float) | st.floats(-1000, 1000)
FILES = TEXT.filter(lambda name: not set(name) & set(',"|') and "//" not in name)
SAMPLES = st.builds(HitSample, *[st.integers(0, 3)] * 3, st.integers(0, 100), FILES)
COMMON = {
    "x": COORDINATES, "y": COORDINATES, "time": TIMES, "new_combo": st.booleans(),
    "combo_skip": st.integers(0, 7), "sound": st.integers(0, 15), "sample": st.none() | SAMPLES,
}  # fmt: skip


@st.composite
def sliders(draw: st.DrawFn) -> Slider:
    common = {name: draw(strategy) for name, strategy in COMMON.items()}
    rest = draw(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=6))
    slides = draw(st.integers(1, 4))
    path = SliderPath.of(draw(st.sampled_from("BCLP")), [(common["x"], common["y"]), *rest])
    slider = Slider(**common, path=path, slides=slides, length=draw(st.floats(0, 2000)))
    if slider.sample or draw(st.booleans()):
        slider.edge_sounds = draw(st.lists(st.integers(0, 15), min_size=slides + 1, max_size=slides + 1))
        slider.edge_sets = [draw(st.tuples(st.integers(0, 3), st.integers(0, 3))) for _ in slider.edge_sounds]
    return slider


def _long(kind: Callable[..., HitObject], start: dict[str, object], duration: float) -> HitObject:
    return kind(**start, end_time=start["time"] + duration)  # type: ignore[operator]


OBJECTS = st.one_of(
    st.builds(Circle, **COMMON),
    sliders(),
    st.builds(_long, st.sampled_from([Spinner, Hold]), st.fixed_dictionaries(COMMON), st.floats(0, 1e5)),
)
POINTS = st.builds(
    TimingPoint, TIMES, st.floats(-1000, -1) | st.floats(6, 6e4), st.integers(1, 12), st.integers(0, 3),
    st.integers(0, 99), st.integers(0, 100), st.booleans(), st.integers(0, 15),
)  # fmt: skip
KEYS = st.from_regex(r"X[A-Za-z]{1,8}", fullmatch=True)
BEATMAPS = st.builds(
    Beatmap,
    version=st.sampled_from([5, 9, 14, 128]),
    mode=st.integers(0, 3),
    title=TEXT,
    artist_unicode=TEXT,
    difficulty_name=TEXT,
    tags=TEXT,
    audio_filename=TEXT,
    preview_time=TIMES,
    bookmarks=st.lists(TIMES, max_size=3),
    epilepsy_warning=st.booleans(),
    circle_size=st.floats(0, 10),
    stack_leniency=st.floats(0, 1),
    background=st.none() | TEXT.filter(lambda name: '"' not in name),
    video=st.none() | st.builds(Video, FILES, TIMES, COORDINATES, COORDINATES),
    breaks=st.lists(st.builds(Break, TIMES, TIMES), max_size=2),
    storyboard=st.lists(
        st.sampled_from(["Sprite,Pass,Centre,a.png,1,2", " F,0,1,2,0,1", "//Layer"]), max_size=3
    ),
    timing_points=st.lists(POINTS, max_size=4).map(lambda points: sorted(points, key=lambda p: p.time)),
    combo_colours=st.lists(st.builds(Colour, *[st.integers(0, 255)] * 3), max_size=8),
    hit_objects=st.lists(OBJECTS, max_size=6).map(lambda objects: sorted(objects, key=lambda o: o.time)),
    extra=st.dictionaries(
        st.sampled_from(["General", "Editor", "Colours"]), st.dictionaries(KEYS, TEXT, min_size=1)
    ),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BEATMAPS)
def test_any_beatmap_survives_the_file(bm: Beatmap) -> None:
    for obj in bm.hit_objects:
        if isinstance(obj, Slider) and bm.version == 128:
            obj.path = SliderPath(obj.path.points, lazer=True)
    read = parse_beatmap(write_beatmap(bm).encode())
    assert not read.warnings
    read.absent = bm.absent
    assert read == bm


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_without_a_crash_and_then_kept(data: st.DataObject) -> None:
    raw = bytearray(FULL.encode())
    junk = st.binary(min_size=0, max_size=3) | st.sampled_from(
        [b",", b"|", b":", b"\n", b"[", b"]", b"-", b"9" * 9]
    )
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 4))] = data.draw(junk)
    try:
        bm = parse_beatmap(bytes(raw))
    except UserError:
        return
    again = parse_beatmap(write_beatmap(bm))
    again.absent = bm.absent
    assert again == bm


def test_human_maps_survive_and_keep_their_stars(corpus_maps: Callable[..., list[Path]]) -> None:
    for path in corpus_maps(60):
        original = path.read_bytes()
        bm = parse_beatmap(original)
        written = write_beatmap(bm).encode()
        assert parse_beatmap(written) == bm, path
        stars = [star_rating(data.decode("utf-8-sig")) for data in (original, written)]
        assert stars[0] == stars[1], path
        before, after = (fosu.parse(data, calculate_slider_end_times=True) for data in (original, written))
        facts = [
            [(o.time, o.end_time, o.x, o.y, o.hitsound, o.new_combo) for o in b.hit_objects]
            for b in (before, after)
        ]
        assert sorted(facts[0]) == sorted(facts[1]), path
        assert [p.beat_length for p in before.timing_points] == [
            p.beat_length for p in after.timing_points
        ], path
