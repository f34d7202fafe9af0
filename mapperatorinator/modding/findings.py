"""Everything that a map's song and the model hold against it, uncalibrated: each aspect in bits of its own.

Review and calibration look at the same findings, so that what is rare in human maps is rare in reviews.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from mapperatorinator.beatmap import Beatmap, star_rating
from mapperatorinator.checks.registry import CATCH, MANIA, OSU
from mapperatorinator.errors import UserError
from mapperatorinator.events import beatmap_to_events
from mapperatorinator.mapper import Surprisal, load_mapper
from mapperatorinator.modding.drift import Drift, drifts
from mapperatorinator.settings import Settings
from mapperatorinator.timing import Timing

if TYPE_CHECKING:
    from mapperatorinator.audio import Audio
    from mapperatorinator.mapper import Mapper
    from mapperatorinator.timing.tracker import Activations

FASTEST_BEAT, SLOWEST_BEAT = 60.0, 3000.0  # ms; other tempos are jokes or effects
_LONGEST_MS = 1.2e6
# A weaker finding this close (ms) to a stronger one of its aspect is the same finding.
_ECHO_MS = {"place": 500.0, "columns": 250.0, "missing": 400.0, "snap": 400.0}
_CERTAIN_ERRORS = 2.0  # standard errors that an offset must exceed
_UNCERTAIN_MS = 10.0  # sections whose offset is known no better say nothing
_SWING = 4.0  # standard errors of the offset that a drift must exceed: a line has two ends


def findings(beatmap: Beatmap, audio: Audio, mapper: Mapper | None = None) -> list[Surprisal]:
    """All surprisals of a map in order of time, one per place and aspect.

    Aspects: those of the mapper, with "start" told apart as "move" (expected nearby) and "extra", and "offset" and
    "tempo" of the red lines. UserError where the map has no timing that music could have.
    """
    timing = timing_of(beatmap)
    used = mapper or _embedded()
    found = [_told_apart(one) for one in used.score(beatmap_to_events(beatmap), audio, timing, asked(beatmap))]
    found += _red_lines(beatmap, heard(audio), timing)
    starts = np.array([obj.time for obj in beatmap.hit_objects])
    moved = np.array([one.elsewhere for one in found if one.elsewhere is not None])
    taken = np.concatenate((starts, moved))
    kept = [one for one in found if one.aspect != "missing" or np.abs(taken - one.time).min() > _beat(timing, one) / 8]
    return sorted(_without_echoes(kept), key=lambda one: one.time)


def timing_of(beatmap: Beatmap) -> Timing:
    """The red lines of a map with objects; UserError where they are no music's."""
    if not beatmap.hit_objects:
        raise UserError("The map has no objects, so there is nothing to be surprised by.")
    lengths = [line.beat_length for line in beatmap.red_lines()]
    last = max(obj.time for obj in beatmap.hit_objects)
    if not lengths or min(lengths) < FASTEST_BEAT or max(lengths) > SLOWEST_BEAT or last > _LONGEST_MS:
        raise UserError("The map's red lines are no music's tempo, so the model cannot follow it.")
    return Timing.from_beatmap(beatmap)


def asked(beatmap: Beatmap) -> Settings:
    """What one would have had to ask for to get this map."""
    mode = beatmap.mode
    return Settings(
        gamemode=mode,
        difficulty=float(np.clip(star_rating(beatmap), 0.0, 15.0)),
        circle_size=float(np.clip(beatmap.circle_size, 0.0, 10.0)) if mode in (OSU, CATCH) else None,
        keycount=beatmap.keys if mode == MANIA else None,
        slider_multiplier=float(np.clip(beatmap.slider_multiplier, 0.4, 3.6)),
    )


@lru_cache(maxsize=1)
def _embedded() -> Mapper:
    return load_mapper(Settings())


_last: list[tuple[Audio, Activations]] = []  # the song heard last: the other maps of its set come next


def heard(audio: Audio) -> Activations:
    """What the beat tracker hears of a song."""
    from mapperatorinator.timing.tracker import track

    if not _last or _last[0][0] is not audio:
        _last[:] = [(audio, track(audio.samples))]
    return _last[0][1]


def _told_apart(one: Surprisal) -> Surprisal:
    if one.aspect != "start":
        return one
    return replace(one, aspect="extra" if one.elsewhere is None else "move")


def _beat(timing: Timing, one: Surprisal) -> float:
    return timing.point_at(one.time).beat_length


def _without_echoes(found: Iterable[Surprisal]) -> list[Surprisal]:
    by_aspect: dict[str, list[Surprisal]] = defaultdict(list)
    for one in sorted(found, key=lambda one: -one.bits):
        others = by_aspect[one.aspect]
        apart = _ECHO_MS.get(one.aspect, 0.0)
        if not apart or all(abs(other.time - one.time) > apart for other in others):
            others.append(one)
    return [one for some in by_aspect.values() for one in some]


def _red_lines(beatmap: Beatmap, activations: Activations, timing: Timing) -> list[Surprisal]:
    start = min(obj.time for obj in beatmap.hit_objects)
    end = max(beatmap.end_time(obj) for obj in beatmap.hit_objects)
    found = []
    for drift in drifts(activations, timing, start, end):
        if drift.error > _UNCERTAIN_MS:
            continue
        wander = abs(drift.wander) - _SWING * drift.error
        if wander > 0:
            found.append(_tempo(drift, timing, wander))
        late = abs(drift.late) - _CERTAIN_ERRORS * drift.error
        if late > 0:
            found.append(
                Surprisal(drift.start, "offset", float(np.log2(1 + late)),
                          f"{abs(drift.late):.0f} ms {'late' if drift.late > 0 else 'early'}",
                          f"red lines {abs(drift.late):.0f} ms {'earlier' if drift.late > 0 else 'later'}", drift.clear)
            )  # fmt: skip
    return found


def _tempo(drift: Drift, timing: Timing, wander: float) -> Surprisal:
    bpm = 60_000.0 / timing.point_at(drift.start + 1.0).beat_length
    return Surprisal(
        drift.start, "tempo", float(np.log2(1 + wander)), f"{bpm:.6g} BPM", f"{bpm * (1 + drift.faster):.6g} BPM",
        drift.clear,
    )  # fmt: skip
