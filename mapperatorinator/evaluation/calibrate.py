"""Makes the table by which modding calibrates its surprisals: how rare what is in human maps of the train split.

    python -m mapperatorinator.evaluation.calibrate

takes about five minutes of one idle core (some maps per mode, each of another song where there are enough) and
writes `mapperatorinator/modding/calibration.json`. `--maps 12` makes a rougher one sooner.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence

from mapperatorinator import weights
from mapperatorinator.audio import load_audio
from mapperatorinator.beatmap import Beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.corpus import MODES, Corpus, MapRow
from mapperatorinator.evaluation.options import shown
from mapperatorinator.mapper import Surprisal
from mapperatorinator.modding.calibration import TABLE, table_of
from mapperatorinator.modding.findings import findings

_SHARES = (1.0, 0.4, 0.2, 0.7)  # of --maps, by mode
_REST_MS = 8000.0
_LONGEST = 240.0  # seconds; longer maps cost more than they tell


def chosen(corpus: Corpus, mode: int, count: int, split: str = "train") -> list[MapRow]:
    """Maps of a mode with proven timing, evenly over the stars, one of each song before a second of any."""
    rows = [r for r in corpus.select(mode, split, with_audio=True) if r.align_ok is not False and r.n_objects > 40]
    rows = sorted((r for r in rows if r.drain_seconds <= _LONGEST), key=lambda r: r.stars)
    by_song: dict[str, list[MapRow]] = defaultdict(list)
    for row in rows:
        by_song[row.audio].append(row)
    picked: list[MapRow] = []
    for turn in range(len(rows)):
        picked += [some[(turn + 2 * k) % len(some)] for k, some in enumerate(by_song.values()) if turn < len(some)]
        if len(picked) >= count:
            break
    step = max(len(picked) / count, 1.0)
    return [picked[int(i * step)] for i in range(min(count, len(picked)))]


def seconds_of(beatmap: Beatmap) -> float:
    """Time of play in s: gaps between starts, long rests left out."""
    starts = sorted({obj.time for obj in beatmap.hit_objects})
    return sum(b - a for a, b in zip(starts, starts[1:], strict=False) if b - a < _REST_MS) / 1000


def measured(corpus: Corpus, rows: Sequence[MapRow], mode: int) -> dict[str, list[float]]:
    """Thresholds of every aspect found in some maps."""
    found: list[Surprisal] = []
    seconds = 0.0
    for row in shown(sorted(rows, key=lambda r: r.audio), MODES[mode], len(rows)):
        beatmap, path = corpus.beatmap(row), corpus.audio_path(row)
        if path is None:
            continue
        try:
            found += findings(beatmap, load_audio(path))
            seconds += seconds_of(beatmap)
        except UserError:
            continue
    return table_of(found, seconds)


def main(words: Sequence[str] | None = None) -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", type=int, default=30, help="osu! maps; other modes take a share of it")
    given = parser.parse_args(words)
    corpus = Corpus()
    networks = {name: weights.fingerprint(name)[:16] for name in ("grid", "points", "columns", "beats")}
    modes, counts = {}, {}
    for mode, share in enumerate(_SHARES):
        rows = chosen(corpus, mode, max(int(given.maps * share), 3))
        modes[str(mode)], counts[MODES[mode]] = measured(corpus, rows, mode), len(rows)
    made = {
        "what": "raw bits of each mode's aspects that are as rare as each of calibration.LEVELS",
        "command": "python -m mapperatorinator.evaluation.calibrate",
        "maps": counts,
        "networks": networks,
        "modes": modes,
    }
    TABLE.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {TABLE}")


if __name__ == "__main__":
    main()
