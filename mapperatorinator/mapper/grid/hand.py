"""Draws places: the placing network chooses heads, bodies and directions, and what leaves the field is avoided."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap.path import SliderPath

from . import densities, spacing
from .decoder import Singles
from .draft import Conditions, Draft, DraftKind
from .placing import PlacingModel
from .rhythm_features import Rhythm
from .shapes import Shape
from .walk import Walk, copies_exist

Floats = NDArray[np.float64]

_SMALL = 150.0  # px; a body within this of its head fits wherever the head is
_TRIES = 24  # bodies tried before the compact ones


class _Body(NamedTuple):
    """A slider's body, its outline (8, 2), and in which bins of direction it stays on the field (BINS,)."""

    shape: Shape
    outline: Floats
    fit: NDArray[np.bool_]


class Hand(Walk):
    """A walk that places what is not placed yet, for every row."""

    def __init__(self, model: PlacingModel, rhythm: Rhythm, conditions: Conditions, scales: Floats) -> None:
        super().__init__(model, rhythm, conditions, scales)
        sizes = np.hypot(*np.moveaxis(self.alphabet.outlines, -1, 0)).max(axis=1)
        self.compact, self.least_size = np.argsort(sizes), float(sizes.min())

    def draw(self, column: list[Draft], i: int, rng: np.random.Generator, temperature: float) -> None:
        """Place one draft of every candidate."""
        view = self.look(i)
        state, logits = self.net.step(view.features)
        place = logits.astype(float)
        head = self._draw_head(view, state, place, rng, temperature)
        if column[0].kind != DraftKind.SLIDER:
            for draft, point in zip(column, head.tolist(), strict=True):
                draft.points, draft.curve = [tuple(point)], "L"
            self.memory.visit(head, self.rhythm.time[i], False)
            return
        head = self._make_room(head, column[0].length)
        heading, shapes, outlines = self._draw_bodies(view, state, head, column[0].length, rng, temperature)
        tails = []
        for row, draft in enumerate(column):
            at = (float(head[row, 0]), float(head[row, 1]))
            draft.curve, draft.points = self.alphabet.draw(shapes[row], at, heading[row], draft.length)
            tails.append(SliderPath.of(draft.curve, draft.points).position_at(1.0, draft.length))
            self.shapes[row].append(shapes[row])
        self.remember_slider(i, head, np.array(tails), heading, outlines)

    def _draw_head(
        self, view: spacing.View, state: Singles, place: Floats, rng: np.random.Generator,
        temperature: float,
    ) -> Floats:
        """Heads of all rows, (n, 2) whole px on the field."""
        target, free = densities.draw_target(place, view, rng, temperature)
        distance = densities.draw_distance(place, view, rng, temperature, self.scales)
        turn = self.model.turn(state, spacing.step_features(view, distance, self.scales))
        references, bins = self.turns(view)
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

    def _draw_bodies(
        self, view: spacing.View, state: Singles, head: Floats, length: float,
        rng: np.random.Generator, temperature: float,
    ) -> tuple[Floats, list[Shape], Floats]:
        """Headings (n,), shapes and outlines (n, 8, 2) of sliders whose bodies stay on the field where they can."""
        features, before = spacing.head_features(view, head, self.scales)
        references, bins = self.sways(before)
        logits, lengths = self.model.body(state, features), np.full(len(head), length)
        bodies = [
            self._draw_body(logits[row], self.shapes[row], head[row], bins[row], length, rng, temperature)
            for row in range(len(head))
        ]
        outline, fit = np.stack([b.outline for b in bodies]), np.stack([b.fit for b in bodies])
        sway = self.model.sway(state, features, outline[:, 1::2].reshape(len(head), -1))
        fits = spacing.bodies_fit(head, references, lengths, outline)
        angles = densities.draw_angle(sway, before, references, fit, fits, lengths, rng, temperature)
        good = spacing.bodies_fit(head, angles, lengths, outline)
        return angles[np.arange(len(head)), good.argmax(axis=1)], [b.shape for b in bodies], outline

    def _draw_body(
        self, logits: Floats, earlier: list[Shape], head: Floats, bins: Floats, length: float,
        rng: np.random.Generator, temperature: float,
    ) -> _Body:
        """A body that fits at this head in some direction; failing that, the most compact one that does."""
        options = logits.copy()
        options[len(self.alphabet) :] += np.tile(copies_exist(len(earlier)), 2)
        for _ in range(_TRIES):
            code = int(densities.choose(options[None], rng, temperature)[0])
            body = self._body(self._shape(code, earlier, rng), head, bins, length)
            if body.fit.any():
                return body
            options[code] = -1e9
        for code in self.compact:
            body = self._body(Shape(int(code), self.alphabet.middle_bend(int(code))), head, bins, length)
            if body.fit.any():
                return body
        return self._body(Shape(int(self.compact[0])), head, bins, length)

    def _body(self, shape: Shape, head: Floats, bins: Floats, length: float) -> _Body:
        outline = self.alphabet.outline(shape)
        return _Body(shape, outline, spacing.bodies_fit(head[None], bins[None], np.array([length]), outline[None])[0])

    def _shape(self, code: int, earlier: list[Shape], rng: np.random.Generator) -> Shape:
        codes = len(self.alphabet)
        if code >= codes:
            again, mirrored = (code - codes) % spacing.SLIDERS, code - codes >= spacing.SLIDERS
            shape = earlier[again - spacing.SLIDERS]
            return self.alphabet.mirrored(shape) if mirrored else shape
        bend = rng.uniform(*self.alphabet.bend_range(code)) if self.alphabet.is_arc(code) else 0.0
        return Shape(code, bend)
