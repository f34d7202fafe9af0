"""Rules about osu!taiko: gaps, finishers, rests, bar lines, kiai and scroll speed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from ..beatmap import Circle, Spinner, TimingPoint
from .issue import Finding, Severity, minor, problem, warning
from .levels import Level
from .lines import OMIT_BARLINE
from .registry import TAIKO, Category, check, set_check
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

# Patterns: (gap in beats, most notes); in Futsuu fewer where the set has no Kantan.
PATTERNS = {
    Level.EASY: ((1.0, 7), (1 / 2, 2)),
    Level.NORMAL: ((1 / 2, 7), (1 / 3, 2)),
    Level.HARD: ((1 / 4, 5), (1 / 6, 4)),
    Level.INSANE: ((1 / 4, 9), (1 / 6, 4), (1 / 8, 2)),
}
FUTSUU_WITHOUT_KANTAN = ((1 / 2, 5), (1 / 3, 2))

BARLINE_NEAR = 5.0  # ms between a bar line and the scroll change that was meant for it
ROUNDING = 0.5  # ms
KIAI_FLASH_WARNING, KIAI_FLASH_MINOR = 1 / 2.5, 1 / 2  # beats
SAME_SPEED = 1.0  # BPM


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


def _beat(view: MapView, i: int) -> float:
    return normal_beat(view.red_line_at(view.starts[i]))


def is_kat(sound: int) -> bool:
    """Whether hit sound bits make a taiko note blue."""
    return bool(sound & (WHISTLE | CLAP))


@check(
    "taiko_small_gap", Category.COMPOSE, "Notes are closer than the level allows.", "MV CheckSmallestSnap",
    (Severity.WARNING,), modes=(TAIKO,), levels=LOWER_LEVELS,
)  # fmt: skip
def taiko_small_gap(view: MapView) -> Iterator[Finding]:
    notes = [i for i, obj in enumerate(view.objects) if isinstance(obj, Circle)]
    for i, j in zip(notes, notes[1:], strict=False):
        least = _beat(view, i) * SMALLEST_GAP[view.level]
        if view.starts[j] - view.starts[i] < least - EPSILON:
            yield warning(
                f"{view.starts[j] - view.starts[i]:.0f} ms apart; {least:.0f} are expected.", None, i, j
            )


@check(
    "taiko_spinner_gap", Category.COMPOSE,
    "A note comes shortly before a spinner.", "MV CheckSpinnerReadability",
    (Severity.MINOR,), modes=(TAIKO,), levels=LOWER_LEVELS,
)  # fmt: skip
def taiko_spinner_gap(view: MapView) -> Iterator[Finding]:
    for i in range(len(view.objects) - 1):
        gap = view.starts[i + 1] - view.ends[i]
        if (
            isinstance(view.objects[i + 1], Spinner)
            and gap < _beat(view, i) * BEFORE_SPINNER[view.level] - EPSILON
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
    "MV CheckUnrankableFinishers", (Severity.PROBLEM, Severity.WARNING), modes=(TAIKO,), gate=True,
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
        beats = (spacing - EPSILON) / _beat(view, i)
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
    "taiko_rest", Category.COMPOSE, "A long stretch without a rest.", "MV CheckRestMoments",
    (Severity.WARNING, Severity.MINOR), modes=(TAIKO,), levels=LOWER_LEVELS,
)  # fmt: skip
def taiko_rest(view: MapView) -> Iterator[Finding]:
    gaps = [start - end for start, end in zip(view.starts[1:], view.ends, strict=False)]
    begin: int | None = None
    for i in range(len(view.objects)):
        beat = _beat(view, i)
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
    "taiko_last_barline", Category.COMPOSE,
    "The last object ends 1 ms before a bar line, which is then not drawn.",
    "MV CheckLastNoteHidingBarline", (Severity.PROBLEM, Severity.MINOR), modes=(TAIKO,), gate=True,
)  # fmt: skip
def taiko_last_barline(view: MapView) -> Iterator[Finding]:
    if not view.objects or not view.red_lines:
        return
    last = max(range(len(view.objects)), key=lambda i: view.ends[i])
    if 1.0 <= _until_barline(view, view.ends[last]) < 2.0:
        say = problem if isinstance(view.objects[last], Circle) else minor
        yield say("The last object hides the bar line 1 ms after it.", view.ends[last], last)


@check(
    "taiko_barline_speed", Category.TIMING,
    "A bar line comes up to 5 ms before the scroll change meant for it.",
    "MV CheckBarlineUnaffectedBySv", (Severity.WARNING,), modes=(TAIKO,),
)  # fmt: skip
def taiko_barline_speed(view: MapView) -> Iterator[Finding]:
    for before, line in zip(view.lines, view.lines[1:], strict=False):
        if line.velocity == before.velocity or line.time == before.time or line.uninherited:
            continue
        red = view.red_line_at(line.time)
        late = (line.time - red.time) % (red.ms_per_beat * max(red.meter, 1))
        if ROUNDING <= late <= BARLINE_NEAR:
            yield warning(f"The bar line is {late:.2g} ms before a change of scroll speed.", line.time - late)


@check(
    "taiko_close_barlines", Category.TIMING, "A red line starts within half a measure after a bar line.",
    "MV CheckCloseBarlines", (Severity.PROBLEM, Severity.WARNING), modes=(TAIKO,), gate=True,
)  # fmt: skip
def taiko_close_barlines(view: MapView) -> Iterator[Finding]:
    for line, following in zip(view.red_lines, view.red_lines[1:], strict=False):
        measure = line.ms_per_beat * max(line.meter, 1)
        length = following.time - line.time
        if following.effects & OMIT_BARLINE or (line.effects & OMIT_BARLINE and length <= measure):
            continue
        rest = length % measure
        if min(rest, measure - rest) < EPSILON or length <= 0:
            continue
        say = problem if rest <= measure / 2 else warning
        yield say(f"The bar line before is {rest / line.ms_per_beat:.2g} beats away.", following.time)


@check(
    "taiko_kiai_flash", Category.TIMING, "Kiai lasts half a beat or less, which flashes the screen.",
    "MV CheckKiaiFlash", (Severity.WARNING, Severity.MINOR), modes=(TAIKO,),
)  # fmt: skip
def taiko_kiai_flash(view: MapView) -> Iterator[Finding]:
    for (time, _), (following, _) in zip(view.kiai_toggles, view.kiai_toggles[1:], strict=False):
        beat, gap = normal_beat(view.red_line_at(time)), following - time
        if gap <= math.ceil(beat * KIAI_FLASH_MINOR):
            say = warning if gap <= math.ceil(beat * KIAI_FLASH_WARNING) else minor
            yield say(f"Kiai changes again after {gap:.0f} ms.", time)


@check(
    "taiko_scroll_change", Category.TIMING, "The scroll speed leaves that of most of the map.",
    "MV CheckLowDiffScrollSpeed", (Severity.WARNING,), modes=(TAIKO,), levels=(Level.EASY, Level.NORMAL),
)  # fmt: skip
def taiko_scroll_change(view: MapView) -> Iterator[Finding]:
    if not view.objects:
        return
    end = max(view.ends)
    sections: list[tuple[float, float, bool]] = []  # (speed, duration, may be blamed)
    times = [line.time for line in view.lines]
    for n, line in enumerate(view.lines):
        until = times[n + 1] if n + 1 < len(times) else end
        begins, ends = view.first_at_or_after(line.time), view.first_at_or_after(until)
        used = ends > begins and until > line.time
        sections.append((view.line_speeds[n], max(0.0, until - line.time), used and not line.uninherited))
    totals: dict[float, float] = {}
    for speed, duration, _ in sections:
        totals[round(speed, 2)] = totals.get(round(speed, 2), 0.0) + duration
    usual = max(totals, key=lambda speed: totals[speed], default=0.0)
    for line, (speed, _, blamed) in zip(view.lines, sections, strict=True):
        if blamed and abs(speed - usual) > SAME_SPEED:
            yield warning(f"The scroll speed is {speed / usual:.2f} times the usual one.", line.time)


@set_check(
    "taiko_pattern_length", Category.COMPOSE, "A fast pattern is as long as the level allows, or longer.",
    "MV CheckPatternLength", (Severity.WARNING, Severity.MINOR), modes=(TAIKO,),
)  # fmt: skip
def taiko_pattern_length(views: Sequence[MapView]) -> Iterator[Finding]:
    has_kantan = any(view.level is Level.EASY for view in views)
    for n, view in enumerate(views):
        rules = PATTERNS.get(view.level, ())
        if view.level is Level.NORMAL and not has_kantan:
            rules = FUTSUU_WITHOUT_KANTAN
        notes = [i for i, obj in enumerate(view.objects) if isinstance(obj, Circle)]
        for beats, most in rules:
            for first, count in _runs(view, notes, beats):
                if count >= most:
                    say = warning if count > most else minor
                    finding = say(f"{count} notes at gaps of {beats:.3g} beats or less.", None, first)
                    yield finding._replace(difficulty=n)


def _runs(view: MapView, notes: list[int], beats: float) -> Iterator[tuple[int, int]]:
    """(first note, how many) of every run of notes whose gaps are at most `beats`."""
    fast = [
        view.starts[j] - view.starts[i] <= _beat(view, i) * beats + EPSILON
        for i, j in zip(notes, notes[1:], strict=False)
    ]
    for is_fast, run in groupby(range(len(fast)), key=lambda k: fast[k]):
        members = list(run)
        if is_fast:
            yield notes[members[0]], len(members) + 1


@set_check(
    "taiko_kiai_consistency", Category.COMPOSE,
    "Kiai differs between difficulties.", "MV CheckKiaiConsistency",
    (Severity.MINOR,), modes=(TAIKO,),
)  # fmt: skip
def taiko_kiai_consistency(views: Sequence[MapView]) -> Iterator[Finding]:
    groups: dict[tuple[float, ...], list[str]] = {}
    for view in views:
        key = tuple(time for time, _ in view.kiai_toggles)
        groups.setdefault(key, []).append(view.beatmap.difficulty_name)
    if len(groups) > 1:
        for names in groups.values():
            yield minor(f"Kiai of its own: {', '.join(names)}.")


@set_check(
    "taiko_bar_lines", Category.TIMING, "A bar line is omitted in one difficulty only.",
    "MV CheckInconsistentBarLines", (Severity.PROBLEM,), modes=(TAIKO,), gate=True,
)  # fmt: skip
def taiko_bar_lines(views: Sequence[MapView]) -> Iterator[Finding]:
    for n, view in enumerate(views[1:], 1):
        for line in views[0].red_lines:
            same = [other for other in view.red_lines if abs(other.time - line.time) < 1.0]
            if same and (same[0].effects ^ line.effects) & OMIT_BARLINE:
                finding = problem(
                    f"The bar line is shown here or in {views[0].beatmap.difficulty_name} only.", line.time
                )
                yield finding._replace(difficulty=n)


@set_check(
    "taiko_background_offset", Category.SETTINGS, "The background is shifted differently, or sideways.",
    "MV CheckBgOffsetIssues", (Severity.WARNING,), modes=(TAIKO,),
)  # fmt: skip
def taiko_background_offset(views: Sequence[MapView]) -> Iterator[Finding]:
    offsets = {view.beatmap.background_offset for view in views if view.beatmap.background}
    if len(offsets) > 1:
        yield warning("The background offset differs between difficulties.")
    if any(x != 0 for x, _ in offsets):
        yield warning("The background is shifted sideways, which leaves black gaps.")


@set_check(
    "taiko_base_velocity", Category.SETTINGS,
    "The base slider velocity goes up and down over the difficulties.",
    "MV CheckBaseSvProgression", (Severity.WARNING,), modes=(TAIKO,),
)  # fmt: skip
def taiko_base_velocity(views: Sequence[MapView]) -> Iterator[Finding]:
    order = sorted(range(len(views)), key=lambda n: (views[n].level, views[n].stars))
    values = [round(views[n].beatmap.slider_multiplier, 2) for n in order]
    steps = list(zip(values, values[1:], strict=False))
    falls, rises = sum(b < a for a, b in steps), sum(b > a for a, b in steps)
    if not falls or not rises:
        return
    for n, (before, value) in zip(order[1:], steps, strict=True):
        if (value < before) if falls <= rises else (value > before):
            finding = warning(f"The base velocity {value:g} follows {before:g} of the difficulty below.")
            yield finding._replace(difficulty=n)
