"""What checks ask of a map, worked out once: times, edges, grid, level, stacks, labels.

Checks never touch the beatmap's own lists in file order: `MapView.objects` is in order of time,
and findings name objects by their position there.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..beatmap import (
    Beatmap,
    HitObject,
    Hold,
    Slider,
    Spinner,
    circle_radius,
    pile_heights,
    preempt,
    stack_offset,
    star_rating,
)  # fmt: skip
from ..errors import UserError
from .catch_objects import CatchObject, catch_objects
from .levels import Level, level_from_name, level_from_stars
from .registry import MANIA, OSU
from .snapping import Floats
from .timeline import Timeline

if TYPE_CHECKING:
    from ..audio import Audio

MAX_TICKS = 10_000  # per slider; only maps that no one can play have more
Point = tuple[float, float]


def difficulty_range(value: float, easy: float, middle: float, hard: float) -> float:
    """The game's map from a setting 0..10 to a quantity: `easy` at 0, `middle` at 5, `hard` at 10."""
    if value > 5:
        return middle + (hard - middle) * (value - 5) / 5
    return middle - (middle - easy) * (5 - value) / 5


class MapView(Timeline):
    """A beatmap as checks see it; everything costly is computed on first use and kept."""

    def __init__(
        self,
        beatmap: Beatmap,
        level: Level | None = None,
        audio: Audio | None = None,
        file_name: str | None = None,
    ) -> None:
        super().__init__(beatmap)
        self.audio = audio
        self.file_name = file_name
        self.mode = beatmap.mode
        order = sorted(range(len(beatmap.hit_objects)), key=lambda i: beatmap.hit_objects[i].time)
        self.order = order
        self.objects: list[HitObject] = [beatmap.hit_objects[i] for i in order]
        self.starts = [obj.time for obj in self.objects]
        self._given_level = level

    # What the map is -------------------------------------------------------------------------

    @cached_property
    def stars(self) -> float:
        """Star rating of the map; 0 without objects, infinite where it is too dense to be rated."""
        try:
            return star_rating(self.beatmap) if self.objects else 0.0
        except (UserError, ValueError):  # ValueError: a number that no file can hold
            return math.inf

    @cached_property
    def level(self) -> Level:
        """The difficulty level: the caller's word, else what the name says, else by stars."""
        return level_from_stars(self.stars) if self.stated_level is None else self.stated_level

    @cached_property
    def stated_level(self) -> Level | None:
        """The level that the caller or the map's name states; None where it can only be guessed."""
        if self._given_level is not None:
            return self._given_level
        return level_from_name(self.beatmap.difficulty_name, self.mode)

    @cached_property
    def radius(self) -> float:
        """Circle radius in px."""
        return circle_radius(self.beatmap.circle_size)

    @cached_property
    def preempt(self) -> float:
        """Time in ms from when an object appears to when it is hit."""
        return preempt(self.beatmap.approach_rate)

    # Times -----------------------------------------------------------------------------------

    @cached_property
    def spans(self) -> list[float]:
        """Duration in ms of one span of each object (0 unless it is a slider with a duration)."""
        span = self.beatmap.slider_span_duration if self.beatmap.slider_multiplier > 0 else lambda _: 0.0
        lengths = [span(obj) if isinstance(obj, Slider) else 0.0 for obj in self.objects]
        return [length if math.isfinite(length) else 0.0 for length in lengths]

    @cached_property
    def ends(self) -> list[float]:
        """End time in ms of each object."""
        return [
            obj.end_time
            if isinstance(obj, (Spinner, Hold))
            else obj.time + span * obj.slides
            if isinstance(obj, Slider)
            else obj.time
            for obj, span in zip(self.objects, self.spans, strict=True)
        ]

    def edges(self, i: int) -> list[float]:
        """Times in ms at which object `i` starts, turns and ends."""
        obj = self.objects[i]
        if isinstance(obj, Slider):
            return [obj.time + self.spans[i] * n for n in range(obj.slides + 1)]
        if isinstance(obj, (Spinner, Hold)):
            return [obj.time, obj.end_time]
        return [obj.time]

    def ticks(self, i: int) -> list[float]:
        """Times in ms of the slider ticks of object `i` (edges not included)."""
        obj = self.objects[i]
        if not isinstance(obj, Slider) or not self.beatmap.slider_tick_rate > 0 or not self.spans[i] > 0:
            return []
        step = self.red_line_at(obj.time).ms_per_beat / self.beatmap.slider_tick_rate
        span = self.spans[i]
        # The game drops ticks within 10 ms of the end of a span.
        count = min(max(0, math.ceil((span - 10) / step) - 1), MAX_TICKS // max(1, obj.slides))
        inner = [step * k for k in range(1, count + 1)]
        times: list[float] = []
        for n in range(obj.slides):
            start = obj.time + n * span
            times += [start + (t if n % 2 == 0 else span - t) for t in (inner if n % 2 == 0 else inner[::-1])]
        return times

    @cached_property
    def drain_time(self) -> float:
        """Time in ms from the first object to the end of the last, without what lies around breaks."""
        if not self.objects:
            return 0.0
        total = max(self.ends) - self.starts[0]
        ends = self._latest_ends
        for pause in self.beatmap.breaks:
            before = bisect_left(self.starts, pause.start) - 1
            after = bisect_right(self.starts, pause.end - 1)
            if before >= 0 and after < len(self.objects):
                total -= max(0.0, self.starts[after] - float(ends[before]))
        return total

    @property
    def play_time(self) -> float:
        """Time in ms from the first object to the end of the last."""
        return max(self.ends) - self.starts[0] if self.objects else 0.0

    @cached_property
    def edge_times(self) -> tuple[list[tuple[int, int]], Floats]:
        """All edges of the map: (object, edge number) and their times in ms, shape (n,)."""
        keys, times = [], []
        for i in range(len(self.objects)):
            for n, time in enumerate(self.edges(i)):
                keys.append((i, n))
                times.append(time)
        return keys, np.array(times, dtype=np.float64)

    @cached_property
    def edge_unsnaps(self) -> Floats:
        """Unsnap in ms of every edge of `edge_times`, shape (n,)."""
        return self.grid.unsnaps(self.edge_times[1])

    @cached_property
    def edge_divisors(self) -> NDArray[np.int64]:
        """Coarsest beat divisor on which every edge of `edge_times` lies, 0 for none, shape (n,)."""
        return self.grid.divisors_of(self.edge_times[1])

    def first_at_or_after(self, time: float) -> int:
        """Position of the first object that starts at `time` or later (may be the object count)."""
        return bisect_left(self.starts, time)

    def around(self, time: float) -> range:
        """Positions of objects that may cover `time` (a superset; all that start before it and end after)."""
        stop = bisect_right(self.starts, time)
        first = int(np.searchsorted(self._latest_ends, time, side="left"))
        return range(min(first, stop), stop)

    @cached_property
    def _latest_ends(self) -> Floats:
        return np.maximum.accumulate(self.ends) if self.ends else np.zeros(0)

    def latest_end(self, i: int) -> float:
        """The latest end time in ms of the objects up to and including `i`."""
        return float(self._latest_ends[i])

    # Places ----------------------------------------------------------------------------------

    @cached_property
    def stacks(self) -> list[int]:
        """Height of each object in its stack (osu! only, elsewhere 0)."""
        if self.mode != OSU:
            return [0] * len(self.objects)
        bm = self.beatmap
        return pile_heights(self.objects, self.ends, self.preempt * bm.stack_leniency, bm.version)

    def stack_shift(self, i: int) -> float:
        """How far in px object `i` is drawn to the right and down because of its stack."""
        return stack_offset(self.beatmap.circle_size, self.stacks[i])

    @cached_property
    def heads(self) -> list[Point]:
        """Where each object is drawn when it is hit, in px."""
        shifts = map(self.stack_shift, range(len(self.objects)))
        return [(obj.x + d, obj.y + d) for obj, d in zip(self.objects, shifts, strict=True)]

    @cached_property
    def tails(self) -> list[Point]:
        """Where each object is drawn when it ends, in px."""
        result = []
        for i, obj in enumerate(self.objects):
            x, y = obj.end_position if isinstance(obj, Slider) else (obj.x, obj.y)
            result.append((x + self.stack_shift(i), y + self.stack_shift(i)))
        return result

    @cached_property
    def catch_objects(self) -> list[CatchObject]:
        """Fruits and droplets with the movements between them (catch)."""
        return catch_objects(self)

    # Names -----------------------------------------------------------------------------------

    def edge_name(self, i: int, n: int) -> str:
        """What edge `n` of object `i` is called in a message."""
        obj = self.objects[i]
        if isinstance(obj, Slider):
            return "Slider " + ("head" if n == 0 else "tail" if n == obj.slides else "reverse")
        kind = self.kind(i)
        return kind if not isinstance(obj, Hold) else f"{kind} {'start' if n == 0 else 'end'}"

    def kind(self, i: int) -> str:
        """What object `i` is called in a message."""
        obj = self.objects[i]
        if isinstance(obj, Slider):
            return "Slider"
        if isinstance(obj, Spinner):
            return "Spinner"
        return "Hold note" if isinstance(obj, Hold) else ("Note" if self.mode == MANIA else "Circle")

    @cached_property
    def combos(self) -> list[tuple[int, int]]:
        """Colour index and number within the combo of each object, as the game counts them."""
        colours = max(1, len(self.beatmap.combo_colours))
        result: list[tuple[int, int]] = []
        colour, number, fresh = 0, 0, True
        for i, obj in enumerate(self.objects):
            if isinstance(obj, Spinner):
                fresh, number = True, number + 1
            elif obj.new_combo or fresh:
                colour = (colour + (1 if i else 0) + (obj.combo_skip if obj.new_combo else 0)) % colours
                number, fresh = 1, False
            else:
                number += 1
            result.append((colour, number))
        return result

    def label(self, i: int) -> str:
        """How the editor names object `i` in a timestamp."""
        if self.mode == MANIA:
            return f"{round(self.starts[i])}|{self.beatmap.column(self.objects[i])}"
        return str(self.combos[i][1])
