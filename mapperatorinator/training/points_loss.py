"""How surprised the placing network is by what a mapper did: log densities of heads, bodies and directions.

The densities are those of `mapper/grid/densities.py`, which draws from them; a test holds the two together.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mapperatorinator.mapper.grid import densities as d
from mapperatorinator.mapper.grid import spacing

_OFF = -1e9


def place_log_density(place: Tensor, turn: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """Log density per square px of the heads, shape (b, t)."""
    kind, distance_logits = place[..., : d.KINDS], place[..., d.KINDS :]
    off = batch["offsets"]
    gone = off > 1e6
    free = torch.zeros_like(off[..., :1])
    sharp, wide = (-off / (2 * s * s) - math.log(2 * math.pi * s * s) for s in (d.SHARP, d.WIDE))
    barred = torch.cat((free, gone * _OFF, gone * _OFF), -1)
    log_kind = torch.log_softmax(kind + barred, -1)
    distance = batch["distance"]
    log_step = (
        _distance_log_density(distance_logits, batch)
        + angle_log_density(turn, batch, "turn", distance)
        - torch.log(distance.clamp(min=1.0))
    )
    parts = log_kind + torch.cat((log_step[..., None], sharp, wide), -1)
    return torch.logsumexp(parts, -1)


def _distance_log_density(logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
    n, k = spacing.DISTANCES, spacing.SUGGESTED
    suggested, distance, reach = batch["suggested"], batch["distance"][..., None], batch["reach"][..., None]
    edges = torch.as_tensor(spacing.DISTANCE_EDGES, dtype=logits.dtype)
    barred = (edges[:-1] > reach).float() * _OFF
    none = ((suggested < d.LEAST) | (suggested > reach)).float() * _OFF
    weights = torch.log_softmax(torch.cat((logits[..., :n] + barred, logits[..., n : n + k] + none,
                                           logits[..., n + k : n + 2 * k] + none), -1), -1)
    inside = (distance >= edges[:-1]) & (distance < edges[1:])
    histogram = torch.where(inside, -torch.log(edges[1:] - edges[:-1]), _OFF)
    sigma = torch.exp(logits[..., n + 2 * k :].clamp(*d.LOG_SPREAD))
    away = (distance - suggested) ** 2
    sharp = -away / (2 * d.SHARP_STEP**2) - math.log(math.sqrt(2 * math.pi) * d.SHARP_STEP)
    wide = -away / (2 * sigma**2) - torch.log(math.sqrt(2 * math.pi) * sigma)
    return torch.logsumexp(weights + torch.cat((histogram, sharp, wide), -1), -1)


def angle_log_density(logits: Tensor, batch: dict[str, Tensor], name: str, radius: Tensor) -> Tensor:
    """Log density per radian of a direction; `radius` px is where a px of spread is a px."""
    n = spacing.BINS
    off, fit, fits = batch[f"{name}_off"], batch[f"{name}_fit"], batch[f"{name}_fits"]
    k = off.shape[-1]
    barred = torch.cat((~fit, ~fits), -1).float() * _OFF
    weights = torch.log_softmax(logits[..., : n + k] + barred, -1)
    spread = torch.exp(logits[..., n + k :].clamp(*d.LOG_SPREAD)) / radius[..., None].clamp(min=1.0)
    sigma = spread.clamp(*d.ANGLE_SPREAD)
    near = -(off**2) / (2 * sigma**2) - torch.log(math.sqrt(2 * math.pi) * sigma)
    in_bin = weights.gather(-1, batch[f"{name}_bin"][..., None]) - math.log(spacing.BIN)
    return torch.logsumexp(torch.cat((in_bin, weights[..., n:] + near), -1), -1)


def body_log_mass(logits: Tensor, batch: dict[str, Tensor], penalty: Tensor) -> Tensor:
    """Log probability of the sliders' bodies, arcs up to a small tolerance; `penalty` (codes,) of drawing within a bin.

    All of `batch` is already restricted to sliders.
    """
    codes = len(penalty)
    copies = batch["copies"]
    exists = (torch.arange(spacing.SLIDERS) >= spacing.SLIDERS - batch["seen"][:, None]).repeat(1, 2)
    weights = torch.log_softmax(torch.cat((logits[:, :codes], logits[:, codes:] + (~exists).float() * _OFF), -1), -1)
    fresh = weights[:, :codes].gather(1, batch["code"][:, None]) + penalty[batch["code"]][:, None]
    again = torch.where(copies, weights[:, codes:], _OFF)
    return torch.logsumexp(torch.cat((fresh, again), -1), -1)


def log_likelihoods(out: dict[str, Tensor], batch: dict[str, Tensor], penalty: Tensor) -> dict[str, Tensor]:
    """Log densities of heads (b, t), and of bodies and their directions (sliders,)."""
    chosen = {name: batch[name][batch["slider"]] for name in
              ("copies", "code", "seen", "sway_bin", "sway_off", "sway_fit", "sway_fits", "length")}
    return {
        "place": place_log_density(out["place"], out["turn"], batch),
        "body": body_log_mass(out["body"], chosen, penalty),
        "sway": angle_log_density(out["sway"], chosen, "sway", chosen["length"]),
    }
