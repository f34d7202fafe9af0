"""For every check of one map: what it must find, and what it must leave alone.

A case damages (or harmlessly changes) a clean map; `severity` is the gravest finding the check
must then have, None that it must have none. Facts are those of the public ranking criteria.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from checks_maps import BEATS, at, clean_map, green, red, slider

from mapperatorinator.beatmap import (
    CATCH,
    MANIA,
    OSU,
    TAIKO,
    Beatmap,
    Break,
    Circle,
    Colour,
    HitSample,
    Hold,
    PathPoint,
    Slider,
    SliderPath,
    Spinner,
)
from mapperatorinator.checks import REGISTRY, Level, Severity, run_checks

PROBLEM, WARNING, MINOR = Severity.PROBLEM, Severity.WARNING, Severity.MINOR
EASY, NORMAL, HARD, INSANE, EXPERT, _ULTRA = Level
Change = Callable[[Beatmap], object]


@dataclass(frozen=True)
class Case:
    check: str
    severity: Severity | None
    change: Change
    mode: int = OSU
    level: Level | None = None


def _insert(bm: Beatmap, *objects: object) -> None:
    """Put objects into the map in place of those in their way."""
    times = [(o.time, max(o.time, getattr(o, "end_time", bm.end_time(o)))) for o in objects]  # type: ignore
    lo, hi = min(a for a, _ in times), max(b for _, b in times)
    bm.hit_objects = [o for o in bm.hit_objects if not lo - 1 <= o.time <= hi + 1]
    bm.hit_objects = sorted([*bm.hit_objects, *objects], key=lambda o: o.time)  # type: ignore


def _drop(bm: Beatmap, first: float, last: float) -> None:
    """Take away the objects from beat `first` up to before beat `last`."""
    bm.hit_objects = [o for o in bm.hit_objects if not at(first) <= o.time < at(last)]


def _set(**fields: object) -> Change:
    def change(bm: Beatmap) -> None:
        for name, value in fields.items():
            assert hasattr(bm, name)
            setattr(bm, name, value)

    return change


def _shift(index: int, ms: float) -> Change:
    def change(bm: Beatmap) -> None:
        bm.hit_objects[index].time += ms

    return change


def _add(*objects: object) -> Change:
    return lambda bm: _insert(bm, *objects)


def _lines(*lines: object) -> Change:
    return lambda bm: bm.timing_points.extend(lines)  # type: ignore


def _move(index: int, x: float, y: float) -> Change:
    def change(bm: Beatmap) -> None:
        bm.hit_objects[index].x, bm.hit_objects[index].y = x, y

    return change


def _mute(bm: Beatmap) -> None:
    for obj in bm.hit_objects:
        obj.sound = 0


def _at_beat(bm: Beatmap, beat: float) -> Circle:
    return next(o for o in bm.hit_objects if o.time == at(beat))  # type: ignore


def _break(start: float, end: float) -> Change:
    def change(bm: Beatmap) -> None:
        _drop(bm, 40.5, 60)
        bm.breaks.append(Break(at(40) + start, at(60) + end))

    return change


def _circles(*places: tuple[float, float, float], **fields: int) -> Change:
    """Circles (beat, x, y) in place of what is there."""
    return _add(*(Circle(x, y, at(beat), **fields) for beat, x, y in places))  # type: ignore


def _both(*changes: Change) -> Change:
    return lambda bm: [change(bm) for change in changes]


def _path(x: float, y: float, kind: str, *points: tuple[float, float], **fields: float) -> Slider:
    path = SliderPath((PathPoint(x, y, kind), *(PathPoint(*p) for p in points)))
    time = at(fields.pop("beat", 20))
    return Slider(x, y, time, path=path, length=fields.pop("length", path.natural_length()))


def _unsoft(bm: Beatmap) -> None:
    _mute(bm)
    for n in range(0, BEATS, 8):
        bm.timing_points.append(green(at(n), sample_set=2 + n // 8 % 2))


GENERAL = [
    Case("no_objects", PROBLEM, _set(hit_objects=[])),
    Case("no_objects", None, lambda bm: _drop(bm, 1, 999)),
    Case("concurrent_objects", PROBLEM, _shift(5, 400)),
    Case("concurrent_objects", PROBLEM, lambda bm: bm.hit_objects.insert(3, Circle(9, 9, at(3)))),
    Case("concurrent_objects", None, lambda bm: bm.hit_objects.insert(3, Circle(9, 9, at(3))), MANIA),
    Case(
        "concurrent_objects", PROBLEM, _add(Hold(64, 192, at(4), end_time=at(8)), Circle(64, 9, at(8))), MANIA
    ),
    Case("close_objects", PROBLEM, lambda bm: bm.hit_objects.insert(4, Circle(9, 9, at(3) + 9))),
    Case("close_objects", None, lambda bm: bm.hit_objects.insert(4, Circle(9, 9, at(3) + 10))),
    Case("close_objects", WARNING, lambda bm: bm.hit_objects.insert(1, Circle(64, 9, at(0) + 25)), MANIA),
    Case("drain_time", PROBLEM, lambda bm: _drop(bm, 70, 999)),
    Case("drain_time", None, lambda bm: _drop(bm, 77, 999)),
    Case("drain_time", PROBLEM, _both(lambda bm: _drop(bm, 30, 120), _set(breaks=[Break(at(31), at(116))]))),
    Case("invisible_slider", PROBLEM, _add(slider(100, 100, at(8), (100, 200), length=0))),
    Case("invisible_slider", PROBLEM, _add(slider(100, 100, at(8), (100, 200), length=-50))),
    Case("invisible_slider", PROBLEM, _add(_path(99, 99, "L", beat=8, length=50))),
    Case("invisible_slider", None, _add(slider(100, 100, at(8), (100, 200)))),
    Case("zero_length", PROBLEM, _add(Spinner(256, 192, at(8), end_time=at(8)))),
    Case("zero_length", PROBLEM, _add(Hold(64, 192, at(8), end_time=at(8))), MANIA),
    Case("zero_length", None, _add(Spinner(256, 192, at(8), end_time=at(10)))),
    Case(
        "abnormal_nodes", WARNING, _add(_path(0, 9, "B", *[(n % 90, n % 70) for n in range(120)], length=64))
    ),
    Case("abnormal_nodes", None, _add(_path(0, 9, "B", *[(n, n) for n in range(1, 60)], length=64))),
    Case("fractional_time", PROBLEM, _shift(5, 0.4)),
    Case("fractional_time", None, _both(_shift(5, 0.4), _set(version=128))),
    Case("negative_time", PROBLEM, _shift(0, -1400)),
    Case("negative_time", None, _shift(0, -1000)),
    Case("unsnapped", PROBLEM, _shift(5, 2)),
    Case("unsnapped", MINOR, _shift(5, -1)),
    Case("unsnapped", None, _shift(5, 400 / 7 - (400 / 7) % 1)),
    Case("unsnapped", PROBLEM, _shift(5, 400 / 11 // 1)),
    Case("unsnapped", PROBLEM, _add(slider(100, 100, at(8), (100, 240), length=137.5))),
    Case("unsnapped", None, _add(slider(100, 100, at(8), (100, 240), length=140))),
    Case("unsnapped", None, _add(Spinner(256, 192, at(8) + 13, end_time=at(10) + 7))),
    Case("kiai_unsnap", WARNING, _lines(green(at(16) + 11, effects=1))),
    Case("kiai_unsnap", MINOR, _lines(green(at(16) + 8, effects=1))),
    Case("kiai_unsnap", WARNING, _lines(green(at(16) + 8, effects=1)), TAIKO),
    Case("kiai_unsnap", None, _lines(green(at(16), effects=1), green(at(32)))),
    Case(
        "before_line", WARNING, _both(_add(slider(99, 99, at(8), (99, 199))), _lines(green(at(8) + 1, 0.5)))
    ),
    Case("before_line", None, _both(_add(slider(99, 99, at(8), (99, 199))), _lines(green(at(8), 0.5)))),
    Case("before_line", WARNING, _lines(green(at(8) - 3, 0.5)), TAIKO),
    Case("red_line_snapping", WARNING, _both(_shift(20, 350), _lines(red(at(21) - 20, 300)))),
    Case("red_line_snapping", None, _lines(red(at(20)))),
    Case("preview_time", PROBLEM, _set(preview_time=-1)),
    Case("preview_time", None, _set(preview_time=0)),
    Case("first_line", PROBLEM, _set(timing_points=[])),
    Case("first_line", PROBLEM, _lines(green(0))),
    Case("first_line", PROBLEM, _set(timing_points=[red(effects=1)])),
    Case("first_line", None, _lines(green(at(4), effects=1))),
    Case("illegal_line", PROBLEM, _set(timing_points=[red(beat_length=0)])),
    Case("illegal_line", PROBLEM, _set(timing_points=[red(meter=0)])),
    Case("illegal_line", WARNING, _set(timing_points=[red(beat_length=5)])),
    Case("illegal_line", WARNING, _lines(green(at(4), -100 / float("nan")))),
    Case("illegal_line", None, _set(timing_points=[red(meter=7)])),
    Case("concurrent_lines", PROBLEM, _lines(red())),
    Case("concurrent_lines", PROBLEM, _lines(green(at(4)), green(at(4), 2))),
    Case("concurrent_lines", MINOR, _lines(green(at(0), volume=70))),
    Case("concurrent_lines", None, _lines(green(at(0), 1.2))),
    Case("invalid_volume", PROBLEM, _lines(green(at(4), volume=4))),
    Case("invalid_volume", PROBLEM, _lines(green(at(4), volume=101))),
    Case("invalid_volume", None, _lines(green(at(4), volume=5), green(at(5), volume=100))),
    Case("unused_red_line", PROBLEM, _lines(red(at(16)))),
    Case("unused_red_line", PROBLEM, _lines(red(at(16), volume=80))),
    Case("unused_red_line", WARNING, _lines(red(at(4)))),
    Case("unused_red_line", WARNING, _lines(red(at(16), effects=8))),
    Case("unused_red_line", None, _lines(red(at(16), effects=8)), TAIKO),
    Case("unused_red_line", None, _lines(red(at(16), beat_length=300))),
    Case("unused_red_line", None, _lines(red(at(18)))),
    Case("unused_green_line", MINOR, _lines(green(at(16)))),
    Case("unused_green_line", MINOR, _lines(green(at(16), 1.5))),
    Case("unused_green_line", None, _lines(green(at(16), 1.5)), TAIKO),
    Case("unused_green_line", None, _lines(green(at(16), volume=80))),
    Case("rare_snap", WARNING, _shift(5, 66)),
    Case("rare_snap", None, _shift(5, 100)),
]

SETTINGS = [
    Case("setting_values", PROBLEM, _set(overall_difficulty=10.1)),
    Case("setting_values", PROBLEM, _set(approach_rate=-0.1)),
    Case("setting_values", PROBLEM, _set(circle_size=4.25)),
    Case("setting_values", None, _set(approach_rate=9.3, hp_drain_rate=0)),
    Case("key_count", PROBLEM, _set(circle_size=3), MANIA),
    Case("key_count", PROBLEM, _set(circle_size=11), MANIA),
    Case("key_count", None, _set(circle_size=18), MANIA),
    Case("slider_multiplier", PROBLEM, _set(slider_multiplier=3.7)),
    Case("slider_multiplier", None, _set(slider_multiplier=0.4)),
    Case("tick_rate", PROBLEM, _set(slider_tick_rate=2.5)),
    Case("tick_rate", None, _set(slider_tick_rate=1.33333)),
    Case("settings_guideline", MINOR, _set(approach_rate=9), level=HARD),
    Case("settings_guideline", None, _set(approach_rate=8, hp_drain_rate=6), level=HARD),
    Case("settings_guideline", MINOR, _set(circle_size=4.2), CATCH, INSANE),
    Case("settings_guideline_taiko", WARNING, _set(overall_difficulty=5.6), TAIKO, HARD),
    Case("settings_guideline_taiko", None, _set(hp_drain_rate=6), TAIKO, HARD),
    Case("settings_guideline_mania", WARNING, _set(overall_difficulty=8), MANIA, NORMAL),
    Case("settings_guideline_mania", None, _set(overall_difficulty=8), MANIA, HARD),
    Case("settings_for_stars", WARNING, _set(approach_rate=9.5)),
    Case("settings_for_stars", None, _set(approach_rate=4)),
    Case("score_overflow", PROBLEM, _set(hit_objects=[Circle(99, 99, 9 * n) for n in range(9000)])),
    Case("score_overflow", None, _set(hit_objects=[Circle(99, 99, 400 * n) for n in range(900)])),
    Case("default_colours", PROBLEM, _set(combo_colours=[])),
    Case("default_colours", None, _set(combo_colours=[], skin_preference="Default")),
    Case("luminosity", PROBLEM, _set(combo_colours=[Colour(0, 0, 60), Colour(99, 99, 99)])),
    Case("luminosity", WARNING, _set(combo_colours=[Colour(0, 70, 0), Colour(40, 40, 40)])),
    Case(
        "luminosity",
        WARNING,
        _both(_set(combo_colours=[Colour(255, 255, 255)] * 2), _lines(green(at(8), effects=1))),
    ),
    Case("luminosity", None, _set(combo_colours=[Colour(255, 255, 255)] * 2)),
    Case("luminosity", PROBLEM, _set(extra={"Colours": {"SliderBorder": "0,0,0"}})),
    Case("break_position", PROBLEM, _break(190, -1300)),
    Case("break_position", PROBLEM, _break(200, -900)),
    Case("break_position", None, _break(200, -1050)),
    Case("break_length", WARNING, _set(breaks=[Break(at(40) + 200, at(41) + 400)])),
    Case("break_length", None, _break(200, -1300)),
    Case("story_hitsounds", WARNING, _set(storyboard=['Sample,500,0,"clap.wav",60'])),
    Case("story_hitsounds", None, _set(storyboard=['Sprite,Background,Centre,"a.png",320,240'])),
    Case("overlay_layer", WARNING, _set(storyboard=['Sprite,Overlay,Centre,"a.png",320,240'])),
    Case("overlay_layer", None, _set(storyboard=['Sprite,Foreground,Centre,"a.png",320,240'])),
]

METADATA = [
    Case("missing_metadata", PROBLEM, _set(artist=" ")),
    Case("missing_metadata", None, _set(source="")),
    Case("romanised", PROBLEM, _set(title="Müde")),
    Case("romanised", WARNING, _set(difficulty_name="Hard ★")),
    Case("romanised", None, _set(title="Mude", title_unicode="Müde")),
    Case("field_length", PROBLEM, _set(title="a" * 82)),
    Case("field_length", None, _set(title="a" * 81)),
    Case("genre_language", WARNING, _set(tags="rock")),
    Case("genre_language", None, _set(tags="video game instrumental")),
    Case("guest_tags", WARNING, _set(difficulty_name="Somebody's Insane")),
    Case("guest_tags", None, _set(difficulty_name="Some Body's Insane", tags="rock english some_body")),
    Case("guest_tags", None, _set(difficulty_name="Mapper's Insane")),
    Case("guild_tag", MINOR, _set(tags="rock english mpg")),
    Case("guild_tag", None, _set(tags="rock english empg")),
    Case("marker_format", PROBLEM, _set(artist="A ft. B")),
    Case("marker_format", PROBLEM, _set(artist="A VS. B")),
    Case("marker_format", None, _set(artist="A feat. B", title="Left")),
    Case("marker_spacing", PROBLEM, _set(artist="A feat.B")),
    Case("marker_spacing", PROBLEM, _set(artist="A(CV: B)")),
    Case("marker_spacing", WARNING, _set(artist="A& B")),
    Case("marker_spacing", None, _set(artist="A (CV: B) & C, D", artist_unicode="甲（CV：乙）、丙")),
    Case("title_markers", PROBLEM, _set(title="Song -TV version-", title_unicode="Song -TV version-")),
    Case("title_markers", PROBLEM, _set(title="Song (TV Size)")),
    Case("title_markers", WARNING, _set(title="(TV Size) Song", title_unicode="(TV Size) Song")),
    Case("title_markers", WARNING, _set(title="S (Long Version)", title_unicode="S (Long Version)")),
    Case("title_markers", None, _set(title="Song (TV Size)", title_unicode="歌 (TV Size)")),
    Case("hit_sounds", PROBLEM, _mute),
    Case("hit_sounds", PROBLEM, lambda bm: _set(hit_objects=[*bm.hit_objects[:4], *(
        Circle(o.x, o.y, o.time, o.new_combo) for o in bm.hit_objects[4:]
    )])(bm)),
    Case("hit_sounds", WARNING, lambda bm: [setattr(o, "sound", 0) for o in bm.hit_objects[4:40]]),
    Case("hit_sounds", None, _unsoft),
    Case("muted", WARNING, lambda bm: setattr(bm.hit_objects[5], "sample", HitSample(volume=10))),
    Case("muted", MINOR, _lines(green(at(5), volume=20))),
    Case("muted", None, _lines(green(at(5), volume=21))),
    Case("common_finish", WARNING, lambda bm: [setattr(o, "sound", 4) for o in bm.hit_objects]),
    Case("common_finish", None, lambda bm: [setattr(o, "sound", 4) for o in bm.hit_objects[::4]]),
    Case("double_hitsounds", WARNING, _add(*(Circle(x, 9, at(8), sound=2) for x in (64, 192))), MANIA),
    Case("double_hitsounds", None, _add(Circle(64, 9, at(8), sound=2), Circle(192, 9, at(8))), MANIA),
]  # fmt: skip

STANDARD = [
    Case("offscreen", PROBLEM, _move(5, 256, 400)),
    Case("offscreen", PROBLEM, _add(_path(60, 60, "B", (-300, 60), (-300, 300), (60, 300)))),
    Case("offscreen", PROBLEM, _circles(*((8 + n / 4, -24, -18) for n in range(6)))),
    Case("offscreen", None, _circles((8, -24, -18), (9, 512, 384), (10, 0, 384))),
    Case("ninja_spinner", PROBLEM, _add(Spinner(256, 192, at(8), end_time=at(9)))),
    Case("ninja_spinner", WARNING, _add(Spinner(256, 192, at(8), end_time=at(8) + 500))),
    Case("ninja_spinner", None, _add(Spinner(256, 192, at(8), end_time=at(10)))),
    Case("slider_only_section", MINOR, _add(*(slider(99, 99, at(8 + 2 * n), (99, 199)) for n in range(8))), level=EASY),
    Case("slider_only_section", None, _add(*(slider(99, 99, at(8 + 2 * n), (99, 199)) for n in range(6))), level=EASY),
    Case("obscured_reverse", WARNING, _add(Circle(99, 199, at(8)), slider(99, 99, at(9), (99, 199), slides=2))),
    Case("obscured_reverse", None, _add(Circle(300, 199, at(8)), slider(99, 99, at(9), (99, 199), slides=2))),
    Case("abnormal_spacing", PROBLEM,
         _circles(*((8 + n / 4, 20 + 20 * (n % 2), 99) for n in range(24)), (14, 420, 99))),
    Case("abnormal_spacing", MINOR, _circles(*((8 + n / 4, 20 + 90 * (n % 2), 99) for n in range(12)), (11, 310, 99))),
    Case("abnormal_spacing", None, _circles(*((8 + n / 4, 20 + 90 * (n % 2), 99) for n in range(12)), (11, 180, 99))),
    Case("ambiguous_slider", WARNING, _add(_path(99, 99, "L", (99, 299), (299, 299), (101, 99), length=680))),
    Case("ambiguous_slider", None, _add(_path(99, 99, "L", (99, 299), (299, 299)))),
    Case("burai", WARNING, _add(_path(99, 99, "B", (400, 99), (400, 99), (99, 99)))),
    Case("burai", None, _add(_path(99, 99, "B", (300, 10), (400, 300), (200, 300)))),
    Case("stack_leniency", PROBLEM, _both(_circles((8, 99, 99), (8.5, 99, 99)), _set(stack_leniency=0)), level=EASY),
    Case("stack_leniency", WARNING, _both(_circles((8, 99, 99), (8.2, 99, 99)), _set(stack_leniency=0)), level=INSANE),
    Case("stack_leniency", PROBLEM, _both(_circles((8, 99, 99), (8.5, 101, 99)), _set(stack_leniency=0)), level=EASY),
    Case("stack_leniency", None, _circles((8, 99, 99), (8.5, 99, 99)), level=EASY),
    Case("hard_rock_stack", MINOR, _both(_circles((8, 99, 99), (8.2, 99, 99)), _set(stack_leniency=0.06))),
    Case("hard_rock_stack", None, _circles((8, 99, 99), (8.2, 99, 99))),
    Case("multiple_reverses", PROBLEM, _add(slider(99, 99, at(8), (99, 120), slides=3)), level=EASY),
    Case("multiple_reverses", WARNING, _add(slider(99, 99, at(8), (99, 134), slides=3)), level=EASY),
    Case("multiple_reverses", None, _add(slider(99, 99, at(8), (99, 134), slides=3)), level=NORMAL),
    Case("short_slider", WARNING, _add(slider(99, 99, at(8), (99, 140))), level=EASY),
    Case("short_slider", None, _add(slider(99, 99, at(8), (99, 169))), level=EASY),
    Case("spinner_recovery", PROBLEM, _add(Spinner(256, 192, at(8), end_time=at(10))), level=EASY),
    Case("spinner_recovery", WARNING,
         _both(_add(Spinner(256, 192, at(8), end_time=at(14))), lambda bm: _drop(bm, 14.5, 15)), level=EASY),
    Case("spinner_recovery", None,
         _both(_add(Spinner(256, 192, at(8), end_time=at(14))), lambda bm: _drop(bm, 14.5, 18)), level=EASY),
    Case("space_variation", WARNING,
         _circles(*((8 + n, 50 + 50 * n, 99) for n in range(5)), (13, 400, 99)), level=EASY),
    Case("space_variation", None, _set(), level=EASY),
]  # fmt: skip


def _pattern(*notes: tuple[float, int], **fields: int) -> Change:
    """Taiko notes (beat, sound) in place of what is there."""
    return _add(*(Circle(256, 192, at(beat), sound=sound) for beat, sound in notes))


TAIKO_CASES = [
    Case("taiko_small_gap", WARNING, _pattern((8, 0), (8.25, 0)), TAIKO, NORMAL),
    Case("taiko_small_gap", None, _pattern((8, 0), (8.5, 0)), TAIKO, EASY),
    Case("taiko_spinner_gap", MINOR, _add(Circle(9, 9, at(8)), Spinner(9, 9, at(8.25), end_time=at(12))), TAIKO, HARD),
    Case("taiko_spinner_gap", None, _add(Circle(9, 9, at(8)), Spinner(9, 9, at(8.5), end_time=at(12))), TAIKO, HARD),
    Case("taiko_finisher", PROBLEM, _pattern((8, 0), (8.25, 12), (8.5, 0)), TAIKO, HARD),
    Case("taiko_finisher", PROBLEM, _pattern((8, 0), (8.25, 4), (8.5, 0)), TAIKO, INSANE),
    Case("taiko_finisher", WARNING, _pattern((8, 0), (8.25, 12), (8.5, 0)), TAIKO, EXPERT),
    Case("taiko_finisher", None, _pattern((8, 0), (8.25, 0), (8.5, 12)), TAIKO, INSANE),
    Case("taiko_finisher", None, _pattern((8, 4)), TAIKO, EASY),
    Case("taiko_rest", WARNING, _pattern(*((n, 0) for n in range(64))), TAIKO, NORMAL),
    Case("taiko_rest", None, _set(), TAIKO, NORMAL),
    Case("taiko_last_barline", PROBLEM,
         _both(lambda bm: _drop(bm, 90, 999), _pattern((89, 0)), lambda bm: bm.hit_objects.append(
        Circle(256, 192, at(92) - 1))), TAIKO),
    Case("taiko_last_barline", None, _set(), TAIKO),
    Case("taiko_barline_speed", WARNING, _lines(green(at(8) + 2, 1.5)), TAIKO),
    Case("taiko_barline_speed", None, _lines(green(at(8), 1.5)), TAIKO),
    Case("taiko_close_barlines", PROBLEM, _lines(red(at(9))), TAIKO),
    Case("taiko_close_barlines", WARNING, _lines(red(at(11))), TAIKO),
    Case("taiko_close_barlines", None, _lines(red(at(12), 300), red(at(12) + 9 * 300 + 900, effects=8)), TAIKO),
    Case("taiko_kiai_flash", WARNING, _lines(green(at(8), effects=1), green(at(8.25))), TAIKO),
    Case("taiko_kiai_flash", MINOR, _lines(green(at(8), effects=1), green(at(8.5))), TAIKO),
    Case("taiko_kiai_flash", None, _lines(green(at(8), effects=1), green(at(16))), TAIKO),
    Case("taiko_scroll_change", WARNING, _lines(green(at(8), 1.5), green(at(16))), TAIKO, EASY),
    Case("taiko_scroll_change", None, _lines(red(at(16), 200), green(at(16), 0.5)), TAIKO, EASY),
]  # fmt: skip


def _fruits(*fruits: tuple[float, float], **fields: bool) -> Change:
    """Fruits (beat, x) in place of what is there."""
    return _add(*(Circle(x, 192, at(beat)) for beat, x in fruits))


# Half the catcher is 64.6 px wide at CS 3.5; a beat is 400 ms, so 400 + 64.6 px are a dash away.
FAST_STREAM = _both(
    _add(slider(20, 192, at(8), (470, 192), slides=2)), _lines(green(at(8), 4.0), green(at(10), 1.0))
)
RAIN = [(8 + n / 2, 20 + 450 * (n % 2)) for n in range(6)]

CATCH_CASES = [
    Case("catch_hyperdash", PROBLEM, _fruits((8, 20), (8.5, 500)), CATCH, NORMAL),
    Case("catch_hyperdash", PROBLEM, FAST_STREAM, CATCH, HARD),
    Case("catch_hyperdash", None, _fruits((8, 20), (8.5, 500)), CATCH, HARD),
    Case("catch_hyperdash", None, _fruits((8, 20), (9, 480)), CATCH, NORMAL),
    Case("catch_hyperdash_gap", PROBLEM, _fruits((8, 20), (8.25, 400)), CATCH, HARD),
    Case("catch_hyperdash_gap", None, _fruits((8, 20), (8.25, 400)), CATCH, INSANE),
    Case("catch_hyperdash_run", PROBLEM, _fruits(*RAIN), CATCH, HARD),
    Case("catch_hyperdash_run", None, _fruits(*RAIN[:2]), CATCH, HARD),
    Case("catch_dash", WARNING, _fruits((8, 20), (9, 400)), CATCH, EASY),
    Case("catch_dash", None, _fruits((8, 20), (9, 400)), CATCH, NORMAL),
    Case("catch_edge_dash", PROBLEM, _fruits((8, 20), (9, 478)), CATCH, HARD),
    Case("catch_edge_dash", WARNING, _fruits((8, 20), (9, 478)), CATCH, INSANE),
    Case("catch_edge_dash", MINOR, _fruits((8, 20), (9, 450)), CATCH, HARD),
    Case("catch_edge_dash", None, _fruits((8, 20), (9, 400)), CATCH, HARD),
    Case("catch_platter_antiflow", WARNING, _fruits((8, 20), (8.5, 400), (9, 300)), CATCH, HARD),
    Case("catch_platter_antiflow", None, _fruits((8, 20), (8.5, 400), (9, 480)), CATCH, HARD),
    Case("catch_rain_mixed_snaps", WARNING, _fruits((8, 0), (8.5, 400), (8.9, 10)), CATCH, INSANE),
    Case("catch_rain_mixed_snaps", None, _fruits((8, 0), (8.5, 400), (9, 10)), CATCH, INSANE),
    Case("catch_rain_slider_hyperdash", WARNING, FAST_STREAM, CATCH, INSANE),
    Case("catch_rain_slider_hyperdash", None, _fruits(*RAIN), CATCH, INSANE),
    Case("catch_spinner_gap", PROBLEM,
         _add(Circle(9, 9, at(8)), Spinner(9, 9, at(8.25), end_time=at(12))), CATCH, HARD),
    Case("catch_spinner_gap", PROBLEM,
         _add(Spinner(9, 9, at(8), end_time=at(12)), Circle(9, 9, at(12.5))), CATCH, HARD),
    Case("catch_spinner_gap", None, _add(Circle(9, 9, at(8)), Spinner(9, 9, at(8.25), end_time=at(12))), CATCH, EXPERT),
    Case("catch_no_spinner", MINOR, lambda bm: bm.hit_objects.pop(), CATCH),
    Case("catch_no_spinner", None, _set(), CATCH),
    Case("catch_max_combo", MINOR,
         lambda bm: [setattr(o, "new_combo", k % 17 == 0) for k, o in enumerate(bm.hit_objects)], CATCH, INSANE),
    Case("catch_max_combo", WARNING,
         lambda bm: [setattr(o, "new_combo", False) for o in bm.hit_objects], CATCH, INSANE),
    Case("catch_max_combo", None, _set(), CATCH, EASY),
]  # fmt: skip

MANIA_CASES = [
    Case("mania_columns", PROBLEM, lambda bm: [setattr(o, "x", 320) for o in bm.hit_objects if o.x < 128], MANIA),
    Case("mania_columns", WARNING, lambda bm: [setattr(o, "x", 320) for o in bm.hit_objects[::8]], MANIA),
    Case("mania_columns", None, _set(), MANIA),
    Case("mania_hold_length", PROBLEM, _add(Hold(64, 192, at(8), end_time=at(8) + 19)), MANIA),
    Case("mania_hold_length", WARNING, _add(Hold(64, 192, at(8), end_time=at(8) + 29)), MANIA),
    Case("mania_hold_length", None, _add(Hold(64, 192, at(8), end_time=at(8) + 30)), MANIA),
    Case("mania_chord", WARNING, _add(*(Circle(x, 9, at(8)) for x in (64, 192, 320))), MANIA, EASY),
    Case("mania_chord", None, _add(*(Circle(x, 9, at(8)) for x in (64, 192, 320))), MANIA, HARD),
]  # fmt: skip

CASES = GENERAL + SETTINGS + METADATA + STANDARD + TAIKO_CASES + CATCH_CASES + MANIA_CASES


def _name(case: Case) -> str:
    return f"{case.check}-{case.severity or 'nothing'}"


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_case(case: Case) -> None:
    bm = clean_map(case.mode)
    case.change(bm)
    bm.timing_points.sort(key=lambda line: (line.time, not line.uninherited))
    found = run_checks(bm, ids=[case.check], level=case.level)
    assert max((issue.severity for issue in found), default=None) == case.severity, [str(i) for i in found]


def test_every_check_of_a_map_has_cases_both_ways() -> None:
    maps = {rule.id for rule in REGISTRY.values() if rule.map_rule and not rule.needs_audio} - {"file_name"}
    found = {case.check for case in CASES if case.severity is not None}
    spared = {case.check for case in CASES if case.severity is None}
    assert maps - found == set() and maps - spared == set()
