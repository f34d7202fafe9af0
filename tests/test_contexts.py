"""What a run takes over from a reference beatmap, with the embedded model, as a user asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from songs import click_track

from mapperatorinator.beatmap import Beatmap, Slider, read_beatmap, save_beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.events import Event, EventKind, beatmap_to_events
from mapperatorinator.mapper.grid.context import Shown
from mapperatorinator.mapper.grid.ticks import TickGrid
from mapperatorinator.pipeline import Result, generate
from mapperatorinator.pipeline.contexts import check_contexts, touched
from mapperatorinator.settings import Settings
from mapperatorinator.timing import Timing

# A sister map of the click track (120 BPM, first beat at 100 ms): storyboard, colours, a break, kiai, sounds.
HEAD = """osu file format v14

[General]
AudioFilename: clicks.wav
Mode: {mode}
StackLeniency: 0.7
[Metadata]
Title:Clicks
Artist:Clock
Creator:Somebody
Version:Hard
BeatmapID:7
BeatmapSetID:8
[Difficulty]
HPDrainRate:5
CircleSize:4
OverallDifficulty:6
ApproachRate:7
SliderMultiplier:1.4
SliderTickRate:1
[Events]
0,0,"back.jpg",0,0
2,20000,24000
Sprite,Foreground,Centre,"star.png",320,240
 F,0,1000,2000,0,1
[TimingPoints]
100,500,4,2,0,60,1,0
8100,-80,4,2,0,70,0,1
16100,-100,4,2,0,50,0,0
[Colours]
Combo1 : 1,2,3
[HitObjects]
"""


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return click_track(tmp_path_factory.mktemp("clicks") / "clicks.wav")


def objects_of(mode: int) -> str:
    """A circle on every beat, in osu! every fourth a slider; nothing in the break."""
    lines = []
    for beat in range(60):
        time = 100 + 500 * beat
        if 19_500 < time < 24_500:
            continue
        x = (64, 192, 320, 448)[beat % 4]
        slider = beat % 4 == 3 and mode == 0
        lines.append(
            f"{x},100,{time},{2 if slider else 1},8"
            + (f",L|{x}:170,1,70,8|2,0:0|0:0" if slider else "")
            + ",0:0:0:0:"
        )
    return "\n".join(lines)


@pytest.fixture
def reference(song: Path, tmp_path: Path) -> Callable[[int], Path]:
    def write(mode: int = 0) -> Path:
        path = tmp_path / f"sister{mode}.osu"
        path.write_text(HEAD.format(mode=mode) + objects_of(mode), encoding="utf-8")
        return path

    return write


def run(song: Path, path: Path, **asked: object) -> Result:
    base = Settings(
        audio_path=str(song), beatmap_path=str(path), output_path=str(path.parent / "out"), export_osz=False, seed=3,
        candidates=1,
    )  # fmt: skip
    return generate(replace(base, **asked))


def geometry(beatmap: Beatmap, first: float = 0, last: float = 1e9) -> list[tuple]:
    """Everything of the objects that a player aims at."""
    return [
        (type(o), o.time, o.x, o.y, o.new_combo, getattr(o, "length", 0), getattr(o, "slides", 0))
        for o in beatmap.hit_objects
        if first <= o.time <= last
    ]  # fmt: skip


def sounds(beatmap: Beatmap) -> list[tuple]:
    return [(o.sound, o.edge_sounds if isinstance(o, Slider) else ()) for o in beatmap.hit_objects]


def kiai(beatmap: Beatmap) -> list[float]:
    """Times at which kiai changes."""
    found, on = [], False
    for line in beatmap.timing_points:
        if line.kiai != on:
            on = line.kiai
            found.append(line.time)
    return found


@pytest.mark.parametrize("mode", [0, 2, 3])
def test_hitsounds_for_a_map_that_is_there(mode: int, song: Path, reference: Callable) -> None:
    path = reference(mode)
    before, text = read_beatmap(path), path.read_text()
    made = run(song, path, in_context=("NO_HS",)).beatmaps[0]
    assert geometry(made) == geometry(before) and sounds(made) != sounds(before)
    assert kiai(made) == kiai(before) and made.breaks == before.breaks
    assert all(
        made.velocity_at(o.time) == pytest.approx(before.velocity_at(o.time))
        for o in made.hit_objects
        if isinstance(o, Slider)
    )
    assert made.difficulty_name == "AI Hard" and made.creator == "Somebody" and made.beatmap_id == 0
    assert path.read_text() == text


def test_kiai_for_a_map_that_is_there(song: Path, reference: Callable) -> None:
    before = read_beatmap(reference())
    result = run(song, reference(), in_context=("MAP",), output_type=("KIAI",))
    made = result.beatmaps[0]
    assert geometry(made) == geometry(before) and sounds(made) == sounds(before)
    lines = {(p.time, p.beat_length, p.volume) for p in made.timing_points}
    assert {(p.time, p.beat_length, p.volume) for p in before.timing_points} <= lines
    again = read_beatmap(result.path)
    assert kiai(again) == kiai(made) and geometry(again) == geometry(made)


def test_kiai_and_timing_of_a_reference_are_taken_over(song: Path, reference: Callable) -> None:
    result = run(song, reference(), in_context=("TIMING", "KIAI"), output_type=("MAP",), difficulty=2.5)
    made = result.beatmaps[0]
    assert kiai(made) == [8100, 16100] and made.hit_objects
    assert [(p.time, p.beat_length) for p in made.red_lines()] == [(100, 500)]


def test_a_guest_difficulty_is_shown_its_sister(song: Path, reference: Callable) -> None:
    sister = read_beatmap(reference())
    grid = TickGrid.of(Timing.from_beatmap(sister), 0, 40_000)
    rhythm = Shown.of(Settings(beatmap_path="x.osu", in_context=("GD",)), sister, grid).rhythm
    assert rhythm is not None
    starts = {round(time) for time in grid.times[rhythm == 2]}
    assert starts == {o.time for o in sister.hit_objects}
    made = run(song, reference(), in_context=("GD",), difficulty=2.0).beatmaps[0]
    alone = run(
        song, reference(), in_context=("TIMING",), difficulty=2.0, approach_rate=made.approach_rate
    ).beatmaps[0]
    assert geometry(made) != geometry(alone)
    assert made.title == "Clicks" and made.approach_rate != 7 and made.difficulty_name != "Hard"


def test_a_guest_difficulty_may_be_of_another_mode(song: Path, reference: Callable) -> None:
    drums = run(song, reference(), in_context=("GD",), gamemode=1, difficulty=2.0).beatmaps[0]
    assert drums.mode == 1 and drums.hit_objects


def test_a_section_is_drawn_anew_and_everything_else_stays(song: Path, reference: Callable) -> None:
    path = reference()
    before, text = read_beatmap(path), path.read_text()
    made = read_beatmap(run(song, path, add_to_beatmap=True, start_time=8000, end_time=14_000).path)
    for first, last in ((0, 7999), (14_001, 1e9)):
        assert geometry(made, first, last) == geometry(before, first, last)
    assert geometry(made, 8000, 14_000) != geometry(before, 8000, 14_000)
    written = path.parent / "out" / "x.osu"
    save_beatmap(made, written)
    for kept in ('Sprite,Foreground,Centre,"star.png"', "Combo1 : 1,2,3", "2,20000,24000", "back.jpg"):
        assert kept in written.read_text(encoding="utf-8-sig")
    assert path.read_text() == text


def test_the_original_changes_only_where_that_is_asked(song: Path, reference: Callable) -> None:
    path = reference()
    before = read_beatmap(path)
    result = run(
        song, path, in_context=("NO_HS",), add_to_beatmap=True, overwrite_reference_beatmap=True, start_time=8000,
        end_time=14_000,
    )  # fmt: skip
    after = read_beatmap(path)
    assert result.path == path and after.difficulty_name == "Hard"
    assert geometry(after) == geometry(before)
    changed = [
        a.time
        for a, b, x, y in zip(
            after.hit_objects, before.hit_objects, sounds(after), sounds(before), strict=True
        )
        if x != y
    ]
    assert changed and min(changed) >= 8000 and max(changed) <= 14_000


def test_kiai_alone_makes_lines_without_objects(song: Path, reference: Callable) -> None:
    made = run(song, reference(), in_context=("TIMING",), output_type=("TIMING", "KIAI")).beatmaps[0]
    assert made.hit_objects == [] and made.red_lines()[0].time == 100


def test_no_kiai_where_none_is_asked(song: Path, reference: Callable) -> None:
    made = run(song, reference(), in_context=("TIMING",), output_type=("MAP",), difficulty=2.0).beatmaps[0]
    assert kiai(made) == [] and made.hit_objects


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"in_context": ("MAP",)}, "say what to add"),
        ({"in_context": ("MAP",), "output_type": ("TIMING",)}, "only kiai and, in mania"),
        ({"in_context": ("MAP",), "output_type": ("SV",)}, "a thing of mania"),
        ({"in_context": ("MAP", "GD")}, "names the reference twice"),
        ({"in_context": ("NO_HS",), "output_type": ("KIAI",)}, "put MAP into output_type"),
        ({"in_context": ("NO_HS",), "gamemode": 3}, "whose mode is osu!"),
        ({"in_context": ("SV",)}, "no scroll speeds"),
        ({"output_type": ("SV",)}, "no scroll speeds"),
        ({"output_type": ()}, "output_type"),
        ({"overwrite_reference_beatmap": True}, "needs add_to_beatmap"),
        ({"add_to_beatmap": True, "output_type": ("TIMING",)}, "put MAP into output_type"),
        ({"add_to_beatmap": True, "gamemode": 1}, "leave gamemode"),
    ],
)
def test_what_cannot_be_had_together_is_refused(asked: dict, words: str, reference: Callable) -> None:
    path = reference()
    with pytest.raises(UserError, match=words):
        check_contexts(replace(Settings(beatmap_path=str(path)), **asked), read_beatmap(path))


def test_taiko_has_no_hitsounds_apart_from_its_notes(reference: Callable) -> None:
    path = reference(1)
    with pytest.raises(UserError, match="the hitsounds are the notes"):
        check_contexts(Settings(beatmap_path=str(path), in_context=("NO_HS",)), read_beatmap(path))


def test_scroll_speeds_for_a_mania_map_that_is_there(reference: Callable) -> None:
    """The player sees what was asked over both tempos; objects, sounds and kiai stay."""
    path = reference(3)
    text = path.read_text("utf-8").replace("16100,-100,", "16100,250,4,2,0,50,1,0\n16200,-50,")
    path.write_text(text, encoding="utf-8")
    before, settings = read_beatmap(path), Settings(model="v29", in_context=("MAP",), output_type=("SV",))
    check_contexts(replace(settings, beatmap_path=str(path)), before)
    asked = [(100, 1.0), (9000, 0.5), (20_000, 2.0)]
    after = touched(
        before, [Event(EventKind.SCROLL_SPEED_CHANGE, time, scroll_speed=speed) for time, speed in asked], settings
    )
    seen = [(event.time, event.scroll_speed) for event in beatmap_to_events(after) if event.scroll_speed is not None]
    assert [time for time, _ in seen] == [time for time, _ in asked]
    assert [speed for _, speed in seen] == pytest.approx([speed for _, speed in asked])
    assert after.hit_objects == before.hit_objects and kiai(after) == kiai(before)
    for line in after.timing_points:
        was = before.timing.point_at(line.time) or before.timing_points[0]
        assert (line.volume, line.sample_set) == (was.volume, was.sample_set)
    with pytest.raises(UserError, match="no scroll speeds"):
        check_contexts(replace(settings, model="embedded"), before)


def test_a_reference_without_objects_cannot_be_touched(reference: Callable) -> None:
    empty = replace(read_beatmap(reference()), hit_objects=[])
    with pytest.raises(UserError, match="has none"):
        check_contexts(Settings(beatmap_path="x.osu", in_context=("NO_HS",)), empty)
