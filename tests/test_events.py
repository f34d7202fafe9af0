"""The intermediate representation: what a beatmap says in events, and the beatmap that events make."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapperatorinator.beatmap import (
    MANIA,
    OSU,
    TAIKO,
    Beatmap,
    Circle,
    HitSample,
    Hold,
    PathPoint,
    Slider,
    SliderPath,
    Spinner,
    TimingPoint,
    parse_beatmap,
    read_beatmap,
)
from mapperatorinator.events import (
    Event,
    EventKind,
    Hitsound,
    beatmap_to_events,
    column_of,
    column_x,
    events_to_beatmap,
    in_time_order,
    snap_divisor,
)
from mapperatorinator.events.decode import beats_between
from mapperatorinator.events.lines import Wishes, build_lines
from mapperatorinator.events.scroll import usual_beat_length

RED = TimingPoint(1000.0, 500.0, sample_set=2, volume=70)

# A map that shows every part of a slider (spec of the published vocabulary, worked example).
EXAMPLE = """osu file format v14

[General]
Mode: 0

[Difficulty]
SliderMultiplier:1.4

[TimingPoints]
1000,500,4,2,0,70,1,0
2000,-66.6666666666667,4,1,0,60,0,1

[HitObjects]
64,80,1000,5,2,0:0:0:0:
256,192,2000,2,0,B|300:200|350:192|350:192|400:250,2,210,2|0|8,0:0|1:2|0:0,0:0:0:0:
100,100,3500,2,0,P|150:50|200:100,1,157
256,192,5000,12,4,6000,0:0:0:0:
"""


def roundtrip() -> ModuleType:
    """The corpus sweep of `bench/`, whose comparison these tests share."""
    path = Path(__file__).resolve().parent.parent / "bench" / "events_roundtrip.py"
    spec = importlib.util.spec_from_file_location("events_roundtrip", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bare(mode: int = OSU, **fields: object) -> Beatmap:
    return Beatmap(mode=mode, timing_points=[RED], **fields)  # type: ignore[arg-type]


def sliding(
    end: int, velocity: float | None = 1.0, *anchors: Event, last: tuple[float, float] = (300, 100)
) -> list[Event]:
    """The events of a slider from 1000 ms and (100, 100) with one span."""
    x, y = last
    sound = (Hitsound(),)
    return [
        Event(
            EventKind.SLIDER_HEAD, 1000, 1, 100, 100, new_combo=True, scroll_speed=velocity, hitsounds=sound
        ),
        *anchors,
        Event(EventKind.LAST_ANCHOR, end, 1, x, y, hitsounds=sound),
        Event(EventKind.SLIDER_END, end, 1, x, y, hitsounds=sound),
    ]


# --- words ---------------------------------------------------------------------------------------


@given(st.integers(0, 71), st.integers(0, 100))
def test_packed_hitsounds_come_back(value: int, volume: int) -> None:
    assert Hitsound.from_packed(value, volume).packed == value


@given(st.sampled_from([0, 2, 4, 8, 14]), st.integers(1, 3), st.integers(1, 3))
def test_hitsounds_survive_packing(sound: int, normal: int, addition: int) -> None:
    hitsound = Hitsound(sound, normal, addition, 55)
    assert Hitsound.from_packed(hitsound.packed, 55) == hitsound


@pytest.mark.parametrize(
    ("time", "divisor"),
    [(1000, 1), (1500, 1), (1250, 2), (1333, 3), (1125, 4), (1031, 16), (1017, 0), (1001, 1)],
)
def test_snap_is_the_smallest_divisor_within_2_ms(time: int, divisor: int) -> None:
    assert snap_divisor(time, 1000, 500) == divisor


@given(st.integers(1, 18), st.data())
def test_columns_come_back(keys: int, data: st.DataObject) -> None:
    column = data.draw(st.integers(0, keys - 1))
    assert column_of(column_x(column, keys), keys) == column


# --- beatmap to events ---------------------------------------------------------------------------


def test_worked_example() -> None:
    events = beatmap_to_events(parse_beatmap(EXAMPLE))
    assert [(e.kind.value, e.time, e.snap, [(h.packed, h.volume) for h in e.hitsounds]) for e in events] == [
        ("circle", 1000, 1, [(33, 70)]),
        ("kiai", 2000, 1, []),
        ("slider_head", 2000, 1, [(1, 60)]),
        ("bezier_anchor", 2125, None, []),
        ("red_anchor", 2250, None, []),
        ("last_anchor", 2500, 1, [(0, 60), (24, 60)]),
        ("slider_end", 3000, 1, [(4, 60)]),
        ("slider_head", 3500, 1, [(0, 60)]),
        ("perfect_anchor", 3686, None, []),
        ("last_anchor", 3873, 4, [(0, 60)]),
        ("slider_end", 3873, 4, [(0, 60)]),
        ("spinner", 5000, 1, []),
        ("spinner_end", 6000, 1, [(2, 60)]),
    ]
    assert events[0].new_combo and (events[0].x, events[0].y) == (64, 80)
    assert events[2].scroll_speed == pytest.approx(1.5)


def test_beats_measures_and_red_lines() -> None:
    reds = [TimingPoint(1000, 500, meter=3), TimingPoint(3000, 400)]
    bm = Beatmap(timing_points=reds, hit_objects=[Circle(0, 0, 3900)])
    beats = [(e.kind.value, e.time) for e in beatmap_to_events(bm, beats=True) if e.kind != EventKind.CIRCLE]
    assert beats == [
        ("timing_point", 1000), ("beat", 1500), ("beat", 2000), ("measure", 2500),
        ("timing_point", 3000), ("beat", 3400), ("beat", 3800),
    ]  # fmt: skip


def test_edges_without_sounds_of_their_own_sound_as_the_body() -> None:
    slider = Slider(0, 0, 1000, sound=2, path=SliderPath.of("L", [(0, 0), (140, 0)]), length=140)
    events = beatmap_to_events(bare(hit_objects=[slider]))
    assert [e.hitsounds[0].sound for e in events] == [2, 2, 2]


def test_mixed_curves_become_chords() -> None:
    """A path of today's format with an arc and a line in it is drawn the same by anchors of one type."""
    points = ((0, 0, "P"), (50, 50, None), (100, 0, "L"), (200, 0, None))
    path = SliderPath(tuple(PathPoint(float(x), float(y), t) for x, y, t in points))
    bm = bare(hit_objects=[Slider(0, 0, 1000, path=path, length=200)])
    drawn = events_to_beatmap(beatmap_to_events(bm), bare()).hit_objects[0]
    assert isinstance(drawn, Slider)
    for share in (0.1, 0.5, 0.7, 1.0):
        assert math.dist(drawn.path.position_at(share, 200), path.position_at(share, 200)) < 0.5


def test_visible_scroll_speed_counts_the_tempo() -> None:
    """Half the tempo at twice the multiplier looks the same: no event, and the line comes back."""
    lines = [TimingPoint(0, 500), TimingPoint(4000, 1000), TimingPoint(4000, -50, uninherited=False)]
    notes = [Circle(64, 192, float(t)) for t in range(0, 8000, 1000)]
    bm = Beatmap(mode=MANIA, circle_size=4, timing_points=lines, hit_objects=list(notes))
    events = beatmap_to_events(bm)
    assert [(e.time, e.scroll_speed) for e in events if e.kind == EventKind.SCROLL_SPEED_CHANGE] == [(0, 1.0)]
    again = events_to_beatmap(events, replace(bm, timing_points=bm.red_lines()))
    assert [(p.time, p.beat_length) for p in again.timing_points] == [(p.time, p.beat_length) for p in lines]


def test_usual_tempo_is_the_longest() -> None:
    lines = [TimingPoint(0, 500), TimingPoint(3000, 300), TimingPoint(9000, 400)]
    assert usual_beat_length(lines, 10_000) == 300
    assert usual_beat_length(lines, 5_000) == 500


# --- events to beatmap ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kinds", "curve"),
    [
        ([], "L"),
        ([EventKind.RED_ANCHOR] * 3, "L"),
        ([EventKind.PERFECT_ANCHOR], "P"),
        ([EventKind.CATMULL_ANCHOR] * 2, "C"),
        ([EventKind.BEZIER_ANCHOR], "B"),
        ([EventKind.PERFECT_ANCHOR] * 2, "B"),
        ([EventKind.BEZIER_ANCHOR, EventKind.RED_ANCHOR], "B"),
    ],
)
def test_curves_are_named_by_what_they_are(kinds: list[EventKind], curve: str) -> None:
    anchors = [Event(kind, 1100, x=150 + 20 * i, y=100 + 40 * (i % 2) + 5) for i, kind in enumerate(kinds)]
    (slider,) = events_to_beatmap(sliding(1500, 1.0, *anchors), bare()).hit_objects
    assert isinstance(slider, Slider)
    assert slider.path.points[0].type == curve


def test_slider_lengths_put_ends_on_ticks() -> None:
    """333.33 ms are written as 333; the length is that of a third of a beat all the same."""
    base = Beatmap(timing_points=[TimingPoint(1000, 1000)], slider_multiplier=1.5)
    (slider,) = events_to_beatmap(sliding(1333), base).hit_objects
    assert isinstance(slider, Slider)
    assert slider.length == pytest.approx(50.0, abs=1e-9)


@given(st.integers(0, 64), st.integers(1, 64), st.sampled_from([1, 2, 3, 4, 6, 8]), st.floats(180, 900))
def test_beats_between_ticks_are_exact(first: int, count: int, divisor: int, beat: float) -> None:
    red = TimingPoint(1000.3, beat)
    start, end = (math.floor(red.time + n / divisor * beat) for n in (first, first + count))
    assert beats_between(start, end, red) == pytest.approx(count / divisor, abs=1.5 / beat)


def test_a_velocity_that_is_not_named_fits_the_path() -> None:
    (slider,) = events_to_beatmap(
        sliding(1500, None, last=(310, 100)), bare(slider_multiplier=1.4)
    ).hit_objects
    assert isinstance(slider, Slider)
    assert slider.length == pytest.approx(210)


def test_unfinished_and_empty_objects_are_left_out() -> None:
    events = [
        Event(EventKind.SLIDER_END, 500, x=0, y=0),
        *sliding(1500)[:-1],
        Event(EventKind.SPINNER, 2000),
        Event(EventKind.SPINNER_END, 2000, hitsounds=(Hitsound(),)),
        Event(EventKind.HOLD_NOTE_END, 3000, column=1),
    ]
    assert events_to_beatmap(events, bare()).hit_objects == []


def test_a_red_line_behind_the_first_object_moves_back_by_measures() -> None:
    circle = Event(EventKind.CIRCLE, 100, 0, 50, 50, hitsounds=(Hitsound(),))
    bm = events_to_beatmap([circle], bare())
    assert bm.timing_points[0].time == -1000
    assert bm.hit_objects[0].time == 100


def test_holds_are_told_apart_by_column_in_any_order() -> None:
    holds = [Hold(64.0 + 128 * c, 192, 1000 + 100 * c, end_time=1800 - 100 * c) for c in range(4)]
    bm = Beatmap(mode=MANIA, circle_size=4, timing_points=[RED], hit_objects=list(holds))
    events = beatmap_to_events(bm)
    assert in_time_order(events) != events
    for order in (events, in_time_order(events)):
        again = events_to_beatmap(order, replace(bm, hit_objects=[])).hit_objects
        assert [(o.time, o.end_time, bm.column(o)) for o in again if isinstance(o, Hold)] == [
            (o.time, o.end_time, bm.column(o)) for o in holds
        ]


def test_drumrolls_and_dendens() -> None:
    roll = Slider(0, 0, 1000, sound=4, path=SliderPath.of("L", [(0, 0), (900, 0)]), length=910)
    bm = bare(TAIKO, hit_objects=[roll, Spinner(256, 192, 6000, end_time=7000), Circle(0, 0, 8000, sound=8)])
    again = events_to_beatmap(beatmap_to_events(bm), bare(TAIKO))
    assert [again.end_time(obj) for obj in again.hit_objects] == [
        again.end_time(obj) for obj in bm.hit_objects
    ]
    assert [obj.sound & 14 for obj in again.hit_objects] == [4, 0, 8]
    drawn = again.hit_objects[0]
    assert isinstance(drawn, Slider) and drawn.path.natural_length() >= drawn.length


# --- lines ---------------------------------------------------------------------------------------


def test_no_line_without_need() -> None:
    wishes = Wishes(
        velocities=[(1000, 1.0), (2000, 1.0)],
        sounds=[(1000, Hitsound(volume=40)), (2000, Hitsound(volume=40))],
    )
    (line,) = build_lines([RED], wishes, objects_have_volume=False)
    assert (line.volume, line.sample_set, line.uninherited) == (40, 2, True)


def test_changes_at_one_time_share_a_line() -> None:
    quiet, loud = Hitsound(volume=40), Hitsound(volume=80)
    wishes = Wishes([(1000, 1.0), (2000, 1.5)], [(1000, quiet), (2000, loud)], [(2000, True)])
    red, green = build_lines([RED], wishes, objects_have_volume=False)
    assert (green.time, green.volume, green.velocity, green.kiai) == (2000, 80, pytest.approx(1.5), True)
    assert not red.kiai


def test_a_red_line_resets_the_velocity() -> None:
    reds = [RED, TimingPoint(3000, 400)]
    lines = build_lines(reds, Wishes([(1000, 2.0), (4000, 2.0)]), objects_have_volume=False)
    assert [(p.time, p.uninherited) for p in lines] == [
        (1000, True),
        (1000, False),
        (3000, True),
        (3000, False),
    ]


def test_the_first_line_never_has_kiai() -> None:
    red, green = build_lines([RED], Wishes(kiai=[(1000, True)]), objects_have_volume=False)
    assert (red.kiai, green.kiai, green.time) == (False, True, 1000)


def test_sample_sets_of_single_objects_are_their_own() -> None:
    """One drum sound among soft ones goes to the object, a run of them to a line."""
    circles = [
        Circle(0, 0, 1000.0 + 250 * i, sample=HitSample(3 if i == 3 or i >= 10 else 2)) for i in range(20)
    ]
    bm = events_to_beatmap(beatmap_to_events(bare(hit_objects=list(circles))), bare())
    assert [(p.time, p.sample_set) for p in bm.timing_points] == [(1000, 2), (3500, 3)]
    assert [i for i, obj in enumerate(bm.hit_objects) if obj.sample and obj.sample.normal_set] == [3]


# --- there and back ------------------------------------------------------------------------------


@st.composite
def tidy_maps(draw: st.DrawFn) -> Beatmap:
    """Maps of every mode, snapped, nothing concurrent, with lines that change anything."""
    mode = draw(st.integers(0, 3))
    beat = draw(st.sampled_from([250.0, 333.333333333333, 412.5, 600.0]))
    lines = [TimingPoint(500.0, beat, sample_set=draw(st.integers(1, 3)), volume=draw(st.integers(5, 100)))]
    for n in sorted(draw(st.sets(st.integers(1, 40), max_size=6))):
        velocity = draw(st.sampled_from([0.5, 0.75, 1.0, 1.3, 2.0]))
        fields = {"sample_set": draw(st.integers(1, 3)), "volume": draw(st.integers(5, 100))}
        effects = draw(st.integers(0, 1))
        lines.append(
            TimingPoint(
                math.floor(500 + n * beat), -100 / velocity, uninherited=False, effects=effects, **fields
            )
        )
    index = Beatmap(timing_points=lines)
    objects: list[Circle | Slider | Spinner | Hold] = []
    for n in range(draw(st.integers(1, 20))):
        time = float(math.floor(500 + 2 * n * beat))
        kind = draw(st.sampled_from([Circle, Slider, Spinner, Hold] if mode != MANIA else [Circle, Hold]))
        sound, sets = draw(st.sampled_from([0, 2, 4, 8, 10])), draw(st.integers(0, 3))
        x, y = float(draw(st.integers(0, 511))), float(draw(st.integers(0, 384)))
        shared = (x, y, time, draw(st.booleans()), 0, sound, HitSample(sets, draw(st.integers(0, 3))))
        if kind is Slider:
            length = 140 * index.velocity_at(time) * draw(st.sampled_from([0.25, 0.5, 1.0]))
            points = [
                (x, y),
                (float(draw(st.integers(0, 512))), float(draw(st.integers(0, 384)))),
                (x + 7, y),
            ]
            objects.append(
                Slider(*shared, path=SliderPath.of(draw(st.sampled_from("LPBC")), points), length=length)
            )
        elif kind is Circle:
            objects.append(Circle(*shared))
        elif mode == MANIA or kind is Spinner:
            objects.append(
                (Hold if mode == MANIA else Spinner)(*shared, end_time=float(math.floor(time + beat)))
            )
    return Beatmap(
        mode=mode, circle_size=4, timing_points=lines, hit_objects=list(objects), slider_multiplier=1.4
    )


def unscaled(event: Event) -> Event:
    """The event with its speed rounded as the rounded beat lengths of lines demand, and whole pixels."""
    place = {axis: value and round(value) for axis, value in (("x", event.x), ("y", event.y))}
    return replace(event, scroll_speed=event.scroll_speed and round(event.scroll_speed, 9), **place)


@settings(max_examples=40, deadline=None)
@given(tidy_maps())
def test_events_say_it_all(bm: Beatmap) -> None:
    events = beatmap_to_events(bm)
    again = events_to_beatmap(events, replace(bm, hit_objects=[], timing_points=bm.red_lines()))
    counts, bad = roundtrip().compare(bm, again)
    assert counts["all"] == len(
        [o for o in bm.hit_objects if bm.mode != MANIA or not isinstance(o, Slider)]
    ), bad
    reds = [p.time for p in again.timing_points if p.uninherited]
    greens = [p.time for p in again.timing_points if not p.uninherited]
    assert len(set(greens)) == len(greens) and len(set(reds)) == len(reds)
    assert all(time >= reds[0] for time in greens)
    assert [unscaled(e) for e in beatmap_to_events(again)] == [unscaled(e) for e in events]


@pytest.mark.parametrize("mode", range(4))
def test_human_maps_survive(mode: int, corpus_maps: Callable[..., list[Path]]) -> None:
    bench = roundtrip()
    for path in corpus_maps(4, mode=mode):
        bm = read_beatmap(path)
        counts, bad = bench.compare(bm, bench.rebuilt(bm))
        assert counts["all"] >= 0.995 * len(bm.hit_objects), (path, bad)


def test_a_path_that_ends_twice_in_one_place_can_be_drawn_on() -> None:
    """Coarse positions of a published model may fall together; the slider must last as long as was said."""
    place = {"hitsounds": (Hitsound(),)}
    said = [
        Event(EventKind.SLIDER_HEAD, 1000, 1, 336, 48, scroll_speed=1.0, **place),
        Event(EventKind.PERFECT_ANCHOR, 1100, None, 304, 48),
        Event(EventKind.LAST_ANCHOR, 1500, 1, 304, 48, **place), Event(EventKind.SLIDER_END, 1500, 1, **place),
    ]  # fmt: skip
    (slider,) = events_to_beatmap(said, Beatmap(), [TimingPoint(0, 500)]).hit_objects
    assert isinstance(slider, Slider) and slider.length == slider.span_length == 140
    assert [point.type for point in slider.path.points] == ["L", None]
