"""`mapperatorinator classify MAP` and `python classifier/classify.py beatmap_path=…`: whose map is this?"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mapperatorinator.cli.maps import map_files, read_maps
from mapperatorinator.errors import UserError

if TYPE_CHECKING:
    from mapperatorinator.beatmap import Beatmap
    from mapperatorinator.classifier import Guess


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `classify`."""
    parser.add_argument("files", nargs="+", type=Path, metavar="MAP", help=".osu, .osz or a folder of them")
    parser.add_argument("--top", type=int, default=5, metavar="K", help="so many mappers; default: %(default)s")
    parser.add_argument("--time", type=float, metavar="S", help="look only at the 32 beats from this second on")
    parser.add_argument("--model", metavar="DIR", help="a converted checkpoint of the published classifier")
    parser.add_argument("--audio", type=Path, metavar="SONG", help="the song, which the published classifier needs")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(given: argparse.Namespace) -> int:
    """Name the likeliest mappers of every map; returns 0."""
    from mapperatorinator.classifier import Classifier

    if given.top < 1:
        raise UserError(f"--top is {given.top} but must be at least 1.")
    classify = _published(given.model, given.audio) if given.model else Classifier().classify
    time = None if given.time is None else 1000 * given.time
    answers = []
    for file in (file for path in given.files for file in map_files(path)):
        for beatmap in read_maps(file):
            guesses = classify(beatmap, given.top, time)
            answers.append({"file": str(file), "map": beatmap.difficulty_name, "mapper": beatmap.creator,
                            "guesses": [{"mapper": g.mapper, "confidence": round(g.confidence, 4)} for g in guesses]})
            if not given.json:
                print(f"{file.name} [{beatmap.difficulty_name}], by {beatmap.creator or 'nobody named'}:")
                for guess in guesses:
                    print(f"  {guess.confidence:6.1%}  {guess.mapper}")
    if given.json:
        print(json.dumps(answers, indent=2, ensure_ascii=False))
    return 0


def _published(folder: str, song: Path | None) -> Callable[[Beatmap, int, float | None], list[Guess]]:
    """The published classifier listening to a song."""
    from mapperatorinator.audio import load_audio

    if song is None:
        raise UserError("The published classifier listens: name the song with --audio (audio_path= in the script).")
    try:
        from mapperatorinator.classifier.published import PublishedClassifier
    except ImportError as error:
        raise UserError("The published classifier needs torch: pip install 'mapperatorinator[published]'.") from error
    model, audio = PublishedClassifier(folder), load_audio(song)
    return lambda beatmap, top, time: model.classify(beatmap, audio, top, time)
