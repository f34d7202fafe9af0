"""How surprising a given map is to a published model: every token against what it would have written there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mapperatorinator.mapper import Surprisal
from mapperatorinator.mapper.sequence.prompts import Context, Prompter
from mapperatorinator.mapper.sequence.vocabulary import ANCHORS, DISTANCE, GROUPS, SNAP, TIME, Mark
from mapperatorinator.mapper.sequence.windows import within
from mapperatorinator.mapper.sequence.writer import Writer

_TINY = 1e-10
# What a mark is about in the house's words; of the rest, groups are kinds and other marks go by their own names.
_ASPECTS = {
    TIME: "time", SNAP: "snap", "new_combo": "combo", "hitsound": "sound", "scroll_speed": "velocity", "column": "columns",
    **dict.fromkeys((DISTANCE, "pos", "pos_refine", "pos_x", "pos_y"), "place"),
    **dict.fromkeys((*ANCHORS, "last_anchor", "slider_sustain", "slider_repeat_sustain"), "shape"),
}  # fmt: skip


@dataclass(frozen=True)
class Scored:
    """One mark of a map: its place in its context, its chance in bits, the entropy there, and what was likelier.

    expected : None where the model expected something that is no event (an end, a marker). likelihood : of that.
    """

    context: str
    place: int
    mark: Mark
    bits: float
    entropy: float
    expected: Mark | None
    likelihood: float

    @property
    def relative(self) -> float:
        """Bits by entropy: how surprising, where 1 is as surprising as could be expected."""
        return self.bits / self.entropy if self.entropy else 0.0


def score(writer: Writer) -> Iterator[Scored]:
    """Yield every mark of the writer's given contexts once, scored in the middle of a window."""
    model, windows = writer.model, writer.windows
    template = model.profile.template(frozenset(writer.given), frozenset())
    limit = writer.limit or model.network.shape.target
    prompter = Prompter(model.vocabulary, model.profile, template, windows.size_ms, windows.length_ms, limit)
    given = [Context(name, list(writer.given.get(name, ())), True) for name in template.given]
    made = [Context(name, list(writer.given[name]), True) for name in template.made if name in writer.given]
    conditions = writer.conditions.tokens()
    last = len(windows.times) - 1
    for i, time in enumerate(windows.times):
        prompts = [prompter.prompt(given, made, conditions, time, number) for number in range(len(made))]
        logits = _logits(writer, i, prompts[-1])
        low = time + windows.lookback_ms if i else float(time)
        high = time + (windows.trusted_ms if i < last else windows.size_ms)
        for context, prompt in zip(made, prompts, strict=True):
            first, stop = within(context.marks, time, time + windows.size_ms)
            for place in range(*within(context.marks, low, high)):
                at = len(prompt) - (stop - place)
                if place >= first and at > 0:
                    yield _scored(writer, context, place, logits[at - 1], prompts[-1][at], time)


def _logits(writer: Writer, i: int, prompt: Sequence[int]) -> Tensor:
    network = writer.model.network
    with torch.inference_mode(), writer.model.arithmetic():
        tokens = torch.tensor([list(prompt)], device=network.device)
        return network.decode(tokens, network.listen(writer.hear(i), len(prompt)))[0].float().cpu()


def _scored(writer: Writer, context: Context, place: int, logits: Tensor, token: int, origin: int) -> Scored:
    chances = logits.softmax(-1)
    entropy = float(-(chances * (chances + _TINY).log2()).sum())
    bits = float(-(chances[token] + _TINY).log2()) if token < len(chances) else 0.0
    best = int(logits.argmax())
    expected = writer.model.vocabulary.read([best], origin)
    return Scored(
        context.name, place, context.marks[place], bits, entropy, expected[0] if expected else None,
        float(chances[best]),
    )  # fmt: skip


def surprisals(writer: Writer) -> Iterator[Surprisal]:
    """The scores of the writer's map in the house's words, in order of time."""
    found = [scored for scored in score(writer) if scored.context in ("map", "sv", "kiai")]
    for scored in sorted(found, key=lambda one: (one.mark.time, one.place)):
        mark, expected = scored.mark, scored.expected
        aspect = _ASPECTS.get(mark.kind, "kind" if mark.kind in GROUPS else mark.kind)
        yield Surprisal(
            float(mark.time), aspect, scored.bits, _name(mark), "nothing" if expected is None else _name(expected),
            scored.likelihood,
        )  # fmt: skip


def _name(mark: Mark) -> str:
    word = mark.kind.replace("_", " ")
    return word if mark.kind in GROUPS and mark.kind != "kiai" else f"{word} {mark.value}"
