"""The position diffusion: recorded schedules, network and runs, and what it does for maps of our own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import FIXTURES

from mapperatorinator.beatmap import TimingPoint
from mapperatorinator.errors import UserError
from mapperatorinator.events import Event, EventKind
from mapperatorinator.pipeline.refining import find_refiner
from mapperatorinator.settings import Settings
from mapperatorinator.timing import Timing

torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file  # noqa: E402

from mapperatorinator.positions.classes import MapClasses  # noqa: E402
from mapperatorinator.positions.columns import Columns, columns_of, repeat_type  # noqa: E402
from mapperatorinator.positions.model import Diffusion, load  # noqa: E402
from mapperatorinator.positions.network import Network, sinusoid  # noqa: E402
from mapperatorinator.positions.refine import Manner, place, refine_positions  # noqa: E402
from mapperatorinator.positions.schedule import Schedule  # noqa: E402

pytestmark = pytest.mark.compat
FOLDER = FIXTURES / "diffusion"
INDEX = json.loads((FOLDER / "index.json").read_text(encoding="utf-8")) if FOLDER.is_dir() else {}
RUNS = INDEX.get("runs", [])
GROUPS = {kind.value for kind in EventKind}
OURS = {
    "betas": "betas", "alphas_cumprod": "kept", "posterior_variance": "variance", "timestep_map": "steps",
    "posterior_log_variance_clipped": "log_variance", "posterior_mean_coef1": "clean_share",
    "posterior_mean_coef2": "noisy_share",
}  # fmt: skip
CURVES = {"Bezier": "B", "PerfectCurve": "P", "Catmull": "C"}


@pytest.fixture(scope="module")
def model(fixtures_dir: Path) -> Diffusion:
    tensors = load_file(FOLDER / "model_ema.safetensors")
    tables = json.loads((FOLDER / "tokenizer.json").read_text(encoding="utf-8"))
    return Diffusion(Network.of(tensors, INDEX["model"]["num_heads"]), tables)


def events_of(arrays: dict[str, np.ndarray]) -> list[Event]:
    """The recorded tokens as events: in this order of tokens, a kind opens a group."""
    groups: list[dict] = []
    names = {"t": "time", "dist": "distance", "pos_x": "x", "pos_y": "y", "new_combo": "new_combo"}
    for number, value in zip(arrays["in_type"], arrays["in_value"].tolist(), strict=True):
        name = INDEX["event_type_names"][number]
        if name in GROUPS:
            groups.append({"kind": EventKind(name), "time": 0})
        elif name == "scroll_speed":
            groups[-1]["scroll_speed"] = value / 100
        elif name in names:
            groups[-1][names[name]] = True if name == "new_combo" else value
    return [Event(**group) for group in groups]


def columns_in(run: dict, arrays: dict[str, np.ndarray]) -> Columns:
    red = [TimingPoint(t["offset_ms"], t["ms_per_beat"], uninherited=True) for t in run["timing"] if t["red"]]
    return columns_of(events_of(arrays), red, run["generation_config"]["slider_multiplier"])


def classes_in(run: dict) -> tuple[MapClasses, tuple[str, ...]]:
    asked = run["generation_config"]
    classes = MapClasses(
        asked["difficulty"], asked["circle_size"], asked["mapper_id"], asked["beatmap_id"],
        tuple(asked["descriptors"] or ()),
    )  # fmt: skip
    return classes, tuple(asked["negative_descriptors"] or ())


def arrays_of(run: dict) -> dict[str, np.ndarray]:
    with np.load(FOLDER / f"{run['name']}.npz") as archive:
        return dict(archive)


@pytest.mark.parametrize("name", INDEX.get("schedules", {}))
def test_schedules_are_those_recorded(name: str) -> None:
    schedule = Schedule.of(INDEX["schedules"][name]["timesteps"])
    assert len(schedule.steps) == INDEX["schedules"][name]["num_timesteps"]
    with np.load(FOLDER / "schedules.npz") as arrays:
        recorded = [key for key in arrays if key.startswith(f"{name}__")]
        assert recorded
        for key in recorded:
            np.testing.assert_allclose(
                getattr(schedule, OURS[key.partition("__")[2]]), arrays[key], atol=1e-12
            )


def test_the_network_answers_as_recorded(model: Diffusion) -> None:
    with np.load(FOLDER / "forward.npz") as arrays:
        x, c, t, y, mask = (
            torch.from_numpy(arrays[name]) for name in ("x", "c", "t", "y", "attn_mask_true_is_blocked")
        )
        assert np.abs(sinusoid(t, 256).numpy() - arrays["timestep_embedding_of_t"]).max() < 1e-5
        assert np.abs(model.network(x, c, t, y).numpy() - arrays["out_no_mask"]).max() < 1e-4
        assert np.abs(model.network(x, c, t, y, mask).numpy() - arrays["out_mask"]).max() < 1e-4


def test_repeats_fall_into_the_recorded_classes() -> None:
    for slides, expected in INDEX.get("repeat_type", []):
        assert repeat_type(slides) == expected


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run["name"])
def test_columns_and_classes_are_those_recorded(run: dict, model: Diffusion) -> None:
    arrays = arrays_of(run)
    columns = columns_in(run, arrays)
    assert np.array_equal(columns.times, arrays["seq_time"])
    assert np.array_equal(np.eye(16)[columns.kinds].T, arrays["seq_context_types"])
    assert np.abs(columns.positions / [[256], [192]] - 1 - arrays["seq_x"]).max() < 1e-6
    first = arrays["seq_context_first_columns"]
    distances = torch.from_numpy(columns.distances[: first.shape[1]])
    assert np.abs(sinusoid(distances, 128).T.numpy() - first[128:256]).max() < 1e-4
    sliders = columns.sliders
    assert [slider.end for slider in sliders] == arrays["slider_end_index"].tolist()
    assert [p for slider in sliders for p in slider.points] == arrays["slider_control_index"].tolist()
    assert [slider.curve for slider in sliders] == [CURVES[told["curve_type"]] for told in run["sliders"]]
    np.testing.assert_allclose([slider.length for slider in sliders], arrays["slider_length"])
    asked, avoided = classes_in(run)
    assert np.array_equal(asked.vector(model.tables, legacy=True), arrays["class_vector"])
    assert np.array_equal(
        asked.avoided(avoided).vector(model.tables, legacy=True), arrays["null_class_vector"]
    )


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run["name"])
def test_runs_end_at_the_recorded_positions(run: dict, model: Diffusion) -> None:
    """With the recorded noise; in the published program both networks of a refined run are the same one."""
    arrays, options = arrays_of(run), run["options"]
    drawn = [
        *arrays.get("noise", ()),
        *(arrays[f"noise_{k}"] for k in range(run["noise_draws"]) if f"noise_{k}" in arrays),
    ]
    draws = iter([*([arrays["initial_state"]] if "initial_state" in arrays else []), *drawn])
    manner = Manner(
        tuple(options["timesteps"]), options.get("diff_cfg_scale", 1.0),
        random_start=options.get("random_init", False), part=options.get("max_seq_len", 1024),
        overlap=options.get("overlap_buffer", 128), padded=options.get("pad_sequence", False),
        start=options.get("start_time", -np.inf), end=options.get("end_time", np.inf), legacy=True,
    )  # fmt: skip
    two = Diffusion(model.network, model.tables, model.network) if options.get("_refine") else model
    asked, avoided = classes_in(run)
    places = place(
        two, columns_in(run, arrays), asked, avoided, manner, lambda _: torch.from_numpy(next(draws)[0])
    )
    assert next(draws, None) is None
    apart = np.abs(places - arrays["positions"])
    assert apart.max() < 0.05  # px; arcs of huge circles cost float32 some digits
    assert (np.round(places) != np.round(arrays["positions"])).mean() < 0.005


# ---- beyond what was recorded


def short_map() -> list[Event]:
    kinds = [EventKind.SLIDER_HEAD, EventKind.BEZIER_ANCHOR, EventKind.LAST_ANCHOR, EventKind.SLIDER_END]
    slider = [
        Event(kind, 500 + 500 * (k > 1), x=100.0 + 32 * k, y=100.0, scroll_speed=1.0)
        for k, kind in enumerate(kinds)
    ]
    return [
        Event(EventKind.CIRCLE, 0, x=256.0, y=0.0),
        *slider,
        Event(EventKind.KIAI, 1000),
        Event(EventKind.CIRCLE, 1500),
    ]


RED = [TimingPoint(0, 500, uninherited=True)]


def test_short_maps_are_refined_too_and_the_same_seed_gives_the_same_map(model: Diffusion) -> None:
    quick = Manner(timesteps=(4, *(0,) * 9))
    first, again, other = (
        refine_positions(model, short_map(), RED, 1.4, MapClasses(5.0), manner=quick, seed=seed)
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert [(e.kind, e.time) for e in first] == [(e.kind, e.time) for e in short_map()]
    assert first[5] == short_map()[5] and all(e.x == round(e.x) for e in first if e.x is not None)
    left = Manner(timesteps=(4, *(0,) * 9), legacy=True)
    kept = refine_positions(model, short_map(), RED, 1.4, MapClasses(5.0), manner=left)
    assert [(e.x, e.y) for e in kept[:2]] == [(256, 0), (100, 100)]


def test_outside_the_range_positions_stay(model: Diffusion) -> None:
    quick = Manner(timesteps=(4, *(0,) * 9), start=1200, end=2000)
    refined = refine_positions(model, short_map(), RED, 1.4, MapClasses(5.0), manner=quick)
    assert [(e.x, e.y) for e in refined[:4]] == [(e.x, e.y) for e in short_map()[:4]]


def test_a_slider_ends_where_its_length_says(model: Diffusion) -> None:
    quick = Manner(timesteps=(4, *(0,) * 9), start=9999)  # nothing moves but the end
    refined = refine_positions(model, short_map(), RED, 0.4, MapClasses(5.0), manner=quick)
    assert (refined[4].x, refined[4].y) == (140, 100)  # 0.4 · 100 px, one beat, along a straight line


def test_no_objects_no_work(model: Diffusion) -> None:
    assert refine_positions(model, [], RED, 1.4, MapClasses()) == []


def test_classes_know_mappers_by_their_own_id(model: Diffusion) -> None:
    known = next(iter(model.tables["mapper_idx"]))
    vector = MapClasses(mapper=int(known)).vector(model.tables)
    size = len(MapClasses().vector(model.tables))
    assert len(vector) == size and not np.array_equal(vector, MapClasses().vector(model.tables))
    assert np.array_equal(
        MapClasses(mapper=int(known)).vector(model.tables, legacy=True), MapClasses().vector(model.tables)
    )


def test_checkpoints_load_from_a_folder(fixtures_dir: Path, tmp_path: Path) -> None:
    for name in ("model_ema.safetensors", "tokenizer.json"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({"num_heads": 4}))
    found = load(tmp_path, refiner_path=tmp_path, device="cpu")
    assert found.network.blocks[0].attn.heads == 4 and found.refiner is not None
    save_file({"w": torch.ones(1)}, tmp_path / "model_ema.safetensors")
    with pytest.raises(UserError, match="no diffusion"):
        load(tmp_path)


def test_pickled_networks_are_sent_to_convert(fixtures_dir: Path, tmp_path: Path) -> None:
    for name in ("model_ema.pkl", "tokenizer.pkl"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    with pytest.raises(UserError, match="mapperatorinator convert"):
        load(tmp_path)


def test_the_pipeline_refines_what_published_models_place(fixtures_dir: Path, tmp_path: Path) -> None:
    for name in ("model_ema.safetensors", "tokenizer.json"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({"num_heads": 4}))
    asked = Settings(
        model="v29", generate_positions=True, diff_ckpt=str(tmp_path), timesteps=(4, *(0,) * 9), difficulty=4, seed=1,
        diff_cfg_scale=1.5, descriptors=("jumps",),
    )  # fmt: skip
    timing = Timing.constant(120, 0)
    refine = find_refiner(asked, timing)
    assert refine is not None
    told: list[int] = []
    moved = refine(short_map(), asked, lambda: told.append(1))
    assert moved == refine(short_map(), asked, lambda: None) and told and (moved[0].x, moved[0].y) != (256, 0)
    late = replace(asked, start_time=1200)
    assert [(e.x, e.y) for e in refine(short_map(), late, lambda: None)[:4]] == [
        (e.x, e.y) for e in short_map()[:4]
    ]
    for other in (
        {"gamemode": 1},
        {"generate_positions": False},
        {"output_type": ("TIMING",)},
    ):
        assert find_refiner(replace(asked, **other), timing) is None
    with pytest.raises(UserError, match="must be more than twice"):
        Settings(max_seq_len=100, overlap_buffer=64, audio_path="x")


@pytest.mark.parametrize("sections", [(101, *(0,) * 9), (0,), (), (-1,)])
def test_impossible_schedules_are_refused(sections: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="timesteps"):
        Schedule.of(sections)
