"""`mapperatorinator settings`: every option with its default, range and meaning."""

from __future__ import annotations

import argparse
import json

from mapperatorinator.settings import schema, settings_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `settings`."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(given: argparse.Namespace) -> int:
    """Print the table; returns the exit code."""
    print(json.dumps(schema(), indent=2, ensure_ascii=False) if given.json else settings_table(), end="")
    return 0
