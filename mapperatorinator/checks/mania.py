"""Rules about osu!mania: columns, long notes, chords and scroll speed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ..beatmap import Hold
from .issue import PROBLEM, WARNING, Finding, problem, warning
from .levels import Level
from .registry import MANIA, Category, check, set_check
from .view import MapView

UNEVEN = 0.2  # share by which a column's notes may differ from the mean (MV, CheckColumnDistribution)
HOLD_PROBLEM, HOLD_WARNING = 20.0, 30.0  # ms (MV, CheckSliderLength: 1/12 beat at 180 BPM)
MANY_KEYS = 7
# Most notes at once with fewer than seven keys, and with seven or more (ranking criteria).
CHORDS = {Level.EASY: (2, 2), Level.NORMAL: (2, 3), Level.HARD: (3, 4), Level.INSANE: (6, 6)}
SAME_MULTIPLIER = 0.02
SAME_BPM = 1.0
SCROLL_MAP = 0.5  # share of green lines off the normal speed above which a map means its changes


@check(
    "mania_columns", Category.COMPOSE, "A column is empty (warning: 20 % more or fewer notes than the mean).",
    "MV CheckColumnDistribution", (PROBLEM, WARNING), modes=(MANIA,), gate=True,
)  # fmt: skip
def mania_columns(view: MapView) -> Iterator[Finding]:
    if not view.objects:
        return
    keys = view.beatmap.keys
    notes = Counter(view.beatmap.column(obj) for obj in view.objects)
    mean = len(view.objects) / keys
    for column in range(keys):
        if not notes[column]:
            yield problem(f"Column {column + 1} is empty.")
        elif abs(notes[column] - mean) > mean * UNEVEN:
            more = "more" if notes[column] > mean else "fewer"
            yield warning(
                f"Column {column + 1} has {abs(notes[column] / mean - 1):.0%} {more} notes than the mean."
            )


@check(
    "mania_hold_length", Category.COMPOSE, "A long note lasts less than 20 ms (warning: 30 ms).",
    "MV CheckSliderLength", (PROBLEM, WARNING), modes=(MANIA,), gate=True,
)  # fmt: skip
def mania_hold_length(view: MapView) -> Iterator[Finding]:
    for i, obj in enumerate(view.objects):
        if isinstance(obj, Hold) and obj.end_time - obj.time < HOLD_WARNING:
            length = obj.end_time - obj.time
            say = problem if length < HOLD_PROBLEM else warning
            yield say(f"A long note of {length:.0f} ms.", None, i)


@check(
    "mania_chord", Category.SPREAD, "A chord has more notes than the level allows.", "MV CheckMaxChordSize",
    (WARNING,), modes=(MANIA,), levels=CHORDS,
)  # fmt: skip
def mania_chord(view: MapView) -> Iterator[Finding]:
    most = CHORDS[view.level][view.beatmap.keys >= MANY_KEYS]
    chords: dict[int, list[int]] = {}
    for i, start in enumerate(view.starts):
        chords.setdefault(round(start), []).append(i)
    for notes in chords.values():
        if len(notes) > most:
            yield warning(f"{len(notes)} notes at once; {view.level} has at most {most}.", None, *notes)


def usual_bpm(view: MapView) -> float:
    """The tempo that lasts longest between the first and the last object."""
    if not view.red_lines or not view.objects:
        return 0.0
    durations: dict[float, float] = {}
    borders = [line.time for line in view.red_lines[1:]] + [max(view.ends)]
    for line, until in zip(view.red_lines, borders, strict=True):
        lasts = max(0.0, until - max(line.time, view.starts[0]))
        durations[line.bpm] = durations.get(line.bpm, 0.0) + lasts
    return max(durations, key=lambda bpm: durations[bpm])


def _deviations(view: MapView) -> Iterator[tuple[float, float, float]]:
    """(time, multiplier, multiplier that would keep the scroll speed) of green lines that change it."""
    usual, bpm = usual_bpm(view), 0.0
    for line in view.lines:
        if line.uninherited:
            bpm = line.bpm
        elif bpm and abs(line.scroll_speed - usual / bpm) > SAME_MULTIPLIER:
            yield line.time, line.scroll_speed, usual / bpm


@set_check(
    "mania_easy_velocity", Category.TIMING, "The lowest Easy or Normal changes its scroll speed.",
    "MV CheckEasySliderVelocity", (PROBLEM,), modes=(MANIA,), gate=True,
)  # fmt: skip
def mania_easy_velocity(views: Sequence[MapView]) -> Iterator[Finding]:
    for keys in {view.beatmap.keys for view in views}:
        group = [n for n, view in enumerate(views) if view.beatmap.keys == keys]
        n = min(group, key=lambda k: (views[k].level, views[k].stars))
        if views[n].level <= Level.NORMAL:
            for time, multiplier, normal in _deviations(views[n]):
                finding = problem(f"The scroll multiplier is {multiplier:.2f}, not {normal:.2f}.", time)
                yield finding._replace(difficulty=n)


@set_check(
    "mania_variable_bpm", Category.TIMING, "Tempo changes are not evened out by green lines.", "MV CheckVariableBpm",
    (PROBLEM, WARNING), modes=(MANIA,), gate=True,
)  # fmt: skip
def mania_variable_bpm(views: Sequence[MapView]) -> Iterator[Finding]:
    for n, view in enumerate(views):
        greens = [line for line in view.lines if not line.uninherited]
        deviations = list(_deviations(view))
        if len(deviations) > SCROLL_MAP * len(greens) and deviations:
            continue  # the map plays with scroll speed
        for finding in [
            *_uneven_lines(view),
            *(warning("Not at the usual speed.", t) for t, _, _ in deviations),
        ]:
            yield finding._replace(difficulty=n)


def _uneven_lines(view: MapView) -> Iterator[Finding]:
    """Red lines of another tempo without a green line on them."""
    usual = usual_bpm(view)
    for n, line in enumerate(view.lines):
        if not line.uninherited or abs(line.bpm - usual) <= SAME_BPM:
            continue
        following = view.lines[n + 1] if n + 1 < len(view.lines) else None
        wanted = usual / line.bpm
        if following is None or following.uninherited:
            yield warning(f"A green line of {wanted:.2f} would keep the scroll speed.", line.time)
        elif following.time != line.time and abs(following.scroll_speed - wanted) <= SAME_MULTIPLIER:
            yield problem(
                "The green line that keeps the scroll speed is not on the red line.", following.time
            )
