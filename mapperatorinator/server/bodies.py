"""What the page may send as JSON: every field with its type and bounds, nothing else."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A request body without surprises."""

    model_config = ConfigDict(extra="forbid")


class NewJob(Strict):
    """What is asked: a song, and options by name; `reference` is the number of one of the song's own maps."""

    song: str
    settings: dict[str, Any] = {}
    reference: int | None = Field(None, ge=0, le=200)


class NewReroll(Strict):
    """A stretch of one map of a finished job, in ms, to be mapped again `count` times."""

    map: int = Field(ge=0, le=200)
    start_time: int = Field(ge=0)
    end_time: int = Field(ge=0)
    count: int = Field(4, ge=1, le=16)
    seed: int = Field(0, ge=0)


class Choice(Strict):
    """Which alternative takes the place of the map."""

    choice: int = Field(ge=0, le=16)


class NewReview(Strict):
    """Maps to look at: those of a song's upload, or of a finished job."""

    song: str
    of: str | None = None
    maps: list[int] | None = Field(None, max_length=64)


class Place(Strict):
    """The waiting job that should come after; none: the end of the queue."""

    before: str | None = None


class Queue(Strict):
    """Whether jobs may start."""

    paused: bool


class Marks(Strict):
    """What the user thinks of a result."""

    favourite: bool | None = None
    rating: int | None = Field(None, ge=0, le=9)
    label: str | None = Field(None, max_length=200)


class Red(Strict):
    """A song's red lines as corrected by hand: time in ms, ms per beat, beats per measure."""

    lines: list[tuple[float, float, int]] = Field(min_length=1, max_length=2000)
