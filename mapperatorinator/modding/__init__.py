"""Modding: what would surprise a mapper in a finished map, and what breaks the ranking criteria.

`review(beatmap, audio) -> Report` looks at one map, `review_set` at all difficulties of a set; nothing is ever
written. `Suggestion` is one finding; its surprisal is calibrated (see `calibration`), so that 8 bits are as rare in
a human map whatever they are about.
"""

from __future__ import annotations

from mapperatorinator.modding.review import review, review_set
from mapperatorinator.modding.suggestion import Report, Suggestion, Topic

__all__ = ["Report", "Suggestion", "Topic", "review", "review_set"]
