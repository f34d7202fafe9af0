"""Events as the diffusion sees them: a column for every part of an object that has a place on the field.

A column knows a time, a distance from the column before, a kind, and where it stands now. Sliders are kept beside
the columns, because where one ends follows from its other points.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import TimingPoint
from mapperatorinator.events import Event, EventKind

CENTRE = (256.0, 192.0)
KINDS = 16
SPINS = (2, 3)  # kinds of a spinner's columns
BAND = 128  # columns that the networks see at once when they are trained
_HEAD, _LAST, _END = 4, 10, 11
_KINDS = {
    EventKind.CIRCLE: 0, EventKind.SPINNER: 2, EventKind.SPINNER_END: 3, EventKind.SLIDER_HEAD: _HEAD,
    EventKind.BEZIER_ANCHOR: 6, EventKind.PERFECT_ANCHOR: 7, EventKind.CATMULL_ANCHOR: 8, EventKind.RED_ANCHOR: 9,
    EventKind.LAST_ANCHOR: _LAST, EventKind.SLIDER_END: _END,
}  # fmt: skip
_WITH_COMBO = (EventKind.CIRCLE, EventKind.SLIDER_HEAD)  # the next kind says: with a new combo
_ANCHORS = {6: "B", 7: "P", 8: "C", 9: "B"}
_RED = 9


@dataclass(frozen=True)
class SliderShape:
    """What decides where a slider ends: its points' columns (red ones twice), curve type, length in px."""

    points: tuple[int, ...]
    end: int
    curve: str
    length: float


@dataclass(frozen=True)
class Columns:
    """n columns: positions px (2, n), times ms (n,), distances px (n,), kinds (n,), the event of each, sliders."""

    positions: NDArray[np.float32]
    times: NDArray[np.float64]
    distances: NDArray[np.float64]
    kinds: NDArray[np.int64]
    events: tuple[int, ...]
    sliders: tuple[SliderShape, ...]

    def __len__(self) -> int:
        return len(self.events)


def columns_of(
    events: Sequence[Event], red_lines: Sequence[TimingPoint] = (), slider_multiplier: float = 1.4
) -> Columns:
    """The columns of a map's events, in their order; without red lines, no slider's length is known."""
    chosen = [index for index, event in enumerate(events) if event.kind in _KINDS]
    kinds = [_KINDS[events[i].kind] + (events[i].new_combo and events[i].kind in _WITH_COMBO) for i in chosen]
    positions = [CENTRE if (e := events[i]).x is None or e.y is None else (e.x, e.y) for i in chosen]
    times = _times(events, chosen)
    before = [CENTRE, *positions]
    distances = [events[i].distance or math.dist(before[k], positions[k]) for k, i in enumerate(chosen)]
    sliders = []
    for head, last, end in slider_columns(kinds):
        span, total = times[last] - times[head], times[end] - times[head]
        kinds[end] = _END + repeat_type(round(total / (span if span > 0 else 1)))
        if red_lines:
            event = events[chosen[head]]
            beat = _beat_length(red_lines, times[head])
            length = (event.scroll_speed or 1.0) * span * 100 / beat * slider_multiplier
            sliders.append(_shape(kinds, head, last, end, length))
    return Columns(
        np.array(positions, dtype=np.float32).reshape(-1, 2).T, np.array(times, dtype=np.float64),
        np.array(distances, dtype=np.float64), np.array(kinds, dtype=np.int64), tuple(chosen), tuple(sliders),
    )  # fmt: skip


def out_of_sight(length: int) -> NDArray[np.bool_]:
    """Whom a column does not see, (length, length): everyone further away than the networks saw in training."""
    apart = np.arange(length)[:, None] - np.arange(length)
    return (apart < -BAND) | (apart >= BAND)


def repeat_type(slides: int) -> int:
    """The class 0..4 of a slider's number of spans: 1, 2, 3, even, odd."""
    return slides - 1 if 1 <= slides < 4 else 0 if slides < 1 else 3 + slides % 2


def _times(events: Sequence[Event], chosen: Sequence[int]) -> list[float]:
    """Times of the columns; points between a slider's head and its last are spread evenly, in whole ms."""
    times: list[float] = []
    timed = [(k, events[i].time) for k, i in enumerate(chosen) if _KINDS[events[i].kind] not in _ANCHORS]
    following = iter([*timed, (len(chosen), timed[-1][1] if timed else 0)])
    at, time = next(following)
    now = 0.0
    for k in range(len(chosen)):
        if k == at:
            now = time
            at, time = next(following)
        else:
            left = at - k
            now = int((now - time) / (left + 1) * left + time)
        times.append(now)
    return times


def slider_columns(kinds: Sequence[int]) -> Iterable[tuple[int, int, int]]:
    """Head, last point and end of every whole slider."""
    head = last = None
    for column, kind in enumerate(kinds):
        if kind in (_HEAD, _HEAD + 1):
            head, last = column, None
        elif kind == _LAST:
            last = column
        elif kind == _END and head is not None and last is not None:
            yield head, last, column
            head = last = None


def _shape(kinds: Sequence[int], head: int, last: int, end: int, length: float) -> SliderShape:
    points, curve = [head], ""
    for column in range(head + 1, end):
        if kinds[column] in _ANCHORS:
            curve = curve or _ANCHORS[kinds[column]]
            points += [column, column] if kinds[column] == _RED else [column]
        elif kinds[column] == _LAST:
            points.append(column)
    return SliderShape(tuple(points), end, curve or "B", length)


def _beat_length(red_lines: Sequence[TimingPoint], time: float) -> float:
    at = bisect_right([line.time for line in red_lines], time)
    return red_lines[max(at - 1, 0)].beat_length
