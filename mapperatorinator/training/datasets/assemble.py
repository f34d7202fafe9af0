"""From one difficulty to training samples: windows, contexts, condition tokens, labels and the noise on them.

Everything here is numbers: the sound stays with the song, a `Piece` only knows where in it it begins.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.mapper.sequence.conditions import Conditions, Wishes
from mapperatorinator.mapper.sequence.profile import Profile, Template
from mapperatorinator.mapper.sequence.prompts import Context, Prompter
from mapperatorinator.mapper.sequence.reading import Reader
from mapperatorinator.mapper.sequence.vocabulary import END, SNAP, START, TIME, Mark, Vocabulary
from mapperatorinator.training.datasets.options import SampleOptions
from mapperatorinator.training.datasets.song import Chart

HOP, HOP_MS = 128, 8.0  # samples and ms of one mel frame
NO_LOSS = -100
Tokens = NDArray[np.int64]


@dataclass(frozen=True)
class Piece:
    """One sample without its sound.

    start : mel frame at which its window begins. mapper, stars, position : the conditions that some networks take
    as numbers (class, rating, first and last place in the song from 0 to 1).
    """

    start: int
    tokens: Tokens
    labels: Tokens
    mapper: int
    stars: float
    position: tuple[float, float]
    beatmap_id: int


@dataclass(frozen=True)
class Take:
    """A difficulty read once. contexts : marks by name, in the times of the song as it is played."""

    chart: Chart
    wishes: Wishes
    contexts: dict[str, list[Mark]]

    @classmethod
    def of(cls, chart: Chart, profile: Profile, speed: float = 1.0) -> Take:
        """Read a difficulty; its times are divided by `speed` and cut to whole ms."""
        reader = Reader(chart.beatmap, profile)
        read = {"map": reader.objects, "timing": reader.beats, "kiai": reader.kiai, "sv": reader.scroll}
        contexts = {name: _faster(marks(), speed) for name, marks in read.items()}
        silent = [mark for mark in contexts["map"] if mark.kind not in ("hitsound", "volume")]
        return cls(chart, chart.wishes(speed), contexts | {"none": [], "gd": contexts["map"], "no_hs": silent})


def _faster(marks: list[Mark], speed: float) -> list[Mark]:
    if speed == 1.0:
        return marks
    return [
        Mark(kind, int(value / speed) if kind == TIME else value, int(time / speed)) for kind, value, time in marks
    ]


@dataclass(frozen=True)
class _Block:
    """Tokens of one context; labels are for those from `learned` on."""

    opening: list[int]
    body: list[int]
    closing: list[int]
    learned: int = 0

    def cut(self, size: int) -> _Block:
        return replace(self, body=self.body[:size])


class Assembler:
    """Cuts the difficulties of one song of `frames` mel frames into samples; UserError for a value without token."""

    def __init__(
        self, vocabulary: Vocabulary, options: SampleOptions, frames: int, rng: np.random.Generator
    ) -> None:
        self.vocabulary, self.options, self.profile, self.frames = vocabulary, options, options.profile, frames
        self.rng, self.window, self.song_ms = rng, options.frames - 1, frames * HOP_MS

    def pieces(self, take: Take, guest: Take | None, template: Template) -> Iterator[Piece]:
        """The samples of one difficulty, window by window; `guest` is what a guest context is taken from."""
        options, rng = self.options, self.rng
        start = 0
        if rng.random() < options.offset_chance:
            start = int(rng.integers(0, min(self.window, options.most_offset, self.frames - 1) + 1))
        held = round(options.lookback * self.window) if rng.random() < options.lookback_chance else 0
        for first in range(start, self.frames, self.window):
            piece = self._piece(take, guest or take, template, first, held)
            if options.keep_empty or (piece.labels[:-1] >= 0).any():
                yield piece

    def _piece(self, take: Take, guest: Take, template: Template, first: int, held: int) -> Piece:
        origin, last = int(first * HOP_MS), self.frames - 1  # what comes after the last frame begins is left out
        end = min(first + self.window, last)
        ahead = min(first + round((1 - self.options.lookahead) * self.window), last)
        prompter = Prompter(
            self.vocabulary, self.profile, template, self.window * HOP_MS, self.song_ms, self.options.tokens
        )
        given = [
            self._block(name, guest if name == "gd" else take, first, end, prompter) for name in template.given
        ]
        contexts = [Context(name, take.contexts[name]) for name in template.made]
        made = [self._block(name, take, first, ahead, held=held) for name in template.made]
        prefix = [*self._asked(take.wishes).tokens(), *prompter.state(contexts, origin, required=False)]
        tokens, labels, free = _joined(given, prefix, made, self.options.tokens)
        vector = self._asked(take.wishes)
        share = first / self.frames, min((first + self.window) / self.frames, 1.0)
        return Piece(
            first, self._noisy(tokens, free), labels, self._mapper(vector), take.wishes.difficulty or 0.0, share,
            take.chart.beatmap_id,
        )  # fmt: skip

    def _block(
        self, name: str, take: Take, first: int, end: int, prompter: Prompter | None = None, held: int = 0
    ) -> _Block:
        marks, origin = take.contexts[name], int(first * HOP_MS)
        begin, stop = (_before(marks, frame * HOP_MS) for frame in (first, end))
        body = self.vocabulary.spell(marks[begin:stop], origin)
        learned = _before(marks, min(first + held, end) * HOP_MS) - begin
        if not self.profile.markers:
            return _Block([], body, [], learned)
        opening = [self.vocabulary.starts[name]]
        if name == "gd" and prompter is not None:
            state = prompter.state([Context(name, marks)], origin, required=False)
            opening += [*self._asked(take.wishes).tokens(), *state]
        return _Block(opening, body, [self.vocabulary.ends[name]], learned)

    def _asked(self, wishes: Wishes) -> Conditions:
        """The wishes with some forgotten, so that the network can do without any of them."""
        lost: dict[str, Any] = {
            name: () if name == "descriptors" else None
            for name, chance in self.options.forget.items()
            if self.rng.random() < chance
        }
        return Conditions(self.vocabulary, self.profile, replace(wishes, **lost), self.song_ms)

    def _mapper(self, asked: Conditions) -> int:
        index = asked.mapper()
        return index if index >= 0 else int(self.vocabulary.raw.get("num_mapper_classes") or 0)

    def _noisy(self, tokens: Tokens, free: int) -> Tokens:
        """Input tokens with wrong times (from `free` on) and wrong snappings; labels stay right."""
        options, rng, tokens = self.options, self.rng, tokens.copy()
        times, snaps = self.vocabulary.ids(TIME), self.vocabulary.ids(SNAP)
        if (options.time_noise or options.shared_noise) and rng.random() < options.time_chance:
            noise = rng.integers(-options.time_noise, options.time_noise + 1, len(tokens))
            noise += rng.integers(-options.shared_noise, options.shared_noise + 1)
            timed = (tokens >= times.start) & (tokens < times.stop) & (np.arange(len(tokens)) >= free)
            tokens[timed] = np.clip(tokens[timed] + noise[timed], times.start, times.stop - 1)
        if options.snap_noise and snaps:
            wrong = (tokens >= snaps.start) & (tokens < snaps.stop) & (rng.random(len(tokens)) < options.snap_noise)
            tokens[wrong] = rng.integers(snaps.start, snaps.stop, int(wrong.sum()))
        return tokens


def _before(marks: Sequence[Mark], time: float) -> int:
    """How many of the marks, which are in order of time, come before `time` ms."""
    return bisect_left(marks, time, key=lambda mark: mark.time)


def _joined(
    given: Sequence[_Block], prefix: Sequence[int], made: Sequence[_Block], limit: int
) -> tuple[Tokens, Tokens, int]:
    """Input tokens, their labels, and where the written part begins.

    What does not fit into `limit` tokens is cut off at the end: of what is given first, then of what is made.
    """
    room = limit - len(prefix) - 1 - sum(len(b.opening) + len(b.closing) for b in (*given, *made))
    fitted = []
    for block in (*made, *given):  # the made ones have the first claim
        fitted.append(block.cut(max(room, 0)))
        room -= len(fitted[-1].body)
    made, given = fitted[: len(made)], fitted[len(made) :]
    head = [token for block in given for token in (*block.opening, *block.body, *block.closing)]
    head += [*prefix, START]
    tokens, labels = list(head), [NO_LOSS] * len(head)
    for block in made:
        spoken = [*block.opening, *block.body, *block.closing]
        silent = min(block.learned, len(block.body))
        first = len(block.opening)
        tokens += spoken
        labels += [NO_LOSS if first <= i < first + silent else token for i, token in enumerate(spoken)]
    return np.array(tokens[:limit]), np.array([*labels[1:], END][:limit]), len(head)


__all__ = ["HOP", "HOP_MS", "NO_LOSS", "Assembler", "Piece", "Take"]
