"""A song to be mapped, with the human map that tells what to ask for and what to compare with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.audio import Audio, load_audio, log_mel
from mapperatorinator.beatmap import Beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.corpus import Corpus, MapRow
from mapperatorinator.evaluation.patterns.common import timing_of
from mapperatorinator.timing import Timing


@dataclass(frozen=True)
class Song:
    """One map of the corpus as a task: its song, its timing, its stars, and the human's answer."""

    corpus: Corpus
    row: MapRow

    @property
    def human(self) -> Beatmap:
        """The human map."""
        return self.corpus.beatmap(self.row)

    @property
    def timing(self) -> Timing:
        """The human's red lines."""
        return timing_of(self.human)

    @property
    def song_file(self) -> Path:
        """The file of the song."""
        path = self.corpus.audio_path(self.row)
        if path is None:
            raise UserError(f"The corpus has no song for {self.row.path}.")
        return path

    @property
    def audio(self) -> Audio:
        """The decoded song; the last one is kept, so ask for maps of one song in a row."""
        return _decoded(self.song_file)

    @property
    def mel(self) -> NDArray[np.float32]:
        """Log-mel frames of the song, (n, 64), 10 ms apart."""
        return _frames(self.audio.path)


MapSong = Callable[[Song], Beatmap]


class Attempt(NamedTuple):
    """What a mapper made of a song: a map, or None and the reason; `seconds` is the time it took."""

    beatmap: Beatmap | None
    seconds: float = 0.0
    failure: str = ""


def spread(rows: Sequence[MapRow], n: int | None) -> list[MapRow]:
    """`n` rows evenly spread over all, those of one song next to each other; None takes all."""
    ordered = sorted(rows, key=lambda row: (row.audio, row.mode, row.stars))
    if n is None or n >= len(ordered):
        return ordered
    return [ordered[int(i * len(ordered) / n)] for i in range(n)]


@lru_cache(maxsize=1)
def _decoded(path: Path) -> Audio:
    return load_audio(path)


@lru_cache(maxsize=1)
def _frames(path: Path) -> NDArray[np.float32]:
    return log_mel(_decoded(path).samples)
