"""Corpus maps on the grid, ready for the sampler: canvases, conditions and songs, prepared once and kept."""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mapperatorinator.beatmap import Beatmap, Hold
from mapperatorinator.evaluation.corpus import Corpus, MapRow
from mapperatorinator.events import beatmap_to_events
from mapperatorinator.mapper.grid.canvas import Canvas
from mapperatorinator.mapper.grid.draft import Conditions
from mapperatorinator.mapper.grid.ticks import TICKS_PER_BEAT, TickGrid
from mapperatorinator.timing import Timing
from mapperatorinator.training.descriptors import NAMES, describe

LEAST_MAPS = 3  # a mapper needs this many maps in the train split to be told apart
# How far before the first and after the last object a map teaches that nothing happens: with a song, what an
# intro or an outro sounds like that nobody maps; without, only that maps end.
_LEAD_BEATS, _SONG_LEAD_BEATS = 16, 96
_LONGEST_TICKS = 60_000
# Beatmap set ids grow with time; years are read off these known points (set id, year), good to about half a year.
_YEARS = ((1, 2007.8), (13_000, 2010.2), (40_000, 2011.9), (93_000, 2013.5), (290_000, 2015.2), (480_000, 2016.5),
          (775_000, 2018.3), (1_000_000, 2019.5), (1_300_000, 2020.9), (1_600_000, 2021.9), (1_900_000, 2023.0),
          (2_150_000, 2024.2), (2_450_000, 2025.8))  # fmt: skip


@dataclass
class GridMap:
    """One map on the grid; `first` and `last` are the rows between which it may be learned from."""

    row: MapRow
    canvas: Canvas
    conditions: Conditions
    first: int
    last: int
    audio: str
    song_end: float


def year_of(set_id: int) -> int | None:
    """Estimate the year in which a beatmap set was made from its id; None without one."""
    if set_id <= 0:
        return None
    ids, years = zip(*_YEARS, strict=True)
    return int(np.interp(set_id, ids, years))


def conditions_of(bm: Beatmap, row: MapRow, mapper: int | None, tags: frozenset[str]) -> Conditions:
    """Read off a human map what one would have had to ask for to get it."""
    times = np.array([o.time for o in bm.hit_objects])
    gaps = np.diff(np.unique(times))
    drain = max(float(gaps[gaps < 8000].sum()) / 1000, 1.0)
    starts = len(np.unique(np.round(times))) if bm.mode == 3 else len(times)
    velocities = np.array([bm.velocity_at(t) for t in np.unique(times)])
    return Conditions(
        mode=bm.mode,
        stars=row.stars,
        circle_size=bm.circle_size if bm.mode in (0, 2) else None,
        keys=bm.keys if bm.mode == 3 else None,
        slider_multiplier=bm.slider_multiplier,
        mapper=mapper,
        year=year_of(bm.beatmapset_id),
        density=starts / drain,
        hitsounded=any(o.sound & 14 for o in bm.hit_objects),
        hold_ratio=float(np.mean([isinstance(o, Hold) for o in bm.hit_objects])) if bm.mode == 3 else None,
        scroll_ratio=float(np.mean(np.abs(np.diff(velocities)) > 1e-3)) if bm.mode in (1, 3) else None,
        descriptors=tags,
    )


def grid_map(bm: Beatmap, row: MapRow, conditions: Conditions, song_end: float) -> GridMap | None:
    """Put one map on the grid, or return None where its timing is no music's (absurd tempo, hours of ticks)."""
    if not bm.hit_objects or not bm.red_lines():
        return None
    timing = Timing.from_beatmap(bm)
    lengths = [point.beat_length for point in timing.points]
    start = min(o.time for o in bm.hit_objects)
    end = max(bm.end_time(o) for o in bm.hit_objects)
    if min(lengths) < 60 or max(lengths) > 3000 or end - start > 1.2e6:
        return None
    lead = _SONG_LEAD_BEATS if row.audio else _LEAD_BEATS
    grid = TickGrid.of(timing, start - lead * lengths[0], end + lead * lengths[-1])
    if len(grid) > _LONGEST_TICKS:
        return None
    inside = np.flatnonzero((grid.times >= 0) & ((grid.times < song_end) | (song_end == 0)))
    canvas = Canvas.of(beatmap_to_events(bm), bm.mode, grid)
    first = int(inside[0]) // TICKS_PER_BEAT * TICKS_PER_BEAT
    return GridMap(row, canvas, conditions, first, int(inside[-1]) + 1, row.audio, song_end)


def prepare(corpus: Corpus, kept: Path) -> tuple[list[GridMap], list[str]]:
    """Return all maps of the corpus on the grid and the names of the mappers told apart; done once, then kept."""
    if kept.exists():
        with kept.open("rb") as file:
            return pickle.load(file)  # our own cache, written below
    rows = [row for row in corpus.rows if row.align_ok is not False]
    pairs = [(row, corpus.beatmap(row)) for row in rows]
    counts = Counter(row.creator for row in rows if row.split == "train")
    mappers = sorted(name for name, count in counts.items() if count >= LEAST_MAPS)
    index = {name: i for i, name in enumerate(mappers)}
    tags = describe([(bm, row.stars) for row, bm in pairs])
    seconds = _audio_seconds(corpus)
    maps = []
    for (row, bm), found in zip(pairs, tags, strict=True):
        conditions = conditions_of(bm, row, index.get(row.creator), found)
        item = grid_map(bm, row, conditions, seconds.get(row.audio, 0.0) * 1000)
        if item is None:
            print(f"skipped {row.path}: timing is no music's")
        else:
            maps.append(item)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("wb") as file:
        pickle.dump((maps, mappers), file)
    return maps, mappers


def _audio_seconds(corpus: Corpus) -> dict[str, float]:
    import csv

    with open(corpus.folder / "maps.csv", encoding="utf-8", newline="") as file:
        return {r["audio"]: float(r["audio_seconds"]) for r in csv.DictReader(file) if r["audio"]}


__all__ = ["NAMES", "GridMap", "conditions_of", "grid_map", "prepare", "year_of"]
