"""Drawing a canvas: rhythm first, in the order of the metre, then everything that hangs on it.

Cells are revealed in passes over the whole song. Within a pass they lie at least a beat apart, so that drawing them
independently does little harm; each pass sees what the ones before it drew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import MANIA
from mapperatorinator.mapper.grid.canvas import COLUMNS, KIND_CLASSES, STARTS, Canvas
from mapperatorinator.mapper.grid.cells import (
    KIND_OFFSETS,
    NAMES,
    Cells,
    applicable,
)
from mapperatorinator.mapper.grid.draft import Conditions
from mapperatorinator.mapper.grid.grammar import legal
from mapperatorinator.mapper.grid.network import SLICES, GridModel, Heard
from mapperatorinator.mapper.grid.objects import LONGEST_HOLD
from mapperatorinator.mapper.grid.steady import steady
from mapperatorinator.mapper.grid.ticks import TICKS_PER_BEAT

# Ticks of the beat in the order in which they are drawn: beats, halves, quarters, thirds, sixths, twelfths.
_ORDER = ((0,), (6,), (3, 9), (4, 8), (2, 10), (1, 5, 7, 11))
_STEADY = ("kiai", "volume", "bank")  # hold for whole measures
_LATER = ("holds", "velocity", "combo", "sound")  # drawn cell by cell
_ATTRIBUTES = (*_STEADY, *_LATER, "releases")
Reveal = Callable[[float], None]


@dataclass(frozen=True)
class Drawing:
    """How to draw: temperature 0 takes the likeliest, 1 samples; `density` scales the odds of a note.

    likeliest : choose as many of the likeliest starts as the network expects, instead of sampling.
    top_p : draw only among the likeliest kinds of a tick that together hold this share of the probability: over
    thousands of ticks the rest would scatter odd notes.
    """

    temperature: float = 1.0
    attribute_temperature: float = 0.7
    likeliest: bool = False
    density: float = 1.0
    top_p: float = 0.96


class Painter:
    """Draws one map of a song on a canvas; cells outside `rows` are given and stay."""

    def __init__(
        self, model: GridModel, heard: Heard, canvas: Canvas, conditions: Conditions, rng: np.random.Generator,
        drawing: Drawing, reference: NDArray[np.int64] | None = None,
    ) -> None:  # fmt: skip
        self.model, self.heard, self.canvas, self.conditions = model, heard, canvas, conditions
        self.rng, self.drawing, self.reference = rng, drawing, reference
        self.mode = canvas.mode
        self.count = len(heard.grid)
        self.hidden = np.zeros((self.count, len(NAMES)), bool)

    def paint(
        self, rows: NDArray[np.bool_], playable: NDArray[np.bool_], progress: Reveal | None = None,
        kept: Collection[str] = (),
    ) -> None:  # fmt: skip
        """Draw everything in `rows` (n,) but `kept` columns; objects may start only on `playable` ticks (n,)."""
        self.hidden[:] = rows[:, None]
        self.hidden[:, [NAMES.index(name) for name in kept]] = False
        self.canvas.columns["kind"][rows] = 0
        allowed = self._allowed(playable)
        if self.drawing.likeliest:
            allowed = self._likeliest_starts(rows, allowed)
        passes = list(self._passes(rows))
        scores = np.zeros((self.count, KIND_CLASSES[self.mode]), np.float32)
        for number, cells in enumerate(passes):
            scores[cells] = self._kind_scores(allowed)[cells]
            likely = _nucleus(scores[cells], self.drawing.top_p)
            self.canvas.columns["kind"][cells] = self._draw(likely, self.drawing.temperature)
            self.hidden[cells, 0] = False
            if progress is not None:
                progress((number + 1) / (len(passes) + 4))
        self._settle(rows, scores)
        self._attributes(rows, [name for name in _ATTRIBUTES if name not in kept])

    def repaint(self, rows: NDArray[np.bool_], names: Collection[str]) -> None:
        """Draw some attributes in `rows` (n,) of a map that is there already; everything else stays."""
        applies = applicable(self.mode, self.canvas.columns["kind"].astype(np.intp)) & rows[:, None]
        for name in names:
            self.hidden[:, NAMES.index(name)] = applies[:, NAMES.index(name)]
        self._attributes(rows, names)

    def _allowed(self, playable: NDArray[np.bool_]) -> NDArray[np.float32]:
        """(n, kinds) added to the scores: what may not be is out of reach, notes weigh as the density asks."""
        starts = STARTS[self.mode]
        notes = np.arange(len(starts)) if self.mode == MANIA else starts  # a chord is as many notes
        allowed = np.log(self.drawing.density) * notes * np.ones((self.count, 1))
        allowed[~playable] += np.where(starts, -1e9, 0.0)
        allowed[~self.heard.grid.valid] = np.where(np.arange(len(starts)) == 0, 0.0, -1e9)
        return allowed.astype(np.float32)

    def _likeliest_starts(self, rows: NDArray[np.bool_], allowed: NDArray[np.float32]) -> NDArray[np.float32]:
        """Let objects start exactly on the likeliest ticks, as many as the network expects in all."""
        starts = STARTS[self.mode]
        scores = self._kind_scores(allowed)
        chance = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))[:, starts].sum(1)
        chance[~rows] = -1.0
        wanted = np.zeros(self.count, bool)
        wanted[np.argsort(-chance)[: int(round(chance[rows].sum()))]] = True
        chosen = np.where(wanted[:, None] == starts[None], 0.0, -1e9)
        return np.where(rows[:, None], allowed + chosen, allowed).astype(np.float32)

    def _passes(self, rows: NDArray[np.bool_]) -> Iterator[NDArray[np.intp]]:
        phase = self.heard.grid.phase
        for ticks in _ORDER:
            cells = np.flatnonzero(rows & np.isin(phase, ticks))
            if len(ticks) == 1:  # every other beat first: neighbours decide together what the others must do
                odd = (cells // TICKS_PER_BEAT) % 2 == 1
                yield from (half for half in (cells[~odd], cells[odd]) if len(half))
            elif len(cells):
                yield cells

    def _shown(self) -> NDArray[np.int64]:
        classes = np.stack([self.canvas.columns[name] for name in NAMES], axis=1).astype(np.int64)
        kinds = classes[:, 0].copy()
        applies = applicable(self.mode, kinds) & ((classes >= 0) | self.hidden)
        classes = np.maximum(classes, 0)
        classes[:, 0] += KIND_OFFSETS[self.mode]
        return Cells(classes, applies).shown(self.hidden)

    def _logits(self) -> NDArray[np.float32]:
        return self.model.predict(self.heard, self._shown(), self.conditions, self.reference)

    def _kind_scores(self, allowed: NDArray[np.float32]) -> NDArray[np.float32]:
        low = int(KIND_OFFSETS[self.mode])
        scores = self._logits()[:, low : low + KIND_CLASSES[self.mode]] + allowed
        return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)

    def _draw(self, scores: NDArray[np.float32], temperature: float) -> NDArray[np.int8]:
        """Draw one class per row by Gumbel noise scaled with the temperature."""
        noise = self.rng.gumbel(size=scores.shape) * temperature
        return (scores + noise).argmax(1).astype(np.int8)

    def _settle(self, rows: NDArray[np.bool_], scores: NDArray[np.float32]) -> None:
        kinds = self.canvas.columns["kind"].astype(np.intp)
        self.canvas.columns["kind"][:] = legal(self.mode, kinds, scores, ~rows)
        self.hidden[:, 0] = False

    def _attributes(self, rows: NDArray[np.bool_], names: Collection[str]) -> None:
        kinds = self.canvas.columns["kind"].astype(np.intp)
        applies = applicable(self.mode, kinds) & rows[:, None]
        logits = self._logits()
        for name in (name for name in _STEADY if name in names):
            column = NAMES.index(name)
            scores = logits[:, SLICES[column]]
            self._put(name, applies[:, column], steady(self.heard.grid, scores, applies[:, column], name))
        # Half of the measures first, so that the other half can repeat them.
        measure = np.cumsum((self.heard.grid.measure == 0) & (self.heard.grid.phase == 0))
        for half in (measure % 4 < 2, measure % 4 >= 2):
            logits = self._logits()
            for name in (name for name in _LATER if name in names):
                self._later(name, applies[:, NAMES.index(name)] & half, kinds, logits)
        if self.mode == MANIA and "releases" in names:
            self._end_holds(rows, applies[:, NAMES.index("releases")])

    def _end_holds(self, rows: NDArray[np.bool_], cells: NDArray[np.bool_]) -> None:
        """End every hold on one of the next ticks, in `cells` (n,), as the network expects notes to end there."""
        scores = self._logits()[:, SLICES[NAMES.index("releases")]]
        ends = np.where(cells, 1 - np.exp(scores[:, 0] - np.logaddexp.reduce(scores, axis=1)), 0.0)
        drawn = np.zeros(self.count, np.int8)
        holds = np.maximum(self.canvas.columns["holds"], 0)
        for row in np.flatnonzero(rows & (holds > 0)):
            ahead = ends[row + 1 : row + 1 + LONGEST_HOLD]
            chance = ahead * np.cumprod(np.concatenate([[1.0], 1 - ahead[:-1]]))
            if not chance.sum() > 0:
                continue
            cold = self.drawing.attribute_temperature == 0
            for _ in range(holds[row]):
                step = chance.argmax() if cold else self.rng.choice(len(chance), p=chance / chance.sum())
                drawn[row + 1 + step] += 1
        self._put("releases", cells, drawn)

    def _later(
        self, name: str, cells: NDArray[np.bool_], kinds: NDArray[np.intp], logits: NDArray[np.float32]
    ) -> None:
        scores = self._legal_counts(name, kinds[cells], logits[cells, SLICES[NAMES.index(name)]])
        drawn = np.zeros(self.count, np.int8)
        temperature = self.drawing.attribute_temperature
        drawn[cells] = self._rare(scores) if name == "holds" else self._draw(scores, temperature)
        self._put(name, cells, drawn)

    def _rare(self, scores: NDArray[np.float32]) -> NDArray[np.int8]:
        """Classes (n,) of a column that is nearly always 0, as many others as the network expects.

        Each tick's likeliest class, or a cold temperature, would leave hardly any hold in a map.
        """
        if self.drawing.attribute_temperature > 0:
            return self._draw(scores, 1.0)
        nothing = np.exp(scores[:, 0] - np.logaddexp.reduce(scores, axis=1))
        likeliest = np.argsort(nothing)[: int(round(float((1 - nothing).sum())))]
        drawn = np.zeros(len(scores), np.int8)
        drawn[likeliest] = 1 + scores[likeliest, 1:].argmax(1)
        return drawn

    def _legal_counts(
        self, name: str, kinds: NDArray[np.intp], scores: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        if name != "holds":
            return scores
        return np.where(np.arange(COLUMNS["holds"]) <= kinds[:, None], scores, -1e9)

    def _put(self, name: str, cells: NDArray[np.bool_], values: NDArray) -> None:
        self.canvas.columns[name][cells] = values[cells]
        self.hidden[cells, NAMES.index(name)] = False


def _nucleus(scores: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Put out of reach all but the likeliest classes that together hold `share`; at least one stays per row."""
    order = np.argsort(-scores, axis=1)
    chance = np.exp(np.take_along_axis(scores, order, axis=1))
    before = np.cumsum(chance, axis=1) - chance
    kept = np.empty(scores.shape, bool)
    np.put_along_axis(kept, order, before < share, axis=1)
    return np.where(kept, scores, -1e9).astype(np.float32)
