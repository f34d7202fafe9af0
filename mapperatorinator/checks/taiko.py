"""Rules about osu!taiko notes: gaps, finishers, rests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ..beatmap import Circle, Spinner, TimingPoint
from .issue import MINOR, PROBLEM, WARNING, Finding, minor, problem, warning
from .levels import Level
from .registry import TAIKO, Category, check
from .samples import CLAP, FINISH, WHISTLE
from .view import MapView

LOWER_LEVELS = (Level.EASY, Level.NORMAL, Level.HARD, Level.INSANE)
NORMAL_TEMPO = (130.0, 270.0)  # BPM range into which beats are brought before gaps are judged
HALF_TEMPO, THIRD_TEMPO = 2.0, 1.5
EPSILON = 3.0  # ms by which gaps may be off

# Smallest gap between notes in beats (ranking criteria).
SMALLEST_GAP = {Level.EASY: 1 / 2, Level.NORMAL: 1 / 3, Level.HARD: 1 / 6, Level.INSANE: 1 / 6}
BEFORE_SPINNER = {Level.EASY: 1 / 2, Level.NORMAL: 1 / 2, Level.HARD: 1 / 2, Level.INSANE: 1 / 4}

# Finishers: gaps in beats at or below which a pattern may hold none, may hold one only as its last
# note, and may hold one only where the colour changes (ranking criteria).
FINISHER_NEVER = {Level.EASY: 1 / 2, Level.NORMAL: 1 / 3, Level.HARD: 1 / 4, Level.INSANE: 1 / 6}
FINISHER_DOUBTFUL = {Level.HARD: 1 / 3}
FINISHER_LAST = {Level.INSANE: 1 / 4}
FINISHER_LAST_ADVISED = {Level.EXPERT: 1 / 3, Level.ULTRA: 1 / 3}

# Rests: (how many gaps in a row, beats each) that count as one; beats mapped without any.
RESTS = {
    Level.EASY: ((1, 3.0),),
    Level.NORMAL: ((1, 2.0),),
    Level.HARD: ((1, 1.5), (3, 1.0)),
    Level.INSANE: ((1, 1.0),),
}
WITHOUT_REST_MINOR = {Level.EASY: 36, Level.NORMAL: 36, Level.HARD: 36, Level.INSANE: 20}
WITHOUT_REST_WARNING = {Level.EASY: 44, Level.NORMAL: 44, Level.HARD: 44, Level.INSANE: 32}


def normal_beat(line: TimingPoint) -> float:
    """Length in ms of the beat a player would count under `line` (tempo brought to 130..270 BPM)."""
    beat = line.ms_per_beat
    while beat <= 60_000 / NORMAL_TEMPO[1]:
        beat *= HALF_TEMPO
    while beat >= 60_000 / 110:
        beat /= HALF_TEMPO
    while beat >= 60_000 / NORMAL_TEMPO[0]:
        beat /= THIRD_TEMPO
    return beat


def beat_at(view: MapView, i: int) -> float:
    """Length in ms of the beat a player would count at object `i`."""
    return normal_beat(view.red_line_at(view.starts[i]))


def is_kat(sound: int) -> bool:
    """Whether hit sound bits make a taiko note blue."""
    return bool(sound & (WHISTLE | CLAP))


@check(
    "taiko_small_gap", Category.COMPOSE, "Notes are closer than the level allows.", "MV CheckSmallestSnap",
    (WARNING,), modes=(TAIKO,), levels=LOWER_LEVELS,
)  # fmt: skip
def taiko_small_gap(view: MapView) -> Iterator[Finding]:
    notes = [i for i, obj in enumerate(view.objects) if isinstance(obj, Circle)]
    for i, j in zip(notes, notes[1:], strict=False):
        least = beat_at(view, i) * SMALLEST_GAP[view.level]
        if view.starts[j] - view.starts[i] < least - EPSILON:
            yield warning(
                f"{view.starts[j] - view.starts[i]:.0f} ms apart; {least:.0f} are expected.", None, i, j
            )


@check(
    "taiko_spinner_gap", Category.COMPOSE, "A note comes shortly before a spinner.", "MV CheckSpinnerReadability",
    (MINOR,), modes=(TAIKO,), levels=LOWER_LEVELS,
)  # fmt: skip
def taiko_spinner_gap(view: MapView) -> Iterator[Finding]:
    for i in range(len(view.objects) - 1):
        gap = view.starts[i + 1] - view.ends[i]
        if (
            isinstance(view.objects[i + 1], Spinner)
            and gap < beat_at(view, i) * BEFORE_SPINNER[view.level] - EPSILON
        ):
            yield minor(f"A spinner follows after {gap:.0f} ms.", None, i, i + 1)


def _neighbour_gaps(view: MapView, i: int) -> tuple[float, float]:
    """Gaps in ms to the notes before and after note `i`; infinite where there is none."""
    before = i > 0 and isinstance(view.objects[i - 1], Circle)
    after = i + 1 < len(view.objects) and isinstance(view.objects[i + 1], Circle)
    return (
        view.starts[i] - view.starts[i - 1] if before else math.inf,
        view.starts[i + 1] - view.starts[i] if after else math.inf,
    )


@check(
    "taiko_finisher", Category.COMPOSE, "A finisher stands in a pattern that is too fast for it.",
    "MV CheckUnrankableFinishers", (PROBLEM, WARNING), modes=(TAIKO,), gate=True,
)  # fmt: skip
def taiko_finisher(view: MapView) -> Iterator[Finding]:
    for i, obj in enumerate(view.objects):
        if not isinstance(obj, Circle) or not obj.sound & FINISH:
            continue
        before, after = _neighbour_gaps(view, i)
        first, last = after < before or before == math.inf, before < after or after == math.inf
        if first and last:  # no pattern
            continue
        spacing = after if first else before if last else min(before, after)
        beats = (spacing - EPSILON) / beat_at(view, i)
        same_before = i > 0 and is_kat(view.objects[i - 1].sound) == is_kat(obj.sound)
        same_after = i + 1 < len(view.objects) and is_kat(view.objects[i + 1].sound) == is_kat(obj.sound)
        unlike_rules = not last or (same_before and not first)
        if beats <= FINISHER_NEVER.get(view.level, 0.0):
            yield problem(f"A finisher in a pattern of {spacing:.0f} ms gaps.", None, i)
        elif beats <= FINISHER_LAST.get(view.level, 0.0) and unlike_rules:
            yield problem("A finisher in a fast pattern ends it and changes colour.", None, i)
        elif beats <= FINISHER_DOUBTFUL.get(view.level, 0.0):
            yield warning(f"A finisher in a pattern of {spacing:.0f} ms gaps.", None, i)
        elif beats <= FINISHER_LAST_ADVISED.get(view.level, 0.0) and (
            unlike_rules or (same_after and not last)
        ):
            yield warning("A finisher inside a fast pattern, or without a change of colour.", None, i)


def _is_rest(gaps: Sequence[float], beat: float, level: Level, forward: bool) -> bool:
    """Whether the gaps (ms) next to a note hold a rest; a missing gap counts as long."""
    for length, beats in RESTS[level]:
        near = gaps[:length] if forward else gaps[-length:]
        if all(gap + EPSILON >= beats * beat for gap in near):
            return True
    return False


@check(
    "taiko_rest", Category.COMPOSE, "A long stretch without a rest.", "MV CheckRestMoments", (WARNING, MINOR),
    modes=(TAIKO,), levels=LOWER_LEVELS,
)  # fmt: skip
def taiko_rest(view: MapView) -> Iterator[Finding]:
    gaps = [start - end for start, end in zip(view.starts[1:], view.ends, strict=False)]
    begin: int | None = None
    for i in range(len(view.objects)):
        beat = beat_at(view, i)
        if _is_rest(gaps[max(0, i - 3) : i], beat, view.level, forward=False):
            begin = i
        if begin is None or not _is_rest(gaps[i : i + 3], beat, view.level, forward=True):
            continue
        beats = math.floor(
            (view.ends[i] - view.starts[begin] + EPSILON) / view.red_line_at(view.starts[i]).ms_per_beat
        )
        if beats > WITHOUT_REST_MINOR[view.level]:
            say = warning if beats > WITHOUT_REST_WARNING[view.level] else minor
            yield say(f"{beats} beats without a rest.", None, begin)
        begin = None


def _until_barline(view: MapView, time: float) -> float:
    """Time in ms from `time` to the next bar line."""
    line = view.red_line_at(time)
    measure = line.ms_per_beat * max(line.meter, 1)
    return measure - (time - line.time) % measure


@check(
    "taiko_last_barline", Category.COMPOSE, "The last object ends 1 ms before a bar line, which is then not drawn.",
    "MV CheckLastNoteHidingBarline", (PROBLEM, MINOR), modes=(TAIKO,), gate=True,
)  # fmt: skip
def taiko_last_barline(view: MapView) -> Iterator[Finding]:
    if not view.objects or not view.red_lines:
        return
    last = max(range(len(view.objects)), key=lambda i: view.ends[i])
    if 1.0 <= _until_barline(view, view.ends[last]) < 2.0:
        say = problem if isinstance(view.objects[last], Circle) else minor
        yield say("The last object hides the bar line 1 ms after it.", view.ends[last], last)
