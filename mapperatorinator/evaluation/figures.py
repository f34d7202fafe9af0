"""All figures of one map: what is measured once, and added up in many ways."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mapperatorinator.beatmap import Beatmap
from mapperatorinator.evaluation.copies import TrainingRuns
from mapperatorinator.evaluation.coverage import coverage
from mapperatorinator.evaluation.emphasis import Emphasis, emphasis
from mapperatorinator.evaluation.feature_distance import Floats
from mapperatorinator.evaluation.features import features
from mapperatorinator.evaluation.patterns import Described, describe
from mapperatorinator.evaluation.readers import Reader
from mapperatorinator.evaluation.request import StarError, star_error
from mapperatorinator.evaluation.rhythm import RhythmScore, rhythm_score
from mapperatorinator.evaluation.song import Attempt, Song
from mapperatorinator.evaluation.structure import structure
from mapperatorinator.evaluation.validity import Validity, validity


@dataclass(frozen=True)
class Figures:
    """Every figure of one map of one song."""

    song: str
    path: str
    rhythm: RhythmScore
    objects: float
    described: Described = field(repr=False)
    features: Floats = field(repr=False)
    emphasis: Emphasis
    structure: float
    coverage: float
    stars: StarError
    validity: Validity | None
    longest_copy: int | None
    seconds: float
    failure: str = ""

    def as_dict(self) -> dict[str, Any]:
        """One row of the JSON report."""
        return {
            "map": self.path,
            "song": self.song,
            "f1": self.rhythm.f1,
            "density": self.rhythm.density,
            "objects": self.objects,
            "structure": self.structure,
            "coverage": self.coverage,
            "asked_stars": self.stars.asked,
            "stars": self.stars.got,
            "problems": list(self.validity.problems) if self.validity else None,
            "refused": self.validity.rejected_by if self.validity else None,
            "longest_copy": self.longest_copy,
            "seconds": self.seconds,
            "failure": self.failure,
        }


def measure(
    made: Attempt,
    song: Song,
    training: TrainingRuns | None = None,
    among: dict[str, Reader] | None = None,
    check: bool = True,
) -> Figures:
    """Measure an attempt at a song against the human map of it.

    training : maps to look for copies of, None skips that. among : readers. check : whether to run the rules.
    """
    beatmap, human = made.beatmap, song.human
    return Figures(
        song=song.row.song,
        path=song.row.path,
        rhythm=rhythm_score(beatmap, human),
        objects=object_count(beatmap) / max(object_count(human), 1),
        described=describe(beatmap, song.row.stars, song.row.song),
        features=features(beatmap, human),
        emphasis=emphasis(beatmap),
        structure=structure(beatmap, song.mel, human),
        coverage=coverage(beatmap, song.audio),
        stars=star_error(beatmap, song.row.stars),
        validity=validity(beatmap, among) if check else None,
        longest_copy=training.longest_run(beatmap) if training is not None else None,
        seconds=made.seconds,
        failure=made.failure,
    )


def object_count(beatmap: Beatmap | None) -> int:
    """Objects of a map; None has none."""
    return len(beatmap.hit_objects) if beatmap is not None else 0
