"""Features that maps of every mode have: rhythm, runs, combos, sounds; and what the others count with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import Beatmap, Circle, HitObject, Hold, Slider, Spinner, TimingPoint
from mapperatorinator.evaluation.distributions import Counts, Profile, histogram, tally
from mapperatorinator.timing import Timing

Values = NDArray[np.float64]

# Durations in beats fall into classes; the edges lie half way (by ratio) between the classes.
CLASSES = np.array([1 / n for n in (16, 12, 8, 6, 4, 3, 2, 1.5)] + [0.75, 1, 1.5, 2, 3, 4, 8, 16])
CLASS_EDGES = np.sqrt(CLASSES[1:] * CLASSES[:-1])
QUARTER = 0.29  # beats; up to here notes belong to one stream (between 1/4 and 1/3)
PHRASE = 2.0  # beats; a longer gap ends a phrase, and what lies on both sides is not compared
LONGEST_RUN = 32
LONGEST_COMBO = 24
KINDS: tuple[type[HitObject], ...] = (Circle, Slider, Spinner, Hold)


def timing_of(beatmap: Beatmap) -> Timing:
    """The red lines of a map; 60 BPM where it has none, as in the game."""
    return Timing.from_beatmap(beatmap) if beatmap.red_lines() else Timing.constant(60.0, 0.0)


def common_features(beatmap: Beatmap, beats: Values) -> Profile:
    """Kinds, gaps, stream runs, sounds and volumes; `beats` are the distinct starts in beats."""
    objects = beatmap.hit_objects
    gaps = np.diff(beats)
    kinds = [KINDS.index(type(o)) for o in objects]
    return {
        "kind": tally(kinds, len(KINDS)),
        "gap": histogram(gaps, CLASS_EDGES),
        "stream run": runs(gaps <= QUARTER),
        "hitsound": tally([_sound(o) for o in objects], 8),
        "volume": histogram([p.volume for p in _points_heard(beatmap)], np.arange(10, 101, 10)),
    }


def combo_lengths(beatmap: Beatmap) -> Counts:
    """Combos of 1..24 objects; spinners end a combo and belong to none."""
    lengths, current = [], 0
    for obj in beatmap.hit_objects:
        if (obj.new_combo or isinstance(obj, Spinner)) and current:
            lengths.append(current)
            current = 0
        current += not isinstance(obj, Spinner)
    return tally([*lengths, current] if current else lengths, LONGEST_COMBO + 1)


def runs(joined: NDArray[np.bool_]) -> Counts:
    """Runs of joined neighbours by the number of their members, each member counted, shape (33,)."""
    padded = np.concatenate(([False], joined, [False])).astype(np.int8)
    change = np.diff(padded)
    lengths = np.flatnonzero(change == -1) - np.flatnonzero(change == 1) + 1
    members = np.minimum(lengths, LONGEST_RUN)
    return np.bincount(members, weights=lengths, minlength=LONGEST_RUN + 1).astype(np.float64)


def _sound(obj: HitObject) -> int:
    """The additions of an object's start: whistle 1, finish 2, clap 4."""
    sound = obj.edge_sounds[0] if isinstance(obj, Slider) and obj.edge_sounds else obj.sound
    return (sound >> 1) & 7


def _points_heard(beatmap: Beatmap) -> list[TimingPoint]:
    """The timing point in force at each object."""
    points = (beatmap.timing.point_at(o.time) for o in beatmap.hit_objects)
    return [p for p in points if p is not None]
