"""A data set in figures: counts and histograms, as text and as one self-contained page."""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mapperatorinator.training.datasets.sources import METADATA, open_dataset, parquet_rows, year_of

MODES = ("osu!", "taiko", "catch", "mania")
Rows = Sequence[dict[str, Any]]
# What is counted: title, column, width of a bar.
_BARS = (
    ("Stars", "DifficultyRating", 0.5), ("Year", "Year", 1.0), ("Minutes of song", "Minutes", 0.5),
    ("Beats per minute", "Bpm", 20.0), ("Objects", "Objects", 200.0),
)  # fmt: skip


@dataclass(frozen=True)
class Histogram:
    """How many maps have which value. bars : label and count, without gaps."""

    title: str
    bars: list[tuple[str, int]]


@dataclass(frozen=True)
class Summary:
    """Counts with their names, and histograms of what is known."""

    counts: list[tuple[str, str]]
    histograms: list[Histogram]


def rows_of(root: Path | str) -> Rows:
    """A row for every map of a data set in any layout, with the columns of metadata.parquet that are known."""
    if (table := Path(root) / METADATA).is_file():
        return parquet_rows(table)
    return list(_read_rows(root))


def _read_rows(root: Path | str) -> Iterator[dict[str, Any]]:
    for opener in open_dataset(root):
        shard = opener()
        for place in range(len(shard)):
            song = shard[place]
            for chart in song.charts:
                bm = chart.beatmap
                red = bm.red_lines()
                yield {
                    "BeatmapSetId": bm.beatmapset_id, "Song": song.name, "ModeInt": bm.mode, "Year": chart.year,
                    "DifficultyRating": chart.stars[0][1] if chart.stars else None, "UserId": chart.mapper,
                    "Objects": len(bm.hit_objects), "Bpm": red[0].bpm if red else None, "Creator": bm.creator,
                }  # fmt: skip


def summarise(rows: Rows) -> Summary:
    """Counts and histograms of a data set's rows."""
    songs = {row.get("AudioHash") or row.get("Song"): row.get("Seconds") for row in rows}
    hours = sum(seconds or 0 for seconds in songs.values()) / 3600
    modes = Counter(row["ModeInt"] for row in rows)
    counts = [
        ("maps", f"{len(rows):,}"), ("songs", f"{len(songs):,}"),
        *((f"{name} maps", f"{modes[mode]:,}") for mode, name in enumerate(MODES) if modes[mode]),
        *([("hours of sound", f"{hours:.1f}")] if hours else []),
        ("mappers", f"{len({row.get('UserId') or row.get('Creator') for row in rows}):,}"),
        ("maps with a known user id", f"{sum(row.get('UserId') is not None for row in rows):,}"),
        ("maps with styles", f"{sum(bool(row.get('OmdbTags') or row.get('TopTagIds')) for row in rows):,}"),
    ]  # fmt: skip
    listed = [{**row, "Year": row.get("Year") or year_of(row), "Minutes": (row.get("Seconds") or 0) / 60 or None}
              for row in rows]  # fmt: skip
    found = [_histogram(title, (row.get(column) for row in listed), width) for title, column, width in _BARS]
    return Summary(counts, [histogram for histogram in found if histogram.bars])


def _histogram(title: str, values: Iterable[float | None], width: float) -> Histogram:
    bins = Counter(math.floor(value / width) for value in values if value is not None)
    if not bins:
        return Histogram(title, [])
    span = range(min(bins), max(bins) + 1)
    if len(span) > 60:  # a few freaks must not stretch the picture
        last = sorted(bins.elements())[int(0.99 * (bins.total() - 1))]
        span = range(min(bins), last + 2)
        bins[span[-1]] = sum(count for key, count in bins.items() if key >= span[-1])
    return Histogram(title, [(f"{key * width:g}", bins[key]) for key in span])


def as_text(summary: Summary) -> str:
    """For a terminal."""
    lines = [f"{count:>10}  {name}" for name, count in summary.counts]
    for histogram in summary.histograms:
        most = max(count for _, count in histogram.bars)
        lines += ["", histogram.title]
        lines += [f"{label:>8}  {'#' * math.ceil(40 * count / most)} {count:,}" for label, count in histogram.bars]
    return "\n".join(lines)


def as_page(summary: Summary, title: str, skipped: Sequence[Sequence[str]]) -> str:
    """One HTML page without anything from elsewhere. skipped : source, file and reason of what was left out."""
    reasons = Counter(reason for _, _, reason in skipped)
    parts = [f"<h1>{html.escape(title)}</h1>", _table(summary.counts)]
    for histogram in summary.histograms:
        most = max(count for _, count in histogram.bars)
        bars = "".join(
            f"<tr><td>{label}<td><i style='width:{100 * count / most:.1f}%'></i><td>{count:,}"
            for label, count in histogram.bars
        )
        parts.append(f"<h2>{histogram.title}</h2><table class=bars>{bars}</table>")
    if reasons:
        parts += ["<h2>Left out</h2>", _table([(reason, f"{n:,}") for reason, n in reasons.most_common(40)])]
    return f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><style>{_STYLE}</style>{''.join(parts)}"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return "<table>" + "".join(f"<tr><td>{html.escape(name)}<td>{count}" for name, count in rows) + "</table>"


_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse}td{padding:0 .8rem 0 0;vertical-align:middle}td:last-child{text-align:right}
.bars{width:100%}.bars td:first-child{width:4rem;text-align:right}.bars td:last-child{width:5rem}
i{display:block;height:.8rem;background:#b4476e;border-radius:2px}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#16161a}}
"""


def lost_files(root: Path) -> list[str]:
    """Files that the data set names and does not have."""
    if not (root / METADATA).is_file():
        return [str(t.relative_to(root)) for t in sorted(root.glob("Track*")) if not any(t.glob("audio.*"))]
    named = {
        f"data/{row['BeatmapSetFolder']}/{row[column]}"
        for row in parquet_rows(root / METADATA)
        for column in ("BeatmapFile", "AudioFile")
    }
    return sorted(name for name in named if not (root / name).is_file())
