"""The likeliest sequence of beats through a song whose tempo may change (a Viterbi path over beat lengths)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.timing.constant import Array, centres, probability
from mapperatorinator.timing.tracker import COARSE, FRAME_MS, TEMPO_LOW, TEMPO_STEPS, Activations

REACH = 1.9  # how many times faster or slower than the song's main tempo a passage may be
BIAS, FLOOR, CEILING = 0.5, -1.5, 5.0  # log-odds of a beat: shifted, then clipped
JUMP = 14.0  # what any change of tempo may cost at most
DRIFT = 1.2  # what each further frame of change between neighbouring beats costs; one frame is rounding
TEMPO_WEIGHT = 0.6  # of the network's local tempo, per second
BAND = 4


def beat_path(heard: Activations, beat_length: float) -> tuple[Array, Array, float]:
    """Beat times in ms and the weight (0 to 1) of each, near a main beat length in ms; and the path's log-odds."""
    shortest = max(16, int(beat_length / REACH / FRAME_MS))
    lengths = np.arange(shortest, max(shortest + 2, int(beat_length * REACH / FRAME_MS) + 1))
    gains = np.clip(heard.beat + BIAS, FLOOR, CEILING).astype(np.float32)
    total, back = _forward(gains, _tempo_gain(heard, lengths), lengths)
    frames = _backward(total, back, lengths)
    times = frames * FRAME_MS
    curve = probability(heard.beat)
    shift, weight = centres(curve, times, 30.0)
    return times + np.where(weight > 0.05, shift, 0.0), weight, float(total.max())


def usual_length(heard: Activations) -> float:
    """The beat length in ms that the network hears most of the time."""
    heights = np.exp(heard.tempo).mean(axis=0)
    return 60_000 / (TEMPO_LOW * 2 ** (int(np.argmax(heights)) / TEMPO_STEPS))


def _tempo_gain(heard: Activations, lengths: NDArray[np.int64]) -> NDArray[np.float32]:
    """(n / 4, lengths) what a beat of each length gains from the network's local tempo."""
    place = np.log2(60_000 / FRAME_MS / lengths / TEMPO_LOW) * TEMPO_STEPS
    index = np.clip(np.rint(place), 1, heard.tempo.shape[1] - 2).astype(int)
    smooth = np.logaddexp(np.logaddexp(heard.tempo[:, index - 1], heard.tempo[:, index]), heard.tempo[:, index + 1])
    smooth = np.maximum(smooth, -6.0)
    return (TEMPO_WEIGHT * smooth * (lengths * FRAME_MS / 1000)).astype(np.float32)


def _forward(
    gains: NDArray[np.float32], tempo: NDArray[np.float32], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Best score of a path that ends with a beat at each frame after each length, and the length before it.

    A beat depends on beats at least `lengths[0]` frames earlier, so that many frames are computed at once.
    """
    size, count, block = len(gains), len(lengths), int(lengths[0])
    total = np.full((size, count), -np.inf, np.float32)
    ready = np.full((size, count), -np.inf, np.float32)  # best over the previous length, per next length
    back = np.zeros((size, count), np.uint8)
    column = np.arange(count)
    for start in range(0, size, block):
        rows = np.arange(start, min(start + block, size))
        before = rows[:, None] - lengths
        came = np.where(before >= 0, ready[np.maximum(before, 0), column], -np.inf)
        came = came + tempo[np.minimum(rows // COARSE, len(tempo) - 1)]
        here = gains[rows, None] + np.maximum(came, 0.0)
        total[rows] = here
        ready[rows], back[rows] = _best_before(here)
    return total, back


def _best_before(here: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """For each next length the best score over the lengths before it: near ones cheaply, any for JUMP."""
    count = here.shape[1]
    top = here.argmax(axis=1)
    best = np.repeat(here[np.arange(len(here)), top][:, None] - np.float32(JUMP), count, axis=1)
    who = np.repeat(top[:, None], count, axis=1)
    for step in range(-BAND, BAND + 1):
        cost = np.float32(0.02 * abs(step) + DRIFT * max(abs(step) - 1, 0) ** 2)
        low, high = max(0, -step), min(count, count - step)
        value = here[:, low + step : high + step] - cost
        better = value > best[:, low:high]
        best[:, low:high] = np.where(better, value, best[:, low:high])
        who[:, low:high] = np.where(better, np.arange(low + step, high + step), who[:, low:high])
    return best, who.astype(np.uint8)


def _backward(total: NDArray[np.float32], back: NDArray[np.uint8], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    frame, index = (int(i) for i in np.unravel_index(int(np.argmax(total)), total.shape))
    frames = [frame]
    while True:
        previous = frame - int(lengths[index])
        if previous < 0:
            break
        came = int(back[previous, index])
        frame, index = previous, came
        frames.append(frame)
    return np.array(frames[::-1])
