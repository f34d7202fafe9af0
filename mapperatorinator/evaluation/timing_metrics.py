"""How right timing is: every figure of the quality sheet, ours and that of other trackers that are installed.

``mapperatorinator evaluate timing DIR [--json FILE] [--peers] [--limit N]``. A song on which a tracker fails counts
as the worst value of every figure.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mapperatorinator.audio import Audio, load_audio
from mapperatorinator.evaluation.rhythm import matched
from mapperatorinator.evaluation.timing_truth import Array, Truth, truths
from mapperatorinator.timing import Timing, find_timing

EXACT = 5e-4  # relative error of an exact BPM
OCTAVES = (1.0, 2.0, 0.5)
ON_BEAT = 60.0  # ms: an offset further off is another beat, which is no bias


@dataclass(frozen=True)
class Guess:
    """What a tracker says: beats and downbeats (ms; None: it gives none), its main tempo and its red lines."""

    beats: Array
    downbeats: Array | None
    bpm: float
    red_lines: int
    confidence: float


Tracker = Callable[[Audio, Truth], Guess]


@dataclass(frozen=True)
class SongFigures:
    """The figures of one song; times in ms, `None` where a figure does not apply to it."""

    name: str
    source: str
    constant: bool
    bpm_true: float
    bpm: float | None
    bpm_exact: bool | None
    bpm_octave: bool | None
    offset: float | None
    drift: float | None
    downbeat_right: bool | None
    beat_f70: float
    beat_f20: float
    downbeat_f70: float | None
    cmlt: float | None
    amlt: float | None
    extra_red_lines: int
    seconds_per_minute: float
    confidence: float
    problem: str = ""


def ours(audio: Audio, truth: Truth) -> Guess:
    """Our own tracker, asked to follow the truth's convention."""
    return as_guess(find_timing(audio, convention=truth.convention), truth, audio.duration_ms)


def as_guess(timing: Timing, truth: Truth, duration: float) -> Guess:
    """A timing as a guess: its beats where the truth has some, and the tempo that holds longest (durations in ms)."""
    start, end = _span(truth)
    edges = np.append([p.time for p in timing.points], duration)
    main = timing.points[int(np.argmax(np.diff(np.maximum(edges, 0))))]
    return Guess(
        timing.beats(start, end), timing.downbeats(start, end), 60_000 / main.beat_length, len(timing.points),
        timing.confidence,
    )  # fmt: skip


def _span(truth: Truth) -> tuple[float, float]:
    """Where beats are compared: the true ones and half a beat around."""
    lengths = np.diff(truth.beats)
    return float(truth.beats[0] - lengths[0] / 2), float(truth.beats[-1] + lengths[-1] / 2)


def measure_song(truth: Truth, tracker: Tracker) -> SongFigures:
    """All figures of one song."""
    audio = load_audio(truth.audio)
    began = time.perf_counter()
    try:
        guess, problem = tracker(audio, truth), ""
    except Exception as error:  # whatever a tracker stumbles over is its failure on this song
        guess, problem = Guess(np.zeros(0), np.zeros(0), 0.0, 0, 0.0), str(error)
    minutes = max(audio.duration_ms / 60_000, 1e-3)
    return figures(truth, guess, (time.perf_counter() - began) / minutes, problem)


def figures(truth: Truth, guess: Guess, seconds_per_minute: float = 0.0, problem: str = "") -> SongFigures:
    """The figures of a guess."""
    bpm_true = truth.timing.bpm
    ratio = guess.bpm / bpm_true
    octave = [o for o in OCTAVES if abs(ratio / o - 1) <= EXACT]
    offset, drift = apart(guess.beats, truth.beats)
    cmlt, amlt = _continuity(truth.beats, guess.beats)
    known = truth.downbeats is not None and guess.downbeats is not None
    downbeat = f_measure(truth.downbeats, guess.downbeats, 70) if known else None  # type: ignore[arg-type]
    return SongFigures(
        truth.name, truth.source, truth.constant, bpm_true, guess.bpm or None,
        bpm_exact=bool(octave and octave[0] == 1.0) if truth.constant else None,
        bpm_octave=bool(octave) if truth.constant else None,
        offset=offset if truth.constant else None,
        drift=drift if truth.constant else None,
        downbeat_right=None if downbeat is None else downbeat >= 0.9,
        beat_f70=f_measure(truth.beats, guess.beats, 70),
        beat_f20=f_measure(truth.beats, guess.beats, 20),
        downbeat_f70=downbeat, cmlt=cmlt, amlt=amlt,
        extra_red_lines=max(0, guess.red_lines - len(truth.timing.points)),
        seconds_per_minute=seconds_per_minute,
        confidence=guess.confidence, problem=problem,
    )  # fmt: skip


def apart(guess: Array, true: Array) -> tuple[float, float]:
    """Median signed and largest distance in ms of the sparser list's beats from the denser list's.

    So an error of a factor of two in tempo does not count here; no guess counts as half a beat.
    """
    if len(guess) < 2:
        half = float(np.median(np.diff(true))) / 2
        return half, half
    sparse, dense, sign = (guess, true, 1.0) if len(guess) <= len(true) else (true, guess, -1.0)
    inside = sparse[(sparse >= dense[0] - 1) & (sparse <= dense[-1] + 1)]
    if not len(inside):
        return apart(np.zeros(0), true)
    nearest = dense[_nearest(dense, inside)]
    distance = sign * (inside - nearest)
    return float(np.median(distance)), float(np.abs(distance).max())


def _nearest(sorted_times: Array, times: Array) -> np.ndarray:
    right = np.clip(np.searchsorted(sorted_times, times), 1, len(sorted_times) - 1)
    return right - (times - sorted_times[right - 1] < sorted_times[right] - times)


def f_measure(true: Array, guess: Array, window: float) -> float:
    """F1 of one-to-one matches within `window` ms, both lists sorted."""
    if not len(true) or not len(guess):
        return 0.0
    return 2 * matched(guess, true, window) / (len(true) + len(guess))


def _continuity(true: Array, guess: Array) -> tuple[float | None, float | None]:
    """CMLt and AMLt of mir_eval, where it is installed."""
    try:
        from mir_eval.beat import continuity
    except ImportError:
        return None, None
    if len(guess) < 2:
        return 0.0, 0.0
    _, cmlt, _, amlt = continuity(true / 1000, guess / 1000)
    return float(cmlt), float(amlt)


def summary(rows: Sequence[SongFigures]) -> dict[str, Any]:
    """The figures of a list of songs; those of tempo and offset are over songs of constant tempo."""

    def share(values: list[bool | None]) -> float | None:
        known = [value for value in values if value is not None]
        return round(float(np.mean(known)), 4) if known else None

    def mean(values: list[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return round(float(np.mean(known)), 4) if known else None

    offsets = np.array([row.offset for row in rows if row.offset is not None])
    right = offsets[np.abs(offsets) < ON_BEAT] if len(offsets) else offsets
    varied = [row for row in rows if not row.constant]
    return {
        "songs": len(rows),
        "constant": sum(row.constant for row in rows),
        "failed": sum(bool(row.problem) for row in rows),
        "bpm_exact": share([row.bpm_exact for row in rows]),
        "bpm_octave": share([row.bpm_octave for row in rows]),
        "offset_abs_median_ms": _rounded(np.median, np.abs(offsets)),
        "offset_abs_p95_ms": _rounded(lambda v: np.percentile(v, 95), np.abs(offsets)),
        "offset_bias_ms": _rounded(np.mean, right),
        "drift_ok": share([row.drift <= 5.0 if row.drift is not None else None for row in rows]),
        "drift_10ms": share([row.drift <= 10.0 if row.drift is not None else None for row in rows]),
        "downbeat_right": share([row.downbeat_right for row in rows]),
        "beat_f70": mean([row.beat_f70 for row in rows]),
        "beat_f20": mean([row.beat_f20 for row in rows]),
        "downbeat_f70": mean([row.downbeat_f70 for row in rows]),
        "cmlt": mean([row.cmlt for row in rows]),
        "amlt": mean([row.amlt for row in rows]),
        "extra_red_lines_constant": mean([float(row.extra_red_lines) for row in rows if row.constant]),
        "extra_red_lines_variable": mean([float(row.extra_red_lines) for row in varied]),
        "seconds_per_minute": mean([row.seconds_per_minute for row in rows]),
    }


def _rounded(function: Callable[[Array], Any], values: Array) -> float | None:
    return round(float(function(values)), 2) if len(values) else None


def evaluate(found: Sequence[Truth], trackers: dict[str, Tracker]) -> dict[str, list[SongFigures]]:
    """Figures of every song for every tracker."""
    return {name: [measure_song(truth, tracker) for truth in found] for name, tracker in trackers.items()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `evaluate timing`."""
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--peers", action="store_true", help="measure other installed trackers too")
    parser.add_argument("--limit", type=int, help="measure only so many songs, spread over the list")


def run(given: argparse.Namespace) -> int:
    """Measure and print; returns the exit code."""
    found = [truth for folder in given.folders for truth in truths(folder)]
    if given.limit and given.limit < len(found):
        found = [found[i] for i in np.linspace(0, len(found) - 1, given.limit).astype(int)]
    trackers: dict[str, Tracker] = {"mapperatorinator": ours}
    if given.peers:
        from mapperatorinator.evaluation.timing_peers import installed

        trackers.update(installed())
    find_timing(load_audio(found[0].audio), 120.0)  # start-up is not part of the time per song
    results = evaluate(found, trackers)
    report = {name: _report(rows) for name, rows in results.items()}
    for name, figures in report.items():
        _print(name, figures)
    if given.json:
        given.json.write_text(json.dumps({**report["mapperatorinator"], "peers": report}, indent=1) + "\n")
    return 0


def _report(rows: list[SongFigures]) -> dict[str, Any]:
    sources = sorted({row.source for row in rows})
    by_source = {source: summary([row for row in rows if row.source == source]) for source in sources}
    return {"summary": {**summary(rows), "by_source": by_source}, "songs": [vars(row) for row in rows]}


def _print(name: str, figures: dict[str, Any]) -> None:
    by_source = figures["summary"].pop("by_source")
    columns = {"all": figures["summary"], **by_source}
    print(f"\n{name}\n" + " " * 28 + "".join(f"{title:>12}" for title in columns))
    for key in figures["summary"]:
        cells = ("–" if column[key] is None else f"{column[key]:g}" for column in columns.values())
        print(f"{key:28}" + "".join(f"{cell:>12}" for cell in cells))
    figures["summary"]["by_source"] = by_source
    for row in figures["songs"]:
        if row["problem"] or row["bpm_exact"] is False or row["beat_f70"] < 0.9:
            got = f"{row['bpm']:.3f}" if row["bpm"] else "none"
            print(f"  {row['source']}/{row['name'][:48]}: {row['bpm_true']:.3f} BPM, got {got}, "
                  f"F {row['beat_f70']:.2f} {row['problem']}")  # fmt: skip
