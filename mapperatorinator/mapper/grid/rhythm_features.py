"""What the placing network is told of the rhythm: each draft and its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .draft import Draft, DraftKind
from .ticks import TICKS_PER_BEAT

Floats = NDArray[np.float64]

AHEAD = 12  # drafts to come that are told
_LONGEST = 120_000.0  # ms of one object; longer ones, and tempos beyond 10 to 1000 BPM, are jokes
_EQUAL = 0.05  # relative difference of equal intervals


@dataclass
class Rhythm:
    """The drafts of a map as arrays of shape (n,): times in ms, lengths in px, `kind` 0 circle, 1 slider, 2 other."""

    time: Floats
    end: Floats
    beat: Floats
    tick: NDArray[np.int64]
    kind: NDArray[np.int64]
    new_combo: NDArray[np.bool_]
    slides: NDArray[np.int64]
    length: Floats

    @classmethod
    def of(cls, drafts: Sequence[Draft]) -> Rhythm:
        """Gather drafts, which must be in order of time."""
        kinds = {DraftKind.CIRCLE: 0, DraftKind.SLIDER: 1}
        return cls(
            np.array([d.time for d in drafts], float),
            np.array([min(max(d.end_time, d.time), d.time + _LONGEST) for d in drafts], float),
            np.array([min(max(d.beat, 60.0), 6000.0) for d in drafts], float),
            np.array([d.tick % TICKS_PER_BEAT for d in drafts], int),
            np.array([kinds.get(d.kind, 2) for d in drafts], int),
            np.array([d.new_combo for d in drafts], bool),
            np.array([d.slides for d in drafts], int),
            np.array([min(d.length, 8000.0) for d in drafts], float),
        )

    def slice(self, start: int, stop: int) -> Rhythm:
        """A stretch of the map."""
        return Rhythm(*(getattr(self, name)[start:stop] for name in self.__dataclass_fields__))


def describe(rhythm: Rhythm) -> Floats:
    """What the network is told of every draft's rhythm, shape (n, RHYTHM)."""
    n = len(rhythm.time)
    since = np.diff(rhythm.time, prepend=rhythm.time[:1] - 2000) if n else np.zeros(0)
    before = np.concatenate(([rhythm.time[0] - 2000] if n else [], rhythm.end[:-1]))
    gap = np.maximum(rhythm.time - before, 5.0)
    since = np.maximum(since, 5.0)
    slider = rhythm.kind == 1
    lasts = np.maximum(rhythm.end - rhythm.time, 0.0)
    span = np.maximum(lasts / np.maximum(rhythm.slides, 1), 1.0)
    phase = rhythm.tick * (2 * np.pi / TICKS_PER_BEAT)
    since_combo, until_combo = _places_in_combo(rhythm.new_combo)
    run, left = _runs(since, rhythm.kind)
    own = np.column_stack(
        (
            _log(since), _log(gap), np.log(since / rhythm.beat), np.log(gap / rhythm.beat),
            rhythm.kind == 0, slider, rhythm.kind == 2, rhythm.new_combo,
            rhythm.slides == 1, rhythm.slides == 2, rhythm.slides > 2,
            np.where(slider, np.log1p(rhythm.length) / 2, 0),
            np.where(slider, np.minimum(rhythm.length, 1000) / 200, 0),
            _log(lasts + 5), np.where(slider, np.log((rhythm.length + 1) / span), 0), np.log(rhythm.beat) - 6,
            np.sin(phase), np.cos(phase), np.sin(2 * phase), np.cos(2 * phase),
            since_combo, until_combo, run, left,
        )
    )
    told = np.column_stack(
        (_log(since), np.log(since / rhythm.beat), rhythm.kind == 1, rhythm.kind == 2, rhythm.new_combo,
         np.where(slider, np.log1p(rhythm.length) / 2, 0))
    )
    padded = np.concatenate((told, np.zeros((AHEAD, told.shape[1]))))
    exists = np.concatenate((np.ones(n), np.zeros(AHEAD)))
    later = [np.column_stack((padded[k : k + n], exists[k : k + n])) for k in range(1, AHEAD + 1)]
    return np.concatenate((own, *later), axis=1)


RHYTHM = 24 + AHEAD * 7


def beats_of(rhythm: Rhythm) -> Floats:
    """Beats since the first object, counted object by object, (n,)."""
    return np.cumsum(np.diff(rhythm.time, prepend=rhythm.time[:1]) / rhythm.beat)


def _log(milliseconds: Floats) -> Floats:
    return np.log(milliseconds) - 5.5


def _places_in_combo(new_combo: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """How many drafts of the combo came before each one, and how many follow, as log(1 + n)."""
    n = len(new_combo)
    index = np.arange(n)
    start = np.maximum.accumulate(np.where(new_combo, index, 0)) if n else index
    ends = np.where(np.append(new_combo[1:], True), index, n)
    stop = np.minimum.accumulate(ends[::-1])[::-1] if n else index
    return np.log1p(index - start), np.log1p(stop - index)


def _runs(since: Floats, kind: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """How many equal intervals end at each draft, and how many follow it, as log(1 + n)."""
    n = len(since)
    same = np.zeros(n, bool)
    same[1:] = (np.abs(since[1:] - since[:-1]) < _EQUAL * since[1:] + 2) & (kind[:-1] == 0)
    index = np.arange(n)
    start = np.maximum.accumulate(np.where(same, 0, index)) if n else index
    ends = np.where(np.append(~same[1:], True) if n else same, index, n)
    stop = np.minimum.accumulate(ends[::-1])[::-1] if n else index
    return np.log1p(index - start), np.log1p(stop - index)
