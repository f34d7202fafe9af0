"""Fewest straight lines through a list of beats: where each red line starts and how long its beats are.

A line costs a price, and so does every beat's distance from its line; the cheapest cover is found exactly by
dynamic programming over weighted least-squares fits (minimum description length).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mapperatorinator.timing.constant import Array

PRICE = 14.0  # of a line, in nats
SIGMA = 7.0  # ms: how far a beat may lie from its line
SHORTEST = 4  # beats under one line


@dataclass(frozen=True)
class Line:
    """Beats `first` to before `last` of a list lie on offset + (i - first) * beat_length, in ms."""

    first: int
    last: int
    offset: float
    beat_length: float
    error: float


def straight_lines(beats: Array, weights: Array | None = None, price: float = PRICE, sigma: float = SIGMA) -> list[Line]:
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
    return [sums.line(first, last, sigma) for first, last in zip(bounds[:-1], bounds[1:], strict=True)]


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

    def _fit(self, first: Array | int, last: int) -> tuple[Array, Array, Array, Array]:
        w, x, xx, y, xy, yy = self.sums[:, last, None] - self.sums[:, np.atleast_1d(first)]
        spread = np.maximum(xx - x * x / w, 1e-9)
        slope = (xy - x * y / w) / spread
        return slope, (y - slope * x) / w, spread, np.maximum(yy - y * y / w - slope**2 * spread, 0.0)

    def error(self, first: Array, last: int) -> Array:
        """Weighted squared distance (ms²) of the beats first..last from their best line, for each first."""
        return self._fit(first, last)[3]

    def line(self, first: int, last: int, sigma: float) -> Line:
        """The best line through beats first..last."""
        slope, start, spread, _ = (float(value[0]) for value in self._fit(first, last))
        length = slope + float(self.base[0])
        offset = start + slope * first + float(np.polyval(self.base, first))
        return Line(first, last, offset, length, sigma / np.sqrt(spread))
