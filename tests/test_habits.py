"""What a map makes one expect by itself: it recalls what it does elsewhere, and never what is asked."""

from __future__ import annotations

import json

import numpy as np
import pytest
from checks_maps import clean_map
from hypothesis import given, settings
from hypothesis import strategies as st

from mapperatorinator.beatmap import Beatmap
from mapperatorinator.events import beatmap_to_events
from mapperatorinator.mapper.grid.canvas import Canvas
from mapperatorinator.mapper.grid.habits import FEATURES, TABLE, Memory, joined
from mapperatorinator.mapper.grid.surprise import HABITS, Seen
from mapperatorinator.mapper.grid.ticks import TickGrid
from mapperatorinator.timing import Timing


def canvas_of(beatmap: Beatmap) -> Canvas:
    grid = TickGrid.of(Timing.from_beatmap(beatmap), 0.0, max(obj.time for obj in beatmap.hit_objects) + 1000)
    return Canvas.of(beatmap_to_events(beatmap), beatmap.mode, grid)


def test_the_table_has_every_aspect() -> None:
    aspects = json.loads(TABLE.read_text(encoding="utf-8"))["aspects"]
    assert set(aspects) == set(HABITS) and all(len(weights) == FEATURES + 2 for weights in aspects.values())
    assert all(min(weights[:FEATURES]) >= 0 for weights in aspects.values())


@pytest.mark.parametrize("mode", [0, 3])
def test_what_is_missing_is_recalled(mode: int) -> None:
    """Of a map that repeats itself an object is taken away; the map itself asks for it back."""
    beatmap = clean_map(mode)
    middle = beatmap.hit_objects[len(beatmap.hit_objects) // 2].time
    whole, seen = canvas_of(beatmap), Seen.of(canvas_of(beatmap))
    chance = np.exp(Memory(whole).recall("start", *seen.values("start"), seen.starts))[:, 1]
    beatmap.hit_objects = [obj for obj in beatmap.hit_objects if obj.time != middle]
    canvas = canvas_of(beatmap)
    gone = canvas.grid.nearest([middle])
    after = np.exp(Memory(canvas).recall("start", *Seen.of(canvas).values("start"), gone))[0, 1]
    assert after > 0.8 and np.median(chance) > 0.8


def test_an_object_put_elsewhere_is_expected_where_it_was() -> None:
    beatmap = clean_map(0)
    moved = beatmap.hit_objects[60]
    was = moved.time
    moved.time -= 100.0  # a quarter
    canvas = canvas_of(beatmap)
    rows = canvas.grid.nearest([was, moved.time])
    scores = Memory(canvas).recall("start", *Seen.of(canvas).values("start"), rows, rows[[1, 1]])
    assert scores[0, 1] - scores[0, 0] > 0 > scores[1, 1] - scores[1, 0]


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 479), st.integers(0, 7))
def test_an_answer_never_depends_on_what_is_asked(seed: int, at: int, other: int) -> None:
    rng = np.random.default_rng(seed)
    canvas = Canvas.empty(0, TickGrid.of(Timing.constant(120, 0), 0.0, 19_999))
    canvas.columns["kind"][:] = rng.random(len(canvas.grid)) < 0.2
    canvas.columns["kind"][at] = 1
    sounds = np.where(canvas.columns["kind"] > 0, rng.integers(0, 8, len(canvas.grid)), -1)
    before = Memory(canvas).recall("sound", sounds, 8, np.array([at]))
    sounds[at] = other
    np.testing.assert_allclose(before, Memory(canvas).recall("sound", sounds, 8, np.array([at])))
    asked = Memory(canvas).recall("start", canvas.starts().astype(np.intp), 2, np.array([at]))
    canvas.columns["kind"][at] = 0
    np.testing.assert_allclose(asked, Memory(canvas).recall("start", canvas.starts().astype(np.intp), 2, np.array([at])))


def test_what_is_odd_to_both_is_odder() -> None:
    sure, unsure = np.log([[0.95, 0.05]]), np.log([[0.5, 0.5]])
    assert joined(sure, sure)[0, 1] < joined(sure, unsure)[0, 1] < joined(unsure, unsure)[0, 1]
    np.testing.assert_allclose(np.exp(joined(sure, unsure)).sum(), 1.0)
