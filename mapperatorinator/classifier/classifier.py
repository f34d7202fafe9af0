"""The embedded classifier at work on whole maps."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapperatorinator import weights
from mapperatorinator.beatmap import Beatmap
from mapperatorinator.classifier.statistics import statistics
from mapperatorinator.classifier.view import WINDOW, View, Windows

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

NAME = "classifier"
STRIDE = WINDOW // 2  # beats from one window to the next where a mapper is to be told

Floats = NDArray[np.float32]


class Guess(NamedTuple):
    """A mapper and how sure the classifier is, 0..1; the confidences of all it knows add up to 1."""

    mapper: str
    confidence: float


class Classifier:
    """The embedded model; sessions are opened when first used. threads : CPU threads, 0 for all cores."""

    def __init__(self, threads: int = 0) -> None:
        self.threads = threads
        self.mappers: list[str] = weights.card(NAME)["mappers"]

    @cached_property
    def _session(self) -> InferenceSession:
        return weights.session(NAME, threads=self.threads)

    def classify(self, beatmap: Beatmap, top: int = 10, time: float | None = None) -> list[Guess]:
        """The `top` likeliest mappers, likeliest first.

        time : ms; only the 32 beats from there on are looked at. None: the mean over windows of the whole map.
        UserError if the map has no objects or no music's timing, or ends before `time`.
        """
        view = View.of(beatmap)
        windows = view.windows(STRIDE) if time is None else view.cut(view.beat_at(time))
        _, logits = self._run(windows)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        mean = (odds / odds.sum(axis=1, keepdims=True)).mean(axis=0)
        order = np.argsort(-mean, kind="stable")[:top]
        return [Guess(self.mappers[i], float(mean[i])) for i in order]

    def features(self, beatmap: Beatmap) -> Floats:
        """One vector for every 32 beats of a map, (windows, features); UserError as for `classify`."""
        return self._run(View.of(beatmap).windows())[0]

    def nothing(self) -> Floats:
        """The vector of 32 beats in which nothing happens, (1, features): what a failed map counts as."""
        return self._run(Windows.empty(1))[0]

    def _run(self, windows: Windows) -> tuple[Floats, Floats]:
        features, logits = self._session.run(["feature", "logits"], {"statistics": statistics(windows)})
        return features, logits
