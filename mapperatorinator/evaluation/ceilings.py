"""What humans reach against each other, and what chance reaches: the two ends of every scale.

`mapperatorinator evaluate human` prints, per mode: rhythm F1 of random ticks of the true grid (floor), of two
maps of one set and of two mappers' sets of one song, at most half a star apart; and how far two halves of the
human maps are apart in every pattern.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from mapperatorinator.evaluation.bootstrap import REPEATS, Estimate, bootstrap
from mapperatorinator.evaluation.corpus import Corpus, MapRow, pairs_of_one_set, pairs_of_two_sets
from mapperatorinator.evaluation.patterns import Described, describe
from mapperatorinator.evaluation.rhythm import (
    TOLERANCE_MS,
    RhythmScore,
    Times,
    aligned,
    compare,
    f1_of,
    random_starts,
    starts,
)

Scored = tuple[str, RhythmScore]  # the song, by which intervals are drawn, and a score

# Catch has one pair of maps in an earlier state of the corpus and none in this one.
PUBLISHED_CEILING = {2: 0.72}


def f1_estimate(scores: Sequence[Scored], repeats: int = REPEATS, seed: int = 0) -> Estimate:
    """F1 summed over a set, with its interval over songs."""
    return bootstrap(scores, lambda some: f1_of([s for _, s in some]), lambda s: s[0], repeats, seed)


def floor_scores(corpus: Corpus, rows: Iterable[MapRow], seed: int = 0) -> list[Scored]:
    """Scores of random ticks of the true grid at the human's density."""
    rng = np.random.default_rng(seed)
    maps = ((row.song, corpus.beatmap(row)) for row in rows)
    return [(song, compare(random_starts(human, rng), starts(human))) for song, human in maps]


def same_set_scores(corpus: Corpus, rows: Iterable[MapRow]) -> list[Scored]:
    """Scores of maps of one set against each other."""
    pairs = pairs_of_one_set(rows)
    return [(a.song, compare(starts(corpus.beatmap(a)), starts(corpus.beatmap(b)))) for a, b in pairs]


def two_set_scores(corpus: Corpus, rows: Iterable[MapRow]) -> list[Scored]:
    """Scores of two mappers' maps of one song, shifted so that two cuts coincide, where both have objects."""
    scores = []
    for a, b in pairs_of_two_sets(rows):
        theirs = starts(corpus.beatmap(b))
        ours = aligned(starts(corpus.beatmap(a)), theirs)
        if len(ours) and len(theirs):
            scores.append((a.song, compare(_within(ours, theirs), _within(theirs, ours))))
    return scores


def _within(times: Times, other: Times) -> Times:
    """The times that lie in the span of the other map: one set may hold a shorter cut of the song."""
    return times[(times >= other[0] - TOLERANCE_MS) & (times <= other[-1] + TOLERANCE_MS)]


def human_f1(corpus: Corpus, mode: int, repeats: int = 0) -> Estimate:
    """The ceiling: F1 between two maps of one set, over all maps with a song."""
    found = f1_estimate(same_set_scores(corpus, corpus.select(mode, with_audio=True)), repeats)
    if found.n == 0 and mode in PUBLISHED_CEILING:
        return Estimate(PUBLISHED_CEILING[mode], float("nan"), float("nan"), 1)
    return found


def described_maps(corpus: Corpus, rows: Iterable[MapRow]) -> list[Described]:
    """The pattern histograms of human maps."""
    return [describe(corpus.beatmap(row), row.stars, row.song) for row in rows]
