"""No map, however damaged, makes a check fail."""

from __future__ import annotations

import math
from random import Random

from checks_maps import clean_map
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mapperatorinator.beatmap import (
    Beatmap,
    Break,
    Circle,
    HitObject,
    HitSample,
    Hold,
    PathPoint,
    Slider,
    SliderPath,
    Spinner,
    TimingPoint,
)  # fmt: skip
from mapperatorinator.checks import run_checks, run_set_checks


def _time(rng: Random) -> float:
    return rng.choice((rng.uniform(-2e4, 2e6), rng.randrange(66_000), rng.randrange(100) * 400.0 + 1000))


def _object(rng: Random) -> HitObject:
    x, y = (rng.choice((256.0, rng.uniform(-600, 1200))) for _ in range(2))
    time, sample = _time(rng), rng.choice((None, HitSample(1, 2), HitSample(volume=3, filename="a.wav")))
    common = (x, y, time, rng.random() < 0.5, rng.randrange(8), rng.randrange(16), sample)
    kind = rng.randrange(4)
    if kind == 0:
        return Circle(*common)
    if kind < 3:
        return (Spinner, Hold)[kind - 1](*common, end_time=time + rng.uniform(-1e3, 1e4))
    nodes = [(rng.uniform(-600, 1200), rng.uniform(-600, 1200)) for _ in range(rng.randrange(6))]
    path = SliderPath((PathPoint(x, y, rng.choice("BLPC")), *(PathPoint(*node) for node in nodes)))
    slides = rng.choice((1, 1, 2, 3, rng.randrange(1, 9000)))
    return Slider(*common, path=path, slides=slides, length=rng.choice((rng.uniform(-10, 500), 2e4, 1e-9)))


def _line(rng: Random) -> TimingPoint:
    beat = rng.choice((rng.uniform(-1e4, 1e5), 0.0, math.nan, -1e-9, 400.0, -100.0))
    return TimingPoint(
        _time(rng), beat, rng.randrange(9), rng.randrange(4), 0, rng.randrange(-5, 150), rng.random() < 0.5,
        rng.choice((0, 1, 8, 9)),
    )  # fmt: skip


def _map(rng: Random) -> Beatmap:
    bm = clean_map(rng.randrange(4))
    if rng.random() < 0.5:
        bm.hit_objects = bm.hit_objects[:: rng.choice((1, 50, 500))]
        bm.timing_points = bm.timing_points[: rng.randrange(2)]
    bm.version = rng.choice((3, 5, 14, 128))
    bm.hit_objects += [_object(rng) for _ in range(rng.randrange(12))]
    bm.timing_points += [_line(rng) for _ in range(rng.randrange(6))]
    if rng.random() < 0.9:
        bm.hit_objects.sort(key=lambda obj: obj.time)
        bm.timing_points.sort(key=lambda line: line.time)
    bm.breaks = [Break(_time(rng), _time(rng)) for _ in range(rng.randrange(3))]
    bm.slider_multiplier = rng.choice((0.4, 1.4, 3.6, 0.0))
    bm.slider_tick_rate = rng.choice((0.0, 0.5, 1.0, 8.0))
    bm.circle_size = rng.choice((0.0, 4.0, 7.0, 9.5, 18.0))
    bm.difficulty_name = rng.choice(("", "Easy", "Salad", "Oni", "X's \N{BLACK STAR}"))
    return bm


@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate], derandomize=True)
@given(st.integers(0, 2**32))
def test_nothing_makes_a_check_fail(seed: int) -> None:
    rng = Random(seed)
    beatmaps = [_map(rng) for _ in range(3)]
    for bm in beatmaps:
        for issue in run_checks(bm):
            assert str(issue) and issue.to_dict()
    run_set_checks(beatmaps)
