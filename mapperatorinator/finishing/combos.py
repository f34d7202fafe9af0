"""New combos: at the start, behind breaks and spinners, and often enough that colours mean something."""

from __future__ import annotations

from dataclasses import replace

from mapperatorinator.beatmap import CATCH, OSU, Beatmap, HitObject, Spinner, TimingPoint

LONGEST = 16
SHORTEST_SPLIT = 4  # objects on each side of a new combo set here
ON_BEAT_MS = 3.0


def tidy_combos(bm: Beatmap) -> Beatmap:
    """Return an osu! or catch map with sane new combos; other modes as they are (breaks must be set)."""
    if bm.mode not in (OSU, CATCH):
        return bm
    starts = {i for i, obj in enumerate(bm.hit_objects) if _begins(bm, i, obj)}
    bounds = [*sorted(starts | {0}), len(bm.hit_objects)]
    for first, last in zip(bounds, bounds[1:], strict=False):
        starts.update(_splits(bm, first, last))
    objects = [
        obj if obj.new_combo == (i in starts) else replace(obj, new_combo=i in starts)
        for i, obj in enumerate(bm.hit_objects)
    ]
    return replace(bm, hit_objects=objects)


def _begins(bm: Beatmap, i: int, obj: HitObject) -> bool:
    """Whether a combo begins at object `i`, as the map says or as the game demands."""
    if i == 0 or obj.new_combo or isinstance(obj, Spinner):
        return True
    before = bm.hit_objects[i - 1]
    return isinstance(before, Spinner) or any(before.time < pause.start < obj.time for pause in bm.breaks)


def _splits(bm: Beatmap, first: int, last: int) -> list[int]:
    """Where to cut the combo of the objects first..last-1 so that none is longer than 16."""
    cuts = []
    while last - first > LONGEST:
        stop = min(first + LONGEST, last - SHORTEST_SPLIT)
        choices = range(first + SHORTEST_SPLIT, max(stop, first + SHORTEST_SPLIT) + 1)
        first = max(choices, key=lambda i: (_weight(bm, bm.hit_objects[i].time), i))
        cuts.append(first)
    return cuts


def _weight(bm: Beatmap, time: float) -> int:
    """2 on a downbeat, 1 on a beat, 0 elsewhere."""
    red: TimingPoint = bm.timing.red_at(time)
    for weight, step in ((2, red.ms_per_beat * max(red.meter, 1)), (1, red.ms_per_beat)):
        phase = (time - red.time) % step
        if min(phase, step - phase) <= ON_BEAT_MS:
            return weight
    return 0
