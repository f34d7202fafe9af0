"""Patterns of the modes without a playfield: colours of taiko, columns of mania."""

from __future__ import annotations

import numpy as np

from mapperatorinator.beatmap import Beatmap, Circle, Hold, Spinner
from mapperatorinator.evaluation.distributions import Counts, Profile, histogram, tally
from mapperatorinator.evaluation.patterns.common import (
    CLASS_EDGES,
    PHRASE,
    QUARTER,
    common_features,
    runs,
    timing_of,
)

RIM = 2 | 8  # whistle or clap: a kat
FINISH = 4
MAX_COLUMNS = 18
PHRASE_OF_COLOURS = 1.01  # beats
VELOCITY_EDGES = np.arange(0.5, 2.01, 0.1)


def drum_features(beatmap: Beatmap) -> Profile:
    """All features of a taiko map."""
    timing = timing_of(beatmap)
    notes = [o for o in beatmap.hit_objects if isinstance(o, Circle)]
    starts = np.array([o.time for o in beatmap.hit_objects if not isinstance(o, Spinner)], dtype=np.float64)
    kat = np.array([bool(o.sound & RIM) for o in notes], dtype=np.int64)
    beats = timing.beat_at(np.array([o.time for o in notes], dtype=np.float64))
    gaps = np.diff(beats)
    return {
        **common_features(beatmap, timing.beat_at(starts)),
        "colours 2": grams(kat, gaps, 2),
        "colours 3": grams(kat, gaps, 3),
        "colours 4": grams(kat, gaps, 4),
        "colour run": runs((gaps <= QUARTER) & (np.diff(kat) == 0)),
        "finisher": tally([bool(o.sound & FINISH) for o in notes], 2),
        "velocity": histogram([beatmap.velocity_at(o.time) for o in notes], VELOCITY_EDGES),
    }


def grams(kat: np.ndarray, gaps: np.ndarray, n: int) -> Counts:
    """Runs of n colours (don 0, kat 1) with at most a beat between them, shape (2 ** n,)."""
    count = len(kat) - n + 1
    if count < 1:
        return np.zeros(2**n)
    index = np.sum([kat[i : i + count] << i for i in range(n)], axis=0)
    close = np.all([gaps[i : i + count] <= PHRASE_OF_COLOURS for i in range(n - 1)], axis=0)
    return tally(index[close], 2**n)


def column_features(beatmap: Beatmap) -> Profile:
    """All features of a mania map; those that name columns are kept apart by key count."""
    timing, keys = timing_of(beatmap), min(beatmap.keys, MAX_COLUMNS)
    objects = [o for o in beatmap.hit_objects if not isinstance(o, Spinner)]
    column = np.array([min(beatmap.column(o), keys - 1) for o in objects], dtype=np.int64)
    times, row = np.unique([o.time for o in objects], return_inverse=True)
    pressed = np.zeros((len(times), MAX_COLUMNS), dtype=bool)
    pressed[row, column] = True
    beats = timing.beat_at(times)
    gaps = np.diff(beats)
    chord = pressed.sum(axis=1)
    near = gaps <= PHRASE
    jack = np.any(pressed[1:] & pressed[:-1], axis=1)
    steps = np.einsum("ri,rj->ij", pressed[:-1][near].astype(float), pressed[1:][near].astype(float))
    holds = [o for o in objects if isinstance(o, Hold)]
    spans = [timing.beat_at(o.end_time) - timing.beat_at(o.time) for o in holds]
    return {
        **common_features(beatmap, beats),
        "chord size": _keyed(tally(chord, MAX_COLUMNS + 1), keys),
        "chord after chord": tally((chord[:-1] * 8 + np.minimum(chord[1:], 7))[near], 64),
        "transition": _keyed(steps.ravel(), keys),
        "column": _keyed(pressed.sum(axis=0).astype(float), keys),
        "jack": tally(jack[gaps <= 0.6], 2),
        "jack run": runs(jack & (gaps <= 0.6)),
        "hold length": histogram(spans, CLASS_EDGES),
    }


def _keyed(counts: Counts, keys: int) -> Counts:
    """The counts in the place of their key count, so that 4K and 7K are not mixed."""
    table = np.zeros((MAX_COLUMNS + 1, len(counts)))
    table[keys] = counts
    return table.ravel()
