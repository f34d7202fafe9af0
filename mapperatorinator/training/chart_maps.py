"""Charts of StepMania and Quaver as mania maps: more songs for the rhythm network to hear.

Dance charts are not mania maps, so they carry a mapper of their own (`CHARTER`), which nobody asks for: what
they teach about hearing is shared, their habits are not.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import MANIA, Beatmap, Circle, HitObject, Hold, star_rating
from mapperatorinator.evaluation.charts import SHIFT, chart_timing, stepmania_clock, trusted
from mapperatorinator.evaluation.corpus import MapRow
from mapperatorinator.training.grid_maps import GridMap, conditions_of, grid_map

CHARTER = "(charts of other games)"
_KEYS = {"dance-single": 4, "pump-single": 5, "dance-solo": 6, "kb7-single": 7, "dance-double": 8}
_LEAST_NOTES, _LEAST_STARS = 60, 0.7
Note = tuple[float, int, float | None]  # time (ms), column, end of a hold


def chart_maps(corpus: Path, mapper: int) -> Iterator[GridMap]:
    """Every chart whose timing can be trusted, on the grid.

    corpus : folder with charts.csv. mapper : the number of `CHARTER`. The maps' `audio` is that of charts.csv.
    """
    with open(corpus / "charts.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["format"] in ("sm", "ssc", "qua")]
    for row in rows:
        path = corpus / row["path"]
        timing = chart_timing(path)
        if timing is None or not trusted(timing):
            continue
        shift = SHIFT[row["format"]]
        text = path.read_text(encoding="utf-8", errors="replace")
        for keys, notes in (_quaver if path.suffix == ".qua" else _stepmania)(text):
            bm = _mania(keys, notes, shift)
            bm.timing_points = list(timing.shifted(shift).points)
            stars = star_rating(bm) if len(notes) >= _LEAST_NOTES else 0.0
            if stars < _LEAST_STARS:
                continue
            found = conditions_of(bm, index := _row(row, bm, stars), mapper, frozenset())
            if item := grid_map(bm, index, found, 1000 * float(row["audio_seconds"])):
                yield item


def _row(row: dict[str, str], bm: Beatmap, stars: float) -> MapRow:
    return MapRow(
        row["path"], row["audio"], "train", MANIA, stars, len(bm.hit_objects), float(row["audio_seconds"]),
        row["artist"], row["title"], CHARTER, "", 0, 0, bm.circle_size, len(bm.timing_points), None, None,
    )  # fmt: skip


def _mania(keys: int, notes: list[Note], shift: float) -> Beatmap:
    bm = Beatmap(mode=MANIA)
    bm.circle_size = float(keys)
    for time, column, end in sorted(notes, key=lambda note: note[:2]):
        x, at = (column + 0.5) * 512 / keys, float(round(time + shift))
        note: HitObject = (
            Circle(x, 192.0, at) if end is None else Hold(x, 192.0, at, end_time=float(round(end + shift)))
        )
        bm.hit_objects.append(note)
    return bm


def _stepmania(text: str) -> Iterator[tuple[int, list[Note]]]:
    """Rows of measures of four beats: 1 tap, 2 and 4 heads of holds, 3 their end."""
    clock = stepmania_clock(text)
    if clock is None:
        return
    text = re.sub(r"//[^\n]*", "", text)
    old = [tuple(part.strip() for part in body.split(":", 5)) for body in re.findall(r"#NOTES:([^;]*);", text)]
    charts = [(parts[0], parts[5]) for parts in old if len(parts) == 6]
    charts += re.findall(r"#STEPSTYPE:([^;]*);(?:(?!#NOTEDATA).)*?#NOTES:([^;:]*);", text, flags=re.DOTALL)
    for kind, body in charts:
        if kind in _KEYS:
            yield _KEYS[kind], _steps(body, _KEYS[kind], *clock)


def _steps(body: str, keys: int, start: float, changes: list[tuple[float, float]]) -> list[Note]:
    beats, rows = [], []
    for number, measure in enumerate(body.split(",")):
        lines = [line for line in measure.split() if len(line) >= keys]
        beats += [4 * (number + i / len(lines)) for i in range(len(lines))]
        rows += lines
    notes: list[Note] = []
    held: dict[int, float] = {}
    for time, row in zip(_times(np.array(beats), start, changes).tolist(), rows, strict=True):
        for column, mark in enumerate(row[:keys]):
            if mark == "1":
                notes.append((time, column, None))
            elif mark in "24":
                held[column] = time
            elif mark == "3" and column in held:
                notes.append((held.pop(column), column, time))
    return notes


def _times(beats: NDArray[np.float64], start: float, changes: list[tuple[float, float]]) -> NDArray[np.float64]:
    """Times (ms) of beats under tempos that hold from a beat on."""
    at = np.array([beat for beat, _ in changes])
    lengths = np.array([60_000 / bpm for _, bpm in changes])
    begins = start + np.concatenate([[0.0], np.cumsum(np.diff(at) * lengths[:-1])])
    piece = np.maximum(np.searchsorted(at, beats, side="right") - 1, 0)
    return begins[piece] + (beats - at[piece]) * lengths[piece]


def _quaver(text: str) -> Iterator[tuple[int, list[Note]]]:
    keys = re.search(r"^Mode: Keys(\d+)", text, flags=re.MULTILINE)
    if keys is None or "HitObjects:" not in text:
        return
    notes: list[Note] = []
    for entry in re.split(r"^- ", text.split("HitObjects:", 1)[1], flags=re.MULTILINE)[1:]:
        values = dict(re.findall(r"^\s*(\w+): (\S+)", entry, flags=re.MULTILINE))
        end = float(values["EndTime"]) if "EndTime" in values else None
        notes.append((float(values.get("StartTime", 0)), int(values["Lane"]) - 1, end))
    yield int(keys.group(1)), notes
