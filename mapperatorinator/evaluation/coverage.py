"""Coverage: how much of the song between its first and last strong onset is mapped, or is a deliberate break."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.audio import Audio
from mapperatorinator.audio.onset import onset_strength, strong_onsets
from mapperatorinator.beatmap import Beatmap
from mapperatorinator.evaluation.patterns.common import timing_of

MEASURES = 2
STEP_MS = 50.0


def coverage(beatmap: Beatmap | None, audio: Audio) -> float:
    """Share, 0..1, of the time between strong onsets that is within two measures of an object or in a break."""
    onsets = strong_onsets(onset_strength(audio.samples))
    if beatmap is None or not beatmap.hit_objects:
        return 0.0
    if len(onsets) < 2:
        return 1.0
    return covered(beatmap, np.arange(onsets[0], onsets[-1], STEP_MS))


def covered(beatmap: Beatmap, moments: NDArray[np.float64]) -> float:
    """Share of `moments` (ms) that lie within two measures of an object or in a break."""
    timing = timing_of(beatmap)
    spans = [(o.time, beatmap.end_time(o)) for o in beatmap.hit_objects]
    starts = np.array([start for start, _ in spans])
    ends = np.maximum.accumulate(np.array([end for _, end in spans]))
    points = [timing.point_at(float(t)) for t in moments]
    reach = np.array([MEASURES * max(p.meter, 1) * p.ms_per_beat for p in points])
    following = np.searchsorted(starts, moments)
    ahead = starts[np.minimum(following, len(starts) - 1)] - moments
    behind = moments - ends[np.maximum(following - 1, 0)]
    near = ((ahead >= 0) & (ahead <= reach)) | ((following > 0) & (behind <= reach))
    for pause in beatmap.breaks:
        near |= (moments >= pause.start) & (moments <= pause.end)
    return float(near.mean()) if len(moments) else 1.0
