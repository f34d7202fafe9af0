"""Settings and red lines as the game allows them; the ground the other repairs stand on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from mapperatorinator.beatmap import CATCH, MANIA, OSU, TAIKO, Beatmap, Colour, TimingPoint
from mapperatorinator.checks.lines import ALIGNED, MAX_VOLUME, MIN_VOLUME, OMIT_BARLINE, SAME_BEAT
from mapperatorinator.checks.settings import FRACTIONAL_TICK_RATES, MULTIPLIER_LIMITS, TICK_RATE_LIMITS
from mapperatorinator.checks.taiko import EPSILON
from mapperatorinator.finishing.notes import Note, Notes, notes_of

DEFAULT_BEAT_MS = 500.0
LATEST_STABLE_VERSION = 14
COLOURS = [
    Colour(255, 192, 0),
    Colour(0, 202, 0),
    Colour(18, 124, 255),
    Colour(242, 24, 57),
]  # the game's own


def legal_settings(bm: Beatmap) -> Beatmap:
    """Return `bm` with difficulty settings in range and of one decimal, a legal tick rate, and combo
    colours."""
    rates = [float(rate) for rate in range(1, int(TICK_RATE_LIMITS[1]) + 1)] + list(FRACTIONAL_TICK_RATES)
    return replace(
        bm,
        version=LATEST_STABLE_VERSION,
        hp_drain_rate=_one_decimal(bm.hp_drain_rate),
        circle_size=float(bm.keys) if bm.mode == MANIA else _one_decimal(bm.circle_size),
        overall_difficulty=_one_decimal(bm.overall_difficulty),
        approach_rate=_one_decimal(bm.approach_rate),
        slider_multiplier=min(max(bm.slider_multiplier, MULTIPLIER_LIMITS[0]), MULTIPLIER_LIMITS[1]),
        slider_tick_rate=min(rates, key=lambda rate: abs(rate - bm.slider_tick_rate)),
        combo_colours=list(COLOURS)
        if bm.mode in (OSU, CATCH) and len(bm.combo_colours) < 2
        else bm.combo_colours,
    )


def legal_lines(bm: Beatmap) -> Beatmap:
    """Return `bm` with usable red lines only, and objects in order of time under the fewest green lines.

    Red lines that continue the one before are left out, volumes are 5 to 100 %, kiai is off at the first
    line.
    """
    bm = replace(bm, timing_points=[line for line in bm.timing_points if _is_number(line)])
    reds = _usable(bm.red_lines()) or [TimingPoint(0.0, DEFAULT_BEAT_MS)]
    apart = notes_of(bm)
    notes = [_audible(note) for note in apart.notes]
    rebuilt = Notes(notes, apart.lines, replace(bm, timing_points=reds)).beatmap()
    lines = [
        replace(line, volume=min(max(line.volume, MIN_VOLUME), MAX_VOLUME)) for line in rebuilt.timing_points
    ]
    return replace(rebuilt, timing_points=_without_close_barlines(lines) if bm.mode == TAIKO else lines)


def _one_decimal(value: float) -> float:
    return round(min(max(value, 0.0), 10.0), 1) if math.isfinite(value) else 5.0


def _audible(note: Note) -> Note:
    events = tuple(
        replace(
            event,
            hitsounds=tuple(
                sound._replace(volume=min(max(sound.volume, MIN_VOLUME), MAX_VOLUME))
                for sound in event.hitsounds
            ),
        )
        if event.hitsounds
        else event
        for event in note.events
    )
    return Note(events)


def _is_number(line: TimingPoint) -> bool:
    """Whether a line's time and beat length are numbers, of a red line positive ones."""
    if not (math.isfinite(line.time) and math.isfinite(line.beat_length)):
        return False
    return line.beat_length > 0 or not line.uninherited


def _usable(reds: Sequence[TimingPoint]) -> list[TimingPoint]:
    """Red lines with numbers the game accepts, one per time, without those that only continue another."""
    kept: list[TimingPoint] = []
    for red in sorted(reds, key=lambda line: line.time):
        red = replace(red, beat_length=red.ms_per_beat, meter=max(red.meter, 1))
        if not kept or (red.time > kept[-1].time and not _continues(red, kept[-1])):
            kept.append(red)
    return kept


def _without_close_barlines(lines: Sequence[TimingPoint]) -> list[TimingPoint]:
    """Omit the bar lines of red lines that begin within half a measure behind another bar line."""
    result: list[TimingPoint] = []
    before: TimingPoint | None = None
    for line in lines:
        if line.uninherited:
            if before is not None and _crowds(line, before):
                line = replace(line, effects=line.effects | OMIT_BARLINE)
            before = line
        result.append(line)
    return result


def _crowds(red: TimingPoint, before: TimingPoint) -> bool:
    measure = before.ms_per_beat * before.meter
    length = red.time - before.time
    rest = length % measure
    hidden = bool(before.effects & OMIT_BARLINE) and length <= measure
    return EPSILON <= rest <= measure / 2 and measure - rest >= EPSILON and not hidden


def _continues(red: TimingPoint, before: TimingPoint) -> bool:
    """Whether `red` leaves tempo, meter, downbeats and bar lines as they were."""
    if (red.effects | before.effects) & OMIT_BARLINE or red.meter != before.meter:
        return False
    measure = before.ms_per_beat * before.meter
    phase = (red.time - before.time) % measure
    return (
        math.isclose(red.ms_per_beat, before.ms_per_beat, rel_tol=SAME_BEAT)
        and min(phase, measure - phase) <= ALIGNED
    )
