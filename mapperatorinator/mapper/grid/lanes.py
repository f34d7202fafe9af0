"""Columns as fingers, and what is remembered of them: the playing field of mania for the column network.

Maps of all key counts share eleven *fingers*: five of the left hand, a middle one, five of the right hand. Columns
are dealt outwards from the middle, so 4 keys use two fingers of each hand and 7 keys three and the middle. The
network scores fingers; a chord's columns are then drawn from all sets of the asked size at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.errors import UserError

from .draft import Chord
from .ticks import TICKS_PER_BEAT

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FINGERS = 11
MIDDLE = FINGERS // 2
PAIRS = [(i, j) for i in range(FINGERS) for j in range(i + 1, FINGERS)]
AHEAD = 8  # chords to come that are told
RECENT = 4  # earlier chords that each finger remembers
_NEVER = 4000.0  # ms


def fingers_of(keys: int) -> NDArray[np.int64]:
    """The finger of every column, shape (keys,), from left to right."""
    if not 1 <= keys <= FINGERS:
        raise UserError(f"{keys} keys cannot be mapped: the column network knows 1 to {FINGERS} keys.")
    half = keys // 2
    left = np.arange(MIDDLE - half, MIDDLE)
    middle = [MIDDLE] if keys % 2 else []
    return np.concatenate((left, middle, np.arange(MIDDLE + 1, MIDDLE + 1 + half))).astype(np.int64)


@lru_cache(maxsize=1)
def subsets() -> Floats:
    """All sets of fingers as rows of 0 and 1, shape (2 ** FINGERS, FINGERS); bit k of the row's number is finger k."""
    return (np.arange(2**FINGERS)[:, None] >> np.arange(FINGERS) & 1).astype(float)


@lru_cache(maxsize=1)
def subset_pairs() -> Floats:
    """Which pairs of `PAIRS` each set holds, shape (2 ** FINGERS, pairs)."""
    sets = subsets()
    return np.stack([sets[:, i] * sets[:, j] for i, j in PAIRS], axis=1)


@dataclass
class Lanes:
    """What each candidate's fingers have done; all (rows, FINGERS), times in ms.

    usable : the key count has this finger. pressed, released : when it last did, -inf before. held : now.
    recent : (rows, RECENT, FINGERS) which fingers the last chords pressed, newest first.
    """

    usable: Bools
    pressed: Floats
    released: Floats
    held: Bools
    recent: Bools

    @classmethod
    def empty(cls, rows: int, keys: int) -> Lanes:
        """No finger has moved."""
        usable = np.zeros((rows, FINGERS), bool)
        usable[:, fingers_of(keys)] = True
        never = np.full((rows, FINGERS), -np.inf)
        return cls(usable, never, never.copy(), np.zeros_like(usable), np.zeros((rows, RECENT, FINGERS), bool))

    def copy(self) -> Lanes:
        """The same, untouched by what is played later."""
        return Lanes(*(getattr(self, name).copy() for name in self.__dataclass_fields__))

    def play(self, time: float, released: Bools, pressed: Bools, holds: Bools) -> None:
        """Let fingers go, then press some; `holds` of them stay down. All (rows, FINGERS)."""
        self.released[released] = time
        self.pressed[pressed] = time
        self.held = self.held & ~released | holds
        if pressed.any():
            self.recent[:, 1:] = self.recent[:, :-1]
            self.recent[:, 0] = pressed


def describe_fingers(lanes: Lanes, time: Floats, beat: Floats) -> Floats:
    """What the network is told of each finger before a chord at `time` (rows,) ms, (rows, FINGERS, FINGER).

    beat : (rows,) ms per beat.
    """
    since = np.minimum(time[:, None] - lanes.pressed, _NEVER)
    free = np.minimum(time[:, None] - lanes.released, _NEVER)
    rows = len(time)
    place = np.broadcast_to(_places(), (rows, FINGERS, 3))
    edge = _distance_to_edge(lanes.usable)
    return np.concatenate(
        (
            np.stack(
                (
                    lanes.usable, lanes.held, np.log(since + 20) - 5.5, np.log((since + 20) / beat[:, None]),
                    np.log(free + 20) - 5.5, edge / 3, edge == 0,
                ),
                axis=-1,
            ),
            lanes.recent.transpose(0, 2, 1),
            place,
        ),
        axis=-1,
    ) * lanes.usable[..., None]


FINGER = 7 + RECENT + 3


def _places() -> Floats:
    offset = np.arange(FINGERS) - MIDDLE
    return np.column_stack((np.abs(offset) / MIDDLE, np.sign(offset), offset == 0))


def _distance_to_edge(usable: Bools) -> Floats:
    return np.minimum(np.cumsum(usable, axis=1), np.cumsum(usable[:, ::-1], axis=1)[:, ::-1]) - 1.0


def describe_pairs(lanes: Lanes) -> Floats:
    """What is told of every pair of fingers, shape (rows, pairs, PAIR)."""
    i, j = np.array(PAIRS).T
    order = np.cumsum(lanes.usable, axis=1)
    gap: NDArray[np.int64] = order[:, j] - order[:, i]
    same_hand = np.sign(i - MIDDLE) == np.sign(j - MIDDLE)
    mirrored = i + j == FINGERS - 1
    newest = lanes.recent[:, 0]
    both, one = newest[:, i] & newest[:, j], newest[:, i] ^ newest[:, j]
    still = np.broadcast_to(np.stack((same_hand, mirrored), axis=-1), (len(gap), len(PAIRS), 2))
    return np.concatenate(
        (np.stack((gap == 1, gap == 2, gap == 3, gap > 3, both, one), axis=-1), still), axis=-1
    ).astype(float)


PAIR = 8


def describe_chords(chords: Sequence[Chord], keys: int) -> Floats:
    """What the network is told of every chord and those around it, shape (n, CHORD)."""
    n = len(chords)
    time = np.array([c.time for c in chords], float)
    beat = np.clip([c.beat for c in chords], 60.0, 6000.0)
    counts = np.array([(c.starts, c.holds, c.releases) for c in chords], float).reshape(n, 3)
    starts, holds, releases = counts.T
    since = np.clip(np.diff(time, prepend=time[:1] - _NEVER), 5.0, _NEVER)
    phase = np.array([c.tick % TICKS_PER_BEAT for c in chords]) * (2 * np.pi / TICKS_PER_BEAT)
    told = np.column_stack((np.log(since) - 5, np.log(since / beat), starts / 2, starts == 0, holds, releases))
    own = np.column_stack(
        (told, starts == 1, starts == 2, starts == 3, starts > 3, np.log(beat) - 6,
         np.sin(phase), np.cos(phase), np.sin(2 * phase), np.cos(2 * phase),
         np.full(n, keys / 5), np.full(n, keys % 2), np.full(n, keys == 4), np.full(n, keys == 7))
    )
    padded = np.concatenate((told, np.zeros((AHEAD, told.shape[1]))))
    exists = np.concatenate((np.ones(n), np.zeros(AHEAD)))
    later = [np.column_stack((padded[k : k + n], exists[k : k + n])) for k in range(1, AHEAD + 1)]
    return np.concatenate((own, *later), axis=1)


CHORD = 19 + AHEAD * 7


def beats_of(chords: Sequence[Chord]) -> Floats:
    """Beats since the first chord, (n,)."""
    time = np.array([c.time for c in chords], float)
    beat = np.clip([c.beat for c in chords], 60.0, 6000.0)
    return np.cumsum(np.diff(time, prepend=time[:1]) / beat)


def draw_set(
    scores: Floats, allowed: Bools, size: NDArray[np.int64], rng: np.random.Generator, temperature: float,
    pairs: Floats | None = None,
) -> Bools:
    """A set of `size` allowed fingers for each row, drawn with probability ~ exp(sum of scores / temperature).

    scores : (rows, FINGERS). allowed : (rows, FINGERS), at least `size` (rows,) of them. pairs : (rows, pairs),
    added for every pair in the set. Returns (rows, FINGERS).
    """
    log_mass = set_logits(scores, allowed, size, pairs) / temperature
    mass = np.cumsum(np.exp(log_mass - log_mass.max(axis=1, keepdims=True)), axis=1)
    drawn = (mass <= rng.random((len(mass), 1)) * mass[:, -1:]).sum(axis=1)
    return subsets()[np.minimum(drawn, mass.shape[1] - 1)] > 0


def set_logits(scores: Floats, allowed: Bools, size: NDArray[np.int64], pairs: Floats | None = None) -> Floats:
    """Unnormalised log probability of every set of fingers, -inf for the impossible ones, (rows, 2 ** FINGERS)."""
    sets = subsets()
    total = scores @ sets.T
    if pairs is not None:
        total = total + pairs @ subset_pairs().T
    fits = (sets.sum(axis=1) == size[:, None]) & (~allowed @ sets.T == 0)
    return np.where(fits, total, -np.inf)
