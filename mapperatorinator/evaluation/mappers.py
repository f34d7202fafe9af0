"""The mappers that can be measured, by name; each is a plain function from a song to a beatmap.

`sampled` is what users get; `likeliest` draws the likeliest map; `deaf` and `deaf-sampled` are the same
network without the sound; `human` is the human map itself, to see what the figures are worth.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mapperatorinator.beatmap import CATCH, OSU, Beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.song import Attempt, MapSong, Song

if TYPE_CHECKING:
    from mapperatorinator.audio import Audio
    from mapperatorinator.events import Event
    from mapperatorinator.mapper import Surprisal
    from mapperatorinator.settings import Settings
    from mapperatorinator.timing import Timing

NAMES = ("sampled", "likeliest", "deaf", "deaf-sampled", "human")


def named(name: str, seed: int = 0, candidates: int = 1) -> MapSong:
    """The mapper of a name in NAMES; `candidates` counts for `sampled` alone."""
    if name == "human":
        return lambda song: song.human
    if name not in NAMES:
        raise UserError(f"There is no mapper {name!r}; choose from {', '.join(NAMES)}.")
    return _GridMapping(name, seed, candidates if name == "sampled" else 1)


def attempt(mapper: MapSong, song: Song) -> Attempt:
    """Let a mapper map a song; whatever goes wrong is a failed attempt, not a missing row."""
    begun = time.perf_counter()
    try:
        beatmap: Beatmap | None = mapper(song)
        failure = "" if beatmap and beatmap.hit_objects else "empty map"
    except Exception as error:  # a crash is a result here
        beatmap, failure = None, f"{type(error).__name__}: {error}"
    return Attempt(None if failure else beatmap, time.perf_counter() - begun, failure)


def request_of(song: Song, seed: int, candidates: int = 1) -> Settings:
    """The settings that ask for what the human made: mode, stars, keys, difficulty settings, metadata."""
    from mapperatorinator.pipeline.naming import difficulty_names, with_names
    from mapperatorinator.pipeline.request import complete, for_stars
    from mapperatorinator.settings import Settings

    asked = Settings(difficulty=song.row.stars, seed=seed, candidates=candidates)
    whole = complete(asked, song.human, song.audio.tags)
    (name,) = difficulty_names(whole, [song.row.stars])
    return with_names(for_stars(whole, song.row.stars), name, asked)


@dataclass
class _Listening:
    """The grid mapper drawing in one fixed way, deaf or not, whatever the settings say."""

    likeliest: bool
    deaf: bool

    def __post_init__(self) -> None:
        from mapperatorinator.mapper.grid.mapper import GridMapper

        self._mapper = GridMapper()

    def map(self, audio: Audio, timing: Timing, settings: Settings, given: Sequence[Event] | None = None,
            reference: Beatmap | None = None) -> Iterator[Event]:  # fmt: skip
        from mapperatorinator.mapper.grid.unmask import Drawing

        way = Drawing(temperature=0.0, attribute_temperature=0.0, likeliest=True) if self.likeliest else None
        return self._mapper.map(audio, timing, settings, given, reference, drawing=way, deaf=self.deaf)

    def score(self, events: Iterable[Event], audio: Audio, timing: Timing, settings: Settings
              ) -> list[Surprisal]:  # fmt: skip
        return self._mapper.score(events, audio, timing, settings)


class _GridMapping:
    """Maps songs as the product does after timing: draw, finish, check, repair, choose."""

    def __init__(self, name: str, seed: int, candidates: int) -> None:
        self.seed, self.candidates = seed, candidates
        self.likeliest = name in ("likeliest", "deaf")
        self._mapper = _Listening(self.likeliest, name.startswith("deaf"))

    def __call__(self, song: Song) -> Beatmap:
        from mapperatorinator.pipeline.candidates import Ask, choose
        from mapperatorinator.pipeline.drawing import Drawing

        settings = request_of(song, self.seed, self.candidates)
        drawing = Drawing(self._mapper, song.audio, song.timing)
        if self.likeliest:  # there is only one such map, so nothing to choose from
            return drawing.draw(settings)

        def told(ask: Ask) -> Settings:
            return replace(
                settings, difficulty=ask.aim, seed=ask.seed, spacing=ask.spacing, density=ask.density
            )

        best = choose(
            song.row.stars, self.seed, self.candidates,
            draw=lambda ask: drawing.draw(told(ask)),
            check=lambda beatmap: drawing.check(beatmap, settings),
            repair=lambda beatmap, problems, ask: drawing.redraw(beatmap, problems, told(ask)),
            spaced=settings.mode in (OSU, CATCH),
        )  # fmt: skip
        if best is None:
            raise UserError("No map came out.")
        return best.beatmap

