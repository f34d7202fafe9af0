"""One pass over a map, for several candidates at once: what drawing and judging places have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap.path import SliderPath

from . import spacing
from .decoder import Decoder
from .draft import Conditions, Draft, DraftKind
from .placing import PlacingModel
from .rhythm_features import Rhythm, beats_of, describe
from .shapes import Shape

Floats = NDArray[np.float64]


class Walk:
    """Goes from object to object; each candidate is a row with its own memory and `scales` (rows,)."""

    def __init__(self, model: PlacingModel, rhythm: Rhythm, conditions: Conditions, scales: Floats) -> None:
        rows = len(scales)
        self.rhythm, self.scales, self.model, self.alphabet = rhythm, scales, model, model.alphabet
        self.net = Decoder(model, rows, describe(rhythm), beats_of(rhythm), conditions)
        self.memory = spacing.Memory.empty(rows)
        self.shapes: list[list[Shape]] = [[] for _ in range(rows)]

    def look(self, i: int) -> spacing.View:
        """What every candidate sees before object `i`."""
        time = np.full(len(self.scales), self.rhythm.time[i])
        return spacing.look(self.memory, time, self.scales)

    def skip(self) -> None:
        """Let the network see an object without asking where it goes."""
        self.net.step(self.look(self.net.count).features)

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
        self.remember_slider(i, head, tail, np.full(rows, heading), np.tile(outline, (rows, 1, 1)))

    def remember_slider(self, i: int, head: Floats, tail: Floats, heading: Floats, outline: Floats) -> None:
        """Remember a slider: heads and far ends (rows, 2), headings (rows,), outlines (rows, 8, 2)."""
        start, end, slides = self.rhythm.time[i], self.rhythm.end[i], self.rhythm.slides[i]
        self.memory.visit(head, start, False)
        if slides % 2:
            self.memory.visit(tail, end, True)
        else:
            self.memory.visit(tail, end - (end - start) / slides, True)
            self.memory.visit(head, end, True)
        self.memory.follow(heading, self.rhythm.length[i], outline)

    def turns(self, view: spacing.View) -> tuple[Floats, Floats]:
        """Reference directions of a free step, and the middles of its bins of direction."""
        known = self.memory.lengths > 0
        references = spacing.turn_references(view, self.memory.headings, known)
        return references, spacing.directions(view.ahead)

    def sways(self, before: Floats) -> tuple[Floats, Floats]:
        """The same for a slider; `before` (rows,) is the direction of the step to its head."""
        known = self.memory.lengths > 0
        references = spacing.sway_references(before, self.memory.headings, known)
        return references, spacing.directions(before)


def copies_exist(earlier: int) -> Floats:
    """What to add to the logits of copying each of the last sliders: 0 where there is one."""
    return np.where(np.arange(spacing.SLIDERS) >= spacing.SLIDERS - earlier, 0.0, -1e9)
