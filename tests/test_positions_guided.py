"""The position diffusion led towards its classes, as recorded."""

from __future__ import annotations

import json

import pytest
import sequences
from conftest import FIXTURES

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402

from mapperatorinator.positions.denoise import Question  # noqa: E402
from mapperatorinator.positions.network import Network  # noqa: E402

INDEX = FIXTURES / "diffusion" / "index.json"


@pytest.mark.compat
@pytest.mark.skipif(not INDEX.is_file(), reason="the recorded diffusion is not there")
def test_the_guided_network_answers_as_recorded() -> None:
    heads = json.loads(INDEX.read_text("utf-8"))["model"]["num_heads"]
    network = Network.of(load_file(INDEX.parent / "model_ema.safetensors"), heads)
    stored = sequences.arrays("diffusion/forward.npz")
    x, context, steps, classes, want = (torch.from_numpy(stored[f"cfg_{name}"]) for name in ("x", "c", "t", "y", "out"))
    hidden = torch.from_numpy(stored["attn_mask_true_is_blocked"])
    question = Question(context[0], classes, hidden, float(stored["cfg_scale"]))
    with torch.inference_mode():
        noise, spread = question.ask(network, x[0], int(steps[0]))
    torch.testing.assert_close(noise, want[0, :2], rtol=0, atol=1e-4)
    torch.testing.assert_close(spread, want[0, 2:], rtol=0, atol=1e-4)
