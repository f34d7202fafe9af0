"""Rules about how osu! objects lie and read."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..beatmap import Slider, Spinner
from .issue import MINOR, PROBLEM, WARNING, Finding, minor, problem, warning
from .levels import Level
from .registry import OSU, Category, check
from .snapping import Floats
from .view import MapView, difficulty_range

# What a 4:3 screen shows, in px of the playfield (Mapset Verifier and lazer, measured in the game).
LEFT, TOP, RIGHT, BOTTOM = -67.0, -60.0, 579.0, 428.0
OFFSCREEN_ROUNDING = 0.1  # px below which nothing can be seen to be missing
BODY_STEP = 2.0  # px between the points of a slider body that are looked at

NINJA_PROBLEM, NINJA_WARNING = (450.0, 17.0, 17.0), (500.0, 21.8, 20.0)  # ms at OD 5, per OD below, above
ABNORMAL_GAP = 180.0  # ms between objects up to which spacing is compared (1/2 at 160 BPM)
ABNORMAL_RATIOS = ((15.0, problem), (4.0, warning), (2.0, minor))
ABNORMAL_SAME_GAP = 5.0  # ms
ABNORMAL_MIN_DISTANCE = 20.0  # px
ABNORMAL_MEMORY = 4000.0  # ms after which an example fades
ABNORMAL_MIN_EXAMPLES = 3
SLIDER_RUN, SLIDER_RUN_TIME = 6, 5000.0  # more sliders than this in a row, for longer than this in ms
REVERSE_NEAR, REVERSE_OPAQUE = 1 / 1.75, (1200.0, 800.0, 300.0)  # radii; ms at AR 0, 5, 10


def offscreen_by(points: Floats, radius: float) -> float:
    """How many px the circle of `radius` around the worst of `points` (n, 2) sticks out of a 4:3 screen."""
    xs, ys = points[:, 0], points[:, 1]
    out = max(
        float(xs.max()) + radius - RIGHT, LEFT - float(xs.min()) + radius,
        float(ys.max()) + radius - BOTTOM, TOP - float(ys.min()) + radius,
    )  # fmt: skip
    return max(0.0, out)


@check(
    "offscreen", Category.COMPOSE, "A circle, slider body or stack sticks out of a 4:3 screen.",
    "MV CheckOffscreen; lazer CheckOffscreenObjects", (PROBLEM,), modes=(OSU,), gate=True,
)  # fmt: skip
def offscreen(view: MapView) -> Iterator[Finding]:
    for i, obj in enumerate(view.objects):
        if isinstance(obj, Spinner):
            continue
        out = offscreen_by(np.array([view.heads[i]]), view.radius)
        if out > OFFSCREEN_ROUNDING:
            yield problem(f"{view.edge_name(i, 0)} is {out:.2g} px offscreen.", None, i)
        elif isinstance(obj, Slider) and obj.length > 0:
            body = obj.path.sample(obj.length, BODY_STEP) + view.stack_shift(i)
            out = offscreen_by(body, view.radius)
            if out > OFFSCREEN_ROUNDING:
                yield problem(f"The slider body is {out:.2g} px offscreen.", None, i)


def _at_difficulty(value: float, base: tuple[float, float, float]) -> float:
    middle, below, above = base
    return middle + (value - 5) * (below if value < 5 else above)


@check(
    "ninja_spinner", Category.COMPOSE, "A spinner is too short for Auto to reach 1000 points of bonus.",
    "MV CheckNinjaSpinner; lazer CheckTooShortSpinners", (PROBLEM, WARNING), modes=(OSU,), gate=True,
)  # fmt: skip
def ninja_spinner(view: MapView) -> Iterator[Finding]:
    od = view.beatmap.overall_difficulty
    for i, obj in enumerate(view.objects):
        if not isinstance(obj, Spinner):
            continue
        length = obj.end_time - obj.time
        if length < _at_difficulty(od, NINJA_PROBLEM):
            yield problem(f"The spinner lasts {length:.0f} ms; Auto gets no bonus.", None, i)
        elif length < _at_difficulty(od, NINJA_WARNING):
            yield warning(f"The spinner lasts {length:.0f} ms; Auto may get no bonus.", None, i)


@check(
    "slider_only_section", Category.COMPOSE, "More than six sliders and 5 s without a circle.",
    "MV CheckSliderOnlySections", (MINOR,), modes=(OSU,), levels=(Level.EASY, Level.NORMAL),
)  # fmt: skip
def slider_only_section(view: MapView) -> Iterator[Finding]:
    first = 0
    for i in range(len(view.objects) + 1):
        if i < len(view.objects) and isinstance(view.objects[i], Slider):
            continue
        if i - first > SLIDER_RUN and view.ends[i - 1] - view.starts[first] > SLIDER_RUN_TIME:
            seconds = (view.ends[i - 1] - view.starts[first]) / 1000
            yield minor(f"{i - first} sliders and no circle for {seconds:.0f} s.", None, first)
        first = i + 1


@check(
    "obscured_reverse", Category.COMPOSE, "An object ends over a reverse arrow shortly before it is needed.",
    "MV CheckObscuredReverse", (WARNING,), modes=(OSU,), levels=(Level.EASY, Level.NORMAL, Level.HARD, Level.INSANE),
)  # fmt: skip
def obscured_reverse(view: MapView) -> Iterator[Finding]:
    opaque = difficulty_range(view.beatmap.approach_rate, *REVERSE_OPAQUE)
    for i, obj in enumerate(view.objects):
        if not isinstance(obj, Slider) or obj.slides < 2 or obj.length <= 0:
            continue
        time = obj.time + view.spans[i]
        x, y = obj.path.position_at(1.0, obj.length)
        arrow = (x + view.stack_shift(i), y + view.stack_shift(i))
        first = view.around(time - opaque).start
        for other in range(first, view.first_at_or_after(time)):
            end = view.ends[other]
            if other == i or isinstance(view.objects[other], Spinner) or not time - opaque < end < time:
                continue
            if math.dist(view.tails[other], arrow) < view.radius * REVERSE_NEAR:
                yield warning("A reverse arrow is covered by an object just before it.", None, i, other)
                break


@check(
    "abnormal_spacing", Category.COMPOSE, "Two objects are far wider apart than others of the same gap in time.",
    "MV CheckAbnormalSpacing", (PROBLEM, WARNING, MINOR), modes=(OSU,), gate=True,
)  # fmt: skip
def abnormal_spacing(view: MapView) -> Iterator[Finding]:
    gaps, distances, times, sliders = (np.zeros(len(view.objects)) for _ in range(4))
    seen = 0
    for i in range(len(view.objects) - 1):
        obj, following = view.objects[i], view.objects[i + 1]
        gap = view.starts[i + 1] - view.ends[i]
        if isinstance(obj, Spinner) or isinstance(following, Spinner) or not 0 < gap <= ABNORMAL_GAP:
            continue
        is_slider = isinstance(obj, Slider)
        distance = max(ABNORMAL_MIN_DISTANCE, math.dist(view.tails[i], view.heads[i + 1]))
        alike = np.abs(gaps[:seen] - gap) <= ABNORMAL_SAME_GAP
        alike &= sliders[:seen] == is_slider
        if distance > view.radius * 4 and alike.sum() >= ABNORMAL_MIN_EXAMPLES:
            past_gaps, past = gaps[:seen][alike], distances[:seen][alike]
            decay = np.minimum(ABNORMAL_MEMORY / np.maximum(obj.time - times[:seen][alike], 1.0), 1.0)
            if distance / gap >= (past / past_gaps * decay).max():
                reach = distance - (min(view.radius * 3, distance) if is_slider else 0.0)
                ratio = reach / gap / ((past * decay).sum() / (past_gaps * decay).sum())
                for least, say in ABNORMAL_RATIOS:
                    if ratio > least:
                        yield say(f"{ratio:.1f} times the spacing expected here.", None, i, i + 1)
                        break
        gaps[seen], distances[seen], times[seen], sliders[seen] = gap, distance, obj.time, is_slider
        seen += 1
