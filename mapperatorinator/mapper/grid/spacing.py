"""What a mapper sees before placing the next point: where the cursor came from, and places it might return to.

Mappers repeat: the distance of the last step, the turn of the last corner, an exact earlier position, the
direction of the last slider. So the network does not draw coordinates but chooses among such *references*, or a
bin of a histogram where none fits. This module computes them, many rows at once, the same way for training
(every object of a map is a row) and for drawing (every candidate map is a row).

A *track* is the path of the cursor: heads of circles, heads and ends of sliders. Angles are radians with y down.
Lengths that the network sees are divided by `scale`, so that a map can be drawn with wider or closer spacing
while the network believes it to be an ordinary one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FIELD = np.array([512.0, 384.0])
TRACK = 14  # points of the track that are remembered
STEPS = 6  # steps of it that are described to the network
SLIDERS = 4  # earlier sliders that are remembered
BINS = 72  # of a whole turn
BIN = 2 * np.pi / BINS
DISTANCE_EDGES = np.concatenate(([0.0], np.geomspace(3.0, 640.0, 40)))  # px at scale 1
DISTANCES = len(DISTANCE_EDGES) - 1
_STILL = 2.0  # px; shorter steps have no direction
_SAME_RHYTHM = 0.06  # relative difference of two intervals that count as equal
_CORNERS = np.deg2rad([60, 72, 90, 120, 144])
_FAR = 1e4


@dataclass
class Memory:
    """The last points and sliders of each row, newest last; invalid entries lie before the map's start.

    points : (n, TRACK, 2) px. times : (n, TRACK) ms of arrival. inside : (n, TRACK), the step to the point ran
    along a slider. valid : (n, TRACK). headings : (n, SLIDERS) radians. lengths : (n, SLIDERS) px, 0 if there was
    none. outline : (n, 8, 2), the newest slider's body in its own frame.
    """

    points: Floats
    times: Floats
    inside: Bools
    valid: Bools
    headings: Floats
    lengths: Floats
    outline: Floats

    @classmethod
    def empty(cls, rows: int) -> Memory:
        """Nothing has been placed: the cursor rests in the middle of the playfield."""
        return cls(
            np.tile(FIELD / 2, (rows, TRACK, 1)),
            np.zeros((rows, TRACK)),
            np.zeros((rows, TRACK), bool),
            np.zeros((rows, TRACK), bool),
            np.zeros((rows, SLIDERS)),
            np.zeros((rows, SLIDERS)),
            np.zeros((rows, 8, 2)),
        )

    def visit(self, points: Floats, time: float, inside: bool) -> None:
        """The cursor arrives at `points` (n, 2) at `time` ms."""
        for array, value in (
            (self.points, points), (self.times, time), (self.inside, inside), (self.valid, True),
        ):
            array[:, :-1] = array[:, 1:]
            array[:, -1] = value

    def follow(self, headings: Floats, length: float, outline: Floats) -> None:
        """A slider has been placed: its headings (n,), length in px and outlines (n, 8, 2)."""
        for array, value in ((self.headings, headings), (self.lengths, length)):
            array[:, :-1] = array[:, 1:]
            array[:, -1] = value
        self.outline[:] = outline


@dataclass
class View:
    """The references of each row for its next head, and what the network is told of them.

    here : (n, 2) the cursor. ahead : (n,) direction of the last real step. turns : (n, 3) its last corners.
    distances : (n, 10) px that earlier steps suggest, 0 where there is none. targets : (n, 27, 2) places that
    earlier places suggest, off the field where there is none. features : (n, VIEW).
    """

    here: Floats
    ahead: Floats
    turns: Floats
    distances: Floats
    targets: Floats
    features: Floats


def wrap(angle: Floats) -> Floats:
    """The same angles within [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def look(memory: Memory, time: Floats, scale: Floats) -> View:
    """Describe each row's surroundings for a head at `time` (n,) ms; `scale` (n,) as above."""
    here = memory.points[:, -1]
    steps = (memory.points[:, 1:] - memory.points[:, :-1])[:, ::-1]  # newest first from here on
    known = (memory.valid[:, 1:] & memory.valid[:, :-1])[:, ::-1]
    inside = memory.inside[:, :0:-1]
    length = np.hypot(steps[..., 0], steps[..., 1])
    took = np.maximum((memory.times[:, 1:] - memory.times[:, :-1])[:, ::-1], 5.0)
    gap = np.maximum(time - memory.times[:, -1], 5.0)

    directions = np.arctan2(steps[..., 1], steps[..., 0])
    moving = known & (length > _STILL)
    order = np.argsort(~moving, axis=1, kind="stable")[:, :4]
    last = np.take_along_axis(directions, order, 1)
    real = np.take_along_axis(moving, order, 1)
    ahead = np.where(real[:, 0], last[:, 0], 0.0)
    turns = np.where(real[:, 1:], wrap(last[:, :-1] - last[:, 1:]), 0.0)

    unit = np.where(inside, 1.0, scale[:, None])  # bodies keep their length, so they are no measure of spacing
    distances = _suggested_distances(length * scale[:, None] / unit, took, known, inside, gap)
    targets = _suggested_targets(memory, here, steps, known)
    features = _features(memory, here, ahead, turns, steps / unit[..., None], took, known, inside, gap, distances, scale)
    return View(here, ahead, turns, distances, targets, features)


def _suggested_distances(length: Floats, took: Floats, known: Bools, inside: Bools, gap: Floats) -> Floats:
    """Same speed as one of four steps, same distance as one of them, same as the last two of equal rhythm."""
    four = np.s_[:, :4]
    same_speed = length[four] / took[four] * gap[:, None]
    same_rhythm = known & ~inside & (np.abs(took - gap[:, None]) < _SAME_RHYTHM * gap[:, None] + 2)
    order = np.argsort(~same_rhythm, axis=1, kind="stable")[:, :2]
    found = np.take_along_axis(same_rhythm, order, 1)
    rhythm = np.where(found, np.take_along_axis(length, order, 1), 0.0)
    both = np.concatenate((same_speed, length[four]), axis=1) * np.tile(known[four], 2)
    return np.concatenate((both, rhythm), axis=1)


def _suggested_targets(memory: Memory, here: Floats, steps: Floats, known: Bools) -> Floats:
    """The last twelve points, the last six steps made once more, the last three points mirrored."""
    earlier = np.where(memory.valid[:, :-13:-1, None], memory.points[:, :-13:-1], -_FAR)
    again = np.where(known[:, :STEPS, None], here[:, None] + steps[:, :STEPS], -_FAR)
    three, seen = memory.points[:, :-4:-1], memory.valid[:, :-4:-1, None]
    mirrored = [np.where(seen, three * flip + FIELD * (1 - np.array(flip)) / 2, -_FAR)
                for flip in ((-1, 1), (1, -1), (-1, -1))]
    targets = np.concatenate((earlier, again, *mirrored), axis=1)
    off = ((targets < 0) | (targets > FIELD)).any(axis=-1)
    targets[off] = -_FAR
    return targets


TARGETS = 12 + STEPS + 9
SUGGESTED = 10


def _features(
    memory: Memory, here: Floats, ahead: Floats, turns: Floats, steps: Floats, took: Floats, known: Bools,
    inside: Bools, gap: Floats, distances: Floats, scale: Floats,
) -> Floats:
    n, j = len(here), np.s_[:, :STEPS]
    mask = known[j].astype(float)
    length = np.hypot(steps[..., 0], steps[..., 1])
    seen = np.stack(
        (
            *_turned(steps[j] / 100, -ahead[:, None]),
            np.log1p(length[j]) / 3,
            np.log((length[j] + 2) / took[j]) / 2,
            np.clip(np.log(gap[:, None] / took[j]), -3, 3),
            inside[j],
        ),
        axis=-1,
    ) * mask[..., None]
    centred = here / FIELD * 2 - 1
    waves = np.concatenate([f(np.pi / 2 * k * centred) for k in (1, 2, 4) for f in (np.sin, np.cos)], axis=1)
    sliders = memory.lengths > 0
    bodies = wrap(memory.headings - ahead[:, None])
    return np.concatenate(
        (
            seen.reshape(n, -1),
            mask,
            np.sin(turns),
            np.cos(turns),
            np.column_stack((np.sin(ahead), np.cos(ahead), np.log(gap) - 5)),
            centred,
            waves,
            room(here, ahead),
            np.log1p(distances[:, -2:] / scale[:, None]) / 3,
            distances[:, -2:] > 0,
            sliders,
            np.where(sliders, np.sin(bodies), 0),
            np.where(sliders, np.cos(bodies), 0),
            np.log1p(memory.lengths) / 3,
            memory.outline[:, 1::2].reshape(n, -1),
        ),
        axis=1,
    )


VIEW = STEPS * 6 + STEPS + 6 + 3 + 2 + 12 + 8 + 4 + SLIDERS * 4 + 8


def _turned(vectors: Floats, angle: Floats) -> tuple[Floats, Floats]:
    cos, sin = np.cos(angle), np.sin(angle)
    return cos * vectors[..., 0] - sin * vectors[..., 1], sin * vectors[..., 0] + cos * vectors[..., 1]


def room(here: Floats, ahead: Floats) -> Floats:
    """Distance to the edge of the field in eight directions from `ahead`, in units of 300 px, shape (n, 8)."""
    angles = ahead[:, None] + np.arange(8) * np.pi / 4
    way = np.stack((np.cos(angles), np.sin(angles)), axis=-1)
    edge = np.where(way > 0, FIELD - here[:, None], here[:, None])
    return np.clip(np.min(edge / np.maximum(np.abs(way), 1e-6), axis=-1) / 300, -0.5, 3.0)


def reach_of_field(here: Floats) -> Floats:
    """Distance from each point to the farthest corner of the field, shape (n,)."""
    return np.hypot(*np.maximum(here, FIELD - here).T)


def turn_references(view: View, headings: Floats, known: Bools) -> Floats:
    """Directions that a step might take, shape (n, TURNS): earlier corners again, axes, polygons, sliders.

    headings : (n, SLIDERS) of earlier sliders; known : which of them there are (others repeat "straight on").
    """
    ahead = view.ahead[:, None]
    corners = np.concatenate((_CORNERS, -_CORNERS))
    relative = np.concatenate(
        (np.zeros_like(ahead), np.pi + np.zeros_like(ahead), view.turns, -view.turns,
         np.broadcast_to(corners, (len(ahead), len(corners)))), axis=1,
    )
    axes = np.broadcast_to(np.arange(4) * np.pi / 2, (len(ahead), 4))
    slider = np.where(known[:, -1:], headings[:, -1:], ahead)
    return wrap(np.concatenate((ahead + relative, axes, slider, slider + np.pi), axis=1))


TURNS = 2 + 6 + 2 * len(_CORNERS) + 4 + 2


def sway_references(before: Floats, headings: Floats, known: Bools) -> Floats:
    """Directions that a slider might take, shape (n, SWAYS): with the movement, axes, parallels and mirrors.

    before : (n,) direction of the step to the slider's head.
    """
    flow = before[:, None] + np.arange(4) * np.pi / 2
    axes = np.broadcast_to(np.arange(4) * np.pi / 2, (len(before), 4))
    seen = np.where(known, headings, before[:, None])
    return wrap(np.concatenate((flow, axes, seen, seen + np.pi, -seen, np.pi - seen), axis=1))


SWAYS = 8 + 4 * SLIDERS


def step_features(view: View, distance: Floats, scale: Floats) -> Floats:
    """What the network is told of a chosen distance (n,) px before it chooses the direction, shape (n, STEP)."""
    u = np.log1p(distance / scale)
    suggested = view.distances[:, [0, 4, 8, 9]]
    ratio = np.where(suggested > 0, np.log1p(distance)[:, None] - np.log1p(suggested), 0.0)
    waves = [f(np.pi / 3.3 * k * u) for k in (1, 2, 4) for f in (np.sin, np.cos)]
    return np.column_stack((u / 3, distance / (200 * scale), *waves, np.clip(ratio, -2, 2)))


STEP = 12


def head_features(view: View, head: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """What it is told of a chosen head (n, 2) before the slider's body, shape (n, HEAD), and the step's direction."""
    step = head - view.here
    distance = np.hypot(step[:, 0], step[:, 1])
    before = np.where(distance > _STILL, np.arctan2(step[:, 1], step[:, 0]), view.ahead)
    turn = before - view.ahead
    centred = head / FIELD * 2 - 1
    features = np.column_stack(
        (*_turned(step / (100 * scale[:, None]), -view.ahead), np.log1p(distance / scale) / 3,
         np.sin(turn), np.cos(turn), np.sin(before), np.cos(before), centred, room(head, before))
    )
    return features, before


HEAD = 9 + 8


def directions(ahead: Floats) -> Floats:
    """Absolute directions of the middles of the bins around `ahead`, shape (n, BINS); bin 0 begins at `ahead` - pi."""
    return ahead[:, None] - np.pi + (np.arange(BINS) + 0.5) * BIN


def fits(points: Floats, slack: float = 0.0) -> Bools:
    """Which points (..., 2) lie on the field."""
    return np.all((points >= -slack) & (points <= FIELD + slack), axis=-1)


def steps_fit(here: Floats, angles: Floats, distance: Floats) -> Bools:
    """Whether a step of `distance` (n,) at each of `angles` (n, k) stays on the field, shape (n, k)."""
    way = np.stack((np.cos(angles), np.sin(angles)), axis=-1)
    return fits(here[:, None] + distance[:, None, None] * way, 0.5)


def bodies_fit(head: Floats, angles: Floats, length: Floats, outline: Floats) -> Bools:
    """Whether bodies (n, 8, 2) with their heading at each of `angles` (n, k) stay on the field, shape (n, k)."""
    cos, sin = np.cos(angles)[..., None], np.sin(angles)[..., None]
    body = outline[:, None] * length[:, None, None, None]
    x, y = body[..., 0], body[..., 1]
    points = np.stack((cos * x - sin * y, sin * x + cos * y), axis=-1)
    return np.all(fits(head[:, None, None] + points, 0.5), axis=-1)
