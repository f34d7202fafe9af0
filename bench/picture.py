"""Draw a map: python -m bench.picture MAP.osu --out map.png --start 30 --seconds 24 [--audio SONG]

Works for every mode. `--audio` adds the music's onset strength; for a map of an unpacked set it is found by
itself.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mapperatorinator.audio import load_audio
from mapperatorinator.beatmap import Beatmap, read_beatmap
from mapperatorinator.evaluation.picture import render


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, draw, say where the picture is."""
    parser = argparse.ArgumentParser(description="Draw a stretch of a beatmap.")
    parser.add_argument("map", type=Path)
    parser.add_argument("--out", type=Path, default=None, help="PNG to write (default: beside the map)")
    parser.add_argument("--start", type=float, default=None, help="seconds (default: a third into the map)")
    parser.add_argument("--seconds", type=float, default=24.0)
    parser.add_argument("--audio", type=Path, default=None)
    chosen = parser.parse_args(arguments)
    beatmap = read_beatmap(chosen.map)
    song = chosen.audio or _song_beside(chosen.map, beatmap)
    start = chosen.start if chosen.start is not None else _a_third_in(beatmap)
    out = chosen.out or chosen.map.with_suffix(".png")
    render(beatmap, start, chosen.seconds, load_audio(song) if song else None).save(out)
    print(out)


def _song_beside(path: Path, beatmap: Beatmap) -> Path | None:
    """The song in the map's folder, or in a corpus's folder of songs."""
    root = path.resolve().parent
    songs = (root.parent.parent / "audio").glob(f"{root.name}.*")
    candidates = [root / beatmap.audio_filename, *sorted(songs)]
    return next((c for c in candidates if beatmap.audio_filename and c.is_file()), None)


def _a_third_in(beatmap: Beatmap) -> float:
    times = [o.time for o in beatmap.hit_objects]
    return (times[0] + (times[-1] - times[0]) / 3) / 1000 if times else 0.0


if __name__ == "__main__":
    main()
