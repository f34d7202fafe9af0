"""Pictures of maps, to look at: every mode in its own way, over the beat grid and the music's onsets.

`render(beatmap, start, seconds, audio)` gives a Canvas to save; `python -m bench.picture` is the command.
Needs Pillow, which only developers have.
"""

from __future__ import annotations

from dataclasses import replace

from mapperatorinator.audio import Audio
from mapperatorinator.beatmap import MANIA, OSU, TAIKO, Beatmap, star_rating
from mapperatorinator.evaluation.corpus import MODES
from mapperatorinator.evaluation.picture import columns, drums, playfield
from mapperatorinator.evaluation.picture.canvas import FAINT, SNAP_COLOURS, TEXT, Canvas
from mapperatorinator.evaluation.picture.timeline import Moments, clock, moments

PAD, HEADER = 20, 58

__all__ = ["Canvas", "render"]


def render(beatmap: Beatmap, start: float = 0.0, seconds: float = 24.0, audio: Audio | None = None) -> Canvas:
    """Draw the `seconds` of a map from `start` (seconds); with `audio` the onset strength is drawn too."""
    when = moments(beatmap, start, seconds, audio)
    painter = {OSU: playfield, TAIKO: drums}.get(beatmap.mode, columns)
    spans = when.cuts(painter.SECONDS)
    when, pieces = replace(when, end=spans[-1][1]), len(spans)
    size = columns.size_of(beatmap, pieces) if painter is columns else painter.size_of(pieces)
    canvas = Canvas(max(size[0], 900) + 2 * PAD, size[1] + HEADER + 2 * PAD)
    _header(canvas, beatmap, when)
    painter.draw(canvas, beatmap, when, PAD, PAD + HEADER)
    return canvas


def _header(canvas: Canvas, beatmap: Beatmap, when: Moments) -> None:
    canvas.text(PAD, PAD - 4, f"{beatmap.artist} - {beatmap.title} [{beatmap.difficulty_name}]", 19, TEXT)
    bpm = when.timing.point_at(when.start).bpm
    size = f"CS {beatmap.circle_size:g}  AR {beatmap.approach_rate:g}"
    size = f"{beatmap.keys}K" if beatmap.mode == MANIA else size
    shown = sum(when.start <= o.time < when.end for o in beatmap.hit_objects)
    facts = (
        f"{MODES[beatmap.mode]}   {star_rating(beatmap):.2f} stars   {bpm:.5g} BPM   {size}  "
        f"OD {beatmap.overall_difficulty:g}  HP {beatmap.hp_drain_rate:g}   by {beatmap.creator}   "
        f"{clock(when.start)} to {clock(when.end)}   {shown} of {len(beatmap.hit_objects)} objects"
    )
    canvas.text(PAD, PAD + 22, facts, 12, FAINT)
    x = canvas.width - PAD
    for snap in reversed(SNAP_COLOURS):
        x -= 44
        canvas.disc(x, PAD + 6, 4, fill=SNAP_COLOURS[snap])
        canvas.text(x + 8, PAD + 6, f"1/{snap}", 11, FAINT, "lm")
