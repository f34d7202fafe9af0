"""Learns which surroundings make a map's moments recall each other: ``nice python -m mapperatorinator.training.habits``.

Maximum likelihood of what human maps do given what they do elsewhere; needs neither songs nor networks. About ten
minutes of one core; writes `mapper/grid/habits.json`, two dozen numbers an aspect.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mapperatorinator.evaluation.corpus import Corpus, MapRow
from mapperatorinator.evaluation.options import shown
from mapperatorinator.mapper.grid.habits import FEATURES, TABLE, Memory
from mapperatorinator.mapper.grid.surprise import HABITS, Seen
from mapperatorinator.training.grid_maps import conditions_of, grid_map

_SHARES = (0.5, 0.15, 0.1, 0.25)  # of the maps, by mode
_ROUNDS, _RATE = 40, 0.05
_MOMENTS = 300  # of one map


@dataclass
class Moments:
    """Moments of one map: what recalls them, see `habits.Recalled`, what that says, and what they say themselves."""

    target: Tensor
    value: Tensor
    unlike: Tensor
    priors: tuple[Tensor, Tensor]
    said: Tensor

    def loss(self, weights: Tensor) -> Tensor:
        """Mean bits of what the moments say."""
        votes = weights[-2].exp() * self.priors[0] + weights[-1].exp() * self.priors[1]
        loud = torch.exp(-self.unlike @ weights[:FEATURES])
        votes = votes.index_put((self.target, self.value), loud, accumulate=True)
        chance = votes[torch.arange(len(self.said)), self.said] / votes.sum(1)
        return -torch.log2(chance).mean()


def moments(seen: Seen, memory: Memory, aspect: str, rng: np.random.Generator) -> Moments | None:
    """Some moments of a map, None where it has too few."""
    values, classes = seen.values(aspect)
    rows = np.flatnonzero(values >= 0)
    rows = rows[(rows >= seen.starts[0]) & (rows <= seen.starts[-1])]
    if len(rows) < 20:
        return None
    rows = np.sort(rng.choice(rows, min(len(rows), _MOMENTS), replace=False))
    found = list(memory.recalled(aspect, values, rows, rows))
    if not found:
        return None
    target, source, unlike = (np.concatenate(parts) for parts in zip(*found, strict=True))
    place, base = (torch.tensor(prior, dtype=torch.float32) for prior in memory.priors(values, classes, rows))
    return Moments(torch.tensor(target), torch.tensor(values[source]), torch.tensor(unlike, dtype=torch.float32),
                   (place, base), torch.tensor(values[rows]))  # fmt: skip


def learn(some: Sequence[Moments], seed: int) -> tuple[list[float], float]:
    """Weights of one aspect, and the bits a moment costs with them."""
    weights = torch.cat((torch.full((FEATURES,), 0.3), torch.tensor([-2.0, -3.0]))).requires_grad_()
    optimizer = torch.optim.Adam([weights], _RATE)
    rng, bits = np.random.default_rng(seed), 0.0
    for turn in range(_ROUNDS):
        optimizer.param_groups[0]["lr"] = _RATE * (1 - turn / _ROUNDS)
        bits = 0.0
        for i in rng.permutation(len(some)):
            loss = some[i].loss(weights)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                weights[:FEATURES].clamp_(min=0.0)  # nothing recalls better for being unlike
            bits += float(loss.detach()) / len(some)
    return [round(value, 3) for value in weights.tolist()], bits


def _seen(corpus: Corpus, rows: Sequence[MapRow]) -> Iterator[tuple[Seen, Memory]]:
    for row in shown(rows, "maps"):
        beatmap = corpus.beatmap(row)
        item = grid_map(beatmap, row, conditions_of(beatmap, row, None, frozenset()), 0.0)
        if item is not None and item.canvas.starts().any():
            yield Seen.of(item.canvas), Memory(item.canvas)


def main(words: Sequence[str] | None = None) -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", type=int, default=80)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(words)
    torch.set_num_threads(1)
    corpus, rng = Corpus(), np.random.default_rng(given.seed)
    rows: list[MapRow] = []
    for mode, share in enumerate(_SHARES):
        pool = [row for row in corpus.select(mode, "train") if row.n_objects > 60 and row.drain_seconds < 300]
        rows += [pool[i] for i in rng.permutation(len(pool))[: int(given.maps * share)]]
    maps = list(_seen(corpus, rows))
    aspects, costs = {}, {}
    for aspect in HABITS:
        found = [moments(seen, memory, aspect, rng) for seen, memory in maps]
        aspects[aspect], costs[aspect] = learn([one for one in found if one is not None], given.seed)
        print(f"{aspect}: {costs[aspect]:.3f} bits a moment", flush=True)
    made = {
        "what": "how much each unlikeness of `habits.Memory.recalled` counts, nats; then what counts without recalling",
        "command": "python -m mapperatorinator.training.habits",
        "maps": len(maps),
        "bits": {aspect: round(bits, 3) for aspect, bits in costs.items()},
        "aspects": aspects,
    }
    TABLE.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
