"""Hit sounds that are there and not doubled: a last resort for silence, and chords that sound once."""

from __future__ import annotations

import math
from dataclasses import replace

from mapperatorinator.beatmap import CATCH, MANIA, OSU, Beatmap, HitObject, Slider, Spinner
from mapperatorinator.checks.hitsounds import SILENCE_WARNING
from mapperatorinator.checks.samples import ADDITIONS

WHISTLE = 2


def fill_silence(bm: Beatmap) -> Beatmap:
    """Return an osu! or catch map in which no twelve seconds go by without a hit sound."""
    if bm.mode not in (OSU, CATCH):
        return bm
    longest, _ = SILENCE_WARNING
    objects = list(bm.hit_objects)
    last = objects[0].time - longest if objects else 0.0
    for i, obj in enumerate(objects):
        if isinstance(obj, Spinner):
            continue
        if _sounds(obj):
            last = obj.time
        elif obj.time - last >= longest / 2 and (
            _on_downbeat(bm, obj.time) or obj.time - last >= longest * 0.8
        ):
            objects[i] = _whistling(obj)
            last = obj.time
    return replace(bm, hit_objects=objects)


def sound_once(bm: Beatmap) -> Beatmap:
    """Return a mania map in which no two notes of a chord play the same addition, which would double its volume.

    Other modes are returned as they are; objects must be in order of time.
    """
    if bm.mode != MANIA:
        return bm
    objects: list[HitObject] = []
    time, played = -math.inf, 0
    for obj in bm.hit_objects:
        if obj.time != time:
            time, played = obj.time, 0
        again = obj.sound & played
        played |= obj.sound & ADDITIONS
        objects.append(replace(obj, sound=obj.sound & ~again) if again else obj)
    return replace(bm, hit_objects=objects)


def _sounds(obj: HitObject) -> bool:
    edges = obj.edge_sounds if isinstance(obj, Slider) else []
    return any(sound & ADDITIONS for sound in (edges or [obj.sound]))


def _on_downbeat(bm: Beatmap, time: float) -> bool:
    red = bm.timing.red_at(time)
    measure = red.ms_per_beat * max(red.meter, 1)
    phase = (time - red.time) % measure
    return min(phase, measure - phase) < 3


def _whistling(obj: HitObject) -> HitObject:
    if isinstance(obj, Slider) and obj.edge_sounds:
        return replace(obj, edge_sounds=[obj.edge_sounds[0] | WHISTLE, *obj.edge_sounds[1:]])
    return replace(obj, sound=obj.sound | WHISTLE)
