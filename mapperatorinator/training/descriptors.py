"""Style tags of training maps, measured: the corpus names none, so each tag is a figure that stands out.

A map carries a tag when its figure lies in the top quarter of the maps of its mode once the effect of the star
rating is taken away (a straight line), so that "jump aim" does not merely mean "hard".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import Beatmap, Circle, Hold, Slider

_TOP_SHARE = 0.25
Floats = NDArray[np.float64]


class _Shape:
    """What the figures are computed from: gaps in beats and milliseconds, distances, kinds."""

    def __init__(self, bm: Beatmap) -> None:
        objects = bm.hit_objects
        times = np.array([o.time for o in objects], float)
        self.bm = bm
        self.gaps = np.diff(times)
        beats = np.array([bm.timing.red_at(o.time).ms_per_beat for o in objects[1:]])
        self.beats = self.gaps / np.maximum(beats, 1.0)
        x = np.array([(o.x, o.y) for o in objects], float)
        self.distances = np.hypot(*np.diff(x, axis=0).T) if len(objects) > 1 else np.zeros(0)
        self.sliders = float(np.mean([isinstance(o, Slider) for o in objects]))
        self.holds = float(np.mean([isinstance(o, Hold) for o in objects]))
        self.circles = np.array([isinstance(o, Circle) for o in objects])
        counts = np.unique(np.round(times), return_counts=True)[1]
        self.chord = float(np.mean(counts))
        columns = [bm.column(o) for o in objects] if bm.mode == 3 else []
        self.jacks = _jack_share(times, columns)

    def runs(self, least: int) -> float:
        """Share of objects in runs of at least `least` gaps of a quarter beat or shorter."""
        fast = np.concatenate([[False], self.beats < 0.3, [False]])
        edges = np.flatnonzero(np.diff(fast.astype(int)))
        lengths = edges[1::2] - edges[::2]
        return float(lengths[lengths >= least].sum() / max(len(self.beats), 1))

    def entropy(self) -> float:
        """Bits of the distribution of gaps in twelfths of a beat."""
        _, counts = np.unique(np.round(self.beats[self.beats < 4.5] * 12), return_counts=True)
        shares = counts / max(counts.sum(), 1)
        return float(-(shares * np.log2(shares)).sum())

    def odd_snaps(self) -> float:
        """Share of gaps that are not whole quarters of a beat."""
        return (
            float(np.mean(np.abs(self.beats * 4 - np.round(self.beats * 4)) > 0.1))
            if len(self.beats)
            else 0.0
        )


def _jack_share(times: Floats, columns: Sequence[int]) -> float:
    last: dict[int, float] = {}
    near = 0
    for time, column in zip(times, columns, strict=False):
        near += time - last.get(column, -1e9) < 200
        last[column] = float(time)
    return near / max(len(columns), 1)


_STANDARD: dict[str, Callable[[_Shape], float]] = {
    "jump aim": lambda s: float(np.mean((s.distances > 160) & (s.beats > 0.4) & (s.beats < 0.6))),
    "stream": lambda s: s.runs(6),
    "burst": lambda s: s.runs(2) - s.runs(6),
    "slider heavy": lambda s: s.sliders,
    "simple": lambda s: -s.entropy(),
    "complex": lambda s: s.entropy(),
    "tech": lambda s: s.odd_snaps() + s.sliders * s.entropy() / 10,
    "spaced": lambda s: float(np.median(s.distances / np.maximum(s.gaps, 20.0))),
}
_TAIKO: dict[str, Callable[[_Shape], float]] = {
    "stream": lambda s: s.runs(6),
    "simple": lambda s: -s.entropy(),
    "complex": lambda s: s.entropy(),
    "tech": lambda s: s.odd_snaps(),
}
_MANIA: dict[str, Callable[[_Shape], float]] = {
    "long notes": lambda s: s.holds,
    "jack": lambda s: s.jacks,
    "chord": lambda s: s.chord,
    "stream": lambda s: s.runs(6) / s.chord,
    "simple": lambda s: -s.entropy(),
    "tech": lambda s: s.odd_snaps(),
}
FIGURES = (_STANDARD, _TAIKO, _STANDARD, _MANIA)
NAMES = sorted({name for figures in FIGURES for name in figures})


def describe(maps: Sequence[tuple[Beatmap, float]]) -> list[frozenset[str]]:
    """Return each map's tags.

    maps : pairs of a beatmap and its stars, of any modes; a mode with fewer than 20 maps gets no tags.
    """
    tags: list[set[str]] = [set() for _ in maps]
    for mode in range(4):
        members = [i for i, (bm, _) in enumerate(maps) if bm.mode == mode and len(bm.hit_objects) > 20]
        if len(members) < 20:
            continue
        shapes = [_Shape(maps[i][0]) for i in members]
        stars = np.array([maps[i][1] for i in members])
        for name, figure in FIGURES[mode].items():
            values = np.array([figure(shape) for shape in shapes])
            rest = values - np.polyval(np.polyfit(stars, values, 1), stars)
            bound = np.quantile(rest, 1 - _TOP_SHARE)
            for i, value in zip(members, rest, strict=True):
                if value > bound:
                    tags[i].add(name)
    return [frozenset(found) for found in tags]
