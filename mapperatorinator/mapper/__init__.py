"""What turns audio and timing into events: one protocol, two kinds (our grid mapper, the published sequence mapper)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mapperatorinator.errors import UserError
from mapperatorinator.events import Event

if TYPE_CHECKING:
    from mapperatorinator.audio import Audio
    from mapperatorinator.beatmap import Beatmap
    from mapperatorinator.settings import Settings
    from mapperatorinator.timing import Timing


@dataclass(frozen=True, slots=True)
class Surprisal:
    """How unexpected one thing of a map is.

    time : ms. aspect : what was looked at, e.g. "start", "combo", "sound". bits : -log2 of the probability that the
    model gave to what the map says. said, expected : names of what the map says and of the likeliest alternative.
    likelihood : probability of the expected, 0..1. elsewhere : ms, where the thing was rather expected.
    """

    time: float
    aspect: str
    bits: float
    said: str
    expected: str
    likelihood: float
    elsewhere: float | None = None


class Mapper(Protocol):
    """Maps a song, and judges a map of it."""

    def map(
        self, audio: Audio, timing: Timing, settings: Settings, given: Sequence[Event] | None = None,
        reference: Beatmap | None = None,
    ) -> Iterator[Event]:  # fmt: skip
        """Yield the events of a map in order of time.

        given : events of the same map that stay as they are; only what lies between ``settings.start_time`` and
        ``settings.end_time`` is drawn. reference : the beatmap of ``settings.beatmap_path``, of which
        ``settings.in_context`` says what to take over: KIAI its switches, GD its rhythm as another difficulty, NO_HS
        all but its sounds, MAP everything.
        """
        ...

    def score(
        self, events: Iterable[Event], audio: Audio, timing: Timing, settings: Settings
    ) -> list[Surprisal]:
        """Return how surprising every object and attribute of a map is, in order of time."""
        ...


def load_mapper(settings: Settings) -> Mapper:
    """Return the mapper that ``settings.model`` names.

    UserError where it needs what is not installed or not there.
    """
    if settings.model == "embedded":
        from mapperatorinator.mapper.grid.mapper import GridMapper

        return GridMapper()
    try:
        from mapperatorinator.mapper.sequence.mapper import SequenceMapper
    except ModuleNotFoundError as error:
        raise UserError(
            f"The published model {settings.model} needs {error.name}: pip install 'mapperatorinator[published]'."
        ) from error
    return SequenceMapper(settings)
