"""How surprising places are: the placing network follows a placed map and says how likely each object was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap.path import SliderPath

from . import densities, spacing
from .decoder import Singles
from .draft import Draft, DraftKind
from .shapes import Shape
from .walk import Walk, copies_exist

Floats = NDArray[np.float64]


class Judge(Walk):
    """A walk with one row over a map that is already placed."""

    def surprise(self, draft: Draft, i: int) -> float:
        """Bits of surprise at one placed object."""
        view = self.look(i)
        state, logits = self.net.step(view.features)
        place = logits.astype(float)
        head = np.clip(np.array([draft.points[0]], float), 0, spacing.FIELD)
        step = head - view.here
        distance = np.hypot(step[:, 0], step[:, 1])
        angle = np.where(distance > 0.5, np.arctan2(step[:, 1], step[:, 0]), view.ahead)
        turn = self.model.turn(state, spacing.step_features(view, distance, self.scales))
        references, bins = self.turns(view)
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
        references, bins = self.sways(before)
        length = np.array([draft.length])
        log_sway = densities.angle_log_density(
            sway, np.array([heading]), before, references, spacing.bodies_fit(head, bins, length, outline[None]),
            spacing.bodies_fit(head, references, length, outline[None]), length,
        )
        return float(log_sway[0]) + self._log_mass(body[0], shape)

    def _log_mass(self, logits: Floats, shape: Shape) -> float:
        """Log probability of a body: drawn afresh (an arc up to `shapes.SAME_BEND`), or copied."""
        earlier, codes = self.shapes[0], len(self.alphabet)
        options = logits.copy()
        options[codes:] += np.tile(copies_exist(len(earlier)), 2)
        weights = np.exp(options - options.max())
        mass = weights[shape.code] * self.alphabet.share_of_bin(shape.code)
        for k, other in enumerate(earlier[::-1][: spacing.SLIDERS]):
            for offset, candidate in ((0, other), (spacing.SLIDERS, self.alphabet.mirrored(other))):
                if self.alphabet.same(candidate, shape):
                    mass += weights[codes + offset + spacing.SLIDERS - 1 - k]
        return float(np.log(max(mass / weights.sum(), 1e-12)))
