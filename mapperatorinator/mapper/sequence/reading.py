"""A beatmap as the published networks were shown it: marks of objects, beats, kiai and scroll speed.

What they learned from is what they must be given, so the quirks of their reading are kept: times and positions are
cut, not rounded; a curve's end comes from 50 chords; sounds that a slider does not list are silent; every effect
counts as kiai; of lines at one time the last of the file is in force.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from mapperatorinator.beatmap import (
    CATCH,
    MANIA,
    OSU,
    TAIKO,
    Beatmap,
    Circle,
    HitObject,
    HitSample,
    Hold,
    Slider,
    Spinner,
    TimingPoint,
)
from mapperatorinator.events import column_of, snap_divisor
from mapperatorinator.mapper.sequence.curve_end import curve_end, curve_kind
from mapperatorinator.mapper.sequence.profile import Profile
from mapperatorinator.mapper.sequence.vocabulary import DISTANCE, SNAP, TIME, Mark

CENTRE = (256.0, 192.0)
FIELD = (-256, 768, -256, 640)  # x and y that positions are kept in
LONGEST_DISTANCE = 640
MOST_POINTS = 100  # of a slider; others are left out
SUSTAIN_END_MS = 10
SOUND_DELAY_MS, BODY_DELAY_MS = 5, 1
LEAST_SPEED, MOST_SPEED, LEAST_CHANGE = 0.01, 10.0, 1e-3
_SOFT = 2


def whole(time: float) -> int:
    """The time in ms without its fraction, after rounding to microseconds as the parser stores it."""
    return int(round(time, 3) + 1e-5)


def merged(first: Sequence[Mark], second: Sequence[Mark]) -> list[Mark]:
    """Both lists in order of time; at one time the first list's marks come first."""
    return sorted([*first, *second], key=lambda mark: mark.time)


class Lines:
    """Timing points as the parser finds them: at or before a time, in order of the file."""

    def __init__(self, points: Sequence[TimingPoint]) -> None:
        self.points = list(points)
        red = next((p for p in points if p.uninherited), TimingPoint(0.0, 1000.0))
        self.reds = []
        for point in self.points:
            red = point if point.uninherited else red
            self.reds.append(red)

    def at(self, time: float) -> tuple[TimingPoint, TimingPoint]:
        """The point in force at `time` ms, and its red line."""
        if not self.points:
            return (TimingPoint(0.0, 1000.0),) * 2
        found = next((i for i in range(len(self.points) - 1, -1, -1) if self.points[i].time <= time), 0)
        return self.points[found], self.reds[found]

    def speed(self, time: float) -> float:
        """The multiplier of scroll speed in force."""
        return _speed(self.at(time)[0])


def _speed(point: TimingPoint) -> float:
    if point.uninherited or not point.beat_length:
        return 1.0
    speed = -100.0 / point.beat_length
    return 1.0 if math.isnan(speed) else speed


class Reader:
    """Reads one map in one profile's words."""

    def __init__(self, bm: Beatmap, profile: Profile) -> None:
        self.bm, self.profile = bm, profile
        self.lines = Lines(bm.unsorted_timing_points or bm.timing_points)
        self.before = CENTRE  # the last position, for distances

    def objects(self, song_ms: float | None = None) -> list[Mark]:
        """Marks of all objects, with beats among them where the profile wants that."""
        self.before = CENTRE
        marks = [mark for obj in self.bm.hit_objects for mark in self._object(obj)]
        marks.sort(key=lambda mark: mark.time)
        return merged(self.beats(song_ms), marks) if self.profile.interleaved_beats else marks

    def beats(self, song_ms: float | None = None) -> list[Mark]:
        """Marks of every beat: up to the end of the last object, else of the song."""
        return beats_of(self.lines.points, self.profile, self._last_time(song_ms))

    def kiai(self) -> list[Mark]:
        """Marks of every switch of kiai."""
        marks: list[Mark] = []
        on = False
        for point in self.lines.points:
            if bool(point.effects) != on:
                on = not on
                marks += self._group("kiai", point.time, value=int(on), types_first=True)
        return marks

    def scroll(self) -> list[Mark]:
        """Marks of what a mania player sees as changes of scroll speed."""
        if self.bm.mode != MANIA:
            return []
        usual = usual_beat(self.lines.points, self.bm.hit_objects)
        marks: list[Mark] = []
        before: float | None = None
        for time, speed in scroll_changes(self.lines.points, usual):
            if before is None or abs(speed - before) > LEAST_CHANGE:
                before = speed
                marks += self._group("scroll_speed_change", time, speed=speed)
        return marks

    def _last_time(self, song_ms: float | None) -> float | None:
        objects = self.bm.hit_objects
        return song_ms if not objects else self.end_time(objects[-1]) + 0.999

    def end_time(self, obj: HitObject) -> float:
        """The end in whole ms as the parser has it."""
        if isinstance(obj, (Spinner, Hold)):
            return whole(obj.end_time)
        if not isinstance(obj, Slider):
            return whole(obj.time)
        point, red = self.lines.at(obj.time)
        velocity = 1.0 if point.uninherited else min(max(-100.0 / point.beat_length, 0.1), 10.0)
        if math.isnan(velocity):
            velocity = 1.0
        beats = obj.length * obj.slides / (100.0 * self.bm.slider_multiplier * velocity)
        return whole(obj.time) + int(beats * red.beat_length)

    def _group(
        self, kind: str, time: float, *, timed: bool = True, snapped: bool = True, value: int = 0,
        place: tuple[float, float] | None = None, column: int | None = None, new_combo: bool = False,
        speed: float | None = None, sounds: Sequence[tuple[int, int]] = (), types_first: bool | None = None,
    ) -> list[Mark]:  # fmt: skip
        """One group in the profile's order; `place` only where the mode has places."""
        at = whole(time)
        marks: list[Mark] = []
        if timed:
            marks.append(Mark(TIME, at, at))
        if timed and snapped:
            red = self.lines.at(time)[1]
            marks.append(Mark(SNAP, snap_divisor(time, red.time, red.beat_length), at))
        if place is not None:
            marks += [Mark(word, number, at) for word, number in self._place(place)]
        if column is not None:
            marks.append(Mark("column", column, at))
        if new_combo:
            marks.append(Mark("new_combo", 0, at))
        if speed is not None:
            marks.append(Mark("scroll_speed", round(min(max(speed, LEAST_SPEED), MOST_SPEED) * 100), at))
        for sound, volume in sounds:
            marks += [Mark("hitsound", sound, at), Mark("volume", volume, at)]
        first = self.profile.types_first if types_first is None else types_first
        return [Mark(kind, value, at), *marks] if first else [*marks, Mark(kind, value, at)]

    def _place(self, place: tuple[float, float]) -> Iterator[tuple[str, int]]:
        profile, step = self.profile, self.profile.precision
        if profile.distances:
            yield DISTANCE, min(int(math.dist(place, self.before)), LONGEST_DISTANCE)
        self.before = place
        low_x, high_x, low_y, high_y = (edge / step for edge in FIELD)
        x, y = int(min(max(place[0] / step, low_x), high_x)), int(min(max(place[1] / step, low_y), high_y))
        if profile.split_axes:
            yield "pos_x", x
            yield "pos_y", y
            return
        across = int(high_x - low_x) + 1
        yield "pos", int(x - low_x) + int(y - low_y) * across
        if profile.refinement:
            fine = step // profile.refinement
            cells = [min(max(int(c % step // profile.refinement), 0), fine - 1) for c in place]
            yield "pos_refine", cells[0] + fine * cells[1]

    def _object(self, obj: HitObject) -> list[Mark]:
        if isinstance(obj, Hold):
            return self._hold(obj)
        if isinstance(obj, Circle):
            return self._circle(obj)
        if isinstance(obj, Spinner):
            return self._spinner(obj)
        assert isinstance(obj, Slider)
        if len(obj.path.points) >= MOST_POINTS:
            return []
        if self.bm.mode == TAIKO:
            return self._long("drumroll", obj)
        return self._slider(obj) if self.bm.mode in (OSU, CATCH) else []

    def _circle(self, obj: Circle) -> list[Mark]:
        mode = self.bm.mode
        placed = mode in (OSU, CATCH)
        return self._group(
            "circle", obj.time,
            place=_cut(obj.x, obj.y) if placed else None, new_combo=placed and obj.new_combo,
            column=self._column(obj) if mode == MANIA else None,
            speed=self.lines.speed(obj.time) if mode == TAIKO else None,
            sounds=[self._sound(obj.time, obj.sound, obj.sample)],
        )  # fmt: skip

    def _column(self, obj: HitObject) -> int:
        return column_of(int(obj.x), int(self.bm.circle_size))

    def _hold(self, obj: Hold) -> list[Mark]:
        column = self._column(obj)
        sounds = [self._sound(obj.time, obj.sound, obj.sample)]
        marks = self._group("hold_note", obj.time, column=column, sounds=sounds)
        for time in self._sustained(obj.time, obj.end_time):
            marks += self._group("hold_note_sustain", time, snapped=False, column=column)
        return marks + self._group("hold_note_end", obj.end_time, column=column)

    def _long(self, kind: str, obj: HitObject) -> list[Mark]:
        """A drumroll or denden."""
        end = self.end_time(obj)
        sounds = [self._sound(obj.time, obj.sound, obj.sample)]
        marks = self._group(kind, obj.time, speed=self.lines.speed(obj.time), sounds=sounds)
        for time in self._sustained(obj.time, end):
            marks += self._group(f"{kind}_sustain", time, snapped=False)
        return marks + self._group(f"{kind}_end", end)

    def _spinner(self, obj: Spinner) -> list[Mark]:
        if self.bm.mode == TAIKO:
            return self._long("denden", obj)
        self.before = CENTRE
        marks = self._group("spinner", obj.time)
        for time in self._sustained(obj.time, obj.end_time):
            marks += self._group("spinner_sustain", time, snapped=False)
        sounds = [self._sound(obj.end_time, obj.sound, obj.sample)]
        return marks + self._group("spinner_end", obj.end_time, sounds=sounds)

    def _sustained(self, start: float, end: float) -> Iterator[float]:
        step = self.profile.sustain_ms
        time = start
        while step and time + step < end - SUSTAIN_END_MS:
            time += step
            yield time

    def _slider(self, obj: Slider) -> list[Mark]:
        end = self.end_time(obj)
        span = round((end - obj.time) / obj.slides, 3)
        turn = obj.time + span
        sounds = [self._edge(obj, i, obj.time + i * span) for i in range(obj.slides)]
        ending = self._edge(obj, -1, end)
        body = self._sound(obj.time + BODY_DELAY_MS, obj.sound, obj.sample)
        speed = self.lines.speed(obj.time) if self.profile.velocity else None
        marks = self._group(
            "slider_head", obj.time, place=_cut(obj.x, obj.y), new_combo=obj.new_combo, speed=speed,
            sounds=sounds[:1],
        )  # fmt: skip
        points = [_cut(*point[:2]) for point in obj.path.points]
        points[0] = _cut(obj.x, obj.y)
        kind = curve_kind(obj.path.points[0].type or "L", points)
        marks += self._anchors(kind, points, obj.time, span)
        last_sounds = [body, *sounds[1:]]
        if self.profile.untimed_last:
            marks += self._group("last_anchor", obj.time, timed=False, place=points[-1])
            for time in self._sustained(obj.time, turn):
                marks += self._group("slider_sustain", time, snapped=False)
            marks += self._group("last_anchor", turn, sounds=last_sounds)
            for time in self._sustained(turn, end):
                marks += self._group("slider_repeat_sustain", time, snapped=False)
        else:
            marks += self._group("last_anchor", turn, place=points[-1], sounds=last_sounds)
        place = curve_end(kind, points, obj.length)
        return marks + self._group("slider_end", end, place=place, sounds=[ending])

    def _anchors(
        self, kind: str, points: Sequence[tuple[float, float]], start: float, span: float
    ) -> Iterator[Mark]:
        names = {"L": "red_anchor", "C": "catmull_anchor", "P": "perfect_anchor"}
        for i in range(1, len(points) - 1):
            name = names.get(kind)
            if name is None:
                if points[i] == points[i + 1]:
                    name = "red_anchor"
                elif points[i] != points[i - 1]:
                    name = "bezier_anchor"
                else:
                    continue
            share = 0.0 if self.profile.untimed_last else i / (len(points) - 1)
            yield from self._group(name, start + share * span, timed=False, place=points[i])

    def _edge(self, obj: Slider, i: int, time: float) -> tuple[int, int]:
        """The sound of edge `i`; the last one, -1, is the last of the file's list, however long that is."""
        sound = obj.edge_sounds[i] if i < len(obj.edge_sounds) and obj.edge_sounds else 0
        sets = obj.edge_sets[i] if i < len(obj.edge_sets) and obj.edge_sets else (0, 0)
        return self._sound(time, sound, HitSample(*sets))

    def _sound(self, time: float, sound: int, sample: HitSample | None) -> tuple[int, int]:
        """Packed sound and sets, and the volume, that are heard at `time` ms."""
        sample = sample or HitSample()
        point = self.lines.at(whole(time) + SOUND_DELAY_MS)[0]
        normal = sample.normal_set or point.sample_set or _SOFT
        addition = sample.addition_set or normal
        normal, addition = (bank if 1 <= bank <= 3 else 1 for bank in (normal, addition))
        volume = min(max(sample.volume or point.volume, 0), 100)
        return (sound & 14) // 2 + 8 * (normal - 1) + 24 * (addition - 1), volume


def _cut(x: float, y: float) -> tuple[float, float]:
    return float(int(x)), float(int(y))


def beats_of(points: Sequence[TimingPoint], profile: Profile, end: float | None) -> list[Mark]:
    """Marks of every beat of the red lines, up to 10 ms before the next one, the last ones up to `end` ms."""
    reds = [p for p in points if p.uninherited and round(60_000 / p.beat_length)]
    marks: list[Mark] = []
    for i, red in enumerate(reds):
        limit = reds[i + 1].time - 10 if i + 1 < len(reds) else red.time + 10 if end is None else end
        count, time = 0, red.time
        while time <= limit:
            kind = "beat" if count % red.meter else "measure"
            if count == 0 and profile.timing_points:
                kind = "timing_point"
            at = whole(time)
            pair = [Mark(kind, 0, at), Mark(TIME, at, at)]
            marks += pair if profile.types_first else reversed(pair)
            count += 1
            time = int(red.time + count * red.beat_length)
    return marks


def usual_beat(points: Sequence[TimingPoint], objects: Sequence[HitObject]) -> float:
    """The ms per beat in force longest up to the last object, as osu!stable finds it."""
    from mapperatorinator.events.scroll import last_whole_second, usual_beat_length

    return usual_beat_length(points, last_whole_second(objects))


def scroll_changes(points: Iterable[TimingPoint], usual: float | None) -> Iterator[tuple[float, float]]:
    """Time and speed of the last of the lines at each time; relative to `usual` ms per beat, None: bare."""
    listed = list(points)
    beat, speed = 1000.0, 1.0
    for i, point in enumerate(listed):
        if point.uninherited:
            beat, speed = point.beat_length, 1.0
        else:
            speed = _speed(point)
        if i + 1 == len(listed) or listed[i + 1].time != point.time:
            yield point.time, speed * usual / beat if usual else speed
