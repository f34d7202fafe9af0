"""Training by the clock: a budget of processor time, a learning rate that follows it, averaged weights, resuming."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

WARMUP = 100  # steps
AVERAGE = 0.995  # decay of the averaged weights per step
_LOG_EVERY, _SAVE_EVERY, _REPORT_EVERY = 50, 100, 300


def fit(
    net: nn.Module,
    loss: Callable[[], Tensor],
    report: Callable[[nn.Module], str],
    run: Path,
    minutes: float,
    rate: float,
    weight_decay: float = 0.03,
) -> None:
    """Minimise `loss` for `minutes` of this process's time and leave the averaged weights in `net`.

    loss : draws a batch and returns its mean loss in nats. report : judges the averaged network for the log.
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
        step, spent = kept["step"], kept["spent"]
        torch.manual_seed(step)
    start = time.process_time() - spent
    log = (run / "log.txt").open("a")
    while (spent := time.process_time() - start) < 60 * minutes:
        value = _update(net, loss, optimizer, rate * _schedule(step, spent / (60 * minutes)))
        if step >= WARMUP:
            average.update_parameters(net)
        mean += (value - mean) / min(step + 1, _LOG_EVERY)
        step += 1
        if step % _LOG_EVERY == 0:
            print(f"{step} {spent:.0f}s loss {mean / math.log(2):.3f} bits", file=log, flush=True)
        if step % _SAVE_EVERY == 0:
            state = {"net": net.state_dict(), "average": average.state_dict(), "step": step, "spent": spent}
            torch.save({**state, "optimizer": optimizer.state_dict()}, run / "state.pt")
            torch.save(average.module.state_dict(), run / "net.pt")
        if step % _REPORT_EVERY == 0:
            print(f"{step} {report(average.module)}", file=log, flush=True)
    net.load_state_dict(average.module.state_dict())
    torch.save(net.state_dict(), run / "net.pt")
    print(f"{step} {spent:.0f}s end {report(net)}", file=log, flush=True)


def _update(net: nn.Module, loss: Callable[[], Tensor], optimizer: torch.optim.Optimizer, rate: float) -> float:
    for group in optimizer.param_groups:
        group["lr"] = rate
    net.train()
    value = loss()
    optimizer.zero_grad()
    value.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    return float(value.detach())


def _schedule(step: int, share: float) -> float:
    """A linear start, then a cosine over the share of the budget that is spent."""
    return min(1.0, (step + 1) / WARMUP) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))
