"""Songs whose tempo changes: the fewest constant grids that explain the beat curve.

The likeliest beat path is covered with straight lines, each line is settled on the beat curve, and neighbours
that one grid explains as well are joined again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mapperatorinator.timing.constant import (
    CLIP,
    FASTEST,
    SLOWEST,
    Array,
    Reading,
    around,
    explained,
    probability,
    score,
    settle,
)
from mapperatorinator.timing.lines import Line, straight_lines
from mapperatorinator.timing.path import beat_path, usual_length
from mapperatorinator.timing.tracker import COARSE, FRAME_MS, Activations

SHARED = 15.0  # ms within which two grids have a beat in common
JOIN_PRICE = 12.0  # log-odds that a further red line must gain to be kept
SAME_TEMPO_PRICE = 90.0  # … where it keeps the tempo and only moves the beat
SAME_TEMPO = 0.003
OTHER_TEMPO = 0.2  # log ratio from which another main tempo is worth a path of its own …
DOUBTFUL = 0.35  # … where the best constant reading's beats are no likelier, or explain no more, than this
LONG_ENOUGH, CLEARLY = 6000.0, 1.5  # ms of music, and score, for changing a piece's octave


@dataclass(frozen=True)
class Piece:
    """A constant grid over [start, end) ms; `reading.offset` is its first beat, in song time."""

    start: float
    end: float
    reading: Reading


def pieces(heard: Activations, main: Reading) -> list[Piece]:
    """Split a song into constant pieces, starting from its main reading; one piece if one is enough."""
    beats, weights, total = beat_path(heard, main.beat_length)
    usual = usual_length(heard)
    share = explained(probability(heard.beat), main.beats(heard.duration_ms))
    if min(main.support, share) < DOUBTFUL and abs(np.log(usual / main.beat_length)) > OTHER_TEMPO:
        others = beat_path(heard, usual)
        if others[2] > total:
            beats, weights, _ = others
    whole = [Piece(0.0, heard.duration_ms, main)]
    if len(beats) < 8:
        return whole
    found = [_piece(heard, beats, line) for line in straight_lines(beats, weights)]
    found = _join_all(heard, _stretched(found, heard.duration_ms))
    found = [_in_best_octave(heard, piece) for piece in found]
    price = sum(min(_price(a, b), 1e3) for a, b in zip(found[:-1], found[1:], strict=True))
    return found if gain(heard, found) - price > gain(heard, whole) else whole


def gain(heard: Activations, found: list[Piece]) -> float:
    """Log-odds total of the beats of a list of pieces."""
    return float(sum(_gain(heard, piece) for piece in found))


def _gain(heard: Activations, piece: Piece) -> float:
    beats = piece_beats(piece)
    level = around(np.clip(heard.beat, -2.0, CLIP), beats)
    return float(level.sum()) + 0.5 * len(beats)


def piece_beats(piece: Piece) -> Array:
    """The beats of a piece within its bounds, in ms; one that falls on the end belongs to the next piece."""
    length, offset = piece.reading.beat_length, piece.reading.offset
    first = np.ceil((piece.start - offset) / length - 0.05)
    last = np.ceil((piece.end - offset) / length - 0.05)
    return offset + np.arange(first, last) * length


def _piece(heard: Activations, beats: Array, line: Line) -> Piece:
    start, end = beats[line.first], beats[line.last - 1]
    return Piece(float(start), float(end) + line.beat_length, _settled(heard, start, end, line.offset, line.beat_length))


def _settled(heard: Activations, start: float, end: float, offset: float, length: float) -> Reading:
    """Settle a grid on the part of the song between two beats."""
    first = max(0.0, start - 0.4 * length)
    frame = int(first / FRAME_MS)
    curve = probability(heard.beat[frame : int((end + 0.4 * length) / FRAME_MS) + 1])
    if len(curve) < 8:
        return Reading(offset, length)
    reading = settle(curve, offset - frame * FRAME_MS, length, rounds=5)
    if abs(reading.beat_length / length - 1) > 0.03 or reading.support == 0:
        return Reading(offset, length)
    moved = reading.offset + frame * FRAME_MS
    return replace(reading, offset=moved + round((start - moved) / reading.beat_length) * reading.beat_length)


def _stretched(found: list[Piece], duration: float) -> list[Piece]:
    """Let each piece begin on its first beat and end where the next begins; the ends reach the song's.

    The beat on which the tempo changes lies on both grids: it belongs to the later one.
    """
    found = [found[0], *(_from_shared_beat(a, b) for a, b in zip(found[:-1], found[1:], strict=True))]
    starts = [0.0, *(piece.reading.offset for piece in found[1:])]
    ends = [*starts[1:], duration]
    return [Piece(a, b, piece.reading) for a, b, piece in zip(starts, ends, found, strict=True) if b > a]


def _from_shared_beat(before: Piece, piece: Piece) -> Piece:
    earlier = piece.reading.offset - piece.reading.beat_length
    beats = (earlier - before.reading.offset) / before.reading.beat_length
    shared = beats > 0 and abs(beats - round(beats)) * before.reading.beat_length < SHARED
    return replace(piece, reading=replace(piece.reading, offset=earlier)) if shared else piece


def _join_all(heard: Activations, found: list[Piece]) -> list[Piece]:
    """Join neighbours, the cheapest pair first, as long as a joint grid loses less than a red line's price."""
    while len(found) > 1:
        tries = [(_joint(heard, a, b), i) for i, (a, b) in enumerate(zip(found[:-1], found[1:], strict=True))]
        losses = [
            gain(heard, found[i : i + 2]) - _gain(heard, joint) if joint else np.inf for joint, i in tries
        ]
        losses = [loss - _price(a, b) for loss, a, b in zip(losses, found[:-1], found[1:], strict=True)]
        best = int(np.argmin(losses))
        joint = tries[best][0]
        if losses[best] > 0 or joint is None:
            break
        found = [*found[:best], joint, *found[best + 2 :]]
    return found


def _price(a: Piece, b: Piece) -> float:
    """What the red line between two neighbours must gain; music does not fall from the beat onto the off-beat."""
    length = a.reading.beat_length
    if abs(b.reading.beat_length / length - 1) > SAME_TEMPO:
        return JOIN_PRICE
    apart = (b.reading.offset - a.reading.offset) / length % 1.0
    return np.inf if abs(apart - 0.5) < 0.08 else SAME_TEMPO_PRICE


def _in_best_octave(heard: Activations, piece: Piece) -> Piece:
    """The piece read twice or half as fast where that is clearly likelier: the path keeps to one octave."""
    if piece.end - piece.start < LONG_ENOUGH:
        return piece
    start = max(0.0, piece.start) // FRAME_MS // COARSE * COARSE * FRAME_MS
    part = heard.cut(start, piece.end)
    curve = probability(part.beat)
    length, offset = piece.reading.beat_length, piece.reading.offset - start
    tries = [(length, offset), (length / 2, offset), (2 * length, offset), (2 * length, offset + length)]
    scored = [score(part, curve, replace(piece.reading, beat_length=b, offset=o)) for b, o in tries]
    best = max(scored, key=lambda reading: reading.score)
    if best.score < scored[0].score + CLEARLY or not SLOWEST <= best.bpm <= FASTEST:
        return piece
    return replace(piece, reading=replace(best, offset=best.offset + start))


def _joint(heard: Activations, a: Piece, b: Piece) -> Piece | None:
    """One grid over two neighbours, grown from the longer one, or None if their tempos differ too much."""
    longer = a if a.end - a.start >= b.end - b.start else b
    length = longer.reading.beat_length
    ratio = b.reading.beat_length / a.reading.beat_length
    count = round((b.reading.offset - a.reading.offset) / length)
    if count < 1 or abs(ratio - 1) > 0.04:
        return None
    guess = (b.reading.offset - a.reading.offset) / count
    if abs(guess / length - 1) > 0.02:
        guess = length
    return Piece(a.start, b.end, _settled(heard, max(a.start, 0.0), b.end, longer.reading.offset, guess))
