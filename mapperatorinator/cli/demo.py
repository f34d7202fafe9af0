"""`mapperatorinator demo`: a beatmap of the song that ships with the package, into the current folder."""

from __future__ import annotations

import argparse

from mapperatorinator.cli.generate import add_common_arguments, generate_and_report, read_words
from mapperatorinator.demo import demo_song
from mapperatorinator.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `demo`."""
    parser.add_argument("words", nargs="*", metavar="option=value", help="any option")
    add_common_arguments(parser)


def run(given: argparse.Namespace) -> int:
    """Generate the demo set; returns the exit code."""
    _, values = read_words(given)
    values.setdefault("output_path", ".")
    return generate_and_report(
        [Settings.from_mapping({**values, "audio_path": str(demo_song())})], given.json, given.quiet
    )
