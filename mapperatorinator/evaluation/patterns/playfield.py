"""Patterns on the playfield: spacing, angles, sliders and combos of osu!, dashes of catch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import Beatmap, Slider, Spinner
from mapperatorinator.evaluation.distributions import Counts, Profile, histogram, tally
from mapperatorinator.evaluation.patterns.common import (
    CLASS_EDGES,
    PHRASE,
    QUARTER,
    Values,
    combo_lengths,
    common_features,
    runs,
    timing_of,
)

SAME_GAP_MS = 4.0
STILL_PX = 8.0  # steps shorter than this have no direction
JUMP_RADII = 3.0  # a jump is at least this many circle radii long
JUMP_BEATS = 0.6
SHAPES = ("straight", "arc", "curve", "kinked", "catmull")
SPEED_EDGES = np.concatenate(([0.01], np.arange(0.1, 3.01, 0.1)))  # px per ms; the first bin is the stack
CHANGE_EDGES = np.array([1.0, 2, 4, 8, 16, 32, 64, 128, 256])  # px
REACH_EDGES = np.concatenate((np.arange(0.0, 0.95, 0.05), [0.95, 0.98, 1.005]))
HYPER_EDGES = np.arange(0.0, 2.01, 0.05)


class Points(NamedTuple):
    """Where the player's cursor has to be: heads and slider ends in order of time, shape (n,) each."""

    time: Values
    x: Values
    y: Values
    beat: Values
    head: NDArray[np.bool_]


def points_of(beatmap: Beatmap) -> Points:
    """Circles, slider heads and the places where sliders stop."""
    rows: list[tuple[float, float, float, bool]] = []
    for obj in beatmap.hit_objects:
        if isinstance(obj, Spinner):
            continue
        rows.append((obj.time, obj.x, obj.y, True))
        if isinstance(obj, Slider):
            x, y = stop_of(obj)
            rows.append((beatmap.end_time(obj), x, y, False))
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    table = table[np.isfinite(table).all(axis=1)]
    time, x, y, head = table.T
    return Points(time, x, y, timing_of(beatmap).beat_at(time), head > 0)


def stop_of(slider: Slider) -> tuple[float, float]:
    """Where the ball stops: the head again after an even number of spans."""
    if slider.slides % 2 == 0:
        return slider.x, slider.y
    return slider.path.position_at(1.0, slider.length)


def playfield_features(beatmap: Beatmap) -> Profile:
    """All features of an osu! map."""
    points = points_of(beatmap)
    heads = points.beat[points.head]
    return {
        **common_features(beatmap, heads),
        **_steps(points, _radius(beatmap)),
        **_sliders(beatmap),
        "combo length": combo_lengths(beatmap),
        "x": histogram(points.x, np.arange(0, 513, 32)),
        "y": histogram(points.y, np.arange(0, 385, 32)),
    }


def catch_features(beatmap: Beatmap) -> Profile:
    """All features of a catch map: only the horizontal way counts."""
    points = points_of(beatmap)
    gap, beats = np.diff(points.time), np.diff(points.beat)
    way = np.diff(points.x)
    usable = (beats <= PHRASE) & (gap >= 1) & points.head[1:]
    speed = np.abs(way[usable]) / gap[usable]
    sign = np.where(np.abs(way) < STILL_PX, 0, np.sign(way)).astype(int)
    turns = (sign[1:] * 3 + sign[:-1] + 4)[usable[1:] & usable[:-1]]
    return {
        **common_features(beatmap, points.beat[points.head]),
        **_sliders(beatmap),
        "dash": histogram(speed, HYPER_EDGES),
        "dash distance": histogram(np.abs(way[usable]), np.arange(0, 513, 16)),
        "direction": tally(turns, 9),
        "combo length": combo_lengths(beatmap),
        "x": histogram(points.x, np.arange(0, 513, 32)),
    }


def _radius(beatmap: Beatmap) -> float:
    """The radius of a circle in osu! pixels."""
    return 54.4 - 4.48 * beatmap.circle_size


def _steps(points: Points, radius: float) -> Profile:
    gap, beats = np.diff(points.time), np.diff(points.beat)
    step = np.column_stack((np.diff(points.x), np.diff(points.y)))
    way = np.hypot(step[:, 0], step[:, 1])
    near = (beats <= PHRASE) & (gap >= 1)
    jump = near & points.head[1:]  # ways between objects, not along sliders
    same = near[1:] & near[:-1] & (np.abs(gap[1:] - gap[:-1]) <= SAME_GAP_MS) & jump[1:] & jump[:-1]
    turning = near[1:] & near[:-1] & (np.minimum(way[1:], way[:-1]) > STILL_PX)
    dot = (step[1:] * step[:-1]).sum(axis=1)[turning] / (way[1:] * way[:-1])[turning]
    fast = jump & (way >= JUMP_RADII * radius) & (beats <= JUMP_BEATS) & (beats > QUARTER)
    return {
        "spacing/time": histogram(way[jump] / gap[jump], SPEED_EDGES),
        "spacing": histogram(way[jump], np.arange(0, 513, 16)),
        "angle": histogram(np.degrees(np.arccos(np.clip(dot, -1, 1))), np.arange(10, 180, 10)),
        "spacing change": histogram(np.abs(way[1:] - way[:-1])[same], CHANGE_EDGES),
        "jump run": runs(fast),
    }


def _sliders(beatmap: Beatmap) -> Profile:
    sliders = [o for o in beatmap.hit_objects if isinstance(o, Slider) and o.length > 0]
    timing = timing_of(beatmap)
    lengths = np.array([s.length for s in sliders])
    ends = np.array([s.path.position_at(1.0, s.length) for s in sliders]).reshape(-1, 2)
    heads = np.array([(s.x, s.y) for s in sliders]).reshape(-1, 2)
    start = np.array([s.time for s in sliders], dtype=np.float64)
    span = np.array([beatmap.slider_span_duration(s) for s in sliders], dtype=np.float64)
    beats = timing.beat_at(start + span) - timing.beat_at(start)
    reach = np.hypot(*(ends - heads).T) / lengths if sliders else lengths
    return {
        "slider reach": histogram(reach, REACH_EDGES),
        "slider beats": histogram(beats, CLASS_EDGES),
        "slider length": histogram(lengths, np.arange(20, 401, 20)),
        "slides": tally([s.slides for s in sliders], 7),
        "slider shape": _shapes(sliders),
    }


def _shapes(sliders: list[Slider]) -> Counts:
    return tally([SHAPES.index(shape_of(s)) for s in sliders], len(SHAPES))


def shape_of(slider: Slider) -> str:
    """The shape class of a slider, one of SHAPES."""
    segments = list(slider.path.segments())
    kinds = {kind[0] for kind, _ in segments}
    if "C" in kinds:
        return "catmull"
    if len(segments) > 1:
        return "kinked"
    if not segments or kinds == {"L"} and len(segments[0][1]) == 2 or len(segments[0][1]) == 2:
        return "straight"
    if kinds == {"L"}:
        return "kinked"
    return "arc" if kinds == {"P"} else "curve"
