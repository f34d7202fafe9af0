"""Small maps that pass every check, for tests to damage."""

from __future__ import annotations

import math

from mapperatorinator.beatmap import (
    CATCH,
    MANIA,
    OSU,
    TAIKO,
    Beatmap,
    Circle,
    Colour,
    HitObject,
    Slider,
    SliderPath,
    Spinner,
    TimingPoint,
)

START, BEAT, BEATS = 1000.0, 400.0, 160  # 150 BPM, 64 s


def at(beat: float) -> float:
    """Time in ms of a beat of the small maps."""
    return START + beat * BEAT


def red(time: float = START, beat_length: float = BEAT, **fields: int) -> TimingPoint:
    return TimingPoint(time, beat_length, **{"volume": 60, **fields})  # type: ignore[arg-type]


def green(time: float, velocity: float = 1.0, **fields: int) -> TimingPoint:
    return TimingPoint(time, -100 / velocity, **{"volume": 60, "uninherited": False, **fields})  # type: ignore[arg-type]


def slider(x: float, y: float, time: float, to: tuple[float, float], slides: int = 1, length: float | None = None) -> Slider:
    path = SliderPath.of("L", [(x, y), to])
    return Slider(x, y, time, path=path, slides=slides, length=math.dist((x, y), to) if length is None else length)


def _objects(mode: int) -> list[HitObject]:
    objects: list[HitObject] = []
    for k in range(0, BEATS, 2 if mode == TAIKO else 1):
        sound = (8 if k % 4 == 2 else 0) if mode != CATCH else (2 if k % 2 else 0)
        if mode == MANIA:
            objects.append(Circle((k % 4 + 0.5) * 128, 192, at(k), sound=sound if k % 8 == 2 else 0))
        elif mode == CATCH:
            objects.append(Circle(256 + 20 * (k % 2), 192, at(k), new_combo=k % 4 == 0, sound=sound))
        else:
            angle = k * 0.7
            x, y = round(256 + 120 * math.cos(angle)), round(192 + 120 * math.sin(angle))
            objects.append(Circle(x, y, at(k), new_combo=k % 4 == 0, sound=sound))
    if mode == TAIKO:  # a rest of four beats every 32 beats
        objects = [obj for obj in objects if (obj.time - START) / BEAT % 32 < 28]
    if mode == CATCH:
        objects.append(Spinner(256, 192, at(BEATS + 2), end_time=at(BEATS + 6)))
    return objects


NAMES = ("Hard", "Muzukashii", "Platter", "Hard")  # per mode


def clean_map(mode: int = OSU, name: str | None = None) -> Beatmap:
    """A map of the mode in which no check finds anything of weight."""
    osu_like = mode in (OSU, CATCH)
    return Beatmap(
        mode=mode, audio_filename="audio.mp3", preview_time=at(32), title="Song", title_unicode="Song",
        artist="Band", artist_unicode="Band", creator="Mapper", difficulty_name=name or NAMES[mode],
        tags="rock english", hp_drain_rate=6 if mode == TAIKO else 5, circle_size=4 if mode == MANIA else 3.5 if mode == CATCH else 4,
        overall_difficulty=5 if mode == TAIKO else 6, approach_rate=6 if osu_like else 5,
        combo_colours=[Colour(255, 128, 64), Colour(64, 128, 255)], timing_points=[red()],
        hit_objects=_objects(mode),
    )  # fmt: skip
