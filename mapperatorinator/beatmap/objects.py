"""Hit objects: what a player clicks, follows, spins or holds.

Positions are osu! pixels (playfield 512 x 384), times milliseconds from the start of the audio, both floats
that are whole numbers in every format below v128. Hit sounds are bits: 1 normal, 2 whistle, 4 finish, 8 clap.
Sample sets are numbers: 0 inherited, 1 normal, 2 soft, 3 drum.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from .path import SliderPath


class HitSample(NamedTuple):
    """The tail of an object line: sample sets, custom index, volume in percent; 0 inherits."""

    normal_set: int = 0
    addition_set: int = 0
    index: int = 0  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    volume: int = 0
    filename: str = ""


@dataclass(slots=True)
class HitObject:
    """What all objects share; `sample` is None where the line had no such field."""

    x: float
    y: float
    time: float
    new_combo: bool = False
    combo_skip: int = 0
    sound: int = 0
    sample: HitSample | None = None


@dataclass(slots=True)
class Circle(HitObject):
    """A circle, a taiko note, a fruit or a mania note."""


@dataclass(slots=True)
class Slider(HitObject):
    """A slider, a drumroll or a juice stream.

    `length` is that of one span in osu! pixels, `slides` the number of spans. `edge_sounds` and `edge_sets`
    (normal set, addition set) have one entry per edge, slides + 1 in all; missing ones sound as the body.
    """

    path: SliderPath = field(kw_only=True)
    slides: int = field(default=1, kw_only=True)
    length: float = field(default=0.0, kw_only=True)
    edge_sounds: list[int] = field(default_factory=list, kw_only=True)
    edge_sets: list[tuple[int, int]] = field(default_factory=list, kw_only=True)

    @property
    def span_length(self) -> float:
        """The length of one span in px as the game takes it; differs from `length` only in freaks."""
        return self.path.span_length(self.length)

    @property
    def end_position(self) -> tuple[float, float]:
        """Where the slider ends: at its head after an even number of slides."""
        return self.path.position_at(1.0, self.span_length) if self.slides % 2 else (self.x, self.y)


@dataclass(slots=True)
class Spinner(HitObject):
    """A spinner, a denden or a banana shower."""

    end_time: float = field(kw_only=True)


@dataclass(slots=True)
class Hold(HitObject):
    """A long note of mania."""

    end_time: float = field(kw_only=True)
