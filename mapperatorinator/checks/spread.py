"""Rules about osu! reading and rest that depend on the difficulty level."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from ..beatmap import Circle, Slider, Spinner, circle_radius, pile_heights, preempt, stack_offset
from .issue import MINOR, PROBLEM, WARNING, Finding, minor, problem, warning
from .levels import Level
from .registry import OSU, Category, check, set_check
from .view import MapView

BEAT_160, BEAT_180, BEAT_240 = (60_000 / bpm for bpm in (160, 180, 240))  # ms

# Beats at 160 BPM within which objects may not lie exactly on each other (MV, CheckStackLeniency).
STACK_BEATS = {Level.EASY: 1.0, Level.NORMAL: 1.0, Level.HARD: 0.5, Level.INSANE: 0.25}
FAILED_STACK = 1 / 14  # radii within which objects that did not stack look stacked
HARD_ROCK_CS, HARD_ROCK_AR = 1.3, 1.4

REVERSE_BEATS = {Level.EASY: 1.0, Level.NORMAL: 0.5}  # a slider with several reverses is longer than that
SHORT_SLIDER = BEAT_240 / 2  # ms

# Beats at 240 BPM a spinner lasts, and leaves to recover (warning: 20 % more; MV, CheckSpinnerRecovery).
SPINNER_BEATS = {Level.EASY: 4.0, Level.NORMAL: 3.0, Level.HARD: 2.0}
RECOVERY_BEATS = {Level.EASY: 4.0, Level.NORMAL: 2.0, Level.HARD: 1.0}
SPINNER_MARGIN = 1.2

OVERLAP_PROBLEM, OVERLAP_WARNING = BEAT_240 / 2, BEAT_160 / 2  # ms within which objects should overlap

# Time-distance equality (Mapset Verifier, CheckSpaceVariation).
SPACE_GAP, SPACE_MEMORY, STACKED = 600.0, 4000.0, 8.0  # ms, ms, px
SPACE_SHARE, SPACE_PIXELS = 0.15, 10.0
SAME_GAP_SHARE = 0.1
RATIO_SHARE, RATIO_ABSOLUTE = 0.2, 0.1


def _pairs_within(view: MapView, gap: float) -> Iterator[tuple[int, int]]:
    """Pairs of objects whose starts are less than `gap` ms apart, up to the next spinner."""
    for i, obj in enumerate(view.objects):
        if isinstance(obj, Spinner):
            continue
        for j in range(i + 1, len(view.objects)):
            if isinstance(view.objects[j], Spinner) or view.starts[j] - view.starts[i] >= gap:
                break
            yield i, j


@check(
    "stack_leniency", Category.SPREAD, "Objects close in time lie exactly, or all but exactly, on each other.",
    "MV CheckStackLeniency", (PROBLEM, WARNING), modes=(OSU,), levels=STACK_BEATS, gate=True,
)  # fmt: skip
def stack_leniency(view: MapView) -> Iterator[Finding]:
    for i, j in _pairs_within(view, STACK_BEATS[view.level] * BEAT_160):
        distance = math.dist(view.heads[i], view.heads[j])
        if distance == 0:
            needed = math.ceil((view.starts[j] - view.starts[i]) / (view.preempt * 0.1))
            say = warning if view.level is Level.INSANE else problem
            yield say(f"Exactly on each other; the stack leniency should be at least {needed}.", None, i, j)
        elif distance <= view.radius * FAILED_STACK:
            yield problem(f"{distance:.2g} px apart, which looks stacked and is not.", None, i, j)


@check(
    "hard_rock_stack", Category.SPREAD, "With Hard Rock, objects close in time look stacked.",
    "MV CheckHardRockPerfectStacks", (MINOR,), modes=(OSU,),
)  # fmt: skip
def hard_rock_stack(view: MapView) -> Iterator[Finding]:
    bm = view.beatmap
    window = preempt(min(10.0, bm.approach_rate * HARD_ROCK_AR)) * bm.stack_leniency
    circle_size = min(10.0, bm.circle_size * HARD_ROCK_CS)
    radius = circle_radius(circle_size)
    heights = pile_heights(view.objects, view.ends, window, bm.version)
    shifts = [stack_offset(circle_size, height) for height in heights]
    for i, j in _pairs_within(view, STACK_BEATS.get(view.level, STACK_BEATS[Level.INSANE]) * BEAT_160):
        a, b = view.objects[i], view.objects[j]
        places = (a.x + shifts[i], a.y + shifts[i]), (b.x + shifts[j], b.y + shifts[j])
        if math.dist(*places) <= radius * FAILED_STACK:
            yield minor("With Hard Rock these look stacked.", None, i, j)


@check(
    "multiple_reverses", Category.SPREAD, "A short slider has several reverses.", "MV CheckMultipleReverses",
    (PROBLEM, WARNING), modes=(OSU,), levels=REVERSE_BEATS, gate=True,
)  # fmt: skip
def multiple_reverses(view: MapView) -> Iterator[Finding]:
    beats = REVERSE_BEATS[view.level]
    for i, obj in enumerate(view.objects):
        if isinstance(obj, Slider) and obj.slides > 2:
            length = view.ends[i] - obj.time
            if length < BEAT_240 * beats:
                yield problem(f"{obj.slides - 1} reverses within {length:.0f} ms.", None, i)
            elif length < BEAT_180 * beats:
                yield warning(f"{obj.slides - 1} reverses within {length:.0f} ms.", None, i)


@check(
    "short_slider", Category.SPREAD, "A slider lasts less than 125 ms.",
    "MV CheckShortSliders; lazer CheckTooShortSliders", (WARNING,), modes=(OSU,), levels=(Level.EASY,),
)  # fmt: skip
def short_slider(view: MapView) -> Iterator[Finding]:
    for i, obj in enumerate(view.objects):
        if isinstance(obj, Slider) and view.ends[i] - obj.time < SHORT_SLIDER:
            yield warning(f"The slider lasts {view.ends[i] - obj.time:.0f} ms.", None, i)


def _pace(bpm: float) -> float:
    """How fast rhythms are held to be against 180 BPM, for which the criteria state them (Ranking criteria, scaling BPM)."""
    return bpm**2 / 14_400 - bpm / 80 + 1


@check(
    "spinner_recovery", Category.SPREAD, "A spinner is too short, or the next object follows too soon.",
    "MV CheckSpinnerRecovery", (PROBLEM, WARNING), modes=(OSU,), levels=SPINNER_BEATS, gate=True,
)  # fmt: skip
def spinner_recovery(view: MapView) -> Iterator[Finding]:
    for i, obj in enumerate(view.objects):
        if not isinstance(obj, Spinner):
            continue
        length, least = obj.end_time - obj.time, SPINNER_BEATS[view.level] * BEAT_240
        if length < least * SPINNER_MARGIN:
            yield (problem if length < least else warning)(f"The spinner lasts {length:.0f} ms.", None, i)
        if i + 1 < len(view.objects) and not isinstance(view.objects[i + 1], Spinner):
            rest = view.starts[i + 1] - obj.end_time
            scaled = rest / _pace(view.red_line_at(view.starts[i + 1]).bpm)
            # Never a Problem: ranked maps of all years halve what the criteria recommend.
            if max(rest, scaled) < RECOVERY_BEATS[view.level] * BEAT_240 * SPINNER_MARGIN:
                yield warning(f"Only {rest:.0f} ms to recover from the spinner.", None, i, i + 1)


@check(
    "space_variation", Category.SPREAD, "Spacing contradicts the time between objects.", "MV CheckSpaceVariation",
    (WARNING,), modes=(OSU,), levels=(Level.EASY, Level.NORMAL),
)  # fmt: skip
def space_variation(view: MapView) -> Iterator[Finding]:
    seen: list[tuple[float, float, float]] = []  # (time, gap, distance)
    suspect: float | None = None
    for i in range(len(view.objects) - 1):
        if isinstance(view.objects[i], Spinner) or isinstance(view.objects[i + 1], Spinner):
            continue
        gap, time = view.starts[i + 1] - view.ends[i], view.starts[i]
        distance = math.dist(view.tails[i], view.heads[i + 1])
        if not 0 < gap <= SPACE_GAP or distance < STACKED:
            continue
        seen = [entry for entry in seen if entry[0] > time - SPACE_MEMORY]
        alike = [k for k, entry in enumerate(seen) if abs(gap - entry[1]) <= entry[1] * SAME_GAP_SHARE]
        if alike:
            expected = seen[alike[-1]][2]
            wrong = (abs(expected - distance) - SPACE_PIXELS) / distance > SPACE_SHARE
            # A distance like the last suspect's shows that the suspect was meant.
            if wrong and (suspect is None or abs(suspect - distance) / distance > SPACE_SHARE):
                yield warning(f"{distance:.0f} px apart, expected about {expected:.0f}.", None, i, i + 1)
                suspect = distance
                continue
            seen[alike[-1]] = (time, gap, distance)
            suspect = None
            continue
        ratio = distance / gap
        if seen:
            usual = float(np.mean([d / g for _, g, d in seen]))
            low, high = usual * (1 - RATIO_SHARE) - RATIO_ABSOLUTE, usual * (1 + RATIO_SHARE) + RATIO_ABSOLUTE
            if not low <= ratio <= high:
                yield warning(f"{ratio:.2f} px per ms, expected about {usual:.2f}.", None, i, i + 1)
                continue
        seen.append((time, gap, distance))
        suspect = None


@set_check(
    "close_overlap", Category.SPREAD, "In the easiest difficulty, objects close in time do not overlap.",
    "MV CheckCloseOverlap", (PROBLEM, WARNING), modes=(OSU,), gate=True,
)  # fmt: skip
def close_overlap(views: Sequence[MapView]) -> Iterator[Finding]:
    lowest = min(view.level for view in views)
    for n, view in enumerate(views):
        if view.level != lowest or lowest > Level.NORMAL:
            continue
        for i in range(len(view.objects) - 1):
            gap = view.starts[i + 1] - view.starts[i]
            if not isinstance(view.objects[i], Circle) or isinstance(view.objects[i + 1], Spinner):
                continue
            if gap < OVERLAP_WARNING and math.dist(view.heads[i], view.heads[i + 1]) >= view.radius * 2:
                say = problem if gap < OVERLAP_PROBLEM else warning
                finding = say(f"{gap:.0f} ms apart and not overlapping.", None, i, i + 1)
                yield finding._replace(difficulty=n)
