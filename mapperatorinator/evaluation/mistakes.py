"""Mistakes as mappers make them, planted into human maps to see whether modding finds them."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np

from mapperatorinator.beatmap import Beatmap, Circle, HitObject, Hold, Slider
from mapperatorinator.beatmap.path import SliderPath
from mapperatorinator.modding import Topic

APART_MS = 3000.0  # between two mistakes in one map
OFFSET_MS, TEMPO_SHARE = 15.0, 0.003
_NEAREST, _FARTHEST = 80.0, 200.0  # px by which an object is displaced
_AT_MS = 3.0


@dataclass(frozen=True)
class Mistake:
    """One planted mistake: its kind, and the times in ms and topics at which a suggestion counts as finding it."""

    kind: str
    times: tuple[float, ...]
    topics: frozenset[Topic]

    def found_by(self, time: float | None, topic: Topic) -> bool:
        """Whether a suggestion at that time about that topic points at it."""
        return topic in self.topics and (not self.times or any(abs((time or 0.0) - t) <= _AT_MS for t in self.times))


_SNAPPING = frozenset({Topic.RHYTHM, Topic.EXTRA, Topic.MISSING, Topic.RULES})
_PLACES = frozenset({Topic.PLACES, Topic.SLIDERS})
_TIMING = frozenset({Topic.TIMING})
LOCAL = {
    0: ("1/4 early", "wrong snap", "displaced", "new combo", "odd slider", "hitsound", "deleted"),
    1: ("1/4 early", "wrong snap", "deleted"),
    2: ("1/4 early", "wrong snap", "displaced", "new combo", "odd slider", "hitsound", "deleted"),
    3: ("1/4 early", "wrong snap", "displaced", "hitsound", "deleted"),
}
GLOBAL = ("offset", "tempo")


def plant(beatmap: Beatmap, each: int, rng: np.random.Generator) -> tuple[Beatmap, list[Mistake]]:
    """A copy of a map with up to `each` local mistakes of every kind that its mode has, none near another."""
    made = deepcopy(beatmap)
    made.hit_objects.sort(key=lambda obj: obj.time)
    mistakes: list[Mistake] = []
    used: list[float] = []
    gone: list[HitObject] = []
    for kind in LOCAL[beatmap.mode] * each:
        for i in rng.permutation(np.arange(3, max(len(made.hit_objects) - 3, 3))):
            obj = made.hit_objects[i]
            if any(abs(obj.time - time) < APART_MS for time in used):
                continue
            mistake = _PLANTERS[kind](made, int(i), rng)
            if mistake is not None:
                mistakes.append(mistake)
                used += mistake.times
                gone += [obj] if kind == "deleted" else []
                break
    made.hit_objects = [obj for obj in made.hit_objects if not any(obj is other for other in gone)]
    made.hit_objects.sort(key=lambda obj: obj.time)
    return made, mistakes


def mistimed(beatmap: Beatmap, kind: str, rng: np.random.Generator) -> tuple[Beatmap, Mistake]:
    """A copy of a map whose red lines, and all objects with them, are 15 ms off ("offset") or 0.3 % too slow or fast."""
    sign = float(rng.choice([-1.0, 1.0]))
    first = beatmap.red_lines()[0].time
    stretch = 1.0 + (sign * TEMPO_SHARE if kind == "tempo" else 0.0)
    shift = sign * OFFSET_MS if kind == "offset" else 0.0

    def moved(time: float) -> float:
        return first + (time - first) * stretch + shift

    made = deepcopy(beatmap)
    made.timing_points = [
        replace(line, time=moved(line.time), beat_length=line.beat_length * (stretch if line.uninherited else 1.0))
        for line in made.timing_points
    ]
    for obj in made.hit_objects:
        obj.time = moved(obj.time)
        if hasattr(obj, "end_time"):
            obj.end_time = moved(obj.end_time)
    made.breaks = [type(rest)(moved(rest.start), moved(rest.end)) for rest in made.breaks]
    return made, Mistake(kind, (), _TIMING)


def _alone(beatmap: Beatmap, i: int) -> bool:
    """Whether nothing else starts with the object, and it is a circle."""
    objects = beatmap.hit_objects
    return isinstance(objects[i], Circle) and objects[i + 1].time - objects[i].time > 5 < objects[i].time - objects[i - 1].time


def _moved(beatmap: Beatmap, i: int, by: float, kind: str) -> Mistake | None:
    obj, before, after = (beatmap.hit_objects[k] for k in (i, i - 1, i + 1))
    beat = beatmap.timing_at(obj.time)[0].beat_length
    time = float(round(obj.time + by))
    free = beatmap.end_time(before) + beat / 10 < time < after.time - beat / 10
    if not _alone(beatmap, i) or not free:
        return None
    was, obj.time = obj.time, time
    return Mistake(kind, (was, time), _SNAPPING)


def _early(beatmap: Beatmap, i: int, rng: np.random.Generator) -> Mistake | None:
    return _moved(beatmap, i, -beatmap.timing_at(beatmap.hit_objects[i].time)[0].beat_length / 4, "1/4 early")


def _unsnapped(beatmap: Beatmap, i: int, rng: np.random.Generator) -> Mistake | None:
    """A third for a quarter, a sixth, or an eighth off."""
    share = float(rng.choice([1 / 12, -1 / 12, 1 / 6, -1 / 6, 1 / 8, -1 / 8]))
    return _moved(beatmap, i, share * beatmap.timing_at(beatmap.hit_objects[i].time)[0].beat_length, "wrong snap")


def _displaced(beatmap: Beatmap, i: int, rng: np.random.Generator) -> Mistake | None:
    obj, after = beatmap.hit_objects[i], beatmap.hit_objects[i + 1]
    if beatmap.mode == 3:
        taken = {beatmap.column(other) for other in beatmap.hit_objects
                 if other.time - 200 < obj.time < beatmap.end_time(other) + 200}  # fmt: skip
        free = [column for column in range(beatmap.keys) if column not in taken]
        if not free or isinstance(obj, Hold):
            return None
        obj.x = float((int(rng.choice(free)) + 0.5) * 512 / beatmap.keys)
        return Mistake("displaced", (obj.time, after.time), _PLACES)
    if not _alone(beatmap, i):
        return None
    for _ in range(100):
        x, y = (float(round(v)) for v in rng.uniform((0, 0), (512, 384)))
        if _NEAREST <= (np.hypot(x - obj.x, 0.0 if beatmap.mode == 2 else y - obj.y)) <= _FARTHEST:
            obj.x, obj.y = x, y
            return Mistake("displaced", (obj.time, after.time), _PLACES)
    return None


def _new_combo(beatmap: Beatmap, i: int, rng: np.random.Generator) -> Mistake | None:
    obj = beatmap.hit_objects[i]
    if not isinstance(obj, (Circle, Slider)):
        return None
    obj.new_combo = not obj.new_combo
    return Mistake("new combo", (obj.time,), frozenset({Topic.PLACES}))


def _odd_slider(beatmap: Beatmap, i: int, rng: np.random.Generator) -> Mistake | None:
    """A zigzag over the same length."""
    obj, after = beatmap.hit_objects[i], beatmap.hit_objects[i + 1]
    if not isinstance(obj, Slider) or obj.length < 60:
        return None
    heading, step = rng.uniform(0, 2 * np.pi), obj.length / 3
    points = [(obj.x, obj.y)]
    for turn in (0.0, float(rng.uniform(1.2, 2.4)), float(rng.uniform(-2.4, -1.2))):
        heading += turn
        points.append((points[-1][0] + step * np.cos(heading), points[-1][1] + step * np.sin(heading)))
        points.append(points[-1])
    obj.path = SliderPath.of("B", [(float(np.clip(x, 0, 512)), float(np.clip(y, 0, 384))) for x, y in points[:-1]])
    return Mistake("odd slider", (obj.time, after.time), _PLACES)


def _hitsound(beatmap: Beatmap, i: int, rng: np.random.Generator) -> Mistake | None:
    obj = beatmap.hit_objects[i]
    if not obj.sound & 14 or not isinstance(obj, Circle):
        return None
    obj.sound &= ~14
    return Mistake("hitsound", (obj.time,), frozenset({Topic.HITSOUNDS}))


def _deleted(beatmap: Beatmap, i: int, rng: np.random.Generator) -> Mistake | None:
    return Mistake("deleted", (beatmap.hit_objects[i].time,), _SNAPPING) if _alone(beatmap, i) else None


_PLANTERS: dict[str, Callable[[Beatmap, int, np.random.Generator], Mistake | None]] = {
    "1/4 early": _early, "wrong snap": _unsnapped, "displaced": _displaced, "new combo": _new_combo,
    "odd slider": _odd_slider, "hitsound": _hitsound, "deleted": _deleted,
}  # fmt: skip
