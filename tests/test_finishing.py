"""Finishing: whatever was drawn can be played afterwards, and what was right stays as it was."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from checks_maps import BEAT, at, clean_map, green, red, slider
from damage import damaged_maps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapperatorinator.audio import Audio, Tags
from mapperatorinator.beatmap import (
    CATCH,
    MANIA,
    OSU,
    TAIKO,
    Beatmap,
    Break,
    Circle,
    HitObject,
    Hold,
    PathPoint,
    Slider,
    SliderPath,
    Spinner,
    TimingPoint,
    read_beatmap,
)
from mapperatorinator.checks import REGISTRY, Issue, Level, Severity, run_checks
from mapperatorinator.finishing import finish, merge
from mapperatorinator.finishing.breaks import set_breaks
from mapperatorinator.finishing.catch import calm_dashes
from mapperatorinator.finishing.columns import arrange_columns
from mapperatorinator.finishing.combos import LONGEST, tidy_combos
from mapperatorinator.finishing.field import keep_on_screen
from mapperatorinator.finishing.gaps import separate
from mapperatorinator.finishing.hitsounds import fill_silence, sound_once
from mapperatorinator.finishing.legal import legal_lines, legal_settings
from mapperatorinator.finishing.places import snap_overlaps
from mapperatorinator.finishing.preview import set_preview
from mapperatorinator.finishing.scroll import even_scroll
from mapperatorinator.finishing.sliders import calm_reverses, fit_paths
from mapperatorinator.finishing.snap import snap
from mapperatorinator.finishing.spacing import tame_spacing
from mapperatorinator.finishing.spinners import fit_spinners
from mapperatorinator.finishing.taiko import tidy_taiko
from mapperatorinator.finishing.ticks import Ticks
from mapperatorinator.settings import Settings

# What no repair can give a map: length, objects, a sane amount of them.
BEYOND_REPAIR = {"drain_time", "no_objects", "score_overflow", "mania_columns"}


def gate_problems(bm: Beatmap) -> list[Issue]:
    silent = all(isinstance(obj, Spinner) for obj in bm.hit_objects)  # there is nothing to put a hit sound on
    return [
        issue
        for issue in run_checks(bm)
        if issue.severity is Severity.PROBLEM
        and REGISTRY[issue.check_id].gate
        and issue.check_id not in BEYOND_REPAIR
        and not (silent and issue.check_id == "hit_sounds")
    ]


def osu(*objects: HitObject, mode: int = OSU, **fields: object) -> Beatmap:
    """A map of 150 BPM from 1000 ms on."""
    fields = {"circle_size": 4, "timing_points": [red()], **fields}
    return Beatmap(mode=mode, hit_objects=list(objects), **fields)  # type: ignore[arg-type]


def span(bm: Beatmap, obj: HitObject) -> tuple[float, float]:
    return obj.time, bm.end_time(obj)


# --- the whole chain -----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", range(4))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_anything_becomes_playable_and_stays_so(mode: int, data: st.DataObject) -> None:
    finished = finish(data.draw(damaged_maps(mode)))
    assert gate_problems(finished) == []
    assert finish(finished) == finished


@pytest.mark.parametrize("mode", range(4))
def test_a_clean_map_keeps_its_objects(mode: int) -> None:
    bm = clean_map(mode)
    finished = finish(bm)
    assert [(type(o), o.time, o.x, o.y) for o in finished.hit_objects] == [
        (type(o), o.time, *((256, 192) if mode == TAIKO else (o.x, o.y))) for o in bm.hit_objects
    ]


def test_finishing_leaves_its_argument_alone() -> None:
    bm = osu(Circle(600, 10, 1003), Circle(600, 10, 1003), slider(10, 10, 1400, (-300, 10)))
    before = repr(bm)
    finish(bm)
    assert repr(bm) == before


@pytest.mark.parametrize("mode", range(4))
def test_human_maps_hardly_change(mode: int, corpus_maps: Callable[..., list[Path]]) -> None:
    """Maps that people made are nearly right: almost every object stays, and what was a problem goes."""
    for path in corpus_maps(2, mode=mode):
        bm = read_beatmap(path)
        finished = finish(bm)
        there = {(type(o).__name__, int(o.time), bm.column(o)) for o in finished.hit_objects}
        kept = sum((type(o).__name__, int(o.time), bm.column(o)) in there for o in bm.hit_objects)
        assert mode == TAIKO or kept >= 0.95 * len(bm.hit_objects), path
        metadata = {
            "marker_format",
            "marker_spacing",
            "title_markers",
            "romanised",
            "missing_metadata",
            "field_length",
        }
        assert [issue for issue in gate_problems(finished) if issue.check_id not in metadata] == [], path


# --- times ---------------------------------------------------------------------------------------


def test_what_is_off_the_grid_goes_to_a_tick() -> None:
    bm = snap(osu(Circle(0, 0, at(1) + 7), Circle(0, 0, at(2.25) - 4), Circle(0, 0, at(3) + 1)))
    assert [obj.time for obj in bm.hit_objects] == [at(1), at(2.25), at(3) + 1]


def test_sliders_turn_and_end_on_ticks() -> None:
    bm = snap(osu(slider(100, 100, at(0), (300, 100), slides=3, length=74)))
    (obj,) = bm.hit_objects
    assert span(bm, obj) == (at(0), pytest.approx(at(1.5), abs=1))


def test_the_finest_divisor_can_be_asked_for() -> None:
    bm = osu(Circle(0, 0, at(1.375)), Circle(0, 0, at(2.5)))
    assert [obj.time for obj in snap(bm, 2).hit_objects] == [at(1.5), at(2.5)]
    assert snap(bm, 8) is bm


def test_resnapping_can_be_switched_off() -> None:
    bm = finish(osu(Circle(0, 0, at(1) + 7)), Settings(resnap_events=False))
    assert bm.hit_objects[0].time == at(1) + 7


def test_ticks_never_pass_the_next_red_line() -> None:
    ticks = Ticks([red(0, 500), red(1190, 400)])
    assert ticks.nearest(1180) == 1190
    assert ticks.before(1189, 1) == 1000


def test_of_two_objects_at_one_time_the_longer_stays() -> None:
    bm = separate(osu(Circle(0, 0, at(0), True), slider(100, 100, at(0) + 4, (240, 100), length=140)))
    (obj,) = bm.hit_objects
    assert isinstance(obj, Slider) and obj.new_combo


def test_a_slider_ends_before_the_next_object() -> None:
    bm = separate(osu(slider(100, 100, at(0), (380, 100), length=280), Circle(0, 0, at(1.5))))
    first, _ = bm.hit_objects
    assert span(bm, first) == (at(0), at(1.25))


def test_a_repeating_slider_loses_repeats_first() -> None:
    bm = separate(osu(slider(100, 100, at(0), (170, 100), slides=5, length=70), Circle(0, 0, at(2))))
    first = bm.hit_objects[0]
    assert isinstance(first, Slider) and (first.slides, first.length) == (3, 70)


def test_nothing_outside_the_song() -> None:
    bm = separate(
        osu(Circle(0, 0, -400), Circle(0, 0, at(0)), Hold(0, 0, at(2), end_time=at(9)), mode=MANIA), at(4)
    )
    assert [span(bm, obj) for obj in bm.hit_objects] == [(at(0), at(0)), (at(2), at(4))]


def test_holds_of_other_columns_may_overlap() -> None:
    bm = osu(Hold(64, 192, at(0), end_time=at(4)), Circle(192, 192, at(2)), mode=MANIA)
    assert separate(bm) is bm


def test_a_short_spinner_grows_or_becomes_a_circle() -> None:
    free = fit_spinners(osu(Spinner(256, 192, at(4), end_time=at(4.5))), Level.NORMAL)
    assert isinstance(free.hit_objects[0], Spinner)
    assert free.end_time(free.hit_objects[0]) - at(4) >= 900
    crowded = osu(Circle(0, 0, at(3.5)), Spinner(256, 192, at(4), end_time=at(4.5)), Circle(0, 0, at(5)))
    assert [type(obj) for obj in fit_spinners(crowded, Level.NORMAL).hit_objects] == [Circle] * 3


# --- modes ---------------------------------------------------------------------------------------


def test_notes_on_one_spot_move_to_a_free_column() -> None:
    notes = [Circle(64, 192, at(0)), Circle(64, 192, at(0)), Hold(192, 192, at(-1), end_time=at(2))]
    bm = arrange_columns(osu(*notes, *(Circle(64 + 128 * c, 192, at(4 + c)) for c in range(4)), mode=MANIA))
    assert sorted(bm.column(obj) for obj in bm.hit_objects if obj.time == at(0)) == [0, 2]


def test_every_column_is_used_and_holds_can_be_held() -> None:
    notes: list[HitObject] = [Circle(64 + 128 * (k % 3), 192, at(k)) for k in range(60)]
    notes.append(Hold(64, 192, at(61), end_time=at(61) + 15))
    bm = arrange_columns(osu(*notes, mode=MANIA))
    assert {bm.column(obj) for obj in bm.hit_objects} == {0, 1, 2, 3}
    assert not any(isinstance(obj, Hold) for obj in bm.hit_objects)


def test_easy_mania_scrolls_evenly_through_changes_of_tempo() -> None:
    lines = [red(), green(at(8), 1.5), red(at(16), BEAT / 2)]
    notes = [Circle(64, 192, at(k)) for k in range(16)]
    bm = even_scroll(osu(*notes, mode=MANIA, timing_points=lines), Level.EASY)
    assert [(line.time, round(line.scroll_speed, 3)) for line in bm.timing_points] == [
        (at(0), 1), (at(16), 1), (at(16), 0.5),
    ]  # fmt: skip


def test_finishers_in_fast_patterns_are_plain_notes() -> None:
    notes = [Circle(256, 192, at(k / 4), sound=4 if k == 2 else 0) for k in range(6)] + [
        Circle(0, 0, at(8), sound=4)
    ]
    bm = tidy_taiko(osu(*notes, mode=TAIKO), Level.HARD)
    assert [obj.sound for obj in bm.hit_objects] == [0] * 6 + [4]


def test_a_cup_has_no_hyperdash() -> None:
    bm = osu(*(Circle(500 if k % 2 else 10, 192, at(k / 2)) for k in range(12)), mode=CATCH)
    assert any(issue.check_id == "catch_hyperdash" for issue in run_checks(bm, level=Level.EASY))
    calm = calm_dashes(bm, Level.EASY)
    assert not any(issue.check_id == "catch_hyperdash" for issue in run_checks(calm, level=Level.EASY))


def test_a_long_juice_stream_is_straightened_once() -> None:
    """Turned, its body would leave the field, and whatever brings it back makes it as wide as before."""
    path = SliderPath((PathPoint(0.0, 0.0, "B"), PathPoint(0.0, 238.0, None), PathPoint(541.0, 0.0, None)))
    stream = Slider(0.0, 0.0, 2, path=path, length=600.0)
    lines = [TimingPoint(-2798.0, 1000.0, 4, 0, 0, 0, True, 0), TimingPoint(2.0, -12.0, 4, 0, 0, 0, False, 0)]
    bm = osu(stream, mode=CATCH, circle_size=0.0, slider_multiplier=3.6, timing_points=lines, difficulty_name="x")
    finished = finish(bm)
    assert finish(finished) == finished


# --- places --------------------------------------------------------------------------------------


def test_a_path_grows_to_its_length() -> None:
    (obj,) = fit_paths(osu(slider(100, 100, at(0), (200, 100), length=140))).hit_objects
    assert isinstance(obj, Slider)
    assert obj.path.natural_length() == pytest.approx(141) and obj.length == 140


def test_a_slider_slows_down_where_its_path_is_far_too_short() -> None:
    bm = fit_paths(osu(slider(100, 100, at(0), (150, 100), length=280)))
    (obj,) = bm.hit_objects
    assert isinstance(obj, Slider)
    assert span(bm, obj) == (at(0), pytest.approx(at(2), abs=1))
    assert obj.length <= 50 + 1 and bm.velocity_at(obj.time) < 0.2


@pytest.mark.parametrize("points", [[(10, 10)], [(10, 10)] * 3])
def test_a_path_that_is_none_becomes_a_line(points: list[tuple[float, float]]) -> None:
    path = SliderPath.of("B", points)
    (obj,) = fit_paths(osu(Slider(10, 10, at(0), path=path, length=140))).hit_objects
    assert isinstance(obj, Slider)
    assert obj.path.points[0].type == "L" and obj.path.natural_length() == pytest.approx(140)


def test_short_sliders_of_easy_maps_do_not_turn_twice() -> None:
    bm = calm_reverses(osu(slider(0, 0, at(0), (18, 0), slides=4, length=17.5)), Level.EASY)
    (obj,) = bm.hit_objects
    assert isinstance(obj, Slider)
    assert (obj.slides, span(bm, obj)) == (1, (at(0), pytest.approx(at(0.5), abs=1)))


@pytest.mark.parametrize("to", [(-200, 100), (30, -180), (700, 420), (100, 700)])
def test_sliders_come_back_to_the_screen_as_long_as_they_were(to: tuple[float, float]) -> None:
    bm = osu(slider(60, 60, at(0), to))
    inside = keep_on_screen(bm)
    assert not any(issue.check_id == "offscreen" for issue in run_checks(inside))
    (before,), (after,) = bm.hit_objects, inside.hit_objects
    assert span(bm, before) == pytest.approx(span(inside, after), abs=1)


def test_a_stack_in_the_corner_moves_as_one() -> None:
    bm = osu(*(Circle(0, 0, at(k / 4)) for k in range(16)), approach_rate=5)
    inside = keep_on_screen(bm)
    assert not any(issue.check_id == "offscreen" for issue in run_checks(inside))
    assert len({(obj.x, obj.y) for obj in inside.hit_objects}) == 1


def test_near_overlaps_become_exact_and_stay_so() -> None:
    bm = osu(
        Circle(100, 100, at(0)), Circle(102, 101, at(1)), Circle(102, 101, at(8)), Circle(107, 101, at(9))
    )
    once = snap_overlaps(bm)
    assert [(obj.x, obj.y) for obj in once.hit_objects] == [(100, 100), (100, 100), (102, 101), (107, 101)]
    assert snap_overlaps(once) == once


def test_a_jump_beyond_all_others_gets_shorter() -> None:
    times = [at(k / 4) for k in range(12)]
    bm = osu(*(Circle(20 + k % 2, 20, t) for k, t in enumerate(times[:-1])), Circle(500, 380, times[-1]))
    assert any(i.check_id == "abnormal_spacing" and i.severity is Severity.PROBLEM for i in run_checks(bm))
    tame = tame_spacing(bm, Level.EXPERT)
    assert not any(
        i.check_id == "abnormal_spacing" and i.severity is Severity.PROBLEM for i in run_checks(tame)
    )


# --- the rest of the map -------------------------------------------------------------------------


def test_settings_and_lines_become_legal() -> None:
    lines = [
        green(0, 2),
        red(1000, volume=0, effects=1),
        red(1000 + 4 * BEAT),
        TimingPoint(2000, math.nan),
    ]
    bm = legal_lines(
        legal_settings(osu(Circle(0, 0, at(0)), circle_size=4.26, slider_multiplier=9, timing_points=lines))
    )
    assert (bm.circle_size, bm.slider_multiplier, len(bm.combo_colours)) == (4.3, 3.6, 4)
    line, on, off = bm.timing_points
    assert (line.uninherited, line.kiai, line.volume) == (True, False, 5)
    assert (on.time, on.kiai, off.uninherited, off.kiai) == (1000, True, False, False)


def test_breaks_fill_long_gaps_and_nothing_else() -> None:
    bm = osu(
        Circle(0, 0, at(0)), Circle(0, 0, at(5)), Circle(0, 0, at(25)), approach_rate=5, breaks=[Break(0, 9)]
    )
    assert set_breaks(bm).breaks == [Break(at(5) + 200, at(25) - 1200)]


def test_combos_begin_where_they_should_and_end_in_time() -> None:
    circles = [Circle(0, 0, at(k)) for k in range(60)]
    bm = tidy_combos(osu(*circles, Spinner(256, 192, at(61), end_time=at(63)), Circle(0, 0, at(66))))
    begins = [i for i, obj in enumerate(bm.hit_objects) if obj.new_combo]
    assert begins[0] == 0 and begins[-2:] == [60, 61]
    assert all(b - a <= LONGEST for a, b in zip(begins, begins[1:], strict=False))
    assert all(i % 4 == 0 for i in begins[:-2]), "on downbeats"


def test_the_preview_is_the_first_kiai_that_lasts() -> None:
    lines = [red(), green(at(8), effects=1), green(at(9)), green(at(32), effects=1), green(at(64))]
    assert set_preview(osu(Circle(0, 0, at(0)), timing_points=lines)).preview_time == at(32)


def test_without_kiai_the_preview_is_the_loudest_part() -> None:
    samples = np.full(16_000 * 60, 0.01, np.float32)
    samples[16_000 * 30 : 16_000 * 40] = 0.5
    audio = Audio(samples, 16_000, Tags(title="x"), Path("x.wav"))
    bm = set_preview(osu(Circle(0, 0, at(0)), Circle(0, 0, 59_000)), audio)
    assert abs(bm.preview_time - 30_000) <= 2 * BEAT


def test_silence_is_filled_on_downbeats() -> None:
    bm = fill_silence(osu(*(Circle(0, 0, at(k)) for k in range(200))))
    whistles = [k for k, obj in enumerate(bm.hit_objects) if obj.sound]
    assert whistles and all(k % 4 == 0 for k in whistles)
    assert max(b - a for a, b in zip(whistles, whistles[1:], strict=False)) * BEAT < 12_000


def test_a_chord_sounds_once() -> None:
    chord = [Circle(64.0 + 128 * c, 192, at(0), sound=sound) for c, sound in enumerate((8, 12, 4, 2))]
    bm = sound_once(osu(*chord, Circle(64, 192, at(1), sound=8), mode=MANIA))
    assert [obj.sound for obj in bm.hit_objects] == [8, 4, 0, 2, 8]


# --- merging -------------------------------------------------------------------------------------


def two_maps() -> tuple[Beatmap, Beatmap]:
    lines = [red(volume=60, sample_index=2), green(at(20), 1.5, volume=80, sample_index=2, effects=1)]
    reference = osu(
        *(Circle(10, 10, at(k)) for k in range(40)), timing_points=lines, storyboard=["Sprite,a"],
        breaks=[Break(at(50), at(60))],
    )  # fmt: skip
    generated = osu(
        *(Circle(200, 200, at(k / 2)) for k in range(80)),
        timing_points=[red(volume=30), green(at(12), 0.5, volume=30)],
    )
    return reference, generated


def test_merging_keeps_what_is_outside() -> None:
    reference, generated = two_maps()
    bm = merge(reference, generated, at(10), at(15))
    inside = [obj.time for obj in bm.hit_objects if obj.x == 200]
    assert (inside[0], inside[-1], len(inside)) == (at(10), at(15), 11)
    assert len(bm.hit_objects) == 40 - 6 + 11
    assert (bm.storyboard, bm.breaks) == (reference.storyboard, reference.breaks)
    for time in (at(9), at(16), at(21), at(39)):
        old, new = reference.timing.point_at(time), bm.timing.point_at(time)
        assert old and new
        for name in ("volume", "velocity", "kiai", "sample_index"):
            assert getattr(old, name) == getattr(new, name)
    line = bm.timing.point_at(at(13))
    assert line and (line.volume, line.velocity, line.sample_index) == (30, 0.5, 2)


def test_merging_without_bounds_takes_everything() -> None:
    reference, generated = two_maps()
    bm = merge(reference, generated)
    assert [obj.time for obj in bm.hit_objects] == [obj.time for obj in generated.hit_objects]


def test_merging_brings_another_tempo_and_takes_it_back() -> None:
    reference, generated = two_maps()
    generated = replace(generated, timing_points=[red(at(0) + 30, 300)])
    bm = merge(reference, generated, at(10), at(15))
    assert [line.beat_length for line in bm.red_lines()] == [BEAT, 300, BEAT]
    back = bm.red_lines()[-1]
    assert (back.time - at(0)) % BEAT == 0 and back.time >= at(15)


def test_generated_objects_do_not_collide_with_kept_ones() -> None:
    kept = slider(100, 100, at(9), (380, 100), length=280)
    reference = osu(kept, Circle(0, 0, at(16)))
    generated = osu(*(slider(0, 0, at(k), (140, 0), length=140) for k in range(10, 16)))
    bm = merge(reference, generated, at(10), at(15))
    assert [obj.time for obj in bm.hit_objects] == [at(9), *(at(k) for k in range(12, 15)), at(16)]


def test_merged_sliders_last_as_long_on_another_base_velocity() -> None:
    reference = osu(slider_multiplier=2.0)
    generated = osu(slider(0, 0, at(10), (140, 0), length=140), slider_multiplier=1.4)
    bm = merge(reference, generated, at(8), at(15))
    (obj,) = bm.hit_objects
    assert span(bm, obj) == (at(10), pytest.approx(at(11)))
