"""The decode loop: one step per token over a batch, on the network's device, until every row has stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mapperatorinator.mapper.sequence.network import Network
from mapperatorinator.mapper.sequence.rules import Rule, Sampling, guide
from mapperatorinator.mapper.sequence.vocabulary import PAD

_LOOK_EVERY = 16  # steps between looks whether all rows have stopped, where looking waits for the device


@dataclass(frozen=True)
class Prompts:
    """Token ids of a batch, left-padded; unwanted : the same for guidance, None without."""

    asked: Tensor
    unwanted: Tensor | None = None

    @classmethod
    def of(cls, asked: Sequence[Sequence[int]], unwanted: Sequence[Sequence[int]] | None = None) -> Prompts:
        """Pad lists of ids to one length."""
        width = max(len(row) for rows in (asked, unwanted or ()) for row in rows)

        def padded(rows: Sequence[Sequence[int]]) -> Tensor:
            return torch.tensor([[PAD] * (width - len(row)) + list(row) for row in rows])

        return cls(padded(asked), None if unwanted is None else padded(unwanted))


@torch.inference_mode()
def generate(
    network: Network, memory: Tensor, prompts: Prompts, rules: Sequence[Rule], stops: Tensor, limit: int,
    sampling: Sampling, generator: torch.Generator | None = None,
) -> Tensor:  # fmt: skip
    """The tokens (B, n) that follow the prompts; a row that has stopped goes on with padding.

    memory : the encoder's output (B, T, width). stops : (vocabulary,) bool, True at ids that end a row. limit : most
    tokens of prompt and answer together. generator : where chance comes from.
    """
    if sampling.beams > 1:
        return _beams(network, memory, prompts, rules, stops, limit, sampling)
    device = network.device
    asked = prompts.asked.to(device)
    guided = prompts.unwanted is not None
    real: Tensor | None
    tokens, real = _together(prompts, sampling.legacy, device)
    cache = network.listen(memory.repeat(2, 1, 1) if guided else memory, limit)
    rows, room = asked.shape[0], limit - asked.shape[1]
    answer = torch.full((rows, room), PAD, device=device)
    open_rows = torch.ones(rows, dtype=torch.bool, device=device)
    length = torch.zeros((), dtype=torch.long, device=device)
    for rule in rules:
        rule.begin(asked)
    for steps in range(1, room + 1):
        scores = network.decode(tokens, cache, real, last=True)[:, 0].float()
        real = None
        if guided:
            asked_for, unwanted = scores.chunk(2)
            scores = guide(asked_for, unwanted, sampling.guidance, sampling.legacy)
        for rule in rules:
            scores = rule(scores)
        chosen = _choose(scores, sampling, generator)
        chosen = torch.where(open_rows, chosen, PAD)
        answer[:, steps - 1] = chosen
        length += open_rows.any()
        open_rows = open_rows & ~stops[chosen]
        if (device.type == "cpu" or steps % _LOOK_EVERY == 0) and not open_rows.any():
            break
        for rule in rules:
            rule.saw(chosen)
        tokens = chosen[:, None].repeat(2 if guided else 1, 1)
    return answer[:, : int(length)]


def _together(prompts: Prompts, legacy: bool, device: torch.device) -> tuple[Tensor, Tensor]:
    """Prompts as one batch and where they are real; the published program shares the asked ones' padding."""
    asked = prompts.asked.to(device)
    if prompts.unwanted is None:
        return asked, asked != PAD
    unwanted = prompts.unwanted.to(device)
    real = (asked != PAD, asked != PAD if legacy else unwanted != PAD)
    return torch.cat((asked, unwanted)), torch.cat(real)


def _choose(scores: Tensor, sampling: Sampling, generator: torch.Generator | None) -> Tensor:
    if not sampling.sample:
        return scores.argmax(-1)
    return torch.multinomial(scores.softmax(-1).to(_home(generator)), 1, generator=generator)[:, 0].to(scores.device)


def _home(generator: torch.Generator | None) -> torch.device:
    return torch.device("cpu") if generator is None else generator.device


def _beams(
    network: Network, memory: Tensor, prompts: Prompts, rules: Sequence[Rule], stops: Tensor, limit: int,
    sampling: Sampling,
) -> Tensor:  # fmt: skip
    """The likeliest sequences by the mean of their log chances, each row on its own."""
    found = [
        _beam(network, memory[i : i + 1], prompts.asked[i : i + 1], rules, stops, limit, sampling.beams)
        for i in range(len(prompts.asked))
    ]
    return torch.nn.utils.rnn.pad_sequence(found, batch_first=True, padding_value=PAD)


def _beam(
    network: Network, memory: Tensor, prompt: Tensor, rules: Sequence[Rule], stops: Tensor, limit: int, beams: int
) -> Tensor:  # fmt: skip
    prompt = prompt[:, int((prompt[0] == PAD).sum()) :].to(network.device)
    cache = network.listen(memory.repeat(beams, 1, 1), limit)
    history = prompt.repeat(beams, 1)
    sums = torch.full((beams,), -1e9, device=network.device)
    sums[0] = 0  # all beams are the same at first
    tokens, start = history, prompt.shape[1]
    best, best_mean = history[0, :0], -torch.inf
    for count in range(1, limit - start + 1):
        scores = network.decode(tokens, cache, last=True)[:, 0].float()
        for rule in rules:
            rule.begin(history)
            scores = rule(scores)
        totals = (scores.log_softmax(-1) + sums[:, None]).flatten()
        sums, places = totals.topk(2 * beams)
        rows, chosen = places // scores.shape[1], places % scores.shape[1]
        ended = stops[chosen]
        for row, token, total in zip(rows[ended], chosen[ended], sums[ended] / count, strict=True):
            if total > best_mean:
                best, best_mean = torch.cat((history[row, start:], token[None])), float(total)
        rows, chosen, sums = (part[~ended][:beams] for part in (rows, chosen, sums))
        if len(rows) < beams or float(sums[0]) / count < best_mean:
            break
        cache.reorder(rows)
        history = torch.cat((history[rows], chosen[:, None]), 1)
        tokens = chosen[:, None]
    return best if best_mean > -torch.inf else history[0, start:]
