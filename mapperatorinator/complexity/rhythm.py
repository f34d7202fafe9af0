"""A map's rhythm as tokens: from one start to the next so many parts of a beat, and where in the measure that begins.

Starts are those of circles, sliders, spinners and holds; a chord is one. Modes do not matter: rhythm is what a player
taps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import Beatmap
from mapperatorinator.timing import Timing

PARTS = 48  # of a beat: sixteenths and twelfths are whole numbers of them
# The gaps that maps are made of, in parts; another one counts as the nearest by ratio.
_QUARTERS = range(12, 4 * PARTS + 1, 12)
GAPS = np.array(sorted({2, 3, 4, 6, 8, 9, 16, 18, 30, 32, 64, 80, *_QUARTERS, 240, 288, 336, 384, 480, 576, 768}))
REST_MS = 5000.0  # a longer gap is a rest: nobody is asked to expect its end
_FAR = 1e9  # beats
_EDGES = np.sqrt(GAPS[1:] * GAPS[:-1])
# Where in a beat: on it, half, first and third quarter, thirds, elsewhere; twice, for odd and even beats.
_PLACES = np.full(PARTS, 5)
_PLACES[[0, 24, 12, 36]] = (0, 1, 2, 3)
_PLACES[[16, 32]] = 4
PLACES = 12

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Rhythm:
    """Tokens of one map: gap and place, each (n,); `ahead` (n,) counts the gaps since the last rest; times (n,) ms are
    those of the starts that end the gaps; seconds is the time that all gaps take, without rests."""

    gap: Ints
    place: Ints
    ahead: Ints
    times: NDArray[np.float64]
    seconds: float

    def __len__(self) -> int:
        return len(self.gap)


def rhythm_of(beatmap: Beatmap) -> Rhythm:
    """Read a map's rhythm; without timing or two starts it is empty. Where a tempo is no number there is none."""
    times = np.unique(np.round([obj.time for obj in beatmap.hit_objects]))
    beats = Timing.from_beatmap(beatmap).beat_at(times) if beatmap.red_lines() else np.full(len(times), np.nan)
    known = np.abs(beats) < _FAR  # False for what is no number
    times, beats = times[known], beats[known]
    if len(times) < 2:
        nothing = np.zeros(0, np.int64)
        return Rhythm(nothing, nothing, nothing, np.zeros(0), 0.0)
    parts = np.rint(beats * PARTS).astype(np.int64)
    gaps = np.maximum(np.diff(parts), 1)
    rests = np.diff(times) > REST_MS
    index = np.arange(len(gaps))
    since = index - np.maximum.accumulate(np.where(rests, index, -1)) - 1
    place = _PLACES[parts[:-1] % PARTS] + 6 * (parts[:-1] // PARTS % 2)
    kept = ~rests
    return Rhythm(
        np.searchsorted(_EDGES, gaps)[kept],
        place[kept],
        since[kept],
        times[1:][kept],
        float(np.diff(times)[kept].sum()) / 1000,
    )
