"""Slider paths as anchors and back.

Inner control points become anchors, one each: red where the path is straight or a point is repeated, else
named after the curve. A file of today's format may mix curve types in one path; there, what is neither
straight nor Bezier is replaced by short chords, since the anchors (and the stable format) know one type per
path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mapperatorinator.beatmap import PathPoint, SliderPath
from mapperatorinator.events.event import EventKind

Anchor = tuple[EventKind, float, float]

CHORD_PX = 8.0
_KINDS = {"L": EventKind.RED_ANCHOR, "C": EventKind.CATMULL_ANCHOR, "P": EventKind.PERFECT_ANCHOR}


def anchors_of(path: SliderPath) -> list[tuple[float, Anchor]]:
    """Return the anchors between head and last control point, each with its place among them from 0 to 1."""
    count = len(path.points) - 1
    if sum(point.type is not None for point in path.points) > 1 or (path.points[0].type or "L") not in "LBPC":
        mixed = list(_mixed(path))
        return [((i + 1) / (len(mixed) + 1), anchor) for i, anchor in enumerate(mixed)]
    kind = path.points[0].type or "L"
    if kind == "B" or (kind == "P" and count != 2):
        return [(i / count, anchor) for i, anchor in _bezier(path.points)]
    named = _KINDS[kind]
    return [(i / count, (named, p.x, p.y)) for i, p in enumerate(path.points[1:-1], start=1)]


def _bezier(points: Sequence[PathPoint]) -> Iterator[tuple[int, Anchor]]:
    for i, (before, point, after) in enumerate(zip(points, points[1:], points[2:], strict=False), start=1):
        if point[:2] == after[:2] and i < len(points) - 2:
            yield i, (EventKind.RED_ANCHOR, point.x, point.y)
        # A repeated last point splits nothing, it bends the end.
        elif point[:2] != before[:2] or point[:2] == after[:2]:
            yield i, (EventKind.BEZIER_ANCHOR, point.x, point.y)


def _mixed(path: SliderPath) -> Iterator[Anchor]:
    joint: tuple[float, float] | None = None
    for kind, points in path.segments():
        if joint is not None:
            yield EventKind.RED_ANCHOR, *joint
        if kind not in ("B", "L"):
            points = SliderPath.of(kind, [(x, y) for x, y in points]).sample(step=CHORD_PX)
        inner = EventKind.BEZIER_ANCHOR if kind == "B" else EventKind.RED_ANCHOR
        yield from ((inner, float(x), float(y)) for x, y in points[1:-1])
        joint = float(points[-1][0]), float(points[-1][1])


def path_of(head: tuple[float, float], anchors: Sequence[Anchor], last: tuple[float, float]) -> SliderPath:
    """Return the path from `head` over `anchors` to `last`: straight, one arc or Catmull where the anchors
    say so."""
    kinds = [kind for kind, _, _ in anchors]
    inner = [(x, y) for _, x, y in anchors]
    if all(kind is EventKind.RED_ANCHOR for kind in kinds):
        return SliderPath.of("L", [head, *inner, last])
    if kinds == [EventKind.PERFECT_ANCHOR]:
        return SliderPath.of("P", [head, *inner, last])
    if all(kind is EventKind.CATMULL_ANCHOR for kind in kinds):
        return SliderPath.of("C", [head, *inner, last])
    points = [head]
    for kind, x, y in anchors:
        points.extend([(x, y)] * (2 if kind is EventKind.RED_ANCHOR else 1))
    return SliderPath.of("B", [*points, last])


def open_ended(path: SliderPath, length: float) -> SliderPath:
    """The path, without repeated points at its end if a span of `length` px goes beyond: the game draws on only in
    a direction."""
    points = path.points
    if points[-1][:2] != points[-2][:2] or length <= path.natural_length():
        return path
    while len(points) > 2 and points[-1][:2] == points[-2][:2]:
        points = points[:-1]
    return SliderPath((points[0]._replace(type="L" if len(points) == 2 else "B"), *points[1:]), path.lazer)
