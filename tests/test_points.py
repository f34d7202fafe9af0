"""Placing of circles and sliders: places on the field, asked lengths, kept objects, one seed one map."""

from __future__ import annotations

import math
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapperatorinator import weights
from mapperatorinator.beatmap import read_beatmap
from mapperatorinator.beatmap.path import SliderPath
from mapperatorinator.mapper.grid import densities, spacing
from mapperatorinator.mapper.grid.draft import Conditions, Draft, DraftKind
from mapperatorinator.mapper.grid.reading import read_drafts
from mapperatorinator.mapper.grid.shapes import Alphabet, Shape, arc_bend, own_frame

needs_model = pytest.mark.skipif(not weights.available("points"), reason="the package carries no placing network")
BEAT = 350.0


@pytest.fixture(scope="module")
def alphabet() -> Alphabet:
    """A small alphabet of our own: two arcs, one kinked template."""
    kinked = np.array([[0.0, 0.0], [0.5, 0.0], [0.5, 0.0], [0.5, 0.5]])
    return Alphabet(np.array([0.1, 1.0, 6.2]), (kinked,))


def song(seed: int, n: int = 60) -> list[Draft]:
    """A rhythm of circles, sliders with repeats, and a spinner, a quarter to two beats apart."""
    rng = np.random.default_rng(seed)
    drafts, tick = [], 0
    for i in range(n):
        time = 1000 + tick * BEAT / 12
        kind = DraftKind(int(rng.choice([0, 0, 1]))) if i != n // 2 else DraftKind.SPINNER
        draft = Draft(tick, time, kind, time, BEAT, new_combo=i % 6 == 0)
        length = int(rng.choice([3, 6, 12]))
        if kind == DraftKind.SLIDER:
            draft.slides = int(rng.integers(1, 4))
            draft.length = length / 12 * 140.0
            draft.end_time = time + draft.slides * length / 12 * BEAT
            tick += draft.slides * length
        elif kind == DraftKind.SPINNER:
            draft.end_time = time + 4 * BEAT
            tick += 48
        drafts.append(draft)
        tick += int(rng.choice([3, 6, 6, 12]))
    return drafts


@pytest.fixture(scope="module")
def placed() -> list[Draft]:
    """One placed song, shared by the tests that only look."""
    if not weights.available("points"):
        pytest.skip("the package carries no placing network")
    from mapperatorinator.mapper.grid import points

    drafts = song(1, 120)
    points.place(drafts, Conditions(0, stars=4.0, circle_size=4.0), np.random.default_rng(7))
    return drafts


def test_everything_lies_on_the_field(placed: list[Draft]) -> None:
    for draft in placed:
        path = SliderPath.of(draft.curve, draft.points)
        body = path.sample(draft.length) if draft.kind == DraftKind.SLIDER else np.array(draft.points)
        assert (body > -4).all() and (body < spacing.FIELD + 4).all(), draft
        head = np.array(draft.points[0])
        assert (head >= 0).all() and (head <= spacing.FIELD).all()


def test_positions_are_whole_pixels(placed: list[Draft]) -> None:
    assert all(float(v).is_integer() for d in placed for p in d.points for v in p)


def test_paths_are_as_long_as_asked(placed: list[Draft]) -> None:
    for draft in placed:
        if draft.kind == DraftKind.SLIDER:
            natural = SliderPath.of(draft.curve, draft.points).natural_length()
            assert draft.length - 0.01 <= natural <= draft.length * 1.05 + 12


def test_no_step_is_faster_than_players_are(placed: list[Draft]) -> None:
    """At 4 stars nothing has to be reached at more than 4 px per ms (the field is crossed in 160 ms)."""
    speeds = []
    for before, after in zip(placed, placed[1:], strict=False):
        if DraftKind.SPINNER not in (before.kind, after.kind) and before.kind == DraftKind.CIRCLE:
            speeds.append(math.dist(before.points[0], after.points[0]) / (after.time - before.time))
    assert max(speeds) < 4 and 0.05 < np.median(speeds) < 2


@needs_model
def test_one_seed_one_map() -> None:
    from mapperatorinator.mapper.grid import points

    conditions = Conditions(0, stars=5.0)
    maps = []
    for seed in (3, 3, 4):
        drafts = song(2, 40)
        points.place(drafts, conditions, np.random.default_rng(seed))
        maps.append([(d.points, d.curve) for d in drafts])
    assert maps[0] == maps[1] != maps[2]


@needs_model
def test_fixed_objects_stay() -> None:
    from mapperatorinator.mapper.grid import points

    drafts = song(5, 30)
    for i in (0, 7, 15, 29):
        drafts[i].fixed = True
        drafts[i].points = [(100.0 + i, 50.0), (100.0 + i, 50.0 + max(drafts[i].length, 10))]
    kept = deepcopy([d for d in drafts if d.fixed])
    points.place(drafts, Conditions(0), np.random.default_rng(0))
    assert [d for d in drafts if d.fixed] == kept
    assert all(d.points for d in drafts)


@needs_model
def test_scale_spreads_objects() -> None:
    from mapperatorinator.mapper.grid import points

    drafts, each = song(6, 80), 5
    scales = np.repeat([0.5, 1.0, 1.8], each)
    candidates = points.place_many(drafts, Conditions(0, stars=4.0), np.random.default_rng(0), scales.tolist())
    heads = np.array([[d.points[0] for d in candidate] for candidate in candidates])
    steps = np.hypot(*np.moveaxis(np.diff(heads, axis=1), -1, 0)).mean(axis=1).reshape(3, each).mean(axis=1)
    assert steps[0] < 0.85 * steps[1] < steps[1] < 0.95 * steps[2]
    assert not any(d.points for d in drafts), "the drafts themselves stay as they were"


@needs_model
def test_human_maps_surprise_less_than_shuffled_ones(corpus_maps) -> None:
    from mapperatorinator.mapper.grid import points

    beatmap = read_beatmap(corpus_maps(3, mode=0, split="val")[1])
    drafts = read_drafts(beatmap)[:150]
    conditions = Conditions(0, circle_size=beatmap.circle_size)
    human = points.score(drafts, conditions)
    heads = [d.points for d in drafts if d.kind == DraftKind.CIRCLE]
    np.random.default_rng(0).shuffle(heads)
    for draft in drafts:
        if draft.kind == DraftKind.CIRCLE:
            draft.points = heads.pop()
    assert len(human) == len(drafts) and np.mean(human) + 1 < np.mean(points.score(drafts, conditions))


@needs_model
@pytest.mark.parametrize("length", [5.0, 400.0, 900.0, 1600.0])
def test_a_long_slider_still_fits(length: float) -> None:
    from mapperatorinator.mapper.grid import points

    draft = Draft(0, 0.0, DraftKind.SLIDER, 4000.0, BEAT, length=length)
    points.place([draft], Conditions(0, stars=3.0), np.random.default_rng(1))
    body = SliderPath.of(draft.curve, draft.points).sample(length)
    assert (body > -8).all() and (body < spacing.FIELD + 8).all()


@needs_model
def test_an_empty_map_stays_empty() -> None:
    from mapperatorinator.mapper.grid import points

    points.place([], Conditions(2), np.random.default_rng(0))
    assert points.score([], Conditions(2)) == []


def test_codes_mirror_and_return(alphabet: Alphabet) -> None:
    table = alphabet.mirror_table()
    assert (table[table] == np.arange(len(alphabet))).all()
    for code in range(len(alphabet)):
        shape = Shape(code, alphabet.middle_bend(code))
        mirrored = alphabet.outline(alphabet.mirrored(shape))
        assert np.allclose(mirrored, alphabet.outline(shape) * (1, -1), atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    code=st.integers(0, 6), heading=st.floats(-math.pi, math.pi), length=st.floats(15, 300),
    x=st.integers(0, 512), y=st.integers(0, 384),
)  # fmt: skip
def test_a_drawn_body_is_recognised(
    alphabet: Alphabet, code: int, heading: float, length: float, x: int, y: int
) -> None:
    shape = Shape(code, alphabet.middle_bend(code))
    curve, points_ = alphabet.draw(shape, (float(x), float(y)), heading, length)
    path = SliderPath.of(curve, points_)
    assert path.natural_length() >= length - 1e-6 and points_[0] == (x, y)
    outline, seen = own_frame(path, length)
    if length > 60:  # below, rounding to whole pixels bends the body
        assert np.abs(outline - alphabet.outline(shape)).max() < 0.12
        assert abs(spacing.wrap(np.array(seen - heading))) < 0.15
        assert alphabet.recognise(path, length)[0].code == code


def test_the_bend_of_an_arc_is_signed_by_its_side() -> None:
    down = [(0.0, 0.0), (50.0, 50.0), (100.0, 0.0)]
    up = [(x, -y) for x, y in down]
    assert arc_bend(down, 157.08) == pytest.approx(-math.pi, abs=0.01)
    assert arc_bend(up, 157.08) == pytest.approx(math.pi, abs=0.01)
    assert arc_bend([(0.0, 0.0), (5.0, 0.0), (9.0, 0.0)], 9.0) is None


def test_densities_integrate_to_one() -> None:
    """A free step's distance has all its mass within reach; a direction all of its mass in a turn."""
    rng = np.random.default_rng(0)
    memory = spacing.Memory.empty(1)
    for t, point in enumerate([(200, 200), (260, 180), (300, 250)]):
        memory.visit(np.array([point], float), t * 300.0, False)
    view = spacing.look(memory, np.array([900.0]), np.ones(1))
    assert view.features.shape == (1, spacing.VIEW) and view.targets.shape == (1, spacing.TARGETS, 2)
    references = spacing.turn_references(view, memory.headings, memory.lengths > 0)
    assert references.shape == (1, spacing.TURNS)
    angles = np.linspace(-np.pi, np.pi, 20001)[:-1]
    logits = rng.normal(0, 1, (1, spacing.BINS + 2 * spacing.TURNS))
    n = len(angles)
    fit, fits = np.ones((n, spacing.BINS), bool), np.ones((n, spacing.TURNS), bool)
    density = densities.angle_log_density(
        np.repeat(logits, n, 0), angles, np.repeat(view.ahead, n), np.repeat(references, n, 0), fit, fits,
        np.full(n, 100.0),
    )
    assert np.exp(density).mean() * 2 * np.pi == pytest.approx(1, abs=0.02)


def test_parity_of_graph_and_training_module(corpus_maps, tmp_path: Path) -> None:
    """The exported model scores a human map as the training code does: features, network and densities agree."""
    torch = pytest.importorskip("torch")
    if not weights.available("points"):
        pytest.skip("the package carries no placing network")
    from mapperatorinator.mapper.grid import points
    from mapperatorinator.mapper.grid.placing import placing_model
    from mapperatorinator.training.points import INPUTS, bend_penalty, collate
    from mapperatorinator.training.points_batches import examples
    from mapperatorinator.training.points_data import read_placed
    from mapperatorinator.training.points_loss import log_likelihoods
    from mapperatorinator.training.points_net import PointsNet, Sizes, Step

    model = placing_model(None)
    net = PointsNet(Sizes(INPUTS, len(model.mappers)), len(model.alphabet))
    Step(net).load_state_dict({k: torch.from_numpy(v) for k, v in weights.tensors("points").items()})
    beatmap = read_beatmap(corpus_maps(3, mode=0, split="val")[1])
    beatmap.hit_objects = beatmap.hit_objects[:100]
    conditions = Conditions(0, stars=4.0, circle_size=beatmap.circle_size)
    batch = collate([examples(read_placed(beatmap, model.alphabet, conditions), model.alphabet, 0)])
    with torch.no_grad():
        parts = log_likelihoods(net.eval()(batch), batch, bend_penalty(model.alphabet))
    total = parts["place"][0].clone()
    total[batch["slider"][0]] += parts["body"] + parts["sway"]
    trained = (-total / math.log(2)).numpy()[batch["placed"][0].numpy()]
    drafts = read_drafts(beatmap)
    shown = np.array(points.score(drafts, conditions))[[d.kind != DraftKind.SPINNER for d in drafts]]
    assert np.quantile(np.abs(shown - trained), 0.9) < 0.05, "a few copies of arcs differ in tolerance"
