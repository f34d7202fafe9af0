"""A last resort for silence: sections without any hit sound get whistles on their downbeats."""

from __future__ import annotations

from dataclasses import replace

from mapperatorinator.beatmap import CATCH, OSU, Beatmap, HitObject, Slider, Spinner
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
