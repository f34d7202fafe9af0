"""Optimisers and learning rate schedules of the published recipes, with their slips mended.

Muon keeps the direction of a matrix' update and makes its singular values alike (K. Jordan, 2024); whatever is no
hidden matrix learns by AdamW, at a rate of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from mapperatorinator.errors import UserError
from mapperatorinator.training.recipe import OptimOptions

NEWTON_SCHULZ = 3.4445, -4.7750, 2.0315
NEWTON_SCHULZ_STEPS = 6
MOST_ROWS = 10_000  # a larger table is an embedding
LEAST_SCALE = 1e-3  # of AdamW's scaled steps
WARM_UP_FROM = 0.5


def share_of_rate(step: int, optim: OptimOptions) -> float:
    """The learning rate of a step as a share of the base rate: warm-up, plateau, then cosine or linear to the end."""
    if step < optim.warmup_steps:
        return WARM_UP_FROM + (1 - WARM_UP_FROM) * step / optim.warmup_steps
    begun = optim.warmup_steps + optim.sustain_steps
    if step < begun or optim.lr_scheduler == "constant":
        return 1.0
    done = min((step - begun) / max(optim.total_steps - begun, 1), 1.0)
    last = optim.final_cosine / optim.base_lr
    if optim.lr_scheduler == "linear":
        return 1 + done * (last - 1)
    return last + (1 - last) * 0.5 * (1 + math.cos(math.pi * done))


def orthogonal(update: Tensor) -> Tensor:
    """A matrix (rows, columns) with its singular values moved to about 1, by Newton-Schulz steps.

    On a GPU in bfloat16, which is enough; elsewhere in float32, which is faster there.
    """
    x = update.bfloat16() if update.is_cuda else update.float()
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    a, b, c = NEWTON_SCHULZ
    for _ in range(NEWTON_SCHULZ_STEPS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return (x.T if tall else x).to(update.dtype)


class Muon(torch.optim.Optimizer):
    """Muon for the groups marked `muon`, AdamW for the others; `scaled` steps grow with the size of the weights."""

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        usual = {"lr": 1e-3, "weight_decay": 0.0, "muon": False, "momentum": 0.95, "betas": (0.9, 0.95), "scaled": False}
        super().__init__(groups, usual)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Change the weights by their gradients."""
        for group in self.param_groups:
            for value in group["params"]:
                if value.grad is None:
                    continue
                change = (self._muon if group["muon"] else self._adam)(value, value.grad, group)
                rate = group["lr"]
                if group["scaled"]:
                    change = change * value.square().mean().sqrt().clamp(min=LEAST_SCALE)
                value.mul_(1 - rate * group["weight_decay"]).add_(change, alpha=-rate)

    def _muon(self, value: Tensor, grad: Tensor, group: dict[str, Any]) -> Tensor:
        momentum = self.state[value].setdefault("momentum", torch.zeros_like(value))
        momentum.lerp_(grad, 1 - group["momentum"])
        ahead = grad.lerp(momentum, group["momentum"]).flatten(1)
        scale = max(1.0, ahead.shape[0] / ahead.shape[1]) ** 0.5
        return (scale * orthogonal(ahead)).view_as(value)

    def _adam(self, value: Tensor, grad: Tensor, group: dict[str, Any]) -> Tensor:
        state = self.state[value]
        if not state:
            state |= {"step": 0, "mean": torch.zeros_like(value), "square": torch.zeros_like(value)}
        state["step"] += 1
        first, second = group["betas"]
        state["mean"].lerp_(grad, 1 - first)
        state["square"].lerp_(grad.square(), 1 - second)
        mean = state["mean"] / (1 - first ** state["step"])
        return mean / ((state["square"] / (1 - second ** state["step"])).sqrt() + 1e-8)


def is_hidden_matrix(name: str, value: Tensor) -> bool:
    """Whether Muon may change it: no vector, no embedding, not what makes the logits."""
    return value.ndim > 1 and "embed" not in name and "proj_out" not in name and len(value) < MOST_ROWS


def optimiser_of(network: nn.Module, optim: OptimOptions) -> torch.optim.Optimizer:
    """The recipe's optimiser over what of a network learns; each group knows its base rate as `base`.

    UserError for a name that is none.
    """
    learned = [(name, value) for name, value in network.named_parameters() if value.requires_grad]
    if optim.name == "muon":
        hidden = [value for name, value in learned if is_hidden_matrix(name, value)]
        rest = [value for name, value in learned if not is_hidden_matrix(name, value)]
        groups: list[dict[str, Any]] = [
            {"params": hidden, "muon": True, "base": optim.base_lr},
            {"params": rest, "base": optim.base_lr_2},
        ]
    elif optim.name in ("adamw", "adamwscale"):
        scaled = optim.name == "adamwscale"
        groups = [
            {"params": [v for _, v in learned], "base": optim.base_lr, "betas": (0.9, 0.999), "scaled": scaled}
        ]
    elif optim.name == "adafactor":
        made = torch.optim.Adafactor([v for _, v in learned], lr=optim.base_lr, weight_decay=optim.weight_decay)
        made.param_groups[0]["base"] = optim.base_lr
        return made
    else:
        raise UserError(f"There is no optimiser {optim.name!r}; there are adamw, adamwscale, adafactor and muon.")
    return Muon([group | {"weight_decay": optim.weight_decay} for group in groups if group["params"]])


def set_rate(optimiser: torch.optim.Optimizer, step: int, optim: OptimOptions) -> float:
    """Set every group's learning rate for a step; returns the first group's."""
    share = share_of_rate(step, optim)
    for group in optimiser.param_groups:
        group["lr"] = group["base"] * share
    return float(optimiser.param_groups[0]["lr"])
