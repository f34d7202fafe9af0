"""Issues of the rule engine on the corpus, per check and mode, with examples.

    python bench/checks_corpus.py [--limit N] [--with-audio] [--examples N] [--only ID] [--json FILE]

Most maps of the corpus were ranked or near it, so a check with many Problems is probably too
strict; the examples name maps and moments to look at. Reads `maps_without_audio.zip` too, unless
`--with-audio` limits it to maps that have their song.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from mapperatorinator.beatmap import parse_beatmap
from mapperatorinator.checks import REGISTRY, Severity, run_checks
from mapperatorinator.checks.registry import MODE_NAMES
from mapperatorinator.errors import UserError

CORPUS = Path(os.environ.get("MAPPERATORINATOR_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))


def maps(with_audio: bool) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of every map of the corpus."""
    with open(CORPUS / "maps.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    archive = zipfile.ZipFile(CORPUS / "maps_without_audio.zip")
    for row in rows:
        if row["audio"]:
            yield row["path"], (CORPUS / row["path"]).read_bytes()
        elif not with_audio:
            yield row["path"], archive.read(row["path"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=int, default=0, help="every so many maps only")
    parser.add_argument("--with-audio", action="store_true")
    parser.add_argument("--examples", type=int, default=2)
    parser.add_argument("--only", action="append", help="ids of checks to run")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    everything = list(maps(options.with_audio))
    if options.limit:
        everything = everything[:: max(1, len(everything) // options.limit)]
    issues: Counter[tuple[str, str, int]] = Counter()
    hit: Counter[tuple[str, str, int]] = Counter()
    examples: dict[tuple[str, str], list[str]] = defaultdict(list)
    per_mode: Counter[int] = Counter()
    clean: Counter[int] = Counter()
    slowest, began = (0.0, ""), time.perf_counter()
    for path, data in everything:
        try:
            beatmap = parse_beatmap(data)
        except UserError as error:
            print(f"{path}: {error}")
            continue
        started = time.perf_counter()
        found = run_checks(beatmap, ids=options.only)
        slowest = max(slowest, (time.perf_counter() - started, path))
        per_mode[beatmap.mode] += 1
        clean[beatmap.mode] += not any(issue.severity == Severity.PROBLEM for issue in found)
        seen = Counter((issue.check_id, str(issue.severity), beatmap.mode) for issue in found)
        issues.update(seen)
        hit.update(seen.keys())
        for issue in found:
            listed = examples[issue.check_id, str(issue.severity)]
            if len(listed) < options.examples and not any(path in line for line in listed):
                listed.append(f"{path} {issue}")

    total = time.perf_counter() - began
    print(f"{sum(per_mode.values())} maps, {total:.0f} s, slowest {slowest[0]:.2f} s ({slowest[1]})")
    for mode, n in sorted(per_mode.items()):
        print(f"  {MODE_NAMES[mode]}: {clean[mode]} of {n} maps without a Problem")
    for check_id in options.only or REGISTRY:
        for severity in ("Problem", "Warning", "Minor"):
            cells = [
                f"{MODE_NAMES[mode]} {hit[check_id, severity, mode]}/{per_mode[mode]} maps "
                f"({issues[check_id, severity, mode]})"
                for mode in sorted(per_mode)
                if hit[check_id, severity, mode]
            ]
            if cells:
                print(f"{check_id} {severity}: " + ", ".join(cells))
                for line in examples[check_id, severity]:
                    print(f"      {line}")
    if options.json:
        report = {
            "maps": {MODE_NAMES[m]: n for m, n in per_mode.items()},
            "without_problem": {MODE_NAMES[m]: clean[m] for m in per_mode},
            "slowest_seconds": slowest[0],
            "issues": [
                {"check": c, "severity": s, "mode": MODE_NAMES[m], "maps": hit[c, s, m], "issues": n}
                for (c, s, m), n in sorted(issues.items())
            ],
        }
        options.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
