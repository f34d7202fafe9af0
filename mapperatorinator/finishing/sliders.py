"""Slider paths that can be drawn as long as they last.

The length of a slider follows from its time and velocity; the drawn path may be shorter. Then the path grows,
or, where it would grow by half or more, the velocity sinks. A path that is no path becomes a straight line.
In easy maps a short slider does not turn twice.
"""

from __future__ import annotations

import math
from dataclasses import replace

from mapperatorinator.beatmap import CATCH, OSU, Beatmap, PathPoint, Slider, SliderPath
from mapperatorinator.checks import Level
from mapperatorinator.checks.spread import BEAT_180, REVERSE_BEATS
from mapperatorinator.events.event import FIELD_HEIGHT, FIELD_WIDTH
from mapperatorinator.finishing.notes import Note, Notes, notes_of

FREE_EXTENSION_PX = 3.0  # the game draws the last chord this much longer unseen (control points are whole px)
FREE_EXTENSION = 0.02
SPARE_PX = 1.0  # rounding to whole pixels must not undo a repair
MOST_GROWTH = 1.5
VELOCITY_STEP = 0.05
LEAST_VELOCITY = 0.1
SHORTEST_PATH_PX = 1.0
FARTHEST_PX = 2048.0  # a control point beyond this is damage


def fit_paths(bm: Beatmap) -> Beatmap:
    """Return an osu! or catch map whose sliders have paths as long as their lengths."""
    if bm.mode not in (OSU, CATCH):
        return bm
    bm = replace(bm, hit_objects=[_drawable(o) if isinstance(o, Slider) else o for o in bm.hit_objects])
    return _grown(_slowed(bm))


def calm_reverses(bm: Beatmap, level: Level) -> Beatmap:
    """Return an osu! map in which no short slider turns more than once where `level` forbids it."""
    if bm.mode != OSU or level not in REVERSE_BEATS:
        return bm
    apart = notes_of(bm)
    shortest = BEAT_180 * REVERSE_BEATS[level]
    notes = [
        _with_slides(note, 1) if note.slides > 2 and note.end - note.start < shortest else note
        for note in apart.notes
    ]
    return bm if notes == apart.notes else Notes(notes, apart.lines, bm).beatmap()


def _with_slides(note: Note, slides: int) -> Note:
    """The same path in the same time with fewer spans, so slower."""
    velocity = (note.events[0].scroll_speed or 1.0) * slides / note.slides
    return note.timed(note.start, note.end, slides).with_velocity(max(velocity, LEAST_VELOCITY))


def scaled(path: SliderPath, factor: float) -> SliderPath:
    """Return the path made `factor` times as long, its head where it is."""
    head = path.points[0]
    return SliderPath(
        tuple(
            PathPoint(head.x + (p.x - head.x) * factor, head.y + (p.y - head.y) * factor, p.type)
            for p in path.points
        )
    )


def with_velocities(bm: Beatmap, velocities: dict[int, float]) -> Beatmap:
    """Return the map with other velocities for some hit objects (by index); lengths and lines follow.

    The objects of `bm` must be in order of time.
    """
    if not velocities:
        return bm
    apart = notes_of(bm)
    notes = [
        note.with_velocity(velocities[i]) if i in velocities else note for i, note in enumerate(apart.notes)
    ]
    return Notes(notes, apart.lines, bm).beatmap()


def _drawable(slider: Slider) -> Slider:
    """The slider, its path a straight line towards the middle if there was none."""
    points = slider.path.points
    sane = all(math.isfinite(v) and abs(v) <= FARTHEST_PX for p in points for v in p[:2])
    if len(points) >= 2 and sane and slider.path.natural_length() >= SHORTEST_PATH_PX:
        return slider
    dx, dy = FIELD_WIDTH / 2 - slider.x, FIELD_HEIGHT / 2 - slider.y
    far = math.hypot(dx, dy)
    if far < 1:
        dx, dy, far = 1.0, 0.0, 1.0
    reach = slider.length / far
    path = SliderPath.of("L", [(slider.x, slider.y), (slider.x + dx * reach, slider.y + dy * reach)])
    return replace(slider, path=path)


def _slowed(bm: Beatmap) -> Beatmap:
    """Slow down the sliders whose paths are far too short."""
    slower: dict[int, float] = {}
    for i, obj in enumerate(bm.hit_objects):
        if isinstance(obj, Slider) and obj.length > MOST_GROWTH * obj.path.natural_length():
            fitting = bm.velocity_at(obj.time) * obj.path.natural_length() / obj.length
            slower[i] = max(math.floor(fitting / VELOCITY_STEP) * VELOCITY_STEP, LEAST_VELOCITY)
    return with_velocities(bm, slower)


def _grown(bm: Beatmap) -> Beatmap:
    objects = []
    for obj in bm.hit_objects:
        if isinstance(obj, Slider):
            natural = obj.path.natural_length()
            missing = obj.length - natural
            if missing > max(FREE_EXTENSION_PX, FREE_EXTENSION * natural):
                obj = replace(obj, path=scaled(obj.path, (obj.length + SPARE_PX) / natural))
        objects.append(obj)
    return replace(bm, hit_objects=objects)
