"""Training by the clock: a budget of processor time, a learning rate that follows it, averaged weights, resuming.

With a number of steps as the budget, a run that was stopped goes on to the same numbers as one that was not.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

WARMUP = 100  # steps
AVERAGE = 0.995  # decay of the averaged weights per step
_LOG_EVERY, _SAVE_EVERY, _REPORT_EVERY = 50, 100, 300


def fit(
    net: nn.Module,
    loss: Callable[[int], Tensor],
    report: Callable[[nn.Module], str],
    run: Path,
    minutes: float,
    rate: float,
    weight_decay: float = 0.03,
    steps: int | None = None,
) -> None:
    """Minimise `loss` for `minutes` of this process's time, or for `steps`, and leave the averaged weights in `net`.

    loss : draws the batch of a step and returns its mean loss in nats; the same step should draw the same.
    report : judges the averaged network for the log.
    run : folder of ``log.txt``, ``net.pt`` (averaged weights) and ``state.pt`` (all that resuming needs).
    """
    run.mkdir(parents=True, exist_ok=True)
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE))
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=weight_decay)
    step, spent, mean = 0, 0.0, 0.0
    if (run / "state.pt").exists():
        kept = torch.load(run / "state.pt", weights_only=True)
        net.load_state_dict(kept["net"])
        average.load_state_dict(kept["average"])
        optimizer.load_state_dict(kept["optimizer"])
        step, spent, mean = kept["step"], kept["spent"], kept.get("mean", 0.0)
    start = time.process_time() - spent
    log = (run / "log.txt").open("a")
    while (done := step / steps if steps else spent / (60 * minutes)) < 1:
        torch.manual_seed(step)
        value = update(net, partial(loss, step), optimizer, rate * schedule(step, done))
        if step >= WARMUP:
            average.update_parameters(net)
        mean += (value - mean) / min(step + 1, _LOG_EVERY)
        step += 1
        spent = time.process_time() - start
        if step % _LOG_EVERY == 0:
            print(f"{step} {spent:.0f}s loss {mean / math.log(2):.3f} bits", file=log, flush=True)
        if step % _SAVE_EVERY == 0:
            state = {"net": net.state_dict(), "average": average.state_dict(), "step": step, "spent": spent}
            torch.save({**state, "mean": mean, "optimizer": optimizer.state_dict()}, run / "state.new")
            os.replace(run / "state.new", run / "state.pt")  # a run may be stopped while it writes
            torch.save(average.module.state_dict(), run / "net.pt")
        if step % _REPORT_EVERY == 0:
            print(f"{step} {report(average.module)}", file=log, flush=True)
    net.load_state_dict(average.module.state_dict())
    torch.save(net.state_dict(), run / "net.pt")
    print(f"{step} {spent:.0f}s end {report(net)}", file=log, flush=True)


def update(net: nn.Module, loss: Callable[[], Tensor], optimizer: torch.optim.Optimizer, rate: float) -> float:
    """Take one step at a learning rate; returns the loss of its batch."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    net.train()
    value = loss()
    optimizer.zero_grad()
    value.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    return float(value.detach())


def schedule(step: int, share: float, warmup: int = WARMUP) -> float:
    """A linear start, then a cosine over the share of the budget that is spent."""
    return min(1.0, (step + 1) / warmup) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))
