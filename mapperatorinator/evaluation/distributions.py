"""Histograms of map features and the distance between them.

A `Profile` is what one map contributes: for each feature, counts over fixed bins. Profiles are added up over
maps and compared by the Jensen-Shannon divergence in bits: 0 for equal distributions, 1 for disjoint ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

Counts = NDArray[np.float64]
Profile = dict[str, Counts]


def histogram(values: ArrayLike, edges: ArrayLike) -> Counts:
    """Counts of values in [edge, next edge), shape (len(edges) + 1,): what lies outside has its own bins."""
    edges = np.asarray(edges, dtype=np.float64)
    index = np.searchsorted(edges, np.asarray(values, float).ravel(), side="right")
    return np.bincount(index, minlength=len(edges) + 1).astype(np.float64)


def tally(values: ArrayLike, size: int) -> Counts:
    """Counts of the whole numbers 0..size-1; larger ones count as the last."""
    index = np.clip(np.asarray(values, dtype=np.int64).ravel(), 0, size - 1)
    return np.bincount(index, minlength=size).astype(np.float64)


def jensen_shannon(a: Counts, b: Counts) -> float:
    """Jensen-Shannon divergence in bits, 0..1, of two histograms of counts; NaN if one is empty."""
    if not a.sum() or not b.sum():
        return float("nan")
    p, q = a / a.sum(), b / b.sum()
    m = (p + q) / 2
    return float((_relative_entropy(p, m) + _relative_entropy(q, m)) / 2)


def _relative_entropy(p: Counts, q: Counts) -> float:
    seen = p > 0
    return float((p[seen] * np.log2(p[seen] / q[seen])).sum())


def add(profiles: Iterable[Mapping[str, Counts]]) -> Profile:
    """The sum of profiles, feature by feature."""
    result: Profile = {}
    for profile in profiles:
        for name, counts in profile.items():
            result[name] = result[name] + counts if name in result else counts.copy()
    return result


def distances_between(a: Mapping[str, Counts], b: Mapping[str, Counts]) -> dict[str, float]:
    """Jensen-Shannon divergence of every feature of `b`; a feature that `a` lacks is at distance 1."""
    result = {}
    for name, counts in b.items():
        other = a.get(name)
        if not counts.sum():
            continue
        result[name] = jensen_shannon(other, counts) if other is not None and other.sum() else 1.0
    return result
