"""What is asked of a map, as the tokens and numbers that the published networks know; what is not asked is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mapperatorinator.beatmap import MANIA, Beatmap, Hold
from mapperatorinator.mapper.sequence.profile import Profile
from mapperatorinator.mapper.sequence.reading import LEAST_CHANGE, Lines, scroll_changes, usual_beat
from mapperatorinator.mapper.sequence.vocabulary import Vocabulary

UNKNOWN_YEAR, UNKNOWN_RATIO, UNKNOWN_STARS = 2077, 12, 5.0
MOST_STARS, MOST_SIZE = 12.0, 10.0
SLIDER_LIMITS = 0.4, 3.6
SONG_STEP_MS, LONGEST_SONG = 10_000, 60
_MODES = {"global_sv": (0, 2), "cs": (0, 2), "keycount": (3,), "hold_note_ratio": (3,), "scroll_speed_ratio": (1, 3)}


@dataclass(frozen=True)
class Wishes:
    """Conditions of one map; None is unknown. Ratios are shares from 0 to 1; descriptors are names or indexes."""

    gamemode: int = 0
    difficulty: float | None = None
    mapper_id: int | None = None
    year: int | None = None
    hitsounded: bool = True
    slider_multiplier: float = 1.4
    circle_size: float | None = None
    keycount: int = 4
    hold_note_ratio: float | None = None
    scroll_speed_ratio: float | None = None
    descriptors: tuple[str | int, ...] = ()
    negative_descriptors: tuple[str | int, ...] = ()

    @classmethod
    def of(cls, bm: Beatmap, stars: float) -> Wishes:
        """What one would have had to ask for to get this map, as far as it stands in its file."""
        objects = bm.hit_objects
        holds = sum(isinstance(obj, Hold) for obj in objects) / max(len(objects), 1)
        return cls(
            bm.mode, stars, None, None, any(obj.sound for obj in objects), bm.slider_multiplier, bm.circle_size,
            bm.keys, holds, _scroll_ratio(bm),
        )  # fmt: skip

    def opposite(self) -> Wishes:
        """What guidance leads away from: the unwanted style, or no style and no mapper in particular."""
        styled = bool(self.descriptors or self.negative_descriptors)
        mapper = self.mapper_id if styled else None
        return replace(self, mapper_id=mapper, descriptors=self.negative_descriptors)


def _scroll_ratio(bm: Beatmap) -> float:
    """Changes of scroll speed per time at which something happens; in mania as the player sees them."""
    points = Lines(bm.unsorted_timing_points or bm.timing_points).points
    usual = usual_beat(points, bm.hit_objects) if bm.mode == MANIA and bm.hit_objects else None
    before, changes = 1.0, 0
    for _, speed in scroll_changes(points, usual):
        if abs(speed - before) > LEAST_CHANGE:
            before, changes = speed, changes + 1
    return changes / max(len({obj.time for obj in bm.hit_objects}), 1)


class Conditions:
    """Turns wishes into tokens and vectors of one checkpoint."""

    def __init__(self, vocabulary: Vocabulary, profile: Profile, wishes: Wishes, song_ms: float) -> None:
        self.vocabulary, self.profile, self.wishes, self.song_ms = vocabulary, profile, wishes, song_ms

    def tokens(self) -> list[int]:
        """The condition tokens in their order; UserError for a value that the checkpoint does not know."""
        kinds = [k for k in self.profile.conditions if self.wishes.gamemode in _MODES.get(k, range(4))]
        return [self.vocabulary.encode(kind, value) for kind in kinds for value in self._values(kind)]

    def mapper(self) -> int:
        """The mapper's index for the vector condition: -1 if none was asked, the last one if unknown."""
        return -1 if self.wishes.mapper_id is None else self._mapper()

    def _mapper(self) -> int:
        unknown = int(self.vocabulary.raw.get("num_mapper_classes") or 0)
        return self.vocabulary.mappers.get(self.wishes.mapper_id or -1, unknown)

    def unknown_names(self) -> Iterator[str]:
        """Names among the wishes that the checkpoint does not know."""
        for name in (*self.wishes.descriptors, *self.wishes.negative_descriptors):
            if self._descriptor(name) is None:
                yield f"descriptor {name!r}"
        if self.wishes.mapper_id is not None and self.wishes.mapper_id not in self.vocabulary.mappers:
            yield f"mapper {self.wishes.mapper_id}"

    def _descriptor(self, name: str | int) -> int | None:
        if isinstance(name, str):
            return self.vocabulary.descriptors.get(name)
        return name if 0 <= name < self._last("descriptor") else None

    def _values(self, kind: str) -> Iterable[int]:
        wishes = self.wishes
        if kind == "gamemode":
            return (wishes.gamemode,)
        if kind == "difficulty":
            return (_bin(wishes.difficulty, MOST_STARS, 24, self._last(kind)),)
        if kind == "cs":
            return (_bin(wishes.circle_size, MOST_SIZE, 20, self._last(kind)),)
        if kind == "mapper":
            return (self._mapper(),)
        if kind == "year":
            return (UNKNOWN_YEAR if wishes.year is None else wishes.year,)
        if kind == "hitsounded":
            return (int(wishes.hitsounded),)
        if kind == "song_length":
            return (min(max(int(self.song_ms // SONG_STEP_MS), 0), LONGEST_SONG),)
        if kind == "global_sv":
            return (round(min(max(wishes.slider_multiplier, SLIDER_LIMITS[0]), SLIDER_LIMITS[1]) * 100),)
        if kind == "keycount":
            return (wishes.keycount,)
        if kind == "descriptor":
            known = [index for name in wishes.descriptors if (index := self._descriptor(name)) is not None]
            return known or (self._last(kind),)
        return (_ratio(wishes.hold_note_ratio if kind == "hold_note_ratio" else wishes.scroll_speed_ratio),)

    def _last(self, kind: str) -> int:
        return self.vocabulary.limits(kind)[1]


def _bin(value: float | None, most: float, bins: int, unknown: int) -> int:
    """The bin of a value in 0..most; the last ones but one hold everything beyond."""
    return unknown if value is None else min(max(int(value * bins / most), 0), unknown - 1)


def _ratio(share: float | None) -> int:
    if share is None:
        return UNKNOWN_RATIO
    return -1 if share <= 0 else 11 if share >= 1 else round(share * 10)
