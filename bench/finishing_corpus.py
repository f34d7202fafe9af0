"""What finishing does to human beatmaps: what it repairs, and how little else it touches.

    python bench/finishing_corpus.py [--corpus DIR] [--limit N] [--json FILE]

Human maps are nearly right, so almost every object must stay what, when and where it is. Problems are those of
the checks that generated maps have to pass, metadata apart.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from pathlib import Path

from events_roundtrip import MODES, corpus_maps

from mapperatorinator.beatmap import MANIA, TAIKO, Beatmap, HitObject, parse_beatmap
from mapperatorinator.checks import REGISTRY, Severity, run_checks
from mapperatorinator.checks.registry import Category
from mapperatorinator.finishing import finish

NOT_OURS = {"drain_time", "score_overflow", "key_count"}


def problems(bm: Beatmap) -> Counter[str]:
    """How often each check finds a problem that finishing should have repaired."""
    found = Counter(
        issue.check_id
        for issue in run_checks(bm)
        if issue.severity is Severity.PROBLEM
        and REGISTRY[issue.check_id].gate
        and REGISTRY[issue.check_id].category is not Category.METADATA
    )
    return Counter({name: count for name, count in found.items() if name not in NOT_OURS})


def identity(bm: Beatmap, obj: HitObject) -> tuple[object, ...]:
    """Kind, time and place of an object, as far as the mode has them."""
    place = (
        () if bm.mode == TAIKO else (bm.column(obj),) if bm.mode == MANIA else (round(obj.x), round(obj.y))
    )
    return type(obj).__name__, int(obj.time), *place


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = os.environ.get("MAPPERATORINATOR_CORPUS", "../shared/corpus")
    parser.add_argument("--corpus", type=Path, default=Path(default))
    parser.add_argument("--limit", type=int, default=None, help="only every k-th map, so many in all")
    parser.add_argument("--json", type=Path, default=None)
    args = parser.parse_args()
    maps = list(corpus_maps(args.corpus))
    maps = maps[:: max(1, len(maps) // args.limit)] if args.limit else maps
    report: dict[str, Counter[str]] = {name: Counter() for name in MODES}
    for path, data in maps:
        bm = parse_beatmap(data)
        began = time.process_time()
        finished = finish(bm)
        seconds = time.process_time() - began
        there = {identity(finished, obj) for obj in finished.hit_objects}
        row = report[MODES[bm.mode]]
        row.update(maps=1, objects=len(bm.hit_objects), milliseconds=round(1000 * seconds))
        row["kept"] += sum(identity(bm, obj) in there for obj in bm.hit_objects)
        row["stable"] += finish(finished) == finished
        row.update({f"before: {name}": count for name, count in problems(bm).items()})
        after = problems(finished)
        row.update({f"after: {name}": count for name, count in after.items()})
        row["clean"] += not after
        if after:
            print(path, dict(after))
    result = {
        name: {**row, "kept": row["kept"] / row["objects"]} for name, row in report.items() if row["maps"]
    }
    print(json.dumps(result, indent=1))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
