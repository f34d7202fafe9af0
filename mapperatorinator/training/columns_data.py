"""Chords of all mania maps of the corpus as flat arrays, and crops of them for the column network.

``python -m mapperatorinator.training.columns_data data/columns.npz`` reads the maps; the held-out ones and the
tables go beside it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.evaluation.corpus import Corpus
from mapperatorinator.mapper.grid import lanes
from mapperatorinator.mapper.grid.decoder import told
from mapperatorinator.mapper.grid.draft import Chord, Conditions
from mapperatorinator.mapper.grid.lanes import FINGERS, RECENT, Lanes
from mapperatorinator.mapper.grid.reading import read_chords
from mapperatorinator.training.descriptors import NAMES, describe
from mapperatorinator.training.grid_maps import conditions_of
from mapperatorinator.training.points_data import mapper_table

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Arrays = dict[str, NDArray]

LEAD = 48  # chords before a crop that its first chords remember
_LEAST_CHORDS = 20


@dataclass
class ChordMap:
    """One map: `known` (n, CHORD) describes its chords; starts, holds, releases, held are (n, FINGERS) masks.

    `held` are the fingers that are down just before a chord. time, beat : (n,) ms. beats : since the first chord.
    """

    keys: int
    known: Floats
    time: Floats
    beat: Floats
    beats: Floats
    starts: Bools
    holds: Bools
    releases: Bools
    held: Bools
    told: Floats
    mapper: int


_ARRAYS = ("known", "time", "beat", "beats", "starts", "holds", "releases", "held")


def read_map(chords: Sequence[Chord], keys: int, conditions: Conditions) -> ChordMap:
    """Bring placed chords into arrays."""
    fingers = lanes.fingers_of(keys)
    n = len(chords)
    masks = {}
    for name, attribute in (("starts", "columns"), ("holds", "hold_columns"), ("releases", "release_columns")):
        mask = np.zeros((n, FINGERS), bool)
        for i, chord in enumerate(chords):
            mask[i, fingers[list(getattr(chord, attribute))]] = True
        masks[name] = mask
    change = np.cumsum(masks["holds"].astype(int) - masks["releases"], axis=0)
    held = np.concatenate((np.zeros((1, FINGERS)), change[:-1])) > 0
    return ChordMap(
        keys, lanes.describe_chords(chords, keys), np.array([c.time for c in chords], float),
        np.clip([c.beat for c in chords], 60.0, 6000.0), lanes.beats_of(chords), **masks, held=held,
        told=told(conditions, NAMES), mapper=0 if conditions.mapper is None else 1 + conditions.mapper,
    )


def cut(item: ChordMap, start: int, stop: int) -> ChordMap:
    """A stretch of a map."""
    return replace(item, **{name: getattr(item, name)[start:stop] for name in _ARRAYS})


def mirrored(item: ChordMap) -> ChordMap:
    """The map with left and right exchanged."""
    names = ("starts", "holds", "releases", "held")
    return replace(item, **{name: getattr(item, name)[:, ::-1] for name in names})


def lanes_of(item: ChordMap, start: int) -> Lanes:
    """What each chord from `start` on remembers, one row per chord."""
    n = len(item.time) - start
    memory = Lanes.empty(n, item.keys)
    memory.held[:] = item.held[start:]
    memory.pressed[:] = _last(item.starts, item.time)[start:]
    memory.released[:] = _last(item.releases, item.time)[start:]
    pressing = np.flatnonzero(item.starts.any(axis=1))
    seen = np.searchsorted(pressing, np.arange(start, start + n))[:, None] - np.arange(1, RECENT + 1)
    if len(pressing):
        memory.recent[:] = item.starts[pressing[np.maximum(seen, 0)]] & (seen >= 0)[..., None]
    return memory


def _last(mask: Bools, time: Floats) -> Floats:
    """When each finger was last in `mask` before each chord, -inf if never, (n, FINGERS)."""
    when = np.maximum.accumulate(np.where(mask, time[:, None], -np.inf), axis=0)
    return np.concatenate((np.full((1, FINGERS), -np.inf), when[:-1]))


def examples(item: ChordMap, start: int) -> Arrays:
    """Inputs and truths for the chords from `start` on; what comes before is only remembered."""
    memory = lanes_of(item, start)
    n = len(memory.held)
    fingers = lanes.describe_fingers(memory, item.time[start:], item.beat[start:])
    seen = fingers.reshape(n, -1)
    starts, holds, releases = (m[start:] for m in (item.starts, item.holds, item.releases))
    told_ = np.broadcast_to(item.told, (n, len(item.told)))
    return {
        "x": np.concatenate((item.known[start:], seen, told_), axis=1),
        "fingers": fingers,
        "pairs": lanes.describe_pairs(memory),
        "beats": item.beats[start:],
        "mapper": np.full(n, item.mapper),
        "starts": starts, "holds": holds, "releases": releases & memory.held,
        "free": memory.usable & (~memory.held | starts),
        "held": memory.held,
    }  # fmt: skip


def save(maps: list[ChordMap], path: Path) -> None:
    """Write maps as one file."""
    arrays = {name: np.concatenate([getattr(m, name) for m in maps]) for name in _ARRAYS}
    arrays["known"] = arrays["known"].astype(np.float32)
    arrays["sizes"] = np.array([len(m.time) for m in maps])
    for name in ("keys", "mapper", "told"):
        arrays[name] = np.stack([np.asarray(getattr(m, name)) for m in maps])
    np.savez(path, **arrays)  # type: ignore[arg-type]


def load(path: Path) -> list[ChordMap]:
    """Read what `save` wrote."""
    data = dict(np.load(path))
    ends = np.cumsum(data["sizes"])
    maps = []
    for k, end in enumerate(ends):
        part = slice(end - data["sizes"][k], end)
        own = {name: data[name][part] for name in _ARRAYS}
        maps.append(ChordMap(int(data["keys"][k]), **own, told=data["told"][k], mapper=int(data["mapper"][k])))
    return maps


def main() -> None:
    """Read the corpus into the file named on the command line (`.npz`); `.val.npz` and `.json` go beside it."""
    path = Path(sys.argv[1])
    corpus = Corpus()
    table = mapper_table(corpus.rows)
    rows = [r for r in corpus.select(mode=3) if r.n_objects >= _LEAST_CHORDS and r.circle_size <= FINGERS]
    path.with_suffix(".json").write_text(json.dumps({"mappers": table, "descriptors": NAMES}))
    beatmaps = [corpus.beatmap(row) for row in rows]
    tags = describe([(beatmap, row.stars) for row, beatmap in zip(rows, beatmaps, strict=True)])
    for split, target in (("train", path), ("val", path.with_suffix(".val.npz"))):
        maps = []
        for row, beatmap, found in zip(rows, beatmaps, tags, strict=True):
            if row.split == split:
                mapper = table.index(row.creator) if row.creator in table else None
                conditions = conditions_of(beatmap, row, mapper, found)
                maps.append(read_map(read_chords(beatmap), beatmap.keys, conditions))
        save(maps, target)
        print(split, len(maps), "maps", sum(len(m.time) for m in maps), "chords")


if __name__ == "__main__":
    main()
