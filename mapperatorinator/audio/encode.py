"""The song as a beatmap set carries it: mp3 and ogg vorbis as they are, anything else as a new mp3.

The game plays mp3 and ogg vorbis everywhere; flac, m4a, opus, video sound and the like are encoded to mp3
so that sample 0 stays at the game's time 0 (the encoder's tag tells the game what to leave out).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .source import Block, Sound, is_picture, open_media

if TYPE_CHECKING:
    import soxr
    from av.container import InputContainer

BIT_RATES = {1: 128_000, 2: 192_000}  # by channels: the least and the most that the ranking criteria allow
_MP3_RATES = (44_100, 48_000, 32_000)


def game_song(path: Path) -> tuple[str, bytes]:
    """File name and content of the song for a beatmap set.

    Raises UserError if the file cannot be read or decoded.
    """
    with open_media(path) as media:
        sound = Sound(media, path)
        ending = _playable_ending(media, sound.codec)
        content = _encode(sound) if ending is None else path.read_bytes()
    return f"{path.stem}{ending or '.mp3'}", content


def _playable_ending(media: InputContainer, codec: str) -> str | None:
    """The file ending if the game can play the file as it is."""
    if any(not is_picture(video) for video in media.streams.video):
        return None
    return {"mp3": ".mp3", "ogg": ".ogg" if codec == "vorbis" else None}.get(media.format.name)


def _encode(sound: Sound) -> bytes:
    """The sound as an mp3 of at most two channels; equal sounds give equal bytes."""
    import av

    rate = sound.rate if sound.rate in _MP3_RATES else _MP3_RATES[0]
    sides = _sides(sound.channel_names)
    layout = "stereo" if len(sides) == 2 else "mono"
    buffer = io.BytesIO()
    options = {"fflags": "+bitexact", "write_xing": "1", "id3v2_version": "0"}
    with av.open(buffer, "w", format="mp3", options=options) as output:
        stream = output.add_stream("libmp3lame", rate=rate, layout=layout)
        stream.bit_rate = BIT_RATES[len(sides)]
        written = 0
        for block in _resampled(sound, sides, rate):
            frame = av.AudioFrame.from_ndarray(block, "fltp", layout)
            frame.sample_rate, frame.pts = rate, written
            written += block.shape[1]
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def _resampled(sound: Sound, sides: NDArray[np.float32], rate: int) -> Iterator[Block]:
    """The blocks of a sound, mixed to one or two sides, at another rate, within ±1; empty ones are left out."""
    import soxr

    resampler = soxr.ResampleStream(sound.rate, rate, len(sides), dtype="float32", quality="HQ")
    for block in sound.blocks():
        mixed = sides @ block
        if rate != sound.rate:
            mixed = _through(resampler, mixed)
        if mixed.shape[1]:
            yield np.clip(mixed, -1.0, 1.0)
    if rate != sound.rate:
        rest = _through(resampler, np.zeros((len(sides), 0), np.float32), last=True)
        if rest.shape[1]:
            yield np.clip(rest, -1.0, 1.0)


def _through(resampler: soxr.ResampleStream, block: Block, last: bool = False) -> Block:
    """A (channels, n) block through a resampler that wants the channels last."""
    channels = len(block)
    interleaved = block[0] if channels == 1 else np.ascontiguousarray(block.T)
    return np.ascontiguousarray(resampler.resample_chunk(interleaved, last=last).reshape(-1, channels).T)


def _sides(names: tuple[str, ...]) -> NDArray[np.float32]:
    """(1 or 2, channels) weights that mix channels of these names, such as FL or FC, to one or two sides.

    The centre goes to both sides at -3 dB, the low frequency effects are dropped, and each side is scaled
    so that it cannot clip (surround mixing as in ITU-R BS.775).
    """
    if len(names) <= 2:
        return np.eye(len(names), dtype=np.float32)
    sides = np.full((2, len(names)), 0.5**0.5, np.float32)
    for number, name in enumerate(names):
        if "LFE" in name:
            sides[:, number] = 0.0
        elif name[-1:] in ("L", "R"):
            sides[:, number] = (1.0, 0.0) if name.endswith("L") else (0.0, 1.0)
    return sides / np.maximum(sides.sum(axis=1, keepdims=True), 1.0)
