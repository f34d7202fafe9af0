"""What a check says: how grave it is, where in the map, and why, in one sentence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any, NamedTuple


class Severity(IntEnum):
    """How grave a finding is; the words are those mappers know from Mapset Verifier."""

    MINOR = 1  # usually fine
    WARNING = 2  # worth a look
    PROBLEM = 3  # breaks a rule

    def __str__(self) -> str:
        return self.name.capitalize()


MINOR, WARNING, PROBLEM = Severity


class Finding(NamedTuple):
    """What a check yields: the engine adds the check's id and the editor's timestamp.

    `objects` are positions in `MapView.objects`; `difficulty` is the position of the map in a
    set (None: the map itself, or the whole set).
    """

    severity: Severity
    message: str
    time: float | None = None
    objects: tuple[int, ...] = ()
    difficulty: int | None = None


@dataclass(frozen=True)
class Issue:
    """One finding of one check, ready to be shown.

    `time` is in ms from the start of the audio (None: the map as a whole), `objects` are indexes
    into `Beatmap.hit_objects`, `timestamp` is the text the editor jumps to (`mm:ss:mmm (1,2) -`),
    `difficulty` the name of the difficulty (None in a set: the set as a whole).
    """

    check_id: str
    severity: Severity
    message: str
    time: int | None = None
    objects: tuple[int, ...] = ()
    timestamp: str = ""
    difficulty: str | None = None

    def __str__(self) -> str:
        where = f"{self.timestamp} " if self.timestamp else ""
        return f"{self.severity}: {where}{self.message} [{self.check_id}]"

    def to_dict(self) -> dict[str, Any]:
        """The issue as JSON types; the severity by its name."""
        return {**asdict(self), "severity": str(self.severity), "objects": list(self.objects)}


def problem(message: str, time: float | None = None, *objects: int) -> Finding:
    """A finding that breaks a rule."""
    return Finding(PROBLEM, message, time, objects)


def warning(message: str, time: float | None = None, *objects: int) -> Finding:
    """A finding worth a look."""
    return Finding(WARNING, message, time, objects)


def minor(message: str, time: float | None = None, *objects: int) -> Finding:
    """A finding that is usually fine."""
    return Finding(MINOR, message, time, objects)


def clock(time: float) -> str:
    """`time` in ms as the editor's `mm:ss:mmm`."""
    total = round(time)
    sign, total = ("-", -total) if total < 0 else ("", total)
    return f"{sign}{total // 60000:02d}:{total // 1000 % 60:02d}:{total % 1000:03d}"


def timestamp(time: float, labels: list[str] | None = None) -> str:
    """Editor link text for a moment and the objects at it, e.g. `00:12:345 (1,2) -`."""
    listed = f" ({','.join(labels)})" if labels else ""
    return f"{clock(time)}{listed} -"
