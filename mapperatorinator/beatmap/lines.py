"""The two line formats that make up most of a file: timing points and hit objects, both ways."""

from __future__ import annotations

import math
import re

from .numbers import MAX_NUMBER, format_number, parse_int, parse_number
from .objects import Circle, HitObject, HitSample, Hold, Slider, Spinner
from .path import PathPoint, SliderPath
from .timing import TimingPoint

CIRCLE, SLIDER, NEW_COMBO, SPINNER, HOLD = 1, 2, 4, 8, 128
MAX_SLIDES = 9000  # the game refuses more
MAX_FILLED_EDGES = 64  # so that a line of a few bytes cannot claim much memory
_Common = tuple[float, float, float, bool, int, int]  # x, y, time, new combo, combo skip, sound
_PATH_TYPE = re.compile(r"[BCLP]|B[1-9]\d{0,3}", re.ASCII)


def parse_timing_point(line: str, offset: float, sample_set: int, volume: int) -> TimingPoint:
    """One line of [TimingPoints], two to eight fields; `sample_set` and `volume` stand for missing ones."""
    fields = _fields(line)
    given = [parse_int(part) if part else None for part in fields[2:8]]
    meter, bank, index, loudness, red, effects = (given + [None] * 6)[:6]
    uninherited = red is None or red == 1
    if meter and meter < 0:  # today's game skips such lines; with another meter it would not
        raise ValueError(f"a measure cannot have {meter} beats")
    return TimingPoint(
        time=parse_number(fields[0]) + offset,
        beat_length=parse_number(fields[1]) if uninherited else _parse_velocity(fields[1]),
        meter=meter or 4,  # 0 has meant 4 since the first format
        sample_set=sample_set if bank is None else bank,
        sample_index=index or 0,
        volume=volume if loudness is None else loudness,
        uninherited=uninherited,
        effects=effects or 0,
    )


def format_timing_point(point: TimingPoint, offset: float) -> str:
    """One line of [TimingPoints], all eight fields."""
    length = point.beat_length
    beat_length = format_number(length) if point.uninherited else _format_velocity(length)
    rest = (
        point.meter, point.sample_set, point.sample_index, point.volume, point.uninherited, point.effects,
    )  # fmt: skip
    return ",".join([format_number(point.time - offset), beat_length, *map(format_number, rest)])


def _parse_velocity(text: str) -> float:
    """The beat length of a green line: "NaN" switches slider ticks off, and maps hold absurd numbers too."""
    value = float(text)
    if math.isinf(value):
        raise ValueError("it is infinite")
    return math.nan if math.isnan(value) else value


def _format_velocity(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(value) if MAX_NUMBER < abs(value) < math.inf else format_number(value)


def parse_hit_object(line: str, offset: float, lazer: bool = False) -> HitObject:
    """One line of [HitObjects]; `lazer` asks for the curves of v128."""
    fields = _fields(line)
    flags = parse_int(fields[3])
    x, y = parse_number(fields[0]), parse_number(fields[1])
    time = parse_number(fields[2]) + offset
    sound = parse_int(fields[4]) if len(fields) > 4 and fields[4] else 0
    common = (x, y, time, bool(flags & NEW_COMBO), flags >> 4 & 7, sound)
    if flags & CIRCLE:
        return Circle(*common, _parse_sample(fields, 5))
    if flags & SLIDER:
        return _parse_slider(fields, common, lazer)
    if flags & SPINNER:
        end_time = max(time, parse_number(fields[5]) + offset)
        return Spinner(*common, _parse_sample(fields, 6), end_time=end_time)
    if flags & HOLD:
        end, _, sample = ",".join(fields[5:]).partition(":")
        end_time = max(time, parse_number(end) + offset) if end else time
        return Hold(*common, _parse_sample([sample], 0) if sample else None, end_time=end_time)
    raise ValueError(f"there is no kind of object in the type {flags}")


def format_hit_object(obj: HitObject, offset: float) -> str:
    """One line of [HitObjects]."""
    kinds = {Circle: CIRCLE, Slider: SLIDER, Spinner: SPINNER, Hold: HOLD}
    flags = kinds[type(obj)] | NEW_COMBO * obj.new_combo | (obj.combo_skip & 7) << 4
    fields = [*map(format_number, (obj.x, obj.y, obj.time - offset)), str(flags), str(obj.sound)]
    sample = _format_sample(obj.sample)
    if isinstance(obj, Slider):
        fields += _format_slider(obj)
    elif isinstance(obj, Spinner):
        fields.append(format_number(obj.end_time - offset))
    elif isinstance(obj, Hold):
        end = format_number(obj.end_time - offset)
        return ",".join([*fields, f"{end}:{sample}" if sample else end])
    return ",".join([*fields, sample] if sample else fields)


def _fields(line: str) -> list[str]:
    return [part.strip() for part in line.partition("//")[0].split(",")]


def _parse_sample(fields: list[str], at: int) -> HitSample | None:
    if len(fields) <= at or not fields[at]:
        return None
    parts = ",".join(fields[at:]).split(":")
    normal, addition, index, volume = ([parse_int(p) if p.strip() else 0 for p in parts[:4]] + [0] * 4)[:4]
    return HitSample(normal, addition, index, volume, ":".join(parts[4:]).strip())


def _format_sample(sample: HitSample | None) -> str:
    return "" if sample is None else ":".join(map(str, sample))


def _parse_slider(fields: list[str], common: _Common, lazer: bool) -> Slider:
    slides = max(1, parse_int(fields[6]))
    if slides > MAX_SLIDES:
        raise ValueError(f"{slides} slides are too many")
    path = SliderPath(_parse_path(fields[5], common[0], common[1]), lazer)
    length = max(0.0, parse_number(fields[7])) if len(fields) > 7 and fields[7] else 0.0
    slider = Slider(*common, _parse_sample(fields, 10), path=path, slides=slides, length=length)
    if len(fields) > 8 and fields[8]:
        slider.edge_sounds = [parse_int(part) for part in fields[8].split("|")]
    if len(fields) > 9 and fields[9]:
        slider.edge_sets = [_parse_edge_set(part) for part in fields[9].split("|")]
    if slider.sample or slider.edge_sets:
        _fill_edges(slider)
    return slider


def _parse_edge_set(text: str) -> tuple[int, int]:
    normal, _, addition = text.partition(":")
    return parse_int(normal), parse_int(addition.partition(":")[0] or "0")


def _fill_edges(slider: Slider) -> None:
    """Give the edges what an empty field means, so that the fields after it can be written."""
    edges = min(slider.slides + 1, MAX_FILLED_EDGES)
    slider.edge_sounds = slider.edge_sounds or [slider.sound] * edges
    if slider.sample:
        slider.edge_sets = slider.edge_sets or [(0, 0)] * edges


def _format_slider(slider: Slider) -> list[str]:
    fields = [_format_path(slider.path), str(slider.slides), format_number(slider.length)]
    sounds, sets = slider.edge_sounds, slider.edge_sets
    edges = min(slider.slides + 1, MAX_FILLED_EDGES)
    if slider.sample or sets:
        sounds = sounds or [slider.sound] * edges
    if slider.sample:
        sets = sets or [(0, 0)] * edges
    if sounds:
        fields.append("|".join(map(str, sounds)))
    if sets:
        fields.append("|".join(f"{normal}:{addition}" for normal, addition in sets))
    return fields


def _parse_path(text: str, x: float, y: float) -> tuple[PathPoint, ...]:
    """The control points of a slider line; the first letter is the head's, others the next point's."""
    points: list[PathPoint] = []
    kind: str | None = None
    for part in text.split("|"):
        if part[:1].isalpha():
            kind = part if _PATH_TYPE.fullmatch(part) else "C"  # what the game makes of unknown letters
            if not points:
                points.append(PathPoint(x, y, kind))
                kind = None
        else:
            px, _, py = part.partition(":")
            points.append(PathPoint(parse_number(px), parse_number(py), kind))
            kind = None
    if not points or points[0].type is None:
        raise ValueError("the slider has no curve type")
    return tuple(points)


def _format_path(path: SliderPath) -> str:
    parts = [path.points[0].type or "L"]
    for point in path.points[1:]:
        parts += [point.type] if point.type else []
        parts.append(f"{format_number(point.x)}:{format_number(point.y)}")
    return "|".join(parts)
