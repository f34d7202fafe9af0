"""`mapperatorinator generate SONG…`: songs and options in, beatmap sets out."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapperatorinator.cli.overrides import read_overrides
from mapperatorinator.errors import UserError
from mapperatorinator.settings import Settings

if TYPE_CHECKING:
    from mapperatorinator.timing import Timing

# Short flags of the command line for the options that players use most.
_FLAGS = {
    "--mode": ("gamemode", "osu, taiko, catch or mania"),
    "--stars": ("difficulty", "star rating to aim at"),
    "--style": ("descriptors", "style tags, e.g. 'jump aim,clean'"),
    "--keys": ("keycount", "mania: number of columns"),
    "--seed": ("seed", "same seed, same map"),
    "--candidates": ("candidates", "maps to draw; the best is kept"),
    "--bpm": ("bpm", "tempo, if you know it"),
    "--offset": ("offset", "time of a downbeat in ms, if you know it"),
    "--title": ("title", "song title"),
    "--artist": ("artist", "song artist"),
    "--creator": ("creator", "mapper's name"),
    "--model": ("model", "which model draws the map"),
    "--out": ("output_path", "output folder, or the name of an .osz"),
}
_OVERRIDE = re.compile(r"[+~]*[A-Za-z_]+=")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `generate`."""
    parser.add_argument("words", nargs="*", metavar="SONG", help="songs, and any further option=value")
    parser.add_argument("--spread", metavar="STARS", help="several difficulties, e.g. 2,3.5,5")
    parser.add_argument("--recipe", type=Path, metavar="FILE", help="repeat an earlier run exactly")
    add_common_arguments(parser)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that every command that makes maps takes."""
    for flag, (name, meaning) in _FLAGS.items():
        parser.add_argument(flag, dest=f"option_{name}", metavar=name.upper(), help=meaning)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(given: argparse.Namespace) -> int:
    """Generate every song that was named; returns the exit code."""
    songs, values = read_words(given)
    if given.spread is not None:
        values["difficulties"] = given.spread
    if given.recipe is not None:
        return _repeat(given, songs, values)
    if not songs and not values.get("audio_path") and not values.get("beatmap_path"):
        raise UserError("Which song? Write `mapperatorinator generate SONG`.")
    base = Settings.from_mapping(values)
    jobs = [replace(base, audio_path=song) for song in songs] or [base]
    return generate_and_report(jobs, as_json=given.json, quiet=given.quiet)


def read_words(given: argparse.Namespace) -> tuple[list[str], dict[str, Any]]:
    """Songs, and option values from flags and option=value words."""
    songs = [word for word in given.words if Path(word).is_file() or not _OVERRIDE.match(word)]
    values = {
        name.removeprefix("option_"): value
        for name, value in vars(given).items()
        if name.startswith("option_") and value is not None
    }
    values |= read_overrides(word for word in given.words if word not in songs)
    return songs, values


def generate_and_report(
    jobs: Sequence[Settings], as_json: bool = False, quiet: bool = False, timing: Timing | None = None
) -> int:
    """Generate one set for each of `jobs` and print it; one that fails does not stop the others."""
    from mapperatorinator.cli.progress import progress_bar
    from mapperatorinator.cli.report import as_json as result_as_json
    from mapperatorinator.cli.report import print_result
    from mapperatorinator.cli.usage import Stopwatch
    from mapperatorinator.pipeline import generate

    answers: list[dict[str, Any]] = []
    failed = False
    for settings in jobs:
        watch = Stopwatch()
        title = Path(settings.audio_path or settings.beatmap_path).name
        try:
            with progress_bar(title, quiet or as_json) as progress:
                result = generate(settings, progress, timing)
        except UserError as error:
            if len(jobs) == 1:
                raise
            failed = True
            answers.append({"song": settings.audio_path, "error": str(error)})
            print(f"error: {error}", file=sys.stderr)
            continue
        answers.append({"song": settings.audio_path, **result_as_json(result, watch)})
        if not as_json:
            print_result(result, watch)
    if as_json:
        print(json.dumps(answers, indent=2, ensure_ascii=False))
    return 2 if failed else 0


def _repeat(given: argparse.Namespace, songs: list[str], values: dict[str, Any]) -> int:
    """Run a recipe again; flags change it, and a song that is named takes the place of the recipe's."""
    from mapperatorinator.pipeline.recipe import file_hash, read_recipe
    from mapperatorinator.weights import adapter

    recipe = read_recipe(given.recipe)
    changed = Settings.from_mapping({**recipe.settings.changed(), **values})
    if songs:
        changed = replace(changed, audio_path=songs[0])
    song = Path(changed.audio_path)
    if not song.is_file():
        raise UserError(f"The recipe's song {song} is not there; name it: `generate SONG --recipe FILE`.")
    same_song = file_hash(song) == recipe.song_sha256
    if not same_song:
        print(f"note: {song.name} is not the song of the recipe; its timing is found anew.", file=sys.stderr)
    if recipe.adapter_sha256 and changed.lora_path and adapter.read(changed.lora_path).sha256 != recipe.adapter_sha256:
        print(f"note: {changed.lora_path} is not the adapter of the recipe; the map will differ.", file=sys.stderr)
    timing = recipe.timing if same_song and not {"bpm", "offset"} & values.keys() else None
    return generate_and_report([changed], given.json, given.quiet, timing)
