"""Placed objects of all osu! and catch maps of the corpus as flat arrays, kept in one file.

``python -m mapperatorinator.training.points_data data/points.npz`` reads the maps (half a minute), fits the
slider alphabet on the train split and writes the arrays. The alphabet and the mapper table go beside them as JSON.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import Beatmap, Slider
from mapperatorinator.evaluation.corpus import Corpus, MapRow
from mapperatorinator.mapper.grid.decoder import told
from mapperatorinator.mapper.grid.draft import Conditions
from mapperatorinator.mapper.grid.reading import read_drafts
from mapperatorinator.mapper.grid.rhythm_features import Rhythm
from mapperatorinator.mapper.grid.shapes import Alphabet
from mapperatorinator.mapper.grid.spacing import FIELD
from mapperatorinator.training.descriptors import NAMES, describe
from mapperatorinator.training.grid_maps import LEAST_MAPS, conditions_of
from mapperatorinator.training.slider_alphabet import fit_alphabet

_LEAST_OBJECTS = 20


def mapper_table(rows: Sequence[MapRow]) -> list[str]:
    """Names of the mappers told apart, in the grid mapper's order."""
    counts = Counter(row.creator for row in rows if row.split == "train" and row.align_ok is not False)
    return sorted(name for name, count in counts.items() if count >= LEAST_MAPS)


@dataclass
class PlacedMap:
    """One map: its rhythm and where everything is.

    head, tail : (n, 2) px; tail is the far end of a slider. heading : (n,) rad. code, bend : shapes in the alphabet.
    outline : (n, 8, 2) true bodies in their own frame. told : conditions. mapper : 0 unknown, else 1 + index.
    """

    mode: int
    rhythm: Rhythm
    head: NDArray[np.float64]
    tail: NDArray[np.float64]
    heading: NDArray[np.float64]
    code: NDArray[np.int64]
    bend: NDArray[np.float64]
    outline: NDArray[np.float64]
    told: NDArray[np.float64]
    mapper: int


def read_placed(beatmap: Beatmap, alphabet: Alphabet, conditions: Conditions) -> PlacedMap:
    """Bring one map into arrays."""
    drafts = read_drafts(beatmap)
    order = sorted(range(len(drafts)), key=lambda i: drafts[i].time)
    drafts = [drafts[i] for i in order]
    objects = [beatmap.hit_objects[i] for i in order]
    n = len(drafts)
    head = np.clip(np.array([d.points[0] for d in drafts], float).reshape(n, 2), -FIELD, 2 * FIELD)
    placed = PlacedMap(
        conditions.mode, Rhythm.of(drafts), head, head.copy(), np.zeros(n), np.zeros(n, int), np.zeros(n),
        np.zeros((n, 8, 2)), told(conditions, NAMES),
        0 if conditions.mapper is None else 1 + conditions.mapper,
    )
    for i, obj in enumerate(objects):
        if isinstance(obj, Slider):
            shape, outline, heading = alphabet.recognise(obj.path, obj.length)
            placed.code[i], placed.bend[i] = shape
            placed.outline[i], placed.heading[i] = outline, heading
            placed.tail[i] = np.clip(obj.path.position_at(1.0, obj.length), -FIELD, 2 * FIELD)
    return placed


_ARRAYS = ("head", "tail", "heading", "code", "bend", "outline")
_RHYTHM = tuple(Rhythm.__dataclass_fields__)


def save(maps: list[PlacedMap], path: Path) -> None:
    """Write maps as one compressed file."""
    arrays = {name: np.concatenate([getattr(m, name) for m in maps]) for name in _ARRAYS}
    arrays |= {f"rhythm_{name}": np.concatenate([getattr(m.rhythm, name) for m in maps]) for name in _RHYTHM}
    arrays["outline"] = arrays["outline"].astype(np.float16)
    arrays["sizes"] = np.array([len(m.head) for m in maps])
    arrays["mode"] = np.array([m.mode for m in maps])
    arrays["mapper"] = np.array([m.mapper for m in maps])
    arrays["told"] = np.stack([m.told for m in maps])
    np.savez(path, **arrays)  # type: ignore[arg-type]


def load(path: Path) -> list[PlacedMap]:
    """Read what `save` wrote."""
    data = dict(np.load(path))
    ends = np.cumsum(data["sizes"])
    maps = []
    for k, end in enumerate(ends):
        part = slice(end - data["sizes"][k], end)
        rhythm = Rhythm(*(data[f"rhythm_{name}"][part] for name in _RHYTHM))
        own = {name: data[name][part] for name in _ARRAYS}
        own["outline"] = own["outline"].astype(float)
        maps.append(
            PlacedMap(
                int(data["mode"][k]), rhythm, **own, told=data["told"][k], mapper=int(data["mapper"][k])
            )
        )
    return maps


def main() -> None:
    """Read the corpus into the file named on the command line (`.npz`); `.val.npz` and `.json` go beside it."""
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    corpus = Corpus()
    table = mapper_table(corpus.rows)
    rows = [row for row in corpus.rows if row.mode in (0, 2) and row.n_objects >= _LEAST_OBJECTS]
    train = [row for row in rows if row.split == "train"]
    sliders = (o for row in train for o in corpus.beatmap(row).hit_objects if isinstance(o, Slider))
    alphabet = fit_alphabet(sliders)
    words = {"alphabet": alphabet.to_card(), "mappers": table, "descriptors": NAMES}
    path.with_suffix(".json").write_text(json.dumps(words))
    beatmaps = [corpus.beatmap(row) for row in rows]
    tags = describe([(beatmap, row.stars) for row, beatmap in zip(rows, beatmaps, strict=True)])
    for split, target in (("train", path), ("val", path.with_suffix(".val.npz"))):
        maps = []
        for row, beatmap, found in zip(rows, beatmaps, tags, strict=True):
            if row.split == split:
                mapper = table.index(row.creator) if row.creator in table else None
                maps.append(read_placed(beatmap, alphabet, conditions_of(beatmap, row, mapper, found)))
        save(maps, target)
        print(split, len(maps), "maps", sum(len(m.head) for m in maps), "objects")


if __name__ == "__main__":
    main()
