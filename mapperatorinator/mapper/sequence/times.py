"""Marks as the network wrote them get their times, positions in pixels, and become the house's events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from mapperatorinator.events import Event, EventKind, Hitsound, column_x
from mapperatorinator.mapper.sequence.profile import Profile
from mapperatorinator.mapper.sequence.reading import FIELD
from mapperatorinator.mapper.sequence.vocabulary import ANCHORS, DISTANCE, GROUPS, SNAP, TIME, TIMED, Mark

_UNTIMED, _TIMED = frozenset(ANCHORS), frozenset(TIMED)


def timed(marks: Sequence[Mark], types_first: bool, end: float, known: int = 0) -> list[Mark]:
    """Give every mark its time; the first `known` have theirs.

    A mark belongs to the time shift before it, or after it where kinds come first; anchors, which have none, are
    spread evenly up to the next one. end : ms behind the last mark.
    """
    now = marks[known - 1].time if known else 0
    times = [mark.time for mark in marks[:known]]
    for i in range(known, len(marks)):
        at = i + 1 if types_first else i
        if at < len(marks) and marks[at].kind == TIME:
            now = marks[at].value
        times.append(now)
    _spread(marks, times, types_first, end, known)
    return [mark._replace(time=time) for mark, time in zip(marks, times, strict=True)]


def _spread(marks: Sequence[Mark], times: list[int], forward: bool, end: float, known: int) -> None:
    order: Iterable[int] = range(known, len(marks)) if forward else range(len(marks) - 1, known - 1, -1)
    now: float = times[known] if forward and known < len(marks) else end
    spreading = False
    for i in order:
        kind = marks[i].kind
        if kind in _TIMED:
            spreading = False
        if kind in _UNTIMED:
            spreading = True
        if not spreading:
            now = times[i]
        elif kind not in _UNTIMED:
            times[i] = int(now)
        else:
            count, other = _ahead(marks, i, 1 if forward else -1, end)
            now = times[i] = int((now - other) / (count + 1) * count + other)


def _ahead(marks: Sequence[Mark], i: int, step: int, end: float) -> tuple[int, float]:
    """How many anchors there are from i up to the next time shift, and its time."""
    count = 0
    while 0 <= i < len(marks):
        if marks[i].kind == TIME:
            return count, marks[i].value
        count += marks[i].kind in _UNTIMED
        i += step
    return count, 0 if i < 0 else end


def in_pixels(marks: Sequence[Mark], profile: Profile, keys: int | None) -> list[Mark]:
    """Position tokens as whole pixels `pos_x`, `pos_y`, in mania (`keys` given) columns too."""
    step = profile.precision
    across = (FIELD[1] - FIELD[0]) // step + 1
    placed: list[Mark] = []
    for i, mark in enumerate(marks):
        if mark.kind == "pos":
            fine = marks[i + 1] if i + 1 < len(marks) and marks[i + 1].kind == "pos_refine" else None
            cell = mark.value % across + FIELD[0] // step, mark.value // across + FIELD[2] // step
            inner = (step // 2, step // 2)
            if fine is not None and profile.refinement:
                cells = step // profile.refinement
                inner = fine.value % cells * profile.refinement, fine.value // cells * profile.refinement
            for kind, coarse, rest in zip(("pos_x", "pos_y"), cell, inner, strict=True):
                placed.append(Mark(kind, coarse * step + rest, mark.time))
        elif mark.kind in ("pos_x", "pos_y"):
            placed.append(mark._replace(value=mark.value * step))
        elif mark.kind == "column" and keys is not None:
            placed += [Mark("pos_x", column_x(mark.value, keys), mark.time), Mark("pos_y", 192, mark.time)]
        else:
            placed.append(mark)
    return placed


def groups(marks: Sequence[Mark], types_first: bool) -> Iterator[tuple[Mark, list[Mark]]]:
    """Each kind with its attributes; attributes without a kind are left out."""
    attributes: list[Mark] = []
    kind: Mark | None = None
    for mark in marks:
        if mark.kind not in GROUPS:
            attributes.append(mark)
            continue
        if types_first:
            if kind is not None:
                yield kind, attributes
            kind, attributes = mark, []
        else:
            yield mark, attributes
            attributes = []
    if kind is not None:
        yield kind, attributes


def events(marks: Sequence[Mark], types_first: bool, legacy: bool = False) -> Iterator[Event]:
    """The house's events of marks in pixels; a last anchor in two groups, place and time, becomes one.

    legacy : a sound without a volume has -1, and no speed is lifted to the least that the game knows.
    """
    corner: Event | None = None
    for kind, attributes in groups(marks, types_first):
        event = _event(kind, attributes, legacy)
        if event.kind is EventKind.SLIDER_HEAD:
            corner = None
        if event.kind is EventKind.LAST_ANCHOR:
            if not any(mark.kind == TIME for mark in attributes):
                corner = event
                continue
            if corner is not None and event.x is None:
                event = replace(event, x=corner.x, y=corner.y)
        yield event


def _event(kind: Mark, attributes: Sequence[Mark], legacy: bool) -> Event:
    said = {mark.kind: mark.value for mark in attributes}
    event = Event(EventKind(kind.kind), said.get(TIME, kind.time), said.get(SNAP), value=kind.value)
    sounds = [mark.value for mark in attributes if mark.kind == "hitsound"]
    volumes = [mark.value for mark in attributes if mark.kind == "volume"]
    volumes += [-1 if legacy else 100] * (len(sounds) - len(volumes))
    pairs = tuple(Hitsound.from_packed(s, v) for s, v in zip(sounds, volumes, strict=False))
    speed = said.get("scroll_speed")
    return replace(
        event, x=said.get("pos_x"), y=said.get("pos_y"), column=said.get("column"), hitsounds=pairs,
        new_combo="new_combo" in said, scroll_speed=None if speed is None else max(speed, 0 if legacy else 1) / 100,
        distance=said.get(DISTANCE),
    )  # fmt: skip
