"""Columns of mania: legal sets of the asked size, kept chords, one seed one map."""

from __future__ import annotations

import itertools
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapperatorinator import weights
from mapperatorinator.beatmap import read_beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.mapper.grid import lanes
from mapperatorinator.mapper.grid.draft import Chord, Conditions
from mapperatorinator.mapper.grid.lanes import FINGERS, Lanes
from mapperatorinator.mapper.grid.reading import read_chords

needs_model = pytest.mark.skipif(not weights.available("columns"), reason="the package carries no column network")
BEAT = 400.0


def song(seed: int, keys: int, n: int = 60) -> list[Chord]:
    """Chords of up to `keys` notes, some held, with releases that ask for more than there may be."""
    rng = np.random.default_rng(seed)
    chords, tick = [], 0
    for _ in range(n):
        starts = int(rng.choice([0, 1, 1, 1, 2, 2, 3, keys]))
        holds = int(rng.integers(0, starts + 1)) if rng.random() < 0.4 else 0
        chords.append(Chord(tick, tick * BEAT / 12, BEAT, starts, holds, int(rng.integers(0, 3))))
        tick += int(rng.choice([3, 3, 6]))
    return chords


def check_legal(chords: list[Chord], keys: int) -> None:
    """No column is pressed while held or let go, none is released that is not held, nothing stays held."""
    held: set[int] = set()
    for chord in chords:
        pressed, holds, released = (set(c) for c in (chord.columns, chord.hold_columns, chord.release_columns))
        assert len(chord.columns) == chord.starts and len(chord.release_columns) == chord.releases
        assert len(chord.hold_columns) == chord.holds and holds <= pressed <= set(range(keys))
        assert released <= held and not pressed & held
        held = held - released | holds
    assert not held


@needs_model
@pytest.mark.parametrize("keys", [1, 2, 4, 5, 6, 7, 8, 9, 10])
def test_columns_are_legal(keys: int) -> None:
    from mapperatorinator.mapper.grid import columns

    chords = song(keys, keys)
    asked = [c.starts for c in chords]
    columns.place_columns(chords, Conditions(3, stars=3.0, keys=keys), np.random.default_rng(0))
    check_legal(chords, keys)
    assert all(got.starts <= want for got, want in zip(chords, asked, strict=True))


@needs_model
def test_counts_are_kept_where_they_can_be() -> None:
    from mapperatorinator.mapper.grid import columns

    chords = [Chord(3 * i, 100.0 * i, BEAT, 1 + i % 3) for i in range(40)]
    columns.place_columns(chords, Conditions(3, stars=3.0, keys=4), np.random.default_rng(0))
    assert [len(c.columns) for c in chords] == [1 + i % 3 for i in range(40)]


@needs_model
def test_one_seed_one_map() -> None:
    from mapperatorinator.mapper.grid import columns

    maps = []
    for seed in (1, 1, 2):
        chords = song(0, 4)
        columns.place_columns(chords, Conditions(3, stars=3.0, keys=4), np.random.default_rng(seed))
        maps.append([c.columns for c in chords])
    assert maps[0] == maps[1] != maps[2]


@needs_model
def test_fixed_chords_stay() -> None:
    from mapperatorinator.mapper.grid import columns

    chords = [Chord(3 * i, 100.0 * i, BEAT, 1) for i in range(20)]
    for i in (0, 5, 6):
        chords[i].fixed, chords[i].columns = True, (3,)
    kept = deepcopy([c for c in chords if c.fixed])
    columns.place_columns(chords, Conditions(3, keys=4), np.random.default_rng(0))
    assert [c for c in chords if c.fixed] == kept and all(len(c.columns) == 1 for c in chords)


@needs_model
def test_every_column_is_used() -> None:
    from mapperatorinator.mapper.grid import columns

    for keys in (4, 7):
        chords = [Chord(6 * i, 200.0 * i, BEAT, 1) for i in range(200)]
        columns.place_columns(chords, Conditions(3, stars=3.0, keys=keys), np.random.default_rng(0))
        counts = np.bincount([c.columns[0] for c in chords], minlength=keys)
        assert counts.min() > 200 / keys / 5


@needs_model
def test_human_columns_surprise_less_than_random_ones(corpus_maps) -> None:
    from mapperatorinator.mapper.grid import columns

    beatmap = read_beatmap(corpus_maps(5, mode=3, split="val")[2])
    chords = [c for c in read_chords(beatmap) if not c.holds and not c.releases][:200]
    conditions = Conditions(3, stars=3.0, keys=beatmap.keys)
    human = np.mean(columns.score_columns(chords, conditions))
    rng = np.random.default_rng(0)
    for chord in chords:
        chord.columns = tuple(sorted(rng.choice(beatmap.keys, chord.starts, replace=False).tolist()))
    assert human + 0.1 < np.mean(columns.score_columns(chords, conditions))


def test_fingers_are_dealt_outwards() -> None:
    assert lanes.fingers_of(4).tolist() == [3, 4, 6, 7]
    assert lanes.fingers_of(7).tolist() == [2, 3, 4, 5, 6, 7, 8]
    assert lanes.fingers_of(1).tolist() == [5]
    with pytest.raises(UserError, match="18 keys"):
        lanes.fingers_of(18)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_sets_have_the_asked_size_and_only_allowed_fingers(data: st.DataObject) -> None:
    allowed = np.array([data.draw(st.lists(st.booleans(), min_size=FINGERS, max_size=FINGERS))])
    size = data.draw(st.integers(0, int(allowed.sum())))
    rng = np.random.default_rng(data.draw(st.integers(0, 100)))
    scores, pairs = rng.normal(0, 2, (1, FINGERS)), rng.normal(0, 1, (1, len(lanes.PAIRS)))
    chosen = lanes.draw_set(scores, allowed, np.array([size]), rng, 1.0, pairs)
    assert chosen.sum() == size and not (chosen & ~allowed).any()


def test_probabilities_of_sets_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    scores, pairs = rng.normal(0, 1, FINGERS), rng.normal(0, 1, len(lanes.PAIRS))
    allowed = np.zeros(FINGERS, bool)
    allowed[[2, 3, 5, 9]] = True
    logits = lanes.set_logits(scores[None], allowed[None], np.array([2]), pairs[None])[0]
    for i, j in itertools.combinations(range(FINGERS), 2):
        wanted = scores[i] + scores[j] + pairs[lanes.PAIRS.index((i, j))]
        got = logits[(1 << i) | (1 << j)]
        assert got == pytest.approx(wanted) if allowed[i] and allowed[j] else got == -np.inf


def test_what_is_remembered_is_the_same_step_by_step_and_at_once(corpus_maps) -> None:
    """Drawing and training describe the same moment alike."""
    pytest.importorskip("torch")
    from mapperatorinator.training.columns_data import lanes_of, read_map

    beatmap = read_beatmap(corpus_maps(5, mode=3, split="val")[2])
    chords, keys = read_chords(beatmap)[:150], beatmap.keys
    at_once = lanes_of(read_map(chords, keys, Conditions(3, keys=keys)), 0)
    memory, fingers = Lanes.empty(1, keys), lanes.fingers_of(keys)
    for i, chord in enumerate(chords):
        for name in ("usable", "pressed", "released", "held", "recent"):
            assert (getattr(memory, name)[0] == getattr(at_once, name)[i]).all(), (i, name)
        masks = np.zeros((3, 1, FINGERS), bool)
        for k, chosen in enumerate((chord.release_columns, chord.columns, chord.hold_columns)):
            masks[k, 0, fingers[list(chosen)]] = True
        memory.play(chord.time, masks[0], masks[1], masks[2])


def test_parity_of_graph_and_training_module(corpus_maps) -> None:
    torch = pytest.importorskip("torch")
    if not weights.available("columns"):
        pytest.skip("the package carries no column network")
    from mapperatorinator.mapper.grid import columns
    from mapperatorinator.training.columns import network
    from mapperatorinator.training.columns_data import examples, read_map
    from mapperatorinator.training.columns_net import Step, log_likelihoods
    from mapperatorinator.training.points import collate

    net = network(len(columns.column_model(None).mappers))
    Step(net).load_state_dict({k: torch.from_numpy(v) for k, v in weights.tensors("columns").items()})
    beatmap = read_beatmap(corpus_maps(5, mode=3, split="val")[2])
    chords = read_chords(beatmap)[:120]
    conditions = Conditions(3, stars=3.0, keys=beatmap.keys)
    batch = collate([examples(read_map(chords, beatmap.keys, conditions), 0)])
    with torch.no_grad():
        parts = log_likelihoods(net.eval()(batch), batch)
    trained = -sum(float(p.sum()) for p in parts.values()) / np.log(2)
    assert sum(columns.score_columns(chords, conditions)) == pytest.approx(trained, rel=0.01, abs=0.1)
