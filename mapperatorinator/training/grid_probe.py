"""Quick held-out figures while the grid mapper trains: rhythm F1 of one pass, with sound and deaf."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from mapperatorinator.mapper.grid.canvas import KIND_CLASSES, Hit
from mapperatorinator.mapper.grid.cells import CLASS_COUNTS, KIND_OFFSETS
from mapperatorinator.mapper.grid.ticks import TICKS_PER_PATCH
from mapperatorinator.training.grid_data import PATCHES, Sampler
from mapperatorinator.training.grid_maps import GridMap
from mapperatorinator.training.grid_net import GridNet

_CROPS = 2  # crops per map, spread over it: the probe must stay short
_STARTS = {
    0: (Hit.CIRCLE, Hit.SLIDER),
    2: (Hit.CIRCLE, Hit.SLIDER),
    1: range(1, 7),
    3: range(1, KIND_CLASSES[3]),
}


@torch.no_grad()
def probe(net: GridNet, maps: list[GridMap], sampler: Sampler) -> dict[str, dict[str, float]]:
    """Return per mode the share of starts found among as many likeliest ticks, and nats per tick, both ways.

    Only the stars (and keys or circle size) are given; nothing of the map is shown.
    """
    found: dict[str, dict[str, list[float]]] = {}
    for number, item in enumerate(maps):
        if item.row.mode in (0, 3) and number % 2:
            continue
        for heard in (True, False):
            entry = found.setdefault(
                f"{item.row.mode}{'' if heard else ' deaf'}", {"hit": [], "n": [], "nats": []}
            )
            for batch in _crops(item, sampler, heard):
                _score(net, item.row.mode, batch, entry)
    return {
        key: {
            "f1": round(sum(v["hit"]) / max(sum(v["n"]), 1), 4),
            "nats": round(float(np.mean(v["nats"])), 5),
        }
        for key, v in found.items()
    }


def _crops(item: GridMap, sampler: Sampler, heard: bool) -> Iterator[dict[str, np.ndarray]]:
    grid = item.canvas.grid
    beats = (item.last - item.first) // 12
    for number in range(_CROPS):
        start = item.first + 12 * int(beats * (number + 0.5) / (_CROPS + 1))
        stop = min(start + PATCHES * TICKS_PER_PATCH, item.last // 12 * 12)
        within = np.searchsorted(grid.times[start:stop], grid.times[start] + 24_000)
        rows = slice(start, start + max(int(within) // 12, 1) * 12)
        yield sampler.whole(item, rows, heard)


def _score(net: GridNet, mode: int, crop: dict[str, np.ndarray], entry: dict[str, list[float]]) -> None:
    batch = {key: torch.from_numpy(value[None]) for key, value in crop.items()}
    logits = net(batch)[0, :, : CLASS_COUNTS[0]]
    low = int(KIND_OFFSETS[mode])
    scores = torch.log_softmax(logits[:, low : low + KIND_CLASSES[mode]], -1)
    target = batch["target"][0, :, 0]
    asked = target >= 0
    truth = (target - low)[asked]
    scores = scores[asked]
    entry["nats"].append(float(-scores.gather(1, truth[:, None]).mean()))
    starts = torch.tensor(list(_STARTS[mode]))
    chance = scores[:, starts].logsumexp(-1)
    real = torch.isin(truth, starts)
    count = int(real.sum())
    chosen = chance.topk(count).indices
    entry["hit"].append(float(real[chosen].sum()))
    entry["n"].append(count)
