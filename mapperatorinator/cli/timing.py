"""`mapperatorinator timing SONG…`: the red lines of a song, ready to paste into an .osu file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapperatorinator.errors import UserError
from mapperatorinator.settings import Settings

if TYPE_CHECKING:
    from mapperatorinator.audio import Audio
    from mapperatorinator.timing import Timing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `timing`."""
    parser.add_argument("songs", nargs="+", type=Path, metavar="SONG")
    parser.add_argument("--bpm", help="tempo, if you know it")
    parser.add_argument("--offset", help="time of a downbeat in ms, if you know it")
    parser.add_argument("--super-timing", action="store_true", help="hear the song many times, for a tempo that varies")
    speed = parser.add_mutually_exclusive_group()
    speed.add_argument("--double", action="store_true", help="read the tempo found twice as fast")
    speed.add_argument("--halve", action="store_true", help="read the tempo found half as fast")
    parser.add_argument(
        "--convention", default="osu", help="where a beat lies: osu (default), stepmania or onset"
    )
    parser.add_argument("--osu", action="store_true", help="write a timing-only .osu file beside the song")
    parser.add_argument(
        "--click", action="store_true", help="write a WAV of the song with a click on every beat"
    )
    parser.add_argument(
        "--plot", action="store_true", help="write a picture of what was heard (needs matplotlib)"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="where to write; default: beside the song"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(given: argparse.Namespace) -> int:
    """Find and print the timing of each song; returns the exit code."""
    from mapperatorinator.audio import load_audio
    from mapperatorinator.cli.usage import Stopwatch
    from mapperatorinator.pipeline import find_timing_for
    from mapperatorinator.timing.find import shift_of

    answers = []
    for song in given.songs:
        if not song.is_file():
            raise UserError(f"There is no song at {song}; check the path.")
        watch = Stopwatch()
        asked = {"bpm": given.bpm, "offset": given.offset, "super_timing": given.super_timing}
        settings = Settings.from_mapping({"audio_path": str(song), **asked})
        audio = load_audio(song)
        timing = find_timing_for(settings, audio).scaled(2.0 if given.double else 0.5 if given.halve else 1.0)
        timing = timing.shifted(shift_of(given.convention))
        answers.append({"song": str(song), **_as_json(timing), "seconds": round(watch.seconds, 2)})
        if not given.json:
            _print(song, timing, watch.seconds)
        _write(given, song, audio, timing)
    if given.json:
        print(json.dumps(answers, indent=2, ensure_ascii=False))
    return 0


def _write(given: argparse.Namespace, song: Path, audio: Audio, timing: Timing) -> None:
    """Write what was asked for beside the song or in the folder named."""
    from mapperatorinator.timing import report

    folder = given.output or song.parent
    folder.mkdir(parents=True, exist_ok=True)
    if given.osu:
        report.write_timing_beatmap(audio, timing, folder / f"{song.stem} [Timing].osu")
    if given.click:
        report.write_click_track(song, timing, folder / f"{song.stem} [clicks].wav")
    if given.plot:
        report.write_plot(audio, timing, folder / f"{song.stem} [timing].png")


def _as_json(timing: Timing) -> dict[str, Any]:
    lines = [
        {
            "time": point.time,
            "bpm": 60_000 / point.beat_length,
            "beat_length": point.beat_length,
            "meter": point.meter,
        }
        for point in timing.points
    ]
    return {"confidence": round(timing.confidence, 3), "red_lines": lines}


def _print(song: Path, timing: Timing, seconds: float) -> None:
    from mapperatorinator.timing.report import as_text

    print(f"{song.name}: confidence {timing.confidence:.0%}, {seconds:.1f} s")
    for line in as_text(timing):
        print(f"  {line}")
