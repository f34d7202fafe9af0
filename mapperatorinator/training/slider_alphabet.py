"""Fits the alphabet of slider shapes to human maps: quantiles of bends, and averages of similar Bezier bodies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import Slider
from mapperatorinator.beatmap.path import SliderPath
from mapperatorinator.mapper.grid.shapes import Alphabet, arc_bend, own_frame, rotate

Floats = NDArray[np.float64]

ARCS = 16
# How many templates each structure (degrees of its Bezier pieces) gets, roughly by how often it is used.
STRUCTURES = {
    (1, 1): 12, (2,): 6, (3,): 8, (1, 1, 1): 6, (2, 2): 6, (2, 1): 4, (1, 2): 4, (4,): 3, (5,): 4,
    (2, 1, 2): 2, (1, 2, 1): 2, (4, 3): 2, (3, 4): 2, (3, 3): 2,
}  # fmt: skip


def fit_alphabet(sliders: Iterable[Slider], seed: int = 0) -> Alphabet:
    """The alphabet for these sliders; the last template is a zigzag that fits where nothing else does."""
    bends: list[float] = []
    bodies: dict[tuple[int, ...], list[Floats]] = defaultdict(list)
    for slider in sliders:
        points = [(p.x, p.y) for p in slider.path.points]
        kind = slider.path.points[0].type
        if slider.length < 20:
            continue
        if kind == "P" and (bend := arc_bend(points, slider.length)) is not None:
            bends.append(abs(bend))
        elif kind == "B":
            structure = tuple(len(p) - 1 for _, p in slider.path.segments())
            if structure not in STRUCTURES or abs(slider.path.natural_length() / slider.length - 1) > 0.1:
                continue
            body = _normal_form(slider.path, points, slider.length)
            if len(body) == sum(structure) + 1:
                bodies[structure].append(body)
    edges = np.quantile(bends, np.linspace(0, 1, ARCS + 1))
    edges[0], edges[-1] = max(edges[0], 0.03), 2 * np.pi
    rng = np.random.default_rng(seed)
    templates = [
        _unit(structure, centre)
        for structure, count in STRUCTURES.items()
        if len(bodies[structure]) >= 4 * count
        for centre in _centres(np.stack(bodies[structure]), count, rng)
    ]
    return Alphabet(edges, (*templates, _zigzag()))


def _normal_form(path: SliderPath, points: list[tuple[float, float]], length: float) -> Floats:
    """Distinct control points of a unit body in its own frame, mirrored so that most of it lies at y > 0."""
    outline, heading = own_frame(path, length)
    distinct = np.array([p for i, p in enumerate(points) if i == 0 or p != points[i - 1]], float)
    unit = rotate(distinct - distinct[0], -heading) / length
    return unit * (1.0, -1.0) if outline[:, 1].sum() < 0 else unit


def _centres(bodies: Floats, count: int, rng: np.random.Generator, rounds: int = 30) -> Floats:
    """k-means over control points, (n, points, 2) -> (count, points, 2)."""
    flat = bodies.reshape(len(bodies), -1)
    centres = flat[rng.choice(len(flat), count, replace=False)]
    for _ in range(rounds):
        nearest = ((flat[:, None] - centres) ** 2).sum(axis=-1).argmin(axis=1)
        for k in range(count):
            if (nearest == k).any():
                centres[k] = flat[nearest == k].mean(axis=0)
    return centres.reshape(count, *bodies.shape[1:])


def _unit(structure: tuple[int, ...], points: Floats) -> Floats:
    """A template from distinct control points: red anchors doubled, length 1, own frame."""
    joints = set(np.cumsum(structure)[:-1].tolist())
    doubled = [p for i, p in enumerate(points) for _ in range(2 if i in joints else 1)]
    path = SliderPath.of("B", [(float(x), float(y)) for x, y in doubled])
    length = path.natural_length()
    _, heading = own_frame(path, length)
    return rotate(np.array(doubled) - doubled[0], -heading) / length


def _zigzag(pieces: int = 8) -> Floats:
    corners = np.array([(i * 0.12, (i % 2) * 1.0) for i in range(pieces + 1)])
    return _unit((1,) * pieces, corners)
