"""Decoding: any audio or video file to mono samples at one rate, by PyAV alone."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from .source import Block, Sound, open_media
from .tags import Tags, read_tags

SAMPLE_RATE = 16000
LONGEST_HOURS = 2.0
SHORTEST_SECONDS = 1.0
_DAMAGE_TOLERATED = 0.1  # share of the sound that may be missing
_SILENCE = 10 ** (-60 / 20)  # peak below -60 dB of full scale


@dataclass(frozen=True)
class Audio:
    """A decoded song.

    samples: (n,) float32 mono, nominally within ±1 (a lossy file may overshoot), sample 0 at the game's
    time 0; sample_rate: Hz; path: where it came from.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    tags: Tags
    path: Path

    @property
    def duration_ms(self) -> float:
        """Length in milliseconds."""
        return 1000.0 * len(self.samples) / self.sample_rate


def load_audio(path: str | Path, sample_rate: int = SAMPLE_RATE) -> Audio:
    """Decode a file to mono float samples whose first one is heard at the game's time 0.

    path: an audio file, or a video with sound (mp3, ogg, opus, flac, wav, m4a, mp4, mkv, webm, avi, flv …);
    sample_rate: Hz of the result. Channels are averaged.
    Warns if a small part is damaged (silence stands in its place).
    Raises UserError if the file is missing, no audio, shorter than a second, longer than two hours, or
    damaged in more than a tenth of its length.
    """
    path = Path(path)
    with open_media(path) as media:
        sound = Sound(media, path)
        samples = _collect(resampled(sound.blocks(), sound.rate, sample_rate), sample_rate, path)
    seconds = len(samples) / sample_rate
    check_damage(sound, seconds, path)
    if seconds < SHORTEST_SECONDS:
        raise UserError(f"'{path.name}' has only {seconds:.1f} s of sound; a song needs at least a second.")
    return Audio(samples, sample_rate, read_tags(path), path)


def is_silent(samples: NDArray[np.float32]) -> bool:
    """Whether nothing in (n,) samples within ±1 is louder than -60 dB of full scale."""
    return len(samples) == 0 or float(np.max(np.abs(samples))) < _SILENCE


def resampled(blocks: Iterable[Block], rate: int, target: int) -> Iterator[NDArray[np.float32]]:
    """Average the channels of (channels, n) blocks and resample them, keeping time 0.

    rate, target: Hz before and after. Yields (n,) float32 of about a second.
    """
    import soxr

    stream = soxr.ResampleStream(rate, target, 1, dtype="float32", quality="HQ")
    waiting: list[NDArray[np.float32]] = []
    count = 0
    for block in blocks:
        waiting.append(block.mean(axis=0) if len(block) > 1 else block[0])
        count += block.shape[1]
        if count >= rate:
            yield stream.resample_chunk(np.concatenate(waiting))
            waiting, count = [], 0
    waiting.append(np.zeros(0, np.float32))
    yield stream.resample_chunk(np.concatenate(waiting), last=True)


def check_damage(sound: Sound, seconds: float, path: Path) -> None:
    """Warn about sound that could not be decoded, or raise UserError if that is more than a tenth.

    seconds: of sound that there is, silence in the place of damage included.
    """
    lost = sound.seconds_lost
    if lost > _DAMAGE_TOLERATED * max(seconds, lost):
        raise UserError(
            f"'{path.name}' is damaged or cut off: {lost:.1f} s of its sound are missing; get an intact copy."
        )
    if lost > 0.05:
        warnings.warn(f"'{path.name}' is damaged: {lost:.1f} s of its sound are missing.", stacklevel=3)


def _collect(chunks: Iterable[NDArray[np.float32]], rate: int, path: Path) -> NDArray[np.float32]:
    """Join chunks into one array that grows in place, so that a long song is not held twice."""
    samples = np.empty(rate * 240, np.float32)
    length = 0
    for chunk in chunks:
        if length + len(chunk) > LONGEST_HOURS * 3600 * rate:
            raise UserError(f"'{path.name}' is longer than {LONGEST_HOURS:g} hours; cut out the song first.")
        if length + len(chunk) > len(samples):
            samples.resize(2 * len(samples), refcheck=False)
        samples[length : length + len(chunk)] = chunk
        length += len(chunk)
    samples.resize(length, refcheck=False)
    return samples
