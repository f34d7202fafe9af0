"""What is counted in a window of 32 beats: the habits by which mappers differ.

Counts of every word of the canvas and of every kind in every place of the beat; gaps and pairs of gaps; spacing by gap,
turns, places; slider bodies; keys, chords and the steps from key to key. All are log(1 + count), so that a few and many
both show.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.classifier.view import BODY, KEYS, POINT, WORDS, Windows
from mapperatorinator.mapper.grid.canvas import COLUMNS, STARTS
from mapperatorinator.mapper.grid.ticks import TICKS_PER_BEAT

Floats = NDArray[np.float32]
Ints = NDArray[np.intp]

_KINDS = 1 + len(STARTS) * COLUMNS["kind"]
_STARTS = np.zeros(_KINDS, bool)
for _mode, _table in enumerate(STARTS):
    _STARTS[1 + _mode * COLUMNS["kind"] :][: len(_table)] = _table
_GAPS = 26  # ticks told apart
_GAP_EDGES = np.array([2, 3, 4, 6, 12])  # classes of gaps in pairs of them
_CLASSES = len(_GAP_EDGES) + 1
_DISTANCE, _TURN_COS, _TURN_SIN, _THERE = 4, 5, 6, 7  # numbers of a point
_DISTANCES = 14
_TURNS = 12
_SQUARES = 8


def statistics(windows: Windows) -> Floats:
    """Count in each window, (n, STATISTICS)."""
    words, places, tempo = windows
    n = len(words)
    counts = np.concatenate([_words(words), _rhythm(words), _points(places, n), _keys(places, n)], axis=1)
    means = _bodies(places)
    return np.concatenate([np.log1p(counts), means, tempo.mean(axis=1, keepdims=True)], axis=1).astype(np.float32)


def _tally(window: Ints, value: Ints, size: int, n: int) -> Floats:
    """How often each value 0..size-1 occurs in each window, (n, size)."""
    return np.bincount(window * size + value, minlength=n * size).reshape(n, size).astype(np.float32)


def _words(words: NDArray[np.int64]) -> Floats:
    n, ticks, columns = words.shape
    every = np.repeat(np.arange(n), ticks * columns)
    window, tick = np.nonzero(words[:, :, 0])
    kind = words[window, tick, 0]
    by_place = _tally(window, kind * TICKS_PER_BEAT + tick % TICKS_PER_BEAT, _KINDS * TICKS_PER_BEAT, n)
    return np.concatenate([_tally(every, words.ravel(), WORDS, n)[:, 1:], by_place[:, TICKS_PER_BEAT:]], axis=1)


def _rhythm(words: NDArray[np.int64]) -> Floats:
    """Gaps between starts, and pairs of them."""
    n = len(words)
    window, tick = np.nonzero(_STARTS[words[:, :, 0]])
    gap, same = np.diff(tick), np.diff(window) == 0
    single = _tally(window[1:][same], np.minimum(gap[same], _GAPS) - 1, _GAPS, n)
    classes = np.searchsorted(_GAP_EDGES, gap)
    both = same[1:] & same[:-1]
    pair = (classes[:-1] * _CLASSES + classes[1:])[both]
    return np.concatenate([single, _tally(window[2:][both], pair, _CLASSES**2, n)], axis=1)


def _points(places: Floats, n: int) -> Floats:
    """Distances by gap, turns by gap, and the squares of the field."""
    window, tick = np.nonzero(places[:, :, _THERE])
    point = places[window, tick]
    gap = np.where(np.diff(window, prepend=-1) == 0, np.diff(tick, prepend=0), TICKS_PER_BEAT)
    wide = np.searchsorted((3, 6), gap)
    distance = np.minimum(point[:, _DISTANCE] * 6, _DISTANCES - 1).astype(int)
    turn = np.arctan2(point[:, _TURN_SIN], point[:, _TURN_COS])
    turned = np.minimum(((np.abs(turn) / np.pi) * _TURNS).astype(int), _TURNS - 1)
    moved = np.hypot(point[:, _TURN_SIN], point[:, _TURN_COS]) > 0.5
    across = np.clip((point[:, 0] + 1) * _SQUARES / 2, 0, _SQUARES - 1).astype(int)
    down = np.clip((point[:, 1] + 0.75) * _SQUARES / 1.5, 0, _SQUARES - 1).astype(int)
    return np.concatenate(
        [
            _tally(window, wide * _DISTANCES + distance, 3 * _DISTANCES, n),
            _tally(window[moved], (wide * _TURNS + turned)[moved], 3 * _TURNS, n),
            _tally(window, across, _SQUARES, n),
            _tally(window, down, _SQUARES, n),
        ],
        axis=1,
    )


def _bodies(places: Floats) -> Floats:
    """Mean and spread of the numbers of slider bodies."""
    body = places[:, :, POINT : POINT + BODY]
    there = body.any(axis=2, keepdims=True)
    count = np.maximum(there.sum(axis=1), 1)
    mean = body.sum(axis=1) / count
    spread = np.sqrt((((body - mean[:, None]) * there) ** 2).sum(axis=1) / count)
    return np.concatenate([mean, spread], axis=1)


def _keys(places: Floats, n: int) -> Floats:
    """Presses and holds of each key, chord sizes, steps from key to key, and how many keys there are."""
    presses = places[:, :, POINT + BODY : POINT + BODY + KEYS]
    holds = places[:, :, POINT + BODY + KEYS : POINT + BODY + 2 * KEYS]
    window, tick = np.nonzero(presses.any(axis=2))
    chords = presses[window, tick]
    size = chords.sum(axis=1).astype(int) - 1
    next_to = np.diff(window) == 0
    steps = np.zeros((n, KEYS, KEYS), np.float32)
    np.add.at(steps, window[1:][next_to], chords[:-1][next_to][:, :, None] * chords[1:][next_to][:, None, :])
    keys = np.rint(places[:, :, -1].max(axis=1) * KEYS).astype(int)
    return np.concatenate(
        [presses.sum(axis=1), holds.sum(axis=1), _tally(window, size, KEYS, n), steps.reshape(n, -1),
         _tally(np.arange(n), keys, KEYS + 1, n)],
        axis=1,
    )  # fmt: skip
