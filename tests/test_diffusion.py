"""Training of the position diffusion, its export, and the last touch: what is fixed stays, all is on the field."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mapperatorinator import weights
from mapperatorinator.beatmap import Beatmap, Circle, Slider, SliderPath, Spinner, TimingPoint, save_beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.events import Event, EventKind, beatmap_to_events
from mapperatorinator.pipeline.refining import find_refiner
from mapperatorinator.positions import touch
from mapperatorinator.positions.bodies import Bodies
from mapperatorinator.positions.classes import MapClasses
from mapperatorinator.positions.columns import columns_of, out_of_sight
from mapperatorinator.settings import Settings
from mapperatorinator.timing import Timing

RED = TimingPoint(0, 400, uninherited=True)


def jumping_map(objects: int = 60) -> Beatmap:
    """Circles and sliders that go to and fro, two circles in one place, a spinner at the end."""
    places = [(64 + 380 * (k % 2), 40 + 5 * k % 300) for k in range(objects)]
    items: list = []
    for k, (x, y) in enumerate(places):
        time = 400.0 * k
        if k % 3:
            items.append(Circle(x, y, time))
        else:
            items.append(Slider(x, y, time, path=SliderPath.of("P", [(x, y), (x + 40, y + 9), (x + 60, y)]), length=70))
    items[5].x, items[5].y = items[4].x, items[4].y
    items.append(Spinner(256, 192, 400.0 * objects, end_time=400.0 * objects + 800))
    return Beatmap(hit_objects=items, timing_points=[RED], slider_multiplier=0.7)


def touched(events: list[Event], **more: object) -> list[Event]:
    return touch.touch_up(events, [RED], 0.7, MapClasses(4.0, 4.0), **more)  # type: ignore[arg-type]


@pytest.fixture()
def shaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that wants everything elsewhere, in part off the field."""

    class Shaker:
        tables = {"num_diff_classes": 26, "num_cs_classes": 22}

        def noise(self, x: np.ndarray, *_: object) -> np.ndarray:
            return np.random.default_rng(len(x[0])).normal(-3, 4, x.shape).astype(np.float32)

    monkeypatch.setattr(touch, "touch_model", lambda: Shaker())


def test_all_stays_on_the_field_and_sliders_keep_their_shapes(shaken: None) -> None:
    before = beatmap_to_events(jumping_map())
    after = touched(before, reach=touch.Reach(100, 4))
    assert [(e.kind, e.time) for e in after] == [(e.kind, e.time) for e in before]
    moved = 0
    for old, new in zip(columns_of(before, [RED]).sliders, columns_of(after, [RED]).sliders, strict=True):
        was, now = (columns_of(events, [RED]).positions for events in (before, after))
        points = list(new.points)
        assert abs(_spread(was[:, list(old.points)]) - _spread(now[:, points])) < 2  # px, of rounding
        moved += not np.array_equal(was[:, points], now[:, points])
    assert moved > 10
    assert all(0 <= e.x <= 512 and 0 <= e.y <= 384 for e in after if e.x is not None and e.y is not None)


def _spread(points: np.ndarray) -> float:
    return math.dist(points[:, 0], points[:, 1]) + math.dist(points[:, 0], points[:, 2])


def test_what_is_fixed_stays_and_what_stood_together_stays_together(shaken: None) -> None:
    before = beatmap_to_events(jumping_map())
    after = touched(before, start=4000, end=8000, reach=touch.Reach(50, 3))
    outside = [k for k, event in enumerate(before) if not 4000 <= event.time <= 8000]
    assert [after[k] for k in outside] == [before[k] for k in outside]
    assert any(new != old for new, old in zip(after, before, strict=True))
    circles = [e for e in touched(before) if e.kind is EventKind.CIRCLE and e.time in (1600, 2000)]
    assert (circles[0].x, circles[0].y) == (circles[1].x, circles[1].y)
    spinners = [e for e in touched(before) if e.kind is EventKind.SPINNER]
    assert spinners == [e for e in before if e.kind is EventKind.SPINNER]


def test_bodies_that_are_told_to_stay_stay() -> None:
    columns = columns_of(beatmap_to_events(jumping_map()), [RED], 0.7)
    bodies = Bodies.of_columns(columns, np.ones(len(columns), bool))
    assert np.abs(bodies.settle(bodies.places) - bodies.places).max() < 1e-9


@pytest.mark.skipif(not weights.available(touch.NAME), reason="the package carries no diffusion")
def test_the_embedded_model_moves_a_map_a_little() -> None:
    before = beatmap_to_events(jumping_map(400))
    after = touched(before)
    assert after == touched(before) != touched(before, seed=1)
    way = [math.dist((a.x, a.y), (b.x, b.y)) for a, b in zip(after, before, strict=True) if a.x is not None]  # type: ignore[arg-type]
    assert 0 < np.median(way) < 40
    assert touched([]) == []


# ---- training


def learned(seed: int = 0) -> list:
    from mapperatorinator.training.diffusion_data import track_of

    maps = [replace(jumping_map(100), circle_size=4.0 + seed)] * 2
    return [track_of(beatmap, 3.0) for beatmap in maps]


def test_maps_of_a_folder_are_learned_from_and_kept(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from mapperatorinator.training import diffusion_data as data

    with pytest.raises(UserError, match="long enough"):
        data.read_folder(tmp_path)
    for number in range(2):
        save_beatmap(jumping_map(100 + number), tmp_path / f"{number}.osu")
    (tmp_path / "broken.osz").write_bytes(b"PK")
    tracks, held_out = data.read_folder(tmp_path)
    assert len(tracks) == 2 and len(held_out) == 1
    data.save(tracks, tmp_path / "kept.npz")
    for one, other in zip(data.load(tmp_path / "kept.npz"), tracks, strict=True):
        assert one.asked == other.asked and np.array_equal(one.columns.times, other.columns.times)
        assert np.array_equal(one.columns.positions, other.columns.positions)
    one, again, other = (data.Crops(tracks, 0).batch(3, step) for step in (5, 5, 6))
    assert all(bool((one[name] == again[name]).all()) for name in one)
    assert not bool((one["x"] == other["x"]).all())


def test_steps_on_one_batch_lower_its_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from mapperatorinator.positions.schedule import Schedule
    from mapperatorinator.training import clockwork, diffusion

    torch.manual_seed(0)
    monkeypatch.setitem(diffusion.SIZES, "tiny", (1, 32, 2))
    net, lesson = diffusion.network("tiny"), diffusion.Lesson(Schedule.of())
    batch = diffusion.Crops(learned(), 0).batch(2, 0)
    optimizer = torch.optim.AdamW(net.parameters())

    def loss() -> torch.Tensor:
        return sum(lesson.losses(net, batch, 0)).mean()  # type: ignore[arg-type]

    values = [clockwork.update(net, loss, optimizer, 0.01) for _ in range(30)]
    assert values[-1] < 0.8 * values[0]


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from mapperatorinator.positions.model import load
    from mapperatorinator.training import clockwork, diffusion

    monkeypatch.setitem(diffusion.SIZES, "tiny", (1, 32, 2))
    monkeypatch.setitem(diffusion.RATES, "tiny", 5e-3)
    for name, value in (("WARMUP", 2), ("_SAVE_EVERY", 4), ("_LOG_EVERY", 4)):
        monkeypatch.setattr(clockwork, name, value)
    tracks = learned()
    whole = diffusion.train(tracks, tracks, tmp_path / "whole", steps=9, size="tiny", batch=2)
    class Killed(BaseException):
        pass

    draw = diffusion.Crops.batch

    def killing(self: diffusion.Crops, size: int, step: int) -> dict:
        if step == 6:
            raise Killed
        return draw(self, size, step)

    monkeypatch.setattr(diffusion.Crops, "batch", killing)
    with pytest.raises(Killed):
        diffusion.train(tracks, tracks, tmp_path / "killed", steps=9, size="tiny", batch=2)
    monkeypatch.setattr(diffusion.Crops, "batch", draw)
    resumed = diffusion.train(tracks, tracks, tmp_path / "killed", steps=9, size="tiny", batch=2)
    for one, other in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    found = load(tmp_path / "killed", device="cpu")
    assert found.network.blocks[0].attn.heads == 2
    assert len(MapClasses(4.0, 4.0).vector(found.tables)) == found.network.y_embedder.class_embedding[0].in_features


def test_the_bound_is_smallest_where_the_variance_is_right() -> None:
    torch = pytest.importorskip("torch")
    from mapperatorinator.positions.schedule import Schedule
    from mapperatorinator.training.diffusion import Lesson
    from mapperatorinator.training.diffusion_data import Crops

    batch = Crops(learned(), 0).batch(8, 1)
    lesson, source = Lesson(Schedule.of()), torch.Generator().manual_seed(3)
    torch.randint(100, (8,), generator=source)
    noise = torch.randn(batch["x"].shape, generator=source)

    def knowing(between: float) -> torch.nn.Module:
        """A network that knows the noise, and says one thing of the variance."""
        net = torch.nn.Identity()
        net.forward = lambda x, *_: torch.cat((noise, torch.full_like(noise, between)), 1)  # type: ignore[method-assign]
        return net

    (error, right), (_, wrong) = (lesson.losses(knowing(value), batch, 3) for value in (-1.0, 1.0))
    assert float(error.max()) < 1e-10 and float(right.abs().max()) < 1e-4
    assert float(wrong.min()) >= 0 and float(wrong.max()) > 1e-4


def test_the_exported_graph_answers_as_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from mapperatorinator.training import diffusion

    torch.manual_seed(0)
    monkeypatch.setitem(diffusion.SIZES, "tiny", (2, 32, 2))
    net = diffusion.network("tiny").requires_grad_(False)
    for parameter in net.parameters():
        parameter.copy_((torch.randn_like(parameter) * 0.1).half())  # as it will be stored
    diffusion.publish(net, 2, tmp_path)
    diffusion.embed(tmp_path, {"note": "a test"}, tmp_path)
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    model = touch.TouchModel()
    columns = columns_of(beatmap_to_events(jumping_map()), [RED], 0.7)
    n = len(columns)
    x = np.float32(np.random.default_rng(0).normal(size=(2, n)))
    classes = MapClasses(5.0, 4.0, descriptors=("catch",)).vector(model.tables)
    with torch.no_grad():
        told = (torch.from_numpy(values) for values in (columns.times, np.float32(columns.distances), columns.kinds))
        expected = diffusion.Embedded(net)(
            torch.from_numpy(x), *told, torch.tensor([7]), torch.from_numpy(classes), torch.from_numpy(out_of_sight(n))
        )
    assert np.abs(model.noise(x, columns, 7, classes) - expected.numpy()).max() < 1e-4
    assert json.loads((tmp_path / "diffusion.json").read_text())["note"] == "a test"


def test_the_pipeline_touches_up_embedded_maps_if_asked(shaken: None) -> None:
    events, timing = beatmap_to_events(jumping_map()), Timing.constant(150, 0)
    asked = Settings(generate_positions=True, difficulty=4, slider_multiplier=0.7, seed=3, end_time=8000)
    refine = find_refiner(asked, timing)
    assert refine is not None
    moved = refine(events, asked, lambda: None)
    assert moved == refine(events, asked, lambda: None) != events
    late = [k for k, event in enumerate(events) if event.time > 8000]
    assert [moved[k] for k in late] == [events[k] for k in late]
    for other in ({"generate_positions": False}, {"gamemode": 1}, {"output_type": ("TIMING",)}):
        assert find_refiner(replace(asked, **other), timing) is None
