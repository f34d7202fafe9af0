"""Rules about timing lines themselves: red and green, legal and useful."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..beatmap import Slider, TimingPoint
from .issue import MINOR, PROBLEM, WARNING, Finding, minor, problem, warning
from .registry import MANIA, OSU, TAIKO, Category, check
from .view import MapView

MIN_VOLUME, MAX_VOLUME = 5, 100  # percent (ranking criteria: the game plays no quieter than 5 %)
CYMBAL_MEASURES = 4  # nightcore plays a cymbal every fourth measure
OMIT_BARLINE = 8  # bit of `TimingPoint.effects`
ALIGNED = 1.0  # ms within which a red line lies on the downbeat of the one before
SAME_BEAT = 1e-9  # relative difference of two beat lengths that are one


@check(
    "first_line", Category.TIMING, "The first line is missing, green, or turns kiai on.", "MV CheckFirstLine",
    (PROBLEM,), gate=True,
)  # fmt: skip
def first_line(view: MapView) -> Iterator[Finding]:
    if not view.lines:
        yield problem("There are no timing lines.")
    elif not view.lines[0].uninherited:
        yield problem("The first timing line is green.", view.lines[0].time)
    elif view.lines[0].kiai:
        yield problem("The first timing line turns kiai on.", view.lines[0].time)


@check(
    "illegal_line", Category.TIMING,
    "A line's time, beat length, velocity or meter is no usable number (warning: one that the game clips).",
    "file format", (PROBLEM, WARNING), gate=True,
)  # fmt: skip
def illegal_line(view: MapView) -> Iterator[Finding]:
    for line in view.lines:
        beat = line.beat_length
        if not math.isfinite(line.time) or (line.uninherited and not beat > 0):
            yield problem("The line holds no usable number.", line.time)
        elif line.uninherited and line.meter < 1:
            yield problem(f"A measure of {line.meter} beats.", line.time)
        elif line.uninherited and beat != line.ms_per_beat:
            yield warning(f"A beat of {beat:.4g} ms is clipped to 6..60000 ms.", line.time)
        elif not line.uninherited and beat >= 0:
            yield problem("The green line has no velocity.", line.time)
        elif math.isnan(beat):
            yield warning("The velocity is no number, which switches slider ticks off.", line.time)


@check(
    "concurrent_lines", Category.TIMING, "Two lines of one colour at one time (minor: red and green that disagree).",
    "MV CheckConcurrentLines; lazer CheckConcurrentObjects", (PROBLEM, MINOR), gate=True,
)  # fmt: skip
def concurrent_lines(view: MapView) -> Iterator[Finding]:
    for before, line in zip(view.lines, view.lines[1:], strict=False):
        if before.time != line.time:
            continue
        if before.uninherited == line.uninherited:
            yield problem(f"Two {'red' if line.uninherited else 'green'} lines at one time.", line.time)
        elif _sounds(before) != _sounds(line) or before.kiai != line.kiai:
            yield minor("The green line overrides kiai, volume or samples of the red one.", line.time)


@check(
    "invalid_volume", Category.TIMING, "A line's volume is below 5 % or above 100 %.", "MV CheckInvalidVolume",
    (PROBLEM,), gate=True,
)  # fmt: skip
def invalid_volume(view: MapView) -> Iterator[Finding]:
    for line in view.lines:
        if not MIN_VOLUME <= line.volume <= MAX_VOLUME:
            yield problem(f"The volume is {line.volume} %.", line.time)


def _sounds(line: TimingPoint) -> tuple[int, int, int]:
    return line.sample_set, line.sample_index, line.volume


def _off_measure(line: TimingPoint, origin: TimingPoint, measures: int = 1) -> float:
    """Distance in ms of `line` from the nearest downbeat (every `measures`-th) of `origin`."""
    step = origin.ms_per_beat * max(origin.meter, 1) * measures
    phase = (line.time - origin.time) % step
    return min(phase, step - phase)


def _continues(line: TimingPoint, origin: TimingPoint) -> bool:
    """Whether a red line leaves tempo, meter and downbeats as they were."""
    same_beat = math.isclose(line.ms_per_beat, origin.ms_per_beat, rel_tol=SAME_BEAT)
    return same_beat and line.meter == origin.meter and _off_measure(line, origin) <= ALIGNED


def _has_start(view: MapView, n: int, sliders_only: bool) -> bool:
    """Whether an object (a slider) starts in the section of line `n`."""
    begin = view.first_at_or_after(view.lines[n].time)
    later = (line.time for line in view.lines[n + 1 :] if line.time > view.lines[n].time)
    end = next(later, math.inf)
    for i in range(begin, len(view.objects)):
        if view.starts[i] >= end:
            return False
        if not sliders_only or isinstance(view.objects[i], Slider):
            return True
    return False


def _is_heard(view: MapView, n: int) -> bool:
    """Whether anything sounds in the section of line `n`: a start, an edge, a tick or a body."""
    time = view.lines[n].time
    covered = any(view.starts[i] <= time <= view.ends[i] for i in view.around(time))
    return covered or _has_start(view, n, sliders_only=False)


def _use(view: MapView, n: int, before: TimingPoint) -> bool:
    """Whether line `n` does something that `before` did not."""
    line = view.lines[n]
    if line.kiai != before.kiai:
        return True
    if _sounds(line) != _sounds(before) and _is_heard(view, n):
        return True
    scrolls = view.mode in (TAIKO, MANIA)
    return line.velocity != before.velocity and (scrolls or _has_start(view, n, sliders_only=True))


@check(
    "unused_red_line", Category.TIMING, "A red line continues the tempo and downbeats of the one before it.",
    "MV CheckUnusedLines", (PROBLEM, WARNING), gate=True,
)  # fmt: skip
def unused_red_line(view: MapView) -> Iterator[Finding]:
    reds = [n for n, line in enumerate(view.lines) if line.uninherited]
    for earlier, n in zip(reds, reds[1:], strict=False):
        origin, line = view.lines[earlier], view.lines[n]
        if line.time == origin.time or not _continues(line, origin):
            continue
        reasons = []
        if view.mode in (OSU, TAIKO, MANIA):
            omits = bool(line.effects & OMIT_BARLINE)
            corrects = bool(origin.effects & OMIT_BARLINE) and _off_measure(line, origin) > 0
            if (omits or corrects) and view.mode != OSU:
                continue
            reasons += ["omits a bar line"] * omits + ["corrects an omitted bar line"] * corrects
        if _off_measure(line, origin, CYMBAL_MEASURES) > ALIGNED:
            reasons.append("resets nightcore cymbals")
        instead = "a green line would do" if _use(view, n, view.lines[n - 1]) else "it can go"
        if reasons:
            yield warning(f"The red line only {' and '.join(reasons)}; else {instead}.", line.time)
        else:
            yield problem(f"The red line continues the timing before it; {instead}.", line.time)


@check(
    "unused_green_line", Category.TIMING, "A green line changes nothing, or nothing that is heard or seen.",
    "MV CheckUnusedLines", (MINOR,),
)  # fmt: skip
def unused_green_line(view: MapView) -> Iterator[Finding]:
    for n in range(1, len(view.lines)):
        if not view.lines[n].uninherited and not _use(view, n, view.lines[n - 1]):
            yield minor("The green line changes nothing that is heard or seen.", view.lines[n].time)
