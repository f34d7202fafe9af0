"""Super timing: many hearings of a song, each shifted by chance, vote where its beats are.

Every hearing adds its beats, measures and red lines to counts per ms; peaks of the smoothed counts are beats, and where
they are missing the tempo of the neighbourhood goes on.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.mapper.sequence.peaks import find_peaks, smooth
from mapperatorinator.mapper.sequence.times import groups
from mapperatorinator.mapper.sequence.vocabulary import BEATS, TIME, Mark
from mapperatorinator.mapper.sequence.windows import RATE_PER_MS

if TYPE_CHECKING:
    from mapperatorinator.mapper.sequence.model import Model
    from mapperatorinator.settings import Settings

Floats = NDArray[np.float64]
_SIGMA, _GAIN = 10, 50
_LEAST_TENTHS, _MOST_TENTHS = 20, 100  # of a beat, in 10 ms
_NEAR_MS, _REGION_MS, _MASS_MS = 200, 200, 10
_SNAP_LOSS, _STOP_LOSS = 60, 300
_OCTAVE = 1.5
_AROUND = 3  # measures looked at on both sides


def shifts(seed: int, window_ms: float, count: int) -> list[int]:
    """By how many ms the song is moved for each hearing: at most half a window, the published program's draws."""
    half = int(window_ms) // 2
    return np.random.RandomState(seed).randint(-half, half, count).tolist()


def vote(
    hear: Callable[[NDArray[np.float32]], list[Mark]], song: NDArray[np.float32], model: Model, settings: Settings
) -> list[Mark]:  # fmt: skip
    """Marks of the beats that `settings.timer_iterations` hearings of a song agree on; none if it has no tempo."""
    ballot = Ballot(int(len(song) / RATE_PER_MS), model.profile.types_first, settings.legacy)
    for shift in shifts(settings.seed or 0, model.network.shape.window / RATE_PER_MS, settings.timer_iterations):
        samples = int(abs(shift) * RATE_PER_MS)
        shifted = np.pad(song, (samples, 0)) if shift > 0 else song[samples:]
        ballot.add(hear(shifted), shift)
    return ballot.result(settings.timer_bpm_threshold)


@dataclass
class Ballot:
    """Votes so far. length : ms of the song. legacy : look for red lines where the published program does."""

    length: int
    types_first: bool
    legacy: bool = False
    hearings: int = 0
    steps: list[tuple[int, int]] = field(default_factory=list)  # time of a beat, 10 ms up to the next
    meters: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counts = {kind: np.zeros(self.length) for kind in BEATS}

    def add(self, marks: Sequence[Mark], shift: int) -> None:
        """Count one hearing of the song that began `shift` ms later than it should."""
        self.hearings += 1
        before: tuple[int, str] | None = None
        meter: int | None = None
        for kind, attributes in groups(marks, self.types_first):
            time = next((mark.value for mark in reversed(attributes) if mark.kind == TIME), 0) - shift
            if kind.kind not in BEATS or not 0 <= time < self.length:
                continue
            self.counts[kind.kind][time] += 1
            if kind.kind == "beat":
                meter = None if meter is None else meter + 1
            else:
                if kind.kind == "measure" and meter is not None:
                    self.meters.append(meter)
                meter = 1
            cut_off = kind.kind == "timing_point" and before is not None and before[1] != "timing_point"
            if before is not None and before[0] != time and not cut_off:
                step = (time - before[0]) // 10
                if _LEAST_TENTHS < step < _MOST_TENTHS:
                    self.steps.append((before[0], step))
            before = time, kind.kind

    def result(self, threshold: float) -> list[Mark]:
        """Marks of all beats in order; none without a tempo. threshold : share of votes that makes a tempo."""
        smoothed = {kind: smooth(c, _SIGMA) / self.hearings * _GAIN for kind, c in self.counts.items()}
        signal = smoothed["beat"] + smoothed["measure"] + 2 * smoothed["timing_point"]
        peaks, heights = find_peaks(signal, 50, 0.1, 2, 51)
        if not peaks or not self.steps:
            return []
        tempos, sure = self._tempos(peaks, threshold)
        beats = sorted(_Walk(peaks, heights, tempos, sure, self.length).beats())
        mass = {kind: np.concatenate(([0.0], np.cumsum(values))) for kind, values in smoothed.items()}
        kinds = self._kinds(beats, mass)
        marks = []
        for time, kind in zip(beats, kinds, strict=True):
            pair = [Mark(kind, 0, time), Mark(TIME, time, time)]
            marks += pair if self.types_first else pair[::-1]
        return marks

    def _tempos(self, peaks: Sequence[int], threshold: float) -> tuple[list[float], list[bool]]:
        """BPM at every peak, and whether it was heard there; else it is that of the nearest peak."""
        times = np.array([time for time, _ in self.steps])
        steps = np.array([step for _, step in self.steps])
        median = 60_000 / (float(np.median(steps)) * 10)
        tempos: list[float | None] = []
        for peak in peaks:
            near = steps[(times > peak - _NEAR_MS) & (times < peak + _NEAR_MS)]
            counts = np.bincount(near, minlength=_MOST_TENTHS)
            if counts.max() > threshold * counts.sum():
                bpm = 60_000 / (int(counts.argmax()) * 10)
                bpm /= math.ceil(bpm / (_OCTAVE * median))
                tempos.append(bpm * math.ceil(median / _OCTAVE / bpm))
            else:
                tempos.append(None)
        known = [i for i, bpm in enumerate(tempos) if bpm is not None]
        filled = [
            tempos[min(known, key=lambda k: (abs(k - i), k))] if known else median for i in range(len(peaks))
        ]
        return [bpm or median for bpm in filled], [bpm is not None for bpm in tempos]

    def _kinds(self, beats: Sequence[int], mass: dict[str, Floats]) -> list[str]:
        """Which beats begin a red line or a measure."""
        weights = {kind: [_mass(sums, time) for time in beats] for kind, sums in mass.items()}
        kinds = []
        for beat, measure, red in zip(*(weights[kind] for kind in BEATS), strict=True):
            strong = red > beat and red > measure and beat + measure + red > 1
            kinds.append("timing_point" if strong else "beat")
        downs = [m + p for m, p in zip(weights["measure"], weights["timing_point"], strict=True)]
        meter = max(int(np.median(self.meters)), 1) if self.meters else 4
        wait = 0  # beats to the next measure: counted down after one, up towards one
        for i, kind in enumerate(kinds):
            if wait > 0:
                wait -= 1
            elif wait < 0:
                wait += 1
                if wait == 0 and kind != "timing_point":
                    kinds[i], wait = "measure", meter - 1
            elif kind != "timing_point":
                first = max(range(meter), key=lambda k: self._downness(i, k, meter, kinds, downs))
                if first == 0:
                    kinds[i] = "measure"
                wait = -first if first else meter - 1
        return kinds

    def _downness(self, i: int, k: int, meter: int, kinds: Sequence[str], downs: Sequence[float]) -> float:
        """How much measures begin on beat i + k, looking at the same beat of measures around."""
        found = []
        for j in range(-_AROUND, _AROUND + 1):
            at = i + j * meter + k
            if not 0 <= at < len(downs):
                continue
            between = kinds[1 : max(j, 1)] if self.legacy else kinds[min(i, at) + 1 : max(i, at)]
            if "timing_point" not in between:
                found.append(downs[at])
        return float(np.mean(found)) if found else 0.0


def _mass(sums: Floats, time: int) -> float:
    low, high = max(time - _MASS_MS, 0), min(time + _MASS_MS, len(sums) - 1)
    return float(sums[high] - sums[low])


@dataclass
class _Walk:
    """From the clearest peak on, beat by beat, until everything is covered."""

    peaks: Sequence[int]
    heights: Sequence[float]
    tempos: Sequence[float]
    sure: Sequence[bool]
    length: int

    def beats(self) -> list[int]:
        """Times of all beats in ms, in no order."""
        self.todo = sorted(range(len(self.peaks)), key=lambda i: self.heights[i])
        self.covered: list[tuple[float, float]] = []
        found: list[int] = []
        while self.todo:
            start = self.todo.pop()
            found.append(int(self.peaks[start]))
            for step in (1, -1):
                found += self._go(start, step)
        return found

    def _go(self, start: int, step: int) -> Iterable[int]:
        time, period = float(self.peaks[start]), 60_000 / self.tempos[start]
        found = []
        while True:
            before, time = time, time + step * period
            if not 0 <= time < self.length:
                self._forget(min(before, time), max(before, time))
                break
            peak, loss = self._nearest(time)
            if loss < _SNAP_LOSS:
                if (self.peaks[peak] - before) * step <= 0:
                    break  # the published program would go round in a circle
                time, period = float(self.peaks[peak]), 60_000 / self.tempos[peak]
            elif loss < _STOP_LOSS and self.sure[peak]:
                time = before
                break
            if any(low <= time <= high for low, high in self.covered):
                break
            found.append(int(time))
        origin = self.peaks[start]
        low, high = (origin, time) if step > 0 else (time, origin)
        self.covered.append((low - _REGION_MS, high + _REGION_MS))
        self._forget(low - _REGION_MS, high + _REGION_MS)
        return found

    def _nearest(self, time: float) -> tuple[int, float]:
        """The peak that pulls most, and how little: its distance in ms by its height."""
        best, least = 0, math.inf
        tallest = max(self.heights)
        middle = bisect_left(self.peaks, time)
        for order in (range(middle, len(self.peaks)), range(middle - 1, -1, -1)):
            for i in order:
                distance = abs(self.peaks[i] - time)
                if distance / tallest > least:
                    break
                loss = distance / self.heights[i]
                if loss < least or (loss == least and i < best):
                    best, least = i, loss
        return best, least

    def _forget(self, low: float, high: float) -> None:
        self.todo = [i for i in self.todo if not low <= self.peaks[i] <= high]
