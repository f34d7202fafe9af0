"""Structure: where the music repeats, does the map repeat?

Music and map are both cut into measures. A measure of music is its log-mel frames averaged over sixteen
parts; a measure of a map is what starts, is held and moves in the same sixteen parts. Each gives a
self-similarity matrix (cosine of standardised measures), and the figure is the correlation of the two over
all pairs of measures.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import Beatmap, Slider, Spinner
from mapperatorinator.evaluation.patterns.playfield import points_of
from mapperatorinator.timing import Timing

PARTS = 16
FEWEST_MEASURES = 8
MOST_MEASURES = 2000
HOP_MS = 10.0
Matrix = NDArray[np.float64]


def structure(beatmap: Beatmap | None, mel: NDArray[np.float32], reference: Beatmap | None = None) -> float:
    """Correlation, -1..1, of the self-similarity of music and map; 0 for a failed or constant map.

    mel : log-mel frames (n_frames, bands), 10 ms apart. reference : whose red lines make the measures
    (default: the map's own), so that several maps of a song can be compared.
    """
    source = reference or beatmap
    if beatmap is None or source is None or not beatmap.hit_objects or not source.red_lines():
        return 0.0
    first, last = beatmap.hit_objects[0].time, beatmap.hit_objects[-1].time
    edges = measure_edges(Timing.from_beatmap(source), first, last)
    if len(edges) <= FEWEST_MEASURES * PARTS:
        return 0.0
    music, pattern = similarity(music_measures(mel, edges)), similarity(map_measures(beatmap, edges))
    upper = np.triu_indices(len(music), k=1)
    a, b = music[upper], pattern[upper]
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def measure_edges(timing: Timing, first: float, last: float) -> NDArray[np.float64]:
    """Edges in ms of the sixteenths of all whole measures in [first, last], shape (measures * 16 + 1,)."""
    downbeats = timing.downbeats(first, last + 1)[:MOST_MEASURES]
    if len(downbeats) < 2:
        return downbeats
    parts = np.arange(PARTS) / PARTS
    inner = downbeats[:-1, None] + np.diff(downbeats)[:, None] * parts
    return np.append(inner.ravel(), downbeats[-1])


def music_measures(mel: NDArray[np.float32], edges: NDArray[np.float64]) -> Matrix:
    """Mean log-mel frame of every part, shape (measures, 16 * bands)."""
    sums = np.concatenate((np.zeros((1, mel.shape[1])), np.cumsum(mel, axis=0, dtype=np.float64)))
    at = np.clip(np.round(edges / HOP_MS).astype(int), 0, len(mel))
    start, stop = at[:-1], np.minimum(np.maximum(at[1:], at[:-1] + 1), len(mel))
    parts = (sums[stop] - sums[np.minimum(start, stop - 1)]) / np.maximum(stop - start, 1)[:, None]
    return (parts - parts.mean(axis=0)).reshape(len(edges) // PARTS, -1)


def map_measures(beatmap: Beatmap, edges: NDArray[np.float64]) -> Matrix:
    """What happens in every part, shape (measures, 16 * features): starts by kind, held, movement, sounds."""
    parts = len(edges) - 1
    table = np.zeros((parts, 8))
    middle = edges + np.append(np.diff(edges) / 2, 0)
    for obj in beatmap.hit_objects:
        start = int(np.searchsorted(middle, obj.time))  # the part whose beginning is nearest
        if not 0 <= start < parts:
            continue
        table[start, 0] += 1
        table[start, 1] += isinstance(obj, Slider)
        table[start, 2] += obj.new_combo
        table[start, 3:6] += [bool(obj.sound & bit) for bit in (2, 4, 8)]
        end = beatmap.end_time(obj)
        if end > obj.time and not isinstance(obj, Spinner):
            table[start : int(np.searchsorted(middle, end)), 6] += 1
    points = points_of(beatmap)
    way = np.hypot(np.diff(points.x), np.diff(points.y))
    at = np.searchsorted(middle, points.time[1:])
    inside = at < parts
    np.add.at(table[:, 7], at[inside], way[inside] / 100.0)
    return (table - table.mean(axis=0)).reshape(parts // PARTS, -1)


def similarity(measures: Matrix) -> Matrix:
    """Cosine similarity of every pair of rows, shape (measures, measures); 0 for empty rows."""
    length = np.linalg.norm(measures, axis=1, keepdims=True)
    unit = np.divide(measures, length, out=np.zeros_like(measures), where=length > 0)
    return unit @ unit.T
