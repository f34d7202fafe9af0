"""The demo song, composed in code: python bench/demo_song.py

"Paper Comets", 150 BPM, C major / A minor: 4 bars of intro, 8 of verse, 4 of build, 12 of chorus, 4 of outro.
Written for this project and released under CC0, so that anybody may ship, map and change it. The command
writes mapperatorinator/demo/demo.mp3 and demo.json (tempo, first beat, sections) anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import demo_synth as synth
import numpy as np
from demo_synth import RATE, Wave

TITLE, ARTIST = "Paper Comets", "Mapperatorinator"
BPM, FIRST_BEAT, TAIL = (
    150.0,
    0.5,
    2.2,
)  # seconds of silence before the first beat, of echo after the last bar
BEAT = 60.0 / BPM
STEP, BAR = BEAT / 4, 4 * BEAT
SECTIONS = {"intro": 4, "verse": 8, "build": 4, "chorus": 12, "outro": 4}
FOLDER = Path(__file__).parent.parent / "mapperatorinator" / "demo"

CHORDS = {
    "F": [53, 57, 60, 64],
    "G": [55, 59, 62, 65],
    "Em": [52, 55, 59, 64],
    "Am": [57, 60, 64, 67],
    "C": [55, 60, 64, 67],
    "Dm": [50, 57, 60, 65],
    "E": [52, 56, 59, 64],
}
ROOTS = {"F": 41, "G": 43, "Em": 40, "Am": 45, "C": 36, "Dm": 38, "E": 40}
HARMONY = {
    "intro": "Am F C G",
    "verse": "Am F C G Am F Dm E",
    "build": "Dm Em F G",
    "chorus": "F G Em Am F G C C F G Am G",
    "outro": "F G Am C",
}
NOTES = "C C# D D# E F F# G G# A A# B"
# Notes with their lengths in eighths, a bar between bars; "-" rests.
MELODY = {
    "verse": "E5 1 - 1 D5 1 C5 1 A4 2 - 2 | - 1 C5 1 D5 1 E5 2 C5 1 - 2 | G4 2 - 1 C5 1 D5 1 E5 1 - 2 |"
    " D5 3 B4 1 - 2 G4 1 B4 1 | E5 1 - 1 D5 1 C5 1 A4 1 C5 1 E5 1 A5 1 | G5 2 F5 1 E5 2 C5 1 - 2 |"
    " F5 1 E5 1 D5 1 F5 2 E5 1 D5 1 C5 1 | B4 3 C5 1 B4 2 G#4 2",
    "build": "| | | - 6 E4 1 G4 1",
    "chorus": "A4 2 C5 1 D5 2 C5 1 E5 2 | D5 3 B4 1 G4 2 B4 1 D5 1 | E5 3 D5 1 B4 1 D5 1 E5 1 G5 1 |"
    " A5 2 G5 1 E5 3 C5 1 D5 1 | E5 1 F5 1 E5 1 C5 2 A4 1 C5 1 E5 1 | G5 3 F5 1 E5 1 D5 2 B4 1 |"
    " C5 2 E5 1 G5 2 C6 1 B5 1 G5 1 | E5 4 - 1 C5 1 D5 1 E5 1 |"
    " A5 2 G5 1 A5 2 C6 1 A5 1 G5 1 | B5 3 A5 1 G5 1 D5 1 G5 1 B5 1 | C6 2 B5 1 A5 2 E5 1 A5 1 B5 1 |"
    " D6 2 B5 1 G5 2 D5 1 B4 1 G4 1",
    "outro": "A4 2 C5 2 E5 2 C5 2 | D5 2 B4 2 G4 4 | A4 2 C5 2 E5 2 G5 2 | C6 8",
}
# One sign a sixteenth; a bar of "fill" ends each section.
DRUMS = {
    "intro": {"hat": "x...x...x...x.x."},
    "verse": {"kick": "x.....x.x.x.....", "snare": "....x.......x...", "hat": "x.x.x.xxx.x.x.x."},
    "build": {"kick": "x...x...x...x...", "snare": "x...x...x...x...", "hat": "..x...x...x...x."},
    "chorus": {
        "kick": "x...x...x...x.x.",
        "snare": "....x.......x...",
        "clap": "....x.......x...",
        "hat": "xxx.xxx.xxx.xxx.",
        "open": "..x...x...x...x.",
    },
    "outro": {"kick": "x.......x.......", "hat": "x...x...x...x..."},
    "fill": {"kick": "x...x...x.......", "snare": "....x..x..x.xxxx", "tom": "........x.xx...."},
}
LEVELS = {"kick": 0.95, "snare": 0.5, "clap": 0.42, "hat": 0.15, "open": 0.16, "tom": 0.5, "crash": 0.3}


class Mix:
    """Tracks of (2, n) sound that notes are added to, in bars counted from the first beat."""

    def __init__(self) -> None:
        self.size = round((FIRST_BEAT + sum(SECTIONS.values()) * BAR + TAIL) * RATE)
        self.tracks: dict[str, Wave] = {}

    def add(self, track: str, bar: float, sound: Wave, level: float = 1.0, pan: float = 0.0) -> None:
        """Add a note; pan: -1 left to 1 right."""
        line = self.tracks.setdefault(track, np.zeros((2, self.size)))
        at = round((FIRST_BEAT + bar * BAR) * RATE)
        both = np.broadcast_to(sound, (2, sound.shape[-1]))[:, : self.size - at]
        line[:, at : at + both.shape[1]] += level * both * np.array([[min(1, 1 - pan)], [min(1, 1 + pan)]])


def main() -> None:
    """Render the song and write it with the facts that tests rely on."""
    song = render()
    FOLDER.mkdir(exist_ok=True)
    write_mp3(song, FOLDER / "demo.mp3")
    sections, bar = {}, 0
    for name, bars in SECTIONS.items():
        sections[name] = [round(1000 * (FIRST_BEAT + at * BAR)) for at in (bar, bar + bars)]
        bar += bars
    facts = {
        "title": TITLE,
        "artist": ARTIST,
        "bpm": BPM,
        "offset_ms": 1000 * FIRST_BEAT,
        "meter": 4,
        "duration_ms": round(1000 * song.shape[1] / RATE),
        "sections_ms": sections,
    }
    (FOLDER / "demo.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def render() -> Wave:
    """The whole song, (2, n) within ±1."""
    mix = Mix()
    bar = 0
    for name, bars in SECTIONS.items():
        chords = HARMONY[name].split()
        for number in range(bars):
            write_chord(mix, name, bar + number, chords[number % len(chords)], number / bars)
        write_melody(mix, name, bar)
        write_drums(mix, name, bar, bars)
        bar += bars
    return master(mix)


def write_chord(mix: Mix, section: str, bar: int, name: str, progress: float) -> None:
    """Pad, arpeggio and bass of one bar; progress: 0 to 1 through the section."""
    chord, root = CHORDS[name], ROOTS[name]
    last = bar == sum(SECTIONS.values()) - 1
    bright = {"intro": 900 + 2500 * progress, "build": 1500 + 6500 * progress, "chorus": 7000}.get(
        section, 2200
    )
    level = {"chorus": 0.5, "build": 0.4}.get(section, 0.34)
    breath = section == "build" and progress >= 0.75  # all but the tune is silent on the last beat
    mix.add(
        "pad", bar, synth.pad(chord, 0.74 * BAR if breath else BAR + (1.4 if last else 0.02), bright), level
    )
    if not last:
        write_arpeggio(mix, section, bar, chord, progress)
    for step, length, octave in bass_line(section, last)[: 6 if breath else None]:
        mix.add("bass", bar + step / 16, synth.bass(root + octave, length * STEP * 0.95), 0.55)


def bass_line(section: str, last: bool) -> list[tuple[int, int, int]]:
    """(step, steps, semitones above the root) of a bar."""
    if last:
        return [(0, 16, 0)]
    if section == "chorus":  # off the beat, where the kick leaves room, with an octave jump
        return [
            (0, 2, 0),
            (2, 2, 12),
            (4, 2, 0),
            (6, 2, 12),
            (8, 2, 0),
            (10, 2, 12),
            (12, 2, 0),
            (14, 1, 12),
            (15, 1, 7),
        ]
    if section == "verse":
        return [(0, 5, 0), (6, 2, 0), (8, 2, 0), (10, 3, 12), (14, 2, 7)]
    if section == "build":
        return [(step, 2, 0) for step in range(0, 16, 2)]
    return [(0, 15, 0)] if section == "outro" else []


def write_arpeggio(mix: Mix, section: str, bar: int, chord: list[int], progress: float) -> None:
    """Broken chords in the pattern of the section."""
    notes = [note + 12 for note in chord] + [chord[0] + 24]
    order = {"verse": "0.2.3.2.1.3.2.3.", "outro": "0..2..3.4...2..."}.get(section, "0231423124314234")
    level = {"intro": 0.14 + 0.1 * progress, "build": 0.2, "chorus": 0.15}.get(section, 0.17)
    bright = 2500 + 7000 * (progress if section in ("intro", "build") else 0.6)
    lift = 12 if section == "build" and progress >= 0.5 else 0
    for step, sign in enumerate(order):
        if sign != "." and not (section == "build" and progress >= 0.75 and step >= 12):
            note = synth.pluck(notes[int(sign)] + lift, STEP, bright)
            mix.add("arpeggio", bar + step / 16, note, level, pan=0.5 * (-1) ** (step // 2))


def write_melody(mix: Mix, section: str, start: int) -> None:
    """The tune of a section: electric piano in verse and outro, lead in the chorus and before it."""
    for number, notes in enumerate(MELODY.get(section, "").split("|")):
        step = 0.0
        words = notes.split()
        for name, eighths in zip(words[::2], map(float, words[1::2]), strict=True):
            if name != "-":
                midi, at, length = midi_of(name), start + number + step / 8, eighths * BEAT / 2
                if section in ("build", "chorus"):
                    mix.add("lead", at, synth.lead(midi, length * 0.94), 0.3)
                    if section == "chorus" and number >= 8:  # an octave below joins at the end
                        mix.add("lead", at, synth.lead(midi - 12, length * 0.94), 0.16)
                else:
                    mix.add("keys", at, synth.keys(midi, length), 0.34, pan=0.15)
            step += eighths
        if words and step != 8:
            raise ValueError(f"Bar {number} of the {section} has {step} eighths.")


def midi_of(name: str) -> int:
    """MIDI number of a name like G#4."""
    return 12 * (int(name[-1]) + 1) + NOTES.split(" ").index(name[:-1])


def write_drums(mix: Mix, section: str, start: int, bars: int) -> None:
    """The beat of a section: its pattern, a fill in the last bar, a roll in the build, cymbals at the seams."""
    makers: dict[str, Callable[[], Wave]] = {
        "kick": synth.kick,
        "snare": synth.snare,
        "clap": synth.clap,
        "hat": lambda: synth.hat(0.022),
        "open": lambda: synth.hat(0.09),
    }
    for bar in range(bars - (section == "outro")):
        fill = bar == bars - 1 and section in ("verse", "chorus")
        patterns = dict(DRUMS["fill" if fill else section])
        if section == "intro" and bar < 1:
            continue
        if section == "build":
            patterns["snare"] = (
                "x...x...x...x...",
                "x...x...x...x...",
                "x.x.x.x.x.x.x.x.",
                "xxxxxxxxxxxx....",
            )[bar]
            if bar == 3:  # the last beat holds its breath
                patterns |= {"kick": "x...x...x.......", "hat": "................"}
        for drum, pattern in patterns.items():
            for step, sign in enumerate(pattern):
                if sign == "x":
                    accent = 1.0 if step % 4 == 0 or drum not in ("hat", "snare") else 0.7
                    growth = 0.6 + 0.1 * (bar + step / 16) if section == "build" and drum == "snare" else 1.0
                    sound = synth.tom(53 - step) if drum == "tom" else makers[drum]()
                    where = start + bar + step / 16
                    mix.add(
                        "kick" if drum == "kick" else "drums", where, sound, LEVELS[drum] * accent * growth
                    )
    if section in ("verse", "chorus", "outro"):
        mix.add("drums", start, synth.crash(), LEVELS["crash"] * (1.2 if section == "chorus" else 0.7))
    if section == "chorus":
        mix.add("drums", start + 8, synth.crash(), LEVELS["crash"])
    if section == "build":
        mix.add("riser", start + 1, synth.riser(2.75 * BAR), 0.35)
    if section == "outro":
        mix.add("kick", start + bars - 1, synth.kick(), LEVELS["kick"])
        mix.add("drums", start + bars - 1, synth.crash(), LEVELS["crash"])


def master(mix: Mix) -> Wave:
    """Duck under the kick, add echo and hall, balance, and set the loudness to about -13 dB (RMS of loud parts)."""
    tracks = mix.tracks
    duck = synth.ducking(tracks["kick"][0], 0.8 * BEAT)
    echo = round(0.75 * BEAT * RATE)
    delayed = np.zeros_like(tracks["lead"])
    for number, level in ((1, 0.3), (2, 0.16)):
        delayed[:, number * echo :] += level * np.roll(tracks["lead"], number, axis=0)[:, : -number * echo]
    tracks["lead"] += synth.filtered(delayed, low=300, high=3500, order=1)
    music = synth.filtered(tracks["pad"], low=140) * duck
    music += tracks["bass"] * (0.35 + 0.65 * duck) + tracks["riser"]
    for name in ("arpeggio", "keys", "lead"):
        music += synth.filtered(tracks[name], low=180) * (0.6 + 0.4 * duck)
    wet = synth.room(
        tracks["lead"]
        + 1.2 * tracks["keys"]
        + tracks["arpeggio"]
        + 0.35 * tracks["drums"]
        + 0.4 * tracks["pad"]
    )
    song = music + tracks["kick"] + tracks["drums"] + 0.28 * wet
    song = synth.filtered(song, low=28, order=1) + 0.45 * synth.filtered(
        song, low=5000
    )  # warm, then brighter
    loud = np.sqrt(np.mean(np.square(song.mean(axis=0))[RATE * 27 : RATE * 45]))
    song = np.tanh(song * (10 ** (-12.5 / 20) / loud))  # rounds the peaks of the drums
    fade = np.clip((mix.size - np.arange(mix.size)) / (1.2 * RATE), 0, 1)
    return song * fade * (10 ** (-1.5 / 20) / np.abs(song).max())


def write_mp3(song: Wave, path: Path) -> None:
    """Encode with 128 kbit/s; mp3, because the game plays it and the checks of beatmaps ask for it."""
    import av

    with av.open(str(path), "w", format="mp3", options={"fflags": "+bitexact"}) as media:
        media.metadata.update({"title": TITLE, "artist": ARTIST, "album": ARTIST, "comment": "CC0 1.0"})
        stream = media.add_stream("libmp3lame", rate=RATE, layout="stereo")
        stream.bit_rate = 128_000
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(song, np.float32), "fltp", "stereo")
        frame.sample_rate, frame.pts = RATE, 0
        media.mux(stream.encode(frame))
        media.mux(stream.encode(None))


if __name__ == "__main__":
    main()
