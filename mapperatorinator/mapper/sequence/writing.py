"""Events to beatmap as the published program does it, for `legacy=true`: no repair, no beat grid.

The house's way is `events.events_to_beatmap` with `finishing` behind it. Here lengths follow from whole milliseconds,
every sound is named in full, every volume is a line, and what does not fit stays as the network wrote it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mapperatorinator.beatmap import (
    MANIA,
    TAIKO,
    Beatmap,
    Circle,
    HitObject,
    HitSample,
    Hold,
    Slider,
    SliderPath,
    Spinner,
    TimingPoint,
)
from mapperatorinator.events import ANCHOR_KINDS, Event, EventKind, Hitsound, column_x
from mapperatorinator.events.scroll import usual_beat_length
from mapperatorinator.mapper.sequence.lines import Lines

CENTRE = (256.0, 192.0)
_BODY_DELAY_MS = 6
_SILENT = Hitsound(0, 0, 0, -1)
_ENDS = {
    EventKind.SPINNER_END: EventKind.SPINNER, EventKind.HOLD_NOTE_END: EventKind.HOLD_NOTE,
    EventKind.DRUMROLL_END: EventKind.DRUMROLL, EventKind.DENDEN_END: EventKind.DENDEN,
}  # fmt: skip
_SECOND, _NEARLY_PX = 1000, 3.8
_PLACED = {
    EventKind.CIRCLE, EventKind.SLIDER_HEAD, EventKind.RED_ANCHOR, EventKind.LAST_ANCHOR, EventKind.SLIDER_END,
}  # fmt: skip
_CURVES = {EventKind.PERFECT_ANCHOR: "P", EventKind.CATMULL_ANCHOR: "C"}


def write(
    events: Iterable[Event], base: Beatmap, points: Sequence[TimingPoint], resnap: bool = False, overlaps: bool = False,
    seed: int = 0,
) -> Beatmap:  # fmt: skip
    """`base` with the objects and lines of `events`, in order of time; `points` are the lines they stand on.

    resnap : events go to the nearest tick of the divisor that they name. overlaps : what nearly lies on an earlier
    place is put there. seed : of the places of events that only say how far they are from the one before.
    """
    listed = list(events)
    lines = Lines(points)
    if resnap:
        listed = [replace(e, time=lines.snapped(e.time, e.snap)) if e.snap else e for e in listed]
    if overlaps:
        listed = _on_top(listed)
    usual = usual_beat_length(lines.points, max((event.time for event in listed), default=0))
    pen = _Pen(base, lines, usual, np.random.RandomState(seed))
    for event in listed:
        pen.add(event)
    made = sorted(pen.made, key=lambda obj: obj.time)
    return replace(base, hit_objects=made, timing_points=pen.lines.from_first_red())


def _on_top(events: Sequence[Event]) -> list[Event]:
    """Every place that nearly is one of the last second becomes that one."""
    places: list[tuple[int, tuple[float, float]]] = []
    moved = []
    for event in events:
        if event.kind in _PLACED and event.x is not None and event.y is not None:
            own = event.x, event.y
            at = next((at for t, at in places if event.time - t <= _SECOND and math.dist(at, own) < _NEARLY_PX), own)
            event = replace(event, x=at[0], y=at[1])
            places.append((event.time, at))
        moved.append(event)
    return moved


@dataclass
class _Shape:
    """An unfinished slider."""

    head: Event
    kind: str | None = None
    points: list[tuple[float, float]] = field(default_factory=list)
    last: Event | None = None


class _Pen:
    def __init__(self, base: Beatmap, lines: Lines, usual: float, chance: np.random.RandomState) -> None:
        self.base, self.lines, self.usual, self.chance = base, lines, usual, chance
        self.made: list[HitObject] = []
        self.before = CENTRE
        self.open: dict[EventKind, Event] = {}
        self.slider: _Shape | None = None

    def add(self, event: Event) -> None:
        kind = event.kind
        event = self._placed(event)
        if kind is EventKind.CIRCLE:
            self._circle(event)
        elif kind is EventKind.SLIDER_HEAD:
            self.slider = _Shape(event)
        elif kind in ANCHOR_KINDS or kind is EventKind.LAST_ANCHOR:
            self._anchor(event)
        elif kind is EventKind.SLIDER_END:
            self._slider_end(event)
        elif kind in _ENDS.values():
            self.open[kind] = event  # of two holds at once the first is lost
        elif kind in _ENDS:
            self._long_end(event)
        elif kind is EventKind.KIAI:
            self.lines.set_kiai(event.time, event.value)
        elif kind is EventKind.SCROLL_SPEED_CHANGE and self.base.mode == MANIA:
            self._scroll(event.time, event.scroll_speed or 0)

    def _placed(self, event: Event) -> Event:
        """The event with a place: its own, one at its distance, or the last one's."""
        x, y = event.x, event.y
        if event.column is not None and x is None:
            x, y = float(column_x(event.column, self.base.keys)), 192.0
        if x is None or y is None:
            x, y = self.before if event.distance is None else self._at_distance(event.distance)
        self.before = x, y
        if self.base.mode == TAIKO:
            x, y = CENTRE
        return replace(event, x=x, y=y)

    def _at_distance(self, distance: float) -> tuple[float, float]:
        """A place so many px from the last one, by chance; in one of two corners if there is none."""
        angles = np.linspace(0, 2 * np.pi, 500)
        x, y = self.before[0] + distance * np.cos(angles), self.before[1] + distance * np.sin(angles)
        inside = np.flatnonzero((x >= 0) & (x <= 512) & (y >= 0) & (y <= 384))
        if len(inside):
            i = self.chance.choice(inside)
            return float(x[i]), float(y[i])
        return (0.0, 0.0) if sum(self.before) <= sum(CENTRE) else (512.0, 384.0)

    def _sound(self, event: Event, which: int = 0) -> Hitsound:
        return event.hitsounds[which] if which < len(event.hitsounds) else _SILENT

    def _loud(self, time: float, sound: Hitsound) -> None:
        if sound.volume >= 0:
            self.lines.set_volume(time, sound.volume)

    def _circle(self, event: Event) -> None:
        sound = self._sound(event)
        x, y = _round(event)
        mania = self.base.mode == MANIA
        sample = HitSample(sound.normal_set, sound.addition_set, -1, max(sound.volume, 0) if mania else 0)
        self.made.append(Circle(x, 192 if mania else y, event.time, event.new_combo, 0, sound.sound, sample))
        if not mania:
            self._loud(event.time, sound)
        if self.base.mode == TAIKO and event.scroll_speed is not None:
            self.lines.set_velocity(event.time, event.scroll_speed)

    def _scroll(self, time: float, speed: float) -> None:
        """A scroll speed as the player sees it, over all tempos that follow."""
        later = [p.time for p in self.lines.points if p.uninherited and p.time > time]
        for at in (time, *later):
            self.lines.set_velocity(at, speed * self.lines.red(at).beat_length / self.usual)

    def _anchor(self, event: Event) -> None:
        shape = self.slider
        if shape is None:
            return
        kind = _CURVES.get(event.kind, "B")
        if event.kind is EventKind.LAST_ANCHOR:
            if shape.last is not None:
                shape.last = event
                return
            shape.last = event
        shape.kind = shape.kind or kind
        shape.points += [_round(event)] * (2 if event.kind is EventKind.RED_ANCHOR else 1)

    def _long_end(self, end: Event) -> None:
        start = self.open.pop(_ENDS[end.kind], None)
        if start is None:
            return
        sound = self._sound(end if end.kind is EventKind.SPINNER_END else start)
        sample = HitSample(sound.normal_set, sound.addition_set, -1, 0)
        if start.kind is EventKind.HOLD_NOTE:
            x = _round(start)[0]
            sample = sample._replace(volume=max(sound.volume, 0))
            self.made.append(Hold(x, 192, start.time, False, 0, sound.sound, sample, end_time=end.time))
        elif start.kind is EventKind.DRUMROLL:
            self._drumroll(start, end, sound, sample)
        else:
            self.made.append(Spinner(*CENTRE, start.time, True, 0, sound.sound, sample, end_time=end.time))
            spinner = start.kind is EventKind.SPINNER
            self._loud(end.time if spinner else start.time, sound)
            if spinner:
                self.before = CENTRE
            elif start.scroll_speed is not None:
                self.lines.set_velocity(start.time, start.scroll_speed)

    def _drumroll(self, start: Event, end: Event, sound: Hitsound, sample: HitSample) -> None:
        duration = end.time - start.time
        if duration < 1:
            return
        if start.scroll_speed is not None:
            self.lines.set_velocity(start.time, start.scroll_speed)
        length = self._length(self.lines.velocity(start.time), duration, start.time)
        turns = range(1, math.ceil(length / 512) + 1)
        path = SliderPath.of("L", [(0, 192), *((512.0 * (i % 2), 192.0) for i in turns)])
        self.made.append(
            Slider(
                0, 192, start.time, False, 0, sound.sound, sample, path=path, length=length,
                edge_sounds=[0, 0], edge_sets=[(0, 0), (0, 0)],
            )
        )  # fmt: skip
        self._loud(start.time, sound)

    def _length(self, velocity: float, duration: float, time: float) -> float:
        return velocity * duration * 100 / self.lines.red(time).beat_length * self.base.slider_multiplier

    def _slider_end(self, end: Event) -> None:
        shape = self.slider
        if shape is None or shape.last is None:
            return
        self.slider = None
        head, last = shape.head, shape.last
        span, total = last.time - head.time, end.time - head.time
        if span <= 0 or total <= 0:
            return
        slides = max(round(total / span), 1)
        duration = total / slides
        start = _round(head)
        path = SliderPath.of(shape.kind or "B", [start, *shape.points])
        drawn = _as_drawn(path).natural_length()
        unit = self._length(1.0, duration, head.time)
        velocity = head.scroll_speed
        if velocity is None:
            wanted = drawn * _progress(_as_drawn(path), end)
            if wanted < 1e-4:
                self.slider = shape
                return
            velocity = self._usual_velocity(wanted / unit, head)
        length = self._length(velocity, duration, head.time)
        if length > 1.5 * drawn:
            velocity = round(drawn / unit * 20) / 20
            length = self._length(velocity, duration, head.time)
        if length > drawn + 1e-4:
            scale = length / drawn
            (x, y), points = start, shape.points
            moved = [(round(x + (px - x) * scale), round(y + (py - y) * scale)) for px, py in points]
            path = SliderPath.of(shape.kind or "B", [start, *moved])
        if velocity != self.lines.velocity(head.time):
            self.lines.set_velocity(head.time, velocity)
        self._write_slider((head, last, end), path, slides, duration, length)

    def _usual_velocity(self, velocity: float, head: Event) -> float:
        """The velocity in force if that is near, else a round one."""
        now = self.lines.velocity(head.time)
        if abs(velocity - now) / now <= (0.05 if head.new_combo else 0.15):
            return now
        return round(velocity * 100) / 100 if velocity < 0.1 else round(velocity * 20) / 20

    def _write_slider(
        self, events: tuple[Event, Event, Event], path: SliderPath, slides: int, span: float, length: float
    ) -> None:
        head, last, end = events
        body = self._sound(last)
        edges = [*head.hitsounds, *last.hitsounds[1:], *end.hitsounds]
        self.made.append(
            Slider(
                *_round(head), head.time, head.new_combo, 0, body.sound,
                HitSample(body.normal_set, body.addition_set, -1, 0), path=path, slides=slides, length=length,
                edge_sounds=[e.sound for e in edges], edge_sets=[(e.normal_set, e.addition_set) for e in edges],
            )
        )  # fmt: skip
        volumes = [edge.volume for edge in edges if edge.volume >= 0]
        for i, volume in enumerate(volumes[: slides + 1]):
            time = round(head.time + span * i)
            self.lines.set_volume(time, volume)
            if body.volume != volume and i < slides and span > _BODY_DELAY_MS:
                self._loud(time + _BODY_DELAY_MS, body)


def _as_drawn(path: SliderPath) -> SliderPath:
    """The path cut at every repeated point: here Catmull curves are too."""
    kind = path.points[0].type
    if kind != "C":
        return path
    points = path.points[:1]
    for point in path.points[1:]:
        repeated = point[:2] == points[-1][:2]
        points = (*points[:-1], points[-1]._replace(type=kind)) if repeated else (*points, point)
    return SliderPath(points)


def _progress(path: SliderPath, end: Event) -> float:
    """Where on the path, 0 to 1, the walk downhill from its end comes nearest to the slider's end."""
    t, place = 1.0, (end.x or 0.0, end.y or 0.0)
    for _ in range(100):
        here, before = (math.dist(path.position_at(at), place) for at in (t, t - 1e-4))
        t -= here - before
        if here == before or not 0 <= t <= 1:
            break
    return min(max(t, 0.0), 1.0)


def _round(event: Event) -> tuple[int, int]:
    assert event.x is not None and event.y is not None
    return round(event.x), round(event.y)
