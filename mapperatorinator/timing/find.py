"""From samples to red lines: track the beat, read it as constant grids, round the tempos, place the lines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mapperatorinator.audio import Audio
from mapperatorinator.beatmap import TimingPoint
from mapperatorinator.errors import UserError
from mapperatorinator.timing.constant import Array, Reading, at, measure, probability, read, settle
from mapperatorinator.timing.grid import Section, Timing, red_line
from mapperatorinator.timing.pieces import Piece, piece_beats, pieces
from mapperatorinator.timing.tempo import round_bpm
from mapperatorinator.timing.tracker import Activations, track
from mapperatorinator.timing.votes import vote

# ms to add to our grid (osu! convention) for others: "onset" is where the sound itself begins.
CONVENTIONS = {"osu": 0.0, "stepmania": 17.0, "onset": 18.5}
PLAIN = 0.25  # how far downbeats must stand out for a change of tempo to be moved onto one
QUIET = 0.1  # mean beat probability on the best grid under which there is no steady beat
SHORTEST_MS = 2_000.0
DOUBTFUL, FEW, LONG_MS = 0.35, 6, 600_000.0  # confidence under which a song of at most so many ms is heard so often
CLEARER = 0.1  # how much more confidence several hearings must give to be believed rather than the plain one
NO_BEAT = "no steady beat found in {name}; pass bpm= and offset= if you know them."


def find_timing(
    audio: Audio,
    bpm: float | None = None,
    offset: float | None = None,
    convention: str = "osu",
    votes: int | None = None,
) -> Timing:
    """The red lines of a song and the confidence in them.

    audio: the song; bpm, offset: what is known of it (beats per minute; ms of a downbeat), found if None;
    convention: whose idea of a beat's moment to follow, a key of CONVENTIONS; votes: hearings to average (super
    timing); None hears the song once, and FEW times where that leaves doubts.
    Raises UserError where no steady beat is heard and bpm and offset do not say it.
    """
    shift = shift_of(convention)
    if bpm is not None and not 1 <= bpm <= 10_000:
        raise UserError(f"A tempo of {bpm:g} BPM is not possible; give bpm between 1 and 10000.")
    if bpm is not None and offset is not None:
        return Timing.constant(bpm, offset)
    timing = None
    if audio.duration_ms >= SHORTEST_MS and np.any(audio.samples):
        timing = _heard(audio, bpm, offset, votes)
    if timing is None:
        return _without_beat(audio, bpm, offset)
    return timing.shifted(shift) if offset is None else timing


def _heard(audio: Audio, bpm: float | None, offset: float | None, votes: int | None) -> Timing | None:
    """The timing by ear; where one hearing leaves doubts, by a few, if they leave clearly fewer."""
    if votes is not None:
        return fit(vote(audio.samples, votes), bpm, offset)
    timing = fit(track(audio.samples), bpm, offset)
    if bpm is not None or (timing and timing.confidence >= DOUBTFUL) or audio.duration_ms > LONG_MS:
        return timing
    again = fit(vote(audio.samples, FEW), bpm, offset)
    if timing is None or (again and again.confidence > timing.confidence + CLEARER):
        return again
    return timing


def shift_of(convention: str) -> float:
    """ms from the osu! convention to another, a key of CONVENTIONS."""
    if convention not in CONVENTIONS:
        raise UserError(f"There is no convention {convention!r}; choose one of {', '.join(CONVENTIONS)}.")
    return CONVENTIONS[convention]


def _without_beat(audio: Audio, bpm: float | None, offset: float | None) -> Timing:
    """A known tempo starts at the first sound; without one there is nothing to say."""
    if bpm is None:
        raise UserError(NO_BEAT.format(name=audio.path.name or "this song"))
    loud = np.flatnonzero(np.abs(audio.samples) > 1e-3)
    first = 1000.0 * loud[0] / audio.sample_rate if len(loud) else 0.0
    return Timing.constant(bpm, first if offset is None else offset, confidence=0.0)


def fit(heard: Activations, bpm: float | None = None, offset: float | None = None) -> Timing | None:
    """Red lines from activations, or None if there is no steady beat in them."""
    readings = read(heard, bpm)
    if not readings or (readings[0].support < QUIET and bpm is None):
        return None
    main = readings[0]
    if offset is not None:
        return _anchored(heard, main, offset)
    found = pieces(heard, main) if bpm is None else [Piece(0.0, heard.duration_ms, main)]
    found = [_rounded(heard, piece) for piece in found] if bpm is None else found
    confidence = certainty(readings)
    points, sections = [], []
    for index, piece in enumerate(found):
        points.append(_red_line(heard, piece, first=index == 0))
        sections.append(Section(piece.start, piece.end, _section_confidence(heard, piece, confidence)))
    return Timing(tuple(points), confidence, tuple(sections))


def _anchored(heard: Activations, main: Reading, offset: float) -> Timing:
    """The heard tempo with a downbeat where the user says."""
    reading = replace(main, beat_length=60_000.0 / round_bpm(main.bpm, main.bpm * main.error / main.beat_length, heard.duration_ms))
    meter, _, _ = measure(heard, reading.beats(heard.duration_ms))
    return Timing((red_line(offset, reading.beat_length, meter),), main.support)


def _rounded(heard: Activations, piece: Piece) -> Piece:
    """The piece at a round tempo, if its fit allows one, with the phase settled anew."""
    reading = piece.reading
    error = reading.bpm * reading.error / reading.beat_length
    bpm = round_bpm(reading.bpm, error, min(piece.end, heard.duration_ms) - max(piece.start, 0.0))
    frame = int(max(piece.start, 0.0) / 10)
    curve = probability(heard.beat[frame : int(piece.end / 10) + 1])
    beats = piece_beats(piece)
    anchor = beats[len(beats) // 2] if len(beats) else reading.offset
    settled = settle(curve, anchor - frame * 10.0, 60_000.0 / bpm, fixed=True)
    moved = settled.offset + frame * 10.0
    whole = round((reading.offset - moved) / settled.beat_length)
    return replace(piece, reading=replace(reading, offset=moved + whole * settled.beat_length,
                                          beat_length=settled.beat_length))  # fmt: skip


def _red_line(heard: Activations, piece: Piece, first: bool) -> TimingPoint:
    """The piece's red line on a downbeat; the first one at the downbeat before the first heard beat."""
    beats = piece_beats(piece)
    if not len(beats):
        beats = np.array([piece.reading.offset])
    meter, place, plain = measure(heard, beats)
    downbeat = beats[0] + ((-place) % meter) * piece.reading.beat_length
    if not first:  # tempos change on downbeats; that of a piece may be heard a beat or two early or late
        late = (meter - place) % meter
        move = (late - meter if late > meter / 2 else late) if plain > PLAIN else 0
        return red_line(float(round(beats[0] + move * piece.reading.beat_length)), piece.reading.beat_length, meter)
    sounding = beats[at(probability(heard.beat), beats) > 0.3]
    start = sounding[0] if len(sounding) else beats[0]
    length = meter * piece.reading.beat_length
    offset = downbeat + np.floor((start - downbeat) / length + 1e-6) * length
    while round(offset) < 0:
        offset += length
    return red_line(float(round(offset)), piece.reading.beat_length, meter)


def certainty(readings: list[Reading]) -> float:
    """Confidence from 0 to 1: how far the best reading is ahead of the next tempo, and how clear its beats are."""
    best = readings[0]
    others = [r.score for r in readings[1:] if abs(r.beat_length / best.beat_length - 1) > 0.01]
    margin = best.score - max(others, default=best.score - 5)
    return float(np.clip(best.support * 1.2, 0, 1) / (1 + np.exp(-margin)))


def _section_confidence(heard: Activations, piece: Piece, overall: float) -> float:
    support: Array = at(probability(heard.beat), piece_beats(piece))
    return float(np.clip(1.2 * support.mean() if len(support) else 0.0, 0, 1) * overall)
