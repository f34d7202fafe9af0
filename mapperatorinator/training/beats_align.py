"""Charts' own offsets, put right by a first tracker.

``python -m mapperatorinator.training.beats_align CHECKPOINT OUT.json``: other games' grids lie some ms off ours. A
tracker trained mostly on osu! maps hears where each song's beats are on average; charts are moved there, and those
whose beats are heard far from their grid are left out (null).
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

FAR = 30.0  # ms from its grid at which a chart is not trusted


@torch.no_grad()
def lateness(net: BeatNet, song: TimedSong) -> float:
    """How much later (ms) than its beats a song's beats are heard, within 40 ms."""
    mel = unpack(song.mel[: len(song.mel) // 8 * 8])
    curve = probability(net(torch.from_numpy(mel)[None])[0][0, :, 0].numpy())
    shifts = np.arange(-40, 41, 4.0)
    late = float(shifts[np.argmax([at(curve, song.beats + shift).mean() for shift in shifts])])
    for _ in range(4):
        distance, weight = centres(curve, song.beats + late, 30.0)
        late += float(np.sum(distance * weight) / (weight.sum() + 1e-9))
    return late


def main() -> None:
    """Write the shifts (see the module's docstring)."""
    torch.set_num_threads(1)
    net = BeatNet()
    net.load_state_dict(torch.load(sys.argv[1], weights_only=False)["average"])
    net.eval()
    found = [song for song in songs(default_folder(), Path("data/mel"), []) if not song.held_out]
    late = {song.key: (song.source, lateness(net, song)) for song in found}
    usual = float(np.median([value for source, value in late.values() if source == "osu"]))
    shifts: dict[str, float | None] = {}
    for key, (source, value) in late.items():
        move = value - usual
        print(f"{move:7.1f} ms {key}")
        if source != "osu":
            shifts[key] = round(move, 1) if abs(move) < FAR else None
    Path(sys.argv[2]).write_text(json.dumps(shifts, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
