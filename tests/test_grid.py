"""The grid mapper: ticks, canvas, grammar, the two graphs, drawing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapperatorinator import weights
from mapperatorinator.audio import Audio, Tags
from mapperatorinator.beatmap import read_beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.events import EventKind, beatmap_to_events, events_to_beatmap
from mapperatorinator.mapper.grid.canvas import KIND_CLASSES, Canvas, Drum, Hit, velocity_bin, velocity_of
from mapperatorinator.mapper.grid.cells import CLASS_COUNTS, NAMES, Cells, applicable, reference_of
from mapperatorinator.mapper.grid.conditions import NUMBERS_WIDTH, number_vector
from mapperatorinator.mapper.grid.draft import Conditions, DraftKind
from mapperatorinator.mapper.grid.grammar import FOLLOWS, legal
from mapperatorinator.mapper.grid.mapper import GridMapper
from mapperatorinator.mapper.grid.network import GridModel, window_starts
from mapperatorinator.mapper.grid.objects import chords, drafts
from mapperatorinator.mapper.grid.steady import steady
from mapperatorinator.mapper.grid.ticks import TickGrid
from mapperatorinator.mapper.grid.unmask import Drawing, Painter
from mapperatorinator.settings import Settings
from mapperatorinator.timing import Timing, red_line

needs_weights = pytest.mark.skipif(not weights.available("grid"), reason="no embedded rhythm network")
CLICKS_BPM = 150.0


def timing_of(bpm: float = 120.0, offset: float = 100.0, meter: int = 4) -> Timing:
    return Timing.constant(bpm, offset, meter)


@pytest.fixture(scope="module")
def clicks() -> Audio:
    """24 s of clicks at 150 BPM, loud on every beat, soft on every half."""
    rate, seconds = 16000, 24
    samples = np.zeros(rate * seconds, np.float32)
    burst = np.random.default_rng(0).normal(size=800).astype(np.float32) * np.exp(-np.arange(800) / 150)
    for number in range(int(seconds * CLICKS_BPM / 30) - 2):
        at = int((0.2 + number * 30 / CLICKS_BPM) * rate)
        samples[at : at + 800] += burst * (0.8 if number % 2 == 0 else 0.25)
    return Audio(samples, rate, Tags(), None)  # type: ignore[arg-type]


def test_ticks_start_on_whole_beats_and_end_at_red_lines() -> None:
    timing = Timing((red_line(100, 500), red_line(2400, 400)))
    grid = TickGrid.of(timing, 0, 4000)
    assert grid.first == -12 and len(grid) % 12 == 0
    assert grid.times[12] == pytest.approx(100) and grid.phase[12] == 0
    # 4.6 beats fit before the second red line: the rest of the fifth beat does not exist.
    cut = grid.times[~grid.valid]
    assert len(cut) and (cut == 2400).all()
    assert grid.nearest([2400.0])[0] == np.flatnonzero(grid.times == 2400)[-1]


@given(st.floats(40, 400), st.floats(-2000, 5000), st.lists(st.integers(0, 4000), min_size=1, max_size=30))
def test_nearest_tick_is_within_half_a_tick(bpm: float, offset: float, ticks: list[int]) -> None:
    timing = Timing.constant(bpm, offset)
    grid = TickGrid.of(timing, 0, 120_000)
    times = np.clip(np.array(ticks) * 30.0, 0, 119_000)
    rows = grid.nearest(times)
    assert (np.abs(grid.times[rows] - times) <= 60_000 / bpm / 24 + 1e-6).all()


@given(st.floats(0.25, 4.0))
def test_velocities_survive_to_a_bin(velocity: float) -> None:
    kept = velocity_of(velocity_bin(velocity))
    assert kept == pytest.approx(velocity, rel=0.065)
    assert velocity_of(velocity_bin(kept)) == kept


@pytest.mark.parametrize("usual", [0.5, 0.75, 1.0, 1.5, 2.0])
def test_usual_velocities_survive_exactly(usual: float) -> None:
    assert velocity_of(velocity_bin(usual)) == usual


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_canvas_holds_human_maps(corpus_maps, mode: int) -> None:
    """What a canvas loses of a human map is what does not lie on its ticks: little."""
    maps = [bm for bm in map(read_beatmap, corpus_maps(12, mode=mode)) if len(bm.red_lines()) < 20]
    found = wanted = sliders_kept = sliders = 0
    for bm in maps:
        timing = Timing.from_beatmap(bm)
        grid = TickGrid.of(timing, 0, max(bm.end_time(o) for o in bm.hit_objects) + 2000)
        canvas = Canvas.of(beatmap_to_events(bm), mode, grid)
        wanted += len(bm.hit_objects)
        if mode == 3:
            made = chords(canvas, 0, len(grid), bm.keys)
            found += sum(chord.starts for chord in made)
            continue
        read = drafts(canvas, 0, len(grid), bm.slider_multiplier)
        found += len(read)
        ends = {round(bm.end_time(o)) for o in bm.hit_objects}
        long = [d for d in read if d.kind is not DraftKind.CIRCLE]
        sliders += len(long)
        sliders_kept += sum(any(abs(d.end_time - end) <= 3 for end in ends) for d in long)
    assert found >= 0.97 * wanted
    assert sliders_kept >= 0.9 * sliders


def test_canvas_of_known_objects() -> None:
    from mapperatorinator.events import Event, Hitsound

    grid = TickGrid.of(timing_of(), 0, 10_000)
    loud = (Hitsound(4, 3, 1, 60),)
    events = [
        Event(EventKind.CIRCLE, 600, 1, x=10, y=20, new_combo=True, hitsounds=loud),
        Event(EventKind.SLIDER_HEAD, 1100, 1, x=0, y=0, scroll_speed=1.5, hitsounds=(Hitsound(),)),
        Event(EventKind.LAST_ANCHOR, 1350, 2, x=50, y=0, hitsounds=(Hitsound(), Hitsound(8))),
        Event(EventKind.SLIDER_END, 1600, 1, x=0, y=0, hitsounds=(Hitsound(2),)),
    ]
    canvas = Canvas.of(events, 0, grid)
    row = int(grid.nearest([600.0])[0])
    assert canvas.columns["kind"][row] == Hit.CIRCLE and canvas.columns["combo"][row] == 1
    assert canvas.columns["sound"][row] == 2 and canvas.columns["volume"][row] == 12
    circle, slider = drafts(canvas, 0, len(grid), 1.4)
    assert circle.hitsounds == list(loud)
    assert slider.slides == 2 and slider.end_time == pytest.approx(1600)
    assert slider.velocity == pytest.approx(1.5) and slider.length == pytest.approx(100 * 1.4 * 1.5 * 0.5)
    assert [sound.sound for sound in slider.hitsounds] == [0, 8, 2]


@given(st.sampled_from([0, 1]), st.integers(0, 2**32 - 1), st.integers(2, 80))
def test_any_drawing_becomes_legal(mode: int, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, KIND_CLASSES[mode], count)
    fixed = np.zeros(count, bool)
    result = legal(mode, kinds, rng.normal(size=(count, KIND_CLASSES[mode])).astype(np.float32), fixed)
    follows = FOLLOWS[mode]
    assert follows is not None
    assert all(follows[a, b] for a, b in zip(result, result[1:], strict=False))
    assert follows[result[-1], 0], "nothing is left open"
    assert (legal(mode, result, np.zeros((count, KIND_CLASSES[mode]), np.float32), fixed) == result).all()


def test_hidden_kinds_hide_their_attributes() -> None:
    kinds = np.array([Hit.CIRCLE, Hit.NONE, Hit.SLIDER])
    classes = np.ones((3, len(NAMES)), np.int64)
    classes[:, 0] = kinds
    cells = Cells(classes, applicable(0, kinds))
    hidden = np.zeros((3, len(NAMES)), bool)
    hidden[0, 0] = True
    shown = cells.shown(hidden)
    assert (shown[0, :-1] == CLASS_COUNTS[:-1]).all(), "hidden, all of it but kiai"
    combo, velocity = NAMES.index("combo"), NAMES.index("velocity")
    assert shown[1, combo] == CLASS_COUNTS[combo] + 1, "an empty tick has no combo"
    assert shown[2, velocity] == 1


def test_unknown_conditions_are_zero() -> None:
    nothing = Conditions(0, slider_multiplier=None)
    assert not number_vector(nothing).any() and len(number_vector(nothing)) == NUMBERS_WIDTH
    assert (number_vector(replace(nothing, stars=4.0)) != number_vector(replace(nothing, stars=5.0))).any()


def test_steady_courses_change_on_measures_only() -> None:
    grid = TickGrid.of(timing_of(bpm=180), 0, 60_000)
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(len(grid), 3)).astype(np.float32)
    logits[grid.times < 30_000, 0] += 4
    logits[grid.times >= 30_000, 2] += 4
    course = steady(grid, logits, grid.phase == 0, "volume")
    changes = np.flatnonzero(np.diff(course)) + 1
    assert len(changes) and all(grid.measure[row] == 0 and grid.phase[row] == 0 for row in changes)
    assert course[0] == 0 and course[-1] == 2


@given(st.integers(1, 500))
def test_windows_cover_every_tick_once(beats: int) -> None:
    from mapperatorinator.mapper.grid.network import Heard

    grid = TickGrid.of(timing_of(60, 0), 0, beats * 1000)
    empty = np.zeros(0, np.float32)
    heard = Heard(grid, window_starts(len(grid)), empty, empty, empty)  # type: ignore[arg-type]
    rows = np.concatenate([np.arange(len(grid))[kept] for _, kept, _ in heard.kept()])
    assert (rows == np.arange(len(grid))).all()


@needs_weights
def test_graphs_equal_the_trained_module() -> None:
    torch = pytest.importorskip("torch")
    from mapperatorinator.training.grid_net import GridNet, GridSizes

    sizes = weights.card("grid")["sizes"]
    net = GridNet(GridSizes(**sizes)).eval()
    net.load_state_dict({k: torch.from_numpy(v) for k, v in weights.tensors("grid").items()})
    rng = np.random.default_rng(1)
    grid = TickGrid.of(timing_of(170), 0, 20_000)
    mel = rng.normal(-4, 2, (2001, 64)).astype(np.float32)
    model = GridModel()
    heard = model.hear(mel, grid, 20_000)
    conditions = Conditions(3, stars=4.0, keys=4)
    cells = np.minimum(rng.integers(0, 3, (len(grid), len(NAMES))), CLASS_COUNTS)
    logits = model.predict(heard, cells, conditions)
    padded = np.zeros((1, 768, len(NAMES)), np.int64)
    padded[0, : len(grid)] = cells
    asked = {k: torch.from_numpy(v) for k, v in model._asked(conditions, 1).items()}
    with torch.no_grad():
        expected = net.canvas(
            torch.from_numpy(heard.ticks), torch.from_numpy(heard.patches), torch.from_numpy(padded),
            torch.zeros(1, 768, dtype=torch.long), asked["mode"], asked["mapper"], asked["descriptors"],
            asked["numbers"], torch.from_numpy(heard.masks),
        )[0, : len(grid)]  # fmt: skip
    assert np.abs(logits - expected.numpy()).max() < 1e-3


@needs_weights
@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_drawing_is_legal_and_repeatable(clicks: Audio, mode: int) -> None:
    mapper, timing = GridMapper(), timing_of(CLICKS_BPM, 180)
    settings = Settings(gamemode=mode, difficulty=3.0, keycount=4, slider_multiplier=1.4, seed=5)
    first, again = (list(mapper.map(clicks, timing, settings)) for _ in range(2))
    assert first == again, "the same seed draws the same map"
    assert first != list(mapper.map(clicks, timing, replace(settings, seed=6)))
    beatmap = events_to_beatmap(first, _blank(mode), list(timing.points))
    assert beatmap.hit_objects
    times = [o.time for o in beatmap.hit_objects]
    ticks = [(t - 180) / (60_000 / CLICKS_BPM / 12) for t in times]
    assert all(abs(tick - round(tick)) < 0.04 for tick in ticks), "everything lies on the grid"


@needs_weights
def test_a_range_leaves_the_rest_alone(clicks: Audio) -> None:
    mapper, timing = GridMapper(), timing_of(CLICKS_BPM, 180)
    whole = Settings(gamemode=0, difficulty=3.0, circle_size=4, slider_multiplier=1.4, seed=5)
    events = list(mapper.map(clicks, timing, whole))
    part = replace(whole, start_time=8000, end_time=14_000, seed=9)
    kept = [e for e in events if not 8000 <= e.time <= 14_000]
    drawn = list(mapper.map(clicks, timing, part, kept))
    assert drawn and all(7990 <= e.time <= 14_010 or e.kind is EventKind.KIAI for e in drawn)


@needs_weights
def test_planted_object_surprises(clicks: Audio) -> None:
    mapper, timing = GridMapper(), timing_of(CLICKS_BPM, 180)
    settings = Settings(gamemode=0, difficulty=3.0, circle_size=4, slider_multiplier=1.4)
    heard = mapper._hear(clicks, timing, False, None)
    canvas = Canvas.empty(0, heard.grid)
    canvas.columns["kind"][heard.grid.phase == 0] = Hit.CIRCLE
    odd = 12 * 20 + 5
    canvas.columns["kind"][odd] = Hit.CIRCLE
    from mapperatorinator.mapper.grid.surprise import surprisals

    found = surprisals(mapper.model, heard, canvas, mapper.conditions(settings))
    kinds = sorted((s for s in found if s.aspect == "start"), key=lambda s: -s.bits)
    assert any(abs(s.time - heard.grid.times[odd]) < 1 for s in kinds[:5])


@needs_weights
def test_density_moves_the_number_of_objects(clicks: Audio) -> None:
    mapper, timing = GridMapper(), timing_of(CLICKS_BPM, 180)
    heard = mapper._hear(clicks, timing, False, None)
    counts = []
    for density in (0.2, 1.0, 5.0):
        canvas = Canvas.empty(0, heard.grid)
        painter = Painter(
            mapper.model, heard, canvas, Conditions(0, stars=3.0), np.random.default_rng(0), Drawing(density=density)
        )
        everywhere = np.ones(len(heard.grid), bool)
        painter.paint(everywhere, everywhere)
        counts.append(int(canvas.starts().sum()))
    assert counts[0] < counts[1] < counts[2]


def test_reference_is_seen_from_other_ticks() -> None:
    grid = TickGrid.of(timing_of(), 0, 4000)
    canvas = Canvas.empty(0, grid)
    canvas.columns["kind"][12:16] = [Hit.SLIDER, Hit.BODY, Hit.BODY, Hit.END]
    seen = reference_of(canvas, grid.times[10:18])
    assert seen.tolist() == [1, 1, 2, 3, 3, 3, 1, 1]


def test_taiko_kinds_sound_as_they_look() -> None:
    grid = TickGrid.of(timing_of(), 0, 4000)
    canvas = Canvas.empty(1, grid)
    canvas.columns["kind"][[12, 24, 36]] = [Drum.DON, Drum.BIG_KAT, Drum.ROLL]
    canvas.columns["kind"][37:48] = Drum.ROLLING
    canvas.columns["kind"][48] = Drum.ROLLED
    don, kat, roll = drafts(canvas, 0, len(grid), 1.4)
    assert don.hitsounds[0].sound == 0 and kat.hitsounds[0].sound & 4 and kat.hitsounds[0].sound & 8
    assert roll.kind is DraftKind.DRUMROLL and roll.end_time == pytest.approx(grid.times[48])


def _blank(mode: int):  # noqa: ANN202
    from mapperatorinator.beatmap import Beatmap

    return Beatmap(mode=mode, circle_size=4, slider_multiplier=1.4)


def test_a_mapper_is_asked_for_by_name() -> None:
    mapper = GridMapper()
    known = mapper.model.mappers[3]
    assert mapper.conditions(Settings(mapper_name=known.upper())).mapper == 3
    assert mapper.conditions(Settings()).mapper is None
    with pytest.raises(UserError, match="it knows, e.g.,"):
        mapper.conditions(Settings(mapper_name="nobody of that name"))
