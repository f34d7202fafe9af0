"""Does an adapter move the embedded model towards a mapper? ``python bench/adapter.py FILE --mapper NAME``.

FILE was fine-tuned on the mapper's maps of the corpus's train split. Two answers, each without and with it: how
surprising the held-out maps (val split) of this mapper are, and of others; and how far maps of the held-out songs,
drawn with the human's timing and stars, are from the mapper's own. ``--export DIR`` writes the maps to learn from.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from mapperatorinator import weights
from mapperatorinator.beatmap import Beatmap, Circle, write_osz
from mapperatorinator.evaluation.corpus import Corpus, MapRow, grouped
from mapperatorinator.evaluation.mappers import request_of
from mapperatorinator.evaluation.patterns import HEADLINE, describe, distances
from mapperatorinator.evaluation.song import Song, spread
from mapperatorinator.mapper.grid.mapper import GridMapper
from mapperatorinator.pipeline.drawing import Drawing
from mapperatorinator.weights.adapter import find


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("--mapper", required=True)
    parser.add_argument("--mode", type=int, default=0)
    parser.add_argument("--others", type=int, default=4, help="maps of other mappers to compare with")
    parser.add_argument("--seeds", type=int, default=1, help="maps to draw of each held-out one")
    parser.add_argument("--export", type=Path, metavar="DIR", help="only write the mapper's train maps as .osz")
    given = parser.parse_args()
    corpus = Corpus()
    rows = corpus.select(given.mode)
    own = [row for row in rows if row.creator == given.mapper]
    if given.export:
        export(corpus, [row for row in own if row.split == "train"], given.export)
        return
    held = [row for row in own if row.split == "val" and row.audio]
    others = spread([row for row in rows if row.split == "val" and row.audio and row not in own], given.others)
    adapter = find(given.adapter, given.mode)
    for name, some in (("the mapper's held-out maps", held), ("other mappers' held-out maps", others)):
        print(f"{name} ({len(some)})")
        for which, shelf in (("without", weights.tensors), ("with", adapter.merge)):
            print(f"  {which:8} {surprise(corpus, some, shelf)}", flush=True)
    human = [corpus.beatmap(row) for row in own]
    print(f"the mapper's maps ({len(human)}): {traits(human)}")
    for which, path in (("without", ""), ("with", str(given.adapter))):
        made = [drawn(Song(corpus, row), path, seed) for row in held for seed in range(given.seeds)]
        apart = distances([describe(bm, row.stars) for bm, row in zip(made, held * given.seeds, strict=False)], human)
        figures = {name: round(apart[name], 3) for name in HEADLINE[given.mode] if name in apart}
        mean = np.mean(list(figures.values()))
        print(f"  drawn {which:8} {traits(made)}; distance {mean:.3f} {figures}", flush=True)


def export(corpus: Corpus, rows: list[MapRow], folder: Path) -> None:
    """Write sets as a mapper would have them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, some in enumerate(grouped(rows, lambda row: row.set_key)):
        beatmaps = [corpus.beatmap(row) for row in some]
        write_osz(folder / f"{number:02d}.osz", beatmaps, corpus.audio_path(some[0]))


def surprise(corpus: Corpus, rows: list[MapRow], shelf: object) -> dict[str, float]:
    """Bits per note of maps, by network and figure."""
    from mapperatorinator.audio import load_audio, log_mel
    from mapperatorinator.training.adapter_maps import OwnMap
    from mapperatorinator.training.adapter_networks import NETWORKS
    from mapperatorinator.training.features import pack

    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        maps = []
        for row in rows:
            audio = load_audio(corpus.folder / row.audio)
            np.save(Path(folder) / Path(row.audio).stem, pack(log_mel(audio.samples)))
            maps.append(OwnMap(corpus.beatmap(row), row, audio.duration_ms))
        for kind in NETWORKS:
            if rows[0].mode in kind.modes:
                figures |= kind(shelf, [], maps, Path(folder), 0).bits()  # type: ignore[arg-type]
    return {name: round(value, 3) for name, value in figures.items()}


def drawn(song: Song, adapter: str, seed: int) -> Beatmap:
    """A map of a song as the human's was asked for."""
    settings = replace(request_of(song, seed), lora_path=adapter)
    return Drawing(_MAPPER, song.audio, song.timing).draw(settings)


def traits(maps: list[Beatmap]) -> str:
    """Objects a second, share of objects that are held, share with an addition, mean notes at once."""
    seconds = sum(bm.end_time(bm.hit_objects[-1]) - bm.hit_objects[0].time for bm in maps) / 1000
    objects = [item for bm in maps for item in bm.hit_objects]
    moments = sum(len({round(item.time) for item in bm.hit_objects}) for bm in maps)
    held = np.mean([not isinstance(item, Circle) for item in objects])
    added = np.mean([bool(item.sound & 14) for item in objects])
    return (
        f"{len(objects) / seconds:.2f} objects/s, {held:.1%} sliders or holds, {added:.1%} with additions, "
        f"{len(objects) / moments:.2f} at once"
    )


_MAPPER = GridMapper()

if __name__ == "__main__":
    main()
