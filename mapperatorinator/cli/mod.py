"""`mapperatorinator mod FILE…` and `python mai_mod.py beatmap_path=…`: what a second pair of eyes sees in a map.

Takes .osu and .osz files and folders; reads them and never writes to them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mapperatorinator.cli.overrides import raw_value
from mapperatorinator.errors import UserError

if TYPE_CHECKING:
    from mapperatorinator.modding import Report, Suggestion, Topic

THRESHOLD = 6.0
SEVERITIES = ("minor", "warning", "problem")
# Surprisal from which a circle has this colour: about once an hour, once in a quarter of an hour, often.
_COLOURS = ((12.0, "bold red"), (10.0, "bold yellow"), (8.0, "bold blue"), (0.0, "dim"))
_SEVERITY_COLOURS = {"Problem": "bold red", "Warning": "bold yellow", "Minor": "dim"}
# Options of the script under the names that its users know; values of the last three mean nothing here.
_SCRIPT = ("beatmap_path", "audio_path", "raw_output", "json", "threshold", "severity", "category", "top",
           "model", "model_path", "precision", "inference", "mapper_id")  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `mod`."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".osu, .osz or a folder of them")
    parser.add_argument("--audio", type=Path, help="the song; default: what the map names")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--raw-output", action="store_true", help="print markup instead of colours")
    parser.add_argument("--threshold", type=float, default=THRESHOLD, help="least surprisal; default: %(default)s")
    parser.add_argument("--severity", choices=SEVERITIES, default="warning", help="least severity of rule checks")
    parser.add_argument("--category", action="append", help="only categories with this in their name; repeatable")
    parser.add_argument("--model", default="embedded", help="whose surprise counts: embedded, v28 to v32")
    parser.add_argument("--model-path", metavar="DIR", help="folder or name of a published model")
    parser.add_argument("--top", type=int, metavar="N", help="only the N weightiest of each map")


def run(given: argparse.Namespace) -> int:
    """Review every file; returns 0."""
    from mapperatorinator.modding import Topic

    topics = [topic for topic in Topic if _named(topic.value, given.category)]
    if not topics:
        raise UserError(f"There is no category {given.category[0]!r}; there are {', '.join(t.value for t in Topic)}.")
    answers = []
    for path, report in _reports(given):
        answers.append({"file": str(path), **(shown := _chosen(report, topics, given)).as_json()})
        if not given.json:
            _print(shown, len(report.suggestions), given.raw_output)
    if given.json:
        print(json.dumps(answers, indent=2, ensure_ascii=False))
    return 0


def script(words: list[str]) -> int:
    """What `mai_mod.py` does with its `name=value` words."""
    values: dict[str, str] = {}
    for word in words:
        name, equals, value = word.lstrip("-").partition("=")
        if name == "json" and not equals:
            value = "true"
        elif not equals or name not in _SCRIPT:
            raise UserError(f"{word!r} is not understood; mai_mod.py takes {', '.join(f'{n}=' for n in _SCRIPT)}.")
        values[name] = raw_value(value) or ""
    if not values.get("beatmap_path"):
        raise UserError("Which map? Say beatmap_path=path/to/map.osu (or an .osz, or a folder).")
    arguments = [values["beatmap_path"]]
    for name in ("threshold", "severity", "category", "top", "model", "model_path"):
        arguments += [f"--{name.replace('_', '-')}={values[name]}"] if values.get(name) else []
    arguments += [f"--audio={values['audio_path']}"] if values.get("audio_path") else []
    for name in ("json", "raw_output"):
        arguments += ["--" + name.replace("_", "-")] if values.get(name, "").lower() in ("true", "1", "yes") else []
    from mapperatorinator.cli.main import run as run_command

    return run_command(["mod", *arguments])


def main() -> None:
    """Run `mai_mod.py` with the process's arguments and exit."""
    from mapperatorinator.cli.guard import guarded

    sys.exit(guarded(lambda: script(sys.argv[1:])))


def _named(category: str, wanted: list[str] | None) -> bool:
    return not wanted or any(word.casefold() in category.casefold() for word in wanted)


def _reports(given: argparse.Namespace) -> Iterator[tuple[Path, Report]]:
    """Each map's file and report, and one more for every set of several."""
    from mapperatorinator.mapper import load_mapper
    from mapperatorinator.modding import review_set
    from mapperatorinator.modding.sources import read_sources
    from mapperatorinator.settings import Settings

    published = given.model != "embedded"
    mapper = load_mapper(Settings(model=given.model, model_path=given.model_path)) if published else None
    for path in given.files:
        for source in read_sources(path, given.audio):
            for report in review_set(source.beatmaps, source.audio, mapper):
                yield source.path, report


def _chosen(report: Report, topics: list[Topic], given: argparse.Namespace) -> Report:
    from mapperatorinator.checks import Severity

    shown = report.only(topics, given.threshold, Severity[given.severity.upper()])
    if given.top is None:
        return shown
    kept = set(map(id, shown.top(given.top)))
    return replace(shown, suggestions=tuple(one for one in shown.suggestions if id(one) in kept))


def _print(report: Report, found: int, raw: bool) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)

    def say(markup: str) -> None:
        print(markup) if raw else console.print(markup)

    say(f"[bold]{escape(report.title)}[/bold]")
    for note in report.notes:
        say(f"note: {escape(note)}")
    if report.complexity is not None and report.complexity.notes:
        say(f"Rhythm complexity: {report.complexity}.")
    shown = len(report.suggestions)
    say(f"Found {shown} suggestions" + (f" ({found - shown} slighter ones left out):" if found > shown else ":"))
    for topic, some in report.by_topic().items():
        say(f"[bold]{topic.value}[/bold]")
        for one in some:
            say("  " + _line(one))


def _line(one: Suggestion) -> str:
    """One suggestion in rich's markup: its circle, the editor's link and the sentence."""
    from rich.markup import escape

    if one.severity is not None:
        value, colour = str(one.severity), _SEVERITY_COLOURS[str(one.severity)]
    else:
        surprisal = one.surprisal or 0.0
        value, colour = f"{surprisal:4.1f}", next(name for least, name in _COLOURS if surprisal >= least)
    where = f"[link={one.link}][green]{escape(one.timestamp)}[/green][/link] " if one.link else ""
    likely = f" ({one.likelihood:.0%} likely)" if one.likelihood else ""
    return f"[{colour}]({value})[/{colour}] {where}{escape(one.message)}{likely}"
