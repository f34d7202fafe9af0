"""Objects read off a canvas: drafts (osu!, taiko, catch) and chords (mania), still without places."""

from __future__ import annotations

import numpy as np

from mapperatorinator.events import Hitsound
from mapperatorinator.mapper.grid.canvas import UNKNOWN, VOLUME_STEP, Canvas, Drum, Hit, velocity_of
from mapperatorinator.mapper.grid.draft import Chord, Draft, DraftKind
from mapperatorinator.mapper.grid.ticks import TICKS_PER_BEAT

_LOUDEST = 100
_USUAL_VOLUME = 70
LONGEST_HOLD = 6 * TICKS_PER_BEAT  # ticks after which a hold is let go on the next beat
_QUIETEST = 5
_PX_PER_BEAT = 100.0  # at slider velocity 1 and slider multiplier 1
_TAIKO_SOUND = {
    Drum.DON: 0,
    Drum.KAT: 8,
    Drum.BIG_DON: 4,
    Drum.BIG_KAT: 12,
    Drum.ROLL: 0,
    Drum.BIG_ROLL: 4,
    Drum.DENDEN: 0,
}


def hitsound(canvas: Canvas, row: int, hitsounded: bool = True) -> Hitsound:
    """Return what sounds on a row: additions, banks and volume as drawn, sane where nothing was."""
    sound, bank, volume = (int(canvas.columns[name][row]) for name in ("sound", "bank", "volume"))
    bank = 4 if bank == UNKNOWN else bank  # soft, soft
    loud = _USUAL_VOLUME if volume == UNKNOWN else min(max(volume * VOLUME_STEP, _QUIETEST), _LOUDEST)
    bits = 2 * sound if sound != UNKNOWN and hitsounded else 0
    return Hitsound(bits, bank % 3 + 1, bank // 3 + 1, loud)


def drafts(
    canvas: Canvas, first: int, last: int, slider_multiplier: float, hitsounded: bool = True
) -> list[Draft]:
    """Read the objects that start on rows first..last-1 of a legal canvas, in order of time.

    slider_multiplier : 100 px per beat; a slider's length follows from it, its velocity and its ticks.
    """
    read = _read_taiko if canvas.mode == 1 else _read_standard
    rows = first + np.flatnonzero(canvas.starts()[first:last])
    found = [read(canvas, int(row), hitsounded) for row in rows]
    for draft in found:
        span = (draft.end_time - draft.time) / draft.slides
        draft.length = span / draft.beat * _PX_PER_BEAT * slider_multiplier * draft.velocity
    return found


def _read_standard(canvas: Canvas, row: int, hitsounded: bool) -> Draft:
    kinds, grid = canvas.columns["kind"], canvas.grid
    kind = Hit(int(kinds[row]))
    time = float(grid.times[row])
    draft = Draft(
        row + grid.first, time, DraftKind.CIRCLE, time, float(grid.beat_lengths[row]),
        new_combo=canvas.columns["combo"][row] == 1 or kind is Hit.SPINNER,
    )  # fmt: skip
    if kind is Hit.CIRCLE:
        draft.hitsounds = [hitsound(canvas, row, hitsounded)]
        return draft
    end = row + 1
    while kinds[end] not in (Hit.END, Hit.SPUN):
        end += 1
    draft.end_time = float(grid.times[end])
    if kind is Hit.SPINNER:
        draft.kind = DraftKind.SPINNER
        draft.hitsounds = [hitsound(canvas, end, hitsounded)]
        return draft
    draft.kind = DraftKind.SLIDER
    draft.slides = _slides(kinds[row : end + 1])
    draft.velocity = velocity_of(int(max(canvas.columns["velocity"][row], 0)))
    edges = np.linspace(row, end, draft.slides + 1).round().astype(int)
    draft.hitsounds = [hitsound(canvas, int(edge), hitsounded) for edge in edges]
    return draft


def _slides(kinds: np.ndarray) -> int:
    """How often a slider is run through: what its repeats say, made to divide its length evenly."""
    repeats = np.flatnonzero(kinds == Hit.REPEAT)
    total = len(kinds) - 1
    if not len(repeats):
        return 1
    wanted = max(round(total / repeats[0]), 2)
    divisors = [n for n in range(2, total + 1) if total % n == 0]
    return min(divisors, key=lambda n: abs(n - wanted))


def _read_taiko(canvas: Canvas, row: int, hitsounded: bool) -> Draft:
    kinds, grid = canvas.columns["kind"], canvas.grid
    kind = Drum(int(kinds[row]))
    told = hitsound(canvas, row, False)
    time = float(grid.times[row])
    draft = Draft(
        row + grid.first, time, DraftKind.CIRCLE, time, float(grid.beat_lengths[row]),
        velocity=velocity_of(int(canvas.columns["velocity"][row])) if canvas.columns["velocity"][row] >= 0 else 1.0,
        hitsounds=[told._replace(sound=_TAIKO_SOUND[kind])],
    )  # fmt: skip
    if kind >= Drum.ROLL:
        draft.kind = DraftKind.DENDEN if kind is Drum.DENDEN else DraftKind.DRUMROLL
        end = row + 1
        while kinds[end] not in (Drum.ROLLED, Drum.DENDENNED):
            end += 1
        draft.end_time = float(grid.times[end])
    return draft


def chords(canvas: Canvas, first: int, last: int, keys: int, hitsounded: bool = True) -> list[Chord]:
    """Read the mania chords of rows first..last-1, counts made possible for `keys` columns, in order of time."""
    found: list[Chord] = []
    holding: list[int] = []  # rows on which the notes that are still held began
    columns, grid = canvas.columns, canvas.grid
    for row in range(first, last):
        releases = min(max(int(columns["releases"][row]), 0), len(holding))
        if grid.phase[row] == 0:  # nobody drew an end for these
            releases = max(releases, sum(row - start >= LONGEST_HOLD for start in holding))
        holding = holding[releases:]
        held = len(holding)
        # A column that is released on this tick cannot be pressed again on it.
        starts = min(int(columns["kind"][row]), keys - held - releases)
        holds = min(max(int(columns["holds"][row]), 0), max(starts, 0))
        if starts <= 0 and releases == 0:
            continue
        holding += [row] * holds
        found.append(
            Chord(
                row + grid.first,
                float(grid.times[row]),
                float(grid.beat_lengths[row]),
                max(starts, 0),
                holds,
                releases,
                hitsounds=[hitsound(canvas, row, hitsounded)] * max(starts, 0),
            )  # fmt: skip
        )
    return found
