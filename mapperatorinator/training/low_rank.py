"""Low-rank changes of linear layers (LoRA, Hu et al. 2021), and learning them by the clock."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mapperatorinator.training.clockwork import schedule, update

_WARMUP = 20  # steps
# At which shares of the time the held-out maps are looked at: a few maps are soon known by heart. After so many looks
# that were no better than the best, the rest of the time is saved.
_LOOKS, _PATIENCE = (0.03, 0.07, 0.15, 0.3, 0.5, 0.75, 1.0), 3


@dataclass(frozen=True)
class Options:
    """How to fine-tune.

    rank : of the changes. alpha : they are scaled by alpha / rank. dropout : share of a changed layer's inputs that
    its change does not see. targets : pattern of the names of the linear layers to change, "" for all. minutes :
    for all networks together; of the clock, or of this process's own time where others keep the computer busy.
    rate : learning rate.
    """

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.05
    targets: str = ""
    minutes: float = 12.0
    rate: float = 1e-3
    seed: int = 0


class LowRank(nn.Module):
    """A frozen linear layer plus alpha / rank * B A; B is zero at first, so that nothing changes."""

    def __init__(self, base: nn.Linear, options: Options) -> None:
        super().__init__()
        self.base, self.scale = base, options.alpha / options.rank
        self.dropout = nn.Dropout(options.dropout)
        self.low = nn.Parameter(torch.randn(options.rank, base.in_features) / base.in_features**0.5)
        self.high = nn.Parameter(torch.zeros(base.out_features, options.rank))

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in) to (..., out)."""
        return self.base(x) + self.scale * F.linear(F.linear(self.dropout(x), self.low), self.high)


def attach(net: nn.Module, options: Options) -> dict[str, LowRank]:
    """Freeze a network and put a change on every linear layer that `options.targets` matches; by the layer's name."""
    net.requires_grad_(False)
    changes = {}
    for name, layer in list(net.named_modules()):
        if isinstance(layer, nn.Linear) and re.search(options.targets, name):
            parent, _, child = name.rpartition(".")
            changes[name] = LowRank(layer, options)
            setattr(net.get_submodule(parent), child, changes[name])
    return changes


def learn(
    net: nn.Module,
    loss: Callable[[], Tensor],
    judge: Callable[[], float] | None,
    options: Options,
    minutes: float,
    tell: Callable[[str], None],
) -> int:
    """Minimise `loss` over what of `net` is not frozen for `minutes` of the clock; returns the number of steps.

    judge : the loss on held-out maps; what was best on them is kept, without it the last. tell : is told how it goes.
    """
    learned = [value for value in net.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=options.rate, betas=(0.9, 0.98), weight_decay=0.01)
    clocks = time.monotonic, time.process_time
    start, step, looks, worse, share, mean = [clock() for clock in clocks], 0, 0, 0, 0.0, 0.0
    best, kept = judge() if judge else float("inf"), [value.detach().clone() for value in learned]
    while share < 1.0 and worse < _PATIENCE:
        value = update(net, loss, optimizer, options.rate * schedule(step, share, _WARMUP))
        step += 1
        mean += (value - mean) / min(step, 20)
        spent = min(clock() - begun for clock, begun in zip(clocks, start, strict=True))
        share = spent / max(60 * minutes, 1e-9)
        if share < _LOOKS[looks]:
            continue
        looks = sum(share >= look for look in _LOOKS)
        now = judge() if judge else -looks
        worse += 1
        tell(f"{min(share, 1):4.0%}, {step} steps, loss {mean:.3f}" + (f", held out {now:.3f}" if judge else ""))
        if now < best:
            worse, best, kept = 0, now, [value.detach().clone() for value in learned]
    with torch.no_grad():
        for parameter, good in zip(learned, kept, strict=True):
            parameter.copy_(good)
    return step
