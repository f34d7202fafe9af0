"""The mixtures from which places are drawn: their fixed widths, drawing from them, and log densities.

A head lies on a target (an earlier place) or a free step away. A free step has a distance, from a histogram or
near a suggested one, and then a direction, from a histogram or near a reference. All functions work on rows: the
network's logits (n, k) in, one number per row out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import spacing
from .spacing import View

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

SHARP, WIDE = 0.7, 5.0  # px around a target
SHARP_STEP = 0.6  # px around a suggested distance: what rounding to whole pixels leaves of equality
LEAST = 2.0  # px; shorter suggestions are stacks, which are targets
LOG_SPREAD = (-0.5, 3.7)  # of the learned spreads in px
ANGLE_SPREAD = (0.008, 1.0)  # radians
KINDS = 1 + 2 * spacing.TARGETS
_D, _S, _B = spacing.DISTANCES, spacing.SUGGESTED, spacing.BINS
_OFF = -1e9
_TRIES = 8


def choose(logits: Floats, rng: np.random.Generator, temperature: float) -> Ints:
    """One index per row of `logits` (n, k), with probabilities softmax(logits / temperature)."""
    weights = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    reached = np.cumsum(weights, axis=1)
    return np.minimum((reached < rng.random((len(logits), 1)) * reached[:, -1:]).sum(axis=1), logits.shape[1] - 1)


def _log_softmax(logits: Floats) -> Floats:
    top = logits.max(axis=-1, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))


def _log_sum(parts: Floats) -> Floats:
    top = parts.max(axis=-1)
    return top + np.log(np.exp(parts - top[..., None]).sum(axis=-1))


def _normal(off: Floats, sigma: Floats | float) -> Floats:
    return -(off**2) / (2 * sigma**2) - np.log(np.sqrt(2 * np.pi) * sigma)


def _kind_logits(place: Floats, view: View) -> Floats:
    gone = np.where(view.targets[..., 0] < -1.0, _OFF, 0.0)
    return place[:, :KINDS] + np.concatenate((np.zeros((len(gone), 1)), gone, gone), axis=1)


def _distance_logits(place: Floats, view: View, scale: Floats) -> Floats:
    logits, reach = place[:, KINDS:], spacing.reach_of_field(view.here)[:, None]
    barred = np.where(spacing.DISTANCE_EDGES[:-1] * scale[:, None] > reach, _OFF, 0.0)
    none = np.where((view.distances < LEAST) | (view.distances > reach), _OFF, 0.0)
    return logits[:, : _D + 2 * _S] + np.concatenate((barred, none, none), axis=1)


def _distance_spread(place: Floats) -> Floats:
    return np.exp(np.clip(place[:, KINDS + _D + 2 * _S :], *LOG_SPREAD))


def draw_target(
    place: Floats, view: View, rng: np.random.Generator, temperature: float
) -> tuple[Floats, Bools]:
    """A target for each row, (n, 2) px, and which rows take a free step instead."""
    kind = choose(_kind_logits(place, view), rng, temperature)
    wide = kind > spacing.TARGETS
    index = np.maximum(kind - 1, 0) % spacing.TARGETS
    noise = rng.normal(0, WIDE * temperature, (len(kind), 2))
    return view.targets[np.arange(len(kind)), index] + wide[:, None] * noise, kind == 0


def draw_distance(
    place: Floats, view: View, rng: np.random.Generator, temperature: float, scale: Floats
) -> Floats:
    """The length in px of a free step, (n,)."""
    rows = np.arange(len(place))
    kind = choose(_distance_logits(place, view, scale), rng, temperature)
    bin_ = np.minimum(kind, _D - 1)
    low, high = spacing.DISTANCE_EDGES[bin_], spacing.DISTANCE_EDGES[bin_ + 1]
    fresh = (low + rng.random(len(rows)) * (high - low)) * scale
    index = np.maximum(kind - _D, 0) % _S
    spread = np.where(kind >= _D + _S, _distance_spread(place)[rows, index], 0.0)
    near = np.abs(view.distances[rows, index] + rng.normal(0, 1, len(rows)) * spread * temperature)
    return np.minimum(np.where(kind < _D, fresh, near), spacing.reach_of_field(view.here))


def draw_angle(
    logits: Floats, ahead: Floats, references: Floats, fit: Bools, fits: Bools, radius: Floats,
    rng: np.random.Generator, temperature: float,
) -> Floats:
    """Directions to try in turn for each row, (n, tries) radians, the same choice with fresh noise.

    ahead : (n,) middle of the histogram. references : (n, k). fit, fits : which bins and references are possible.
    radius : (n,) px, where a px of spread is a px.
    """
    k, rows = references.shape[1], np.arange(len(logits))
    barred = np.where(np.concatenate((fit, fits), axis=1), 0.0, _OFF)
    kind = choose(logits[:, : _B + k] + barred, rng, temperature)
    bin_ = np.minimum(kind, _B - 1)
    within = rng.random((len(rows), _TRIES))
    fresh = ahead[:, None] - np.pi + (bin_[:, None] + within) * spacing.BIN
    index = np.maximum(kind - _B, 0)
    noise = rng.normal(0, 1, (len(rows), _TRIES)) * temperature
    near = references[rows, index][:, None] + noise * _angle_spread(logits[:, _B + k :], radius)[rows, index][:, None]
    return np.where((kind < _B)[:, None], fresh, near)


def _angle_spread(logits: Floats, radius: Floats) -> Floats:
    spread = np.exp(np.clip(logits, *LOG_SPREAD)) / np.maximum(radius, 1.0)[:, None]
    return np.clip(spread, *ANGLE_SPREAD)


def head_log_density(place: Floats, view: View, head: Floats, log_turn: Floats, scale: Floats) -> Floats:
    """Log density per square px of heads (n, 2), given the log density per radian of their directions."""
    off = ((view.targets - head[:, None]) ** 2).sum(axis=-1)
    sharp, wide = (-off / (2 * s * s) - np.log(2 * np.pi * s * s) for s in (SHARP, WIDE))
    distance = np.hypot(*(head - view.here).T)
    step = _distance_log_density(place, view, distance, scale) + log_turn - np.log(np.maximum(distance, 1.0))
    return _log_sum(_log_softmax(_kind_logits(place, view)) + np.concatenate((step[:, None], sharp, wide), axis=1))


def _distance_log_density(place: Floats, view: View, distance: Floats, scale: Floats) -> Floats:
    edges = spacing.DISTANCE_EDGES * scale[:, None]
    far = distance[:, None]
    inside = (far >= edges[:, :-1]) & (far < edges[:, 1:])
    histogram = np.where(inside, -np.log(edges[:, 1:] - edges[:, :-1]), _OFF)
    off = far - view.distances
    parts = np.concatenate((histogram, _normal(off, SHARP_STEP), _normal(off, _distance_spread(place))), axis=1)
    return _log_sum(_log_softmax(_distance_logits(place, view, scale)) + parts)


def angle_log_density(
    logits: Floats, angle: Floats, ahead: Floats, references: Floats, fit: Bools, fits: Bools, radius: Floats
) -> Floats:
    """Log density per radian of directions (n,); arguments as of `draw_angle`."""
    k, rows = references.shape[1], np.arange(len(logits))
    bin_ = np.minimum(((spacing.wrap(angle - ahead) + np.pi) / spacing.BIN).astype(int), _B - 1)
    fit = fit.copy()
    fit[rows, bin_] = True
    barred = np.where(np.concatenate((fit, fits), axis=1), 0.0, _OFF)
    weights = _log_softmax(logits[:, : _B + k] + barred)
    near = _normal(spacing.wrap(angle[:, None] - references), _angle_spread(logits[:, _B + k :], radius))
    in_bin = weights[rows, bin_] - np.log(spacing.BIN)
    return _log_sum(np.concatenate((in_bin[:, None], weights[:, _B:] + near), axis=1))


def likeliest_heads(place: Floats, view: View) -> list[tuple[str, float]]:
    """In words where each head was likeliest, a target or a distance, and how likely that was, 0..1."""
    kinds = np.exp(_log_softmax(_kind_logits(place, view)))
    targets = kinds[:, 1 : 1 + spacing.TARGETS] + kinds[:, 1 + spacing.TARGETS :]
    distances = np.exp(_log_softmax(_distance_logits(place, view, np.ones(len(place)))))
    near = distances[:, _D : _D + _S] + distances[:, _D + _S :]
    found = []
    for i, free in enumerate(kinds[:, 0]):
        target, step, like = int(targets[i].argmax()), int(distances[i, :_D].argmax()), int(near[i].argmax())
        if targets[i, target] >= free * max(distances[i, step], near[i, like]):
            x, y = view.targets[i, target]
            found.append((f"the place {x:.0f},{y:.0f}", float(targets[i, target])))
        elif near[i, like] >= distances[i, step]:
            found.append((f"a step of {view.distances[i, like]:.0f} px", float(free * near[i, like])))
        else:
            low, high = spacing.DISTANCE_EDGES[step], spacing.DISTANCE_EDGES[step + 1]
            found.append((f"a step of {low:.0f} to {high:.0f} px", float(free * distances[i, step])))
    return found
