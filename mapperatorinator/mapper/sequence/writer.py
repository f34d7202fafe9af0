"""One song, context after context, window after window: what is given stays, the rest is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mapperatorinator.mapper.sequence.conditions import UNKNOWN_STARS, Conditions
from mapperatorinator.mapper.sequence.engine import Prompts, generate
from mapperatorinator.mapper.sequence.model import Model
from mapperatorinator.mapper.sequence.network import Vectors
from mapperatorinator.mapper.sequence.prompts import Context, Prompter
from mapperatorinator.mapper.sequence.rules import Sampling, member, rules_for
from mapperatorinator.mapper.sequence.times import timed
from mapperatorinator.mapper.sequence.vocabulary import END, PAD, START, Mark
from mapperatorinator.mapper.sequence.windows import Edges, Windows

RANGE_MARGIN_MS = 10


@dataclass
class Writer:
    """Writes contexts of one song with one model.

    given : marks of whole contexts, by name. begun : marks of contexts that are to be continued. guest : condition
    tokens of a given guest difficulty. limit : most tokens of prompt and answer, None: the network's. parallel : the
    windows lie side by side and are written at once, `batch` at a time.
    """

    model: Model
    windows: Windows
    conditions: Conditions
    opposite: Conditions
    sampling: Sampling
    given: Mapping[str, Sequence[Mark]] = field(default_factory=dict)
    begun: Mapping[str, Sequence[Mark]] = field(default_factory=dict)
    guest: list[int] | None = None
    limit: int | None = None
    parallel: bool = False
    batch: int = 1
    generator: torch.Generator | None = None
    progress: Callable[[float], None] = lambda share: None
    heard: dict[int, Tensor] = field(default_factory=dict)

    def write(self, wanted: Sequence[str]) -> dict[str, list[Mark]]:
        """The marks of every context that is `wanted`, over the whole song.

        Contexts that the profile puts before a wanted one are written too. UserError if the model cannot.
        """
        profile = self.model.profile
        template = profile.template(frozenset(self.given), frozenset(wanted))
        last = max(template.made.index(name) for name in wanted)
        made = [self._context(name) for name in template.made[: last + 1]]
        given = [
            Context(name, list(self.given.get(name, ())), True, self.guest if name == "gd" else None)
            for name in template.given
        ]
        limit = self.limit or self.model.network.shape.target
        size_ms, song_ms = self.windows.size_ms, self.windows.length_ms
        prompter = Prompter(self.model.vocabulary, profile, template, size_ms, song_ms, limit)
        with torch.inference_mode(), self.model.arithmetic():
            if self.parallel:
                self._write_at_once(prompter, given, made)
            else:
                todo = [number for number, context in enumerate(made) if not context.done]
                for place, number in enumerate(todo):
                    for share in self._write_context(prompter, given, made, number):
                        self.progress((place + share) / len(todo))
        return {c.name: timed(c.marks, profile.types_first, song_ms) for c in made if c.name in wanted}

    def _context(self, name: str) -> Context:
        if name in self.given:
            return Context(name, list(self.given[name]), done=True)
        return Context(name, list(self.begun.get(name, ())))

    def _write_context(
        self, prompter: Prompter, given: Sequence[Context], made: Sequence[Context], current: int
    ) -> Iterator[float]:
        """Continue one context through all windows; yields the share that is done."""
        context, windows = made[current], self.windows
        vocabulary, profile = self.model.vocabulary, self.model.profile
        edges = Edges.of(vocabulary, windows)
        for i, time in enumerate(windows.times):
            early = edges.early if i and windows.lookback > 0 else range(0)
            ahead = i + 1 < len(windows.times)
            stops = [END, *early, *(edges.stopping if ahead else ())]
            if profile.markers:
                stops.append(vocabulary.ends[context.name])
            prompts = self._prompts(prompter, given, made, [time], current)
            answer = self._decode([i], prompts, stops, early, prompter.limit)[0]
            late = edges.late if ahead else range(0)
            spoken = vocabulary.read(self._trimmed(answer, early, late), time)
            known = len(context.marks)
            marks = timed([*context.marks, *spoken], profile.types_first, time + windows.size_ms, known)
            while ahead and marks and marks[-1].time > time + windows.trusted_ms:
                marks.pop()
            context.marks = marks
            yield (i + 1) / len(windows.times)
        context.done = True

    def _trimmed(self, answer: list[int], early: range, late: range) -> list[int]:
        """Without what ended it: markers, and a time that belongs to another window, with its kind."""
        ends = {PAD, END, *self.model.vocabulary.ends.values()}
        while answer and answer[-1] in ends:
            answer = answer[:-1]
        if answer and (answer[-1] in early or answer[-1] in late):
            answer = answer[: -2 if self.model.profile.types_first else -1]
        return answer

    def _prompts(
        self, prompter: Prompter, given: Sequence[Context], made: Sequence[Context], times: Sequence[int], current: int
    ) -> Prompts:  # fmt: skip
        asked = [prompter.prompt(given, made, self.conditions.tokens(), time, current) for time in times]
        if self.sampling.guidance <= 1:
            return Prompts.of(asked)
        tokens = self.opposite.tokens()
        return Prompts.of(asked, [prompter.prompt(given, made, tokens, time, current) for time in times])

    def _decode(
        self, places: Sequence[int], prompts: Prompts, stops: Sequence[int], early: range, limit: int
    ) -> list[list[int]]:
        network, vocabulary = self.model.network, self.model.vocabulary
        device, mode = network.device, self.conditions.wishes.gamemode
        rules = rules_for(vocabulary, self.model.profile.types_first, self.sampling, mode, early, device)
        stopping = member(stops, network.shape.vocab_out).to(device)
        memory = torch.cat([self.hear(i) for i in places])
        answer = generate(network, memory, prompts, rules, stopping, limit, self.sampling, self.generator)
        return answer.tolist()

    def hear(self, i: int) -> Tensor:
        """The encoder's output of a window, once for all contexts."""
        if i not in self.heard:
            network = self.model.network
            samples = torch.from_numpy(self.windows.samples[i : i + 1].copy()).to(network.device)
            with torch.autocast(network.device.type, enabled=False):
                mel = self.model.ear(samples)
            self.heard[i] = network.encode(mel, self._vectors(self.windows.times[i]))
        return self.heard[i]

    def _vectors(self, time: int) -> Vectors | None:
        shape = self.model.network.shape
        if not shape.conditions:
            return None
        device, length = self.model.network.device, self.windows.length_ms
        wishes = self.conditions.wishes
        stars = UNKNOWN_STARS if wishes.difficulty is None else wishes.difficulty
        place = [time / length, (time + self.windows.size_ms) / length]
        return Vectors(
            torch.tensor([stars], device=device), torch.tensor([self.conditions.mapper()], device=device),
            torch.tensor([place], device=device),
        )  # fmt: skip

    def _write_at_once(self, prompter: Prompter, given: Sequence[Context], made: Sequence[Context]) -> None:
        """All contexts of every window in one go, `batch` windows at a time."""
        times = self.windows.times
        # The published program leaves the first context open even where it was given whole.
        undone = [number for number, context in enumerate(made) if not context.done]
        first = 0 if self.sampling.legacy or not undone else undone[0]
        markers = self.model.profile.markers and not self.sampling.legacy
        stops = [END, self.model.vocabulary.ends[made[-1].name]] if markers else [END]
        for at in range(0, len(times), self.batch):
            some = times[at : at + self.batch]
            prompts = self._prompts(prompter, given, made, some, first)
            places = range(at, at + len(some))
            answers = self._decode(places, prompts, stops, range(0), prompter.limit)
            for time, row, answer in zip(some, prompts.asked.tolist(), answers, strict=True):
                told = row[row.index(START) + 1 :] if START in row else []
                self._take_blocks([*told, *answer], time, made)
            self.progress((at + len(some)) / len(times))

    def _take_blocks(self, tokens: list[int], time: int, made: Sequence[Context]) -> None:
        """Add to each context what stands between its markers."""
        vocabulary, windows = self.model.vocabulary, self.windows
        for context in made:
            block = tokens
            if context.done:
                continue
            if self.model.profile.markers:
                begin, end = vocabulary.starts[context.name], vocabulary.ends[context.name]
                if begin not in tokens or end not in tokens[tokens.index(begin) :]:
                    continue
                after = tokens[tokens.index(begin) + 1 :]
                block = after[: after.index(end)]
            known = len(context.marks)
            marks = [*context.marks, *vocabulary.read(block, time)]
            context.marks = timed(marks, self.model.profile.types_first, time + windows.size_ms, known)


def in_range(marks: Sequence[Mark], start: float | None, end: float | None) -> list[Mark]:
    """Marks from `start` to `end` ms, a step more on both sides."""
    low = -float("inf") if start is None else start - RANGE_MARGIN_MS
    high = float("inf") if end is None else end + RANGE_MARGIN_MS
    return [mark for mark in marks if low <= mark.time <= high]
