"""The beat grid of a song: twelve ticks a beat, every section starting on a whole beat.

Twelve ticks hold 99.4 % of all object starts of the corpus. Ticks come in patches of three (a quarter beat), which
is the unit that the network attends over.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapperatorinator.timing import Timing

TICKS_PER_BEAT = 12
TICKS_PER_PATCH = 3
MAX_MEASURE = 8  # beats of a measure told apart; longer measures wrap
# An object further than this share of a tick from every tick is off the grid (an eighth or a sixteenth).
_OFF_GRID = 0.2
_ROUNDING_MS = 2.0


@dataclass(frozen=True)
class TickGrid:
    """The ticks of a song in rows; row r is tick ``first + r``, counted from the first red line.

    times : (n,) ms. valid : (n,) bool, False for ticks that a red line cuts off.
    measure : (n,) uint8, the beat in the measure, from 0. beat_lengths : (n,) ms per beat.
    """

    first: int
    times: NDArray[np.float64]
    valid: NDArray[np.bool_]
    measure: NDArray[np.uint8]
    beat_lengths: NDArray[np.float64]

    @classmethod
    def of(cls, timing: Timing, start: float, end: float) -> TickGrid:
        """Lay the grid over a stretch of music, both ends in ms, widened to whole beats."""
        first_beat = int(np.floor(timing.beat_at(start)))
        last_beat = max(int(np.ceil(timing.beat_at(end))), first_beat + 1)
        ticks = np.arange(first_beat * TICKS_PER_BEAT, last_beat * TICKS_PER_BEAT)
        times = timing.tick_time(ticks, TICKS_PER_BEAT)
        beats = ticks // TICKS_PER_BEAT
        lengths = np.array([point.beat_length for point in timing.points])
        starts = np.array([point.time for point in timing.points])
        section = timing.index_at(timing.time_of(beats.astype(float)))
        following = np.append(starts[1:], np.inf)[section]
        valid = times < following - 1e-6
        measure = np.minimum(timing.beat_in_measure(beats.astype(float)), MAX_MEASURE - 1)
        return cls(int(ticks[0]), times, valid, measure.astype(np.uint8), lengths[section])

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def phase(self) -> NDArray[np.uint8]:
        """Tick in the beat, 0..11, of every row."""
        return (np.arange(len(self)) % TICKS_PER_BEAT).astype(np.uint8)

    @cached_property
    def _known(self) -> NDArray[np.intp]:
        return np.flatnonzero(self.valid)

    def nearest(self, times: ArrayLike) -> NDArray[np.intp]:
        """Return the row nearest to each time (ms) among valid rows."""
        wanted = np.asarray(times, float)
        known = self.times[self._known]
        right = np.clip(np.searchsorted(known, wanted), 1, len(known) - 1)
        left_nearer = wanted - known[right - 1] <= known[right] - wanted
        return self._known[np.where(left_nearer, right - 1, right)]

    def on_grid(self, times: ArrayLike, rows: ArrayLike) -> NDArray[np.bool_]:
        """Say which times (ms) lie on their rows, up to rounding and a fifth of a tick."""
        rows = np.asarray(rows)
        slack = np.maximum(self.beat_lengths[rows] / TICKS_PER_BEAT * _OFF_GRID, _ROUNDING_MS)
        return np.abs(np.asarray(times, float) - self.times[rows]) <= slack
