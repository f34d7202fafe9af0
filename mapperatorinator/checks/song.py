"""Rules about the song's file and how much of it is mapped."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from .issue import PROBLEM, WARNING, Finding, problem, warning
from .registry import Category, check
from .view import MapView

MIN_BITRATE = 128  # kbit/s (ranking criteria)
MAX_BITRATES = {"mp3": 192, "ogg": 208}  # kbit/s by container (ranking criteria)
UNUSED_SHARE = 0.2  # of the audio after the last object (ranking criteria)
SONG_END = 50.0  # ms by which decoders disagree about the end of a song


class SongHeader(NamedTuple):
    """Container (“mp3”, “ogg”, …), codec and average bit rate in kbit/s of a file."""

    container: str
    codec: str
    bitrate: float


@lru_cache(maxsize=16)
def song_header(path: Path) -> SongHeader | None:
    """What the file at `path` is, None where it cannot be read."""
    import av

    try:
        with av.open(str(path)) as file:
            stream = file.streams.audio[0]
            size, seconds = 0, 0.0
            for packet in file.demux(stream):
                size += packet.size
                seconds += float((packet.duration or 0) * (packet.time_base or 0))
            codec = stream.codec_context.name
            return SongHeader(file.format.name, codec, size * 8 / seconds / 1000 if seconds else 0.0)
    except (OSError, av.FFmpegError, IndexError):
        return None


@check(
    "audio_format", Category.AUDIO, "The song is neither mp3 nor ogg vorbis, or its name says otherwise.",
    "MV CheckAudioFormat", (PROBLEM, WARNING), gate=True, needs_audio=True,
)  # fmt: skip
def audio_format(view: MapView) -> Iterator[Finding]:
    assert view.audio is not None
    header = song_header(view.audio.path)
    if header is None:
        yield problem("The song's file cannot be read.")
    elif header.container not in MAX_BITRATES or (header.container == "ogg" and header.codec != "vorbis"):
        yield problem(f"The song is {header.codec} in {header.container}; the game ranks mp3 and ogg vorbis.")
    elif view.audio.path.suffix.lower() != f".{header.container}":
        yield warning(f"The song is {header.container} but called {view.audio.path.name}.")


@check(
    "bitrate", Category.AUDIO, "The song has less than 128 or more than 192 kbit/s (ogg: 208).", "MV CheckBitrate",
    (PROBLEM,), gate=True, needs_audio=True,
)  # fmt: skip
def bitrate(view: MapView) -> Iterator[Finding]:
    assert view.audio is not None
    header = song_header(view.audio.path)
    if header is None:
        return
    highest = MAX_BITRATES.get(header.container, max(MAX_BITRATES.values()))
    if not MIN_BITRATE <= round(header.bitrate) <= highest:
        yield problem(f"The song has {header.bitrate:.0f} kbit/s; {MIN_BITRATE} to {highest} are allowed.")


@check(
    "audio_usage", Category.AUDIO, "More than 20 % of the song comes after the last object.",
    "MV CheckAudioUsage; lazer CheckUnusedAudioAtEnd", (WARNING,), needs_audio=True,
)  # fmt: skip
def audio_usage(view: MapView) -> Iterator[Finding]:
    assert view.audio is not None
    length = view.audio.duration_ms
    if view.objects and length > 0:
        unused = 1 - view.latest_end(len(view.objects) - 1) / length
        if unused > UNUSED_SHARE:
            yield warning(f"{unused:.0%} of the song come after the last object.")


@check(
    "past_song", Category.AUDIO, "An object ends after the song.", "playability", (PROBLEM,), gate=True,
    needs_audio=True,
)  # fmt: skip
def past_song(view: MapView) -> Iterator[Finding]:
    assert view.audio is not None
    for i, end in enumerate(view.ends):
        if end > view.audio.duration_ms + SONG_END:
            yield problem(
                f"{view.kind(i)} ends {end - view.audio.duration_ms:.0f} ms after the song.", None, i
            )
            return
