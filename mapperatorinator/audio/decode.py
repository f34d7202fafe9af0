"""Decoding: any audio or video file to mono samples at one rate, by PyAV alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from .tags import Tags

SAMPLE_RATE = 16000


@dataclass(frozen=True)
class Audio:
    """A decoded song.

    samples: (n,) float32 mono, nominally within ±1; sample_rate: Hz; path: where it came from.
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
    """Decode a file to mono float samples.

    path: an audio file, or a video with sound; sample_rate: Hz of the result.
    Raises UserError if there is nothing to decode.
    """
    import av
    import soxr

    path = Path(path)
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise UserError(f"{path.name} has no sound in it; choose an audio file.")
            stream = container.streams.audio[0]
            resampler = soxr.ResampleStream(stream.rate, sample_rate, 1, dtype="float32")
            chunks = [resampler.resample_chunk(_mono(frame)) for frame in container.decode(stream)]
    except (OSError, av.FFmpegError) as error:
        raise UserError(f"{path.name} cannot be read as audio: {error}.") from error
    chunks.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    return Audio(np.concatenate(chunks), sample_rate, Tags(title=path.stem), path)


def _mono(frame) -> NDArray[np.float32]:  # noqa: ANN001
    """(n,) float32 mean of a frame's channels."""
    data = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(-1, frame.layout.nb_channels).T
    if data.dtype.kind != "f":
        data = data.astype(np.float32) / np.float32(2.0 ** (8 * data.dtype.itemsize - 1))
    return np.ascontiguousarray(data.mean(axis=0, dtype=np.float32))
