"""From a song's file to samples, tags and mel frames.

`load_audio` decodes any audio or video file; `log_mel` makes the frames that our own networks read.
Time 0 is the first sample that a player of the game hears. This package imports nothing else of the
project except its error type.
"""

from __future__ import annotations

from .decode import SAMPLE_RATE, Audio, is_silent, load_audio
from .mel import log_mel
from .onset import onset_strength, strong_onsets
from .tags import Cover, Tags, read_tags

__all__ = [
    "SAMPLE_RATE",
    "Audio",
    "Cover",
    "Tags",
    "is_silent",
    "load_audio",
    "log_mel",
    "onset_strength",
    "read_tags",
    "strong_onsets",
]
