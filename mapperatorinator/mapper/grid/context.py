"""What the networks are shown of a reference beatmap, and maps that are there already with a part drawn anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import Beatmap, HitObject, Slider
from mapperatorinator.events import Event, EventKind, Hitsound, beatmap_to_events
from mapperatorinator.events.encode import Encoder
from mapperatorinator.mapper.grid.canvas import UNKNOWN, Canvas
from mapperatorinator.mapper.grid.cells import reference_of
from mapperatorinator.mapper.grid.draft import Conditions
from mapperatorinator.mapper.grid.network import GridModel, Heard
from mapperatorinator.mapper.grid.objects import hitsound
from mapperatorinator.mapper.grid.ticks import TICKS_PER_BEAT, TickGrid
from mapperatorinator.mapper.grid.unmask import Drawing, Painter

if TYPE_CHECKING:
    from mapperatorinator.settings import Settings

SOUNDS = ("sound", "bank", "volume")


@dataclass(frozen=True)
class Shown:
    """What a new map takes over of a reference: kiai switches; the rhythm of another difficulty, (n,)."""

    kiai: tuple[Event, ...] | None = None
    rhythm: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, settings: Settings, reference: Beatmap | None, grid: TickGrid) -> Shown:
        """What ``settings.in_context`` asks for."""
        if reference is None:
            return cls()
        kiai = rhythm = None
        if "KIAI" in settings.in_context:
            kiai = tuple(Encoder(reference).kiai_events())
        if "GD" in settings.in_context:
            rhythm = reference_of(Canvas.of(beatmap_to_events(reference), reference.mode, grid), grid.times)
        return cls(kiai, rhythm)

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from another."""
        return self.kiai, None if self.rhythm is None else self.rhythm.tobytes()


def touched(
    model: GridModel, heard: Heard, reference: Beatmap, settings: Settings, conditions: Conditions,
    rows: NDArray[np.bool_], drawing: Drawing,
) -> Iterator[Event]:  # fmt: skip
    """Yield the reference's events with, in `rows` (n,), sounds (NO_HS) or kiai (MAP) drawn anew."""
    encoder = Encoder(reference)
    canvas = Canvas.of(beatmap_to_events(reference), reference.mode, heard.grid)
    painter = Painter(model, heard, canvas, conditions, np.random.default_rng(settings.seed or 0), drawing)
    sounds = "NO_HS" in settings.in_context
    painter.repaint(rows, SOUNDS if sounds else ("kiai",))
    yield from encoder.kiai_events() if sounds else kiai_switches(canvas, 0, len(heard.grid))
    yield from encoder.scroll_events()
    reader = _Sounds(canvas)
    times = heard.grid.times[rows]
    for item in reference.hit_objects:
        events = list(encoder.object_events(item))
        inside = times[0] <= item.time <= times[-1]
        yield from reader.put(item, events) if sounds and inside and events else events


def kiai_switches(canvas: Canvas, low: int, high: int) -> Iterator[Event]:
    """Kiai switches of rows low..high-1; what is still on at the end of the song is switched off."""
    state = canvas.columns["kiai"][low - 1] if low else 0
    for row in range(low, high):
        value = int(canvas.columns["kiai"][row])
        if value != state and row % TICKS_PER_BEAT == 0:
            state = value
            yield Event(EventKind.KIAI, round(float(canvas.grid.times[row])), 1, value=value)
    if state and high == len(canvas.grid):
        yield Event(EventKind.KIAI, round(float(canvas.grid.times[high - 1])), 1, value=0)


class _Sounds:
    """Reads the sounds of moments off a canvas; off the grid, nothing is added to what sounded last."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.last = Hitsound(0, 2, 2, 70)

    def put(self, item: HitObject, events: list[Event]) -> Iterator[Event]:
        """The events of one object with sounds of the canvas."""
        if not isinstance(item, Slider) or events[0].kind is not EventKind.SLIDER_HEAD:
            yield from (replace(e, hitsounds=(self.at(e.time),)) if e.hitsounds else e for e in events)
            return
        edges = np.linspace(events[0].time, events[-1].time, item.slides + 1)
        first, *inner, last = (self.at(float(time)) for time in edges)
        put = {
            EventKind.SLIDER_HEAD: (first,),
            EventKind.LAST_ANCHOR: (first._replace(sound=0), *inner),
            EventKind.SLIDER_END: (last,),
        }
        yield from (replace(e, hitsounds=put.get(e.kind, ())) for e in events)

    def at(self, time: float) -> Hitsound:
        """What sounds at a time in ms."""
        row = int(self.canvas.grid.nearest(time))
        on_grid = bool(self.canvas.grid.on_grid(np.array([time]), np.array([row]))[0])
        if not on_grid or self.canvas.columns["sound"][row] == UNKNOWN:
            return self.last._replace(sound=0)
        self.last = hitsound(self.canvas, row)
        return self.last
