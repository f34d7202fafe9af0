"""One song of a data set with its difficulties, and what is known about them besides their files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import MANIA, Beatmap, PathPoint, Slider, star_rating
from mapperatorinator.events import column_x
from mapperatorinator.mapper.sequence.conditions import Wishes

Samples = NDArray[np.float32]
WIDTH, HEIGHT = 512, 384
FIRST_YEAR = 2007  # of the game, and of the tokens


@dataclass(frozen=True)
class Chart:
    """One difficulty. mapper : user id. stars : (speed, star rating) pairs, empty: computed. descriptors : names or
    indexes of its style. beatmap_id : 0 unknown."""

    beatmap: Beatmap
    beatmap_id: int = 0
    mapper: int | None = None
    year: int | None = None
    stars: tuple[tuple[float, float], ...] = ()
    descriptors: tuple[str | int, ...] = ()

    def stars_at(self, speed: float) -> float:
        """The star rating at a speed of playback, read between the known ones or computed."""
        known = [pair for pair in self.stars if np.isfinite(pair[1])]
        if known and known[0][0] <= speed <= known[-1][0]:
            return float(np.interp(speed, [at for at, _ in known], [stars for _, stars in known]))
        return star_rating(self.beatmap, speed=speed)

    def wishes(self, speed: float = 1.0) -> Wishes:
        """What one would have had to ask for to get this map."""
        known = self.year is not None and self.year >= FIRST_YEAR
        return replace(
            Wishes.of(self.beatmap, self.stars_at(speed)), mapper_id=self.mapper, year=self.year if known else None,
            descriptors=self.descriptors,
        )  # fmt: skip


@dataclass(frozen=True)
class Song:
    """A song and its difficulties. load : the samples at a speed of playback, 16 kHz as the networks hear it."""

    name: str
    charts: tuple[Chart, ...]
    load: Callable[[float], Samples]


def with_flips(chart: Chart, x: bool, y: bool) -> Chart:
    """The difficulty with its map mirrored; stars and everything else stay."""
    return replace(chart, beatmap=flipped(chart.beatmap, x, y)) if x or y else chart


def flipped(bm: Beatmap, x: bool, y: bool) -> Beatmap:
    """The map mirrored left to right and/or top to bottom; in mania only its columns can be."""
    if bm.mode == MANIA:
        if not x:
            return bm
        keys = bm.keys
        moved = [replace(o, x=float(column_x(keys - 1 - bm.column(o), keys))) for o in bm.hit_objects]
        return replace(bm, hit_objects=moved)

    def place(px: float, py: float) -> tuple[float, float]:
        return WIDTH - px if x else px, HEIGHT - py if y else py

    objects = []
    for obj in bm.hit_objects:
        px, py = place(obj.x, obj.y)
        obj = replace(obj, x=px, y=py)
        if isinstance(obj, Slider):
            points = tuple(PathPoint(*place(p.x, p.y), p.type) for p in obj.path.points)
            obj = replace(obj, path=replace(obj.path, points=points))
        objects.append(obj)
    return replace(bm, hit_objects=objects)
