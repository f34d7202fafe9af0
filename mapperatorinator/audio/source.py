"""An opened song: its sound as float blocks that start exactly at the game's time 0.

Containers disagree about where a song begins: encoders put silence in front, files carry start times,
packets may be missing. All of that is settled here, so that everyone else can count samples from 0.
Only plain media containers are opened: playlists and scripts, which could make the decoder fetch other
files, are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from .mp3 import read_beginning

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

Block = NDArray[np.float32]

CONTAINERS = (
    "mp3,ogg,flac,wav,w64,aiff,aac,mov,mp4,m4a,matroska,webm,avi,flv,mpegts,asf,caf,au,ape,wv,tta,ac3,mpeg"
)
# Containers whose announced length is a count, not an estimate from the bit rate.
_COUNTED = ("wav", "flac", "mov", "matroska", "aiff")
_JUMP_SECONDS = 0.1  # a larger hole between timestamps is missing sound, a smaller one is rounding
_LOUDEST = 16.0  # times full scale; lossy decoders overshoot by a few times at most
_HOLE_SECONDS = 60.0  # a larger one is a clock that was reset


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """Open a media file for reading; every failure becomes one sentence.

    Raises UserError if the file is missing, a folder, empty, unreadable or not audio.
    """
    import av
    from av.error import FFmpegError

    if path.is_dir():
        raise UserError(f"'{path.name}' is a folder; choose one audio file.")
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise UserError(f"'{path.name}' is empty (0 bytes); choose another audio file.")
            file.seek(0)
            # A file object instead of a name: no character of a path has a meaning to the library.
            with av.open(file, options={"format_whitelist": CONTAINERS}, metadata_errors="replace") as media:
                yield media
    except FileNotFoundError as error:
        raise UserError(f"'{path}' does not exist; check the path of the audio file.") from error
    except FFmpegError as error:
        raise UserError(
            f"'{path.name}' is not an audio file that can be decoded; it is damaged or wrongly named."
        ) from error
    except (OSError, ValueError) as error:
        raise UserError(f"'{path}' cannot be read ({error}); check the file and its permissions.") from error


class Sound:
    """The first sound stream of an opened file.

    rate: Hz; channels: their number; channel_names: such as FL, FR; blocks(): the samples; seconds_lost:
    how much of the sound could not be decoded so far (replaced by silence where other sound follows).
    """

    def __init__(self, media: InputContainer, path: Path) -> None:
        if not media.streams.audio:
            raise UserError(f"'{path.name}' has no sound in it; choose an audio file.")
        self._media = media
        self._path = path
        self._stream: AudioStream = media.streams.audio[0]
        if self._stream.codec_context is None:
            raise UserError(f"'{path.name}' uses an unknown kind of compression; convert it to mp3 or flac.")
        self.rate: int = self._stream.rate or 0
        self.channel_names = tuple(channel.name for channel in self._stream.layout.channels) or ("FC",)
        self.channels = len(self.channel_names)
        self.codec: str = self._stream.codec_context.name
        self.sample_format: str = self._stream.format.name if self._stream.format else ""
        self.seconds_lost = 0.0
        self._origin: float | None = None  # the game's time 0 on the file's clock, seconds
        if self.rate <= 0:
            raise UserError(f"'{path.name}' is damaged: it does not tell its sample rate.")

    def blocks(self) -> Iterator[Block]:
        """Yield (channels, n) float32 blocks without holes, the first sample at the game's time 0."""
        written = 0  # samples yielded so far
        for frame, damage in self._frames():
            if frame is None:
                self.seconds_lost += damage
                break
            block = self._as_block(frame)
            hole = self._hole_before(frame.time, written, damage > 0)
            self.seconds_lost += max(damage, hole / self.rate if written else 0.0)
            if hole > 0:
                yield np.zeros((self.channels, hole), np.float32)
            elif hole < 0:
                block = block[:, -hole:]
            written += max(0, hole) + block.shape[1]
            if block.shape[1]:
                yield block
        self._count_missing_end(written)

    def _hole_before(self, time: float | None, written: int, after_damage: bool) -> int:
        """Samples of sound that are missing before a frame; negative: of the frame that lie before time 0.

        time: of the frame on the file's clock, seconds.
        """
        if time is None:
            return 0
        if self._origin is None:
            self._origin = self._game_start(time)
        hole = round((time - self._origin) * self.rate) - written
        least = 0 if after_damage else round(_JUMP_SECONDS * self.rate)
        if written == 0 or least < hole < _HOLE_SECONDS * self.rate:
            return hole
        self._origin = time - written / self.rate  # rounding, drift or a reset clock: the samples lead
        return 0

    def _frames(self) -> Iterator[tuple[AudioFrame | None, float]]:
        """Decoded frames, each with the seconds of failed packets before it; at the end None and the rest."""
        from av.error import FFmpegError

        damage = 0.0
        packets = self._media.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, FFmpegError):
                yield None, damage
                return
            except IndexError:  # a packet of a stream that turned up late; the library stops at it
                packets = self._media.demux(self._stream)
                continue
            try:
                frames = packet.decode()
            except FFmpegError:
                damage += float((packet.duration or 0) * (packet.time_base or 0))
                continue
            for frame in frames:
                yield frame, damage
                damage = 0.0

    def _game_start(self, first: float) -> float:
        """The game's time 0 on the clock of the file, whose first frame is at `first` (all in seconds)."""
        if self._media.format.name == "mp3":
            return read_beginning(self._path).start
        if any(not is_picture(video) for video in self._media.streams.video):
            return max(0.0, (self._media.start_time or 0) / 1e6)
        return max(0.0, first)

    def _as_block(self, frame: AudioFrame) -> Block:
        """(channels, n) float32 within ±1, at the stream's rate and with its number of channels."""
        data = frame.to_ndarray()
        count = frame.layout.nb_channels
        if not frame.format.is_planar:
            data = data.reshape(-1, count).T
        if data.dtype == np.uint8:
            data = (data.astype(np.float32) - 128.0) / 128.0
        elif data.dtype.kind == "i":
            data = data.astype(np.float32) / np.float32(2.0 ** (8 * data.dtype.itemsize - 1))
        else:  # a damaged float file may hold anything
            data = np.clip(np.nan_to_num(data, nan=0.0), -_LOUDEST, _LOUDEST)
        if frame.sample_rate != self.rate:
            import soxr

            data = soxr.resample(data.T.astype(np.float32), frame.sample_rate, self.rate).T
        if count != self.channels:
            data = np.broadcast_to(data.mean(axis=0), (self.channels, data.shape[1]))
        return np.ascontiguousarray(data, np.float32)

    def _count_missing_end(self, written: int) -> None:
        """Add what a counted container announced but did not hold to the lost seconds."""
        container = self._media.format.name
        counted = read_beginning(self._path).counted if container == "mp3" else container.startswith(_COUNTED)
        length, clock = self._stream.duration, self._stream.time_base
        if counted and length and clock:
            self.seconds_lost = max(self.seconds_lost, float(length * clock) - written / self.rate)


def is_picture(video: VideoStream) -> bool:
    """Whether a video stream is only a cover picture."""
    from av.stream import Disposition

    return bool(video.disposition & Disposition.attached_pic)
