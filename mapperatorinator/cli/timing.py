"""`mapperatorinator timing SONG…`: the red lines of a song, ready to paste into an .osu file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapperatorinator.errors import UserError
from mapperatorinator.settings import Settings

if TYPE_CHECKING:
    from mapperatorinator.timing import Timing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `timing`."""
    parser.add_argument("songs", nargs="+", type=Path, metavar="SONG")
    parser.add_argument("--bpm", help="tempo, if you know it")
    parser.add_argument("--offset", help="time of a downbeat in ms, if you know it")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(given: argparse.Namespace) -> int:
    """Find and print the timing of each song; returns the exit code."""
    from mapperatorinator.audio import load_audio
    from mapperatorinator.cli.usage import Stopwatch
    from mapperatorinator.pipeline import find_timing_for

    answers = []
    for song in given.songs:
        if not song.is_file():
            raise UserError(f"There is no song at {song}; check the path.")
        watch = Stopwatch()
        settings = Settings.from_mapping({"audio_path": str(song), "bpm": given.bpm, "offset": given.offset})
        timing = find_timing_for(settings, load_audio(song))
        answers.append({"song": str(song), **_as_json(timing), "seconds": round(watch.seconds, 2)})
        if not given.json:
            _print(song, timing, watch.seconds)
    if given.json:
        print(json.dumps(answers, indent=2, ensure_ascii=False))
    return 0


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
    print(f"{song.name}: confidence {timing.confidence:.0%}, {seconds:.1f} s")
    for point in timing.points:
        line = f"{point.time:g},{point.beat_length:.12g},{point.meter},2,0,100,1,0"
        print(f"  {60_000 / point.beat_length:8.3f} BPM from {point.time:.0f} ms, {point.meter}/4    {line}")
