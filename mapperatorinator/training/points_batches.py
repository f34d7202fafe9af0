"""Crops of placed maps as arrays: what the placing network sees before each object, and what the mapper did."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.mapper.grid import spacing
from mapperatorinator.mapper.grid.judge import memories
from mapperatorinator.mapper.grid.rhythm_features import beats_of, describe
from mapperatorinator.mapper.grid.shapes import SAME, Alphabet
from mapperatorinator.training.points_data import PlacedMap

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray]

LEAD = 24  # objects before a crop that its first objects remember


def cut(placed: PlacedMap, start: int, stop: int) -> PlacedMap:
    """A stretch of a map."""
    part = slice(start, stop)
    return replace(
        placed,
        rhythm=placed.rhythm.slice(start, stop),
        **{name: getattr(placed, name)[part] for name in ("head", "tail", "heading", "code", "bend", "outline")},
    )


def flipped(placed: PlacedMap, alphabet: Alphabet, x: bool, y: bool) -> PlacedMap:
    """The map mirrored left to right and/or top to bottom."""
    sign = np.array([-1.0 if x else 1.0, -1.0 if y else 1.0])
    offset = spacing.FIELD * (1 - sign) / 2
    heading = placed.heading
    if x:
        heading = np.pi - heading
    if y:
        heading = -heading
    changed = replace(
        placed, head=placed.head * sign + offset, tail=placed.tail * sign + offset, heading=spacing.wrap(heading)
    )
    if x != y:
        changed.code = alphabet.mirror_table()[placed.code]
        changed.bend = -placed.bend
        changed.outline = placed.outline * (1.0, -1.0)
    return changed


def faster(placed: PlacedMap, factor: float) -> PlacedMap:
    """The map played `factor` times as fast, in the same places."""
    rhythm = placed.rhythm
    times = {name: getattr(rhythm, name) / factor for name in ("time", "end", "beat")}
    return replace(placed, rhythm=replace(rhythm, **times))


def memory_of(placed: PlacedMap, start: int) -> spacing.Memory:
    """What each object from `start` on remembers, one row per object."""
    return memories(placed.rhythm, placed.head, placed.tail, placed.heading, placed.outline, start)


def _copies(placed: PlacedMap, start: int) -> NDArray[np.bool_]:
    """Whether each body repeats one of the last sliders' or its mirror image, shape (n, 2 * SLIDERS)."""
    n = len(placed.head) - start
    bodies = np.flatnonzero(placed.rhythm.kind == 1)
    seen = np.searchsorted(bodies, np.arange(start, start + n))[:, None] - np.arange(spacing.SLIDERS, 0, -1)
    if not len(bodies):
        return np.zeros((n, 2 * spacing.SLIDERS), bool)
    earlier = placed.outline[bodies[np.maximum(seen, 0)]]
    now = placed.outline[start:, None]
    same = np.abs(earlier - now).max(axis=(2, 3)) < SAME
    mirrored = np.abs(earlier * (1.0, -1.0) - now).max(axis=(2, 3)) < SAME
    return np.concatenate((same & (seen >= 0), mirrored & (seen >= 0)), axis=1)


def examples(placed: PlacedMap, alphabet: Alphabet, start: int) -> Arrays:
    """Inputs and truths for the objects from `start` on; what comes before is only remembered."""
    rhythm, memory = placed.rhythm, memory_of(placed, start)
    head = np.clip(placed.head[start:], 0, spacing.FIELD)
    n = len(head)
    scale = np.ones(n)
    view = spacing.look(memory, rhythm.time[start:], scale)
    told = np.broadcast_to(placed.told, (n, len(placed.told)))
    known = memory.lengths > 0
    arrays: Arrays = {
        "x": np.concatenate((describe(rhythm)[start:], view.features, told), axis=1),
        "beats": beats_of(rhythm)[start:],
        "mapper": np.full(n, placed.mapper),
        "placed": rhythm.kind[start:] != 2,
        "offsets": ((view.targets - head[:, None]) ** 2).sum(axis=-1),
        "suggested": view.distances,
        "reach": spacing.reach_of_field(view.here),
    }
    step = head - view.here
    distance = np.hypot(step[:, 0], step[:, 1])
    angle = np.where(distance > 0.5, np.arctan2(step[:, 1], step[:, 0]), view.ahead)
    arrays["distance"] = distance
    arrays["step"] = spacing.step_features(view, distance, scale)
    references = spacing.turn_references(view, memory.headings, known)
    bins = spacing.directions(view.ahead)
    arrays |= _angles("turn", angle, view.ahead, references,
                      spacing.steps_fit(view.here, bins, distance),
                      spacing.steps_fit(view.here, references, distance))
    features, before = spacing.head_features(view, head, scale)
    arrays["head"] = features
    slider = rhythm.kind[start:] == 1
    arrays["slider"], arrays["length"] = slider, rhythm.length[start:]
    arrays["code"], arrays["copies"] = placed.code[start:], _copies(placed, start)
    arrays["seen"] = known.sum(axis=1)
    outline = placed.outline[start:]
    arrays["outline"] = outline[:, 1::2].reshape(n, -1)
    references = spacing.sway_references(before, memory.headings, known)
    bins = spacing.directions(before)
    fit, fits = np.zeros((n, spacing.BINS), bool), np.zeros((n, spacing.SWAYS), bool)
    if slider.any():
        some = (head[slider], arrays["length"][slider], outline[slider])
        fit[slider] = spacing.bodies_fit(some[0], bins[slider], some[1], some[2])
        fits[slider] = spacing.bodies_fit(some[0], references[slider], some[1], some[2])
    arrays |= _angles("sway", placed.heading[start:], before, references, fit, fits)
    return arrays


def _angles(
    name: str, angle: Floats, ahead: Floats, references: Floats, fit: NDArray[np.bool_], fits: NDArray[np.bool_]
) -> Arrays:
    """A direction's bin, which bins were possible, and how far each reference was off."""
    relative = spacing.wrap(angle - ahead) + np.pi
    bin_ = np.minimum((relative / spacing.BIN).astype(int), spacing.BINS - 1)
    fit[np.arange(len(fit)), bin_] = True
    return {
        f"{name}_bin": bin_,
        f"{name}_fit": fit,
        f"{name}_off": spacing.wrap(angle[:, None] - references),
        f"{name}_fits": fits,
    }

