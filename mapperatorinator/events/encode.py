"""Beatmap to events.

Kept exactly: start and end times in whole ms, positions, curve points, slides, new combos, hit sounds as they
are heard (sets and volumes resolved from the lines in force), slider velocity, taiko and mania scroll speed,
kiai. Lost: combo colour skips, custom sample indexes and file names, lines that change nothing audible or
visible on an object, several lines at one time, positions in taiko and heights in mania.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from mapperatorinator.beatmap import (
    MANIA,
    TAIKO,
    Beatmap,
    Circle,
    HitObject,
    HitSample,
    Hold,
    Slider,
    Spinner,
)
from mapperatorinator.events.event import Event, EventKind, Hitsound, snap_divisor
from mapperatorinator.events.paths import anchors_of
from mapperatorinator.events.scroll import last_whole_second, usual_beat_length, visible_changes
from mapperatorinator.events.sounds import sound_of

LAST_BEAT_GAP_MS = 10  # beats this close before the next red line are left out
_EPSILON = 1e-5  # so that 333.9999999 is 334 when times are cut to whole ms


def beatmap_to_events(bm: Beatmap, beats: bool = False) -> list[Event]:
    """Return everything that happens in `bm` as events in order of time.

    The events of one object follow each other (a hold's end directly after its start), so later objects may
    begin before an object has ended; `in_time_order` sorts them flat. `beats` adds beats, measures and red
    lines.
    """
    encoder = Encoder(bm)
    groups = [(obj.time, 3, events) for obj in bm.hit_objects if (events := list(encoder.object_events(obj)))]
    groups += [(event.time, 2, [event]) for event in encoder.scroll_events()]
    groups += [(event.time, 1, [event]) for event in encoder.kiai_events()]
    if beats:
        groups += [(event.time, 0, [event]) for event in beat_events(bm)]
    groups.sort(key=lambda group: group[:2])
    return [event for _, _, events in groups for event in events]


def in_time_order(events: list[Event]) -> list[Event]:
    """Return the events sorted by time; events at one time keep their order."""
    return sorted(events, key=lambda event: event.time)


def beat_events(bm: Beatmap) -> Iterator[Event]:
    """Yield every beat from the first red line to the end of the last object."""
    reds = bm.red_lines()
    end = max((bm.end_time(obj) for obj in bm.hit_objects), default=0.0)
    for red, after in zip(reds, [*reds[1:], None], strict=True):
        limit = end + 1 if after is None else after.time - LAST_BEAT_GAP_MS
        count, time = 0, red.time
        while time <= limit or count == 0:
            kind = EventKind.BEAT if count % max(red.meter, 1) else EventKind.MEASURE
            yield Event(kind if count else EventKind.TIMING_POINT, int(time))
            count += 1
            time = red.time + count * red.ms_per_beat


def _whole(time: float) -> int:
    """The time without its fraction of a millisecond, as the game cuts it."""
    return int(time + math.copysign(_EPSILON, time))


class Encoder:
    """Spells one map: its objects one by one, and what its lines say."""

    def __init__(self, bm: Beatmap) -> None:
        self.bm = bm
        self.index = bm.timing
        self.mode = bm.mode

    def object_events(self, obj: HitObject) -> Iterator[Event]:
        """Yield the events of one object, in order; none for objects that the mode does not know."""
        if isinstance(obj, Slider) and self.mode != MANIA:
            yield from self._drumroll(obj) if self.mode == TAIKO else self._slider(obj)
        elif isinstance(obj, Spinner):
            yield from self._denden(obj) if self.mode == TAIKO else self._spinner(obj)
        elif isinstance(obj, (Hold, Slider)) and self.mode == MANIA:
            yield from self._hold(obj)
        elif isinstance(obj, (Circle, Hold)):
            yield self._circle(obj)

    def scroll_events(self) -> Iterator[Event]:
        """Yield the scroll speed changes of a mania map."""
        if self.mode != MANIA:
            return
        points = sorted(self.bm.timing_points, key=lambda p: (p.time, not p.uninherited))
        usual = usual_beat_length(points, last_whole_second(self.bm.hit_objects))
        for time, speed in visible_changes(points, usual):
            yield self._event(EventKind.SCROLL_SPEED_CHANGE, time, scroll_speed=speed)

    def kiai_events(self) -> Iterator[Event]:
        """Yield a switch wherever kiai starts or ends."""
        on = False
        points = sorted(self.bm.timing_points, key=lambda p: (p.time, not p.uninherited))
        for i, point in enumerate(points):
            last_here = i + 1 == len(points) or points[i + 1].time != point.time
            if last_here and point.kiai != on:
                on = point.kiai
                yield self._event(EventKind.KIAI, point.time, value=int(on))

    def _event(self, kind: EventKind, time: float, **fields: object) -> Event:
        whole = _whole(time)
        red = self.index.red_at(whole)
        return Event(kind, whole, snap_divisor(time, red.time, red.ms_per_beat), **fields)  # type: ignore[arg-type]

    def _sound(self, time: float, sound: int, sample: HitSample | None) -> Hitsound:
        return sound_of(self.index, _whole(time), sound, sample or HitSample())

    def _place(self, obj: HitObject) -> dict[str, object]:
        if self.mode == MANIA:
            return {"column": self.bm.column(obj)}
        if self.mode == TAIKO:
            return {}
        return {"x": obj.x, "y": obj.y, "new_combo": obj.new_combo}

    def _circle(self, obj: HitObject) -> Event:
        fields = self._place(obj)
        if self.mode == TAIKO:
            fields["scroll_speed"] = self._scroll(obj.time)
        sound = self._sound(obj.time, obj.sound, obj.sample)
        return self._event(EventKind.CIRCLE, obj.time, hitsounds=(sound,), **fields)

    def _scroll(self, time: float) -> float:
        green = self.index.green_at(time)
        return 1.0 if green is None else green.scroll_speed

    def _long(self, kinds: tuple[EventKind, EventKind], obj: HitObject, **fields: object) -> Iterator[Event]:
        sound = self._sound(obj.time, obj.sound, obj.sample)
        yield self._event(kinds[0], obj.time, hitsounds=(sound,), **fields)
        yield self._event(kinds[1], _whole(self.bm.end_time(obj)), column=fields.get("column"))

    def _hold(self, obj: HitObject) -> Iterator[Event]:
        return self._long((EventKind.HOLD_NOTE, EventKind.HOLD_NOTE_END), obj, **self._place(obj))

    def _drumroll(self, obj: Slider) -> Iterator[Event]:
        kinds = EventKind.DRUMROLL, EventKind.DRUMROLL_END
        return self._long(kinds, obj, scroll_speed=self._scroll(obj.time))

    def _denden(self, obj: Spinner) -> Iterator[Event]:
        return self._long((EventKind.DENDEN, EventKind.DENDEN_END), obj, scroll_speed=self._scroll(obj.time))

    def _spinner(self, obj: Spinner) -> Iterator[Event]:
        yield self._event(EventKind.SPINNER, obj.time)
        sound = self._sound(obj.end_time, obj.sound, obj.sample)
        yield self._event(EventKind.SPINNER_END, obj.end_time, hitsounds=(sound,))

    def _slider(self, slider: Slider) -> Iterator[Event]:
        slides = max(slider.slides, 1)
        duration = _whole(slides * self.bm.slider_span_duration(slider))
        span = duration / slides
        edges = [self._edge(slider, i, slider.time + i * span) for i in range(slides + 1)]
        body = self._sound(slider.time + 1, slider.sound, slider.sample)
        yield self._event(
            EventKind.SLIDER_HEAD,
            slider.time,
            scroll_speed=self.bm.velocity_at(slider.time),
            hitsounds=(edges[0],),
            **self._place(slider),
        )
        for share, (kind, x, y) in anchors_of(slider.path):
            yield Event(kind, int(slider.time + share * span), x=x, y=y)
        last = slider.path.points[-1]
        sounds = (body, *edges[1:-1])
        yield self._event(EventKind.LAST_ANCHOR, slider.time + span, x=last.x, y=last.y, hitsounds=sounds)
        x, y = slider.path.position_at(1.0, slider.length)
        yield self._event(EventKind.SLIDER_END, slider.time + duration, x=x, y=y, hitsounds=(edges[-1],))

    def _edge(self, slider: Slider, i: int, time: float) -> Hitsound:
        """The sound of edge `i`; edges that the file does not list sound as the body does."""
        sound = slider.edge_sounds[i] if i < len(slider.edge_sounds) else slider.sound
        sample = HitSample(*slider.edge_sets[i]) if i < len(slider.edge_sets) else slider.sample
        return self._sound(time, sound, sample)
