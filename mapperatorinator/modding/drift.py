"""How far a map's red lines are from the beat that is heard: offset and drift of every section.

The tracker's beat curve is folded onto the map's beats in windows of sixteen; the phase of each window says how
early or late the grid is there. Their median is the section's offset, their slope its error of tempo.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.timing import Timing
from mapperatorinator.timing.constant import Array, at, probability
from mapperatorinator.timing.tracker import Activations

Floats = NDArray[np.float64]

_WINDOW_BEATS = 16
_LEAST_WINDOWS = 3
_STEPS = 24  # places in a beat at which the curve is read
_CLEAR = 0.12  # share of the curve that must agree on a phase; what is below says nothing
_PLAINER = 1.5  # so much plainer must twice the beat be heard to be followed instead
_NOISE_MS = 4.0  # offsets of this size are rounding and taste


@dataclass(frozen=True)
class Drift:
    """One section: `late` ms by which the grid is late (negative: early) in its middle, `wander` ms by which that
    grows from its start to its end, `faster` the share by which the music is faster than the grid (0.003 = 0.3 %),
    `clear` how plainly beats are heard on one phase, 0..1, `error` standard error of `late` in ms."""

    start: float
    end: float
    late: float
    wander: float
    faster: float
    clear: float
    error: float


def drifts(heard: Activations, timing: Timing, start: float, end: float) -> list[Drift]:
    """The sections of a map between two times in ms in which enough beats are heard; short ones join."""
    curve = probability(heard.beat)
    end = min(end, heard.duration_ms)
    edges = _sections(timing, start, end)
    found = [_drift(curve, timing, low, high) for low, high in zip(edges, edges[1:], strict=False)]
    return [one for one in found if one is not None]


def _sections(timing: Timing, start: float, end: float) -> list[float]:
    """Red lines between the times that are at least three windows apart, and the times themselves."""
    edges = [start]
    for point in timing.points:
        least = _LEAST_WINDOWS * _WINDOW_BEATS * timing.point_at(edges[-1]).beat_length
        if point.time - edges[-1] >= least and end - point.time >= least:
            edges.append(point.time)
    return [*edges, end]


def _drift(curve: Array, timing: Timing, start: float, end: float) -> Drift | None:
    first, last = int(np.ceil(timing.beat_at(start))), int(np.floor(timing.beat_at(end)))
    numbers = np.arange(first, last - _WINDOW_BEATS + 1, _WINDOW_BEATS)
    if len(numbers) < _LEAST_WINDOWS:
        return None
    beats = numbers[:, None] + np.arange(0, _WINDOW_BEATS, 1 / _STEPS)
    values = at(curve, timing.time_of(beats))
    turn = np.exp(2j * np.pi * beats)
    length = timing.time_of(numbers + _WINDOW_BEATS) - timing.time_of(numbers)
    length = np.maximum(length / _WINDOW_BEATS, 1.0)
    folded = np.stack([(values * turn**times).sum(axis=1) for times in (1, 2)])
    strength = np.abs(folded).sum(axis=1)
    times = 2 if strength[1] > _PLAINER * strength[0] else 1  # a map may count half as fast as the tracker
    folded = folded[times - 1]
    weight = np.abs(folded)
    clear = float(weight.sum() / max(values.sum(), 1e-9))
    if clear < _CLEAR or weight.sum() < 1.0:
        return None
    phase = np.unwrap(np.angle(folded)) / (2 * np.pi * times)
    middle = timing.time_of(numbers + _WINDOW_BEATS / 2)
    late = -phase * length
    late -= np.round(np.median(late) / length * times) * length / times
    return _line(middle, late, weight, start, end, clear)


def _line(middle: Floats, late: Floats, weight: Floats, start: float, end: float, clear: float) -> Drift:
    """A robust straight line through what the windows say."""
    robust = weight.copy()
    slope, centre = 0.0, float(np.average(middle, weights=weight))
    here = float(np.median(late))
    for _ in range(6):
        off = late - here - slope * (middle - centre)
        scale = max(_NOISE_MS, 1.48 * float(np.median(np.abs(off))))
        robust = weight * np.clip(1 - (off / (4 * scale)) ** 2, 1e-6, None) ** 2
        centre = float(np.average(middle, weights=robust))
        spread = float((robust * (middle - centre) ** 2).sum())
        here = float(np.average(late, weights=robust))
        slope = float((robust * (middle - centre) * (late - here)).sum() / max(spread, 1e-9))
    error = scale / np.sqrt(max((robust.sum() / robust.max()), 1.0))
    halfway = here + slope * ((start + end) / 2 - centre)
    return Drift(start, end, halfway, slope * (end - start), slope, clear, float(error))
