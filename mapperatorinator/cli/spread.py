"""`mapperatorinator spread SONG`: one set, several difficulties, one timing."""

from __future__ import annotations

import argparse

from mapperatorinator.cli.generate import add_common_arguments, generate_and_report, read_words
from mapperatorinator.errors import UserError
from mapperatorinator.settings import Settings

# One difficulty of each level that is usual for a full set, up to the hardest that is asked for.
_LADDER = (1.7, 2.4, 3.5, 4.7, 5.8, 7.0)
_DEFAULT_TOP = 4.7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `spread`."""
    parser.add_argument("words", nargs="*", metavar="SONG", help="the song, and any further option=value")
    add_common_arguments(parser)
    parser.epilog = "--stars is the hardest difficulty; difficulties=2,3.5,5 asks for exactly these."


def run(given: argparse.Namespace) -> int:
    """Generate the set; returns the exit code."""
    songs, values = read_words(given)
    if len(songs) != 1:
        raise UserError("Name one song: `mapperatorinator spread SONG`.")
    settings = Settings.from_mapping({**values, "audio_path": songs[0]})
    if not settings.difficulties:
        top = settings.difficulty or _DEFAULT_TOP
        ladder = [stars for stars in _LADDER if stars < top - 0.4]
        settings = Settings.from_mapping({**settings.changed(), "difficulties": [*ladder, top]})
    return generate_and_report([settings], given.json, given.quiet)
