"""Which samples objects play: sounds, sets and volumes after all inheritance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..beatmap import HitSample, Slider, Spinner
from .view import MapView

WHISTLE, FINISH, CLAP = 2, 4, 8
ADDITIONS = WHISTLE | FINISH | CLAP
ADDITION_NAMES = {WHISTLE: "whistle", FINISH: "finish", CLAP: "clap"}
SET_NAMES = {1: "normal", 2: "soft", 3: "drum"}
SET_NUMBERS = {"Normal": 1, "Soft": 2, "Drum": 3}

PLAIN = HitSample()


class EdgeSample(NamedTuple):
    """What sounds at an edge: bits of the sounds, sample set of the hit and of the additions (1..3)."""

    time: float
    sound: int
    normal_set: int
    addition_set: int


def _inherited_set(view: MapView, time: float) -> int:
    line = view.sound_line(time)
    return (line.sample_set if line else 0) or SET_NUMBERS.get(view.beatmap.sample_set, 1)


def edge_samples(view: MapView, i: int) -> Iterator[EdgeSample]:
    """What sounds at each edge of object `i`; spinners sound at their end, holds at their start."""
    obj = view.objects[i]
    own = obj.sample or PLAIN
    edges = view.edges(i)
    if not isinstance(obj, Slider):
        edges = edges[-1:] if isinstance(obj, Spinner) else edges[:1]
    for n, time in enumerate(edges):
        sound, sets = obj.sound, (own.normal_set, own.addition_set)
        if isinstance(obj, Slider):
            sound = obj.edge_sounds[n] if n < len(obj.edge_sounds) else sound
            sets = obj.edge_sets[n] if n < len(obj.edge_sets) else sets
        normal_set = sets[0] or _inherited_set(view, time)
        yield EdgeSample(time, sound, normal_set, sets[1] or normal_set)


def note_volume(view: MapView, i: int) -> int:
    """Volume in percent at which the start of object `i` sounds."""
    obj = view.objects[i]
    if obj.sample and obj.sample.volume > 0 and not isinstance(obj, Slider):
        return obj.sample.volume
    line = view.sound_line(obj.time)
    return line.volume if line else 100


def mania_samples(view: MapView, i: int) -> list[str]:
    """Names of what a mania note plays besides its plain hit: additions, or the file it names."""
    obj = view.objects[i]
    if obj.sample and obj.sample.filename and not isinstance(obj, (Slider, Spinner)):
        return [obj.sample.filename.lower()]
    line = view.sound_line(obj.time)
    index = (obj.sample.index if obj.sample else 0) or (line.sample_index if line else 0)
    edge = next(iter(edge_samples(view, i)))
    suffix = str(index) if index > 1 else ""
    return [
        f"{SET_NAMES.get(edge.addition_set, 'normal')}-{name}{suffix}"
        for bit, name in ADDITION_NAMES.items()
        if edge.sound & bit
    ]


def is_own_file(sample: str) -> bool:
    """Whether a name of `mania_samples` is that of a file."""
    return "." in sample
