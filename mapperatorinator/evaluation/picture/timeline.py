"""Time in pictures: measures and beats, the snap that an object is on, how strong the music's onsets are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.audio import Audio
from mapperatorinator.audio.onset import HOP_MS, onset_strength
from mapperatorinator.beatmap import Beatmap
from mapperatorinator.evaluation.patterns.common import timing_of
from mapperatorinator.evaluation.picture.canvas import (
    ACCENT,
    FAINT,
    FRAME,
    PANEL,
    SNAP_COLOURS,
    UNSNAPPED,
    Canvas,
    Rgb,
)
from mapperatorinator.timing import Timing

SNAP_MS = 5.0
KIAI: Rgb = (255, 130, 60)


@dataclass(frozen=True)
class Moments:
    """The stretch of a song that is drawn.

    start, end : ms. timing : the grid. kiai : (start, end) in ms. onsets : strength 0..1 every 10 ms.
    """

    start: float
    end: float
    timing: Timing
    kiai: tuple[tuple[float, float], ...] = ()
    onsets: NDArray[np.float64] | None = None

    def lines(self, start: float, end: float, divisor: int = 4) -> Iterator[tuple[float, int, bool]]:
        """Grid lines in [start, end): time, the snap they belong to (1, 2, 4…), whether a measure starts."""
        first = float(np.ceil(self.timing.beat_at(start) * divisor - 1e-6))
        last = float(self.timing.beat_at(end)) * divisor
        if last - first > 4000:
            return
        for tick in np.arange(first, last):
            time = float(self.timing.time_of(tick / divisor))
            if start - 1e-6 <= time < end:
                snap = _smallest_snap(int(tick) % divisor, divisor)
                yield time, snap, snap == 1 and float(self.timing.beat_in_measure(tick / divisor)) < 1e-6

    def snap_colour(self, time: float) -> Rgb:
        """The colour of the snap that `time` lies on."""
        beat = float(self.timing.beat_at(time))
        for snap, colour in SNAP_COLOURS.items():
            if abs(float(self.timing.time_of(round(beat * snap) / snap)) - time) <= SNAP_MS:
                return colour
        return UNSNAPPED

    def cuts(self, seconds: float) -> list[tuple[float, float]]:
        """The stretch in pieces of about `seconds`, cut at measures where these are near enough.

        The last piece is a whole one, so that all are drawn to one scale.
        """
        pieces: list[tuple[float, float]] = []
        at = self.start
        while at < self.end - 500 * seconds or not pieces:
            downbeats = self.timing.downbeats(at + 600 * seconds, at + 1500 * seconds)
            wanted = at + 1000 * seconds
            stop = float(downbeats[np.argmin(np.abs(downbeats - wanted))]) if len(downbeats) else wanted
            pieces.append((at, stop))
            at = stop
        return pieces

    def curve(self, start: float, end: float, points: int) -> NDArray[np.float64] | None:
        """Onset strength at `points` moments of [start, end], the largest of each; None without audio."""
        if self.onsets is None or not len(self.onsets):
            return None
        edges = np.clip(np.linspace(start, end, points + 1) / HOP_MS, 0, len(self.onsets) - 1).astype(int)
        spans = zip(edges[:-1], edges[1:], strict=True)
        return np.array([self.onsets[a : max(a + 1, b)].max() for a, b in spans])


def moments(beatmap: Beatmap, start: float, seconds: float, audio: Audio | None = None) -> Moments:
    """The stretch of `seconds` from `start` (seconds; moved back to the start of its measure)."""
    timing = timing_of(beatmap)
    before = timing.downbeats(start * 1000 - 8000, start * 1000 + 1)
    at = float(before[-1]) if len(before) else start * 1000
    onsets = onset_curve(audio) if audio is not None else None
    return Moments(at, at + seconds * 1000, timing, tuple(kiai_spans(beatmap)), onsets)


def kiai_spans(beatmap: Beatmap) -> Iterator[tuple[float, float]]:
    """Where kiai is on, (start, end) in ms."""
    begun: float | None = None
    for point in beatmap.timing_points:
        if point.kiai and begun is None:
            begun = point.time
        elif not point.kiai and begun is not None:
            yield begun, point.time
            begun = None
    if begun is not None:
        yield begun, max((o.time for o in beatmap.hit_objects), default=begun)


def onset_curve(audio: Audio) -> NDArray[np.float64]:
    """Onset strength every 10 ms as a share, 0..1, of the song's strong ones."""
    strength = onset_strength(audio.samples).astype(np.float64)
    return np.clip(strength / max(float(np.percentile(strength, 99.5)), 1e-9), 0, 1)


def draw_timeline(
    canvas: Canvas, when: Moments, span: tuple[float, float], box: tuple[float, float, float, float]
) -> None:
    """A strip of [span) with onset curve, snap-coloured lines and kiai, in a box (x, y, width, height)."""
    start, end = span
    x, y, w, h = box
    canvas.box(x, y, w, h, fill=PANEL)
    curve = when.curve(start, end, max(2, int(w / 2)))
    if curve is not None:
        step = w / len(curve)
        outline = [(x + i * step, y + h - value * (h - 2)) for i, value in enumerate(curve)]
        canvas.polygon([(x, y + h), *outline, (x + w, y + h)], ACCENT, 0.42)
    for time, snap, measure in when.lines(start, end):
        at = x + (time - start) / (end - start) * w
        height = h if measure else h * (0.6 if snap == 1 else 0.4 if snap == 2 else 0.25)
        colour = SNAP_COLOURS[snap] if snap > 1 or measure else FAINT
        canvas.line([(at, y + h - height), (at, y + h)], colour, 1.4 if measure else 1.0, 0.9)
    for begun, ended in when.kiai:
        if begun < end and ended > start:
            left = x + max(begun - start, 0) / (end - start) * w
            right = x + min((ended - start) / (end - start), 1) * w
            canvas.box(left, y, right - left, 2.5, fill=KIAI)
    canvas.box(x, y, w, h, outline=FRAME)


def clock(time: float) -> str:
    """A time in ms as the editor writes it, mm:ss:fff."""
    ms = max(0, round(time))
    return f"{ms // 60000:02d}:{ms // 1000 % 60:02d}:{ms % 1000:03d}"


def _smallest_snap(tick: int, divisor: int) -> int:
    for snap in SNAP_COLOURS:
        if divisor % snap == 0 and tick * snap % divisor == 0:
            return snap
    return divisor
