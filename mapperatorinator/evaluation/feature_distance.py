"""Distances between two sets of maps by the classifier's vectors: Fréchet's, and an unbiased kernel distance.

Windows of one song are not independent, so a set is a list of songs: intervals draw songs, and the kernel distance
compares windows of different songs only, which keeps it unbiased.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.evaluation.bootstrap import Estimate, bootstrap

REPEATS = 300
Floats = NDArray[np.float64]
Statistic = Callable[[Sequence[int]], float]  # of songs, which may repeat


class SongFeatures(NamedTuple):
    """All windows of the maps of one song, (windows, features)."""

    song: str
    windows: Floats


class Moments(NamedTuple):
    """Sums from which mean and covariance follow: how many windows, their sum (d,), their outer products (d, d)."""

    number: float
    sums: Floats
    products: Floats

    @classmethod
    def of(cls, windows: Floats) -> Moments:
        """The sums of some windows."""
        return cls(len(windows), windows.sum(axis=0), windows.T @ windows)

    @classmethod
    def total(cls, parts: Sequence[Moments]) -> Moments:
        """The sums of several parts together."""
        return cls(*(sum(values) for values in zip(*parts, strict=True)))

    def normal(self) -> tuple[Floats, Floats]:
        """Mean (d,) and covariance (d, d)."""
        mean = self.sums / self.number
        spread = self.products - self.number * np.outer(mean, mean)
        return mean, spread / max(self.number - 1, 1)


def frechet(one: Moments, other: Moments) -> float:
    """Fréchet distance of the two normal distributions (Dowson and Landau 1982), 0 for equal ones."""
    (mean_a, a), (mean_b, b) = one.normal(), other.normal()
    values, vectors = np.linalg.eigh(a)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    common = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ b @ root), 0)).sum()
    return float(((mean_a - mean_b) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * common)


def _similarity(one: Sequence[SongFeatures], other: Sequence[SongFeatures]) -> tuple[Floats, Floats]:
    """Sums of the cubic kernel (Binkowski et al. 2018) over windows of each pair of songs, and how many there are."""
    sums = np.zeros((len(one), len(other)))
    counts = np.zeros_like(sums)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            if a.song != b.song:
                sums[i, j] = ((a.windows @ b.windows.T / a.windows.shape[1] + 1) ** 3).sum()
                counts[i, j] = len(a.windows) * len(b.windows)
    return sums, counts


class Distances:
    """Distances of sets of songs from one reference set; sums over songs are made once, so songs can be redrawn."""

    def __init__(self, songs: Sequence[SongFeatures], reference: Sequence[SongFeatures]) -> None:
        self.songs = [song.song for song in songs]
        self._moments = [Moments.of(song.windows) for song in songs]
        self._reference = Moments.total([Moments.of(song.windows) for song in reference])
        self._within = _similarity(songs, songs)
        across = _similarity(songs, reference)
        self._across = across[0].sum(axis=1), across[1].sum(axis=1)
        self._there = _mean(*_similarity(reference, reference))

    def frechet(self, chosen: Sequence[int]) -> float:
        """Fréchet distance of the chosen songs, which may repeat."""
        return frechet(Moments.total([self._moments[i] for i in chosen]), self._reference)

    def kernel(self, chosen: Sequence[int]) -> float:
        """Unbiased squared maximum mean discrepancy; about 0, also below it, for equal distributions."""
        times = np.bincount(chosen, minlength=len(self.songs)).astype(float)
        pairs = np.outer(times, times)
        across = float(times @ self._across[0]) / max(float(times @ self._across[1]), 1.0)
        return _mean(*(pairs * part for part in self._within)) + self._there - 2 * across


def _mean(sums: Floats, counts: Floats) -> float:
    return float(sums.sum() / counts.sum()) if counts.sum() else float("nan")


def compare(
    ours: Sequence[SongFeatures], human: Sequence[SongFeatures], reference: Sequence[SongFeatures], seed: int = 0
) -> dict[str, Estimate]:
    """How far our maps and the human maps of the same songs are from human maps of other songs.

    ours, human : the same songs in the same order. Returns both distances (`frechet`, `kernel`), those of the human
    maps (`…_floor`) and how many times the floor ours is (`…_ratio`); intervals draw songs for both together.
    """
    here, there = Distances(ours, reference), Distances(human, reference)
    index = list(range(len(ours)))
    found = {}
    for name in ("frechet", "kernel"):
        mine, theirs = getattr(here, name), getattr(there, name)
        found[name] = _centred(index, mine, seed)
        found[f"{name}_floor"] = _centred(index, theirs, seed)
        found[f"{name}_ratio"] = bootstrap(index, _ratio(mine, theirs), repeats=REPEATS, seed=seed)
    return found


def _ratio(one: Statistic, other: Statistic) -> Statistic:
    """One distance over the other; NaN where the other is none."""

    def ratio(chosen: Sequence[int]) -> float:
        floor = other(chosen)
        return one(chosen) / floor if floor > 0 else float("nan")

    return ratio


def _centred(index: Sequence[int], statistic: Statistic, seed: int) -> Estimate:
    """A bootstrap whose draws are moved on to the value: repeated songs make every drawn set narrower than the true
    one, so the draws lie too high as a whole."""
    draws: list[float] = []

    def kept(some: Sequence[int]) -> float:
        draws.append(statistic(some))
        return draws[-1]

    found = bootstrap(index, kept, repeats=REPEATS, seed=seed)
    shift = found.value - float(np.mean(draws[1:])) if len(draws) > 1 else 0.0
    return found._replace(low=found.low + shift, high=found.high + shift)
