"""Spinners long enough to be spun, with time to recover behind them.

One that is too short grows into the free time around it; where there is none it becomes a circle.
"""

from __future__ import annotations

from mapperatorinator.beatmap import CATCH, OSU, Beatmap
from mapperatorinator.checks import Level
from mapperatorinator.checks.catch import (
    SPINNER_AFTER,
    SPINNER_AFTER_HARDER,
    SPINNER_BEFORE,
    SPINNER_BEFORE_HARDER,
)
from mapperatorinator.checks.osu import NINJA_WARNING
from mapperatorinator.checks.spread import BEAT_240, RECOVERY_BEATS, SPINNER_BEATS, SPINNER_MARGIN
from mapperatorinator.events import EventKind
from mapperatorinator.finishing.notes import Note, Notes, notes_of
from mapperatorinator.finishing.ticks import Ticks

RECOVERY_MS = 150.0  # before every spinner, and behind it in the levels without a rule
ROUNDING_MS = 2.0


def fit_spinners(bm: Beatmap, level: Level) -> Beatmap:
    """Return an osu! or catch map whose spinners suit `level`; other modes as they are."""
    if bm.mode not in (OSU, CATCH):
        return bm
    apart = notes_of(bm)
    if not apart.reds:
        return bm
    ticks = Ticks(apart.reds)
    notes = list(apart.notes)
    for i, note in enumerate(notes):
        if note.kind is EventKind.SPINNER:
            earliest = notes[i - 1].end if i else 0
            latest = notes[i + 1].start if i + 1 < len(notes) else float("inf")
            notes[i] = _fitted(note, earliest, latest, _needs(bm, level), ticks)
    return bm if notes == apart.notes else Notes(notes, apart.lines, apart.base).beatmap()


def _needs(bm: Beatmap, level: Level) -> tuple[float, float, float]:
    """Room before, least length and room after a spinner, in ms."""
    if bm.mode == CATCH:
        before = SPINNER_BEFORE.get(level, SPINNER_BEFORE_HARDER)
        after = SPINNER_AFTER.get(level, SPINNER_AFTER_HARDER)
        return before + ROUNDING_MS, 0.0, after + ROUNDING_MS
    middle, below, above = NINJA_WARNING
    od = bm.overall_difficulty
    shortest = middle + (od - 5) * (below if od < 5 else above)
    beat = BEAT_240 * SPINNER_MARGIN
    longest = max(shortest, SPINNER_BEATS.get(level, 0.0) * beat)
    recovery = max(RECOVERY_MS, RECOVERY_BEATS.get(level, 0.0) * beat)
    return RECOVERY_MS, longest + ROUNDING_MS, recovery + ROUNDING_MS


def _fitted(
    note: Note, earliest: float, latest: float, needs: tuple[float, float, float], ticks: Ticks
) -> Note:
    before, shortest, after = needs
    start, end = note.start, note.end
    if end > latest - after:
        end = ticks.before(latest - after, 4)
    if start < earliest + before:
        start = _tick_from(earliest + before, ticks)
    if end - start < shortest:
        end = min(_tick_from(start + shortest, ticks), ticks.before(min(latest - after, 1e9), 4))
    if end - start < shortest:
        start = max(ticks.before(end - shortest, 4), _tick_from(earliest + before, ticks))
    if end - start < max(shortest, 1):
        return note.circle()
    return note if (start, end) == (note.start, note.end) else note.timed(start, end)


def _tick_from(time: float, ticks: Ticks) -> int:
    """The first quarter-beat tick at or after `time`."""
    tick = ticks.before(time, 4)
    return tick if tick >= time else ticks.before(tick + ticks.beat(tick) / 4 + 2, 4)
