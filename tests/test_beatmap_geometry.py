"""What a beatmap's numbers mean in play: slider paths, ends of objects, lines in force, stacks, stars."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from time import process_time

import fosu
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapperatorinator.beatmap import (
    MANIA,
    OSU,
    Beatmap,
    Circle,
    HitObject,
    Hold,
    PathPoint,
    Slider,
    SliderPath,
    Spinner,
    TimingPoint,
    circle_radius,
    difficulty_attributes,
    parse_beatmap,
    preempt,
    read_beatmap,
    stack_heights,
    stacked_positions,
    star_rating,
    strains,
    write_beatmap,
)

Spots = list[tuple[float, float]]
QUARTER: Spots = [(100, 0), (100 / math.sqrt(2), 100 / math.sqrt(2)), (0, 100)]
ARCH = 100 * (math.sqrt(5) / 2 + math.asinh(2) / 4)  # the parabola through (0, 0), (50, 50), (100, 0)


@pytest.mark.parametrize(
    ("kind", "points", "length"),
    [
        ("L", [(0, 0), (100, 0), (100, 50)], 150),
        ("L", [(5, 5)], 0),
        ("B", [(0, 0), (100, 0)], 100),
        ("B", [(0, 0), (100, 0), (100, 0), (100, 100)], 200),  # a red anchor
        ("B", [(0, 0), (0, 0), (30, 40)], 50),  # a repeated head
        ("B", [(0, 0), (50, 100), (100, 0)], ARCH),
        ("B", [(0, 0), (50, 100), (100, 0), (100, 0), (150, 100), (200, 0)], 2 * ARCH),
        ("B2", [(0, 0), (50, 100), (100, 0)], ARCH),
        ("B1", [(0, 0), (30, 40), (60, 0)], 100),
        ("P", QUARTER, 50 * math.pi),
        ("P", [(0, 0), (100, 0), (50, 0)], 150),  # in line: there and back
        ("P", [(0, 0), (30, 40)], 50),
        ("P", [(0, 0), (50, 100), (100, 0), (100, 0), (100, 50)], ARCH + 50),  # five points: Bezier
        ("C", [(0, 0), (50, 0), (100, 0)], 100),
    ],
)
def test_lengths_worked_out_by_hand(kind: str, points: Spots, length: float) -> None:
    assert SliderPath.of(kind, points).natural_length() == pytest.approx(length, abs=0.1)


def test_an_arc_stays_on_its_circle_either_way_round() -> None:
    for points in (QUARTER, QUARTER[::-1], [(100, 0), (-100, 0), (0, 100)]):
        line = SliderPath.of("P", points).polyline
        radii = np.hypot(*line.T)
        assert np.abs(radii - 100).max() < 1e-6
        assert tuple(line[0]) == points[0] and tuple(line[-1]) == points[-1]
    assert SliderPath.of("P", [(100, 0), (-100, 0), (0, 100)]).natural_length() == pytest.approx(
        150 * math.pi, abs=0.3
    )


def test_an_arc_of_a_huge_circle_is_drawn_as_bezier() -> None:
    points: Spots = [(0, 0), (256, 0.0001), (512, 0)]
    assert SliderPath.of("P", points).natural_length() == pytest.approx(512, abs=0.01)


def test_catmull_passes_through_its_points() -> None:
    points: Spots = [(0, 0), (80, 60), (160, 0), (240, 60)]
    line = SliderPath.of("C", points).polyline
    for point in points:
        assert np.hypot(*(line - point).T).min() < 1e-9


def test_spans_are_cut_and_extended() -> None:
    path = SliderPath.of("L", [(0, 0), (100, 0), (100, 50)])
    assert path.position_at(1.0, 120) == (100, 20)
    assert path.position_at(1.0, 200) == (100, 100)
    assert path.position_at(0.5) == (75, 0) and path.position_at(7.0) == (100, 50)
    double = SliderPath.of("L", [(0, 0), (100, 0), (100, 0)])
    assert double.position_at(1.0, 200) == (100, 0) and double.span_length(200) == 100
    assert path.span_length(200) == 200 and path.span_length(0) == 150
    point = SliderPath.of("B", [(7, 7), (7, 7), (7, 7)])
    assert point.position_at(1.0, 50) == (7, 7) and point.span_length(50) == 0


def test_segments_of_several_types() -> None:
    points = (
        PathPoint(200, 144, "B"),
        PathPoint(158, 100),
        PathPoint(140, 146, "P"),
        PathPoint(149, 214, "P"),
    )
    path = SliderPath((*points, PathPoint(236, 196), PathPoint(284, 264)))
    assert [kind for kind, _ in path.segments()] == ["B", "B", "P"]
    # Lazer's own code counts the ticks of 330 px, five apart, on this slider.
    assert path.natural_length() == pytest.approx(329.34, abs=0.1)


def test_samples_lie_close_together_on_the_path() -> None:
    path = SliderPath.of("P", QUARTER)
    points = path.sample(120.0, step=7.0)
    gaps = np.hypot(*np.diff(points, axis=0).T)
    assert len(points) == 19 and gaps.max() <= 7 and np.abs(np.hypot(*points.T) - 100).max() < 0.2


def test_a_curve_of_high_degree_is_neither_slow_nor_wrong() -> None:
    start = process_time()
    zigzag = SliderPath.of("B", [(i % 2 * 100.0, i) for i in range(2000)])
    line = zigzag.polyline
    assert process_time() - start < 5
    # Far from the ends a Bezier of so many points runs down their middle.
    assert np.abs(line[len(line) // 4 : -len(line) // 4, 0] - 50).max() < 1


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from("BLPC"),
    st.lists(st.tuples(st.integers(0, 512), st.integers(0, 384)), min_size=2, max_size=8),
    st.sampled_from([40, 250, 900]),
)
def test_paths_are_those_of_an_independent_reader(
    kind: str, points: list[tuple[int, int]], length: int
) -> None:
    (x, y), *rest = points
    spots = "|".join(f"{a}:{b}" for a, b in rest)
    text = (
        f"osu file format v14\n[TimingPoints]\n0,500\n[HitObjects]\n{x},{y},0,2,0,{kind}|{spots},1,{length}\n"
    )
    theirs = fosu.parse(text.encode(), calculate_slider_paths=True, client="lazer").hit_objects[0]
    ours = parse_beatmap(text).hit_objects[0]
    assert isinstance(ours, Slider) and isinstance(theirs, fosu.Slider) and theirs.path
    assert ours.span_length == pytest.approx(theirs.path.distance(), abs=0.01)
    for progress in (0.25, 0.5, 0.9, 1.0):
        there = fosu.slider_position_at(theirs.path, progress)
        here = ours.path.position_at(progress, ours.span_length)
        assert here == pytest.approx((x + there.x, y + there.y), abs=0.15)


def test_the_sliders_of_a_map_take_no_time(corpus_maps: Callable[..., list[Path]]) -> None:
    sliders = [
        o for p in corpus_maps(40, mode=OSU) for o in read_beatmap(p).hit_objects if isinstance(o, Slider)
    ]
    start = process_time()
    gaps = np.array([slider.length - slider.path.natural_length() for slider in sliders[:800]])
    assert process_time() - start < 0.6, "800 sliders take about 0.15 s"
    # Editors snap the length down along the drawn curve, so hardly a human slider is longer than its curve.
    assert (gaps > 2).mean() < 0.03 and (gaps < -100).mean() < 0.01


# What is in force at a time


def test_lines_in_force() -> None:
    red, green, late = (
        TimingPoint(0, 500),
        TimingPoint(1000, -50, uninherited=False, effects=1),
        TimingPoint(2000, 250),
    )
    bm = Beatmap(timing_points=[red, green, late])
    assert bm.timing_at(-5000) == (red, None) and bm.timing_at(999) == (red, None)
    assert bm.timing_at(1000) == (red, green) and bm.timing_at(2000) == (late, None)
    assert [bm.velocity_at(t) for t in (0, 1000, 2000)] == [1, 2, 1]
    assert [bm.kiai_at(t) for t in (0, 1500, 2000)] == [False, True, False]
    bm.timing_points.append(TimingPoint(2000, -200, uninherited=False))
    assert bm.velocity_at(2000) == 0.5, (
        "at one time a green line counts over a red one, and the index is renewed"
    )
    assert bm.red_lines() == [red, late] and late.bpm == 240


def test_limits_of_the_game() -> None:
    def velocity(beat_length: float) -> tuple[float, float]:
        point = TimingPoint(0, beat_length, uninherited=False)
        return point.velocity, point.scroll_speed

    assert velocity(-10000) == (0.1, 0.01) and velocity(-1) == (10, 10) and velocity(math.nan) == (1, 1)
    assert TimingPoint(0, 1).bpm == 10_000 and TimingPoint(0, 1e9).bpm == 1
    assert Beatmap().timing_at(5)[0].bpm == 60


def test_ends_of_objects() -> None:
    points = [TimingPoint(0, 500), TimingPoint(1000, -50, uninherited=False)]
    bm = Beatmap(slider_multiplier=2, timing_points=points)
    path = SliderPath.of("L", [(0, 0), (300, 0)])
    # 100 px x 2 a beat of 500 ms, twice as fast after 1000 ms.
    assert bm.end_time(Slider(0, 0, 0, path=path, slides=3, length=100)) == 750
    assert bm.end_time(Slider(0, 0, 1000, path=path, length=100)) == 1125
    assert bm.end_time(Slider(0, 0, 0, path=path)) == 750, "without a length the drawn curve counts"
    assert bm.end_time(Circle(0, 0, 7)) == 7 and bm.end_time(Hold(0, 0, 7, end_time=9)) == 9
    bm.slider_multiplier = 0.0
    assert math.isfinite(bm.end_time(Slider(0, 0, 0, path=path, length=100)))


def test_mania_columns() -> None:
    bm = Beatmap(mode=MANIA, circle_size=7)
    assert [bm.column(Circle(x, 192, 0)) for x in (0, 36, 109, 256, 475, 512, -3)] == [0, 0, 1, 3, 6, 6, 0]


# Stacks


def test_sizes_and_times_of_appearance() -> None:
    assert [preempt(ar) for ar in (0, 5, 8, 10)] == [1800, 1200, 750, 450]
    assert circle_radius(4) == pytest.approx(36.5, abs=0.1) and circle_radius(5) == pytest.approx(32, abs=0.1)


def pile(*objects: HitObject, version: int = 14) -> list[int]:
    points = [TimingPoint(0, 500)]
    return stack_heights(
        Beatmap(
            version=version,
            approach_rate=9,
            slider_multiplier=1,
            timing_points=points,
            hit_objects=list(objects),
        )
    )


def test_circles_on_one_spot_pile_up() -> None:
    stack = [Circle(100, 100, 1000 + 100 * i) for i in range(3)]
    assert pile(*stack) == [2, 1, 0] and pile(*stack, version=5) == [2, 1, 0]
    assert pile(Circle(100, 100, 0), Circle(102, 100, 100), Circle(103, 100, 200)) == [2, 1, 0]
    assert pile(Circle(100, 100, 0), Circle(104, 100, 100)) == [0, 0]
    # AR 9 shows objects 600 ms ahead; 0.7 of that is the reach of a stack.
    assert pile(Circle(100, 100, 0), Circle(100, 100, 420)) == [1, 0]
    assert pile(Circle(100, 100, 0), Circle(100, 100, 421)) == [0, 0]
    assert pile(Circle(9, 9, 0), Spinner(256, 192, 10, end_time=20), Circle(9, 9, 30)) == [1, 0, 0]


def test_circles_under_the_end_of_a_slider_sink() -> None:
    slider = Slider(0, 0, 0, path=SliderPath.of("L", [(0, 0), (100, 0)]), length=100)
    assert pile(slider, Circle(100, 0, 600), Circle(100, 0, 700)) == [0, -1, -2]
    assert pile(slider, Slider(100, 0, 400, path=SliderPath.of("L", [(100, 0), (9, 9)]), length=50)) == [1, 0]


def test_stacks_shift_up_and_left() -> None:
    bm = Beatmap(circle_size=4, hit_objects=[Circle(100, 100, 0), Circle(100, 100, 50)])
    (x, y), on_spot = stacked_positions(bm)
    assert tuple(on_spot) == (100, 100) and x == y == pytest.approx(100 - circle_radius(4) / 10)
    assert stacked_positions(Beatmap()).shape == (0, 2)


def test_stacks_and_ends_of_human_maps_are_those_of_an_independent_reader(
    corpus_maps: Callable[..., list[Path]],
) -> None:
    for path in corpus_maps(25, mode=OSU):
        bm = read_beatmap(path)
        theirs = fosu.parse_file(path, calculate_slider_end_times=True, apply_stacking=True, client="lazer")
        objects = sorted(theirs.hit_objects, key=lambda obj: obj.time)
        assert [obj.stacking.stack_height if obj.stacking else 0 for obj in objects] == stack_heights(bm), (
            path
        )
        assert [obj.end_time for obj in objects] == pytest.approx(
            [bm.end_time(o) for o in bm.hit_objects], abs=0.01
        )


# Stars


def test_stars_follow_spacing_and_mods() -> None:
    def jumps(spacing: float) -> Beatmap:
        circles: list[HitObject] = [
            Circle(256 + spacing * (-1) ** i, 192, 1000 + 150 * i) for i in range(100)
        ]
        return Beatmap(timing_points=[TimingPoint(0, 300)], hit_objects=circles)

    near, far = star_rating(jumps(20)), star_rating(jumps(150))
    assert 0 < near < far < star_rating(jumps(150), mods=64), "double time is harder"
    assert star_rating(write_beatmap(jumps(20))) == near
    attributes = difficulty_attributes(jumps(20))
    assert attributes["stars"] == near and attributes["max_combo"] == 100
    section, series = strains(jumps(20))
    assert section == 400 and len(series["aim"]) > 10 and series["aim"].max() > 0
