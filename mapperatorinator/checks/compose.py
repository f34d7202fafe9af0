"""Rules about objects that hold in every mode."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..beatmap import Hold, Slider, Spinner
from .issue import MINOR, PROBLEM, WARNING, Finding, minor, problem, warning
from .registry import ALL_MODES, CATCH, MANIA, OSU, TAIKO, Category, check
from .view import MapView

MIN_GAP = 10.0  # ms from the end of an object to the next (ranking criteria)
MIN_GAP_AFTER_SLIDER = 20.0  # ms, osu! and taiko (ranking criteria)
MIN_COLUMN_GAP = 30.0  # ms within a mania column (Mapset Verifier)
MIN_DRAIN = 30_000.0  # ms (ranking criteria)
MIN_DURATION = 0.5  # ms; shorter sliders, spinners and holds are circles (lazer, CheckZeroLengthObjects)
NODES_PER_ROOT_PIXEL = 10.0  # (Mapset Verifier, CheckAbnormalNodes)
FIRST_FRACTIONAL_VERSION = 128  # the file format from which times may have fractions


@check(
    "no_objects", Category.COMPOSE, "The map has no hit objects.", "playability", (PROBLEM,), gate=True,
)  # fmt: skip
def no_objects(view: MapView) -> Iterator[Finding]:
    if not view.objects:
        yield problem("There are no hit objects.")


def _pairs(view: MapView) -> Iterator[tuple[int, int, float]]:
    """(earlier, later, gap in ms) of each object and the one it could collide with."""
    latest: dict[int, int] = {}
    for i, obj in enumerate(view.objects):
        lane = view.beatmap.column(obj) if view.mode == MANIA else 0
        before = latest.get(lane)
        if before is not None:
            yield before, i, view.starts[i] - view.ends[before]
        if before is None or view.ends[i] >= view.ends[before]:
            latest[lane] = i


@check(
    "concurrent_objects", Category.COMPOSE, "An object starts before another has ended (mania: in its column).",
    "MV CheckConcurrent; lazer CheckConcurrentObjects", (PROBLEM,), gate=True,
)  # fmt: skip
def concurrent_objects(view: MapView) -> Iterator[Finding]:
    for before, i, gap in _pairs(view):
        if gap <= 0 or (gap < 1 and not isinstance(view.objects[i], Spinner)):
            kinds = f"{view.kind(before)} and {view.kind(i).lower()}"
            yield problem(f"{kinds} at the same time.", view.starts[i], i, before)


@check(
    "close_objects", Category.COMPOSE,
    "Two objects are less than 10 ms apart (mania: 30 ms within a column; 20 ms after a slider is advised).",
    "MV CheckConcurrent; ranking criteria", (PROBLEM, WARNING, MINOR), gate=True,
)  # fmt: skip
def close_objects(view: MapView) -> Iterator[Finding]:
    for before, i, gap in _pairs(view):
        if gap < 1 or isinstance(view.objects[i], Spinner):
            continue
        if gap < MIN_GAP:
            yield problem(f"Only {gap:.3g} ms after the object before it.", view.starts[i], i, before)
        elif view.mode == MANIA and gap < MIN_COLUMN_GAP:
            yield warning(
                f"Only {gap:.3g} ms after the note before it in this column.", view.starts[i], i, before
            )
        elif (
            view.mode in (OSU, TAIKO)
            and gap < MIN_GAP_AFTER_SLIDER
            and isinstance(view.objects[before], Slider)
        ):
            yield minor(f"Only {gap:.3g} ms after the end of a slider.", view.starts[i], i, before)


@check(
    "drain_time", Category.COMPOSE, "Less than 30 seconds of drain time.",
    "MV CheckDrainTime; lazer CheckDrainLength", (PROBLEM,), gate=True,
)  # fmt: skip
def drain_time(view: MapView) -> Iterator[Finding]:
    if view.objects and view.drain_time < MIN_DRAIN:
        yield problem(
            f"The drain time is {view.drain_time / 1000:.1f} s, less than {MIN_DRAIN / 1000:.0f} s."
        )


@check(
    "invisible_slider", Category.COMPOSE, "A slider has no path, no length or no span.", "MV CheckInvisibleSlider",
    (PROBLEM,), modes=(OSU, CATCH, TAIKO), gate=True,
)  # fmt: skip
def invisible_slider(view: MapView) -> Iterator[Finding]:
    for i, obj in enumerate(view.objects):
        if not isinstance(obj, Slider):
            continue
        if len(obj.path.points) < 2:
            yield problem("The slider has no curve points.", None, i)
        elif not obj.length > 0:
            yield problem(f"The slider is {obj.length:.3g} px long.", None, i)
        elif obj.slides < 1:
            yield problem("The slider has no span.", None, i)


@check(
    "zero_length", Category.COMPOSE, "A slider, spinner or hold ends when it starts.", "lazer CheckZeroLengthObjects",
    (PROBLEM,), gate=True,
)  # fmt: skip
def zero_length(view: MapView) -> Iterator[Finding]:
    for i, obj in enumerate(view.objects):
        if isinstance(obj, (Slider, Spinner, Hold)) and view.ends[i] - obj.time < MIN_DURATION:
            yield problem(f"{view.kind(i)} lasts {view.ends[i] - obj.time:.3g} ms.", None, i)


@check(
    "abnormal_nodes", Category.COMPOSE, "A slider has more nodes than 10 times the square root of its length in px.",
    "MV CheckAbnormalNodes", (WARNING,), modes=ALL_MODES - {MANIA},
)  # fmt: skip
def abnormal_nodes(view: MapView) -> Iterator[Finding]:
    for i, obj in enumerate(view.objects):
        if isinstance(obj, Slider) and len(obj.path.points) > NODES_PER_ROOT_PIXEL * math.sqrt(
            max(obj.length, 0.0)
        ):
            yield warning(f"The slider has {len(obj.path.points)} nodes.", None, i)


@check(
    "fractional_time", Category.COMPOSE, "A time is not a whole millisecond (formats before v128 cannot hold it).",
    "file format", (PROBLEM,), gate=True,
)  # fmt: skip
def fractional_time(view: MapView) -> Iterator[Finding]:
    if view.beatmap.version >= FIRST_FRACTIONAL_VERSION:
        return
    for i, obj in enumerate(view.objects):
        times = (obj.time, obj.end_time) if isinstance(obj, (Spinner, Hold)) else (obj.time,)
        if any(time != round(time) for time in times):
            yield problem(f"{view.kind(i)} at {obj.time!r} ms is not on a whole millisecond.", None, i)


@check(
    "negative_time", Category.COMPOSE, "An object starts before the song does.", "playability", (PROBLEM,), gate=True,
)  # fmt: skip
def negative_time(view: MapView) -> Iterator[Finding]:
    for i, start in enumerate(view.starts):
        if start >= 0:
            break
        yield problem(f"{view.kind(i)} starts {-start:.0f} ms before the song.", None, i)
