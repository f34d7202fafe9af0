"""How human the placed maps look: val maps keep times, kinds, combos and slider lengths and are placed anew.

``python bench/placing.py [--mode 0|2|3] [--maps N] [--temperature T] [--touch DEPTH] [--json FILE] [--save FOLDER]`` prints
Jensen-Shannon distances (bits, within bins of stars) between the placed maps and the human ones, beside the
human floor (two halves of the human maps), surprisal of the human maps, seconds per 1,000 objects, and stars
got against stars of the human map. ``--touch`` moves what was placed by the embedded diffusion first, from that
level of noise (0: not at all, only by way of events). Needs the corpus and the embedded models.
"""

from __future__ import annotations

import argparse
import json
import time
from copy import deepcopy
from pathlib import Path

import numpy as np

from mapperatorinator.beatmap import CATCH, Beatmap, Hold, Slider, read_beatmap, save_beatmap, star_rating
from mapperatorinator.beatmap.objects import Circle, HitObject
from mapperatorinator.beatmap.path import SliderPath
from mapperatorinator.evaluation.corpus import Corpus, MapRow
from mapperatorinator.evaluation.patterns import HEADLINE, Described, describe, distances, human_floor
from mapperatorinator.events import beatmap_to_events, events_to_beatmap
from mapperatorinator.mapper.grid import columns, points
from mapperatorinator.mapper.grid.draft import Chord, Draft
from mapperatorinator.mapper.grid.reading import read_chords, read_drafts
from mapperatorinator.positions.classes import MapClasses
from mapperatorinator.positions.touch import CATCH_WORD, Reach, touch_up
from mapperatorinator.timing import Timing
from mapperatorinator.training.grid_maps import conditions_of


def with_places(beatmap: Beatmap, drafts: list[Draft]) -> Beatmap:
    """The map with its objects where the drafts say."""
    placed = deepcopy(beatmap)
    objects = [o for o in placed.hit_objects if not isinstance(o, Hold)]
    for obj, draft in zip(objects, drafts, strict=True):
        obj.x, obj.y = draft.points[0]
        if isinstance(obj, Slider):
            obj.path = SliderPath.of(draft.curve, draft.points)
    return placed


def with_columns(beatmap: Beatmap, chords: list[Chord]) -> Beatmap:
    """The map with the notes that the chords say."""
    placed, keys = deepcopy(beatmap), beatmap.keys
    notes: list[HitObject] = []
    down: dict[int, Hold] = {}
    for chord in chords:
        for column in chord.release_columns:
            down.pop(column).end_time = chord.time
        for column in chord.columns:
            x = float(int((column + 0.5) * 512 / keys))
            if column in chord.hold_columns:
                down[column] = Hold(x, 192.0, chord.time, end_time=chord.time)
                notes.append(down[column])
            else:
                notes.append(Circle(x, 192.0, chord.time))
    placed.hit_objects = notes
    return placed


def replaced(row: MapRow, human: Beatmap, temperature: float, seed: int) -> tuple[Beatmap, float, float]:
    """The map placed anew, the seconds that took per 1,000 objects, and bits of surprise of the human map."""
    conditions = conditions_of(human, row, None, frozenset())
    rng = np.random.default_rng(seed)
    if human.mode == 3:
        chords = read_chords(human)
        bits = float(np.mean(columns.score_columns(chords, conditions)))
        start = time.process_time()
        columns.place_columns(chords, conditions, rng, temperature)
        took, result, count = time.process_time() - start, with_columns(human, chords), len(chords)
    else:
        drafts = read_drafts(human)
        bits = float(np.mean(points.score(drafts, conditions)))
        start = time.process_time()
        points.place(drafts, conditions, rng, temperature=temperature)
        took, result, count = time.process_time() - start, with_places(human, drafts), len(drafts)
    return result, took / count * 1000, bits


def touched(placed: Beatmap, row: MapRow, depth: int, seed: int) -> Beatmap:
    """The map after the last touch by the embedded diffusion."""
    events = beatmap_to_events(placed)
    if depth:
        asked = MapClasses(row.stars, placed.circle_size, descriptors=(CATCH_WORD,) * (placed.mode == CATCH))
        lines, reach = Timing.from_beatmap(placed).points, Reach(depth)
        events = touch_up(events, lines, placed.slider_multiplier, asked, seed=seed, reach=reach)
    return events_to_beatmap(events, deepcopy(placed), list(Timing.from_beatmap(placed).points))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mode", type=int, default=0, choices=(0, 2, 3))
    parser.add_argument("--maps", type=int, default=1000)
    parser.add_argument("--temperature", type=float, default=points.TEMPERATURE)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--save", type=Path, help="write the placed maps here")
    parser.add_argument("--placed", type=Path, help="take maps that were saved here instead of placing them")
    parser.add_argument("--touch", type=int, metavar="DEPTH", help="then move them by the embedded diffusion")
    arguments = parser.parse_args()
    corpus = Corpus()
    rows = corpus.select(mode=arguments.mode, split="val")[: arguments.maps]
    human: list[Described] = []
    ours: list[Described] = []
    seconds, surprise, stars, off = [], [], [], []
    for row in rows:
        beatmap = corpus.beatmap(row)
        if arguments.placed:
            placed, took, bits = read_beatmap(arguments.placed / f"{Path(row.path).stem}.osu"), 0.0, 0.0
        else:
            placed, took, bits = replaced(row, beatmap, arguments.temperature, arguments.seed)
        if arguments.touch is not None:
            start = time.process_time()
            placed = touched(placed, row, arguments.touch, arguments.seed)
            took += (time.process_time() - start) / len(placed.hit_objects) * 1000
        human.append(describe(beatmap, row.stars, row.song))
        ours.append(describe(placed, row.stars, row.song))
        seconds.append(took)
        surprise.append(bits)
        stars.append((row.stars, star_rating(placed)))
        off.append(np.mean([not (0 <= o.x <= 512 and 0 <= o.y <= 384) for o in placed.hit_objects]))
        if arguments.save:
            arguments.save.mkdir(parents=True, exist_ok=True)
            save_beatmap(placed, arguments.save / f"{Path(row.path).stem}.osu")
    found, floor = distances(ours, human), human_floor(human)
    print(f"{'feature':<22}{'distance':>10}{'floor':>10}{'ratio':>8}")
    for name in [*HEADLINE[arguments.mode], *sorted(set(found) - set(HEADLINE[arguments.mode]))]:
        if name in found and found[name] > 1e-9:
            least = floor.get(name, float("nan"))
            print(f"{name:<22}{found[name]:>10.4f}{least:>10.4f}{found[name] / least:>8.2f}")
    error = np.array([got - asked for asked, got in stars])
    summary = {
        "maps": len(rows), "bits of human objects": float(np.mean(surprise)),
        "seconds per 1000 objects": float(np.mean(seconds)), "off the field": float(np.mean(off)),
        "stars: mean error": float(error.mean()), "stars: median absolute error": float(np.median(np.abs(error))),
        "temperature": arguments.temperature, "seed": arguments.seed,
    }
    print(json.dumps(summary, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps({"distances": found, "floor": floor, **summary}, indent=1))


if __name__ == "__main__":
    main()
