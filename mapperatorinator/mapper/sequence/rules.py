"""What may come next: rules on a batch of scores, in the order in which the published models apply them.

Every rule is told the tokens so far (`begin`), each new one (`saw`), and changes scores (batch, vocabulary). All state is
tensors, so nothing waits for the device.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from mapperatorinator.mapper.sequence.vocabulary import BEATS, END, START, TIME, TIMED, Vocabulary


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen; temperatures by kind of token, guidance 1: none.

    legacy : do what the published program did where that is a mistake: the temperature of a batch is that of its first
    row in any game mode, guidance leads towards the unwanted style and shares the first prompt's padding.
    """

    temperature: float = 0.9
    timing_temperature: float = 0.1
    column_temperature: float = 0.8
    drum_temperature: float = 0.8
    top_p: float = 0.9
    top_k: int = 0
    time_bias: float = 0.0
    sample: bool = True
    beams: int = 1
    guidance: float = 1.0
    legacy: bool = False


def member(ids: Iterable[int], size: int) -> Tensor:
    """(size,) bool, True at the ids."""
    mask = torch.zeros(size, dtype=torch.bool)
    mask[list(ids)] = True
    return mask


class Rule:
    """A rule without memory."""

    def begin(self, tokens: Tensor) -> None:
        """Forget everything; tokens (B, L) are the prompts."""

    def saw(self, tokens: Tensor) -> None:
        """Take note of the tokens (B,) that came next."""

    def __call__(self, scores: Tensor) -> Tensor:
        """The scores (B, V) as they are after this rule."""
        raise NotImplementedError


class OnwardOnly(Rule):
    """Time does not go back within a context."""

    def __init__(self, vocabulary: Vocabulary, device: torch.device) -> None:
        self.times = vocabulary.ids(TIME)
        self.starts = member((START, *vocabulary.starts.values()), vocabulary.size_in).to(device)
        self.latest = torch.zeros(0)

    def begin(self, tokens: Tensor) -> None:
        self.latest = torch.full_like(tokens[:, 0], self.times.start)
        for column in tokens.unbind(1):
            self.saw(column)

    def saw(self, tokens: Tensor) -> None:
        timed = (tokens >= self.times.start) & (tokens < self.times.stop)
        latest = torch.where(timed, tokens, self.latest)
        self.latest = torch.where(self.starts[tokens], self.times.start, latest)

    def __call__(self, scores: Tensor) -> Tensor:
        ids = torch.arange(scores.shape[1], device=scores.device)
        return scores.masked_fill((ids >= self.times.start) & (ids < self.latest[:, None]), -math.inf)


class TimeBias(Rule):
    """Longer or shorter steps."""

    def __init__(self, vocabulary: Vocabulary, bias: float) -> None:
        self.times, self.bias = vocabulary.ids(TIME), bias

    def __call__(self, scores: Tensor) -> Tensor:
        scores = scores.clone()
        scores[:, self.times.start : self.times.stop] += self.bias
        return scores


class Temperature(Rule):
    """Sure of beats, less sure of columns and drums; by what stands one and three tokens back.

    mode : None looks for columns and drums in every mode, as `Sampling.legacy` wants.
    """

    def __init__(
        self, vocabulary: Vocabulary, types_first: bool, sampling: Sampling, mode: int | None, device: torch.device
    ) -> None:  # fmt: skip
        self.usual, self.first_row = sampling.temperature, sampling.legacy
        self.by_kind: list[tuple[int, Tensor, float]] = []
        if not types_first:
            return
        holds = "hold_note" in vocabulary
        notes: tuple[str, ...] = ("circle", "hold_note", "hold_note_end") if holds else ()
        kinds: list[tuple[int, tuple[str, ...], float]] = [(1, BEATS, sampling.timing_temperature)]
        if sampling.legacy or mode in (None, 3):
            kinds.append((3, notes, sampling.column_temperature))
        if sampling.legacy or mode in (None, 1):
            kinds.append((1, ("scroll_speed",), sampling.drum_temperature))
        for back, words, temperature in kinds:
            ids = [i for word in words for i in vocabulary.ids(word)]
            if ids and temperature != self.usual:
                self.by_kind.append((back, member(ids, vocabulary.size_in).to(device), temperature))
        self.recent = torch.zeros(0)

    def begin(self, tokens: Tensor) -> None:
        self.recent = torch.nn.functional.pad(tokens, (3, 0))[:, -3:]

    def saw(self, tokens: Tensor) -> None:
        self.recent = torch.cat((self.recent[:, 1:], tokens[:, None]), 1)

    def __call__(self, scores: Tensor) -> Tensor:
        if not self.by_kind:
            return scores / self.usual
        # No other than the usual temperature may divide, so that a row's scores do not depend on its neighbours.
        degrees = scores.new_full((scores.shape[0], 1), self.usual)
        recent = self.recent[:1] if self.first_row else self.recent
        for back, ids, temperature in reversed(self.by_kind):
            hit = ids[recent[:, -back]][:, None]
            degrees = torch.where(hit, degrees.new_tensor(temperature), degrees)
        return scores / degrees


class NoLookingBack(Rule):
    """What the window before has already written is not written again.

    Kinds last: times of the first part are forbidden. Kinds first: when a kind has been chosen, the chance that it would
    have come in the first part counts towards ending instead, weighed with the chance of ending in the step before.
    """

    def __init__(self, vocabulary: Vocabulary, types_first: bool, early: range, device: torch.device) -> None:
        self.early, self.types_first = early, types_first
        size = vocabulary.size_in
        self.timed = member((i for kind in TIMED for i in vocabulary.ids(kind)), size).to(device)
        self.ends = torch.tensor([END, *vocabulary.ends.values()], device=device)
        self.last = torch.zeros(0)
        self.before: Tensor | None = None

    def begin(self, tokens: Tensor) -> None:
        self.last, self.before = tokens[:, -1], None

    def saw(self, tokens: Tensor) -> None:
        self.last = tokens

    def __call__(self, scores: Tensor) -> Tensor:
        first, stop = self.early.start, self.early.stop
        if not self.types_first:
            scores = scores.clone()
            scores[:, first:stop] = -math.inf
            return scores
        before, self.before = self.before, scores
        if before is None:
            return scores
        ending = before.softmax(-1)[:, self.ends].sum(-1, keepdim=True)
        going = 1 - ending
        chances = scores.softmax(-1)
        chances[:, first:stop] = 0
        scale = 1 / (chances.sum(-1, keepdim=True) * going + ending)
        chances = chances * scale
        chances[:, first : first + 1] = ((scale - 1) * ending / going).clamp(0, 1)
        return torch.where(self.timed[self.last][:, None], chances.log(), scores)


class TopK(Rule):
    """Only the likeliest so many."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __call__(self, scores: Tensor) -> Tensor:
        least = scores.topk(min(self.count, scores.shape[1])).values[:, -1:]
        return scores.masked_fill(scores < least, -math.inf)


class TopP(Rule):
    """The likeliest that together hold a share, at least one."""

    def __init__(self, share: float) -> None:
        self.share = share

    def __call__(self, scores: Tensor) -> Tensor:
        ranked, order = scores.sort(descending=False)
        dropped = ranked.softmax(-1).cumsum(-1) <= 1 - self.share
        dropped[:, -1] = False
        return scores.masked_fill(dropped.scatter(1, order, dropped), -math.inf)


def guide(asked: Tensor, unwanted: Tensor, scale: float, legacy: bool = False) -> Tensor:
    """Scores led from the unwanted towards the asked condition; legacy: the other way round."""
    if legacy:
        return asked + scale * (unwanted - asked)
    return unwanted + scale * (asked - unwanted)


def rules_for(
    vocabulary: Vocabulary, types_first: bool, sampling: Sampling, mode: int, early: range | None, device: torch.device
) -> list[Rule]:  # fmt: skip
    """The rules of one decoding, in order; early : time shifts that the window before has covered."""
    rules: list[Rule] = [OnwardOnly(vocabulary, device)]
    if sampling.time_bias:
        rules.append(TimeBias(vocabulary, sampling.time_bias))
    if sampling.sample or sampling.legacy:
        rules.append(Temperature(vocabulary, types_first, sampling, mode, device))
    if early:
        rules.append(NoLookingBack(vocabulary, types_first, early, device))
    if sampling.sample and sampling.top_k:
        rules.append(TopK(sampling.top_k))
    if sampling.sample and sampling.top_p < 1:
        rules.append(TopP(sampling.top_p))
    return rules
