"""Counts human rhythms for the complexity model: ``python -m mapperatorinator.training.complexity``.

Takes a minute, most of it reading maps. The card's figures are of held-out songs: bits a note, rank correlation with
each map's own entropy rate (`evaluation/entropy`), and streams against beats of equal density.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from mapperatorinator.beatmap import Beatmap, Circle
from mapperatorinator.complexity.measure import NAME, Complexity, measure
from mapperatorinator.complexity.model import CONTEXTS, RhythmModel
from mapperatorinator.complexity.rhythm import rhythm_of
from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.bootstrap import bootstrap
from mapperatorinator.evaluation.corpus import MODES, Corpus, MapRow
from mapperatorinator.evaluation.entropy import rhythm_entropy, spearman_of
from mapperatorinator.timing import red_line
from mapperatorinator.training.classifier_data import held_out_songs
from mapperatorinator.weights import FOLDER

_LEAST_NOTES = 50
Measured = tuple[MapRow, Complexity, float]


def regular(bpm: float, gap: float, run: int = 0, every: float = 0.0, seconds: float = 90.0) -> Beatmap:
    """A map of circles `gap` beats apart; with `run`, so many in a row, beginning `every` so many beats."""
    beats = np.arange(0, seconds * bpm / 60, every or gap)
    starts = (beats[:, None] + gap * np.arange(run or 1)).ravel()
    beatmap = Beatmap(timing_points=[red_line(0, 60_000 / bpm)])
    beatmap.hit_objects = [Circle(256, 192, round(beat * 60_000 / bpm), False, 0, 0, None) for beat in starts]
    return beatmap


def streams_against_beats(model: RhythmModel) -> dict[str, list[float]]:
    """Bits a second of streams with rests between them and of 1/1 at equal density, [streams, 1/1], by name."""
    found = {}
    for bpm in (150, 180, 200):
        for run in (4, 8, 12):
            pair = regular(bpm, 0.25, run, every=run), regular(bpm, 1.0)
            values = [measure(model, rhythm_of(one)).per_second for one in pair]
            found[f"runs of {run} at {bpm} BPM"] = [round(value, 3) for value in values]
    return found


def figures(model: RhythmModel, held: Sequence[tuple[MapRow, Beatmap]]) -> dict[str, Any]:
    """The card's figures on held-out maps."""
    measured: list[Measured] = []
    for row, beatmap in held:
        found = measure(model, rhythm_of(beatmap))
        if found.notes >= _LEAST_NOTES:
            measured.append((row, found, rhythm_entropy(beatmap)))

    def correlation(some: Sequence[Measured]) -> float:
        return spearman_of([(found.per_note, entropy) for _, found, entropy in some])

    def of_mode(mode: int) -> list[Measured]:
        return [one for one in measured if one[0].mode == mode]

    return {
        "maps": len(measured),
        "songs": len({row.song for row, _, _ in measured}),
        "bits_per_note": round(sum(f.bits for _, f, _ in measured) / sum(f.notes for _, f, _ in measured), 4),
        "spearman_with_entropy_rate": bootstrap(measured, correlation, lambda one: one[0].song, 300).as_dict(),
        "spearman_by_mode": {
            MODES[mode]: round(correlation(of_mode(mode)), 3) for mode in range(4) if len(of_mode(mode)) > 5
        },
        "bits_per_second_streams_and_beats": streams_against_beats(model),
    }


def readable(corpus: Corpus) -> list[tuple[MapRow, Beatmap]]:
    """All maps that have a rhythm."""
    found = []
    for row, beatmap in corpus.beatmaps(corpus.rows):
        try:
            rhythm_of(beatmap)
        except UserError:
            continue
        found.append((row, beatmap))
    return found


def train(corpus: Corpus, folder: Path = FOLDER) -> dict[str, Any]:
    """Count, judge and write tensors and card; returns the card."""
    begun = time.process_time()
    maps = readable(corpus)
    songs = held_out_songs(corpus.rows)
    learned = [rhythm_of(beatmap) for row, beatmap in maps if row.song not in songs]
    model = RhythmModel.learn(learned)
    card = {
        "model": NAME,
        "does": "tells how surprising a map's rhythm is, in bits",
        "data": f"{len(learned)} human maps, {sum(map(len, learned))} notes, all modes; whole songs held out; "
                "songs and maps belong to their authors",
        "command": "python -m mapperatorinator.training.complexity",
        "contexts": CONTEXTS,
        "held_out": figures(model, [(row, beatmap) for row, beatmap in maps if row.song in songs]),
        "minutes": round((time.process_time() - begun) / 60, 1),
        "hardware": "1 thread of a CPU",
    }  # fmt: skip
    from mapperatorinator.training.export import write_card

    save_file(model.to_tensors(), folder / f"{NAME}.safetensors")
    write_card(NAME, card, folder)
    return card


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="DIR")
    print(train(Corpus(), parser.parse_args().out)["held_out"])


if __name__ == "__main__":
    main()
