"""Pattern distances: how the shapes of maps are distributed, compared with human maps of the same stars.

Every map gives histograms (`describe`); `distances` compares two groups of maps feature by feature within
bins of stars and returns Jensen-Shannon divergences in bits (0 equal, 1 disjoint), weighted by how much of
the reference lies in each bin. `human_floor` is what two disjoint halves of the human maps (split by song)
are apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mapperatorinator.beatmap import Beatmap, star_rating
from mapperatorinator.evaluation.distributions import Profile, add, distances_between
from mapperatorinator.evaluation.patterns.lanes import column_features, drum_features
from mapperatorinator.evaluation.patterns.playfield import catch_features, playfield_features

STAR_BINS = (2.7, 4.0, 5.3)  # the borders of normal, hard, insane and expert
HEADLINE = {
    0: ("spacing/time", "angle", "spacing change", "slider reach", "slider length", "slider shape",
        "stream run", "jump run", "combo length"),
    1: ("colours 2", "colours 3", "colours 4", "stream run", "gap"),
    2: ("dash", "dash distance", "slider length", "combo length"),
    3: ("transition", "chord size", "stream run", "hold length"),
}  # fmt: skip  # the rows that QUALITY names, by mode


@dataclass(frozen=True, slots=True)
class Described:
    """A map's histograms, its song, and the stars by which it is binned; empty if the run failed."""

    song: str
    stars: float
    profile: Profile = field(repr=False)

    @property
    def star_bin(self) -> int:
        """Which bin of STAR_BINS the map falls into."""
        return int(np.searchsorted(STAR_BINS, self.stars, side="right"))


def describe(beatmap: Beatmap | None, stars: float | None = None, song: str = "") -> Described:
    """Count the features of a map; `stars` (asked or known) are computed where not given.

    None stands for a failed run, which is as far from the human maps as can be.
    """
    if beatmap is None or not beatmap.hit_objects:
        return Described(song, stars or 0.0, {})
    features = (playfield_features, drum_features, catch_features, column_features)[beatmap.mode]
    return Described(song, star_rating(beatmap) if stars is None else stars, features(beatmap))


Maps = Sequence[Beatmap | Described | None]


def distances(maps: Maps, reference: Maps, mode: int | None = None) -> dict[str, float]:
    """Distance of a group of maps from a reference group, by feature, in bits 0..1.

    mode : only maps of this mode are compared (None: they are all of one). Bins of stars that either group
    lacks are left out; a failed map weighs in with distance 1.
    """
    ours, theirs = _described(maps, mode), _described(reference, mode)
    failed = sum(not d.profile for d in ours) / len(ours) if ours else 1.0
    sums: dict[str, list[tuple[float, float]]] = {}
    for star_bin in sorted({d.star_bin for d in theirs}):
        there = add(d.profile for d in theirs if d.star_bin == star_bin)
        here = add(d.profile for d in ours if d.star_bin == star_bin)
        if here:
            for name, value in distances_between(here, there).items():
                sums.setdefault(name, []).append((value, float(there[name].sum())))
    weighted = {name: _weighted(parts) for name, parts in sums.items()}
    if failed == 1.0:
        return dict.fromkeys(add(d.profile for d in theirs), 1.0)
    return {name: (1 - failed) * value + failed for name, value in weighted.items()}


def human_floor(maps: Maps, repeats: int = 20, seed: int = 0) -> dict[str, float]:
    """Mean distance between two halves of human maps that share no song, by feature."""
    described = _described(maps, None)
    songs = sorted({d.song for d in described})
    rng = np.random.default_rng(seed)
    found: dict[str, list[float]] = {}
    for _ in range(repeats if len(songs) > 1 else 0):
        first = set(rng.permutation(songs)[: len(songs) // 2].tolist())
        halves = [d for d in described if d.song in first], [d for d in described if d.song not in first]
        for name, value in distances(*halves).items():
            found.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in found.items()}


def _weighted(parts: list[tuple[float, float]]) -> float:
    """The mean of (value, weight) pairs."""
    return sum(value * weight for value, weight in parts) / sum(weight for _, weight in parts)


def _described(maps: Maps, mode: int | None) -> list[Described]:
    wanted = (m for m in maps if mode is None or not isinstance(m, Beatmap) or m.mode == mode)
    return [m if isinstance(m, Described) else describe(m) for m in wanted]
