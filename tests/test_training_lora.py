"""Adapters of the published models: trained with peft, read by inference, refused where they do not fit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import sequences
from conftest import FIXTURES

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("peft")

from test_training import RECIPES, TINY, data  # noqa: E402, F401

from mapperatorinator import checkpoints  # noqa: E402
from mapperatorinator.checkpoints import lora  # noqa: E402
from mapperatorinator.errors import UserError  # noqa: E402
from mapperatorinator.mapper.sequence.network import load  # noqa: E402
from mapperatorinator.training import subject, trainer  # noqa: E402
from mapperatorinator.training.recipe import Recipe, read_recipe  # noqa: E402

pytestmark = pytest.mark.compat
BASE = FIXTURES / "checkpoints"


def recipe_of(family: str, run: Path, *more: str) -> Recipe:
    plain = [word for word in TINY if not word.startswith(("model.", "src_seq", "tgt_seq", "optim.name"))]
    given = [*plain, "enable_lora=true", f"pretrained_path={BASE / family}", "r=4", "lora_alpha=8", f"run_dir={run}"]
    return read_recipe(RECIPES, family, [*given, "dataset_type=mmrs", "optim.name=muon", "base_lr=0.05", *more])


def logits_of(network, family: str):  # noqa: ANN001, ANN201
    torch.manual_seed(3)
    memory = torch.randn(1, 40, network.shape.width)
    ids = torch.tensor([[5, 900, 40, 3000, 9, 7]])
    with torch.no_grad():
        return network.decode(ids, network.listen(memory, 6))


@pytest.mark.parametrize(
    ("family", "more"),
    [("v29", ("init_lora_weights=pissa",)), ("v32", ("init_lora_weights=true", "use_rslora=true", "bias=all"))],
)
def test_what_is_trained_is_what_maps(family: str, more: tuple[str, ...], data: Path, tmp_path: Path) -> None:  # noqa: F811
    if family not in sequences.families():
        pytest.skip("the fixtures are not there")
    recipe = recipe_of(
        family, tmp_path, f"train_dataset_path={data}", "train_dataset_start=0", "total_steps=2", "batch_size=1",
        "test_dataset_path=", "balancer_buffer_size=0", "lora_dropout=0", "min_year=null", "max_year=null", *more,
    )  # fmt: skip
    trainer.train(recipe)
    folder = tmp_path / "checkpoints" / "checkpoint_2"
    assert not list(folder.glob("*.safetensors")), "the base is not kept once more"
    found = checkpoints.load(BASE / family, lora_path=folder / subject.ADAPTER)
    merged = logits_of(load(found.config, found.tensors), family)
    learned = subject.subject_of(recipe, folder)  # peft's own network with the adapter beside the weights
    learned.net.eval()
    torch.testing.assert_close(merged, logits_of(learned.net.network, family), rtol=0, atol=1e-4)
    plain = checkpoints.load(BASE / family)
    assert (merged - logits_of(load(plain.config, plain.tensors), family)).abs().max() > 1e-3
    facts = lora.facts_of(folder / subject.ADAPTER)
    assert facts["base"]["sha256"] == plain.sha256
    assert (facts["r"], facts["gamemodes"], facts["ckpt_subfolders"], facts["steps"]) == (4, [0], [""], 2)


def test_an_adapter_says_why_it_does_not_fit(tmp_path: Path) -> None:
    if "v30" not in sequences.families():
        pytest.skip("the fixtures are not there")
    recipe = recipe_of("v30", tmp_path)
    made = subject.subject_of(recipe)
    made.save(tmp_path)
    own = tmp_path / subject.ADAPTER
    assert not checkpoints.load(BASE / "v30", lora_path=own).notes
    other = shutil.copytree(BASE / "v30", tmp_path / "other")
    from safetensors.torch import load_file, save_file

    tensors = load_file(other / "model.safetensors")
    tensors["decoder_embedder.weight"][0, 0] += 1
    save_file(tensors, other / "model.safetensors")
    with pytest.raises(UserError, match="trained on .*v30, whose weights are others"):
        checkpoints.load(other, lora_path=own)
    with pytest.raises(UserError, match="whose weights are others"):
        checkpoints.load(BASE / "v31", lora_path=own)
    assert "gamemode 0, not 3: not used" in checkpoints.load(BASE / "v30", gamemode=3, lora_path=own).notes[0]
    (own / lora.METADATA).write_text(json.dumps({"ckpt_subfolders": ["gamemode=1"]}), encoding="utf-8")
    assert "gamemode=1" in checkpoints.load(BASE / "v30", lora_path=own).notes[0]
    for word, said in (("lora.target_modules=[nowhere]", "does not fit"), ("bias=some", "none, all"),
                       ("pretrained_path=", "needs a model")):  # fmt: skip
        with pytest.raises(UserError, match=said):
            subject.subject_of(recipe_of("v30", tmp_path, word))
