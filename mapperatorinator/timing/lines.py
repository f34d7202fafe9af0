"""Fewest straight lines through a list of beats: where each red line starts and how long its beats are.

A line costs a price, and so does every beat's distance from its line; the cheapest cover is found exactly by
dynamic programming over weighted least-squares fits (minimum description length).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import TimingPoint
from mapperatorinator.timing.constant import Array
from mapperatorinator.timing.grid import Timing, red_line
from mapperatorinator.timing.tempo import round_bpm

PRICE = 14.0  # of a line, in nats
SIGMA = 7.0  # ms: how far a beat may lie from its line
SHORTEST = 4  # beats under one line
LEAST = 0.3  # ms: beats are not trusted to lie nearer to their line


@dataclass(frozen=True)
class Line:
    """Beats `first` to before `last` of a list lie on offset + (i - first) * beat_length, in ms.

    error: standard error of the beat length in ms, from how far the beats lie off the line.
    """

    first: int
    last: int
    offset: float
    beat_length: float
    error: float


def straight_lines(
    beats: Array, weights: Array | None = None, price: float = PRICE, sigma: float = SIGMA
) -> list[Line]:
    """Cover beats (ms, increasing) with the cheapest list of lines; `weights` 0 to 1 say how sure each beat is."""
    weights = np.ones(len(beats)) if weights is None else weights
    sums = _Sums(beats, np.maximum(weights, 1e-3))
    count = len(beats)
    cost = np.full(count + 1, np.inf)
    cost[0] = 0.0
    origin = np.zeros(count + 1, int)
    for last in range(min(SHORTEST, count), count + 1):
        first = np.arange(0, max(last - SHORTEST + 1, 1))
        total = cost[first] + price + sums.error(first, last) / (2 * sigma**2)
        best = int(np.argmin(total))
        cost[last], origin[last] = total[best], best
    bounds = [count]
    while bounds[-1] > 0:
        bounds.append(int(origin[bounds[-1]]))
    bounds.reverse()
    return [sums.line(first, last) for first, last in zip(bounds[:-1], bounds[1:], strict=True)]


def timing_of_beats(beats: Array, downbeats: Array | None = None, weights: Array | None = None) -> Timing:
    """The fewest red lines through beats that somebody found (ms, increasing, at least two).

    downbeats: those among them that start a measure, from which meter and first lines follow; weights: 0 to 1.
    """
    points: list[TimingPoint] = []
    for line in straight_lines(beats, weights):
        bpm = 60_000 / line.beat_length
        bpm = round_bpm(bpm, bpm * line.error / line.beat_length)
        length = 60_000 / bpm
        middle = (line.last - line.first - 1) / 2  # a rounded tempo turns the line around its middle
        offset = line.offset + middle * (line.beat_length - length)
        meter, place = _measure(offset, length, line.last - line.first, downbeats)
        points.append(red_line(offset + place * length if not points else offset, length, meter))
    return Timing(tuple(points))


def _measure(offset: float, length: float, count: int, downbeats: Array | None) -> tuple[int, int]:
    """Meter, and the first beat of a line that is a downbeat."""
    if downbeats is None:
        return 4, 0
    numbers = np.rint((downbeats - offset) / length).astype(int)
    inside = numbers[(numbers >= 0) & (numbers < count)]
    if len(inside) < 2:
        return 4, int(inside[0]) if len(inside) else 0
    meter = int(np.median(np.diff(inside)))
    return max(meter, 1), int(inside[0])


class _Sums:
    """Prefix sums from which any stretch's least-squares line follows at once."""

    def __init__(self, beats: Array, weights: Array) -> None:
        number = np.arange(len(beats), dtype=np.float64)
        # Deviations from one straight line keep the sums small, hence exact.
        self.base = np.polyfit(number, beats, 1) if len(beats) > 1 else np.array([500.0, beats[0]])
        rest = beats - np.polyval(self.base, number)
        columns = [weights, weights * number, weights * number**2, weights * rest, weights * number * rest,
                   weights * rest**2]  # fmt: skip
        self.sums = np.concatenate([np.zeros((6, 1)), np.cumsum(columns, axis=1)], axis=1)

    def _fit(self, first: NDArray[np.intp] | int, last: int) -> tuple[Array, Array, Array, Array]:
        w, x, xx, y, xy, yy = self.sums[:, last, None] - self.sums[:, np.atleast_1d(first)]
        spread = np.maximum(xx - x * x / w, 1e-9)
        slope = (xy - x * y / w) / spread
        return slope, (y - slope * x) / w, spread, np.maximum(yy - y * y / w - slope**2 * spread, 0.0)

    def error(self, first: NDArray[np.intp], last: int) -> Array:
        """Weighted squared distance (ms²) of the beats first..last from their best line, for each first."""
        return self._fit(first, last)[3]

    def line(self, first: int, last: int) -> Line:
        """The best line through beats first..last."""
        slope, start, spread, error = (float(value[0]) for value in self._fit(first, last))
        length = slope + float(self.base[0])
        offset = start + slope * first + float(np.polyval(self.base, first))
        noise = max(error / max(last - first - 2, 1), LEAST**2)
        return Line(first, last, offset, length, float(np.sqrt(noise / spread)))
