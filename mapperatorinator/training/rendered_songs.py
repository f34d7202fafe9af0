"""Songs composed and rendered by us, whose beats are known exactly: training music for the beat tracker.

``python -m mapperatorinator.training.rendered_songs FOLDER COUNT [--soundfont FILE] [--seed N] [--styles …] [--audio]`` writes
for each song `<number>.npy` (packed mel frames) and `<number>.json` (beats, downbeats, onsets; acoustic time in s),
with `--audio` also `<number>.wav`. All music is invented by a random number generator: chords, bass, melody and
drums over a grid of beats with any meter from 3 to 7, tempo changes, pickups, swing and loose playing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.audio.mel import log_mel
from mapperatorinator.training.features import pack
from mapperatorinator.training.instruments import RATE, Samples, SoundFont, Voice, synth_drums, synth_voice

# Style: lowest and highest tempo, how often it is drawn, subdivisions of a beat that parts may use.
STYLES: dict[str, tuple[float, float, float, tuple[int, ...]]] = {
    "rock": (78, 215, 5, (2, 2, 4)),
    "ballad": (54, 100, 3, (4, 4, 3, 2)),
    "four": (100, 200, 4, (4, 2, 4)),
    "hardcore": (160, 280, 1.5, (2, 4)),
    "half": (120, 200, 1.5, (2, 4)),
    "punk": (150, 260, 2, (2,)),
    "blast": (140, 300, 1.5, (2, 4)),
    "break": (150, 188, 2, (4, 2)),
    "funk": (84, 130, 2.5, (4,)),
    "riff": (76, 136, 3, (4, 4, 4, 3)),
    "bossa": (110, 180, 1, (2,)),
    "swing": (90, 240, 1.5, (3,)),
    "latin": (85, 130, 1, (4,)),
    "none": (55, 200, 5, (2, 2, 4, 3)),
    "sparse": (60, 190, 2, (2, 4)),
}
GROUPS = {2: [[2]], 3: [[3]], 4: [[2, 2]], 5: [[3, 2], [2, 3]], 6: [[3, 3], [2, 2, 2]], 7: [[2, 2, 3], [3, 2, 2]]}
SCALES = [[0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 10], [0, 2, 3, 5, 7, 9, 10], [0, 3, 5, 7, 10]]


@dataclass
class Score:
    """A song being written: beat times (s) with their place in the measure, and the mixed sound."""

    rng: np.random.Generator
    beats: list[float] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    sub: int = 4
    swing: float = 0.5
    loose: float = 0.0
    onsets: list[float] = field(default_factory=list)
    sound: Samples = field(default_factory=lambda: np.zeros(0, np.float32))

    def time(self, beat: float) -> float:
        """Seconds at a fractional beat number; the off-beat is delayed by swing."""
        whole = int(np.clip(np.floor(beat + 1e-9), 0, len(self.beats) - 2))
        part = beat - whole
        if self.swing != 0.5 and 0.0 < part < 1.0:
            part = part * self.swing * 2 if part <= 0.5 else self.swing + (part - 0.5) * (1 - self.swing) * 2
        return self.beats[whole] + part * (self.beats[whole + 1] - self.beats[whole])

    def play(self, voice: Voice, beat: float, length: float, pitch: int, velocity: float, gain: float) -> None:
        """Mix one note: start and length in beats, velocity and gain 0 to 1."""
        start = self.time(beat)
        seconds = max(0.03, self.time(beat + length) - start)
        start += self.rng.normal(0, self.loose) if self.loose else 0.0
        sound = voice(pitch, seconds, float(np.clip(velocity, 0.05, 1)))
        first = int(round(start * RATE))
        if first < 0 or first >= len(self.sound) - 1:
            return
        stop = min(len(self.sound), first + len(sound))
        self.sound[first:stop] += np.float32(gain) * sound[: stop - first]
        self.onsets.append(start)


@dataclass(frozen=True)
class Band:
    """Who plays: a voice per part, a drum kit, and how loud each is."""

    kit: dict[str, Voice]
    bass: Voice
    chords: Voice
    pad: Voice
    lead: Voice
    levels: dict[str, float]


def hire(rng: np.random.Generator, font: SoundFont | None) -> Band:
    """A random band, of soundfont voices where there is a font, else (and now and then) synthetic ones."""

    def voice(part: str) -> Voice:
        return font.voice(rng, part) if font and rng.random() < 0.8 else synth_voice(rng, part)

    kit = font.drums(rng) if font and rng.random() < 0.7 else synth_drums(rng)
    levels = {part: float(rng.uniform(0.35, 1.0)) for part in ("drums", "bass", "chords", "pad", "lead")}
    return Band(kit, voice("bass"), voice("chords"), voice("pad"), voice("lead"), levels)


def lay_beats(rng: np.random.Generator, style: str, seconds: float) -> tuple[Score, list[int]]:
    """Beat times of a song in a style, with tempo changes, and the beats that open a section."""
    low, high, _, subs = STYLES[style]
    bpm = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    bpm = round(bpm) if rng.random() < 0.5 else bpm
    odd = style in ("none", "sparse", "rock", "ballad") and rng.random() < 0.4
    meter = int(rng.choice([3, 5, 6, 7, 3, 6])) if odd else int(rng.choice([4] * 9 + [3]))
    score = Score(rng, sub=int(rng.choice(subs)))
    score.swing = {"swing": 2 / 3}.get(style, 0.5)
    if score.sub == 2 and rng.random() < 0.1:
        score.swing = float(rng.uniform(0.54, 0.66))
    score.loose = float(rng.choice([0, 0, 0, 0.002, 0.004, 0.008]))
    changes, drift = rng.random() < 0.25, rng.random() < 0.06
    time, sections = float(rng.uniform(0.05, 2.5)), []
    while time < seconds:
        sections.append(len(score.beats))
        for _ in range(int(rng.choice([4, 8, 8, 16]))):
            for place in range(meter):
                score.beats.append(time)
                score.places.append(place)
                time += 60 / bpm * (1 + 0.01 * float(rng.normal()) if drift else 1)
        if changes and rng.random() < 0.6:
            bpm = float(np.clip(bpm * rng.choice([0.75, 0.8, 4 / 3, 1.25, 1.1, 0.9, 1.5, 1.04]), low, high))
            meter = int(rng.choice([meter, meter, 3, 4])) if rng.random() < 0.3 else meter
    score.beats.append(time)
    score.places.append(0)
    score.sound = np.zeros(int((time + 2.5) * RATE), np.float32)
    return score, sections


def drum_bar(rng: np.random.Generator, style: str, meter: int, sub: int) -> list[tuple[str, float, float]]:
    """One measure of a drum pattern: (drum, beat in the measure, velocity)."""
    groups = GROUPS[meter][rng.integers(len(GROUPS[meter]))]
    starts = np.cumsum([0, *groups[:-1]]).tolist()
    backs = [start + (1 if size == 2 else int(rng.integers(1, 3))) for start, size in zip(starts, groups, strict=True)]
    hits: list[tuple[str, float, float]] = []
    step = 1 / sub
    back = str(rng.choice(["snare", "snare", "clap", "rim"]))
    cymbal = str(rng.choice(["hat", "hat", "ride", "shaker", "open"]))
    kicks: list[float] = [float(s) for s in starts]
    snares: list[float] = [float(b) for b in backs]
    rate = int(rng.choice([1, 2, sub]))
    if style in ("four", "hardcore"):
        kicks = [float(b) for b in range(meter)]
        snares = snares if rng.random() < 0.7 else []
        if rng.random() < 0.7:
            hits += [("open", b + 0.5, 0.7) for b in range(meter)]
            rate = int(rng.choice([0, 2, sub]))
    elif style == "half":
        kicks, snares = [0.0], [float(meter // 2)]
    elif style == "blast":
        kicks = [b * 0.5 for b in range(2 * meter)]
        snares = [float(b) for b in range(meter)] if rng.random() < 0.5 else [b + 0.5 for b in range(meter)]
        rate = 1
    elif style == "break" and meter == 4:
        kicks, snares = [0.0, float(rng.choice([2.5, 2.75, 1.75]))], [1.0, 3.0]
        hits += [("snare", float(rng.choice([1.75, 2.25, 3.5])), 0.35)]
    elif style == "bossa" and meter == 4:
        kicks, snares = [0, 1.5, 2, 3.5], []
        hits += [("rim", b, 0.8) for b in ((0, 1.5, 3) if rng.random() < 0.5 else (1, 2.5, 3.5))]
    elif style == "latin" and meter == 4:
        kicks, snares = [0, 1, 2, 3], [0.75, 1.5, 2.75, 3.5]
    elif style == "swing":
        kicks, snares, cymbal, rate = kicks if rng.random() < 0.5 else [], [], "ride", 1
        hits += [("ride", b + 2 / 3, 0.6) for b in backs] + [("hat", float(b), 0.6) for b in backs]
    elif style == "sparse":
        kicks, snares = kicks[:1], snares[-1:] if rng.random() < 0.5 else []
        rate = int(rng.choice([0, 0, 1, 2]))
    if style == "riff" and rng.random() < 0.35:  # drums twice as fast as the music is written
        kicks, snares, rate = [float(b) for b in range(meter)], [b + 0.5 for b in range(meter)], int(rng.choice([0, 2, 4]))
    if style in ("rock", "punk", "funk", "break", "half", "riff"):
        chance = {"funk": 0.2, "break": 0.1}.get(style, 0.12)
        kicks += [b for b in np.arange(step, meter, step).tolist() if rng.random() < chance]
        if style == "funk":
            hits += [("snare", b, 0.25) for b in np.arange(step, meter, step).tolist() if rng.random() < 0.15]
    hits += [("kick", b, 0.95) for b in kicks] + [(back, b, 0.9) for b in snares]
    if rate:
        accent = rng.uniform(0.3, 1)
        hits += [
            (cymbal, b, 0.75 if abs(b - round(b)) < 1e-6 else 0.75 * accent)
            for b in np.arange(0, meter - 1e-6, 1 / rate)
        ]
    return hits


def rhythm(rng: np.random.Generator, meter: int, sub: int, density: float) -> list[tuple[float, float]]:
    """A measure's melody rhythm: (beat, length); strong places are likelier to start a note."""
    steps = np.arange(0, meter - 1e-6, 1 / sub)
    weight = np.where(np.abs(steps - np.round(steps)) < 1e-6, 0.55, 0.22) * density
    weight[0] = 0.85
    starts = steps[rng.random(len(steps)) < weight]
    if not len(starts):
        return [(0.0, float(meter))]
    ends = np.append(starts[1:], meter)
    return [(float(a), float(b - a)) for a, b in zip(starts, ends, strict=True)]


def compose(
    rng: np.random.Generator, font: SoundFont | None, seconds: float, styles: Sequence[str] = tuple(STYLES)
) -> tuple[Score, str]:
    """A whole song of about `seconds`: sections with their own patterns, played by one band."""
    weights = np.array([STYLES[style][2] for style in styles])
    style = str(rng.choice(styles, p=weights / weights.sum()))
    score, sections = lay_beats(rng, style, seconds)
    band, root, scale = hire(rng, font), int(rng.integers(36, 48)), SCALES[rng.integers(len(SCALES))]
    chords = rng.integers(0, len(scale), (2, 4))
    for number, first in enumerate(sections):
        last = sections[number + 1] if number + 1 < len(sections) else len(score.beats) - 1
        quiet = rng.random() < (0.6 if number == 0 else 0.15)
        Section(score, band, style, root, scale, chords[number % 2], quiet).play(first, last)
    if rng.random() < 0.3 and sections:
        _pickup(score, band, root + 24, scale)
    finish(score)
    return score, style


def _pickup(score: Score, band: Band, root: int, scale: list[int]) -> None:
    """Notes before the first downbeat."""
    period = score.beats[1] - score.beats[0]
    for back in range(1, int(score.rng.integers(2, 5))):
        when = score.beats[0] - back * period / 2
        if when > 0:
            sound = band.lead(root + int(score.rng.choice(scale)), period / 2, 0.7)
            first = int(when * RATE)
            score.sound[first : first + len(sound)] += 0.5 * sound
            score.onsets.append(when)


@dataclass(frozen=True)
class Section:
    """A part of a song in which patterns repeat."""

    score: Score
    band: Band
    style: str
    root: int
    scale: list[int]
    chords: NDArray[np.int64]
    quiet: bool

    def play(self, first: int, last: int) -> None:
        """Write the beats from `first` to before `last`."""
        rng, score = self.score.rng, self.score
        bars = [b for b in range(first, last) if score.places[b] == 0]
        meters = [(bars[i + 1] if i + 1 < len(bars) else last) - bar for i, bar in enumerate(bars)]
        drums = self.style != "none" and not (self.quiet and rng.random() < 0.7)
        parts = {p: rng.random() < chance for p, chance in (("bass", 0.8), ("chords", 0.75), ("pad", 0.4), ("lead", 0.7))}
        if not (drums or parts["chords"] or parts["bass"]):
            parts["chords"] = True
        meter = meters[0] if meters[0] in GROUPS else 4
        pattern = drum_bar(rng, self.style, meter, score.sub)
        dense = self.style == "riff"
        comp = rhythm(rng, meter, score.sub if dense else min(score.sub, 3), rng.uniform(0.3, 3 if dense else 1.2))
        motif = rhythm(rng, meter, score.sub, rng.uniform(0.5, 1.6))
        low = rhythm(rng, meter, score.sub if dense else min(score.sub, 2), rng.uniform(0.5, 3 if dense else 2))
        arpeggio = rng.random() < 0.35
        for index, (bar, length) in enumerate(zip(bars, meters, strict=True)):
            if length != meter:
                continue
            chord = int(self.chords[index % 4])
            if drums:
                self._drums(pattern, bar, length, index == 0, index % 4 == 3)
            if parts["bass"]:
                self._notes(self.band.bass, "bass", bar, low, [self._pitch(chord, -12)])
            if parts["pad"]:
                self._notes(self.band.pad, "pad", bar, [(0.0, float(length))], self._triad(chord, 12))
            if parts["chords"]:
                self._chords(bar, length, chord, comp, arpeggio)
            if parts["lead"] and index % 8 != 7:
                self._melody(bar, motif, chord)

    def _pitch(self, degree: int, octave: int) -> int:
        return self.root + octave + self.scale[degree % len(self.scale)] + 12 * (degree // len(self.scale))

    def _triad(self, degree: int, octave: int) -> list[int]:
        return [self._pitch(degree + step, octave) for step in (0, 2, 4)]

    def _drums(self, pattern: list[tuple[str, float, float]], bar: int, meter: int, opening: bool, fill: bool) -> None:
        rng = self.score.rng
        fill = fill and rng.random() < 0.5
        for drum, beat, velocity in pattern:
            if not (fill and beat >= meter - 1):
                loud = velocity * rng.uniform(0.85, 1.05)
                self.score.play(self.band.kit[drum], bar + beat, 0.2, 0, loud, 0.8 * self.band.levels["drums"])
        if fill:
            for beat in np.arange(meter - 1, meter, 1 / self.score.sub):
                drum = str(rng.choice(["snare", "tom"]))
                self.score.play(self.band.kit[drum], bar + beat, 0.2, 0, 0.8, 0.7 * self.band.levels["drums"])
        if opening and rng.random() < 0.8:
            self.score.play(self.band.kit["crash"], bar, 0.2, 0, 0.9, 0.7 * self.band.levels["drums"])

    def _notes(self, voice: Voice, part: str, bar: int, notes: list[tuple[float, float]], pitches: list[int]) -> None:
        for beat, length in notes:
            for pitch in pitches:
                velocity = 0.85 if beat == 0 else 0.7
                self.score.play(voice, bar + beat, 0.9 * length, pitch, velocity, self.band.levels[part])

    def _chords(self, bar: int, meter: int, chord: int, comp: list[tuple[float, float]], arpeggio: bool) -> None:
        if not arpeggio:
            self._notes(self.band.chords, "chords", bar, comp, self._triad(chord, 12))
            return
        step = 1 / min(self.score.sub, 4)
        for index, beat in enumerate(np.arange(0, meter - 1e-6, step)):
            pitch = self._triad(chord, 12)[[0, 1, 2, 1][index % 4]]
            self._notes(self.band.chords, "chords", bar, [(float(beat), step)], [pitch])

    def _melody(self, bar: int, motif: list[tuple[float, float]], chord: int) -> None:
        degree = chord
        for beat, length in motif:
            degree += int(self.score.rng.integers(-2, 3))
            pitch = self._pitch(int(np.clip(degree, 0, 12)), 24)
            self._notes(self.band.lead, "lead", bar, [(beat, length)], [pitch])


def finish(score: Score) -> None:
    """Reverb, loudness and now and then a fade-in, in place."""
    rng, sound = score.rng, score.sound
    if rng.random() < 0.5:
        tail = rng.standard_normal(int(rng.uniform(0.1, 0.8) * RATE))
        tail *= np.exp(-np.arange(len(tail)) / RATE * rng.uniform(5, 20))
        size = 1 << (len(sound) + len(tail)).bit_length()
        wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)[: len(sound)]
        sound += (rng.uniform(0.1, 0.5) * wet / (np.abs(wet).max() + 1e-9) * np.abs(sound).max()).astype(np.float32)
    if rng.random() < 0.1:
        fade = int(rng.uniform(2, 10) * RATE)
        sound[:fade] *= np.linspace(0, 1, len(sound[:fade]), dtype=np.float32)
    sound *= np.float32(rng.uniform(0.3, 1.0) / (np.abs(sound).max() + 1e-9))
    sound += rng.normal(0, 10 ** rng.uniform(-5, -2.5), len(sound)).astype(np.float32)


def truth(score: Score, style: str) -> dict[str, object]:
    """What is known about a song, as written to its JSON file."""
    beats = np.array(score.beats)
    sounding = beats <= max(score.onsets, default=0.0) + 0.01
    return {
        "style": style,
        "seconds": len(score.sound) / RATE,
        "beats": beats[sounding].round(5).tolist(),
        "places": np.array(score.places)[sounding].tolist(),
        "onsets": np.unique(np.round(score.onsets, 3)).tolist(),
    }


def main() -> None:
    """Write COUNT songs into FOLDER (see the module's docstring)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--soundfont", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--styles", nargs="*", choices=list(STYLES), default=list(STYLES))
    parser.add_argument("--audio", action="store_true")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    font = SoundFont(asked.soundfont) if asked.soundfont else None
    for number in range(asked.count):
        rng = np.random.default_rng([asked.seed, number])
        score, style = compose(rng, font, float(rng.uniform(45, 100)), asked.styles)
        np.save(asked.folder / f"{number:04d}.npy", pack(log_mel(score.sound)))
        (asked.folder / f"{number:04d}.json").write_text(json.dumps(truth(score, style)))
        if asked.audio:
            _write_wav(asked.folder / f"{number:04d}.wav", score.sound)


def _write_wav(path: Path, sound: Samples) -> None:
    import wave

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
