"""The song as a beatmap set carries it: mp3 and ogg vorbis as they are, anything else as a new mp3.

The game plays mp3 and ogg vorbis everywhere; flac, m4a, opus, video sound and the like are encoded to mp3
so that sample 0 stays at the game's time 0 (the encoder's tag tells the game what to leave out).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .source import Block, Sound, open_media

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

BIT_RATE = 192_000  # the most that the ranking criteria allow for mp3
_MP3_RATES = (44_100, 48_000, 32_000)
_BLOCK = 1152  # samples of one mp3 frame
_SPEED = "7"  # of 0 (slowest) to 9: half the time of the default, no audible difference at this bit rate


def game_song(path: Path) -> tuple[str, bytes]:
    """File name and content of the song for a beatmap set.

    Raises UserError if the file cannot be read or decoded.
    """
    with open_media(path) as media:
        sound = Sound(media, path)
        container, only_sound = media.format.name, len(media.streams) == 1
        kept = {("mp3", "mp3float"): ".mp3", ("mp3", "mp3"): ".mp3", ("ogg", "vorbis"): ".ogg"}
        ending = kept.get((container, sound.codec)) if only_sound or container == "mp3" else None
        content = _encode(sound) if ending is None else path.read_bytes()
    return f"{path.stem}{ending or '.mp3'}", content


def _encode(sound: Sound) -> bytes:
    """The sound as an mp3 of at most two channels; equal sounds give equal bytes."""
    import av

    buffer = io.BytesIO()
    options = {"fflags": "+bitexact", "write_xing": "1", "id3v2_version": "0"}
    with av.open(buffer, "w", format="mp3", options=options) as output:
        rate = sound.rate if sound.rate in _MP3_RATES else _MP3_RATES[0]
        layout = "stereo" if sound.channels > 1 else "mono"
        stream: AudioStream = output.add_stream("libmp3lame", rate=rate, layout=layout)
        stream.bit_rate = BIT_RATE if sound.channels > 1 else BIT_RATE // 2
        stream.options = {"compression_level": _SPEED}
        _write(output, stream, sound, rate)
    return buffer.getvalue()


def _write(output: OutputContainer, stream: AudioStream, sound: Sound, rate: int) -> None:
    import av
    import soxr

    channels = min(sound.channels, 2)
    resampler = soxr.ResampleStream(sound.rate, rate, channels, dtype="float32", quality="HQ")
    waiting = np.zeros((channels, 0), np.float32)
    written = 0

    def send(samples: Block) -> None:
        nonlocal written
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", stream.layout.name)
        frame.sample_rate, frame.pts = rate, written
        written += samples.shape[1]
        output.mux(stream.encode(frame))

    for block in sound.blocks():
        pair = _mixed(block, channels)
        if sound.rate != rate:
            pair = resampler.resample_chunk(pair.T.reshape(-1, channels)).reshape(-1, channels).T
        waiting = np.concatenate([waiting, pair], axis=1)
        whole = waiting.shape[1] // _BLOCK * _BLOCK
        for start in range(0, whole, _BLOCK):
            send(waiting[:, start : start + _BLOCK])
        waiting = waiting[:, whole:]
    if sound.rate != rate:
        rest = resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True)
        waiting = np.concatenate([waiting, rest.reshape(-1, channels).T], axis=1)
    for start in range(0, waiting.shape[1], _BLOCK):
        send(waiting[:, start : start + _BLOCK])
    output.mux(stream.encode(None))


def _mixed(block: Block, channels: int) -> Block:
    """(channels, n) within ±1 from any number of channels: surround is averaged to both sides."""
    if block.shape[0] > channels:
        block = np.broadcast_to(block.mean(axis=0), (channels, block.shape[1]))
    return np.clip(block, -1.0, 1.0)
