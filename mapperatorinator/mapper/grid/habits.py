"""What a map makes one expect by itself: what it does elsewhere, at the same place of the measure, among like neighbours.

Every other moment of the same place in its measure recalls what is there, the louder the more its surroundings are
like those of the moment in question. How much each kind of unlikeness counts is learnt
(`mapperatorinator.training.habits`, table `habits.json`); the map itself is all that is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.mapper.grid.canvas import Canvas
from mapperatorinator.mapper.grid.ticks import TICKS_PER_BEAT

TABLE = Path(__file__).with_name("habits.json")
REACH = (0, 3, 6, 12, 24, 42)  # ticks: surroundings are told apart by how far they are
NEAREST = 48  # ticks; what recalls a moment may not overlap with its surroundings
_PERIODS = (2, 4, 8)  # measures after which music likes to return
FEATURES = 2 * (len(REACH) - 1) + 2 + len(_PERIODS)
_POWERS = (0.4, 0.6)  # of the network and of the habits

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


class Recalled(NamedTuple):
    """Moments (k,) that something recalls: which targets, what rows recall them, how unlike they are (k, FEATURES)."""

    target: Rows
    source: Rows
    unlike: Floats


class Memory:
    """A map as it remembers itself."""

    def __init__(self, canvas: Canvas) -> None:
        grid = canvas.grid
        self.place = grid.measure.astype(np.intp) * TICKS_PER_BEAT + grid.phase
        self.starts = canvas.starts().astype(np.intp)
        self.kinds = canvas.columns["kind"].astype(np.intp)
        downbeats = np.flatnonzero(self.place == 0)
        self.measure = float(np.median(np.diff(downbeats))) if len(downbeats) > 1 else 4.0 * TICKS_PER_BEAT

    def recall(self, aspect: str, values: Rows, classes: int, targets: Rows, without: Rows | None = None) -> Floats:
        """Log-probabilities of the classes of an aspect at some rows, (m, classes).

        values : (n,) class of every row, -1 where it has none. targets : (m,) rows; what they say does not count.
        without : (m,) rows within six ticks of them that are taken to be empty too.
        """
        weights = np.array(_table()[aspect])
        place, base = self.priors(values, classes, targets)
        votes = np.exp(weights[-2]) * place + np.exp(weights[-1]) * base
        for some in self.recalled(aspect, values, targets, targets if without is None else without):
            votes[some.target, values[some.source]] += np.exp(-some.unlike @ weights[:FEATURES])
        return np.log(votes / votes.sum(1, keepdims=True))

    def priors(self, values: Rows, classes: int, targets: Rows) -> tuple[Floats, Floats]:
        """How common each class is at a row's place of the measure, and in the map, but for the row: (m, classes) each."""
        known = np.flatnonzero(values >= 0)
        counts = np.zeros((int(self.place.max()) + 1, classes))
        np.add.at(counts, (self.place[known], values[known]), 1.0)
        own = np.eye(classes)[np.maximum(values[targets], 0)] * (values[targets] >= 0)[:, None]
        base = counts.sum(0) + 0.1 - own
        base /= base.sum(1, keepdims=True)
        place = counts[self.place[targets]] - own + base
        return place / place.sum(1, keepdims=True), base

    def recalled(self, aspect: str, values: Rows, targets: Rows, without: Rows) -> Iterator[Recalled]:
        """What recalls the targets, distance by distance."""
        count = len(values)
        codes = [self.starts] if aspect == "start" else [self.starts, values + 1]
        for lag in range(NEAREST, count, TICKS_PER_BEAT):
            if not (self.place[lag:] == self.place[:-lag]).any():
                continue
            differ = [code[lag:] != code[:-lag] for code in codes]
            sums = [np.concatenate(([0], np.cumsum(some))) for some in differ]
            apart = [np.log2(lag / self.measure), *(_off(lag / self.measure / period) for period in _PERIODS)]
            for way in (lag, -lag):
                source = targets + way
                fit = (source >= 0) & (source < count)
                fit[fit] &= (values[source[fit]] >= 0) & (self.place[source[fit]] == self.place[targets[fit]])
                here = np.flatnonzero(fit)
                if not len(here):
                    continue
                unlike = np.zeros((len(here), FEATURES))
                middle = np.minimum(targets, targets + way)[here]  # where the comparison of the two is found
                away = (without - targets)[here]
                for number, (some, total) in enumerate(zip(differ, sums, strict=True)):
                    unlike[:, number * (len(REACH) - 1) :][:, : len(REACH) - 1] = _unlike(some, total, middle, away)
                if aspect not in ("start", "kind"):  # for an attribute, what it is an attribute of counts too
                    unlike[:, -len(apart) - 1] = self.kinds[targets[here]] != self.kinds[source[here]]
                unlike[:, -len(apart) :] = apart
                yield Recalled(here, source[here], unlike)


def _off(periods: float) -> float:
    return float(abs(periods - round(periods)) > 0.01)


def _unlike(differ: Bools, total: Rows, middle: Rows, away: Rows) -> Floats:
    """In how many ticks of each distance two stretches differ, (m, distances): without their middles and what is `away`
    from them by so many ticks."""
    reached = [
        total[np.minimum(middle + reach + 1, len(differ))] - total[np.maximum(middle - reach, 0)] for reach in REACH
    ]
    counts = np.diff(np.stack(reached, axis=1), axis=1).astype(float)
    other = middle + away
    counted = (away != 0) & (other >= 0) & (other < len(differ))
    counted[counted] &= differ[other[counted]]
    ring = np.searchsorted(REACH, np.abs(away[counted])) - 1
    counts[np.flatnonzero(counted), ring] -= 1.0
    return counts


def joined(network: Floats, habits: Floats) -> Floats:
    """Log-probabilities (m, classes) of two opinions, each to its power: what is odd to both is odder than either says."""
    logits = _POWERS[0] * network + _POWERS[1] * habits
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


@lru_cache(maxsize=1)
def _table() -> dict[str, list[float]]:
    return json.loads(TABLE.read_text(encoding="utf-8"))["aspects"]
