"""Asked = got: how far the stars of a map are from what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mapperatorinator.beatmap import Beatmap, star_rating

WORST = 10.0  # stars; what a failed run counts


class StarError(NamedTuple):
    """One request: stars asked, stars got (None: the run failed)."""

    asked: float
    got: float | None

    @property
    def error(self) -> float:
        """abs(got - asked) in stars."""
        return abs(self.got - self.asked) if self.got is not None and np.isfinite(self.got) else WORST


def star_error(beatmap: Beatmap | None, asked: float) -> StarError:
    """Rate a map and compare with the stars asked for."""
    return StarError(asked, star_rating(beatmap) if beatmap is not None and beatmap.hit_objects else None)


def median_error(requests: Sequence[StarError]) -> float:
    """The median of abs(got - asked)."""
    return float(np.median([r.error for r in requests])) if requests else float("nan")


def p90_error(requests: Sequence[StarError]) -> float:
    """The 90th percentile of abs(got - asked)."""
    return float(np.percentile([r.error for r in requests], 90)) if requests else float("nan")
