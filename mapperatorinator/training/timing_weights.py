"""How much each kind of evidence counts when a song's tempo is read: a logistic choice among readings.

``python -m mapperatorinator.training.timing_weights CHECKPOINT`` tracks songs with known constant timing, lists the
readings of each and finds the weights under which the true reading is likeliest; prints them for
`timing/constant.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mapperatorinator.evaluation.corpus import default_folder
from mapperatorinator.timing.constant import WEIGHTS, Reading, evidence, probability, read
from mapperatorinator.timing.tracker import Activations, activations
from mapperatorinator.training.beats import BeatNet
from mapperatorinator.training.beats_data import TimedSong, songs
from mapperatorinator.training.features import unpack

Case = tuple[NDArray[np.float64], NDArray[np.bool_]]  # (readings, evidence), which readings are true
PULL = 0.02  # towards the weights of before


@torch.no_grad()
def hear(net: BeatNet, song: TimedSong) -> Activations:
    """The activations of a song."""
    mel = unpack(song.mel[: len(song.mel) // 8 * 8])
    frames, tempo, meter = net(torch.from_numpy(mel)[None])
    return activations(frames[0].numpy(), tempo[0].numpy(), meter[0].numpy())


def is_constant(song: TimedSong) -> bool:
    """Whether one grid holds for all beats."""
    lengths = np.diff(song.beats)
    return len(lengths) > 20 and bool(np.abs(lengths - np.median(lengths)).max() < 2.0)


def case(heard: Activations, beats: NDArray[np.float64]) -> Case | None:
    """The evidence for each reading of a song, and which of them are the true one; None if none is."""
    length = (beats[-1] - beats[0]) / (len(beats) - 1)
    curve = probability(heard.beat)
    readings = read(heard, finalists=40)
    right = np.array([_is_true(reading, length, beats[len(beats) // 2]) for reading in readings])
    if not right.any():
        return None
    rows = [[evidence(heard, curve, reading)[key] for key in WEIGHTS] for reading in readings]
    return np.array(rows), right


def _is_true(reading: Reading, length: float, beat: float) -> bool:
    apart = (reading.offset - beat) / reading.beat_length
    near = abs(apart - round(apart)) * length < 45
    return near and abs(reading.beat_length / length - 1) < 1e-3


def learn(cases: Sequence[Case], rounds: int = 3000, rate: float = 0.02) -> NDArray[np.float64]:
    """Weights that make the true readings likeliest (softmax over each song's readings), by gradient ascent."""
    start = np.array(list(WEIGHTS.values()))
    weights, mean, square = start.copy(), np.zeros(len(start)), np.zeros(len(start))
    for turn in range(1, rounds + 1):
        slope = -PULL * (weights - start)
        for rows, right in cases:
            score = rows @ weights
            share = np.exp(score - score.max())
            share /= share.sum()
            true = np.where(right, share, 0)
            slope += (rows.T @ (true / true.sum()) - rows.T @ share) / len(cases)
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        weights = weights + rate * (mean / (1 - 0.9**turn)) / (np.sqrt(square / (1 - 0.99**turn)) + 1e-6)
    return weights


def main() -> None:
    """Print the weights (see the module's docstring)."""
    torch.set_num_threads(1)
    net = BeatNet()
    net.load_state_dict(torch.load(sys.argv[1], weights_only=True)["average"])
    net.eval()
    found = songs(default_folder(), Path("data/mel"), [Path("data/rendered")], Path("data/beats_shifts.json"))
    chosen = [song for song in found if is_constant(song) and (song.held_out or song.source != "rendered")]
    cases = [one for song in chosen if (one := case(hear(net, song), song.beats))]
    weights = learn(cases)
    share = np.mean([right[np.argmax(rows @ weights)] for rows, right in cases])
    print({key: round(float(value), 3) for key, value in zip(WEIGHTS, weights, strict=True)})
    print(f"{len(cases)} of {len(chosen)} songs have the true reading among theirs; chosen right: {share:.3f}")


if __name__ == "__main__":
    main()
