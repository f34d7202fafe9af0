"""Training of the sequence networks: recipes, loss, optimisers, one process or two, killed and taken up again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sequences
from conftest import ROOT

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("tensorboard")

from torch.nn import functional as F  # noqa: E402

from mapperatorinator import checkpoints  # noqa: E402
from mapperatorinator.errors import UserError  # noqa: E402
from mapperatorinator.mapper.sequence.model import Model  # noqa: E402
from mapperatorinator.mapper.sequence.network import Spectrogram, Vectors, load  # noqa: E402
from mapperatorinator.mapper.sequence.vocabulary import Vocabulary  # noqa: E402
from mapperatorinator.training import blueprint, meter, optimisers, trainer  # noqa: E402
from mapperatorinator.training.datasets.options import PUBLISHED  # noqa: E402
from mapperatorinator.training.recipe import OptimOptions, read_recipe  # noqa: E402
from mapperatorinator.training.sequence_net import NO_LOSS, SequenceNet, fresh, loss_sum, token_weights  # noqa: E402

RECIPES = ROOT / "configs" / "train"
VERSIONS = {"v28": "v28", "v29": "v28", "v30": "v30", "v31": "v31", "v32": "v32", "v32-mini": "v32"}
TINY = [
    "compile=false", "device=cpu", "mixed_precision=no", "num_workers=0", "src_seq_len=128",
    "tgt_seq_len=160", "model.overwrite.d_model=16",
    *(f"model.overwrite.{side}_{what}" for side in ("encoder", "decoder")
      for what in ("layers=1", "attention_heads=2", "ffn_dim=32")),
    "gamemodes=[0]", "dt_augment_prob=0", "timing_random_offset=0", "frame_offset_augment_prob=0",
    "warmup_steps=0", "name=adamw", "base_lr=1e-3", "logging.every_steps=1", "grad_acc=1",
]  # fmt: skip
TINY[TINY.index("name=adamw")] = "optim.name=adamw"
HEAD = """osu file format v14

[General]
AudioFilename: audio.wav
Mode: 0

[Metadata]
Title:t
Artist:a
Creator:c
Version:v

[Difficulty]
HPDrainRate:5
CircleSize:4
OverallDifficulty:5
ApproachRate:9
SliderMultiplier:1.4
SliderTickRate:1

[TimingPoints]
100,300,4,2,0,50,1,0

[HitObjects]
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two songs of as many windows, so that an epoch is one batch of all that there is."""
    root = tmp_path_factory.mktemp("ors")
    rng = np.random.default_rng(5)
    for number in range(2):
        track = root / f"Track{number:05}"
        (track / "beatmaps").mkdir(parents=True)
        sound = (rng.normal(0, 3000, 16000 * 4)).astype("<i2")
        with wave.open(str(track / "audio.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes(sound.tobytes())
        rows = [f"{rng.integers(0, 512)},{rng.integers(0, 384)},{100 + 150 * i},1,0,0:0:0:0:" for i in range(24)]
        (track / "beatmaps" / "v.osu").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
        facts = {"v": {"BeatmapId": number + 1, "Index": 0, "StandardStarRating": {"0": 3.0}}}
        (track / "metadata.json").write_text(json.dumps({"Beatmaps": facts}), encoding="utf-8")
    return root


def words(data: Path, run: Path, *more: str) -> list[str]:
    return [*TINY, f"train_dataset_path={data}", f"run_dir={run}", *more]


def losses(run: Path) -> dict[int, float]:
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text("utf-8").splitlines()]
    return {row["step"]: row["loss"] for row in rows if "loss" in row}


def train(data: Path, run: Path, *more: str) -> dict[int, float]:
    trainer.train(read_recipe(RECIPES, "v29", words(data, run, *more)))
    return losses(run)


@pytest.mark.parametrize("name", VERSIONS)
def test_recipes_mean_the_published_versions(name: str) -> None:
    recipe = read_recipe(RECIPES, name)
    assert blueprint.profile_of(recipe.data).name == VERSIONS[name]
    options = replace(blueprint.samples_of(recipe.data), profile=PUBLISHED[name].profile)
    changed = {"weights": (), "time_noise": 0, "offset_chance": 1.0, "selection": PUBLISHED[name].selection}
    assert replace(options, **changed) == PUBLISHED[name]


@pytest.mark.compat
@pytest.mark.parametrize("family", sequences.families())
def test_new_models_have_the_published_tokens_and_sizes(family: str) -> None:
    recorded = sequences.checkpoint(family)
    recipe = read_recipe(RECIPES, family)
    want = recorded.tokenizer
    styles = [str(i) for i in range(want["num_descriptor_classes"])]
    made = blueprint.tokenizer_of(recipe.data, [int(user) for user in want["mapper_idx"]], styles)
    for key in ("offset", "context_sos", "context_eos", "event_ranges", "input_event_ranges", "vocab_size_out",
                "vocab_size_in", "num_diff_classes", "num_cs_classes", "num_mapper_classes"):  # fmt: skip
        assert made[key] == want[key], key
    config = blueprint.config_of(recipe, made)
    own = {"backbone_config", "hidden_size", "label_smoothing"}
    assert {k: v for k, v in config.items() if k not in own} == {
        k: v for k, v in recorded.config.items() if k in config and k not in own
    }
    backbone = {k: recorded.config["backbone_config"][k] for k in config["backbone_config"]}
    network, ear = fresh(config | {"backbone_config": backbone})
    tensors = {name: value for name, value in recorded.tensors.items() if not name.startswith("spectrogram")}
    assert {n: tuple(v.shape) for n, v in network.state_dict().items()} == {
        n: tuple(v.shape) for n, v in tensors.items() if not n.startswith(("loss_fn", "transformer.model.decoder.embed_t"))
    }
    for name, value in ear.items():
        torch.testing.assert_close(value, recorded.tensors[name], rtol=0, atol=2e-4 * float(value.max()))


def test_what_a_recipe_does_not_know_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("defaults: [recipe, _self_]\noptim: {bace_lr: 1}\n", encoding="utf-8")
    with pytest.raises(UserError, match="bace_lr"):
        read_recipe(tmp_path, "mine")
    for word, said in (
        ("bace_lr=1", "did you mean base_lr"), ("every_steps=3", "could be"), ("base_lr=fast", "base_lr"),
        ("data.center_pad_decoder=true", "only be False"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=said):
            read_recipe(RECIPES, "v29", [word])
    with pytest.raises(UserError, match="train_v29"):
        read_recipe(RECIPES, "v99")


def test_words_of_the_documentation() -> None:
    path = "C:\\maps of mine, it's 100% {new}\\"
    given = ["train_dataset_path=" + path, "train_dataset_end=90", "test_dataset_path='/data/x y'", "r=8", "bias=all"]
    recipe = read_recipe(RECIPES, "lora", [*given, "hydra.run.dir=runs/a"])
    assert (recipe.data.train_dataset_path, recipe.data.test_dataset_path) == (path, "/data/x y")
    assert (recipe.data.train_dataset_end, recipe.lora.r, recipe.lora.bias, recipe.run_dir) == (90, 8, "all", "runs/a")
    assert recipe.enable_lora and recipe.optim.total_steps == 1000


def test_loss_by_hand() -> None:
    vocabulary = Vocabulary({"offset": 3, "event_ranges": [{"type": "t", "min_value": 0, "max_value": 1},
                                                           {"type": "circle", "min_value": 0, "max_value": 0}]})  # fmt: skip
    weight = token_weights(vocabulary, 3.0)
    assert weight.tolist() == [1, 1, 1, 3, 3, 1]
    logits = torch.tensor([[[0.0, 1.0, 2.0, 0.5, -1.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0, 2.0], [9.0] * 6]])
    labels, smoothing = torch.tensor([[3, 5, NO_LOSS]]), 0.2
    total = 0.0
    for row, wanted, times in ((0, 3, 3.0), (1, 5, 1.0)):
        scores = logits[0, row].double()
        logs = scores - scores.exp().sum().log()
        total -= times * float((1 - smoothing) * logs[wanted] + smoothing * logs.mean())
    assert float(loss_sum(logits, labels, weight, smoothing)) == pytest.approx(total, rel=1e-6)
    halved = loss_sum(logits, labels, weight, smoothing, torch.tensor([0.5]))
    assert float(halved) == pytest.approx(total / 2, rel=1e-6)


def test_schedules() -> None:
    optim = OptimOptions(base_lr=2.0, warmup_steps=10, sustain_steps=20, total_steps=130, final_cosine=0.5)
    assert [optimisers.share_of_rate(step, optim) for step in (0, 5, 10, 29, 30)] == [0.5, 0.75, 1, 1, 1]
    assert optimisers.share_of_rate(80, optim) == pytest.approx(0.25 + 0.75 / 2)
    assert optimisers.share_of_rate(130, optim) == pytest.approx(0.25)
    linear = replace(optim, lr_scheduler="linear", final_cosine=0)
    assert optimisers.share_of_rate(105, linear) == pytest.approx(0.25)


def test_optimisers() -> None:
    torch.manual_seed(1)
    tall = optimisers.orthogonal(torch.randn(12, 5))
    assert torch.linalg.svdvals(tall).sub(1).abs().max() < 0.35
    ours, theirs = (torch.nn.Linear(4, 3), torch.nn.Linear(4, 3))
    theirs.load_state_dict(ours.state_dict())
    optim = OptimOptions(name="adamw", base_lr=0.01, weight_decay=0.1, warmup_steps=0)
    first = optimisers.optimiser_of(ours, optim)
    second = torch.optim.AdamW(theirs.parameters(), 0.01, (0.9, 0.999), weight_decay=0.1)
    for _ in range(3):
        x = torch.randn(8, 4)
        for net, optimiser in ((ours, first), (theirs, second)):
            optimiser.zero_grad()
            net(x).square().mean().backward()
            optimisers.set_rate(first, 0, optim)
            optimiser.step()
    torch.testing.assert_close(ours.weight, theirs.weight)
    net = torch.nn.ModuleDict({"embedder": torch.nn.Linear(3, 3), "fc1": torch.nn.Linear(3, 3)})
    muon = optimisers.optimiser_of(net, replace(optim, name="muon", base_lr_2=0.5))
    assert [(len(g["params"]), g["base"]) for g in muon.param_groups] == [(1, 0.01), (3, 0.5)]
    for name in ("adamwscale", "adafactor", "muon"):
        made = optimisers.optimiser_of(net, replace(optim, name=name))
        before = float(sum(layer(torch.ones(3)).square().sum() for layer in net.values()))
        for _ in range(20):
            made.zero_grad()
            sum(layer(torch.ones(3)).square().sum() for layer in net.values()).backward()
            made.step()
        assert float(sum(layer(torch.ones(3)).square().sum() for layer in net.values())) < before
    with pytest.raises(UserError, match="no optimiser"):
        optimisers.optimiser_of(net, replace(optim, name="sgd"))


@pytest.mark.compat
@pytest.mark.parametrize("family", sequences.families())
def test_learns_the_network_that_writes(family: str) -> None:
    recorded = sequences.checkpoint(family)
    network = load(recorded.config, recorded.tensors)
    ear = Spectrogram.of(recorded.config, recorded.tensors)
    sound = torch.from_numpy(sequences.song()[: network.shape.window].copy())[None].repeat(2, 1)
    sound = F.pad(sound, (0, network.shape.window - sound.shape[1]))
    sound[1] *= 0.5
    tokens = torch.tensor([[5, 900, 40, 3000, 9, 7], [8, 20, 30, 40, 0, 0]])
    asked = {"difficulty": torch.tensor([5.0, 2.0]), "mapper_idx": torch.tensor([3, -1]),
             "song_position": torch.tensor([[0.0, 0.5], [0.2, 0.7]])}  # fmt: skip
    vectors = Vectors(*asked.values()) if network.shape.conditions else None
    want = network.decode(tokens, network.listen(network.encode(ear(sound), vectors), 6), tokens != 0)
    got = SequenceNet(network, ear)({"frames": sound, "decoder_input_ids": tokens, **asked})
    torch.testing.assert_close(got[tokens != 0], want[tokens != 0], rtol=0, atol=2e-5)
    assert meter.flops_of_sample(network.shape, 64, False) == 1.5 * meter.flops_of_sample(network.shape, 64, True)


def test_a_model_is_trained_and_read_by_inference(data: Path, tmp_path: Path) -> None:
    tested = f"test_dataset_path={data}", "test_dataset_start=0"
    parts = train(data, tmp_path / "a", "total_steps=8", "batch_size=8", "grad_acc=4", *tested)
    whole = train(data, tmp_path / "b", "total_steps=8", "batch_size=8")
    assert parts[8] < parts[1] - 0.05
    assert parts[1] == pytest.approx(whole[1], rel=1e-5)  # parts of other lengths and counts of labels add up
    folder = tmp_path / "a" / "checkpoints" / "checkpoint_8"
    found = checkpoints.load(folder)
    model = Model.of("v29", found.config, found.tensors, found.tokenizer, "cpu")
    assert model.network.shape.width == 16
    row = [json.loads(line) for line in (tmp_path / "a" / "log.jsonl").read_text("utf-8").splitlines()][-1]
    assert 0 < row["test_loss"] < 9 and 0 <= row["accuracy timing"] <= row["accuracy timing ±20 ms"] <= 1
    assert list((tmp_path / "a").rglob("events.out.tfevents*"))
    recipe = words(data, tmp_path / "c", f"pretrained_path={folder}", *tested, "mode=test")
    again = trainer.train(read_recipe(RECIPES, "v29", recipe))
    assert again["test_loss"] == pytest.approx(row["test_loss"], rel=1e-5)
    with pytest.raises(UserError, match="recipe of its version"):
        train(data, tmp_path / "d", f"pretrained_path={folder}", "src_seq_len=64")


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def test_a_killed_run_goes_on_to_the_same_losses(data: Path, tmp_path: Path) -> None:
    more = ("total_steps=12", "batch_size=3", "checkpoint.every_steps=2", "optim.name=muon",
            "lr_scheduler=constant", "grad_acc=3")  # fmt: skip
    want = train(data, tmp_path / "whole", *more)
    run = tmp_path / "killed"
    slow = [word.replace("total_steps=12", "total_steps=4000") for word in more]
    process = subprocess.Popen(
        [sys.executable, "osuT5/train.py", "-cn", "train_v29", *words(data, run, *slow)],
        cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + 120
    while not (run / "checkpoints" / "checkpoint_4").exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    process.wait()
    begun = trainer.newest(run)
    assert begun is not None and 4 <= int(begun.name.removeprefix("checkpoint_")) < 12, "killed in mid-run"
    (run / "log.jsonl").unlink()
    got = train(data, run, *more)
    assert got and set(got) < set(want)
    assert got == {step: want[step] for step in got}
    with pytest.raises(UserError, match="no checkpoint"):
        train(data, tmp_path / "x", f"checkpoint_path={tmp_path}")


def test_two_processes_learn_what_one_does_with_twice_the_batch(data: Path, tmp_path: Path) -> None:
    # A song is 4 windows here: one process sees both songs in a batch of 8, each of two its own song in one of 4.
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    given = words(data, tmp_path / "two", "total_steps=3", "batch_size=4")
    process = subprocess.Popen(
        [*launcher, "osuT5/train.py", "-cn", "train_v29", *given], cwd=ROOT, env=environment(),
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.wait(240) == 0
    finally:
        process.terminate()  # it ends its children
        process.wait()
    want = train(data, tmp_path / "one", "total_steps=3", "batch_size=8")
    assert losses(tmp_path / "two") == pytest.approx(want, rel=1e-5)
