"""Exact red lines from perfect beats: ``python bench/timing_fit.py``.

Every map of the corpus with one red line is turned into its list of beats (whole ms, as a tracker that makes no
mistake would give them, and unrounded), and the fit has to give back tempo and offset: BPM within 0.005 %, offset
within 1 ms. Prints the shares and the worst cases.
"""

from __future__ import annotations

import numpy as np

from mapperatorinator.evaluation.corpus import Corpus
from mapperatorinator.timing.grid import Timing
from mapperatorinator.timing.lines import timing_of_beats


def main() -> None:
    """Fit all maps and print what went wrong."""
    corpus = Corpus()
    exact, wrong = {"unrounded": 0, "whole ms": 0}, []
    count = 0
    for row, beatmap in corpus.beatmaps(corpus.rows):
        timing = Timing.from_points(beatmap.red_lines()) if beatmap.red_lines() else None
        if timing is None or len(timing.points) != 1 or not beatmap.hit_objects:
            continue
        first, last = beatmap.hit_objects[0].time, beatmap.hit_objects[-1].time
        beats = timing.beats(min(first, timing.offset), last + 1)
        if len(beats) < 8:
            continue
        count += 1
        downbeats = timing.downbeats(min(first, timing.offset), last + 1)
        for name, given in (("unrounded", beats), ("whole ms", np.round(beats))):
            got = timing_of_beats(given, downbeats)
            bpm = abs(got.bpm / timing.bpm - 1)
            measure = timing.points[0].beat_length * timing.points[0].meter
            apart = (got.offset - timing.offset + measure / 2) % measure - measure / 2
            if len(got.points) == 1 and bpm <= 5e-5 and abs(apart) <= 1:
                exact[name] += 1
            else:
                wrong.append(f"{name}: {row.title[:40]} {timing.bpm:.4f} BPM got {got.bpm:.4f}, {apart:+.2f} ms, "
                             f"{len(got.points)} lines, {len(beats)} beats")  # fmt: skip
    for name, right in exact.items():
        print(f"{name}: {right} of {count} exact")
    print(*wrong[:30], sep="\n")


if __name__ == "__main__":
    main()
