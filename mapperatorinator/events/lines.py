"""The fewest timing lines under which every object sounds and moves as its events say.

Events know nothing of lines; they wish: a velocity at a time, a volume and sample set at a time, kiai on or
off. One pass over the wishes in order of time writes a green line only where something has to change, merges
what changes at one time into one line, and lets red lines carry what they can.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from mapperatorinator.beatmap import TimingPoint
from mapperatorinator.beatmap.timing import KIAI
from mapperatorinator.events.event import Hitsound

LEAST_RUN = 4  # so many moments in a row must agree before a line changes for what an object can say itself
MERGE_MS = 2.0  # a change this close behind a red line belongs to it
SAME_VELOCITY = 1e-9


@dataclass
class Wishes:
    """What the events ask of the lines: (time in ms, value) each, in any order."""

    velocities: list[tuple[float, float]] = field(default_factory=list)
    sounds: list[tuple[float, Hitsound]] = field(default_factory=list)
    kiai: list[tuple[float, bool]] = field(default_factory=list)


@dataclass
class _State:
    velocity: float
    volume: int
    sample_set: int
    kiai: bool


def build_lines(reds: Sequence[TimingPoint], wishes: Wishes, objects_have_volume: bool) -> list[TimingPoint]:
    """Return the red lines, their sound and kiai filled in, and the green lines that `wishes` need.

    `reds` must be in order of time, none twice; a wish before the first is heard from the first on.
    `objects_have_volume` (mania) keeps lines from following volumes that only a few notes have.
    """
    if not reds:
        return []
    changes = _changes(reds, wishes, objects_have_volume)
    first = reds[0]
    start = {**{"volume": first.volume, "sample_set": first.sample_set}, **_first_values(changes)}
    state = _State(1.0, start["volume"], start["sample_set"], False)
    red_at = {red.time: red for red in reds}
    lines: list[TimingPoint] = []
    for time in sorted({*changes, *red_at}):
        before = replace(state)
        _apply(state, changes.get(time, {}))
        red = red_at.get(time)
        if red is not None:
            kiai = state.kiai and red is not first
            lines.append(_red(red, state, kiai))
            before = _State(1.0, state.volume, state.sample_set, kiai)
            if "velocity" not in changes.get(time, {}):
                state.velocity = 1.0
        if state != before:
            lines.append(_green(time, state, lines[-1].meter))
    return lines


Change = dict[str, float | int | bool]


def _changes(reds: Sequence[TimingPoint], wishes: Wishes, objects_have_volume: bool) -> dict[float, Change]:
    times = [red.time for red in reds]

    def place(time: float) -> float:
        red = times[max(0, bisect_right(times, time) - 1)]
        return red if time - red < MERGE_MS else time

    changes: dict[float, Change] = {}
    for time, on in sorted(wishes.kiai, key=lambda wish: wish[0]):
        changes.setdefault(place(time), {})["kiai"] = on
    moments = _moments(wishes.sounds)
    volumes = [(time, sound.volume) for time, sound in moments]
    sets = [(time, sound.normal_set) for time, sound in moments]
    for time, value in _runs(volumes, LEAST_RUN if objects_have_volume else 1):
        changes.setdefault(place(time), {})["volume"] = value
    for time, value in _runs(sets, LEAST_RUN):
        changes.setdefault(place(time), {})["sample_set"] = value
    for time, velocity in _velocities(sorted(wishes.velocities), times):
        changes.setdefault(place(time), {})["velocity"] = velocity
    return changes


def _moments(sounds: Sequence[tuple[float, Hitsound]]) -> list[tuple[float, Hitsound]]:
    """One sound per time: the most frequent."""
    ordered = sorted(sounds, key=lambda wish: wish[0])
    return [
        (time, Counter(sound._replace(sound=0) for _, sound in group).most_common(1)[0][0])
        for time, group in groupby(ordered, key=lambda wish: wish[0])
    ]


def _runs(values: Sequence[tuple[float, int]], least: int) -> list[tuple[float, int]]:
    """(time, value) where a run of at least `least` equal values begins; the first is the most usual one
    else."""
    runs = [list(group) for _, group in groupby(values, key=lambda item: item[1])]
    kept = [run[0] for run in runs if len(run) >= least]
    if kept:
        kept[0] = (values[0][0], kept[0][1])
    elif values:
        kept = [(values[0][0], Counter(value for _, value in values).most_common(1)[0][0])]
    return kept


def _velocities(
    wishes: Sequence[tuple[float, float]], red_times: Sequence[float]
) -> list[tuple[float, float]]:
    """The wishes, plus one at each red line over which a velocity goes on (the red line resets it)."""
    result: list[tuple[float, float]] = []
    for i, (time, velocity) in enumerate(wishes):
        if i and velocity == wishes[i - 1][1]:
            between = red_times[bisect_right(red_times, wishes[i - 1][0]) : bisect_right(red_times, time)]
            result += [(red, velocity) for red in between[-1:]]
        result.append((time, velocity))
    return result


def _first_values(changes: dict[float, Change]) -> dict[str, int]:
    first: dict[str, int] = {}
    for time in sorted(changes):
        for name in ("volume", "sample_set"):
            if name in changes[time]:
                first.setdefault(name, int(changes[time][name]))
    return first


def _apply(state: _State, change: Change) -> None:
    for name, value in change.items():
        if name != "velocity" or abs(value - state.velocity) > SAME_VELOCITY:
            setattr(state, name, value)


def _red(red: TimingPoint, state: _State, kiai: bool) -> TimingPoint:
    effects = red.effects & ~KIAI | (KIAI if kiai else 0)
    return replace(red, sample_set=state.sample_set, volume=state.volume, sample_index=0, effects=effects)


def _green(time: float, state: _State, meter: int) -> TimingPoint:
    return TimingPoint(
        time,
        round(-100.0 / state.velocity, 12),
        meter,
        sample_set=state.sample_set,
        volume=state.volume,
        uninherited=False,
        effects=KIAI if state.kiai else 0,
    )
