"""Maps with everything wrong that a drawn map can have wrong, for the repairs to repair."""

from __future__ import annotations

from hypothesis import strategies as st

from mapperatorinator.beatmap import (
    MANIA,
    Beatmap,
    Circle,
    HitObject,
    HitSample,
    Hold,
    Slider,
    SliderPath,
    Spinner,
    TimingPoint,
)

LENGTH = 40_000
NAMES = ("x", "Easy", "Normal", "Hard", "Cup", "Salad", "Platter", "Kantan", "Muzukashii")

times = st.integers(-300, LENGTH) | st.floats(-300, LENGTH)
places = st.tuples(st.floats(-150, 662), st.floats(-150, 534))
sounds = st.sampled_from([0, 2, 4, 8, 14])
samples = st.none() | st.builds(
    HitSample, st.integers(0, 3), st.integers(0, 3), st.just(0), st.sampled_from([0, 3, 80])
)
lengths = st.floats(1, 400) | st.sampled_from([0.0, -5.0, 0.01, 3000.0])


@st.composite
def sliders(draw: st.DrawFn) -> Slider:
    """Sliders of all curves, short, long, straight through the edge of the screen, and without a path."""
    head = draw(places)
    points = [head, *draw(st.lists(places, max_size=6))]
    if draw(st.integers(0, 9)) == 0:
        points = [head] * len(points)
    return Slider(
        *head, draw(times), draw(st.booleans()), 0, draw(sounds), draw(samples),
        path=SliderPath.of(draw(st.sampled_from("LPBC")), points),
        slides=draw(st.sampled_from([1, 1, 1, 2, 3, 9, 0])),
        length=draw(lengths),
    )  # fmt: skip


@st.composite
def objects(draw: st.DrawFn, mode: int) -> HitObject:
    """Any object of the mode."""
    kind = draw(
        st.sampled_from([Circle, Hold] if mode == MANIA else [Circle, Circle, Slider, Slider, Spinner])
    )
    if kind is Slider:
        return draw(sliders())
    time = draw(times)
    shared = (*draw(places), time, draw(st.booleans()), 0, draw(sounds), draw(samples))
    if kind is Circle:
        return Circle(*shared)
    return kind(*shared, end_time=time + draw(st.sampled_from([-10, 0, 5, 25, 100, 600, 3000, 20_000])))


@st.composite
def lines(draw: st.DrawFn) -> list[TimingPoint]:
    """Red and green lines in any order, some of them no lines at all."""
    beat = 60_000 / draw(st.sampled_from([60, 128, 150, 180, 222.22, 333]))
    first = TimingPoint(
        draw(st.floats(-500, 3000)), beat, draw(st.sampled_from([3, 4, 5, 0])), draw(st.integers(0, 3)), 0,
        draw(st.integers(0, 120)), True, draw(st.sampled_from([0, 1, 8, 9])),
    )  # fmt: skip
    reds = st.builds(
        TimingPoint,
        st.floats(-1000, LENGTH),
        st.sampled_from([beat, beat, 600.0, 352.9, float("nan"), 1e9, -3.0]),
    )
    greens = st.builds(
        TimingPoint, st.floats(-1000, LENGTH), st.floats(-10_000, -12), st.just(4), st.integers(0, 3),
        st.integers(0, 2), st.integers(0, 100), st.just(False), st.integers(0, 1),
    )  # fmt: skip
    return [*draw(st.lists(greens, max_size=6)), first, *draw(st.lists(reds, max_size=3))]


@st.composite
def damaged_maps(draw: st.DrawFn, mode: int) -> Beatmap:
    """A map of `mode` on which everything may be wrong but its metadata."""
    return Beatmap(
        mode=mode,
        title="title", title_unicode="title", artist="artist", artist_unicode="artist", creator="creator",
        difficulty_name=draw(st.sampled_from(NAMES)),
        circle_size=draw(st.sampled_from([4, 7])) if mode == MANIA else draw(st.floats(-1, 11)),
        approach_rate=draw(st.floats(0, 12)),
        overall_difficulty=draw(st.floats(0, 11)),
        slider_multiplier=draw(st.floats(0.2, 5)),
        slider_tick_rate=draw(st.sampled_from([1, 0.3, 2, 1.7])),
        timing_points=draw(lines()),
        hit_objects=draw(st.lists(objects(mode), max_size=40)),
    )  # fmt: skip
