"""Proof of the beatmap reader and writer on every map of the corpus.

    python bench/roundtrip.py [--json FILE] [--limit N]

Every map is read, written and read again. Reported per format version: maps, damaged lines, maps whose two
readings differ, maps whose star rating (rosu-pp) changes; then per independent reader (rosu-pp, fosu, slider,
and the game's own code in osu-native-py where its library loads) how many files it accepts before and after,
and how many it then reads differently; then slider geometry, slider ends and stacks against fosu's.
The corpus is the folder in MAPPERATORINATOR_CORPUS (default ../shared/corpus).
"""

from __future__ import annotations

import argparse
import json
import os
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import fosu
import numpy as np
import rosu_pp_py
import slider

from mapperatorinator.beatmap import OSU, Beatmap, Slider, parse_beatmap, stack_heights
from mapperatorinator.beatmap.parse import decode_text
from mapperatorinator.beatmap.write import beatmap_bytes

Reader = Callable[[bytes], Any]
ROOT = Path(__file__).resolve().parent.parent
CORPUS = Path(os.environ.get("MAPPERATORINATOR_CORPUS", ROOT.parent / "shared" / "corpus"))
PATH_LIMIT, END_LIMIT = 0.1, 0.01  # px, ms: what counts as a difference from fosu's geometry


def corpus_files(corpus: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of every map, with and without audio."""
    for path in sorted((corpus / "maps").rglob("*.osu")):
        yield path.relative_to(corpus).as_posix(), path.read_bytes()
    with zipfile.ZipFile(corpus / "maps_without_audio.zip") as archive:
        for name in sorted(n for n in archive.namelist() if n.endswith(".osu")):
            yield name, archive.read(name)


def read_rosu(data: bytes) -> Any:
    """Counts and star rating by rosu-pp."""
    bm = rosu_pp_py.Beatmap(bytes=data)
    counts = (bm.n_circles, bm.n_sliders, bm.n_spinners, bm.n_holds, bm.n_breaks, str(bm.mode), bm.version)
    return *counts, rosu_pp_py.Difficulty().calculate(bm).stars


def read_fosu(data: bytes) -> Any:
    """Everything fosu reads of objects, timing points, breaks, colours and settings."""
    bm = fosu.parse(data, calculate_slider_end_times=True, client="lazer")
    objects = [
        (
            o.time,
            o.end_time,
            o.x,
            o.y,
            o.hitsound,
            o.type & ~0x70,
            o.combo_skip,
            _sample(o.hit_sample),
            _edges(o),
        )
        for o in sorted(bm.hit_objects, key=lambda o: o.time)
    ]
    points = [
        (
            p.time,
            str(p.beat_length),
            p.meter,
            p.sample_set,
            p.sample_index,
            p.volume,
            p.uninherited,
            p.effects,
        )
        for p in sorted(bm.timing_points, key=lambda p: p.time)
    ]
    names = (
        "format_version audio_filename audio_lead_in preview_time countdown sample_set stack_leniency mode "
        "title letterbox_in_breaks widescreen_storyboard epilepsy_warning special_style bookmarks "
        "distance_spacing beat_divisor grid_size timeline_zoom title_unicode artist artist_unicode creator "
        "version source tags hp cs od ar slider_multiplier slider_tick_rate background video combo_colours"
    )
    breaks = [(b.start, b.end) for b in bm.breaks]
    return objects, points, breaks, {name: getattr(bm, name) for name in names.split()}


def _sample(text: str) -> tuple[str, ...]:
    numbers = (text.split(":", 4) + ["0"] * 5)[:5]
    return tuple(number or "0" for number in numbers)


def _edges(obj: Any) -> Any:
    return (obj.slides, obj.length, obj.control_points and len(obj.control_points)) if obj.is_slider else None


def read_slider(data: bytes) -> Any:
    """Numbers of objects and timing points by slider (the library of that name)."""
    bm = slider.Beatmap.parse(decode_text(data))
    return len(bm.hit_objects(spinners=True)), len(bm.timing_points), bm.title, bm.version


def read_game(data: bytes) -> Any:
    """Star rating and maximum combo by the game's own code."""
    from osu_native_py.wrapper import calculators
    from osu_native_py.wrapper.objects import Beatmap as GameBeatmap
    from osu_native_py.wrapper.objects import ModsCollection, Ruleset

    bm = GameBeatmap.from_text(decode_text(data))
    mode = bm.ruleset_id
    kind = getattr(calculators, f"{('Osu', 'Taiko', 'Catch', 'Mania')[mode]}DifficultyCalculator")
    result = kind.create(Ruleset.from_id(mode), bm).calculate(ModsCollection.create())
    return bm.title, bm.version, result.max_combo, result.star_rating


def readers() -> dict[str, Reader]:
    """The readers that work on this machine."""
    found: dict[str, Reader] = {"rosu-pp": read_rosu, "fosu": read_fosu, "slider": read_slider}
    try:
        import osu_native_py.wrapper  # noqa: F401
    except (ImportError, OSError) as error:
        print(f"osu-native-py does not load here: {error}")
    else:
        found["osu-native-py"] = read_game
    return found


def attempt(reader: Reader, data: bytes) -> Any:
    """What the reader makes of the file, or its refusal as text that starts with '!'."""
    try:
        return reader(data)
    except Exception as error:  # whatever a foreign parser throws means "not accepted"
        return f"!{type(error).__name__}: {error}"


def compare_readers(
    found: dict[str, Reader], name: str, before: bytes, after: bytes, table: Counter[str]
) -> None:
    """Count what each reader accepts and whether it reads the written file as it read the original."""
    for label, reader in found.items():
        old, new = attempt(reader, before), attempt(reader, after)
        refused_old, refused_new = (isinstance(value, str) for value in (old, new))
        table[f"{label} accepts original"] += not refused_old
        table[f"{label} accepts written"] += not refused_new
        table[f"{label} lost"] += refused_new and not refused_old
        table[f"{label} reads differently"] += not refused_old and not refused_new and old != new
        if not refused_old and old != new:
            print(f"{name}: {label}: {_difference(old, new)}")


def _difference(old: Any, new: Any) -> str:
    if isinstance(new, str):
        return new
    for a, b in zip(old, new, strict=True):
        if a != b and isinstance(a, dict):
            return str({key: (a[key], b[key]) for key in a if a[key] != b[key]})
        if a != b and isinstance(a, list):
            pairs = [(x, y) for x, y in zip(a, b, strict=False) if x != y]
            return f"{len(a)} -> {len(b)}, {len(pairs)} differ: {pairs[:1]}"
        if a != b:
            return f"{a} -> {b}"
    return "?"


def compare_geometry(bm: Beatmap, data: bytes, table: Counter[str]) -> float:
    """Count differences from fosu's slider paths, end times and stacks; the worst distance in px."""
    other = fosu.parse(
        data,
        calculate_slider_end_times=True,
        calculate_slider_paths=True,
        apply_stacking=True,
        client="lazer",
    )
    if len(other.hit_objects) != len(bm.hit_objects):  # fosu skips coordinates that only old clients take
        table["maps without compared geometry"] += 1
        return 0.0
    heights = stack_heights(bm) if bm.mode == OSU else [0] * len(bm.hit_objects)
    worst = 0.0
    pairs = zip(sorted(other.hit_objects, key=lambda o: o.time), bm.hit_objects, heights, strict=True)
    for theirs, ours, height in pairs:
        table["slider ends apart"] += abs(theirs.end_time - bm.end_time(ours)) > END_LIMIT
        table["stacks apart"] += bm.mode == OSU and theirs.stacking and theirs.stacking.stack_height != height
        if isinstance(ours, Slider):
            distance = _path_distance(theirs, ours)
            table["sliders"] += 1
            table["slider paths apart"] += distance > PATH_LIMIT
            worst = max(worst, distance)
    return worst


def _path_distance(theirs: Any, ours: Slider) -> float:
    progress = np.linspace(0.0, 1.0, 17)
    lengths = np.array(theirs.path.cumulative_lengths)
    points = np.array([(p.x, p.y) for p in theirs.path.points])
    at = progress * lengths[-1]
    line = np.stack([np.interp(at, lengths, points[:, k]) for k in (0, 1)], axis=1) + (ours.x, ours.y)
    return float(np.abs(line - ours.path.at_distances(progress * ours.span_length)).max())


def sweep(limit: int | None) -> tuple[dict[str, Counter[str]], Counter[str], dict[str, float]]:
    """Run everything; returns counts by format version, counts of readers and geometry, and other figures."""
    versions: dict[str, Counter[str]] = {}
    table: Counter[str] = Counter()
    figures = {"worst path distance px": 0.0, "seconds reading": 0.0, "seconds writing": 0.0}
    found = readers()
    for i, (name, data) in enumerate(corpus_files(CORPUS)):
        if i == limit:
            break
        times = [perf_counter()]
        bm = parse_beatmap(data)
        times.append(perf_counter())
        written = beatmap_bytes(bm)
        times.append(perf_counter())
        again = parse_beatmap(written)
        figures["seconds reading"] += times[1] - times[0]
        figures["seconds writing"] += times[2] - times[1]
        row = versions.setdefault(f"v{bm.version}", Counter())
        row["maps"] += 1
        row["objects"] += len(bm.hit_objects)
        row["damaged lines"] += len(bm.warnings)
        row["read again: differs"] += again != bm
        row["written again: differs"] += beatmap_bytes(again) != written
        stars = [
            rosu_pp_py.Difficulty().calculate(rosu_pp_py.Beatmap(bytes=d)).stars for d in (data, written)
        ]
        row["stars differ"] += stars[0] != stars[1]
        for warning in bm.warnings:
            print(f"{name}: {warning}")
        compare_readers(found, name, data, written, table)
        figures["worst path distance px"] = max(
            figures["worst path distance px"], compare_geometry(bm, data, table)
        )
    return versions, table, figures


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--limit", type=int, help="stop after so many maps")
    args = parser.parse_args()
    versions, table, figures = sweep(args.limit)
    columns = list(next(iter(versions.values())))
    print(f"{'':8}" + "".join(f"{column:>24}" for column in columns))
    for version in sorted(versions, key=lambda v: int(v[1:])):
        print(f"{version:8}" + "".join(f"{versions[version][column]:>24}" for column in columns))
    for label, value in {**table, **figures}.items():
        print(f"{label:36} {value:.6g}")
    if args.json:
        args.json.write_text(
            json.dumps({"versions": versions, "readers": table, "figures": figures}, indent=1)
        )


if __name__ == "__main__":
    main()
