"""The preview: where the song list starts to play, on a downbeat."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mapperatorinator.beatmap import Beatmap

if TYPE_CHECKING:
    from mapperatorinator.audio import Audio

PREVIEW_S = 10  # what is heard of it
WITHOUT_SOUND = 0.4  # share of the map before the preview when nothing else is known
LEAST_KIAI_MS = 4000.0  # shorter kiai is a flash


def set_preview(bm: Beatmap, audio: Audio | None = None) -> Beatmap:
    """Return `bm` with a preview time if it has none: the first kiai, else the loudest ten seconds."""
    if bm.preview_time >= 0:
        return bm
    time = _first_kiai(bm)
    if time is None:
        last = max((obj.time for obj in bm.hit_objects), default=0.0)
        time = _downbeat(bm, min(_loudest(audio), last) if audio is not None else last * WITHOUT_SOUND)
    return replace(bm, preview_time=float(max(0, int(time))))


def _first_kiai(bm: Beatmap) -> float | None:
    """The start of the first kiai time that is no flash."""
    since: float | None = None
    for line in bm.timing_points:
        if line.kiai and since is None:
            since = line.time
        elif not line.kiai and since is not None and bm.timing.point_at(line.time) is line:
            if line.time - since >= LEAST_KIAI_MS:
                return since
            since = None
    return since


def _loudest(audio: Audio) -> float:
    """The start in ms of the ten seconds with the most energy."""
    rate = audio.sample_rate
    seconds = len(audio.samples) // rate
    energy = np.square(audio.samples[: seconds * rate].astype(np.float64)).reshape(seconds, rate).sum(axis=1)
    if seconds <= PREVIEW_S:
        return 0.0
    return 1000.0 * float(np.argmax(np.convolve(energy, np.ones(PREVIEW_S), mode="valid")))


def _downbeat(bm: Beatmap, time: float) -> float:
    """The downbeat nearest to `time`."""
    red = bm.timing.red_at(time)
    measure = red.ms_per_beat * max(red.meter, 1)
    return max(red.time + round((time - red.time) / measure) * measure, min(red.time, time))
