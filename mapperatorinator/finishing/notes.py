"""A map as notes: objects freed from their lines, so that times and velocities can be changed.

The length of a slider depends on the lines in force where it starts; move it and it lasts differently. A note
holds the object as events, which name start, end, velocity and sounds outright. `notes_of` takes a map apart,
`Notes.beatmap` puts it together again with lines and lengths that fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mapperatorinator.beatmap import Beatmap, TimingPoint
from mapperatorinator.events import Event, EventKind, Hitsound, events_to_beatmap
from mapperatorinator.events.decode import beats_between, slide_count
from mapperatorinator.events.encode import Encoder

SLIDER = EventKind.SLIDER_HEAD
SPINNER_KINDS = frozenset({EventKind.SPINNER, EventKind.DENDEN})


@dataclass(frozen=True, slots=True)
class Note:
    """One object: its events, the first of which names its kind and start, the last its end (ms)."""

    events: tuple[Event, ...]

    @property
    def kind(self) -> EventKind:
        """What the first event is: CIRCLE, SLIDER_HEAD, SPINNER, HOLD_NOTE, DRUMROLL or DENDEN."""
        return self.events[0].kind

    @property
    def start(self) -> int:
        """When it is hit, in ms."""
        return self.events[0].time

    @property
    def end(self) -> int:
        """When it ends, in ms; a circle ends when it starts."""
        return self.events[-1].time

    @property
    def column(self) -> int:
        """The mania column; 0 in other modes."""
        return self.events[0].column or 0

    @property
    def slides(self) -> int:
        """The number of spans; 1 for all but sliders."""
        return slide_count(self.events[0], self.events[-2], self.events[-1]) if self.kind is SLIDER else 1

    def span(self, red: TimingPoint) -> float:
        """Return how long one span lasts in ms once it is written, `red` being the line at the start."""
        if self.kind not in (SLIDER, EventKind.DRUMROLL):
            return float(self.end - self.start)
        return beats_between(self.start, self.end, red) * red.ms_per_beat / self.slides

    def edges(self, red: TimingPoint) -> list[float]:
        """Return the times in ms at which it starts, turns and ends once it is written."""
        if len(self.events) == 1:
            return [float(self.start)]
        span = self.span(red)
        return [self.start + i * span for i in range(self.slides + 1)]

    def timed(self, start: int, end: int, slides: int | None = None) -> Note:
        """Return the note from `start` to `end` ms, a slider with `slides` spans (default: as before)."""
        head, tail = replace(self.events[0], time=start), replace(self.events[-1], time=end)
        if len(self.events) == 1:
            return Note((head,))
        if self.kind is not SLIDER:
            return Note((head, tail))
        count = slides or self.slides
        span = (end - start) / count
        stretch = span / max(self.events[-2].time - self.start, 1)
        moved = [
            replace(anchor, time=int(start + (anchor.time - self.start) * stretch))
            for anchor in self.events[1:-2]
        ]
        last = self.events[-2]
        sounds = last.hitsounds + last.hitsounds[:1] * (count - len(last.hitsounds))
        last = replace(last, time=int(start + span), hitsounds=sounds[:count])
        return Note((head, *moved, last, tail))

    def circle(self) -> Note:
        """Return a circle in the note's place."""
        head = self.events[0]
        sounds = head.hitsounds or self.events[-1].hitsounds or (Hitsound(),)
        return Note((replace(head, kind=EventKind.CIRCLE, hitsounds=sounds[:1]),))

    def with_column(self, column: int) -> Note:
        """Return the note in another mania column."""
        return Note(tuple(replace(event, column=column) for event in self.events))

    def with_velocity(self, velocity: float) -> Note:
        """Return the note with another slider velocity."""
        return Note((replace(self.events[0], scroll_speed=velocity), *self.events[1:]))


@dataclass(frozen=True, slots=True)
class Notes:
    """A map taken apart: `notes` in order of time, `lines` (kiai and scroll events), `base` for the rest."""

    notes: list[Note]
    lines: list[Event]
    base: Beatmap

    @property
    def reds(self) -> list[TimingPoint]:
        """The red lines."""
        return self.base.red_lines()

    def beatmap(self) -> Beatmap:
        """Return the map with these notes, its lines and slider lengths made to fit."""
        events = self.lines + [event for note in self.notes for event in note.events]
        return events_to_beatmap(events, self.base)


def notes_of(bm: Beatmap) -> Notes:
    """Take `bm` apart; objects of kinds that its mode does not know are left out."""
    encoder = Encoder(bm)
    spelled = (tuple(encoder.object_events(obj)) for obj in bm.hit_objects)
    notes = sorted((Note(events) for events in spelled if events), key=lambda note: note.start)
    return Notes(notes, [*encoder.kiai_events(), *encoder.scroll_events()], bm)
