"""Songs for the audio tests: click tracks in any codec, written with PyAV's own encoders."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

CLICKS = np.array([0.1, 0.31, 0.87, 1.2, 1.66, 2.03, 2.41, 2.9, 3.13])


def click_track(rate: int, seconds: float = 3.4) -> NDArray[np.float32]:
    """Decaying 2 kHz bursts at CLICKS seconds, (n,) float32; the burst starts on the exact sample."""
    samples = np.zeros(int(rate * seconds), np.float32)
    burst = np.arange(int(0.01 * rate)) / rate
    for time in CLICKS:
        at = round(time * rate)
        samples[at : at + len(burst)] += 0.7 * np.exp(-burst / 0.002) * np.cos(2 * np.pi * 2000 * burst)
    return samples


def write_media(
    path: Path,
    samples: NDArray[np.float32],
    rate: int,
    codec: str,
    container: str,
    *,
    channels: int = 2,
    bit_rate: int = 192_000,
    metadata: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    video: bool = False,
    delay: float = 0.0,
) -> Path:
    """Encode (n,) mono samples on every channel; `delay` shifts the sound against the video, seconds."""
    layout = "mono" if channels == 1 else "stereo"
    with av.open(str(path), "w", format=container, options=options or {}) as media:
        media.metadata.update(metadata or {})
        if video:
            pictures = media.add_stream("mpeg4", rate=25, width=32, height=32, pix_fmt="yuv420p")
        sound = media.add_stream(codec, rate=rate, layout=layout)
        sound.bit_rate = bit_rate
        if codec == "vorbis":
            sound.codec_context.options = {"strict": "experimental"}
        if video:
            for number in range(int(25 * len(samples) / rate)):
                picture = av.VideoFrame(32, 32, "yuv420p")
                picture.pts = number
                media.mux(pictures.encode(picture))
            media.mux(pictures.encode(None))
        frame = av.AudioFrame.from_ndarray(np.stack([samples] * channels), format="fltp", layout=layout)
        frame.rate = rate
        frame.pts = round(delay * rate)
        media.mux(sound.encode(frame))
        media.mux(sound.encode(None))
    return path


def lag_ms(samples: NDArray[np.float32], reference: NDArray[np.float32], rate: int) -> float:
    """How much later the samples are than the reference, milliseconds, to a fraction of a sample."""
    size = 1 << (len(samples) + len(reference)).bit_length()
    spectrum = np.fft.rfft(samples, size) * np.conj(np.fft.rfft(reference, size))
    fine = 8
    correlation = np.fft.irfft(np.pad(spectrum, (0, (fine - 1) * size // 2)), fine * size)
    peak = int(np.argmax(correlation))
    return 1000.0 * (peak - fine * size if peak > fine * size // 2 else peak) / (fine * rate)
