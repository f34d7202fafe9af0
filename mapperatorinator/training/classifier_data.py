"""Maps of the corpus whose mapper can be learned, as the classifier sees them, kept in one file.

Held out are whole songs: one in four of every mapper with two or more, and the corpus's own. A guest difficulty belongs
to the guest that its name tells.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from mapperatorinator.classifier.view import View
from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.corpus import Corpus, MapRow

LEAST_MAPS, LEAST_SONGS = 3, 2  # a mapper needs so many maps, or so many songs, to be learned
_HELD_OUT = 4  # one song in so many
_GUEST = re.compile(r"(.{2,}?)'s? ", re.IGNORECASE)  # "Somebody's Hard", "Jonas' Hard"
_SEVERAL = re.compile(r" x | & |\bcollab\b|\bfeat\b", re.IGNORECASE)


@dataclass(frozen=True)
class Known:
    """One map with its mapper and song."""

    view: View
    mapper: str
    song: str
    held_out: bool


def author(row: MapRow) -> str | None:
    """Who made a map: the set's creator, or the guest that the difficulty's name tells; None for several."""
    if _SEVERAL.search(row.difficulty_name):
        return None
    guest = _GUEST.match(row.difficulty_name)
    return guest[1].strip().casefold() if guest else row.creator.casefold()


def held_out_songs(rows: Sequence[MapRow]) -> set[str]:
    """The songs nobody may train on: those of the corpus's own split and one in four of every mapper's."""
    songs: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if name := author(row):
            songs[name].add(row.song)
    held = {row.song for row in rows if row.split == "val"}
    for _, some in sorted(songs.items()):
        wanted = max(round(len(some) / _HELD_OUT), 1) if len(some) >= LEAST_SONGS else 0
        drawn = sorted(some - held, key=lambda song: sha256(song.encode()).digest())
        held |= set(drawn[: max(wanted - len(some & held), 0)])
    return held


def learnable(rows: Sequence[MapRow], held: set[str]) -> dict[str, str]:
    """Mappers with enough maps, or enough songs, of which something is left to learn from; each as it is written."""
    maps: dict[str, list[MapRow]] = defaultdict(list)
    for row in rows:
        if name := author(row):
            maps[name].append(row)
    written = {row.creator.casefold(): row.creator for row in rows}
    return {
        name: written.get(name, name) for name, some in maps.items()
        if (len(some) >= LEAST_MAPS or len({row.song for row in some}) >= LEAST_SONGS)
        and any(row.song not in held for row in some)
    }  # fmt: skip


def prepare(corpus: Corpus, kept: Path) -> list[Known]:
    """The maps of all learnable mappers; read once, then kept in a `.npz` with its `.json` beside it."""
    if not kept.exists():
        held = held_out_songs(corpus.rows)
        mappers = learnable(corpus.rows, held)
        maps = []
        for row in corpus.rows:
            name = mappers.get(author(row) or "")
            if name is not None:
                try:
                    view = View.of(corpus.beatmap(row))
                except UserError:
                    continue
                maps.append(Known(view, name, row.song, row.song in held))
        _save(maps, kept)
    return _load(kept)


_ARRAYS = ("words", "rows", "points", "tempo")


def _save(maps: Sequence[Known], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.concatenate([getattr(one.view, name) for one in maps]) for name in _ARRAYS}
    sizes = {f"{name}_sizes": np.array([len(getattr(one.view, name)) for one in maps]) for name in _ARRAYS}
    told = [(one.view.mode, one.view.keys, one.mapper, one.song, one.held_out) for one in maps]
    path.with_suffix(".json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    np.savez_compressed(path, **arrays, **sizes)  # type: ignore[arg-type]


def _load(path: Path) -> list[Known]:
    data = dict(np.load(path))
    told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    parts = {name: np.split(data[name], np.cumsum(data[f"{name}_sizes"])[:-1]) for name in _ARRAYS}
    maps = []
    for i, (mode, keys, mapper, song, held) in enumerate(told):
        words, rows, points, tempo = (parts[name][i] for name in _ARRAYS)
        maps.append(Known(View(words, rows, points, tempo, mode, keys), mapper, song, held))
    return maps
