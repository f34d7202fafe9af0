"""The mapper classifier: what it sees of a map, what it counts, whom it names, and the distances made of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mapperatorinator import weights
from mapperatorinator.beatmap import Beatmap, Circle, read_beatmap, save_beatmap
from mapperatorinator.classifier import Classifier
from mapperatorinator.classifier.statistics import statistics
from mapperatorinator.classifier.view import KEYS, PLACES, POINT, WINDOW, WORDS, View
from mapperatorinator.cli.main import run
from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.feature_distance import Distances, Moments, SongFeatures, compare, frechet
from mapperatorinator.timing import red_line

ROOT = Path(__file__).resolve().parent.parent
Maps = Callable[..., list[Path]]


def circles(count: int = 200, beats: float = 0.5, creator: str = "") -> Beatmap:
    """Circles in a row at 120 BPM that walk across the field."""
    made = Beatmap(timing_points=[red_line(0, 500.0)], creator=creator, difficulty_name="Row")
    made.hit_objects = [Circle(40.0 * (i % 12), 190, round(i * beats * 500)) for i in range(count)]
    return made


def test_a_view_says_what_happens_on_each_tick() -> None:
    view = View.of(circles(64))
    assert view.words.min() >= 0 and view.words.max() < WORDS
    assert len(view.words) == 12 * len(view.tempo)
    assert view.rows.tolist() == list(range(0, 64 * 6, 6))
    assert np.allclose(view.points[1:12, 2].astype(float), 40 / 200, atol=1e-3)  # steps to the right
    assert np.allclose(np.exp(view.tempo), 0.5, atol=1e-6)


def test_windows_cover_the_map_and_end_with_it() -> None:
    view = View.of(circles(200))
    windows = view.windows()
    last = len(view.tempo) - WINDOW
    assert len(windows.words) == -(-last // WINDOW) + 1
    assert np.array_equal(windows.words[-1], view.cut(last).words[0])
    short = View.of(circles(8)).windows()
    assert short.words.shape[:2] == (1, 12 * WINDOW) and short.places.shape[2] == PLACES


def test_a_map_without_music_is_refused() -> None:
    for made in (Beatmap(), Beatmap(timing_points=[red_line(0, 1.0)], hit_objects=[Circle(0, 0, 0)])):
        with pytest.raises(UserError):
            View.of(made)


def test_statistics_count_gaps_and_are_finite(corpus_maps: Maps) -> None:
    ours = statistics(View.of(circles(64)).windows())
    twice = statistics(View.of(circles(128, 0.25)).windows())
    assert ours.shape == twice.shape and np.isfinite(ours).all()
    assert not np.allclose(ours, twice)
    for mode in range(4):
        for path in corpus_maps(1, mode=mode):
            assert np.isfinite(statistics(View.of(read_beatmap(path)).windows())).all()


def test_mirrored_keys_change_sides(corpus_maps: Maps) -> None:
    pytest.importorskip("torch")
    from mapperatorinator.training.classifier import mirror

    view = View.of(read_beatmap(corpus_maps(1, mode=3)[0]))
    windows = view.cut(0)
    before = windows.places.copy()
    mirror(windows, view.keys, np.array([True]))
    shift = (KEYS - view.keys) // 2
    own = slice(POINT + 5 + shift, POINT + 5 + shift + view.keys)
    assert np.array_equal(windows.places[..., own], before[..., own][..., ::-1])
    mirror(windows, view.keys, np.array([True]))
    assert np.array_equal(windows.places, before)


def test_the_card_meets_the_bar_and_the_files_are_small() -> None:
    card = weights.card("classifier")
    held = card["held_out"]
    assert held["top5"]["value"] >= 5 * held["top5_chance"]
    assert held["top5"]["low"] > 3 * held["top5_chance"]
    assert sum(path.stat().st_size for path in weights.FOLDER.glob("classifier.*")) < 6e6
    assert {"data", "command", "minutes", "mappers"} <= set(card)


def test_it_names_mappers_of_songs_it_never_saw(corpus: Path) -> None:
    """A sample of the card's figure, with the code that users run."""
    from mapperatorinator.evaluation.corpus import Corpus
    from mapperatorinator.training.classifier_data import author, held_out_songs

    maps = Corpus(corpus)
    classifier = Classifier(threads=1)
    held, known = held_out_songs(maps.rows), {name.casefold(): name for name in classifier.mappers}
    rows = [row for row in maps.rows if row.song in held and author(row) in known][::6]
    found = []
    for row in rows:
        guesses = classifier.classify(maps.beatmap(row), 5)
        assert [g.confidence for g in guesses] == sorted((g.confidence for g in guesses), reverse=True)
        found.append(known[author(row) or ""] in [g.mapper for g in guesses])
    assert len(rows) > 20 and np.mean(found) >= 5 * 5 / len(classifier.mappers)


def test_confidences_add_up_and_a_moment_can_be_asked_for() -> None:
    classifier, made = Classifier(threads=1), circles(400)
    everyone = classifier.classify(made, len(classifier.mappers))
    assert sum(g.confidence for g in everyone) == pytest.approx(1, abs=1e-4)
    assert classifier.classify(made, 3, time=20_000)[0].confidence <= 1
    with pytest.raises(UserError, match="over"):
        classifier.classify(made, time=1e9)
    assert classifier.features(made).shape[1] == classifier.nothing().shape[1] == weights.card("classifier")["feature"]


def test_the_command_and_the_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "map.osu"
    save_beatmap(circles(creator="me"), path)
    assert run(["classify", str(path), "--top", "3", "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["mapper"] == "me" and len(answer["guesses"]) == 3
    script = [sys.executable, str(ROOT / "classifier" / "classify.py")]
    done = subprocess.run([*script, f"beatmap_path={path}", "top=2"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.count("%") == 2, done.stderr


@pytest.fixture
def published(tmp_path: Path, fixtures_dir: Path) -> Path:
    """A checkpoint in the published layout: Lightning's wrapping, a small network of the same family, random weights."""
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    source = fixtures_dir / "checkpoints" / "v29"
    tensors = load_file(source / "model.safetensors")
    width = tensors["decoder_embedder.weight"].shape[1]
    del tensors["transformer.proj_out.weight"]
    made = torch.Generator().manual_seed(0)
    for name, shape in (("projector", (32, width)), ("classifier", (7, 32))):
        tensors |= {f"{name}.weight": torch.randn(shape, generator=made), f"{name}.bias": torch.zeros(shape[0])}
    tokenizer = json.loads((source / "tokenizer.json").read_text()) | {"mapper_idx": {"4452992": 0, "1": 3}}
    state = {f"model.{name.replace('transformer.model.', 'transformer.')}": value for name, value in tensors.items()}
    held = {"state_dict": state, "hyper_parameters": {"tokenizer": tokenizer, "args": {"data": {"mode": 0}}}}
    torch.save(held, tmp_path / "model.ckpt")
    return tmp_path / "model.ckpt"


def test_the_published_checkpoint_converts_and_listens(
    published: Path, fixtures_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = published.parent / "map.osu"
    save_beatmap(circles(24, creator="me"), path)
    song = next((fixtures_dir / "audio").glob("clip.*"))
    assert run(["convert", str(published)]) == 0
    folder = published.parent / "model-converted"
    asked = ["classify", str(path), "--model", str(folder), "--audio", str(song), "--top", "7", "--json"]
    capsys.readouterr()
    assert run(asked) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert sum(one["confidence"] for one in answer["guesses"]) == pytest.approx(1, abs=1e-3)
    assert {"user 4452992", "user 1", "mapper 2"} <= {one["mapper"] for one in answer["guesses"]}
    with pytest.raises(UserError, match="pickle"):
        run([*asked[:3], str(published.parent), *asked[4:]])
    with pytest.raises(UserError, match="--audio"):
        run(asked[:4])


@pytest.mark.parametrize("words", [["top=many", "beatmap_path=x.osu"], ["colour=red"], [], ["beatmap_path=missing.osu"],
                                   ["-cn", "nowhere"]])  # fmt: skip
def test_bad_input_is_one_sentence(words: list[str]) -> None:
    from mapperatorinator.cli.scripts import command, profile_values

    folder = ROOT / "classifier" / "configs"
    with pytest.raises(UserError):
        run(command(profile_values(folder, "inference", words), "beatmap_path", "classify", {"top": "--top"}))


def test_a_guest_difficulty_belongs_to_the_guest() -> None:
    from types import SimpleNamespace

    from mapperatorinator.training.classifier_data import author

    def of(name: str) -> str | None:
        return author(SimpleNamespace(creator="Host", difficulty_name=name))  # type: ignore[arg-type]

    assert of("Hard") == of("Don't") == "host"
    assert of("Guest's Insane") == of("guests' Insane").removesuffix("s") == "guest"
    assert of("Collab Extra") is None and of("A x B's Extra") is None


def normal_songs(rng: np.random.Generator, songs: int, shift: float = 0.0, first: int = 0) -> list[SongFeatures]:
    return [SongFeatures(str(first + i), rng.normal(shift, 1, (25, 4))) for i in range(songs)]


def test_frechet_distance_of_known_normals() -> None:
    rng = np.random.default_rng(0)
    one = rng.normal(0, 1, (20_000, 3))
    other = rng.normal(0, 2, (20_000, 3)) + (1, 0, 0)
    assert frechet(Moments.of(one), Moments.of(one)) == pytest.approx(0, abs=1e-6)
    assert frechet(Moments.of(one), Moments.of(other)) == pytest.approx(1 + 3 * (2 - 1) ** 2, rel=0.05)


def test_the_kernel_distance_is_unbiased_and_knows_songs() -> None:
    rng = np.random.default_rng(1)
    values = []
    for _ in range(40):
        there = Distances(normal_songs(rng, 8), normal_songs(rng, 8, first=100))
        values.append(there.kernel(range(8)))
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))
    apart = Distances(normal_songs(rng, 8, 0.5), normal_songs(rng, 8, first=100))
    assert apart.kernel(range(8)) > max(values)
    assert apart.kernel([0, 0, 0]) != apart.kernel([0, 1, 2])
    assert np.isnan(apart.kernel([0, 0]))  # one song has no other to be compared with


def test_intervals_hold_the_value_and_ratios_compare_with_the_floor() -> None:
    rng = np.random.default_rng(2)
    human, reference = normal_songs(rng, 10), normal_songs(rng, 30, first=100)
    ours = [SongFeatures(song.song, song.windows + 1.0) for song in human]
    found = compare(ours, human, reference)
    for name in ("frechet", "kernel", "frechet_floor", "kernel_floor"):
        assert found[name].low <= found[name].value <= found[name].high
    assert found["frechet_ratio"].low > 2
    assert compare(human, human, reference)["frechet_ratio"].value == pytest.approx(1)


def test_evaluate_features_measures_a_folder(corpus: Path, tmp_path: Path) -> None:
    from mapperatorinator.evaluation.corpus import Corpus
    from mapperatorinator.evaluation.song import spread

    maps = Corpus(corpus)
    for row in spread(maps.select(0, "val"), 6):
        made = circles(creator="us")
        save_beatmap(made, tmp_path / Path(row.path).name)
    asked = ["evaluate", "features", str(tmp_path), "--mode", "osu!", "--n", "6", "--json", str(tmp_path / "f.json")]
    assert run(asked) == 0
    summary = json.loads((tmp_path / "f.json").read_text())["summary"]["osu!"]
    assert summary["frechet_ratio"]["value"] > 2 and summary["frechet_floor"]["low"] is not None
    with pytest.raises(UserError):
        run(["evaluate", "features", str(tmp_path / "nowhere")])


def test_the_scorecard_holds_our_maps_against_the_humans_own_distance() -> None:
    from types import SimpleNamespace
    from typing import Any

    from mapperatorinator.evaluation.bootstrap import Estimate
    from mapperatorinator.evaluation.scorecard import Context, feature_rows

    rng = np.random.default_rng(4)
    human: list[Any] = [SimpleNamespace(song=s.song, features=s.windows) for s in normal_songs(rng, 6)]
    ours: list[Any] = [SimpleNamespace(song=h.song, features=h.features + 1) for h in human]
    nothing = Estimate(0.8, 0.7, 0.9, 1)
    context = Context(0, human, nothing, (), reference=normal_songs(rng, 8, first=100))
    assert feature_rows(ours, context)["frechet_ratio"].value > 2
    assert feature_rows(human, context)["frechet_ratio"].value == pytest.approx(1)
    assert feature_rows(ours, Context(0, human, nothing, ())) == {}
