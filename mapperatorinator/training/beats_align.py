"""Charts' own offsets, put right by a first tracker.

``python -m mapperatorinator.training.beats_align CHECKPOINT OUT.json``: other games' grids and the odd map lie some
ms off. A tracker trained on all of them hears where each song's beats are on average; charts are moved there, and
songs whose beats it does not find near their grid are left out (null).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch

from mapperatorinator.evaluation.corpus import default_folder
from mapperatorinator.timing.constant import at, centres, probability
from mapperatorinator.training.beats import BeatNet
from mapperatorinator.training.beats_data import TimedSong, songs
from mapperatorinator.training.features import unpack

FAR = 35.0  # ms from its grid at which a song is not trusted
FAINT = 1.3  # beats must be heard this many times as strongly on the grid as on average


@torch.no_grad()
def hear(net: BeatNet, song: TimedSong) -> tuple[float, float]:
    """How late (ms) the heard beats are on a song's grid, and their strength there relative to the average."""
    mel = unpack(song.mel[: len(song.mel) // 8 * 8])
    curve = probability(net(torch.from_numpy(mel)[None])[0][0, :, 0].numpy())
    late, best = 0.0, 0.0
    half = float(np.median(np.diff(song.beats))) / 2
    for shift in np.arange(-half, half, 5.0):
        level = float(at(curve, song.beats + shift).mean())
        if level > best:
            late, best = float(shift), level
    for _ in range(4):
        distance, weight = centres(curve, song.beats + late, 30.0)
        late += float(np.sum(distance * weight) / (weight.sum() + 1e-9))
    return late, best / (float(curve.mean()) + 1e-9)


def main() -> None:
    """Write the shifts (see the module's docstring)."""
    torch.set_num_threads(1)
    net = BeatNet()
    net.load_state_dict(torch.load(sys.argv[1], weights_only=False)["average"])
    net.eval()
    found = [song for song in songs(default_folder(), Path("data/mel"), []) if not song.held_out]
    lateness = {song.key: (song.source, *hear(net, song)) for song in found}
    usual = float(np.median([late for source, late, _ in lateness.values() if source == "osu"]))
    shifts: dict[str, float | None] = {}
    for key, (source, late, strength) in lateness.items():
        move = late - usual
        near = abs(move) < FAR or source == "fnf-json"  # these begin with whatever silence their file has
        print(f"{key[:60]:60} {move:7.1f} ms, strength {strength:.2f}")
        if not near or strength < FAINT:
            shifts[key] = None
        elif source != "osu":
            shifts[key] = round(move, 1)
    Path(sys.argv[2]).write_text(json.dumps(shifts, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
