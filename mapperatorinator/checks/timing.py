"""Rules about where objects and kiai lie on the beat grid."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..beatmap import Slider, Spinner
from .issue import MINOR, PROBLEM, WARNING, Finding, minor, problem, warning
from .registry import CATCH, OSU, TAIKO, Category, check
from .snapping import FINEST_DIVISORS, UNSNAP_MINOR, UNSNAP_PROBLEM, unsnap_from
from .view import MapView

KIAI_WARNING = 10.0  # ms (Mapset Verifier, CheckKiaiUnsnap)
KIAI_WARNING_TAIKO = 5.0  # ms; kiai flashes the whole screen in taiko
NEAR_LINE = 5.0  # ms between an object and the line that was meant for it (Mapset Verifier, CheckBeforeLine)
SAME_SPEED = 1.0  # BPM by which effective speeds may differ unseen (Mapset Verifier, CheckBeforeLine)
LOOKAHEAD = 50.0  # ms before a red line in which its grid may have been meant (MV, CheckRedLineSnapping)
LOOKAHEAD_BEATS = 1 / 8
ALIGNED = 1.0  # ms within which two grids count as one


@check(
    "unsnapped", Category.TIMING,
    "An edge of an object lies 2 ms or more from every tick of 1/16, 1/12, 1/9, 1/7 and 1/5 (minor: 1 ms).",
    "MV CheckUnsnaps; lazer CheckUnsnappedObjects", (PROBLEM, MINOR), gate=True,
)  # fmt: skip
def unsnapped(view: MapView) -> Iterator[Finding]:
    keys, times = view.edge_times
    unsnaps = view.edge_unsnaps
    for j in np.flatnonzero(np.abs(unsnaps) >= UNSNAP_MINOR):
        i, n = keys[j]
        if isinstance(view.objects[i], Spinner):
            continue
        say = problem if abs(unsnaps[j]) >= UNSNAP_PROBLEM else minor
        late = "late" if unsnaps[j] > 0 else "early"
        yield say(f"{view.edge_name(i, n)} is {abs(unsnaps[j]):.3g} ms too {late}.", float(times[j]), i)


@check(
    "kiai_unsnap", Category.TIMING, "Kiai starts or ends off the beat grid (10 ms, taiko 5 ms; minor: 1 ms).",
    "MV CheckKiaiUnsnap", (WARNING, MINOR),
)  # fmt: skip
def kiai_unsnap(view: MapView) -> Iterator[Finding]:
    limit = KIAI_WARNING_TAIKO if view.mode == TAIKO else KIAI_WARNING
    for time, starts in view.kiai_toggles:
        unsnap = abs(view.grid.unsnap(time))
        if unsnap < UNSNAP_MINOR:
            continue
        say = warning if starts and unsnap >= limit else minor
        yield say(f"Kiai {'starts' if starts else 'ends'} {unsnap:.3g} ms off the grid.", time)


@check(
    "before_line", Category.TIMING, "An object lies within 5 ms of a line that was meant to change its speed.",
    "MV CheckBeforeLine", (WARNING,), modes=(OSU, TAIKO, CATCH),
)  # fmt: skip
def before_line(view: MapView) -> Iterator[Finding]:
    speeds = view.line_speeds
    for i, obj in enumerate(view.objects):
        current = view.line_index(obj.time)
        if current < 0 or not (isinstance(obj, Slider) or view.mode == TAIKO):
            continue
        gaps = []  # (ms from the object to a line, the line, the one before it)
        if current + 1 < len(view.lines):
            gaps.append((view.lines[current + 1].time - obj.time, current + 1, current))
        if view.mode == TAIKO and current > 0:
            gaps.append((view.lines[current].time - obj.time, current, current - 1))
        for gap, line, before in gaps:
            changes = abs(speeds[line] - speeds[before]) > SAME_SPEED
            if 0 < abs(gap) <= NEAR_LINE and changes and abs(view.grid.unsnap(obj.time)) <= UNSNAP_MINOR:
                side = "before" if gap > 0 else "after"
                yield warning(f"Starts {abs(gap):.3g} ms {side} a line that changes its speed.", None, i)


@check(
    "red_line_snapping", Category.TIMING,
    "An object just before a red line lies on the old grid, but 2 ms or more off the new one.",
    "MV CheckRedLineSnapping", (WARNING,),
)  # fmt: skip
def red_line_snapping(view: MapView) -> Iterator[Finding]:
    keys, times = view.edge_times
    for current, following in zip(view.red_lines, view.red_lines[1:], strict=False):
        step = current.ms_per_beat * max(current.meter, 1)
        phase = (following.time - current.time) % step
        aligned = min(phase, step - phase) <= ALIGNED and following.ms_per_beat == current.ms_per_beat
        if aligned:
            continue
        window = max(LOOKAHEAD, current.ms_per_beat * LOOKAHEAD_BEATS)
        for j in np.flatnonzero((times < following.time) & (times >= following.time - window)):
            i, n = keys[j]
            moment = times[j : j + 1]
            other = min(
                abs(float(unsnap_from(moment, following.time, following.ms_per_beat, divisor)[0]))
                for divisor in FINEST_DIVISORS
            )
            if isinstance(view.objects[i], Spinner) or abs(view.edge_unsnaps[j]) >= UNSNAP_PROBLEM:
                continue
            if other >= UNSNAP_PROBLEM:
                yield warning(
                    f"{view.edge_name(i, n)} is {other:.3g} ms off the grid of the red line that follows.",
                    float(times[j]), i,
                )  # fmt: skip


@check(
    "preview_time", Category.TIMING, "No preview point is set.", "MV CheckPreview; lazer CheckPreviewTime",
    (PROBLEM,), gate=True,
)  # fmt: skip
def preview_time(view: MapView) -> Iterator[Finding]:
    if view.beatmap.preview_time < 0:
        yield problem("No preview point is set.")
