"""A song in overlapping windows: where each begins, which of its tokens are trusted, which marks fall into it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.errors import UserError
from mapperatorinator.mapper.sequence.vocabulary import STEP_MS, TIME, Mark, Vocabulary

RATE_PER_MS = 16.0  # samples


@dataclass(frozen=True)
class Windows:
    """A song cut up.

    samples : (n, size) float32, zeros behind the song's end. times : (n,) ms at which they begin, whole.
    length_ms : of the song. size_ms : of a window.
    """

    samples: NDArray[np.float32]
    times: list[int]
    length_ms: float
    size_ms: float
    lookback: float
    lookahead: float

    @property
    def lookback_ms(self) -> float:
        """How much of a window is taken over from the one before."""
        return self.lookback * self.size_ms

    @property
    def lookahead_ms(self) -> float:
        """How much at the end of a window is left to the next one."""
        return self.lookahead * self.size_ms

    @property
    def trusted_ms(self) -> float:
        """From where on a window is left to the next one."""
        return (1 - self.lookahead) * self.size_ms


def cut(
    song: NDArray[np.float32], size: int, lookback: float = 0.5, lookahead: float = 0.4, parallel: bool = False,
    start: float | None = None, end: float | None = None,
) -> Windows:  # fmt: skip
    """Cut a song (samples at 16 kHz) into windows of `size` samples.

    lookback, lookahead : shares of a window; parallel : side by side instead of overlapping. start, end : ms; only
    windows that are needed for this range.
    """
    stride = size if parallel else int(size * (1 - lookback - lookahead))
    if stride < 1:
        raise UserError("lookback and lookahead together fill the window; make their sum less than 1.")
    length_ms = len(song) / RATE_PER_MS
    padded = max(size, len(song))
    padded += -(padded - size) % stride
    whole = np.pad(song, (0, padded - len(song)))
    starts = np.arange(0, padded - size + 1, stride)
    size_ms = size / RATE_PER_MS
    times = (starts * 1000 / 16_000).astype(int)
    kept = np.ones(len(starts), bool)
    if start is not None:
        kept = times > start - (1 - lookahead) * size_ms
        kept[-1:] |= not kept.any()
    if end is not None:
        early = kept & (times < end - lookback * size_ms)
        if not early.any():
            early[np.flatnonzero(kept)[0]] = True
        kept = early
    view = np.lib.stride_tricks.sliding_window_view(whole, size)[starts[kept]]
    return Windows(view, times[kept].tolist(), length_ms, size_ms, lookback, lookahead)


def within(marks: Sequence[Mark], start: float, end: float) -> tuple[int, int]:
    """First index and end of the marks from `start` up to but without `end`, in ms, looking from the back."""
    return _before(marks, start), _before(marks, end)


def _before(marks: Sequence[Mark], time: float) -> int:
    return next((i + 1 for i in range(len(marks) - 1, -1, -1) if marks[i].time < time), 0)


@dataclass(frozen=True)
class Edges:
    """Ids of time shifts at both edges of a window.

    early : in the part that was decoded with the window before; late : in the part left to the next; stopping : the
    late ones that end decoding, which begin a step further on.
    """

    early: range
    late: range
    stopping: range

    @classmethod
    def of(cls, vocabulary: Vocabulary, windows: Windows) -> Edges:
        """The edges of a checkpoint's time shifts for these windows."""
        times = vocabulary.ids(TIME)
        zero = vocabulary.encode(TIME, 0)
        early = range(times.start, zero + int(windows.lookback_ms / STEP_MS))
        late = range(vocabulary.encode(TIME, int(windows.trusted_ms / STEP_MS)), times.stop)
        return cls(early, late, range(times.stop - int(windows.lookahead_ms / STEP_MS), times.stop))


def song_position(time: float, length_ms: float) -> int:
    """Where in the song a window begins, as the published token: 0 to 100 percent, -1 and 101 at the edges."""
    share = time / length_ms if length_ms else math.inf
    return -1 if share <= 0 else 101 if share >= 1 else round(share * 100)
