"""Issues of the rule engine on the corpus, per check and mode, with examples.

    python bench/checks_corpus.py [--limit N] [--with-audio] [--sets] [--examples N] [--only ID] [--json FILE]

Most maps of the corpus were ranked or near it, so a check with many Problems is probably too
strict; the examples name maps and moments to look at. Reads `maps_without_audio.zip` too, unless
`--with-audio` limits it to maps that have their song (their files are transcoded, so the checks of
the song's file do not run). `--sets` runs the checks that compare difficulties, on maps of one set id.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from mapperatorinator.beatmap import Beatmap, parse_beatmap
from mapperatorinator.checks import REGISTRY, Issue, Severity, run_checks, run_set_checks
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


class Tally:
    """Counts issues by check, severity and mode, and keeps a few to look at."""

    def __init__(self, examples: int) -> None:
        self.examples = examples
        self.units: Counter[int] = Counter()  # maps (or sets) per mode
        self.clean: Counter[int] = Counter()
        self.issues: Counter[tuple[str, str, int]] = Counter()
        self.hit: Counter[tuple[str, str, int]] = Counter()
        self.shown: dict[tuple[str, str], list[str]] = defaultdict(list)

    def add(self, name: str, mode: int, found: list[Issue]) -> None:
        self.units[mode] += 1
        self.clean[mode] += not any(issue.severity == Severity.PROBLEM for issue in found)
        seen = Counter((issue.check_id, str(issue.severity), mode) for issue in found)
        self.issues.update(seen)
        self.hit.update(seen.keys())
        for issue in found:
            listed = self.shown[issue.check_id, str(issue.severity)]
            if len(listed) < self.examples and not any(name in line for line in listed):
                listed.append(f"{name} {issue.difficulty or ''}: {issue}")

    def report(self, ids: Iterable[str]) -> None:
        for mode, n in sorted(self.units.items()):
            print(f"  {MODE_NAMES[mode]}: {self.clean[mode]} of {n} without a Problem")
        for check_id in ids:
            for severity in ("Problem", "Warning", "Minor"):
                self._line(check_id, severity)

    def _line(self, check_id: str, severity: str) -> None:
        cells = []
        for mode in sorted(self.units):
            key = check_id, severity, mode
            if self.hit[key]:
                cells.append(f"{MODE_NAMES[mode]} {self.hit[key]}/{self.units[mode]} ({self.issues[key]})")
        if cells:
            print(f"{check_id} {severity}: " + ", ".join(cells))
            for line in self.shown[check_id, severity]:
                print(f"      {line}")

    def to_json(self) -> dict[str, object]:
        return {
            "units": {MODE_NAMES[m]: n for m, n in self.units.items()},
            "without_problem": {MODE_NAMES[m]: self.clean[m] for m in self.units},
            "issues": [
                {"check": c, "severity": s, "mode": MODE_NAMES[m], "units": self.hit[c, s, m], "issues": n}
                for (c, s, m), n in sorted(self.issues.items())
            ],
        }


def parsed(options: argparse.Namespace) -> Iterator[tuple[str, Beatmap]]:
    """(path, map) of the chosen part of the corpus."""
    everything = list(maps(options.with_audio))
    if options.limit:
        everything = everything[:: max(1, len(everything) // options.limit)]
    for path, data in everything:
        try:
            yield path, parse_beatmap(data)
        except UserError as error:
            print(f"{path}: {error}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=int, default=0, help="about so many maps only")
    parser.add_argument("--with-audio", action="store_true")
    parser.add_argument("--sets", action="store_true")
    parser.add_argument("--examples", type=int, default=2)
    parser.add_argument("--only", action="append", help="ids of checks to run")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    tally, slowest, total = Tally(options.examples), (0.0, ""), 0.0
    groups: dict[int, list[Beatmap]] = defaultdict(list)
    for path, beatmap in parsed(options):
        if options.sets:
            groups[beatmap.beatmapset_id].append(beatmap)
            continue
        started = time.process_time()
        found = run_checks(beatmap, ids=options.only)
        seconds = time.process_time() - started
        slowest, total = max(slowest, (seconds, path)), total + seconds
        tally.add(path, beatmap.mode, found)
    for set_id, beatmaps in groups.items():
        if set_id > 0 and len(beatmaps) > 1:
            tally.add(f"set {set_id}", beatmaps[0].mode, run_set_checks(beatmaps, ids=options.only))
    print(
        f"{sum(tally.units.values())} maps or sets, {total:.0f} s, slowest {slowest[0]:.2f} s ({slowest[1]})"
    )
    tally.report(options.only or REGISTRY)
    if options.json:
        report = {**tally.to_json(), "seconds": total, "slowest_seconds": slowest[0]}
        options.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
