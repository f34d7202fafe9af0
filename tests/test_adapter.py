"""Adapters of the embedded models: what fits, what they change, and making one from a folder of maps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from songs import click_track

from mapperatorinator import weights
from mapperatorinator.audio import Audio, load_audio
from mapperatorinator.beatmap import Beatmap, Circle, read_osz, save_beatmap, write_osz
from mapperatorinator.cli.main import run as command
from mapperatorinator.errors import UserError
from mapperatorinator.mapper.grid.mapper import GridMapper
from mapperatorinator.pipeline import generate, read_recipe
from mapperatorinator.settings import Settings
from mapperatorinator.timing import Timing
from mapperatorinator.weights.adapter import FORMAT, METADATA, find, read

pytestmark = pytest.mark.skipif(not weights.available("grid"), reason="the package carries no rhythm network")
BPM, OFFSET = 150.0, 100.0
CHANGED = "canvas.output.weight"
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes an adapter that changes the last layer of the rhythm network by chance, for osu! by default."""

    def write(name: str = "one", size: float = 0.1, seed: int = 0, **about: Any) -> Path:
        rng, shape = np.random.default_rng(seed), weights.tensors("grid")[CHANGED].shape
        low, high = (rng.normal(0, 1, (2, shape[1])), size * rng.normal(0, 1, (shape[0], 2)))
        tensors = {f"grid/{CHANGED}.A": low.astype(np.float16), f"grid/{CHANGED}.B": high.astype(np.float16)}
        facts = {"format": FORMAT, "bases": {"grid": weights.fingerprint("grid")}, "modes": [0], "rank": 2, "alpha": 3}
        path = tmp_path / f"{name}.safetensors"
        save_file(tensors, path, {METADATA: json.dumps(facts | about)})
        return path

    return write


@pytest.fixture(scope="module")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Audio:
    return load_audio(click_track(tmp_path_factory.mktemp("clicks") / "clicks.wav", 14.0, BPM, OFFSET))


def test_the_tensors_of_an_adapter_are_added(make: Make) -> None:
    base, merged = weights.tensors("grid"), find(make(), 0).merge("grid")
    rng = np.random.default_rng(0)
    low, high = (part.astype(np.float16).astype(float) for part in (
        rng.normal(0, 1, (2, base[CHANGED].shape[1])), 0.1 * rng.normal(0, 1, (base[CHANGED].shape[0], 2))
    ))  # fmt: skip
    np.testing.assert_allclose(merged[CHANGED], base[CHANGED] + 1.5 * (high @ low), atol=1e-5)
    assert all((merged[name] == base[name]).all() for name in base if name != CHANGED)


@pytest.mark.parametrize(
    ("about", "mode", "reason"),
    [
        ({"bases": {"grid": "0" * 64}}, 0, "other weights of the embedded model 'grid'"),
        ({"modes": [3]}, 0, "learned mania, so it cannot draw osu! maps"),
        ({"format": FORMAT + 1}, 0, "not an adapter of the embedded model"),
        ({"bases": {}}, 0, "not an adapter of the embedded model"),
        ({"rank": 0}, 0, "not an adapter of the embedded model"),
    ],
)
def test_what_does_not_fit_is_refused(make: Make, about: dict[str, Any], mode: int, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        find(make(**about), mode)


def test_what_is_no_adapter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.safetensors").write_text("no tensors")
    save_file({"a": np.zeros(1)}, tmp_path / "other.safetensors")
    for name, reason in (
        ("text.safetensors", "or damaged"), ("other.safetensors", "not an adapter"), ("none", "no adapter at"), (".", "a folder")
    ):
        with pytest.raises(UserError, match=reason):
            read(tmp_path / name)


def test_a_refusal_comes_before_any_work(make: Make, tmp_path: Path) -> None:
    song = click_track(tmp_path / "song.wav", 31.0, BPM, OFFSET)
    steps: list[str] = []
    with pytest.raises(UserError, match="learned mania"):
        generate(Settings(str(song), lora_path=str(make(modes=[3]))), lambda step: steps.append(step.stage))
    assert "Finding the beat" not in steps
    assert not list(tmp_path.glob("*.osz"))


def test_adapters_do_not_mix(make: Make, clicks: Audio) -> None:
    mapper, timing = GridMapper(), Timing.constant(BPM, OFFSET)

    def drawn(path: Path | None) -> list[Any]:
        settings = Settings(difficulty=3, circle_size=4, slider_multiplier=1.4, seed=3, lora_path=str(path or ""))
        return list(mapper.map(clicks, timing, settings))

    one, other, none = make("one"), make("other", seed=1), make("none", size=0.0)
    plain = drawn(None)
    first, second = drawn(one), drawn(other)
    assert plain != first != second != plain
    assert drawn(None) == plain == drawn(none)
    assert drawn(one) == first
    one.write_bytes(other.read_bytes())
    assert drawn(one) == second, "what counts is the content, not the name"


def test_a_recipe_names_the_adapter(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    song, path = click_track(tmp_path / "song.wav", 31.0, BPM, OFFSET), make()
    settings = Settings(str(song), lora_path=str(path), bpm=BPM, offset=OFFSET, difficulty=2, candidates=1, seed=1)
    result = generate(settings)
    assert result.recipe["adapter"]["sha256"] == read(path).sha256
    assert result.recipe["adapter"]["bases"] == {"grid": weights.fingerprint("grid")}
    recipe = next(tmp_path.glob("*.recipe.json"))
    assert read_recipe(recipe).adapter_sha256 == read(path).sha256
    path.write_bytes(make("other", seed=1).read_bytes())
    monkeypatch.setattr("mapperatorinator.cli.generate.generate_and_report", lambda *_: 0)
    assert command(["generate", "--recipe", str(recipe), "--quiet"]) == 0
    assert "not the adapter of the recipe" in capsys.readouterr().err


def own_map(title: str, name: str, step: float) -> Beatmap:
    """A map of a click track: circles in a zigzag, `step` beats apart."""
    beats = np.arange(4, 152, step)
    objects = [
        Circle(x=float(100 + 60 * (i % 5)), y=float(100 + 50 * (i % 3)), time=float(round(OFFSET + beat * 60_000 / BPM)),
               new_combo=i % 8 == 0, combo_skip=0, sound=8 * (i % 4 == 2), sample=None)
        for i, beat in enumerate(beats)
    ]  # fmt: skip
    return Beatmap(
        mode=0, title=title, artist="Nobody", creator="Somebody", difficulty_name=name, audio_filename="song.wav",
        timing_points=list(Timing.constant(BPM, OFFSET).points), hit_objects=objects,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sets, one of them as a song folder beside its archive, and a damaged archive."""
    folder = tmp_path_factory.mktemp("maps")
    for number, title in enumerate(("One", "Two", "Three")):
        song = click_track(folder / "song.wav", 62.0 + number, BPM, OFFSET)
        write_osz(folder / f"{title}.osz", [own_map(title, "Hard", 0.5), own_map(title, "Easy", 2)], song)
    save_beatmap(own_map("Three", "Easy", 2), folder / "easy.osu")
    (folder / "damaged.osz").write_bytes(b"PK no")
    return folder


def test_maps_are_read_once_and_a_song_is_held_out(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from mapperatorinator.training.adapter_maps import hold_out, read_maps

    told: list[str] = []
    maps = read_maps(folder, tmp_path, (0,), told.append)
    assert len(maps) == 6 and len({item.song for item in maps}) == 3
    assert [text for text in told if "damaged.osz" in text]
    assert all(item.song_ms > 60_000 and item.row.stars > 0 for item in maps)
    known, held = hold_out(maps)
    assert len(known) == 4 and len(held) == 2 and not {m.song for m in known} & {m.song for m in held}
    assert hold_out(known) == (known, [])
    with pytest.raises(UserError, match="no readable beatmap"):
        read_maps(folder, tmp_path, (3,), told.append)


def test_a_changed_layer_does_what_the_merged_one_does() -> None:
    torch = pytest.importorskip("torch")
    from mapperatorinator.training.low_rank import Options, attach

    net = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.SiLU(), torch.nn.Linear(4, 3))
    x = torch.randn(7, 5)
    before = net(x)
    changes = attach(net, Options(rank=2, alpha=3.0, targets="^2$"))
    assert list(changes) == ["2"]
    assert torch.equal(net.eval()(x), before)
    layer = changes["2"]
    torch.nn.init.normal_(layer.high)
    merged = layer.base.weight + 1.5 * layer.high @ layer.low
    hidden = net[1](net[0](x))
    assert torch.allclose(net(x), torch.nn.functional.linear(hidden, merged, layer.base.bias), atol=1e-5)
    assert [name for name, value in net.named_parameters() if value.requires_grad] == ["2.low", "2.high"]


@pytest.mark.skipif(not weights.available("points"), reason="the package carries no placing network")
def test_two_commands_from_maps_to_a_map(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    from mapperatorinator.training.adapter_maps import hold_out, read_maps
    from mapperatorinator.training.adapter_networks import Places, Rhythm

    out = tmp_path / "my.safetensors"
    assert command(["lora", str(folder), "--out", str(out), "--minutes", "0.03", "--rank", "4", "--threads", "1"]) == 0
    assert "held out" in capsys.readouterr().out
    adapter = find(out, 0)
    about = adapter.about
    assert (about["modes"], about["rank"], about["alpha"], about["maps"], about["songs"]) == ([0], 4, 8.0, 4, 2)
    assert set(about["bases"]) == {"grid", "points"} and about["mappers"] == ["Somebody"]
    for name in about["bases"]:
        before, after = (about["networks"][name][when] for when in ("before", "after"))
        assert after.keys() == before.keys()
    # What was learned in torch is what a session is given: the same figures come from the merged tensors.
    _, held = hold_out(read_maps(folder, tmp_path, (0,), lambda text: None))
    for kind in (Rhythm, Places):
        figures = kind(adapter.merge, [], held, tmp_path, 0).bits()
        assert figures == pytest.approx(about["networks"][kind.name]["after"], abs=0.02)
    made = str(tmp_path / "made.osz")
    song = str(click_track(tmp_path / "song.wav", 31.0, BPM, OFFSET))
    mapped = generate(Settings(song, output_path=made, bpm=BPM, offset=OFFSET, candidates=1, seed=1, lora_path=str(out)))
    assert read_osz(mapped.path).beatmaps[0].hit_objects


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["nowhere", "--out", "a.safetensors"], "There is no nowhere"),
        ([".", "--out", "a.bin"], "must end in .safetensors"),
        ([".", "--out", "a.safetensors", "--rank", "0"], "--rank must be between"),
        ([".", "--out", "a.safetensors", "--mode", "piano"], "no mode 'piano'"),
        ([".", "--out", "README.md/a.safetensors"], "cannot be written"),
    ],
)
def test_the_command_refuses_what_cannot_work(
    words: list[str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    (tmp_path / "README.md").write_text("a file, no folder")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=reason):
        command(["lora", *words])
