"""What the grid mapper thinks of a finished map: its rhythm, what lies off the grid, and its places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mapperatorinator.beatmap import Beatmap
from mapperatorinator.events import Event, EventKind, events_to_beatmap
from mapperatorinator.mapper import Surprisal
from mapperatorinator.mapper.grid.canvas import Canvas
from mapperatorinator.mapper.grid.columns import score_columns
from mapperatorinator.mapper.grid.draft import Conditions, Draft, DraftKind
from mapperatorinator.mapper.grid.judge import judge
from mapperatorinator.mapper.grid.network import GridModel, Heard
from mapperatorinator.mapper.grid.placing import placing_model
from mapperatorinator.mapper.grid.reading import read_chords, read_drafts
from mapperatorinator.mapper.grid.surprise import surprisals
from mapperatorinator.mapper.grid.ticks import TickGrid
from mapperatorinator.timing import Timing

_STARTS = frozenset(
    {EventKind.CIRCLE, EventKind.SLIDER_HEAD, EventKind.SPINNER, EventKind.HOLD_NOTE, EventKind.DRUMROLL, EventKind.DENDEN}
)  # fmt: skip
_NEARBY_MS = 4000.0
# What is known of objects off the grid before the map is seen: 0.3 of 40, about the share in the corpus.
_PRIOR_OFF, _PRIOR_ALL = 0.3, 40.0
_REST_MS = 8000.0  # a longer gap is no playing time
# A place is judged by its own surprise and by what it does to those after it: a displaced object spoils two steps.
_AFTERMATH = (1.0, 0.5, 0.25)


def opinion(
    model: GridModel, heard: Heard, events: Sequence[Event], timing: Timing, conditions: Conditions
) -> list[Surprisal]:
    """Return how surprising everything of a map is, in order of time.

    Aspects: those of `surprise.surprisals`; "snap" (an object off the grid of twelfths); "place" and "shape" of
    osu! and catch objects; "columns" of mania chords.
    """
    canvas = Canvas.of(events, conditions.mode, heard.grid)
    conditions = _measured(canvas, conditions)
    found = [*surprisals(model, heard, canvas, conditions), *_strays(events, heard.grid)]
    if conditions.mode != 1:
        base = Beatmap(mode=conditions.mode, slider_multiplier=conditions.slider_multiplier or 1.4)
        base.circle_size = float(conditions.keys or 4) if conditions.mode == 3 else conditions.circle_size or 4.0
        beatmap = events_to_beatmap(events, base, list(timing.points))
        found += _columns(beatmap, conditions) if conditions.mode == 3 else _places(beatmap, conditions)
    return sorted(found, key=lambda one: one.time)


def _measured(canvas: Canvas, conditions: Conditions) -> Conditions:
    """The conditions with what can be read off the map: its density, whether it has hitsounds, its share of holds."""
    starts = canvas.starts()
    gaps = np.diff(canvas.grid.times[starts])
    seconds = max(float(gaps[gaps < _REST_MS].sum()) / 1000, 1.0)
    holds, notes = canvas.columns["holds"][starts], canvas.columns["kind"][starts]
    mania = conditions.mode == 3
    return replace(
        conditions,
        density=float(starts.sum()) / seconds,
        hitsounded=bool((canvas.columns["sound"] > 0).any()),
        hold_ratio=float(np.maximum(holds, 0).sum() / max(notes.sum(), 1)) if mania else None,
    )


def _strays(events: Sequence[Event], grid: TickGrid) -> list[Surprisal]:
    """Objects off the grid, the more surprising the fewer there are around them."""
    times = np.unique([event.time for event in events if event.kind in _STARTS]).astype(float)
    if not len(times):
        return []
    rows = grid.nearest(times)
    off = ~grid.on_grid(times, rows)
    found = []
    for time, row in zip(times[off], rows[off], strict=True):
        near = np.abs(times - time) < _NEARBY_MS
        share = (float(off[near].sum()) - 1 + _PRIOR_OFF) / (float(near.sum()) + _PRIOR_ALL)
        tick = float(grid.times[row])
        found.append(
            Surprisal(float(time), "snap", -float(np.log2(share)), f"{time - tick:+.0f} ms off the beat grid",
                      "a tick", 1.0 - share, tick)
        )  # fmt: skip
    return found


def _places(beatmap: Beatmap, conditions: Conditions) -> list[Surprisal]:
    drafts = sorted(read_drafts(beatmap), key=lambda draft: draft.time)
    verdict = judge(drafts, conditions, placing_model(conditions.adapter))
    padded = np.append(verdict.heads, np.zeros(len(_AFTERMATH)))
    later = np.lib.stride_tricks.sliding_window_view(padded, len(_AFTERMATH))
    bits = later[: len(drafts)] @ np.array(_AFTERMATH)
    found = []
    for i, draft in enumerate(drafts):
        if draft.kind == DraftKind.SPINNER:
            continue
        words, likelihood = verdict.expected_heads[i]
        found.append(Surprisal(draft.time, "place", float(bits[i]), _step(drafts, i), words, likelihood))
        if draft.kind == DraftKind.SLIDER:
            words, likelihood = verdict.expected_bodies[i]
            found.append(Surprisal(draft.time, "shape", float(verdict.bodies[i]), "this slider", words, likelihood))
    return found


def _step(drafts: Sequence[Draft], i: int) -> str:
    (x, y), before = drafts[i].points[0], drafts[i - 1].points[0] if i else None
    step = "" if before is None else f", {np.hypot(x - before[0], y - before[1]):.0f} px from the object before"
    return f"the place {x:.0f},{y:.0f}{step}"


def _columns(beatmap: Beatmap, conditions: Conditions) -> list[Surprisal]:
    chords = read_chords(beatmap)
    bits = score_columns(chords, conditions)
    return [
        Surprisal(chord.time, "columns", one, f"column {', '.join(str(c + 1) for c in chord.columns)}",
                  "other columns", 1.0 - float(2.0**-one))
        for chord, one in zip(chords, bits, strict=True) if chord.starts
    ]  # fmt: skip
