"""How much of a human beatmap survives beatmap -> events -> beatmap.

    python bench/events_roundtrip.py [--corpus DIR] [--limit N] [--json FILE]

An object counts as equal in an aspect when the rebuilt map has one at the same time and place in the list
with: time and kind the same; place within 0.01 px (column in mania, none in taiko), curves within 0.5 px
along their whole length; end within 1 ms; every hit sound heard the same (bits, resolved sets, volume; edges
and body); velocity of sliders, or the scroll speed a taiko or mania player sees, within 0.1 %; kiai the same;
new combo the same. Lost by design: combo colour skips, custom sample indexes and file names, lines without
effect on an object.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from mapperatorinator.beatmap import (
    MANIA,
    TAIKO,
    Beatmap,
    HitObject,
    HitSample,
    Slider,
    parse_beatmap,
    write_beatmap,
)
from mapperatorinator.events import beatmap_to_events, events_to_beatmap
from mapperatorinator.events.sounds import sound_of

ASPECTS = ("time", "kind", "place", "curve", "end", "sound", "velocity", "kiai", "combo")
MODES = ("osu!", "taiko", "catch", "mania")


def rebuilt(bm: Beatmap) -> Beatmap:
    """The map after events and a written file."""
    bare = replace(bm, hit_objects=[], timing_points=bm.red_lines())
    return parse_beatmap(write_beatmap(events_to_beatmap(beatmap_to_events(bm), bare)))


def heard(bm: Beatmap, obj: HitObject) -> list[tuple[int, ...]]:
    """Every sound of an object as a player hears it: bits, sets, volume."""
    moments: list[tuple[float, int, HitSample | None]] = []
    if isinstance(obj, Slider) and bm.mode != TAIKO:
        duration = int(obj.slides * bm.slider_span_duration(obj) + 1e-5)
        for i in range(obj.slides + 1):
            sound = obj.edge_sounds[i] if i < len(obj.edge_sounds) else obj.sound
            sample = HitSample(*obj.edge_sets[i]) if i < len(obj.edge_sets) else obj.sample
            moments.append((int(obj.time + i * duration / obj.slides), sound, sample))
        moments.append((obj.time + 1, obj.sound, obj.sample))
    else:
        at = (
            obj.time
            if bm.mode == TAIKO or not hasattr(obj, "end_time") or bm.mode == MANIA
            else bm.end_time(obj)
        )
        moments.append((at, obj.sound, obj.sample))
    return [tuple(sound_of(bm.timing, at, sound, sample or HitSample())) for at, sound, sample in moments]


def scroll(bm: Beatmap, at: float) -> float:
    """Velocity in osu! and catch, scroll speed in taiko, in mania times the tempo."""
    red, green = bm.timing_at(at)
    if bm.mode in (TAIKO, MANIA):
        speed = green.scroll_speed if green else 1.0
        return speed / red.ms_per_beat * 500 if bm.mode == MANIA else speed
    return bm.velocity_at(at)


def moved_by_lines(bm: Beatmap, obj: HitObject) -> bool:
    """Whether the velocity in force matters to an object: in osu! and catch only to sliders."""
    return bm.mode in (TAIKO, MANIA) or isinstance(obj, Slider)


def kind(bm: Beatmap, obj: HitObject) -> str:
    """The name of the object's class; in mania a slider is a hold."""
    return "Hold" if bm.mode == MANIA and isinstance(obj, Slider) else type(obj).__name__


def same_place(bm: Beatmap, a: HitObject, b: HitObject) -> bool:
    if bm.mode == TAIKO or kind(bm, a) == "Spinner":
        return True
    if bm.mode == MANIA:
        return bm.column(a) == bm.column(b)
    return abs(a.x - b.x) < 0.01 and abs(a.y - b.y) < 0.01


def same_curve(bm: Beatmap, a: HitObject, b: HitObject) -> bool:
    if bm.mode in (TAIKO, MANIA) or not isinstance(a, Slider) or not isinstance(b, Slider):
        return True
    steps = np.linspace(0.0, 1.0, 33)
    apart = a.path.at_distances(steps * a.length) - b.path.at_distances(steps * a.length)
    return a.slides == b.slides and float(np.abs(apart).max()) < 0.5


def compare(old: Beatmap, new: Beatmap) -> tuple[Counter[str], dict[str, list[str]]]:
    """Equal objects per aspect (and "all", "objects"), and examples of the others."""
    counts: Counter[str] = Counter(objects=len(old.hit_objects))
    bad: dict[str, list[str]] = defaultdict(list)
    if len(old.hit_objects) != len(new.hit_objects):
        bad["count"].append(f"{len(old.hit_objects)} -> {len(new.hit_objects)}")
    offset = 0
    for i, a in enumerate(old.hit_objects):
        while i + offset < len(new.hit_objects) and new.hit_objects[i + offset].time < int(a.time):
            offset += 1
        if i + offset >= len(new.hit_objects) or new.hit_objects[i + offset].time > a.time:
            bad["missing"].append(f"{a}")
            offset -= 1
            continue
        b = new.hit_objects[i + offset]
        combo = old.mode in (TAIKO, MANIA) or kind(old, a) == "Spinner" or a.new_combo == b.new_combo
        equal = {
            "time": int(a.time) == b.time,
            "kind": kind(old, a) == kind(new, b),
            "place": same_place(old, a, b),
            "curve": same_curve(old, a, b),
            "end": abs(old.end_time(a) - new.end_time(b)) <= 1,
            "sound": heard(old, a) == heard(new, b),
            "velocity": not moved_by_lines(old, a)
            or abs(scroll(old, a.time) / scroll(new, b.time) - 1) < 1e-3,
            "kiai": old.kiai_at(a.time) == new.kiai_at(b.time),
            "combo": combo,
        }
        counts["all"] += all(equal.values())
        for name, yes in equal.items():
            counts[name] += yes
            if not yes and len(bad[name]) < 3:
                bad[name].append(f"{a} -> {b}")
    return counts, bad


def corpus_maps(corpus: Path) -> Iterator[tuple[str, bytes]]:
    """(path, file) of every map of the corpus, in the order of its table."""
    archive = zipfile.ZipFile(corpus / "maps_without_audio.zip")
    with open(corpus / "maps.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            path = corpus / row["path"]
            yield row["path"], path.read_bytes() if path.exists() else archive.read(row["path"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = os.environ.get("MAPPERATORINATOR_CORPUS", "../shared/corpus")
    parser.add_argument("--corpus", type=Path, default=Path(default))
    parser.add_argument("--limit", type=int, default=None, help="only every k-th map, so many in all")
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    maps = list(corpus_maps(args.corpus))
    if args.limit:
        maps = maps[:: max(1, len(maps) // args.limit)]
    totals: dict[str, Counter[str]] = {name: Counter() for name in MODES}
    worst: list[tuple[float, str]] = []
    began = time.time()
    for path, data in maps:
        bm = parse_beatmap(data)
        new = rebuilt(bm)
        counts, bad = compare(bm, new)
        share = counts["all"] / max(counts["objects"], 1)
        worst.append((share, path))
        totals[MODES[bm.mode]].update(counts)
        totals[MODES[bm.mode]].update(
            maps=1, lines_before=len(bm.timing_points), lines_after=len(new.timing_points)
        )
        if args.verbose and bad:
            print(
                f"{share:.4f} m{bm.mode} {path}",
                *(f"\n   {k}: {v[0]}" for k, v in bad.items()),
                file=sys.stderr,
            )
    report = {name: summary(counts) for name, counts in totals.items() if counts["maps"]}
    report["all"] = summary(sum(totals.values(), Counter()))
    report["worst"] = [{"share": round(share, 4), "map": path} for share, path in sorted(worst)[:20]]
    report["seconds"] = round(time.time() - began, 1)
    print(json.dumps(report, indent=1))
    if args.json:
        args.json.write_text(json.dumps(report, indent=1), encoding="utf-8")


def summary(counts: Counter[str]) -> dict[str, float]:
    objects = max(counts["objects"], 1)
    shares = {name: round(counts[name] / objects, 5) for name in ("all", *ASPECTS)}
    return {**{k: counts[k] for k in ("maps", "objects", "lines_before", "lines_after")}, **shares}


if __name__ == "__main__":
    main()
