"""What the rhythm network hands to the placing networks: objects with times but no places.

A `Draft` is one object of osu!, taiko or catch, a `Chord` is everything that happens at one moment of a mania
map. The rhythm network fills times, kinds and counts; `points.place` and `columns.place_columns` fill in place
the fields that say where.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mapperatorinator.events import Hitsound
    from mapperatorinator.weights.adapter import Adapter


class DraftKind(IntEnum):
    """What a draft will become."""

    CIRCLE = 0
    SLIDER = 1
    SPINNER = 2
    HOLD = 3
    DRUMROLL = 4
    DENDEN = 5


@dataclass(slots=True)
class Draft:
    """One hit object before it has a place, and after.

    Times are ms, `beat` is ms per beat at `time`, `length` is px of one slider span, `velocity` is the slider
    velocity multiplier. `points` begins with the head; a slider's control points follow, a repeated point being
    a red anchor. A `fixed` draft was given by the user: its points must not move.
    """

    tick: int
    time: float
    kind: DraftKind
    end_time: float
    beat: float
    slides: int = 1
    new_combo: bool = False
    velocity: float = 1.0
    length: float = 0.0
    hitsounds: list[Hitsound] = field(default_factory=list)
    points: list[tuple[float, float]] = field(default_factory=list)
    curve: str = "L"
    fixed: bool = False


@dataclass(slots=True)
class Chord:
    """Everything that happens at one tick of a mania map.

    `starts` notes begin, `holds` of them are held; `releases` earlier holds end. The column tuples are empty
    until placed: `columns` are all that start, `hold_columns` the held ones among them, `release_columns` the
    earlier holds that end here. `hitsounds` go with `columns`, in order (or are empty). A chord's release time
    is when a later chord lists the column in `release_columns`.
    """

    tick: int
    time: float
    beat: float
    starts: int
    holds: int = 0
    releases: int = 0
    columns: tuple[int, ...] = ()
    hold_columns: tuple[int, ...] = ()
    release_columns: tuple[int, ...] = ()
    hitsounds: list[Hitsound] = field(default_factory=list)
    fixed: bool = False


@dataclass(frozen=True)
class Conditions:
    """What is asked of the whole map; None or an empty set means unknown.

    `mode` is 0 to 3, `stars` as rosu-pp counts them, `circle_size` 0 to 10, `keys` 1 to 18 (mania),
    `slider_multiplier` in units of 100 px per beat, `mapper` an index of the model's mapper table, `density`
    objects per second of drain time, `hold_ratio` and `scroll_ratio` shares of objects (0 to 1) that are held or
    change the scroll speed, `adapter` what changes the networks.
    """

    mode: int
    stars: float | None = None
    circle_size: float | None = None
    keys: int | None = None
    slider_multiplier: float | None = 1.4
    mapper: int | None = None
    year: int | None = None
    density: float | None = None
    hitsounded: bool | None = None
    hold_ratio: float | None = None
    scroll_ratio: float | None = None
    descriptors: frozenset[str] = frozenset()
    adapter: Adapter | None = None
