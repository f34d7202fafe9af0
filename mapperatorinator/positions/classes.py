"""What a map is asked to be, as the diffusion's vector of classes: ones and zeros in blocks, "unknown" last in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LARGEST_CS = 10


@dataclass(frozen=True)
class MapClasses:
    """Conditions of a map; None or empty is unknown.

    mapper : osu! user id. beatmap : id of a map that the network was trained on. descriptors : style tags.
    """

    stars: float | None = None
    circle_size: float | None = None
    mapper: int | None = None
    beatmap: int | None = None
    descriptors: tuple[str, ...] = ()

    def vector(self, tables: Mapping[str, Any], legacy: bool = False) -> NDArray[np.float32]:
        """The vector under a checkpoint's `tables` (its `tokenizer.json`), shape (classes,).

        legacy : look the mapper up among beatmaps, as the published program does by mistake.
        """
        mapper = (tables.get("beatmap_mapper") or {}).get(str(self.mapper)) if legacy else self.mapper
        names = tables.get("descriptor_idx") or {}
        styles, stars, circles = (int(tables.get(f"num_{name}classes") or 0) for name in ("", "diff_", "cs_"))
        return np.concatenate([
            _block(styles, [(tables.get("beatmap_idx") or {}).get(str(self.beatmap))]),
            _block(stars, [_bin(self.stars, stars, float(tables.get("max_difficulty") or 12))]),
            _block(int(tables.get("num_mapper_classes") or 0), [(tables.get("mapper_idx") or {}).get(str(mapper))]),
            _block(int(tables.get("num_descriptor_classes") or 0), [names.get(word) for word in self.descriptors]),
            _block(circles, [_bin(self.circle_size, circles, _LARGEST_CS)]),
        ])  # fmt: skip

    def avoided(self, descriptors: tuple[str, ...] = ()) -> MapClasses:
        """What guidance leads away from: same stars and circle size, no mapper, other descriptors."""
        return replace(self, mapper=None, beatmap=None, descriptors=descriptors)


def _bin(value: float | None, size: int, largest: float) -> int | None:
    return None if value is None else min(max(int(value * (size - 2) / largest), 0), size - 2)


def _block(size: int, slots: Sequence[int | None]) -> NDArray[np.float32]:
    """Ones at the known slots, at the last if there is none."""
    block = np.zeros(size, dtype=np.float32)
    known = [slot for slot in slots if slot is not None and 0 <= slot < size]
    if size:
        block[known or [-1]] = 1.0
    return block
