"""How a data set is read: which maps, how their samples are cut, and what is changed at random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from mapperatorinator.mapper.sequence.profile import PROFILES, Profile

FORGET = {
    "difficulty": 0.2, "mapper_id": 0.2, "circle_size": 0.2, "year": 0.2, "hold_note_ratio": 0.2,
    "scroll_speed_ratio": 0.2, "descriptors": 0.2,
}  # fmt: skip


@dataclass(frozen=True)
class Selection:
    """Which maps are read. start, stop : of the songs in the data set's order (web: of its files), stop excluded,
    None to the end. modes : 0 to 3, empty: those of the profile. ranked : statuses, empty: all. years : of ranking
    or upload, both included. stars : least and most. tags : where style comes from, `omdb` or `user_tags`; tag_table : of
    votes, for the web layout."""

    start: int = 0
    stop: int | None = None
    modes: tuple[int, ...] = ()
    ranked: tuple[int, ...] = ()
    years: tuple[int, int] | None = None
    stars: tuple[float, float] | None = None
    tags: str = "omdb"
    tag_table: Path | None = None


@dataclass(frozen=True)
class SampleOptions:
    """How samples are made.

    profile : what tokens mean; frames, tokens : mel frames and tokens of a sample, as the network has them.
    endless : epoch after epoch in random order; False: once, in order. mix : songs whose samples are shuffled.
    weights : of the profile's templates, empty: alike. lookback, lookahead : shares of a window without labels in
    front (with a chance, once per map) and without tokens at the end. offset_chance : that windows do not begin at
    0 but within `most_offset` frames. speed_chance : that a song is played at one of `speeds` (from, to), towards
    the faster ones with `speed_root`. flip_x, flip_y : chances. time_noise, shared_noise : most steps of 10 ms that
    an input time is off by itself or all together, with `time_chance` a sample. snap_noise : chance of a wrong
    snapping. forget : chance by wish that a condition is unknown. keep_empty : also samples without a label.
    sample_weights : table of map id and weight in the loss.
    """

    profile: Profile
    frames: int = 1024
    tokens: int = 2048
    selection: Selection = field(default_factory=Selection)
    endless: bool = True
    mix: int = 16
    weights: tuple[float, ...] = ()
    lookback: float = 0.0
    lookback_chance: float = 0.0
    lookahead: float = 0.0
    offset_chance: float = 1.0
    most_offset: int = 2000
    speed_chance: float = 0.5
    speeds: tuple[float, float] = (1.25, 1.5)
    speed_root: bool = False
    flip_x: float = 0.0
    flip_y: float = 0.0
    time_noise: int = 0
    shared_noise: int = 0
    time_chance: float = 1.0
    snap_noise: float = 0.0
    forget: Mapping[str, float] = field(default_factory=lambda: dict(FORGET))
    keep_empty: bool = True
    sample_weights: Path | None = None

    def plain(self) -> SampleOptions:
        """The same without anything random, each song once: for measuring."""
        return replace(
            self, endless=False, lookback_chance=float(self.lookback_chance == 1.0), offset_chance=0.0,
            speed_chance=0.0, flip_x=0.0, flip_y=0.0, time_noise=0, shared_noise=0, snap_noise=0.0, forget={},
        )  # fmt: skip


_V28 = SampleOptions(PROFILES["v28"])
_LONG = replace(
    _V28, speed_chance=0.3, speeds=(1.0, 1.2), lookback=0.2, lookback_chance=0.5, forget=FORGET | {"mapper_id": 0.1}
)
# What the published versions were trained with.
PUBLISHED = {
    "v28": _V28,
    "v29": replace(_V28, profile=PROFILES["v29"]),
    "v30": replace(_LONG, profile=PROFILES["v30"], frames=4096, tokens=5120),
    "v31": replace(_V28, profile=PROFILES["v31"], frames=4096, tokens=8192),
    "v32": replace(_LONG, profile=PROFILES["v32"], frames=2048, tokens=2560, speed_root=True, snap_noise=0.25),
}  # fmt: skip
PUBLISHED["v32-mini"] = replace(PUBLISHED["v32"], profile=PROFILES["v32-mini"])
