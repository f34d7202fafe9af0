"""Where the game puts time 0 in an mp3 file.

An mp3 begins with silence of its encoder (often 576 samples) and decoder (529). The game's library, BASS
with its option for old gap handling, which osu! sets, removes both if the first frame carries a Xing or
Info tag that names its encoder and a delay or padding, and neither otherwise; ffmpeg agrees only for tags
of LAME and of itself. A VBRI frame counts as sound there, less the delay it names. We follow BASS, since
what counts is when the player hears a note.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

DECODER_DELAY = 529
_SEARCH = 1 << 18  # bytes looked through for the first frame, after any ID3 tags

_BITRATES = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),  # MPEG 1 layer III
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),  # MPEG 2 and 2.5 layer III
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


@dataclass(frozen=True)
class _Frame:
    rate: int
    size: int  # bytes
    samples: int
    tag_at: int  # offset of a Xing or Info tag in the frame


@dataclass(frozen=True)
class Beginning:
    """What an mp3 tells about itself before its sound.

    start: seconds from the first sound frame (a Xing, Info or VBRI frame not counted) to the game's time 0,
    negative if the game plays silence first; counted: whether the file says how many frames it has.
    """

    start: float = 0.0
    counted: bool = False


def read_beginning(path: Path) -> Beginning:
    """Read the tag in the first frame of an mp3; without a tag or a recognisable frame nothing is told."""
    with path.open("rb") as file:
        file.seek(_after_id3(file))
        head = file.read(_SEARCH)
    for at in range(len(head) - 4):
        frame = _parse_header(head[at : at + 4]) if head[at] == 0xFF else None
        if frame is None:
            continue
        end = at + frame.size
        if end >= len(head) or _parse_header(head[end : end + 4]):  # else it only looks like a header
            return _read_tag(head[at:end], frame)
    return Beginning()


def _after_id3(file: BinaryIO) -> int:
    """Offset behind the ID3v2 tags at the start of an open file."""
    at = 0
    while True:
        file.seek(at)
        head = file.read(10)
        if len(head) < 10 or head[:3] != b"ID3":
            return at
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        at += 10 + size + (10 if head[5] & 0x10 else 0)


def _parse_header(header: bytes) -> _Frame | None:
    """The layer III frame that these four bytes announce, if they do."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, bitrate, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or bitrate in (0, 15) or rate == 3:
        return None
    first, mono = version == 3, header[3] >> 6 == 3
    hertz = _RATES[version][rate]
    samples = 1152 if first else 576
    size = samples * 125 * _BITRATES[first][bitrate] // hertz + (header[2] >> 1 & 1)
    tag_at = 4 + ((17 if mono else 32) if first else (9 if mono else 17))
    return _Frame(hertz, size, samples, tag_at)


def _read_tag(data: bytes, frame: _Frame) -> Beginning:
    """What the file's first frame says, given its bytes."""
    if data[36:40] == b"VBRI":
        delay = int.from_bytes(data[42:44], "big") or DECODER_DELAY
        return Beginning((delay - frame.samples) / frame.rate, counted=True)
    at = frame.tag_at
    if data[at : at + 4] not in (b"Xing", b"Info"):
        return Beginning()
    flags = int.from_bytes(data[at + 4 : at + 8], "big")
    encoder = at + 8 + sum(size for bit, size in enumerate((4, 4, 100, 4)) if flags >> bit & 1)
    delays = int.from_bytes(data[encoder + 21 : encoder + 24], "big")
    known = delays and data[encoder] != 0
    return Beginning(((delays >> 12) + DECODER_DELAY) / frame.rate if known else 0.0, counted=bool(flags & 1))
