"""Checkpoints: mapped, adapted, fetched from a hub, converted; a pickle is never opened outside `convert`."""

from __future__ import annotations

import argparse
import collections
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from conftest import FIXTURES

from mapperatorinator.errors import UserError

torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file  # noqa: E402

from mapperatorinator.checkpoints import convert, load, lora  # noqa: E402
from mapperatorinator.checkpoints.files import read_tensors, weight_files  # noqa: E402
from mapperatorinator.checkpoints.infer import infer_config  # noqa: E402
from mapperatorinator.checkpoints.pickles import read_pickle  # noqa: E402

SHORT = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.zeros(2)}


def cases(part: str, key: str) -> list[dict]:
    """The recorded cases of a part, none where there are no fixtures."""
    path = FIXTURES / part / "index.json"
    return json.loads(path.read_text(encoding="utf-8"))[key] if path.is_file() else []


def checkpoint(folder: Path, tensors: dict[str, torch.Tensor] = SHORT) -> Path:
    """A small checkpoint on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text('{"name": "x"}')
    (folder / "tokenizer.json").write_text('{"offset": 3}')
    return folder


def adapter(folder: Path, tensors: dict[str, torch.Tensor], **config: object) -> Path:
    """An adapter on disk."""
    folder.mkdir()
    save_file({f"base_model.model.{name}": value for name, value in tensors.items()}, folder / lora.WEIGHTS)
    (folder / lora.CONFIG).write_text(json.dumps({"peft_type": "LORA", "r": 1, "lora_alpha": 2, **config}))
    return folder


PAIR = {"lora_A.weight": torch.ones(1, 3), "lora_B.weight": torch.ones(2, 1)}


class Evil:
    """What an attacker puts where weights are expected."""

    def __reduce__(self) -> tuple:
        return os.mkdir, ("pwned",)


# ---- loading


@pytest.mark.compat
@pytest.mark.parametrize("family", cases("checkpoints", "families"))
def test_published_checkpoints_load(family: str, fixtures_dir: Path) -> None:
    told = cases("checkpoints", "families")[family]
    found = load(fixtures_dir / "checkpoints" / family)
    assert found.sha256 == told["sha256"]["model.safetensors"]
    assert found.tensors["decoder_embedder.weight"].shape[0] == found.config["vocab_size_in"]
    assert found.tokenizer["vocab_size_in"] == found.config["vocab_size_in"] and found.notes == ()


@pytest.mark.compat
@pytest.mark.parametrize("family", cases("checkpoints", "families"))
def test_a_lost_config_is_told_from_the_tensors(family: str, fixtures_dir: Path) -> None:
    found = load(fixtures_dir / "checkpoints" / family)
    told = infer_config(found.tensors, found.tokenizer)
    backbone = told.pop("backbone_config")
    name = told.pop("backbone_model_name")
    assert found.config["backbone_model_name"].startswith(name)
    assert {key: found.config[key] for key in told if key != "num_mappers"} == {
        key: value for key, value in told.items() if key != "num_mappers"
    }
    heads = {key for key in backbone if "heads" in key}  # the recorded networks have narrower ones
    assert {key: found.config["backbone_config"][key] for key in backbone.keys() - heads} == {
        key: backbone[key] for key in backbone.keys() - heads
    }


def test_parts_named_by_an_index_are_one_model(tmp_path: Path) -> None:
    checkpoint(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    for number, name in enumerate(SHORT, 1):
        save_file({name: SHORT[name]}, tmp_path / f"model-0000{number}-of-00002.safetensors")
    names = {name: f"model-0000{number}-of-00002.safetensors" for number, name in enumerate(SHORT, 1)}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    found = load(tmp_path)
    assert set(found.tensors) == set(SHORT) and len(found.files) == 2 and len(found.sha256) == 64
    (tmp_path / names["bias"]).unlink()
    with pytest.raises(UserError, match="00002"):
        load(tmp_path)


def test_a_mode_takes_its_own_model_where_there_is_one(tmp_path: Path) -> None:
    checkpoint(tmp_path)
    checkpoint(tmp_path / "gamemode=3", {"weight": torch.ones(1)})
    assert set(load(tmp_path).tensors) == set(SHORT)
    assert set(load(tmp_path, gamemode=0).tensors) == set(SHORT)
    own = load(tmp_path, gamemode=3)
    assert (
        set(own.tensors) == {"weight"}
        and own.subfolder == "gamemode=3"
        and own.path == tmp_path / "gamemode=3"
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("config.json", None, "no config.json"),
        ("tokenizer.json", "[1]", "no JSON object"),
        ("config.json", "{", "cannot be read"),
        ("model.safetensors", "rubbish", "damaged"),
        ("model.safetensors", None, "no weights"),
    ],
)
def test_what_is_missing_or_damaged_is_said(
    name: str, content: str | None, words: str, tmp_path: Path
) -> None:
    path = checkpoint(tmp_path) / name
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=words):
        load(tmp_path)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "model.ckpt"])
def test_a_pickle_is_refused_as_weights(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = checkpoint(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    for save in (lambda p: p.write_bytes(pickle.dumps(Evil())), lambda p: torch.save(Evil(), p)):
        save(folder / name)
        with pytest.raises(UserError, match="can run any program.*mapperatorinator convert"):
            load(folder)
    assert not Path("pwned").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_loading_takes_little_more_memory_than_the_file(tmp_path: Path) -> None:
    checkpoint(tmp_path, {f"w{i}": torch.full((1024, 1024), float(i)) for i in range(16)})  # 64 MB
    code = """
import sys, torch, safetensors.torch
from mapperatorinator.checkpoints import load
def resident():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024
before = resident()
tensors = load(sys.argv[1]).tensors
assert float(sum(t.mean() for t in tensors.values())) == 120
print(resident() - before)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1.2 * (tmp_path / "model.safetensors").stat().st_size


# ---- adapters


@pytest.mark.compat
@pytest.mark.parametrize("case", cases("lora", "adapters"), ids=lambda case: case["name"])
def test_adapters_merge_as_recorded(case: dict, fixtures_dir: Path) -> None:
    tensors = read_tensors(weight_files(fixtures_dir / "checkpoints" / case["family"]))
    before = {name: value.clone() for name, value in tensors.items()}
    folder = fixtures_dir / "lora" / case["name"]
    lora.merge(tensors, folder)
    with np.load(fixtures_dir / case["expected"]) as expected:
        for number, name in enumerate(case["merged_weight_names"]):
            assert np.abs(tensors[name].numpy() - expected[f"merged_weight_{number}"]).max() < 1e-5
    changed = sum(not torch.equal(before[name], value) for name, value in tensors.items())
    assert changed == case["changed_parameters"]
    meant = lora.meant_for(folder)
    for sub, applies in case["applies_to_ckpt_subfolder"].items():
        assert (meant is None or sub in meant) is applies


@pytest.mark.compat
@pytest.mark.parametrize("case", cases("lora", "adapters"), ids=lambda case: case["name"])
def test_adapted_networks_answer_as_recorded(case: dict, fixtures_dir: Path) -> None:
    from test_sequence_network import vectors, windows

    from mapperatorinator.mapper.sequence.network import Spectrogram
    from mapperatorinator.mapper.sequence.network import load as network_of

    base = load(fixtures_dir / "checkpoints" / case["family"])
    with np.load(base.path / "expected.npz") as told:
        ids, real = torch.from_numpy(told["prompt_ids"]), torch.from_numpy(told["prompt_mask"])
    mel = Spectrogram.of(base.config, base.tensors)(windows(case["family"]))
    with np.load(fixtures_dir / case["expected"]) as expected:
        for adapted in (False, True):
            if adapted:
                lora.merge(base.tensors, fixtures_dir / "lora" / case["name"])
            network = network_of(base.config, base.tensors)
            heard = network.encode(mel, vectors(case["family"]))
            last = network.decode(ids, network.listen(heard, ids.shape[1]), real)[:, -1].numpy()
            name = "logits_adapter_last" if adapted else "logits_base_last"
            assert np.abs(last - expected[name]).max() < 1e-4
        assert np.abs(last[:, ::41] - expected["logits_merged_last_subset"]).max() < 1e-4


def test_merging_leaves_the_file_alone(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "model", {"m.weight": SHORT["weight"]})
    before = (folder / "model.safetensors").read_bytes()
    own = adapter(tmp_path / "lora", {f"m.{name}": value for name, value in PAIR.items()})
    found = load(folder, lora_path=own)
    assert torch.equal(found.tensors["m.weight"], SHORT["weight"] + 2)
    assert (folder / "model.safetensors").read_bytes() == before


def test_an_adapter_for_another_sub_model_is_not_used_and_says_so(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "model", {"m.weight": SHORT["weight"]})
    own = adapter(tmp_path / "lora", {f"m.{name}": value for name, value in PAIR.items()})
    (own / lora.METADATA).write_text('{"ckpt_subfolders": ["gamemode=0"]}')
    found = load(folder, lora_path=own)
    assert torch.equal(found.tensors["m.weight"], SHORT["weight"]) and "gamemode=0" in found.notes[0]


@pytest.mark.parametrize(
    ("tensors", "config", "words"),
    [
        (
            {"n.lora_A.weight": PAIR["lora_A.weight"], "n.lora_B.weight": PAIR["lora_B.weight"]},
            {},
            "no n.weight",
        ),
        ({"m.lora_A.weight": torch.ones(1, 4), "m.lora_B.weight": torch.ones(2, 1)}, {}, r"\(2, 4\) numbers"),
        ({"m.lora_A.weight": torch.ones(1, 3)}, {}, "half"),
        ({"m.strange": torch.ones(1)}, {}, "m.strange"),
        ({f"m.{k}": v for k, v in PAIR.items()}, {"use_dora": True}, "use_dora"),
        ({f"m.{k}": v for k, v in PAIR.items()}, {"peft_type": "IA3"}, "IA3"),
        ({}, {}, "empty"),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused(
    tensors: dict, config: dict, words: str, tmp_path: Path
) -> None:
    folder = checkpoint(tmp_path / "model", {"m.weight": SHORT["weight"]})
    with pytest.raises(UserError, match=words):
        load(folder, lora_path=adapter(tmp_path / "lora", tensors, **config))


# ---- conversion


@pytest.mark.compat
def test_the_published_diffusion_files_convert(fixtures_dir: Path, tmp_path: Path) -> None:
    for name in ("model_ema.pkl", "tokenizer.pkl"):
        shutil.copy(fixtures_dir / "diffusion" / name, tmp_path)
    weights, tokenizer = convert(tmp_path, tmp_path / "out")
    expected = load_file(fixtures_dir / "diffusion" / "model_ema.safetensors")
    got = load_file(weights)
    assert got.keys() == expected.keys() and all(torch.equal(got[name], expected[name]) for name in expected)
    assert json.loads(tokenizer.read_text()) == json.loads(
        (fixtures_dir / "diffusion" / "tokenizer.json").read_text(encoding="utf-8")
    )


@pytest.mark.compat
@pytest.mark.parametrize("family", cases("checkpoints", "families"))
def test_a_training_checkpoint_converts_to_what_was_published(
    family: str, fixtures_dir: Path, tmp_path: Path
) -> None:
    published = load(fixtures_dir / "checkpoints" / family)
    raw = tmp_path / "checkpoint_7"
    raw.mkdir()
    compiled = {f"_orig_mod.{name}": value.clone() for name, value in published.tensors.items()}
    torch.save(compiled, raw / "pytorch_model.bin")
    torch.save(published.tokenizer, raw / "custom_checkpoint_0.pkl")
    with pytest.raises(UserError, match="mapperatorinator convert"):
        load(raw)
    convert(raw)
    found = load(tmp_path / "checkpoint_7-converted")
    assert found.tokenizer == published.tokenizer
    assert found.tensors.keys() == published.tensors.keys()
    assert all(torch.equal(found.tensors[name], value) for name, value in published.tensors.items())


def test_objects_of_the_training_programs_become_plain_data(tmp_path: Path) -> None:
    """Enumerations are their values, other objects their fields; both from modules that are not here."""
    text = b"cosuT5.tokenizer\nEventType\n(S't'\ntR."
    (tmp_path / "enum.pkl").write_bytes(text)
    assert read_pickle(tmp_path / "enum.pkl") == "t"
    state = (
        b"\x80\x02cosuT5.tokenizer\nEventRange\n)\x81}(X\x03\x00\x00\x00minK\x01X\x03\x00\x00\x00maxK\x05ub."
    )
    (tmp_path / "range.pkl").write_bytes(state)
    assert read_pickle(tmp_path / "range.pkl").fields == {"min": 1, "max": 5}


def test_lightning_files_convert(tmp_path: Path) -> None:
    held = {
        "state_dict": {"model._orig_mod.w": torch.ones(2)},
        "hyper_parameters": {"args": {"d": np.int64(3)}},
    }
    torch.save(held, tmp_path / "model.ckpt")
    weights, config = convert(tmp_path / "model.ckpt")
    assert list(load_file(weights)) == ["w"] and json.loads(config.read_text()) == {"d": 3}


@pytest.mark.parametrize("how", ["bare", "torch", "inside a state dict"])
def test_a_malicious_pickle_is_refused_and_explained(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    held = {"w": torch.ones(1), "x": Evil()} if how == "inside a state dict" else Evil()
    path = tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps(held)) if how == "bare" else torch.save(held, path)
    with pytest.raises(UserError, match=r"mkdir.*could do harm.*Nothing of it was run"):
        convert(path)
    assert not Path("pwned").exists() and not (tmp_path / "weights-converted").exists()


@pytest.mark.parametrize(
    "target", ["builtins.eval", "builtins.getattr", "builtins.__import__", "os.system", "torch.load", "torch.hub.load",
               "torch._utils._rebuild_sparse_tensor", "numpy.load", "functools.partial", "collections.namedtuple"]
)  # fmt: skip
def test_only_listed_names_pass(target: str, tmp_path: Path) -> None:
    module, _, name = target.rpartition(".")
    (tmp_path / "x.pkl").write_bytes(f"c{module}\n{name}\n.".encode())
    with pytest.raises(UserError, match=target):
        read_pickle(tmp_path / "x.pkl")


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"\x80\x02", b"hello", pickle.dumps([1, 2]), pickle.dumps({})]
)
def test_what_holds_no_weights_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(content)
    with pytest.raises(UserError, match=r"x\.bin"):
        convert(tmp_path / "x.bin")


def test_harmless_containers_pass(tmp_path: Path) -> None:
    held = {"a": collections.OrderedDict(b=torch.ones(2, dtype=torch.bfloat16)), "n": np.float32(2), "s": {1}}
    held["namespace"] = argparse.Namespace(x=1)
    torch.save(held, tmp_path / "x.pt")
    read = read_pickle(tmp_path / "x.pt")
    assert torch.equal(read["a"]["b"], held["a"]["b"]) and read["n"] == 2 and read["s"] == {1}
    assert read["namespace"].fields == {"x": 1}


def test_the_command_converts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from mapperatorinator.cli.main import run

    torch.save(SHORT, tmp_path / "x.pt")
    assert run(["convert", str(tmp_path / "x.pt"), "--out", str(tmp_path / "out")]) == 0
    assert "x.safetensors  sha256 " in capsys.readouterr().out


# ---- the hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[tuple[ThreadingHTTPServer, Path]]:
    """A hub of one repository, served from a folder."""
    root = checkpoint(tmp_path / "repository")
    checkpoint(root / "gamemode=3", {"weight": torch.ones(1)})
    (root / "pytorch_model.bin").write_bytes(b"must not be fetched")

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            files = [p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()]
            if not path.startswith(("/api/models/a/b", f"/a/b/resolve/{COMMIT}/")):
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.end_headers()
                return
            if path.startswith("/api"):
                siblings = [{"rfilename": name} for name in files]
                body = json.dumps({"id": "a/b", "sha": COMMIT, "siblings": siblings}).encode()
            else:
                name = path.removeprefix(f"/a/b/resolve/{COMMIT}/").replace("%3D", "=")
                body = (root / name).read_bytes()
            self.send_response(200)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{abs(hash(body)):x}"')
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server, tmp_path
    server.shutdown()
    server.server_close()


def test_checkpoints_come_from_the_hub_once_and_then_from_here(hub: tuple[ThreadingHTTPServer, Path]) -> None:
    pytest.importorskip("huggingface_hub")
    server, folder = hub
    code = """
import sys
from mapperatorinator.checkpoints import load
from mapperatorinator.errors import UserError
def told(name, **more):
    try:
        found = load(name, **more)
        print(sorted(found.tensors), found.path.as_posix().rpartition("/snapshots/")[2])
    except UserError as error:
        print(error)
told("a/b", offline=True)
told("c/d")
told("a/b", gamemode=3)
told("a/b", gamemode=0)
import threading, urllib.request
print("down", flush=True)
sys.stdin.readline()
told("a/b", gamemode=3)
told("a/b", offline=True)
told("e/f")
told("e/f", offline=True)
"""
    environment = {
        **os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(folder / "cache"),
        "XDG_DATA_HOME": str(folder / "data"), "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "*",
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        lines = list(iter(process.stdout.readline, "down\n"))
        server.shutdown()
        server.server_close()
        process.stdin.write("\n")
        process.stdin.close()
        lines += process.stdout.readlines()
    whole, part = f"['bias', 'weight'] {COMMIT}\n", f"['weight'] {COMMIT}/gamemode=3\n"
    assert lines[2:6] == [part, whole, part, whole]
    assert "offline" in lines[0] and "no checkpoint c/d" in lines[1]
    assert "cannot be reached" in lines[6] and "embedded model needs no download" in lines[6]
    assert "this run is offline" in lines[7]
    assert not list((folder / "cache").rglob("pytorch_model.bin"))


@pytest.mark.parametrize("name", ["nowhere", "./no/where", "/no/where", "a/b/c"])
def test_a_folder_that_is_not_there_is_said(name: str) -> None:
    with pytest.raises(UserError, match="does not exist"):
        load(name)
