"""How surprising a given map's rhythm is to the grid mapper: little hidden at a time, past and future in sight.

In each of eight passes over the song the network asks of every eighth object whether it should start there: the
object and the empty ticks within half a beat of it are hidden. Of another eighth it asks the attributes, and of an
eighth of the empty half-beats whether something is missing. What the network says is joined with what the map's own
habits say (`habits`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.mapper import Surprisal
from mapperatorinator.mapper.grid.canvas import (
    COLUMNS,
    KIND_CLASSES,
    STARTS,
    VOLUME_STEP,
    Canvas,
    Drum,
    Hit,
    velocity_of,
)
from mapperatorinator.mapper.grid.cells import KIND_OFFSETS, NAMES, Cells, applicable
from mapperatorinator.mapper.grid.draft import Conditions
from mapperatorinator.mapper.grid.habits import Memory, joined
from mapperatorinator.mapper.grid.network import SLICES, GridModel, Heard

_PASSES = 8
_REACH = 6  # ticks around a start that are hidden with it, and in which it might rather be
_BLOCK = 3  # empty ticks that are asked together
_FAR = 36  # ticks; hidden objects further than this from a block do not matter to it
_NEVER = -30.0  # nats of what cannot be
_BANKS = ("normal", "soft", "drum")
# What is said of ticks as such; every other column is an attribute.
_KIND, _KIAI = NAMES.index("kind"), NAMES.index("kiai")
_ATTRIBUTES = [name for name in NAMES if name not in ("kind", "releases", "kiai")]
_LEFT_OUT = {"sound": "silence", "combo": "chain"}
HABITS = ("start", "kind", *_ATTRIBUTES)

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def surprisals(model: GridModel, heard: Heard, canvas: Canvas, conditions: Conditions) -> list[Surprisal]:
    """Return what the network thinks of every start, of its kind and attributes, and of empty ticks.

    Aspects: "start" (something starts here; `elsewhere` is a nearby tick where it is likelier), "kind" (what
    starts, given that something does), the names of the attributes, and "missing" (nothing starts here, only
    where something is likelier). What was left out is told apart, as it surprises otherwise than what was put in:
    "silence" is a "sound" without addition, "chain" a "combo" that goes on.
    """
    seen = Seen.of(canvas)
    if not len(seen.starts):
        return []
    asked, memory = _ask(model, heard, canvas, conditions, seen), Memory(canvas)
    odds = _Odds.of(seen, asked, memory)
    return sorted([*_starts(canvas, seen, odds), *_missing(canvas, seen, asked, odds),
                   *_attributes(canvas, seen, asked, memory)], key=lambda s: s.time)  # fmt: skip


@dataclass
class Seen:
    """Rows (n,) of a canvas: where objects start, which object a row belongs to (-1: none), what applies."""

    canvas: Canvas
    starts: NDArray[np.intp]
    owner: NDArray[np.intp]
    classes: NDArray[np.int64]
    applies: Bools
    valid: Bools
    times: Floats

    @classmethod
    def of(cls, canvas: Canvas) -> Seen:
        """What there is to ask about a canvas."""
        classes = np.stack([canvas.columns[name] for name in NAMES], axis=1).astype(np.int64)
        kinds = classes[:, _KIND].copy()
        applies = applicable(canvas.mode, kinds) & (classes >= 0)
        classes = np.maximum(classes, 0)
        classes[:, _KIND] += KIND_OFFSETS[canvas.mode]
        started = canvas.starts()
        owner = np.where(kinds > 0, np.cumsum(started) - 1, -1)
        return cls(canvas, np.flatnonzero(started), owner, classes, applies, canvas.grid.valid, canvas.grid.times)

    def values(self, aspect: str) -> tuple[NDArray[np.intp], int]:
        """Of one of `HABITS` the class of every row, (n,), -1 where it has none, and how many classes there are."""
        starts = self.canvas.starts()
        if aspect == "start":
            return np.where(self.valid & (starts | (self.owner < 0)), starts, -1).astype(np.intp), 2
        has = starts if aspect == "kind" else self.applies[:, NAMES.index(aspect)] & (self.owner >= 0)
        classes = KIND_CLASSES[self.canvas.mode] if aspect == "kind" else COLUMNS[aspect]
        return np.where(has & self.valid, self.canvas.columns[aspect], -1).astype(np.intp), classes

    def near(self) -> tuple[NDArray[np.intp], Bools]:
        """Rows within reach of every start, (objects, 13), and which of them are its own or empty."""
        rows = self.starts[:, None] + np.arange(-_REACH, _REACH + 1)
        inside = (rows >= 0) & (rows < len(self.owner))
        rows = np.clip(rows, 0, len(self.owner) - 1)
        owners = self.owner[rows]
        own = owners == np.arange(len(self.starts))[:, None]
        return rows, inside & self.valid[rows] & (own | (owners < 0))


@dataclass
class _Asked:
    """Log-probabilities of kinds around every start (objects, 13, kinds), of kinds of empty ticks (n, kinds), of all
    columns' classes where an object's attributes were hidden (n, classes)."""

    starts: Floats
    empty: Floats
    attributes: Floats


def _ask(model: GridModel, heard: Heard, canvas: Canvas, conditions: Conditions, seen: Seen) -> _Asked:
    count, kinds = len(seen.owner), _kinds(canvas.mode)
    rows, free = seen.near()
    hiding = np.zeros((_PASSES, count), bool)  # whose kind is hidden for an object's sake
    for number in range(_PASSES):
        some = slice(number, None, _PASSES)
        hiding[number, rows[some][free[some]]] = True
    hiding[:, seen.owner >= 0] |= (seen.owner[seen.owner >= 0] % _PASSES) == np.arange(_PASSES)[:, None]
    blocks = _passes_of_blocks(seen, count)
    empty = seen.owner < 0
    result = _Asked(np.zeros((*rows.shape, kinds.stop - kinds.start)), np.zeros((count, kinds.stop - kinds.start)),
                    np.zeros((count, SLICES[-1].stop)))  # fmt: skip
    for number in range(_PASSES):
        asked = empty & (blocks == number)
        told = ~empty & (seen.owner % _PASSES == (number + _PASSES // 2) % _PASSES)
        hidden = np.zeros(seen.classes.shape, bool)
        hidden[:, _KIND] = hiding[number] | asked
        hidden[told, _KIND + 1 : _KIAI] = True
        logits = model.predict(heard, Cells(seen.classes, seen.applies).shown(hidden), conditions).astype(float)
        scores = _log_softmax(logits[:, kinds])
        result.starts[number::_PASSES] = scores[rows[number::_PASSES]]
        result.empty[asked] = scores[asked]
        result.attributes[told] = logits[told]
    return result


def _passes_of_blocks(seen: Seen, count: int) -> NDArray[np.int64]:
    """In which pass every row is asked if it is empty: one in which no object nearby is hidden; (n,)."""
    number = np.arange(count) // _BLOCK
    best, chosen = np.full(count, -1.0), np.zeros(count, np.int64)
    for turn in range(_PASSES):
        hidden = seen.starts[turn::_PASSES]
        middle = number * _BLOCK + _BLOCK / 2
        if len(hidden):
            right = np.clip(np.searchsorted(hidden, middle), 0, len(hidden) - 1)
            far = np.minimum(np.abs(hidden[right] - middle), np.abs(hidden[np.maximum(right - 1, 0)] - middle))
        else:
            far = np.full(count, np.inf)
        value = np.minimum(far, _FAR) + ((number + turn) % _PASSES) / _PASSES
        chosen = np.where(value > best, turn, chosen)
        best = np.maximum(value, best)
    return chosen


def _kinds(mode: int) -> slice:
    low = int(KIND_OFFSETS[mode])
    return slice(low, low + KIND_CLASSES[mode])


def _log_softmax(logits: Floats) -> Floats:
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def _start_odds(mode: int, scores: Floats) -> Floats:
    """Log odds that something starts, from log-probabilities of kinds (..., kinds)."""
    begins = STARTS[mode]
    return np.logaddexp.reduce(scores[..., begins], axis=-1) - np.logaddexp.reduce(scores[..., ~begins], axis=-1)


@dataclass
class _Odds:
    """Log odds that something starts, the network's and the habits' joined: at every row that is empty or a start
    (n,), and around every start if it were not there (objects, 13)."""

    here: Floats
    around: Floats

    @classmethod
    def of(cls, seen: Seen, asked: _Asked, memory: Memory) -> _Odds:
        mode = seen.canvas.mode
        around, here = _start_odds(mode, asked.starts), _start_odds(mode, asked.empty)
        here[seen.starts] = around[:, _REACH]
        values, classes = seen.values("start")
        asked_rows = np.flatnonzero(values >= 0)
        own = memory.recall("start", values, classes, asked_rows)
        here[asked_rows] = _ratio(joined(_both(here[asked_rows]), own))
        rows, free = seen.near()
        without = np.broadcast_to(seen.starts[:, None], rows.shape)[free]
        own = memory.recall("start", values, classes, rows[free], without)
        around[free] = _ratio(joined(_both(around[free]), own))
        return cls(here, around)


def _both(odds: Floats) -> Floats:
    """Log-probabilities of no and yes, (..., 2), from log odds."""
    return -np.logaddexp(0.0, np.stack((odds, -odds), axis=-1))


def _ratio(scores: Floats) -> Floats:
    return scores[..., 1] - scores[..., 0]


def _starts(canvas: Canvas, seen: Seen, asked: _Odds) -> list[Surprisal]:
    rows, free = seen.near()
    odds, here = asked.around.copy(), asked.here[seen.starts]
    odds[:, _REACH] = -np.inf
    odds[~free] = -np.inf
    best = odds.argmax(1)
    there = odds[np.arange(len(rows)), best]
    # Log odds of the object being there rather than here, as both are asked apart; never below "not here".
    bits = np.logaddexp(0.0, -here) + np.maximum(there, 0.0)
    found = []
    for i, row in enumerate(seen.starts):
        moves = there[i] > 0
        found.append(
            Surprisal(
                float(seen.times[row]), "start", float(bits[i] / np.log(2)),
                class_name(canvas.mode, "kind", int(canvas.columns["kind"][row])), "nothing",
                float(1 / (1 + np.exp(-there[i]))) if moves else float(1 / (1 + np.exp(here[i]))),
                float(seen.times[rows[i, best[i]]]) if moves else None,
            )
        )  # fmt: skip
    return found


def _missing(canvas: Canvas, seen: Seen, asked: _Asked, odds: _Odds) -> list[Surprisal]:
    rows = np.flatnonzero((seen.owner < 0) & seen.valid & (odds.here > 0))
    begins = np.flatnonzero(STARTS[canvas.mode])
    return [
        Surprisal(
            float(seen.times[row]), "missing", float(np.logaddexp(0.0, odds.here[row]) / np.log(2)), "nothing",
            class_name(canvas.mode, "kind", int(begins[asked.empty[row, begins].argmax()])),
            float(1 / (1 + np.exp(-odds.here[row]))),
        )
        for row in rows
    ]  # fmt: skip


def _attributes(canvas: Canvas, seen: Seen, asked: _Asked, memory: Memory) -> list[Surprisal]:
    found: list[Surprisal] = []
    for name in HABITS[1:]:
        values, classes = seen.values(name)
        rows = np.flatnonzero(values >= 0)
        if not len(rows):
            continue
        if name == "kind":
            scores = _log_softmax(np.where(STARTS[canvas.mode], asked.starts[:, _REACH], _NEVER))
            scores = scores[np.searchsorted(seen.starts, rows)]
        else:
            scores = _log_softmax(asked.attributes[rows, SLICES[NAMES.index(name)]])
        scores = joined(scores, memory.recall(name, values, classes, rows))
        found += _column(canvas.mode, name, seen.times[rows], scores, values[rows])
    return found


def _column(
    mode: int, name: str, times: Floats, scores: Floats, said: NDArray[np.int64]
) -> list[Surprisal]:
    expected = scores.argmax(1)
    return [
        Surprisal(
            float(time), name if value else _LEFT_OUT.get(name, name), float(-row[value] / np.log(2)),
            class_name(mode, name, int(value)), class_name(mode, name, int(likeliest)), float(np.exp(row[likeliest])),
        )
        for time, row, value, likeliest in zip(times, scores, said, expected, strict=True)
    ]  # fmt: skip


def class_name(mode: int, column: str, value: int) -> str:
    """Return a class of a column in the mapper's words."""
    if column == "kind":
        if mode == 3:
            return f"{value} notes" if value != 1 else "1 note"
        return (Drum if mode == 1 else Hit)(value).name.lower().replace("_", " ")
    if column == "holds":
        return f"{value} of them held"
    if column == "volume":
        return f"{value * VOLUME_STEP} %"
    if column == "velocity":
        return f"{velocity_of(value):g}x"
    if column == "bank":
        return f"{_BANKS[value % 3]}, additions {_BANKS[value // 3]}"
    if column == "sound":
        parts = [word for bit, word in enumerate(("whistle", "finish", "clap")) if value >> bit & 1]
        return " + ".join(parts) or "no addition"
    return "new combo" if value else "no new combo"
