"""Places circles and sliders: from drafts with times to drafts with points and curves (osu! and catch).

`place` draws a map object by object with the placing network; `place_many` draws several candidates at once, each
with its own spacing; `score` says how surprising each object of a placed map is. Drafts must be in order of time.
Positions are whole osu! pixels on the 512 x 384 field, y down.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap.path import SliderPath

from . import densities, spacing
from .decoder import Decoder, Singles
from .draft import Conditions, Draft, DraftKind
from .placing import PlacingModel, placing_model
from .rhythm_features import Rhythm, beats_of, describe
from .shapes import Alphabet, Shape

Floats = NDArray[np.float64]

TEMPERATURE = 0.9
_SMALL = 150.0  # px; a body within this of its head fits wherever the head is
_TRIES = 24  # bodies tried before the compact ones


def place(
    drafts: Sequence[Draft],
    conditions: Conditions,
    rng: np.random.Generator,
    scale: float = 1.0,
    temperature: float = TEMPERATURE,
) -> None:
    """Fill `points` and `curve` of every draft that is not fixed, in place.

    scale : multiplies what the network holds for distances between objects, 0.3 to 3.
    temperature : 1 draws as mappers do on average, less draws likelier places.
    """
    chosen = place_many(drafts, conditions, rng, [scale], temperature)[0]
    for draft, placed in zip(drafts, chosen, strict=True):
        draft.points, draft.curve = placed.points, placed.curve


def place_many(
    drafts: Sequence[Draft],
    conditions: Conditions,
    rng: np.random.Generator,
    scales: Sequence[float],
    temperature: float = TEMPERATURE,
) -> list[list[Draft]]:
    """Draw one candidate per entry of `scales`, together; returns placed copies of the drafts."""
    rhythm = Rhythm.of(drafts)
    walk = _Walk(placing_model(), rhythm, conditions, np.array(scales, float))
    candidates = [[copy(draft) for draft in drafts] for _ in scales]
    for i, draft in enumerate(drafts):
        column = [candidate[i] for candidate in candidates]
        if draft.kind not in (DraftKind.CIRCLE, DraftKind.SLIDER):
            walk.skip()
            for one in column:
                one.points = one.points if draft.fixed else [(256.0, 192.0)]
        elif draft.fixed:
            walk.skip()
            walk.keep(draft, i)
        else:
            walk.draw(column, i, rng, temperature)
    return candidates


def score(drafts: Sequence[Draft], conditions: Conditions) -> list[float]:
    """How surprising each placed object is, in bits: its head, and a slider's body and direction; 0 for spinners.

    A head counts as the choice of a pixel (17.6 bits if all were alike), a body as one of the model's alphabet.
    """
    walk = _Walk(placing_model(), Rhythm.of(drafts), conditions, np.ones(1))
    surprise = []
    for i, draft in enumerate(drafts):
        if draft.kind in (DraftKind.CIRCLE, DraftKind.SLIDER):
            surprise.append(walk.surprise(draft, i))
            walk.keep(draft, i)
        else:
            walk.skip()
            surprise.append(0.0)
    return surprise


class _Walk:
    """One pass over a map, for several candidates (rows) at once."""

    def __init__(self, model: PlacingModel, rhythm: Rhythm, conditions: Conditions, scales: Floats) -> None:
        rows = len(scales)
        self.rhythm, self.scales, self.model, self.alphabet = rhythm, scales, model, model.alphabet
        self.net = Decoder(model, rows, describe(rhythm), beats_of(rhythm), conditions)
        self.memory = spacing.Memory.empty(rows)
        self.shapes: list[list[Shape]] = [[] for _ in range(rows)]
        sizes = np.hypot(*np.moveaxis(self.alphabet.outlines, -1, 0)).max(axis=1)
        self.compact, self.least_size = np.argsort(sizes), float(sizes.min())

    def _look(self, i: int) -> spacing.View:
        time = np.full(len(self.scales), self.rhythm.time[i])
        return spacing.look(self.memory, time, self.scales)

    def skip(self) -> None:
        """Let the network see an object without asking where it goes."""
        self.net.step(self._look(self.net.count).features)

    def keep(self, draft: Draft, i: int) -> None:
        """Remember an object that already has its place."""
        rows = len(self.scales)
        head = np.tile(np.array(draft.points[0], float), (rows, 1))
        if draft.kind != DraftKind.SLIDER:
            self.memory.visit(head, self.rhythm.time[i], False)
            return
        path = SliderPath.of(draft.curve, draft.points)
        shape, outline, heading = self.alphabet.recognise(path, draft.length)
        for shapes in self.shapes:
            shapes.append(shape)
        tail = np.tile(path.position_at(1.0, draft.length), (rows, 1))
        self._remember_slider(i, head, tail, np.full(rows, heading), np.tile(outline, (rows, 1, 1)))

    def draw(self, column: list[Draft], i: int, rng: np.random.Generator, temperature: float) -> None:
        """Place one draft of every candidate."""
        view = self._look(i)
        state, logits = self.net.step(view.features)
        place = logits.astype(float)
        head = self._draw_head(view, state, place, rng, temperature)
        if column[0].kind != DraftKind.SLIDER:
            for draft, point in zip(column, head.tolist(), strict=True):
                draft.points, draft.curve = [tuple(point)], "L"
            self.memory.visit(head, self.rhythm.time[i], False)
            return
        head = self._make_room(head, column[0].length)
        heading, shapes = self._draw_bodies(view, state, head, column[0].length, rng, temperature)
        tails, outlines = [], []
        for row, draft in enumerate(column):
            at = (float(head[row, 0]), float(head[row, 1]))
            draft.curve, draft.points = self.alphabet.draw(shapes[row], at, heading[row], draft.length)
            tails.append(SliderPath.of(draft.curve, draft.points).position_at(1.0, draft.length))
            outlines.append(self.alphabet.outline(shapes[row]))
            self.shapes[row].append(shapes[row])
        self._remember_slider(i, head, np.array(tails), heading, np.stack(outlines))

    def _remember_slider(self, i: int, head: Floats, tail: Floats, heading: Floats, outline: Floats) -> None:
        start, end, slides = self.rhythm.time[i], self.rhythm.end[i], self.rhythm.slides[i]
        self.memory.visit(head, start, False)
        if slides % 2:
            self.memory.visit(tail, end, True)
        else:
            self.memory.visit(tail, end - (end - start) / slides, True)
            self.memory.visit(head, end, True)
        self.memory.follow(heading, self.rhythm.length[i], outline)

    def _draw_head(
        self, view: spacing.View, state: Singles, place: Floats, rng: np.random.Generator,
        temperature: float,
    ) -> Floats:
        """Heads of all rows, (n, 2) whole px on the field."""
        target, free = densities.draw_target(place, view, rng, temperature)
        distance = densities.draw_distance(place, view, rng, temperature, self.scales)
        turn = self.model.turn(state, spacing.step_features(view, distance, self.scales))
        references, bins = self._turns(view)
        angles = densities.draw_angle(
            turn, view.ahead, references, spacing.steps_fit(view.here, bins, distance),
            spacing.steps_fit(view.here, references, distance), distance, rng, temperature,
        )
        step = np.stack((np.cos(angles), np.sin(angles)), axis=-1) * distance[:, None, None]
        tried = view.here[:, None] + step
        first = spacing.fits(tried, 0.5).argmax(axis=1)
        stepped = tried[np.arange(len(tried)), first]
        return np.clip(np.rint(np.where(free[:, None], stepped, target)), 0, spacing.FIELD)

    def _make_room(self, head: Floats, length: float) -> Floats:
        """Heads so near the edge that not even the most compact body fits are drawn towards the middle."""
        if length * self.least_size < _SMALL:
            return head
        outline = np.tile(self.alphabet.outline(Shape(int(self.compact[0]))), (len(head), 1, 1))
        bins, lengths = spacing.directions(np.zeros(len(head))), np.full(len(head), length)
        for _ in range(8):
            tight = ~spacing.bodies_fit(head, bins, lengths, outline).any(axis=1)
            if not tight.any():
                break
            head[tight] = np.rint(head[tight] + (spacing.FIELD / 2 - head[tight]) / 4)
        return head

    def _turns(self, view: spacing.View) -> tuple[Floats, Floats]:
        known = self.memory.lengths > 0
        references = spacing.turn_references(view, self.memory.headings, known)
        return references, spacing.directions(view.ahead)

    def _draw_bodies(
        self, view: spacing.View, state: Singles, head: Floats, length: float,
        rng: np.random.Generator, temperature: float,
    ) -> tuple[Floats, list[Shape]]:
        """Headings (n,) and shapes of all rows' sliders, such that the bodies stay on the field where they can."""
        features, before = spacing.head_features(view, head, self.scales)
        bins, lengths = spacing.directions(before), np.full(len(head), length)
        logits = self.model.body(state, features)
        shapes, outline = [], np.zeros((len(head), 8, 2))
        for row in range(len(head)):
            shape = self._draw_body(logits[row], self.shapes[row], head[row], bins[row], length, rng, temperature)
            shapes.append(shape)
            outline[row] = self.alphabet.outline(shape)
        known = self.memory.lengths > 0
        references = spacing.sway_references(before, self.memory.headings, known)
        told = outline[:, 1::2].reshape(len(head), -1)
        sway = self.model.sway(state, features, told)
        fit = spacing.bodies_fit(head, bins, lengths, outline)
        fits = spacing.bodies_fit(head, references, lengths, outline)
        angles = densities.draw_angle(sway, before, references, fit, fits, lengths, rng, temperature)
        good = spacing.bodies_fit(head, angles, lengths, outline)
        return angles[np.arange(len(head)), good.argmax(axis=1)], shapes

    def _draw_body(
        self, logits: Floats, earlier: list[Shape], head: Floats, bins: Floats, length: float,
        rng: np.random.Generator, temperature: float,
    ) -> Shape:
        """A body that fits at this head in some direction; failing that, the most compact one that does."""
        alphabet, options = self.alphabet, logits.copy()
        options[len(alphabet) :] += np.tile(body_copies_exist(len(earlier)), 2)
        for _ in range(_TRIES):
            code = int(densities.choose(options[None], rng, temperature)[0])
            shape = self._shape(code, earlier, rng)
            if _fits_somewhere(alphabet, shape, head, bins, length):
                return shape
            options[code] = -1e9
        for code in self.compact:
            shape = Shape(int(code), alphabet.middle_bend(int(code)))
            if _fits_somewhere(alphabet, shape, head, bins, length):
                return shape
        return Shape(int(self.compact[0]))

    def _shape(self, code: int, earlier: list[Shape], rng: np.random.Generator) -> Shape:
        codes = len(self.alphabet)
        if code >= codes:
            again, mirrored = (code - codes) % spacing.SLIDERS, code - codes >= spacing.SLIDERS
            shape = earlier[again - spacing.SLIDERS]
            return self.alphabet.mirrored(shape) if mirrored else shape
        bend = rng.uniform(*self.alphabet.bend_range(code)) if self.alphabet.is_arc(code) else 0.0
        return Shape(code, bend)

    def surprise(self, draft: Draft, i: int) -> float:
        """Bits of surprise at one placed object."""
        view = self._look(i)
        state, logits = self.net.step(view.features)
        place = logits.astype(float)
        head = np.clip(np.array([draft.points[0]], float), 0, spacing.FIELD)
        step = head - view.here
        distance = np.hypot(step[:, 0], step[:, 1])
        angle = np.where(distance > 0.5, np.arctan2(step[:, 1], step[:, 0]), view.ahead)
        turn = self.model.turn(state, spacing.step_features(view, distance, self.scales))
        references, bins = self._turns(view)
        log_turn = densities.angle_log_density(
            turn, angle, view.ahead, references, spacing.steps_fit(view.here, bins, distance),
            spacing.steps_fit(view.here, references, distance), distance,
        )
        nats = float(densities.head_log_density(place, view, head, log_turn, self.scales)[0])
        if draft.kind == DraftKind.SLIDER:
            nats += self._body_log_density(draft, view, state, head)
        return -nats / float(np.log(2))

    def _body_log_density(
        self, draft: Draft, view: spacing.View, state: Singles, head: Floats
    ) -> float:
        path = SliderPath.of(draft.curve, draft.points)
        shape, outline, heading = self.alphabet.recognise(path, draft.length)
        features, before = spacing.head_features(view, head, self.scales)
        told = outline[None, 1::2].reshape(1, -1)
        body, sway = self.model.body(state, features), self.model.sway(state, features, told)
        known = self.memory.lengths > 0
        references = spacing.sway_references(before, self.memory.headings, known)
        bins, length = spacing.directions(before), np.array([draft.length])
        log_sway = densities.angle_log_density(
            sway, np.array([heading]), before, references, spacing.bodies_fit(head, bins, length, outline[None]),
            spacing.bodies_fit(head, references, length, outline[None]), length,
        )
        return float(log_sway[0]) + self._log_mass(body[0], shape)

    def _log_mass(self, logits: Floats, shape: Shape) -> float:
        """Log probability of a body: drawn afresh (an arc up to `shapes.SAME_BEND`), or copied."""
        earlier, codes = self.shapes[0], len(self.alphabet)
        options = logits.copy()
        options[codes:] += np.tile(body_copies_exist(len(earlier)), 2)
        weights = np.exp(options - options.max())
        mass = weights[shape.code] * self.alphabet.share_of_bin(shape.code)
        for k, other in enumerate(earlier[::-1][: spacing.SLIDERS]):
            for offset, candidate in ((0, other), (spacing.SLIDERS, self.alphabet.mirrored(other))):
                if self.alphabet.same(candidate, shape):
                    mass += weights[codes + offset + spacing.SLIDERS - 1 - k]
        return float(np.log(max(mass / weights.sum(), 1e-12)))


def body_copies_exist(earlier: int) -> Floats:
    """What to add to the logits of copying each of the last sliders: 0 where there is one."""
    return np.where(np.arange(spacing.SLIDERS) >= spacing.SLIDERS - earlier, 0.0, -1e9)


def _fits_somewhere(alphabet: Alphabet, shape: Shape, head: Floats, bins: Floats, length: float) -> bool:
    outline = alphabet.outline(shape)[None]
    return bool(spacing.bodies_fit(head[None], bins[None], np.array([length]), outline).any())
