"""Bootstrap intervals over songs: maps of one song are not independent, so songs are what is drawn."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from mapperatorinator.evaluation.corpus import grouped

T = TypeVar("T")
REPEATS = 1000


class Estimate(NamedTuple):
    """A figure, its 95 % interval (NaN where it cannot be had) and the number of cases behind it."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        if self.n == 0 or np.isnan(self.value):
            return "–"
        if np.isnan(self.low):
            return f"{self.value:.3f}"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def as_dict(self) -> dict[str, float | int | None]:
        """For JSON, which knows no NaN."""
        bounds = {"value": self.value, "low": self.low, "high": self.high}
        return {**{k: None if np.isnan(v) else round(float(v), 6) for k, v in bounds.items()}, "n": self.n}


def bootstrap(
    items: Sequence[T],
    statistic: Callable[[Sequence[T]], float],
    group: Callable[[T], Hashable] = lambda item: item,
    repeats: int = REPEATS,
    seed: int = 0,
) -> Estimate:
    """A statistic of `items` with the 2.5th and 97.5th percentile over resampled groups.

    statistic : from items to a number; must not mind repeated items. group : names the song of an item.
    With fewer than two groups there is no interval.
    """
    if not items:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    value = float(statistic(items))
    groups = grouped(items, group)
    if len(groups) < 2 or repeats < 1:
        return Estimate(value, float("nan"), float("nan"), len(items))
    rng = np.random.default_rng(seed)
    draws = []
    for chosen in rng.integers(0, len(groups), size=(repeats, len(groups))):
        draws.append(float(statistic([item for i in chosen for item in groups[i]])))
    finite = [draw for draw in draws if np.isfinite(draw)]
    if not finite:
        return Estimate(value, float("nan"), float("nan"), len(items))
    low, high = np.percentile(finite, (2.5, 97.5))
    return Estimate(value, float(low), float(high), len(items))


def mean(values: Sequence[float]) -> float:
    """The mean of finite values, NaN of none."""
    finite = [v for v in values if np.isfinite(v)]
    return float(np.mean(finite)) if finite else float("nan")
