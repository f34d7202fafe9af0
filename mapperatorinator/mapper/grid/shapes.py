"""Slider shapes: a small alphabet of bodies, drawn at any length, direction and place.

A shape is a *code* (line, arc bent one of many ways, Bezier template, each arc and template also mirrored) and,
for arcs, an exact *bend*. In its own frame a body has length 1, its head at the origin, and its *heading*, the
chord from the head to the point a quarter of the way along, on the x axis. A positive code curves towards +y.
The alphabet (bend edges, templates) is data of the model: it is fitted on human maps and kept in its card.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap.path import SliderPath

Floats = NDArray[np.float64]

OUTLINE = np.arange(1, 9) / 8  # where along the body `outline` looks
SAME = 0.02  # largest deviation, in slider lengths, of bodies that count as the same
SAME_BEND = 0.04  # radians within which two arcs count as the same


class Shape(NamedTuple):
    """One body: `code` in the alphabet, `bend` the whole turn of an arc in radians (signed; 0 for the others)."""

    code: int
    bend: float = 0.0


@dataclass(frozen=True)
class Alphabet:
    """All codes: 0 a line, then arcs by bend, arcs mirrored, templates, templates mirrored.

    edges : absolute bends in radians between arc bins, shape (arcs + 1,), increasing.
    templates : control points of unit bodies in their own frame; a repeated point is a red anchor.
    """

    edges: Floats
    templates: tuple[Floats, ...]

    @classmethod
    def from_card(cls, card: dict[str, Any]) -> Alphabet:
        """Read the alphabet from a model card."""
        return cls(np.array(card["bend_edges"]), tuple(np.array(t, dtype=np.float64) for t in card["templates"]))

    def to_card(self) -> dict[str, Any]:
        """The alphabet as plain JSON."""
        return {
            "bend_edges": [round(float(e), 5) for e in self.edges],
            "templates": [[[round(float(v), 5) for v in p] for p in t] for t in self.templates],
        }

    @property
    def arcs(self) -> int:
        """Number of arc bins of one sign."""
        return len(self.edges) - 1

    def __len__(self) -> int:
        return 1 + 2 * self.arcs + 2 * len(self.templates)

    def is_arc(self, code: int) -> bool:
        """Whether `code` is an arc, which needs a bend."""
        return 1 <= code <= 2 * self.arcs

    def mirrored(self, shape: Shape) -> Shape:
        """The same body reflected about its heading."""
        return Shape(int(self.mirror_table()[shape.code]), -shape.bend)

    def mirror_table(self) -> NDArray[np.int64]:
        """For each code the code of its mirror image."""
        arcs, templates = self.arcs, len(self.templates)
        first = 1 + 2 * arcs
        a, t = np.arange(arcs), np.arange(templates)
        return np.concatenate(([0], 1 + arcs + a, 1 + a, first + templates + t, first + t))

    def arc_code(self, bend: float) -> int:
        """The code of an arc that turns by `bend`; 0 if it is too straight to be one."""
        if abs(bend) < self.edges[0]:
            return 0
        bin_ = min(int(np.searchsorted(self.edges, abs(bend), side="right")) - 1, self.arcs - 1)
        return 1 + bin_ + (0 if bend > 0 else self.arcs)

    def bend_range(self, code: int) -> tuple[float, float]:
        """Least and largest signed bend of an arc code, in order of size."""
        bin_ = (code - 1) % self.arcs
        low, high = float(self.edges[bin_]), float(self.edges[bin_ + 1])
        return (low, high) if code <= self.arcs else (-high, -low)

    def share_of_bin(self, code: int) -> float:
        """The share of an arc code's range that counts as one bend; 1 for other codes."""
        if not self.is_arc(code):
            return 1.0
        low, high = self.bend_range(code)
        return min(1.0, SAME_BEND / (high - low))

    def same(self, one: Shape, other: Shape) -> bool:
        """Whether two bodies look the same."""
        return bool(np.abs(self.outline(one) - self.outline(other)).max() < SAME)

    def middle_bend(self, code: int) -> float:
        """The bend in the middle of an arc code's range, 0 for other codes."""
        return sum(self.bend_range(code)) / 2 if self.is_arc(code) else 0.0

    def outline(self, shape: Shape) -> Floats:
        """Points at `OUTLINE` along the body in its own frame, shape (8, 2)."""
        if shape.code == 0:
            return np.column_stack((OUTLINE, np.zeros_like(OUTLINE)))
        if self.is_arc(shape.code):
            return arc_points(shape.bend, OUTLINE)
        return SliderPath.of("B", self._template(shape.code).tolist()).at_distances(OUTLINE)

    @cached_property
    def outlines(self) -> Floats:
        """`outline` of every code, arcs with their middle bend, shape (codes, 8, 2)."""
        return np.stack([self.outline(Shape(code, self.middle_bend(code))) for code in range(len(self))])

    def recognise(self, path: SliderPath, length: float) -> tuple[Shape, Floats, float]:
        """The nearest shape to a body of `length` px, its true outline in its own frame (8, 2), and its heading."""
        outline, heading = own_frame(path, max(length, 1.0))
        bend = None
        if path.points[0].type == "P":
            bend = arc_bend([(p.x, p.y) for p in path.points], length)
        if bend is not None:
            code = self.arc_code(bend)
            return Shape(code, bend if code else 0.0), outline, heading
        code = int(((self.outlines - outline) ** 2).sum(axis=(1, 2)).argmin())
        return Shape(code, self.middle_bend(code)), outline, heading

    def _template(self, code: int) -> Floats:
        index = code - 1 - 2 * self.arcs
        template = self.templates[index % len(self.templates)]
        return template * (1.0, -1.0) if index >= len(self.templates) else template

    def draw(
        self, shape: Shape, head: tuple[float, float], heading: float, length: float
    ) -> tuple[str, list[tuple[float, float]]]:
        """Control points of the body laid on the playfield, on whole pixels.

        head : px. heading : radians, 0 to the right, growing downwards (y points down). length : px of one span.
        Returns the curve type ("L", "P", "B") and the points, head first; the path is at least `length` long, so
        that the game ends it exactly there.
        """
        for stretch in np.arange(0.0, 12.0, 0.5):
            curve, points = self._drawn(shape, head, heading, length + stretch)
            if SliderPath.of(curve, points).natural_length() >= length - 1e-6:
                return curve, points
        return curve, points  # the game then extends the last chord

    def _drawn(
        self, shape: Shape, head: tuple[float, float], heading: float, length: float
    ) -> tuple[str, list[tuple[float, float]]]:
        if shape.code == 0:
            curve, unit = "L", np.array([[0.0, 0.0], [1.0, 0.0]])
        elif self.is_arc(shape.code):
            curve, unit = "P", arc_points(shape.bend, np.array([0.0, 0.5, 1.0]))
        else:
            curve, unit = "B", self._template(shape.code)
        placed = lay(unit[None], np.array([head]), np.array([heading]), np.array([length]))[0]
        points = [(float(round(x)), float(round(y))) for x, y in placed]
        if curve == "P" and _in_line(points):
            return "L", [points[0], points[-1]]
        return curve, points


def arc_points(bend: float, progress: Floats) -> Floats:
    """Points of a circular arc of length 1 that turns by `bend` radians, in its own frame, shape (n, 2)."""
    if abs(bend) < 1e-6:
        return np.column_stack((progress, np.zeros_like(progress)))
    turn = bend * progress
    points = np.column_stack((np.sin(turn), 1 - np.cos(turn))) / bend
    return rotate(points, -bend / 8)  # the chord to a quarter of an arc leans by half the angle turned there


def rotate(points: Floats, angle: float | Floats) -> Floats:
    """Rotate vectors of shape (..., 2) by `angle` radians (broadcast over the leading axes)."""
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = points[..., 0], points[..., 1]
    return np.stack((cos * x - sin * y, sin * x + cos * y), axis=-1)


def lay(unit: Floats, head: Floats, heading: Floats, length: Floats) -> Floats:
    """Place unit bodies: (n, k, 2) points turned to `heading` (n,), grown to `length` (n,), moved to `head` (n, 2)."""
    return head[:, None] + length[:, None, None] * rotate(unit, heading[:, None])


def own_frame(path: SliderPath, length: float) -> tuple[Floats, float]:
    """A body's outline in its own frame, shape (8, 2), and its heading in radians."""
    points = path.at_distances(np.concatenate(([0.0, 0.25], OUTLINE)) * length)
    chord = points[1] - points[0]
    heading = math.atan2(chord[1], chord[0])
    return rotate(points[2:] - points[0], -heading) / length, heading


def arc_bend(points: Sequence[tuple[float, float]], length: float) -> float | None:
    """The signed whole turn in radians of an arc through three points, cut at `length`; None if they are in line."""
    if len(points) != 3 or _in_line(points):
        return None
    (ax, ay), (bx, by), (cx, cy) = points
    cross = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    sides = math.dist(points[0], points[1]) * math.dist(points[1], points[2]) * math.dist(points[0], points[2])
    radius = sides / (2 * abs(cross))  # circumradius = abc / 4 area
    return math.copysign(min(length / radius, 2 * math.pi), cross)


def _in_line(points: Sequence[tuple[float, float]]) -> bool:
    (ax, ay), (bx, by), (cx, cy) = points
    return abs((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)) < 1e-3
