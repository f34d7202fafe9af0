"""Scroll speed in mania: what the player sees, and the lines that make it so.

A mania note falls at a speed proportional to the multiplier in force times the tempo in force, measured
against the tempo the map has for most of its time. Events carry that visible speed (1 is the map's usual
one), so a tempo change that moves no note visibly faster is no event; the file needs the multiplier that
undoes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from mapperatorinator.beatmap import HitObject, Hold, TimingPoint

LEAST_CHANGE = 1e-3
MIN_SCROLL, MAX_SCROLL = 0.01, 10.0


def last_whole_second(objects: Sequence[HitObject]) -> float:
    """Return the start of the last object (a hold's end) in ms, cut to whole seconds; 0 without objects."""
    if not objects:
        return 0.0
    last = objects[-1]
    return 1000.0 * int((last.end_time if isinstance(last, Hold) else last.time) / 1000)


def usual_beat_length(points: Sequence[TimingPoint], last_time: float) -> float:
    """Return the ms per beat that is in force longest up to `last_time` ms, as osu! stable counts it.

    `points` are timing points of either colour in order of time; 500 where there is no red line.
    """
    totals: dict[float, float] = {}
    beat: float | None = None
    for i in range(len(points) - 1, -1, -1):
        point = points[i]
        if point.uninherited:
            beat = point.beat_length
        if beat is None or point.time > last_time or (not point.uninherited and i):
            continue
        totals[beat] = totals.get(beat, 0.0) + last_time - (point.time if i else 0.0)
        last_time = point.time
    if not totals:
        return next((p.beat_length for p in points if p.uninherited), 500.0)
    return max(totals, key=lambda length: totals[length])


def visible_changes(points: Sequence[TimingPoint], usual: float | None) -> Iterator[tuple[float, float]]:
    """Yield (time, speed) for the first line and wherever the speed changes by more than 0.001.

    `points` are all timing points in order of time; of several at one time the last counts. `usual` is the
    beat length to normalise by (None: give the bare multipliers, as taiko and catch have them).
    """
    beat, previous = 0.0, math.nan
    for i, point in enumerate(points):
        if point.uninherited:
            beat = point.ms_per_beat
        if i + 1 < len(points) and points[i + 1].time == point.time:
            continue
        speed = point.scroll_speed * (usual / beat if usual and beat else 1.0)
        if not abs(speed - previous) <= LEAST_CHANGE:
            previous = speed
            yield point.time, speed


def multipliers(
    changes: Sequence[tuple[float, float]], reds: Sequence[TimingPoint], usual: float
) -> list[tuple[float, float]]:
    """Return (time, multiplier) that show `changes` (time, visible speed) over the red lines `reds`.

    Every red line takes part, for it resets the multiplier and sets its own tempo.
    """
    steps = sorted(
        [(time, 1, speed) for time, speed in changes] + [(red.time, 0, red.ms_per_beat) for red in reds]
    )
    speed, beat = 1.0, reds[0].ms_per_beat if reds else usual
    wanted: dict[float, float] = {}
    for time, is_change, value in steps:
        if is_change:
            speed = value
        else:
            beat = value
        wanted[time] = min(max(speed * beat / usual, MIN_SCROLL), MAX_SCROLL)
    return list(wanted.items())
