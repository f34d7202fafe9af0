"""Rhythm complexity of a map: bits of surprise for each second and each note."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from mapperatorinator import weights
from mapperatorinator.beatmap import Beatmap
from mapperatorinator.complexity.model import RhythmModel
from mapperatorinator.complexity.rhythm import Rhythm, rhythm_of

NAME = "complexity"


@dataclass(frozen=True)
class Complexity:
    """bits : surprise of the whole rhythm. notes : starts that it was taken of. seconds : how long they take, rests left
    out."""

    bits: float
    notes: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Bits a second: what a player has to follow; grows with density."""
        return self.bits / max(self.seconds, 1.0)

    @property
    def per_note(self) -> float:
        """Bits a note: how varied the rhythm is, whatever its density."""
        return self.bits / max(self.notes, 1)

    def as_json(self) -> dict[str, float]:
        """Both measures as JSON types."""
        return {"per_second": round(self.per_second, 3), "per_note": round(self.per_note, 3)}

    def __str__(self) -> str:
        return f"{self.per_second:.2f} bits a second, {self.per_note:.2f} a note"


def complexity(beatmap: Beatmap) -> Complexity:
    """Measure a map with the embedded model; a map without rhythm has 0 notes."""
    return measure(_embedded(), rhythm_of(beatmap))


def measure(model: RhythmModel, rhythm: Rhythm) -> Complexity:
    """Measure a rhythm with a model."""
    return Complexity(float(model.bits(rhythm).sum()), len(rhythm), rhythm.seconds)


@cache
def _embedded() -> RhythmModel:
    return RhythmModel.from_tensors(weights.tensors(NAME))
