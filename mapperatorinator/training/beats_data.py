"""Songs with known beats for the tracker: corpus maps, charts of other games, songs rendered by us.

All times are ms in the osu! convention (a grid lies some 20 ms before the acoustic onset). Contract: `songs` lists
what may be trained on; `Crops` draws augmented crops with their targets.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.evaluation.charts import charts, trusted
from mapperatorinator.evaluation.corpus import Corpus, grouped
from mapperatorinator.timing.grid import Timing
from mapperatorinator.training.features import pack, song_mel, unpack

ONSET_LAG = 20.0  # ms from an osu! grid line to the acoustic onset that it stands for
TEMPO_LOW, TEMPO_CLASSES, TEMPO_STEPS = 48.0, 104, 36  # first class (BPM), number, classes per octave
METERS = (3, 4, 5, 6, 7)
COARSE = 4  # frames per tempo and meter target

SILENCE = pack(np.log(np.full(1, 1e-5, np.float32)))[0]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TimedSong:
    """A song and its beats: `beats` in ms, `places` in the measure (0 is a downbeat), `meters`, all per beat.

    `mel` is packed, (frames, 64); `onsets` are ms of note starts (None: unknown; `all_onsets`: none is missing);
    [start, end) in ms is where the beats are known; `held_out` songs are for validation.
    """

    name: str
    source: str
    held_out: bool
    mel: NDArray[np.uint8]
    beats: NDArray[np.float64]
    places: NDArray[np.int64]
    meters: NDArray[np.int64]
    onsets: NDArray[np.float64] | None
    all_onsets: bool
    start: float
    end: float

    @property
    def key(self) -> str:
        """What names the song in the list of shifts."""
        return f"{self.source}: {self.name} ({len(self.mel)})"


def songs(corpus: Path, cache: Path, rendered: Sequence[Path], shifts: Path | None = None) -> list[TimedSong]:
    """All songs with trusted timing; nothing of `corpus/timing`, which is for evaluation only.

    shifts: what `training.beats_align` found: ms by which a song's beats must move, null for a song to leave out.
    """
    moves = json.loads(shifts.read_text()) if shifts else {}
    found = _songs(corpus, cache, rendered)
    return [
        moved(song, moves.get(song.key) or 0.0) for song in found if song.held_out or moves.get(song.key, 0.0) is not None
    ]


def moved(song: TimedSong, shift: float) -> TimedSong:
    """The song with its beats later by `shift` ms."""
    return replace(song, beats=song.beats + shift, onsets=None if song.onsets is None else song.onsets + shift)


def _songs(corpus: Path, cache: Path, rendered: Sequence[Path]) -> list[TimedSong]:
    found = list(_osu(Corpus(corpus), cache))
    held = {song.name for song in found if song.held_out}
    for chart in charts(corpus):
        mel = song_mel(chart.audio, cache)
        end = len(mel) * 10.0 - 4000
        first = max(0.0, chart.timing.offset) if chart.format != "fnf-json" else 0.0
        out = chart.held_out or chart.song in held
        found.append(_on_grid(chart.song, chart.format, out, mel, chart.timing, None, first, end))
    for folder in rendered:
        found += [_rendered(path) for path in sorted(folder.glob("*.json"))]
    return found


def _osu(corpus: Corpus, cache: Path) -> list[TimedSong]:
    """One entry per song: its map with the most objects among those whose red lines can be trusted."""
    found = []
    rows = [row for row in corpus.select(with_audio=True) if row.align_ok]
    for group in grouped(rows, lambda row: row.audio):
        maps = [corpus.beatmap(row) for row in group]
        best = max(range(len(group)), key=lambda i: (trusted(Timing.from_beatmap(maps[i])), group[i].n_objects))
        timing = Timing.from_beatmap(maps[best])
        if not trusted(timing):
            continue
        audio = corpus.audio_path(group[best])
        assert audio is not None
        times = np.unique([obj.time for one in maps for obj in one.hit_objects])
        found.append(
            _on_grid(
                group[best].song, "osu", group[best].split == "val", song_mel(audio, cache), timing, times,
                min(timing.offset, times[0]), times[-1] + 4000,
            )
        )  # fmt: skip
    return found


def _on_grid(
    name: str, source: str, out: bool, mel: NDArray[np.uint8], timing: Timing,
    onsets: NDArray[np.float64] | None, start: float, end: float,
) -> TimedSong:  # fmt: skip
    end = min(end, len(mel) * 10.0)
    first = float(np.floor(timing.beat_at(start)))
    numbers = np.arange(first, float(timing.beat_at(end)) + 1)
    beats, keep = np.unique(timing.time_of(numbers), return_index=True)
    meters = np.array([point.meter for point in timing.points])[timing.index_at(beats)]
    places = np.rint(timing.beat_in_measure(numbers[keep])).astype(np.int64)
    return TimedSong(name, source, out, mel, beats, places, meters, onsets, False, start, end)


def _rendered(path: Path) -> TimedSong:
    truth = json.loads(path.read_text())
    beats = np.array(truth["beats"]) * 1000 - ONSET_LAG
    places = np.array(truth["places"])
    downbeats = np.flatnonzero(places == 0)
    lengths = np.diff(np.append(downbeats, len(places)))
    lengths[-1] = max(lengths[-1], lengths[-2] if len(lengths) > 1 else 4)
    meters = np.repeat(lengths, np.diff(np.append(downbeats, len(places))))
    onsets = np.array(truth["onsets"]) * 1000 - ONSET_LAG
    mel = np.load(path.with_suffix(".npy"))
    end = min(beats[-1] + 200.0, len(mel) * 10.0)
    out = int(path.stem) % 12 == 0
    return TimedSong(path.stem, "rendered", out, mel, beats, places, meters, onsets, True, 0.0, end)


@dataclass(frozen=True)
class Target:
    """What the network should say of one crop; weights are 0 where nothing is known.

    frames: (T, 3) beat, downbeat, onset; frame_weight: (T, 3); tempo: (T / 4,) fractional class; meter: (T / 4,)
    index into METERS; coarse_weight: (T / 4, 2).
    """

    frames: Floats
    frame_weight: Floats
    tempo: Floats
    meter: NDArray[np.int64]
    coarse_weight: Floats


def crop(
    song: TimedSong, start: float, length: int, speed: float, rng: np.random.Generator | None
) -> tuple[Floats, Target]:
    """A crop of `length` frames from `start` ms, played `speed` times as fast; augmented if `rng` is given."""
    position = start / 10 + np.arange(length) * speed
    low = np.floor(position).astype(np.int64)
    part = (position - low).astype(np.float32)[:, None]
    mel = unpack(_rows(song.mel, low)) * (1 - part) + unpack(_rows(song.mel, low + 1)) * part
    if rng is not None:
        mel = augment(mel, rng)
    return mel, target(song, start, length, speed)


def _rows(mel: NDArray[np.uint8], index: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Packed frames by number, silence beyond both ends."""
    rows = mel[np.clip(index, 0, len(mel) - 1)]
    rows[(index < 0) | (index >= len(mel))] = SILENCE
    return rows


def augment(mel: Floats, rng: np.random.Generator) -> Floats:
    """Pitch, equaliser, loudness, noise floor, and bands or moments left out."""
    shift = int(rng.integers(-4, 5))
    padded = np.pad(mel, ((0, 0), (4, 4)), mode="edge")
    mel = padded[:, 4 + shift : 4 + shift + mel.shape[1]]
    curve = np.interp(np.arange(64), np.linspace(0, 63, 6), rng.normal(0, 1.0, 6))
    mel = mel + (curve + rng.normal(-0.5, 1.5)).astype(np.float32)
    if rng.random() < 0.3:
        mel = np.logaddexp(mel, np.float32(rng.uniform(-10, -3)) + rng.normal(0, 0.5, mel.shape).astype(np.float32))
    mel = np.maximum(mel, np.float32(np.log(1e-5)))
    if rng.random() < 0.3:
        band, width = int(rng.integers(0, 60)), int(rng.integers(2, 16))
        mel[:, band : band + width] = mel[:, band : band + width].mean()
    for _ in range(int(rng.integers(0, 3))):
        at, long = int(rng.integers(0, len(mel))), int(rng.integers(10, 150))
        mel[at : at + long] = np.log(np.float32(1e-5)) if rng.random() < 0.5 else mel[at : at + long].mean(axis=0)
    return mel


def target(song: TimedSong, start: float, length: int, speed: float) -> Target:
    """The targets of a crop: bumps of 10 ms standard deviation around each beat, tempo class and meter."""
    scale = 10 * speed
    where = (song.beats - start) / scale
    frames = np.zeros((length, 3), np.float32)
    _bumps(frames[:, 0], where)
    _bumps(frames[:, 1], where[song.places == 0])
    weight = np.zeros((length, 3), np.float32)
    first, last = (song.start - start) / scale, (song.end - start) / scale
    known = slice(max(0, int(np.ceil(first))), max(0, int(last)))
    weight[known, :2] = 1
    if song.onsets is not None:
        _bumps(frames[:, 2], (song.onsets - start) / scale)
        weight[known, 2] = 1.0 if song.all_onsets else np.maximum(frames[known, 2], 0.2)
    centres = start + (np.arange(length // COARSE) * COARSE + 1.5) * scale
    index = np.clip(np.searchsorted(song.beats, centres) - 1, 0, len(song.beats) - 2)
    period = np.diff(song.beats)[index] / speed
    tempo = np.log2(60_000 / np.maximum(period, 1) / TEMPO_LOW) * TEMPO_STEPS
    meter = np.clip(song.meters[index], 3, 7) - 3
    inside = weight[::COARSE, 0][: len(centres)]
    valid = np.stack([inside * ((tempo > -0.5) & (tempo < TEMPO_CLASSES - 0.5)), inside], axis=1)
    return Target(frames, weight, tempo.astype(np.float32), meter.astype(np.int64), valid.astype(np.float32))


def _bumps(row: Floats, where: NDArray[np.float64]) -> None:
    for step in range(-3, 4):
        near = np.rint(where).astype(np.int64) + step
        ok = (near >= 0) & (near < len(row))
        values = np.exp(-0.5 * (near - where) ** 2).astype(np.float32)
        np.maximum.at(row, near[ok], values[ok])


class Crops:
    """Draws batches: sources by `shares`, a random song of the source, a random place, speed ±22 %."""

    def __init__(self, found: Sequence[TimedSong], shares: dict[str, float], length: int, seed: int) -> None:
        self.pools = {
            name: [song for song in found if song.source in name.split("+") and not song.held_out] for name in shares
        }
        total = sum(share for name, share in shares.items() if self.pools[name])
        self.names = [name for name in shares if self.pools[name]]
        self.shares = [shares[name] / total for name in self.names]
        self.length, self.rng = length, np.random.default_rng(seed)

    def draw(self, count: int) -> tuple[Floats, list[Target]]:
        """Return mel (count, length, 64) and the targets."""
        pairs = [self._one() for _ in range(count)]
        return np.stack([mel for mel, _ in pairs]), [target for _, target in pairs]

    def _one(self) -> tuple[Floats, Target]:
        rng = self.rng
        pool = self.pools[str(rng.choice(self.names, p=self.shares))]
        song = pool[int(rng.integers(len(pool)))]
        speed = float(np.exp(rng.uniform(-0.2, 0.2)))
        span = self.length * 10 * speed
        start = float(rng.uniform(min(song.start, 0) - 2000, max(song.end - span + 2000, song.start)))
        return crop(song, start, self.length, speed, rng)
