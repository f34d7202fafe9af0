"""`mapperatorinator check FILE…`: what the rule engine says about .osu and .osz files."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from mapperatorinator.cli.maps import read_maps

if TYPE_CHECKING:
    from mapperatorinator.checks import Issue

PROBLEMS_FOUND = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `check`."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.epilog = "Exit code 1 if a problem is found."


def run(given: argparse.Namespace) -> int:
    """Check every file; returns 0, or 1 if a map breaks a rule."""
    from mapperatorinator.checks import Severity, run_checks, run_set_checks

    answers = []
    broken = False
    for path in given.files:
        beatmaps = read_maps(path)
        found = [(beatmap.difficulty_name, run_checks(beatmap)) for beatmap in beatmaps]
        if len(beatmaps) > 1:
            found.append(("whole set", run_set_checks(beatmaps)))
        broken |= any(issue.severity == Severity.PROBLEM for _, issues in found for issue in issues)
        for name, issues in found:
            answers.append({"file": str(path), "map": name, "issues": [issue.to_dict() for issue in issues]})
            if not given.json:
                _print(path, name, issues)
    if given.json:
        print(json.dumps(answers, indent=2, ensure_ascii=False))
    return PROBLEMS_FOUND if broken else 0


def _print(path: Path, name: str, issues: list[Issue]) -> None:
    print(f"{path.name} [{name}]: " + (f"{len(issues)} findings" if issues else "nothing to complain about"))
    for issue in issues:
        print(f"  {issue}")
