"""Copies: the longest run of identical events that a map shares with a training map.

An event is what a player meets relative to the event before: gap in twelfths of a beat, kind, and step on the
playfield (osu!, catch), colour (taiko) or columns (mania). Runs are found by comparing hashes of all windows
of one length and searching for the longest length that still occurs.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import MANIA, TAIKO, Beatmap, HitObject
from mapperatorinator.evaluation.patterns.common import KINDS, timing_of
from mapperatorinator.evaluation.patterns.lanes import FINISH, RIM

TICKS_PER_BEAT = 12
Hashes = NDArray[np.uint64]
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, well mixed (2**64 / golden ratio)


def events_of(beatmap: Beatmap) -> list[tuple[int, ...]]:
    """The events of a map, each relative to the one before, one for each distinct start."""
    timing = timing_of(beatmap)
    rows: dict[float, list[HitObject]] = {}
    for obj in beatmap.hit_objects:
        rows.setdefault(obj.time, []).append(obj)
    beats = timing.beat_at(np.array(list(rows), dtype=np.float64))
    ticks = np.round(np.clip(np.nan_to_num(beats), -1e9, 1e9) * TICKS_PER_BEAT).astype(np.int64)
    events: list[tuple[int, ...]] = []
    x = y = 0.0
    for gap, group in zip(np.diff(ticks, prepend=ticks[:1]).tolist(), rows.values(), strict=True):
        first = group[0]
        if beatmap.mode == MANIA:
            what = tuple(sorted(beatmap.column(o) for o in group))
        elif beatmap.mode == TAIKO:
            what = (bool(first.sound & RIM), bool(first.sound & FINISH))
        else:
            what = (round(first.x - x), round(first.y - y))
            x, y = first.x, first.y
        events.append((gap, KINDS.index(type(first)), *what))
    return events


class TrainingRuns:
    """All training maps of one mode, ready to be searched for runs of another map."""

    def __init__(self, beatmaps: Iterable[Beatmap]) -> None:
        self._ids: dict[tuple[int, ...], int] = {}
        pieces: list[list[int]] = []
        for i, beatmap in enumerate(beatmaps):
            ids = [self._ids.setdefault(e, len(self._ids) + 1) for e in events_of(beatmap)]
            pieces.append([*ids, -1 - i])  # a separator of its own: no run crosses maps
        self._stream = _mix(np.array([n for piece in pieces for n in piece], dtype=np.int64))
        self._windows: dict[int, Hashes] = {}

    def longest_run(self, beatmap: Beatmap | None) -> int:
        """Events in the longest run of `beatmap` that some training map has too."""
        if beatmap is None:
            return 0
        unknown = -(1 << 40)
        ids = [self._ids.get(e, unknown - i) for i, e in enumerate(events_of(beatmap))]
        stream = _mix(np.array(ids, dtype=np.int64))
        low, high = 0, 1  # `low` occurs, `high` does not once the first loop has ended
        while self._shares(stream, high):
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._shares(stream, middle) else (low, middle)
        return low

    def _shares(self, stream: Hashes, length: int) -> bool:
        return _any_in(_hashes(stream, length), self._of(length))

    def _of(self, length: int) -> Hashes:
        if length not in self._windows:
            self._windows[length] = np.unique(_hashes(self._stream, length))
        return self._windows[length]


def _any_in(some: Hashes, ordered: Hashes) -> bool:
    """Whether any of `some` is among `ordered`, which ascend."""
    at = np.searchsorted(ordered, some)
    inside = at < len(ordered)
    return bool((ordered[at[inside]] == some[inside]).any())


def _mix(ids: NDArray[np.int64]) -> Hashes:
    """Whole numbers as random-looking 64-bit words (splitmix64)."""
    words = ids.astype(np.uint64) * _FACTOR
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _hashes(stream: Hashes, length: int) -> Hashes:
    """A hash of every window of `length` words, by doubling: shape (len(stream) - length + 1,)."""
    count = len(stream) - length + 1
    if count < 1:
        return np.zeros(0, dtype=np.uint64)
    result, block, size, done = np.zeros(count, dtype=np.uint64), stream, 1, 0
    for bit in range(length.bit_length()):
        if length >> bit & 1:
            result = (result ^ block[done : done + count]) * _FACTOR + np.uint64(bit + 1)
            result ^= result >> np.uint64(29)
            done += size
        if len(block) > size:
            block = _mix((block[:-size] * _FACTOR + block[size:]).astype(np.int64))
            size *= 2
    return result
