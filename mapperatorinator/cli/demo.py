"""`mapperatorinator demo`: a beatmap of the song that ships with the package, into the current folder."""

from __future__ import annotations

import argparse
from pathlib import Path

import mapperatorinator
from mapperatorinator.cli.generate import add_common_arguments, generate_and_report, read_words
from mapperatorinator.errors import UserError
from mapperatorinator.settings import Settings

FOLDER = Path(mapperatorinator.__file__).parent / "demo"
_AUDIO = {".ogg", ".mp3", ".opus", ".flac"}


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


def demo_song() -> Path:
    """The song that ships with the package."""
    songs = [path for path in sorted(FOLDER.glob("*")) if path.suffix in _AUDIO]
    if not songs:
        raise UserError("The demo song is missing from this installation; reinstall mapperatorinator.")
    return songs[0]
