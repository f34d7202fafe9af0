"""Attributes that hold for whole measures: kiai, volume, sample bank. Drawn as the likeliest steady course."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.mapper.grid.ticks import TickGrid

# Nats a change costs, on top of what the cells say; changes happen only where a measure begins.
_PRICE = {"kiai": 1.0, "volume": 4.0, "bank": 4.0}
# Cells of one measure mostly say the same thing again: their evidence counts less than independent cells' would.
_WEIGHT = {"kiai": 1.0, "volume": 0.35, "bank": 0.35}
_KIAI_BARS = 4  # kiai begins and ends on every fourth measure only
_KIAI_SHARE = 0.28  # of a song, about what human maps have


def steady(
    grid: TickGrid, logits: NDArray[np.float32], cells: NDArray[np.bool_], name: str
) -> NDArray[np.int8]:
    """Return one class per tick (n,), constant over measures, that explains the cells best with few changes.

    logits : (n, classes). cells : (n,) bool, the ticks that count.
    """
    scores = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    bars = np.cumsum((grid.measure == 0) & (grid.phase == 0))
    if name == "kiai":
        cells = cells & (grid.phase == 0)
        bars = bars // _KIAI_BARS
    bars = bars - bars[0]
    evidence = np.zeros((bars[-1] + 1, logits.shape[1]))
    np.add.at(evidence, bars[cells], scores[cells] * _WEIGHT[name])
    if name == "kiai":
        evidence = _against_the_song(evidence, np.bincount(bars[cells], minlength=len(evidence)))
    return _course(evidence, _PRICE[name])[bars].astype(np.int8)


def _against_the_song(evidence: NDArray[np.float64], beats: NDArray[np.intp]) -> NDArray[np.float64]:
    """Kiai evidence (steps, 2) that speaks for the song's own liveliest `_KIAI_SHARE`, by a nat a step on average.

    Sure of the order of the parts (four times out of five), the network is far from sure of any of them.
    """
    lead = (evidence[:, 1] - evidence[:, 0]) / np.maximum(beats, 1)
    above = lead - np.quantile(lead, 1 - _KIAI_SHARE)
    scale = above[above > 0].mean() if (above > 0).any() else 1.0
    return np.stack([np.zeros(len(lead)), np.clip(above / scale, -2.0, 2.0)], axis=1)


def _course(evidence: NDArray[np.float64], price: float) -> NDArray[np.intp]:
    """The path through (steps, classes) with the highest sum, each change costing `price` (Viterbi)."""
    best = evidence[0]
    came = np.zeros(evidence.shape, np.intp)
    for step in range(1, len(evidence)):
        leave = best.max() - price
        came[step] = np.where(best >= leave, np.arange(len(best)), best.argmax())
        best = np.maximum(best, leave) + evidence[step]
    path = np.empty(len(evidence), np.intp)
    path[-1] = best.argmax()
    for step in range(len(evidence) - 1, 0, -1):
        path[step - 1] = came[step, path[step]]
    return path
