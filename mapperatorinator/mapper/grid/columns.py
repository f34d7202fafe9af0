"""Chooses columns: from chords that say how many notes start, hold and end to chords that say where (mania).

`place_columns` draws a map chord by chord with the column network. A column that is held, or was let go at this
very moment, takes no note. Counts that cannot be had (more notes than free columns, more releases than holds) are
cut down to what can; holds that no later chord releases end with the last chord.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.weights.adapter import Adapter

from . import lanes
from .decoder import CausalModel, Decoder, read
from .draft import Chord, Conditions
from .lanes import FINGERS, Lanes

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NAME = "columns"
TEMPERATURE = 1.0
# Counts and columns come from two networks: a hold that both forgot is let go with the next chord.
_LONGEST_BEATS = 2.0
_CERTAIN = 30.0  # nats
# A map uses all of its columns: one that is pressed twice as often as the others becomes this much less likely.
_EVENNESS = 1.0  # nats


@lru_cache(maxsize=2)
def column_model(adapter: Adapter | None) -> CausalModel:
    """The embedded column network, loaded once for each adapter."""
    return CausalModel(NAME, adapter)


def place_columns(
    chords: Sequence[Chord],
    conditions: Conditions,
    rng: np.random.Generator,
    temperature: float = TEMPERATURE,
) -> None:
    """Fill the columns of every chord that is not fixed, in place; chords must be in order of time.

    conditions : `keys` must be known. temperature : 1 draws as mappers do on average, less draws likelier columns.
    Counts of a chord are corrected to what was placed.
    """
    walk = _Walk(chords, conditions)
    for i, chord in enumerate(chords):
        scores = walk.scores(i)
        if not chord.fixed:
            walk.draw(chord, scores, rng, temperature)
        walk.play(chord)
    walk.let_go(chords)


def score_columns(chords: Sequence[Chord], conditions: Conditions) -> list[float]:
    """How surprising the columns of each placed chord are, in bits, given its counts."""
    if not chords:
        return []
    walk = _Walk(chords, conditions)
    fingers, states = [], []
    for i, chord in enumerate(chords):
        fingers.append(walk.described(i)[0])
        states.append((walk.lanes.copy(), lanes.describe_pairs(walk.lanes)[0]))
        walk.play(chord)
    known, beats = lanes.describe_chords(chords, walk.keys), lanes.beats_of(chords)
    _, logits = read(column_model(conditions.adapter), known, beats, np.stack(fingers), conditions)
    surprise = []
    for chord, (now, pairs), row in zip(chords, states, logits.astype(float), strict=True):
        walk.lanes = now
        surprise.append(walk.surprise(chord, (row[: 3 * FINGERS].reshape(FINGERS, 3), pairs @ row[3 * FINGERS :])))
    return surprise


class _Walk:
    """One pass over a map."""

    def __init__(self, chords: Sequence[Chord], conditions: Conditions) -> None:
        self.keys = conditions.keys or 4
        self.fingers = lanes.fingers_of(self.keys)
        self.column = {int(finger): column for column, finger in enumerate(self.fingers)}
        self.lanes = Lanes.empty(1, self.keys)
        self.presses = np.zeros(FINGERS)
        self.chords = chords
        known = lanes.describe_chords(chords, self.keys)
        self.net = Decoder(column_model(conditions.adapter), 1, known, lanes.beats_of(chords), conditions)

    def described(self, i: int) -> Floats:
        """What the network is told of the fingers before chord `i`, one row."""
        chord = self.chords[i]
        time, beat = np.array([chord.time], float), np.clip([chord.beat], 60.0, 6000.0)
        return lanes.describe_fingers(self.lanes, time, beat).reshape(1, -1)

    def scores(self, i: int) -> tuple[Floats, Floats]:
        """Scores of fingers to start, hold and release, (FINGERS, 3), and of pairs to start together, (pairs,)."""
        _, logits = self.net.step(self.described(i))
        scores = logits[0].astype(float)
        single, together = scores[: 3 * FINGERS].reshape(FINGERS, 3), scores[3 * FINGERS :]
        return single, lanes.describe_pairs(self.lanes)[0] @ together

    def draw(
        self, chord: Chord, scores: tuple[Floats, Floats], rng: np.random.Generator, temperature: float
    ) -> None:
        """Choose releases, then starts, then which of them are held."""
        single, pairs = scores

        def some(of: Bools, count: int, kind: int, together: Floats | None = None) -> tuple[Bools, int]:
            size = min(count, int(of.sum()))
            pair = None if together is None else together[None]
            chosen = lanes.draw_set(single[None, :, kind], of[None], np.array([size]), rng, temperature, pair)[0]
            return chosen, size

        held, usable = self.lanes.held[0], self.lanes.usable[0]
        overdue = held & (chord.time - self.lanes.pressed[0] >= _LONGEST_BEATS * chord.beat)
        single = single + np.array([0.0, 0.0, _CERTAIN]) * overdue[:, None]
        released, chord.releases = some(held, max(chord.releases, int(overdue.sum())), 2)
        single[:, 0] -= _EVENNESS * self._overuse(usable)
        pressed, chord.starts = some(usable & ~held, chord.starts, 0, pairs)
        self.presses += pressed
        holds, chord.holds = some(pressed, chord.holds, 1)
        chord.columns, chord.hold_columns, chord.release_columns = (
            self._columns(chosen) for chosen in (pressed, holds, released)
        )

    def _overuse(self, usable: Bools) -> Floats:
        """How much more often than the others each finger was pressed so far, -1 (never) upwards, (FINGERS,)."""
        usual = max(float(self.presses[usable].mean()), 1.0)
        return np.clip(self.presses / usual - 1.0, -1.0, 3.0)

    def surprise(self, chord: Chord, scores: tuple[Floats, Floats]) -> float:
        """Bits of surprise at a placed chord; impossible columns count as 40 bits."""
        single, pairs = scores
        held, usable = self.lanes.held[0], self.lanes.usable[0]
        pressed = self._fingers(chord.columns)
        bits = 0.0
        for chosen, of, kind, together in (
            (self._fingers(chord.release_columns), held, 2, None),
            (pressed, usable & ~held, 0, pairs[None]),
            (self._fingers(chord.hold_columns), pressed, 1, None),
        ):
            logits = lanes.set_logits(single[None, :, kind], of[None], np.array([chosen.sum()]), together)[0]
            index = int((chosen << np.arange(FINGERS)).sum())
            if not np.isfinite(logits[index]):
                bits += 40.0
                continue
            top = logits.max()
            bits += float(top + np.log(np.exp(logits - top).sum()) - logits[index]) / float(np.log(2))
        return bits

    def play(self, chord: Chord) -> None:
        """Remember what a chord does."""
        released, pressed, holds = (
            self._fingers(columns)[None] for columns in (chord.release_columns, chord.columns, chord.hold_columns)
        )
        self.lanes.play(chord.time, released, pressed, holds)

    def let_go(self, chords: Sequence[Chord]) -> None:
        """End what is still held with the last chord; a hold that starts there becomes a note."""
        if not chords or chords[-1].fixed:
            return
        last = chords[-1]
        begun = set(last.hold_columns)
        still = [self.column[int(f)] for f in np.flatnonzero(self.lanes.held[0])]
        last.hold_columns = ()
        last.holds = 0
        last.release_columns = tuple(sorted({*last.release_columns, *(c for c in still if c not in begun)}))
        last.releases = len(last.release_columns)

    def _columns(self, fingers: Bools) -> tuple[int, ...]:
        return tuple(self.column[int(f)] for f in np.flatnonzero(fingers))

    def _fingers(self, columns: Sequence[int]) -> Bools:
        chosen = np.zeros(FINGERS, bool)
        chosen[self.fingers[list(columns)]] = True
        return chosen
