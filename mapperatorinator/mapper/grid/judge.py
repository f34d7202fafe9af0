"""How surprising places are: the placing network follows a placed map and says how likely each object was.

As everything is known, all objects are described at once and the network reads the map in windows side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap.path import SliderPath

from . import densities, spacing
from .decoder import Singles, read
from .draft import Conditions, Draft, DraftKind
from .placing import PlacingModel
from .rhythm_features import Rhythm, beats_of, describe
from .shapes import Alphabet, Shape
from .walk import copies_exist

Floats = NDArray[np.float64]



@dataclass
class Placed:
    """A placed map: heads and far ends (n, 2) px, headings (n,) rad, bodies in their own frame (n, 8, 2)."""

    rhythm: Rhythm
    head: Floats
    tail: Floats
    heading: Floats
    outline: Floats
    shapes: list[Shape | None]

    @classmethod
    def of(cls, drafts: Sequence[Draft], alphabet: Alphabet) -> Placed:
        """Bring placed drafts, in order of time, into arrays."""
        n = len(drafts)
        head = np.clip(np.array([d.points[0] for d in drafts], float).reshape(n, 2), -spacing.FIELD, 2 * spacing.FIELD)
        placed = cls(Rhythm.of(drafts), head, head.copy(), np.zeros(n), np.zeros((n, 8, 2)), [None] * n)
        for i, draft in enumerate(drafts):
            if draft.kind == DraftKind.SLIDER:
                path = SliderPath.of(draft.curve, draft.points)
                placed.shapes[i], placed.outline[i], placed.heading[i] = alphabet.recognise(path, draft.length)
                placed.tail[i] = np.clip(path.position_at(1.0, draft.length), -spacing.FIELD, 2 * spacing.FIELD)
        return placed


@dataclass
class _Track:
    points: Floats
    times: Floats
    inside: NDArray[np.bool_]
    before: NDArray[np.int64]  # number of track points before each object


def _track(rhythm: Rhythm, head: Floats, tail: Floats) -> _Track:
    slider, even = rhythm.kind == 1, rhythm.slides % 2 == 0
    count = np.where(rhythm.kind == 2, 0, 1) + slider + (slider & even)
    before = np.concatenate(([0], np.cumsum(count)))
    total = before[-1]
    track = _Track(np.zeros((total, 2)), np.zeros(total), np.zeros(total, bool), before[:-1])
    span = (rhythm.end - rhythm.time) / np.maximum(rhythm.slides, 1)
    for which, offset, points, times, inside in (
        (rhythm.kind != 2, 0, head, rhythm.time, False),
        (slider, 1, tail, np.where(even, rhythm.end - span, rhythm.end), True),
        (slider & even, 2, head, rhythm.end, True),
    ):
        at = before[:-1][which] + offset
        track.points[at], track.times[at], track.inside[at] = points[which], times[which], inside
    return track


def memories(
    rhythm: Rhythm, head: Floats, tail: Floats, heading: Floats, outline: Floats, start: int = 0
) -> spacing.Memory:
    """What each object from `start` on remembers, one row per object; arrays as in `Placed`."""
    track = _track(rhythm, head, tail)
    n = len(head) - start
    memory = spacing.Memory.empty(n)
    back = track.before[start:, None] - np.arange(spacing.TRACK, 0, -1)
    known = back >= 0
    at = np.maximum(back, 0)
    if len(track.points):
        memory.points[known] = track.points[at][known]
        memory.times[:] = np.where(known, track.times[at], 0.0)
        memory.inside[:] = known & track.inside[at]
    memory.valid[:] = known
    bodies = np.flatnonzero(rhythm.kind == 1)
    seen = np.searchsorted(bodies, np.arange(start, start + n))[:, None] - np.arange(spacing.SLIDERS, 0, -1)
    known = seen >= 0
    if len(bodies):
        at = bodies[np.maximum(seen, 0)]
        memory.headings[:] = np.where(known, heading[at], 0.0)
        memory.lengths[:] = np.where(known, rhythm.length[at], 0.0)
        memory.outline[known[:, -1]] = outline[at[known[:, -1], -1]]
    return memory


class Expected(NamedTuple):
    """What the network would have done instead, in words, and how likely that was."""

    words: str
    likelihood: float


@dataclass
class Verdict:
    """Bits of surprise at each draft's head, and at its body with its direction, (n,); 0 where it has none.

    A head counts as the choice of a pixel (17.6 bits if all were alike), a body as one of the model's alphabet.
    """

    heads: Floats
    bodies: Floats
    expected_heads: list[Expected]
    expected_bodies: list[Expected]


def judge(drafts: Sequence[Draft], conditions: Conditions, model: PlacingModel) -> Verdict:
    """Say how surprising the places of drafts are, which must be in order of time."""
    n = len(drafts)
    nothing = Expected("", 0.0)
    verdict = Verdict(np.zeros(n), np.zeros(n), [nothing] * n, [nothing] * n)
    if not n:
        return verdict
    placed = Placed.of(drafts, model.alphabet)
    memory = memories(placed.rhythm, placed.head, placed.tail, placed.heading, placed.outline)
    view = spacing.look(memory, placed.rhythm.time, np.ones(n))
    state, logits = read(model, describe(placed.rhythm), beats_of(placed.rhythm), view.features, conditions)
    at = np.flatnonzero(placed.rhythm.kind != 2)
    heads = _heads(model, placed, memory, view, state, logits.astype(float))
    verdict.heads[at] = heads[at] / np.log(2)
    verdict.expected_heads = [Expected(*one) for one in densities.likeliest_heads(logits.astype(float), view)]
    at = np.flatnonzero(placed.rhythm.kind == 1)
    if len(at):
        bodies, expected = _bodies(model, placed, memory, view, state, at)
        verdict.bodies[at] = bodies / np.log(2)
        for i, one in zip(at, expected, strict=True):
            verdict.expected_bodies[i] = one
    return verdict


def _heads(
    model: PlacingModel, placed: Placed, memory: spacing.Memory, view: spacing.View, state: Singles, logits: Floats
) -> Floats:
    """Nats of surprise at heads."""
    head, scale = np.clip(placed.head, 0, spacing.FIELD), np.ones(len(placed.head))
    step = head - view.here
    distance = np.hypot(step[:, 0], step[:, 1])
    angle = np.where(distance > 0.5, np.arctan2(step[:, 1], step[:, 0]), view.ahead)
    turn = model.turn(state, spacing.step_features(view, distance, scale))
    references = spacing.turn_references(view, memory.headings, memory.lengths > 0)
    log_turn = densities.angle_log_density(
        turn, angle, view.ahead, references, spacing.steps_fit(view.here, spacing.directions(view.ahead), distance),
        spacing.steps_fit(view.here, references, distance), distance,
    )  # fmt: skip
    return -densities.head_log_density(logits, view, head, log_turn, scale)


def _bodies(
    model: PlacingModel, placed: Placed, memory: spacing.Memory, view: spacing.View, state: Singles,
    at: NDArray[np.intp],
) -> tuple[Floats, list[Expected]]:  # fmt: skip
    """Nats of surprise at the sliders `at`, and the bodies that were expected of them."""
    head, outline, length = np.clip(placed.head, 0, spacing.FIELD), placed.outline[at], placed.rhythm.length[at]
    features, before = spacing.head_features(view, head, np.ones(len(head)))
    features, before, head, state = features[at], before[at], head[at], state[at]
    body, sway = model.body(state, features), model.sway(state, features, outline[:, 1::2].reshape(len(at), -1))
    references = spacing.sway_references(before, memory.headings[at], memory.lengths[at] > 0)
    log_sway = densities.angle_log_density(
        sway, placed.heading[at], before, references,
        spacing.bodies_fit(head, spacing.directions(before), length, outline),
        spacing.bodies_fit(head, references, length, outline), length,
    )  # fmt: skip
    shapes = [shape for shape in placed.shapes if shape is not None]
    mass = [
        _log_mass(model.alphabet, logits, shape, shapes[max(i - spacing.SLIDERS, 0) : i])
        for i, (logits, shape) in enumerate(zip(body, shapes, strict=True))
    ]
    return -log_sway - np.array(mass), [_expected_body(model.alphabet, logits) for logits in body]


def _expected_body(alphabet: Alphabet, logits: Floats) -> Expected:
    """The likeliest family of bodies."""
    weights = np.exp(logits - logits.max())
    first = 1 + 2 * alphabet.arcs
    shares = (weights[0], weights[1:first].sum(), weights[first : len(alphabet)].sum(), weights[len(alphabet) :].sum())
    best = int(np.argmax(shares))
    words = ("a straight slider", "an arc", "a curve", "the shape of an earlier slider")[best]
    return Expected(words, float(shares[best] / weights.sum()))


def _log_mass(alphabet: Alphabet, logits: Floats, shape: Shape, earlier: list[Shape]) -> float:
    """Log probability of a body: drawn afresh (an arc up to `shapes.SAME_BEND`), or copied from an earlier one."""
    codes = len(alphabet)
    options = logits.copy()
    options[codes:] += np.tile(copies_exist(len(earlier)), 2)
    weights = np.exp(options - options.max())
    mass = weights[shape.code] * alphabet.share_of_bin(shape.code)
    for k, other in enumerate(earlier[::-1]):
        for offset, candidate in ((0, other), (spacing.SLIDERS, alphabet.mirrored(other))):
            if alphabet.same(candidate, shape):
                mass += weights[codes + offset + spacing.SLIDERS - 1 - k]
    return float(np.log(max(mass / weights.sum(), 1e-12)))
