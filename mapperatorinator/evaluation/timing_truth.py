"""Songs with known timing, gathered from a folder, for `evaluate timing`.

A folder may hold songs beside JSON truths (as `corpus/timing`), beatmaps beside their songs, or a whole corpus with
`maps.csv` (its val songs and the held-out charts are taken).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import read_beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.charts import charts, trusted
from mapperatorinator.evaluation.corpus import Corpus, grouped
from mapperatorinator.timing.grid import Timing, red_line

Array = NDArray[np.float64]
SHORTEST = 30_000.0  # ms of music under which a chart is no song
UNTRUE = ("kawai sprite et al. - test",)  # charts that no author set to the music
SOUNDS = (".opus", ".ogg", ".mp3", ".flac", ".wav", ".m4a")


@dataclass(frozen=True)
class Truth:
    """What is known about one song: its red lines (ms) and its beats in [start, end).

    convention: whose idea of a beat's moment the truth follows (a key of `timing.find.CONVENTIONS`);
    downbeats: None where they are unknown.
    """

    name: str
    source: str
    audio: Path
    timing: Timing
    beats: Array
    downbeats: Array | None
    convention: str

    @property
    def constant(self) -> bool:
        """Whether one tempo holds throughout."""
        return len(self.timing.points) == 1


def truths(folder: Path) -> list[Truth]:
    """All songs with known timing under a folder; UserError if there are none."""
    if (folder / "maps.csv").is_file():
        found = [*_val_songs(folder), *_held_out_charts(folder)]
    else:
        found = [*_json_truths(folder), *_beatmap_truths(folder)]
    if not found:
        raise UserError(f"No song with known timing in {folder}; it needs songs beside .json or .osu files.")
    return found


def _json_truths(folder: Path) -> Iterator[Truth]:
    for path in sorted(folder.rglob("*.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        audio = _sound_beside(path.with_suffix(""))
        if not isinstance(truth, dict) or "bpm_segments" not in truth or audio is None:
            continue
        points = [red_line(s["t"] * 1000, 60_000 / s["bpm"], s.get("meter") or 4) for s in truth["bpm_segments"]]
        downbeats = np.array(truth["downbeats"]) * 1000 if truth.get("downbeats") else None
        beats = np.array(truth["beats"]) * 1000
        source = str(truth.get("source", "json"))
        yield Truth(path.stem, source, audio, Timing(tuple(points)), beats, downbeats, "onset")


def _sound_beside(stem: Path) -> Path | None:
    return next((p for p in (stem.with_name(stem.name + end) for end in SOUNDS) if p.is_file()), None)


def _beatmap_truths(folder: Path) -> Iterator[Truth]:
    seen: set[Path] = set()
    for path in sorted(folder.rglob("*.osu")):
        beatmap = read_beatmap(path)
        audio = path.parent / beatmap.audio_filename
        if audio in seen or not audio.is_file() or not beatmap.red_lines():
            continue
        seen.add(audio)
        objects = [obj.time for obj in beatmap.hit_objects] or [0.0, 60_000.0]
        yield _on_grid(path.stem, "osu", audio, Timing.from_beatmap(beatmap), min(objects), max(objects), "osu")


def _val_songs(folder: Path) -> Iterator[Truth]:
    corpus = Corpus(folder)
    for group in grouped(corpus.select(split="val", with_audio=True), lambda row: row.audio):
        maps = [corpus.beatmap(row) for row in group]
        best = max(range(len(maps)), key=lambda i: (trusted(Timing.from_beatmap(maps[i])), group[i].n_objects))
        audio = corpus.audio_path(group[best])
        assert audio is not None
        objects = [obj.time for obj in maps[best].hit_objects]
        timing = Timing.from_beatmap(maps[best])
        yield _on_grid(group[best].song, "osu", audio, timing, min(objects), max(objects), "osu")


def _held_out_charts(folder: Path) -> Iterator[Truth]:
    val = {row.song for row in Corpus(folder).select(split="val")}
    for chart in charts(folder):
        if (chart.held_out or chart.song in val) and chart.end > SHORTEST and chart.song not in UNTRUE:
            start = max(0.0, chart.timing.offset)
            yield _on_grid(chart.song, chart.format, chart.audio, chart.timing, start, chart.end, "osu")


def _on_grid(
    name: str, source: str, audio: Path, timing: Timing, start: float, end: float, convention: str
) -> Truth:
    beats, downbeats = timing.beats(start, end), timing.downbeats(start, end)
    return Truth(name, source, audio, _simplified(timing), beats, downbeats, convention)


def _simplified(timing: Timing) -> Timing:
    """One red line where all others only restart the measure on the same grid; else as it is."""
    kept = [timing.points[0]]
    for point in timing.points[1:]:
        last = kept[-1]
        beats = (point.time - last.time) / last.beat_length
        off = abs(beats - round(beats)) * last.beat_length
        if abs(point.beat_length / last.beat_length - 1) > 1e-5 or off > 2.0:
            kept.append(point)
    return Timing(tuple(kept)) if len(kept) == 1 else timing
