"""Smoothed counts and their peaks, in numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_RADIUS = 4  # of the bell, in sigmas


def smooth(values: Floats, sigma: float) -> Floats:
    """Values under a bell of `sigma` steps; both ends are mirrored."""
    radius = int(_RADIUS * sigma + 0.5)
    bell = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    padded = np.pad(values, radius, mode="symmetric")
    return np.convolve(padded, bell / bell.sum(), "valid")


def find_peaks(values: Floats, apart: int, least: float, width: float, reach: int) -> tuple[list[int], list[float]]:
    """Places of peaks and how far they stand out, in order.

    apart : steps to the next higher peak at least. least : how far a peak stands out of the higher of the valleys at
    its sides, of which `reach` steps are seen. width : in steps, at the foot.
    """
    found, heights = [], []
    for peak in _apart(values, _tops(values), apart):
        height, left, right = _prominence(values, peak, reach // 2)
        if height >= least and _width(values, peak, height, left, right) >= width:
            found.append(peak)
            heights.append(height)
    return found, heights


def _tops(values: Floats) -> list[int]:
    """Higher than both neighbours; the middle of a level top."""
    change = np.flatnonzero(np.diff(values))
    if len(change) < 2:
        return []
    rising = np.diff(values)[change] > 0
    ups = rising[:-1] & ~rising[1:]
    return ((change[:-1] + 1 + change[1:]) // 2)[ups].tolist()


def _apart(values: Floats, peaks: list[int], distance: int) -> list[int]:
    """Without those that a higher one is too near to."""
    keep = np.ones(len(peaks), bool)
    for i in np.argsort(values[peaks], kind="stable")[::-1] if peaks else ():
        if keep[i]:
            for step in (-1, 1):
                k = i + step
                while 0 <= k < len(peaks) and abs(peaks[k] - peaks[i]) < distance:
                    keep[k] = False
                    k += step
    return [peak for peak, kept in zip(peaks, keep, strict=True) if kept]


def _prominence(values: Floats, peak: int, reach: int) -> tuple[float, int, int]:
    """Height over the higher valley, and where both valleys are."""
    valleys = []
    for step in (-1, 1):
        lowest = i = peak
        while 0 <= i < len(values) and abs(i - peak) <= reach and values[i] <= values[peak]:
            if values[i] < values[lowest]:
                lowest = i
            i += step
        valleys.append(lowest)
    return float(values[peak] - max(values[valleys])), valleys[0], valleys[1]


def _width(values: Floats, peak: int, prominence: float, left: int, right: int) -> float:
    foot = values[peak] - prominence
    edges = []
    for step, limit in ((-1, left), (1, right)):
        i = peak
        while i != limit and foot < values[i]:
            i += step
        edge = float(i)
        if values[i] < foot:
            edge -= step * (foot - values[i]) / (values[i - step] - values[i])
        edges.append(edge)
    return edges[1] - edges[0]
