"""How surprising a rhythm is: counts of what human maps do next, the longest known context first.

Absolute discounting, interpolated (Ney, Essen and Kneser 1994): a context's counts, each less a discount, and what
was taken off is shared out as the next shorter context would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.complexity.rhythm import GAPS, PLACES, Ints, Rhythm

CONTEXTS = (-1, 0, 1, 2, 3)  # gaps remembered besides the place, which -1 forgets too
_ANYTHING = 0.01  # of the belief is kept for any gap: what nobody has done yet costs 11 bits, not 30
_NONE = len(GAPS)  # a gap before the first one


@dataclass(frozen=True)
class Table:
    """Counts under one length of context. keys : (n,) sorted, context * GAPS + gap; counts : (n,)."""

    keys: Ints
    counts: Ints
    discount: float

    @classmethod
    def of(cls, keys: Ints, counts: Ints) -> Table:
        """A table with the discount that its counts of one and two suggest."""
        once, twice = int((counts == 1).sum()), int((counts == 2).sum())
        return cls(keys, counts, once / max(once + 2 * twice, 1))

    def refined(self, keys: Ints, shorter: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of each key's gap in its context, (n,), given what the shorter context says."""
        owners = self.keys // len(GAPS)
        contexts = keys // len(GAPS)
        first, last = np.searchsorted(owners, contexts), np.searchsorted(owners, contexts, "right")
        sums = np.concatenate(([0], np.cumsum(self.counts)))
        total = np.maximum(sums[last] - sums[first], 1)
        place = np.minimum(np.searchsorted(self.keys, keys), max(len(self.keys) - 1, 0))
        count = np.where(self.keys[place] == keys, self.counts[place], 0) if len(self.keys) else 0
        own = np.maximum(count - self.discount, 0) / total
        return np.where(last > first, own + self.discount * (last - first) / total * shorter, shorter)


@dataclass(frozen=True)
class RhythmModel:
    """One table for each entry of CONTEXTS."""

    tables: tuple[Table, ...]

    @classmethod
    def learn(cls, rhythms: Iterable[Rhythm]) -> RhythmModel:
        """Count what human maps do."""
        keys = [_keys(one) for one in rhythms]
        together = [np.concatenate([some[i] for some in keys]) for i in range(len(CONTEXTS))]
        return cls(tuple(Table.of(*np.unique(some, return_counts=True)) for some in together))

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray]) -> RhythmModel:
        """What `to_tensors` wrote."""
        return cls(
            tuple(
                Table.of(tensors[f"keys.{i}"], tensors[f"counts.{i}"].astype(np.int64))
                for i in range(len(CONTEXTS))
            )
        )

    def to_tensors(self) -> dict[str, NDArray]:
        """The tables as arrays."""
        keys = {f"keys.{i}": table.keys for i, table in enumerate(self.tables)}
        return keys | {f"counts.{i}": table.counts.astype(np.int32) for i, table in enumerate(self.tables)}

    def bits(self, rhythm: Rhythm) -> NDArray[np.float64]:
        """Surprise of each gap in bits, (n,)."""
        found = np.full(len(rhythm), 1 / len(GAPS))
        for table, keys in zip(self.tables, _keys(rhythm), strict=True):
            found = table.refined(keys, found)
        return -np.log2((1 - _ANYTHING) * found + _ANYTHING / len(GAPS))


def _keys(rhythm: Rhythm) -> list[Ints]:
    """The gaps in their contexts, one array for each length of context."""
    keys = []
    index = np.arange(len(rhythm))
    for length in CONTEXTS:
        context = np.zeros(len(rhythm), np.int64)
        for back in range(1, length + 1):
            earlier = np.where(rhythm.ahead >= back, rhythm.gap[np.maximum(index - back, 0)], _NONE)
            context = context * (len(GAPS) + 1) + earlier
        if length >= 0:
            context = context * PLACES + rhythm.place
        keys.append(context * len(GAPS) + rhythm.gap)
    return keys
