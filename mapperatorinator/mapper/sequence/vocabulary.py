"""Token ids of one checkpoint, read from its `tokenizer.json`: nothing about them is known in advance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mapperatorinator.errors import UserError

PAD, START, END = 0, 1, 2
FIRST_FREE = 3
STEP_MS = 10  # of a time shift
TIME, SNAP, DISTANCE = "t", "snap", "dist"
BEATS = ("beat", "measure", "timing_point")
ANCHORS = ("bezier_anchor", "perfect_anchor", "catmull_anchor", "red_anchor")
SUSTAINS = (
    "slider_sustain", "slider_repeat_sustain", "spinner_sustain", "hold_note_sustain", "drumroll_sustain",
    "denden_sustain",
)  # fmt: skip
TIMED = (
    "circle", "spinner", "spinner_end", "slider_head", "last_anchor", "slider_end", *BEATS, "kiai",
    "hold_note", "hold_note_end", "scroll_speed_change", "drumroll", "drumroll_end", "denden", "denden_end",
)  # fmt: skip
GROUPS = frozenset(TIMED + ANCHORS)  # kinds that open or close a group


class Mark(NamedTuple):
    """One token's meaning: kind (its name in the file), value, and the time in ms that it belongs to.

    A time shift's value is the absolute time in ms; everything else has the file's own range.
    """

    kind: str
    value: int
    time: int = 0


class Vocabulary:
    """Kinds and values to ids and back.

    starts, ends : id of each context's markers. size_out : ids the network can say; size_in : ids it understands.
    raw : the file as it is (mapper and descriptor tables).
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        self.starts: dict[str, int] = dict(raw.get("context_sos") or {})
        self.ends: dict[str, int] = dict(raw.get("context_eos") or {})
        self.offset = int(raw.get("offset", FIRST_FREE))
        self._low: dict[str, int] = {}
        self._ids: dict[str, range] = {}
        self._meaning: list[tuple[str, int]] = []
        self.size_out = self._add(raw["event_ranges"])
        self.size_in = self._add(raw.get("input_event_ranges") or ())
        self.mappers = {int(user): int(index) for user, index in (raw.get("mapper_idx") or {}).items()}
        self.descriptors: dict[str, int] = dict(raw.get("descriptor_idx") or {})

    def _add(self, ranges: Sequence[Mapping[str, Any]]) -> int:
        for item in ranges:
            kind, low, high = item["type"], int(item["min_value"]), int(item["max_value"])
            first = self.offset + len(self._meaning)
            self._low[kind], self._ids[kind] = low, range(first, first + high - low + 1)
            self._meaning += [(kind, value) for value in range(low, high + 1)]
        return self.offset + len(self._meaning)

    def __contains__(self, kind: str) -> bool:
        return kind in self._ids

    def ids(self, kind: str) -> range:
        """The ids of a kind in rising order of value; empty if the checkpoint does not know it."""
        return self._ids.get(kind, range(0))

    def limits(self, kind: str) -> tuple[int, int]:
        """Smallest and largest value of a kind."""
        return self._low[kind], self._low[kind] + len(self._ids[kind]) - 1

    def encode(self, kind: str, value: int = 0) -> int:
        """The id of a value; UserError if the checkpoint has none."""
        ids = self._ids.get(kind)
        if ids is None:
            raise UserError(f"This checkpoint has no token for {kind}.")
        place = value - self._low[kind]
        if not 0 <= place < len(ids):
            low, high = self.limits(kind)
            raise UserError(f"{kind} is {value} but this checkpoint knows {low} to {high}.")
        return ids[place]

    def decode(self, token: int) -> tuple[str, int] | None:
        """Kind and value of an id; None for padding, start, end and markers."""
        place = token - self.offset
        return self._meaning[place] if 0 <= place < len(self._meaning) else None

    def spell(self, marks: Iterable[Mark], origin: int) -> list[int]:
        """Ids of marks in a window that begins at `origin` ms: times are cut to 10 ms and kept in range."""
        low, high = self.limits(TIME)
        first = self._ids[TIME][0] - low
        spelled = []
        for kind, value, _ in marks:
            if kind == TIME:
                spelled.append(first + min(max(int((value - origin) / STEP_MS), low), high))
            else:
                spelled.append(self.encode(kind, value))
        return spelled

    def read(self, tokens: Iterable[int], origin: int) -> list[Mark]:
        """Marks of ids up to the end token; a time is the middle of its 10 ms. Times of marks are still 0."""
        marks = []
        for token in tokens:
            if token == END:
                break
            meaning = self.decode(token)
            if meaning is None:
                continue
            kind, value = meaning
            if kind == TIME:
                value = origin + STEP_MS * value + (STEP_MS // 2 if value >= 0 else 0)
            marks.append(Mark(kind, value))
        return marks
