"""Charts of other rhythm games as timing truth: StepMania (sm, ssc, dwi), Quaver (qua), FNF.

A chart's red lines are returned as its author wrote them; `SHIFT` says by how much (ms) each game's grid must be
moved to lie where an osu! mapper would put it: osu! grids lie some 20 ms before the acoustic onset, those of
StepMania only a few.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mapperatorinator.timing.grid import Timing, red_line

# Median over the songs, measured with a tracker trained on osu! maps alone.
SHIFT = {"sm": -22.0, "ssc": -22.0, "dwi": -22.0, "qua": -20.0, "fnf-json": 28.0}
MIN_SECTION = 5000.0  # ms; denser red lines follow the chart's scrolling rather than the music


@dataclass(frozen=True)
class Chart:
    """One song with its charted timing, in the osu! convention; the music is known to last until `end` (ms)."""

    audio: Path
    format: str
    held_out: bool
    song: str
    timing: Timing
    end: float


def charts(corpus: Path, formats: tuple[str, ...] = ("sm", "ssc", "dwi", "qua", "fnf-json")) -> Iterator[Chart]:
    """One chart for each song of the corpus whose timing can be trusted; a fifth of the songs is held out."""
    seen = set()
    with open(corpus / "charts.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["format"] in formats]
    for row in rows:
        audio = corpus / row["audio"]
        if audio.stem in seen:
            continue
        timing = chart_timing(corpus / row["path"])
        if timing is None or not trusted(timing):
            continue
        seen.add(audio.stem)
        song = f"{row['artist']} - {row['title']}".casefold()
        held_out = int(audio.stem[:4], 16) % 5 == 0
        end = 1000 * float(row["audio_seconds"]) - 4000
        yield Chart(audio, row["format"], held_out, song, timing.shifted(SHIFT[row["format"]]), end)


def trusted(timing: Timing) -> bool:
    """Whether all red lines are at least 5 s apart (the curation rule of arXiv 2509.12667)."""
    times = [point.time for point in timing.points]
    return bool((np.diff(times) >= MIN_SECTION).all()) if len(times) > 1 else True


def chart_timing(path: Path) -> Timing | None:
    """The red lines of a chart, or None if it has none that can be used."""
    text = path.read_text(encoding="utf-8", errors="replace").lstrip("\ufeff")
    reader = {".sm": _stepmania, ".ssc": _stepmania, ".dwi": _dance_with_intensity, ".qua": _quaver, ".json": _fnf}
    try:
        return reader[path.suffix](text)
    except (KeyError, ValueError, IndexError, TypeError):
        return None


def _tag(text: str, name: str) -> str:
    found = re.search(rf"#{name}:([^;]*);", text)
    return found.group(1).strip() if found else ""


def _pairs(text: str) -> list[tuple[float, float]]:
    pairs = [part.split("=") for part in text.replace("\n", "").split(",") if "=" in part]
    return [(float(first), float(second)) for first, second in (pair[:2] for pair in pairs)]


def stepmania_clock(text: str) -> tuple[float, list[tuple[float, float]]] | None:
    """Return the time of beat 0 (ms) and the tempo from each beat on; None with stops or warps, which break it."""
    changes = _pairs(_tag(text, "BPMS"))
    if not changes or any(_pairs(_tag(text, name)) for name in ("STOPS", "DELAYS", "WARPS")):
        return None
    return -1000.0 * float(_tag(text, "OFFSET") or 0), changes


def _stepmania(text: str) -> Timing | None:
    """Beat 0 is at -OFFSET s; BPMS gives the tempo from a beat on; songs with stops or warps are left out."""
    clock = stepmania_clock(text)
    return clock and _from_changes(*clock)


def _dance_with_intensity(text: str) -> Timing | None:
    """Beat 0 is at GAP ms; CHANGEBPM counts in sixteenth notes, four to a beat."""
    if _tag(text, "FREEZE"):
        return None
    changes = [(0.0, float(_tag(text, "BPM")))]
    changes += [(position / 4, bpm) for position, bpm in _pairs(_tag(text, "CHANGEBPM"))]
    return _from_changes(float(_tag(text, "GAP") or 0), changes)


def _from_changes(start: float, changes: list[tuple[float, float]]) -> Timing | None:
    points, time = [], start
    for index, (beat, bpm) in enumerate(changes):
        if not 20 < bpm < 1000:
            return None
        if index:
            previous_beat, previous_bpm = changes[index - 1]
            time += (beat - previous_beat) * 60_000 / previous_bpm
            if abs(bpm - previous_bpm) < 1e-6:
                continue
        points.append(red_line(time, 60_000 / bpm, 4))
    return Timing.from_points(points)


def _quaver(text: str) -> Timing | None:
    block = text.split("TimingPoints:", 1)[1].split("SliderVelocities", 1)[0]
    starts = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
    points = []
    for entry in starts:
        values = dict(line.strip().split(": ", 1) for line in entry.splitlines() if ": " in line)
        meter = {"Triple": 3, "3": 3}.get(values.get("Signature", ""), 4)
        points.append(red_line(float(values.get("StartTime", 0)), 60_000 / float(values["Bpm"]), meter))
    return Timing.from_points(points) if points else None


def _fnf(text: str) -> Timing | None:
    """Beat 0 is the first sample; songs that change tempo are left out."""
    chart = json.loads(text)
    song = chart.get("song", {})
    song = song if isinstance(song, dict) else chart
    if any(isinstance(section, dict) and section.get("changeBPM") for section in song.get("notes", [])):
        return None
    return Timing.constant(float(song["bpm"]), 0.0)
