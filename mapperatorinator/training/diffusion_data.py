"""Maps as the position diffusion learns them: columns with true positions, cut, mirrored, shifted in time.

`read_corpus` reads the osu! and catch maps of the corpus, `read_folder` those of anyone's folder of `.osz` and `.osu`
files; both as `Track`s. The same seed and step give the same batch, whatever was drawn before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mapperatorinator.beatmap import CATCH, OSU, Beatmap, Circle, Slider, read_beatmap, read_osz, star_rating
from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.corpus import Corpus
from mapperatorinator.events import beatmap_to_events
from mapperatorinator.positions.classes import MapClasses
from mapperatorinator.positions.columns import BAND, Columns, columns_of
from mapperatorinator.positions.touch import CATCH_WORD
from mapperatorinator.training.descriptors import NAMES, describe

LENGTH = BAND  # columns of a crop
TABLES: dict[str, Any] = {
    "num_classes": 0, "num_diff_classes": 26, "max_difficulty": 12, "num_mapper_classes": 0, "num_cs_classes": 22,
    "num_descriptor_classes": len(NAMES) + 2,
    "descriptor_idx": {word: slot for slot, word in enumerate((*NAMES, CATCH_WORD))},
}  # fmt: skip
_LEAST, _MOST = 16, 128  # points of a slider: one with more than its length deserves is learned as a circle
_DROPPED = 0.2  # how often each kind of class stays unknown
_FASTER, _FASTER_SHARE = 1.5, 0.25
_STRETCH, _STRETCH_SHARE = 0.1, 0.5  # octaves of noise on distances, and how often there is any
_LATEST = 1e6  # ms
_CATCH_WEIGHT = 3.0
_HOLD_OUT = 20  # of a user's sets, every such many is kept for judging

Batch = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Track:
    """One map: its columns, and what it would have been asked to be."""

    columns: Columns
    asked: MapClasses


def track_of(beatmap: Beatmap, stars: float, words: Iterable[str] = ()) -> Track:
    """A map as columns; `words` are its style tags."""
    plain = replace(beatmap, hit_objects=[_learnable(item) for item in beatmap.hit_objects])
    tags = (*sorted(words), *([CATCH_WORD] if beatmap.mode == CATCH else []))
    asked = MapClasses(stars, beatmap.circle_size, descriptors=tags)
    return Track(columns_of(beatmap_to_events(plain)), asked)


def _learnable(item: Any) -> Any:
    if isinstance(item, Slider) and len(item.path.points) >= max(_LEAST, min(_MOST, item.length / 2)):
        return Circle(item.x, item.y, item.time, item.new_combo, item.combo_skip, item.sound, item.sample)
    return item


def read_corpus(corpus: Corpus, split: str) -> list[Track]:
    """The osu! and catch maps of a split of the corpus."""
    rows = [row for row in corpus.select(split=split) if row.mode in (OSU, CATCH)]
    maps = [corpus.beatmap(row) for row in rows]
    words = describe([(beatmap, row.stars) for row, beatmap in zip(rows, maps, strict=True)])
    return [track_of(beatmap, row.stars, tags) for beatmap, row, tags in zip(maps, rows, words, strict=True)]


def read_folder(folder: Path) -> tuple[list[Track], list[Track]]:
    """Maps to learn from and maps held out, from all `.osz` and `.osu` files below a folder; UserError if too few."""
    learned: list[Track] = []
    held_out: list[Track] = []
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".osz", ".osu"))
    for number, path in enumerate(files):
        found = (held_out if number % _HOLD_OUT == _HOLD_OUT - 1 else learned, _read(path))
        found[0].extend(track_of(beatmap, star_rating(beatmap)) for beatmap in found[1])
    if not any(len(track.columns) >= LENGTH for track in learned):
        raise UserError(f"{folder} holds no osu! or catch map that is long enough to learn from; give .osz or .osu files.")
    return learned, held_out or learned[-1:]


def _read(path: Path) -> Iterator[Beatmap]:
    try:
        maps = list(read_osz(path).beatmaps) if path.suffix == ".osz" else [read_beatmap(path)]
    except UserError:
        return  # a damaged file among many
    yield from (beatmap for beatmap in maps if beatmap.mode in (OSU, CATCH) and beatmap.hit_objects)


_ARRAYS = ("times", "distances", "kinds")


def save(tracks: Sequence[Track], path: Path) -> None:
    """Write tracks as one file: reading the corpus takes minutes."""
    arrays = {name: np.concatenate([getattr(track.columns, name) for track in tracks]) for name in _ARRAYS}
    places = np.concatenate([track.columns.positions for track in tracks], axis=1)
    asked = json.dumps([asdict(track.asked) for track in tracks])
    sizes = np.array([len(track.columns) for track in tracks])
    np.savez_compressed(path, **arrays, positions=places, sizes=sizes, asked=np.array(asked))  # type: ignore[arg-type]


def load(path: Path) -> list[Track]:
    """Read what `save` wrote."""
    kept = dict(np.load(path))
    ends = np.cumsum(kept["sizes"])
    tracks = []
    for end, size, asked in zip(ends, kept["sizes"], json.loads(str(kept["asked"])), strict=True):
        own = slice(end - size, end)
        times, distances, kinds = (kept[name][own] for name in _ARRAYS)
        columns = Columns(kept["positions"][:, own], times, distances, kinds, tuple(range(size)), ())
        tracks.append(Track(columns, MapClasses(**{**asked, "descriptors": tuple(asked["descriptors"])})))
    return tracks


class Crops:
    """Random crops of maps, mirrored, moved in time, some classes unknown."""

    def __init__(self, tracks: Sequence[Track], seed: int) -> None:
        self.tracks = [track for track in tracks if len(track.columns) >= LENGTH]
        self.seed = seed
        weights = np.array([
            len(track.columns) ** 0.7 * (_CATCH_WEIGHT if CATCH_WORD in track.asked.descriptors else 1)
            for track in self.tracks
        ])  # fmt: skip
        self.weights = weights / weights.sum()

    def batch(self, size: int, step: int) -> Batch:
        """`size` crops: x (size, 2, n), times, distances and kinds (size, n), classes (size, length)."""
        rng = np.random.default_rng((self.seed, step))
        return _stacked([self._crop(rng) for _ in range(size)])

    def _crop(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        track = self.tracks[rng.choice(len(self.tracks), p=self.weights)]
        crop = cut(track, int(rng.integers(0, len(track.columns) - LENGTH + 1)))
        crop["x"] = crop["x"] * rng.choice((-1.0, 1.0), (2, 1))
        crop["times"] = crop["times"] / (_FASTER if rng.random() < _FASTER_SHARE else 1) + rng.uniform(0, _LATEST)
        if rng.random() < _STRETCH_SHARE:
            crop["distances"] = crop["distances"] * np.exp2(rng.normal(0, _STRETCH, LENGTH))
        stars, size, words = rng.random(3) >= _DROPPED
        asked = track.asked
        known = MapClasses(
            asked.stars if stars else None, asked.circle_size if size else None,
            descriptors=asked.descriptors if words else (),
        )  # fmt: skip
        crop["classes"] = known.vector(TABLES)
        return crop


def cut(track: Track, start: int) -> dict[str, np.ndarray]:
    """A crop as it is: positions -1 to 1 across the field, at most half a field outside; times from 0."""
    columns, part = track.columns, slice(start, start + LENGTH)
    return {
        "x": np.clip(columns.positions[:, part] / [[256], [192]] - 1, -2, 2),
        "times": columns.times[part] - columns.times[start],
        "distances": columns.distances[part],
        "kinds": columns.kinds[part],
        "classes": track.asked.vector(TABLES),
    }


def whole_crops(tracks: Sequence[Track], size: int) -> list[Batch]:
    """All maps cut in fixed places, for the held-out loss."""
    crops = [cut(track, at) for track in tracks for at in range(0, len(track.columns) - LENGTH + 1, LENGTH)]
    return [_stacked(crops[at : at + size]) for at in range(0, len(crops), size)]


def _stacked(crops: Sequence[dict[str, np.ndarray]]) -> Batch:
    batch = {name: torch.from_numpy(np.stack([crop[name] for crop in crops])) for name in crops[0]}
    return {name: values.float() if values.is_floating_point() else values for name, values in batch.items()}
