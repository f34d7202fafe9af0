"""Emphasis: do new combos, finishes and kiai starts fall on the first beat of a measure, as in human maps?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from mapperatorinator.beatmap import CATCH, OSU, Beatmap, Slider
from mapperatorinator.timing import Timing

FINISH = 4
TOLERANCE_MS = 10.0
NAMES = ("new combos", "finishes", "kiai starts", "objects")


class Emphasis(NamedTuple):
    """(on a downbeat, all) for each of NAMES; counts add up over maps."""

    new_combos: tuple[int, int] = (0, 0)
    finishes: tuple[int, int] = (0, 0)
    kiai_starts: tuple[int, int] = (0, 0)
    objects: tuple[int, int] = (0, 0)

    def shares(self) -> dict[str, float]:
        """Share on downbeats by name, NaN where a map has none."""
        return {
            name: on / of if of else float("nan") for name, (on, of) in zip(NAMES, self, strict=True)
        }


def emphasis(beatmap: Beatmap | None) -> Emphasis:
    """Count what lies on downbeats of the map's own timing; `objects` says what chance would give.

    New combos mean something in osu! and catch alone.
    """
    if beatmap is None or not beatmap.red_lines():
        return Emphasis()
    timing = Timing.from_beatmap(beatmap)
    objects = beatmap.hit_objects
    groups = (
        [o.time for o in objects if o.new_combo] if beatmap.mode in (OSU, CATCH) else [],
        finish_times(beatmap),
        kiai_starts(beatmap),
        [o.time for o in objects],
    )
    return Emphasis(*(_on_downbeats(np.array(times, dtype=np.float64), timing) for times in groups))


def finish_times(beatmap: Beatmap) -> list[float]:
    """Times of objects and slider edges with a finish."""
    times = []
    for obj in beatmap.hit_objects:
        if isinstance(obj, Slider) and obj.edge_sounds:
            span = beatmap.slider_span_duration(obj)
            times += [obj.time + i * span for i, sound in enumerate(obj.edge_sounds) if sound & FINISH]
        elif obj.sound & FINISH:
            times.append(obj.time)
    return times


def kiai_starts(beatmap: Beatmap) -> list[float]:
    """Times at which kiai is switched on."""
    times, on = [], False
    for point in beatmap.timing_points:
        if point.kiai and not on:
            times.append(point.time)
        on = point.kiai
    return times


def combined(parts: Iterable[Emphasis]) -> Emphasis:
    """The sum over maps."""
    table = np.array([list(part) for part in parts], dtype=np.int64).reshape(-1, len(NAMES), 2).sum(axis=0)
    return Emphasis(*((int(on), int(of)) for on, of in table))


def gap_in_points(ours: Sequence[Emphasis], human: Sequence[Emphasis]) -> dict[str, float]:
    """Difference of the shares, ours minus human, in percentage points; -100 where ours has none at all."""
    a, b = combined(ours).shares(), combined(human).shares()
    return {
        name: 100.0 * (a[name] - b[name]) if np.isfinite(a[name]) else -100.0
        for name in NAMES if np.isfinite(b[name])
    }  # fmt: skip


def _on_downbeats(times: np.ndarray, timing: Timing) -> tuple[int, int]:
    if not len(times):
        return 0, 0
    nearest = np.round(timing.beat_at(times))
    close = np.abs(timing.time_of(nearest) - times) <= TOLERANCE_MS
    first = timing.beat_in_measure(nearest) == 0
    return int((close & first).sum()), len(times)
