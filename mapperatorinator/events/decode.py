"""Events to beatmap.

Objects, their sounds and the lines they need are rebuilt from the events; everything that is no event (mode,
settings, metadata, red lines) comes from a beatmap without objects. Events of different objects may be mixed
as long as each object's own events are in order; an object whose end is missing or not after its start is
left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from mapperatorinator.beatmap import (
    MANIA,
    TAIKO,
    Beatmap,
    Circle,
    HitObject,
    Hold,
    Slider,
    SliderPath,
    Spinner,
    TimingIndex,
    TimingPoint,
)
from mapperatorinator.events.event import (
    ANCHOR_KINDS,
    FIELD_HEIGHT,
    FIELD_WIDTH,
    Event,
    EventKind,
    Hitsound,
    column_x,
)
from mapperatorinator.events.lines import Wishes, build_lines
from mapperatorinator.events.paths import open_ended, path_of
from mapperatorinator.events.scroll import last_whole_second, multipliers, usual_beat_length
from mapperatorinator.events.sounds import sample_for

CENTRE = FIELD_WIDTH / 2, FIELD_HEIGHT / 2
MIN_VELOCITY, MAX_VELOCITY = 0.1, 10.0
MULTIPLIER_LIMITS = 0.4, 3.6  # of the base velocity, in the game
LENGTH_DIGITS = 9
VELOCITY_STEP = 20  # velocities that have to be guessed are multiples of 1/20
KEEP_VELOCITY = 0.15  # relative change up to which a guessed velocity stays what it was
DIVISORS = (1, 2, 3, 4, 6, 8, 12, 16, 5, 7, 9)  # those of the editor, the usual ones first
ROUNDING_MS = 1.01  # how far two ticks written in whole ms may be from their exact distance
BODY_DELAY_MS = 6  # a body that sounds unlike an edge is set this long after it


def events_to_beatmap(
    events: Iterable[Event], base: Beatmap, timing_points: Sequence[TimingPoint] | None = None
) -> Beatmap:
    """Return `base` with the objects and lines of `events` in place of its own.

    `timing_points` are the red lines (default: those of `base`); green lines among them are ignored. If the
    first red line lies behind the first object, it is moved back by whole measures.
    """
    listed = list(events)
    source = base.timing_points if timing_points is None else timing_points
    first_time = min((event.time for event in listed if event.kind in _STARTERS), default=math.inf)
    reds = _early_enough([p for p in source if p.uninherited], first_time)
    builder = _Builder(base, reds)
    for event in listed:
        builder.add(event)
    lines = build_lines(reds, builder.wishes(), objects_have_volume=base.mode == MANIA)
    index = TimingIndex(lines)
    objects = sorted((made.finish(index) for made in builder.made), key=lambda obj: obj.time)
    return replace(base, hit_objects=objects, timing_points=lines)


def _early_enough(reds: list[TimingPoint], first_time: float) -> list[TimingPoint]:
    """Of red lines at one time the first of the file, as in the game; the first one not behind
    `first_time`."""
    reds = sorted({red.time: red for red in reversed(reds)}.values(), key=lambda red: red.time)
    if not reds or reds[0].time <= first_time:
        return reds
    measure = reds[0].ms_per_beat * max(reds[0].meter, 1)
    count = math.ceil((reds[0].time - first_time) / measure)
    return [replace(reds[0], time=reds[0].time - count * measure), *reds[1:]]


@dataclass
class _Made:
    """An object and the sounds of its moments: (time, sound); a slider's body is apart from its edges."""

    obj: HitObject
    sounds: list[tuple[float, Hitsound]]
    body: tuple[float, Hitsound] | None = None

    def wishes(self) -> list[tuple[float, Hitsound]]:
        """The sounds with the times at which lines have to be ready; a body is heard between its edges."""
        wanted = list(self.sounds)
        if self.body is not None:
            times = [time for time, _ in self.sounds]
            wanted += [
                (time + BODY_DELAY_MS, self.body[1])
                for time, after in zip(times, times[1:], strict=False)
                if after - time > BODY_DELAY_MS
            ]
        return wanted

    def finish(self, index: TimingIndex) -> HitObject:
        """Give the object those sets and volumes that differ from the lines."""
        samples = [sample_for(index, time, sound) for time, sound in self.sounds]
        if isinstance(self.obj, Slider) and self.body is not None:
            self.obj.edge_sounds = [sound.sound for _, sound in self.sounds]
            self.obj.edge_sets = [(sample.normal_set, sample.addition_set) for sample in samples]
            self.obj.sound = self.body[1].sound
            self.obj.sample = sample_for(index, *self.body)._replace(volume=0)
        elif samples:
            self.obj.sound = self.sounds[0][1].sound
            self.obj.sample = samples[0]
        return self.obj


@dataclass
class _OpenSlider:
    head: Event
    anchors: list[tuple[EventKind, float, float]] = field(default_factory=list)
    last: Event | None = None


class _Builder:
    """Collects events into objects and wishes."""

    def __init__(self, base: Beatmap, reds: Sequence[TimingPoint]) -> None:
        self.base = base
        self.reds = reds
        self.index = TimingIndex(reds)
        self.made: list[_Made] = []
        self.velocities: list[tuple[float, float]] = []
        self.scrolls: list[tuple[float, float]] = []
        self.kiai: list[tuple[float, bool]] = []
        self.slider: _OpenSlider | None = None
        self.open: dict[tuple[EventKind, int | None], Event] = {}
        self.velocity = 1.0

    def wishes(self) -> Wishes:
        """What the objects so far ask of the lines."""
        velocities = self.velocities
        if self.scrolls and self.reds:
            objects = sorted((made.obj for made in self.made), key=lambda obj: obj.time)
            usual = usual_beat_length(self.reds, last_whole_second(objects))
            velocities = multipliers(self.scrolls, self.reds, usual)
        return Wishes(velocities, [wish for made in self.made for wish in made.wishes()], self.kiai)

    def add(self, event: Event) -> None:
        """Take one event; beats are ignored, the red lines are given."""
        kind = event.kind
        if kind is EventKind.CIRCLE:
            self._circle(event)
        elif kind is EventKind.SLIDER_HEAD:
            self.slider = _OpenSlider(event)
        elif kind in ANCHOR_KINDS:
            if self.slider and event.x is not None and event.y is not None:
                self.slider.anchors.append((kind, event.x, event.y))
        elif kind is EventKind.LAST_ANCHOR:
            if self.slider:
                self.slider.last = event
        elif kind is EventKind.SLIDER_END:
            self._slider_end(event)
        elif kind in _STARTS:
            self.open[kind, event.column] = event
        elif kind in _ENDS:
            self._long_end(event)
        elif kind is EventKind.KIAI:
            self.kiai.append((event.time, bool(event.value)))
        elif kind is EventKind.SCROLL_SPEED_CHANGE and event.scroll_speed is not None:
            self.scrolls.append((event.time, event.scroll_speed))

    def _place(self, event: Event) -> tuple[float, float]:
        if self.base.mode == MANIA:
            return column_x(event.column or 0, self.base.keys), FIELD_HEIGHT / 2
        if event.x is None or event.y is None or self.base.mode == TAIKO:
            return CENTRE
        return event.x, event.y

    def _circle(self, event: Event) -> None:
        obj = Circle(*self._place(event), event.time, event.new_combo)
        self.made.append(_Made(obj, [(event.time, _first(event.hitsounds))]))
        if self.base.mode == TAIKO and event.scroll_speed is not None:
            self.velocities.append((event.time, event.scroll_speed))

    def _long_end(self, end: Event) -> None:
        start = self.open.pop((_ENDS[end.kind], end.column), None)
        if start is None or end.time <= start.time:
            return
        if start.scroll_speed is not None and self.base.mode == TAIKO:
            self.velocities.append((start.time, start.scroll_speed))
        if start.kind is EventKind.SPINNER:
            sounds = [(float(end.time), _first(end.hitsounds))]
        else:
            sounds = [(float(start.time), _first(start.hitsounds))]
        obj: HitObject
        if start.kind is EventKind.HOLD_NOTE:
            obj = Hold(*self._place(start), start.time, end_time=end.time)
        elif start.kind is EventKind.DRUMROLL:
            obj = self._drumroll(start, end)
        else:
            obj = Spinner(*CENTRE, start.time, new_combo=self.base.mode != MANIA, end_time=end.time)
        self.made.append(_Made(obj, sounds))

    def _drumroll(self, start: Event, end: Event) -> Slider:
        length = self._length(start.scroll_speed or 1.0, self._beats(start, end))
        folds = range(1, max(1, math.ceil(length / FIELD_WIDTH)) + 1)
        points = [(0.0, FIELD_HEIGHT / 2)] + [(FIELD_WIDTH * (i % 2), FIELD_HEIGHT / 2) for i in folds]
        return Slider(*points[0], start.time, path=SliderPath.of("L", points), length=length)

    def _length(self, velocity: float, beats: float) -> float:
        """How long a span of so many beats is, in px; rounded, so that it comes out the same every time."""
        multiplier = min(max(self.base.slider_multiplier, MULTIPLIER_LIMITS[0]), MULTIPLIER_LIMITS[1])
        velocity = min(max(velocity, MIN_VELOCITY), MAX_VELOCITY)
        return round(100.0 * multiplier * velocity * beats, LENGTH_DIGITS)

    def _beats(self, start: Event, end: Event) -> float:
        return beats_between(start.time, end.time, self.index.red_at(start.time))

    def _slider_end(self, end: Event) -> None:
        made, self.slider = self.slider, None
        if made is None or made.last is None:
            return
        head, last = made.head, made.last
        if not head.time < last.time <= end.time:
            return
        path = path_of(self._place(head), made.anchors, self._place(last))
        slides = slide_count(head, last, end)
        beats = self._beats(head, end) / slides
        self.velocity = velocity = self._velocity(head, path, beats)
        length = self._length(velocity, beats)
        path = open_ended(path, length)
        obj = Slider(*self._place(head), head.time, head.new_combo, path=path, slides=slides, length=length)
        self.velocities.append((head.time, velocity))
        self.made.append(self._slider_sounds(obj, head, last, end))

    def _velocity(self, head: Event, path: SliderPath, beats: float) -> float:
        """The velocity the head names, else the one that fits the drawn path."""
        if head.scroll_speed:
            return min(max(head.scroll_speed, MIN_VELOCITY), MAX_VELOCITY)
        fitting = path.natural_length() / self._length(1.0, beats)
        if abs(fitting - self.velocity) <= KEEP_VELOCITY * self.velocity:
            return self.velocity
        return min(max(round(fitting * VELOCITY_STEP) / VELOCITY_STEP, MIN_VELOCITY), MAX_VELOCITY)

    def _slider_sounds(self, obj: Slider, head: Event, last: Event, end: Event) -> _Made:
        span = (end.time - head.time) / obj.slides
        body, inner = _first(last.hitsounds), list(last.hitsounds[1 : obj.slides])
        inner += [body] * (obj.slides - 1 - len(inner))
        edges = [_first(head.hitsounds), *inner, _first(end.hitsounds)]
        times = [float(head.time + int(i * span)) for i in range(obj.slides)] + [float(end.time)]
        return _Made(obj, list(zip(times, edges, strict=True)), (head.time + 1.0, body))


def beats_between(start: float, end: float, red: TimingPoint) -> float:
    """Return the beats from `start` to `end` (whole ms): the simplest fraction that rounding could hide."""
    beats = (end - start) / red.ms_per_beat
    for divisor in DIVISORS:
        exact = round(beats * divisor) / divisor
        if exact > 0 and abs(exact - beats) * red.ms_per_beat <= ROUNDING_MS:
            return exact
    return beats


_STARTERS = frozenset(
    {EventKind.CIRCLE, EventKind.SLIDER_HEAD, EventKind.SPINNER, EventKind.HOLD_NOTE, EventKind.DRUMROLL,
     EventKind.DENDEN}
)  # fmt: skip
_STARTS = (EventKind.SPINNER, EventKind.HOLD_NOTE, EventKind.DRUMROLL, EventKind.DENDEN)
_ENDS = {
    EventKind.SPINNER_END: EventKind.SPINNER,
    EventKind.HOLD_NOTE_END: EventKind.HOLD_NOTE,
    EventKind.DRUMROLL_END: EventKind.DRUMROLL,
    EventKind.DENDEN_END: EventKind.DENDEN,
}


def _first(hitsounds: Sequence[Hitsound]) -> Hitsound:
    return hitsounds[0] if hitsounds else Hitsound()


def slide_count(head: Event, last: Event, end: Event) -> int:
    """Return the spans of a slider: as many as its last anchor has sounds if the times agree, else the
    nearest."""
    span, total = last.time - head.time, end.time - head.time
    sounding = len(last.hitsounds)
    if sounding and abs(sounding * span - total) <= sounding + 1:
        return sounding
    return max(round(total / span), 1)
