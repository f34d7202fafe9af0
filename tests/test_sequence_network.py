"""The published networks: recorded mel frames, encoder outputs and logits, for every family."""

from __future__ import annotations

import numpy as np
import pytest
import sequences
from sequences import TOLERANCE

torch = pytest.importorskip("torch")

from mapperatorinator.mapper.sequence import engine  # noqa: E402
from mapperatorinator.mapper.sequence.network import Network, Spectrogram, Vectors, load, rope, rotate  # noqa: E402
from mapperatorinator.mapper.sequence.rules import Sampling, guide  # noqa: E402

pytestmark = pytest.mark.compat
FAMILIES = sequences.families()
_BUILT: dict[str, Network] = {}


def network_of(family: str) -> Network:
    if family not in _BUILT:
        recorded = sequences.checkpoint(family)
        _BUILT[family] = load(recorded.config, recorded.tensors)
    return _BUILT[family]


def expected(family: str):
    return sequences.arrays(f"checkpoints/{family}/expected.npz")


def windows(family: str):
    facts = sequences.part("checkpoints/index.json")["families"][family]
    length = facts["samples_per_window"]
    rows = [sequences.song()[start : start + length] for start in facts["window_starts_samples"]]
    return torch.from_numpy(np.stack([np.pad(row, (0, length - len(row))) for row in rows]))


def vectors(family: str) -> Vectors | None:
    want = expected(family)
    if "cond_difficulty" not in want:
        return None
    names = ("cond_difficulty", "cond_mapper_idx", "cond_song_position")
    return Vectors(*(torch.from_numpy(want[name]) for name in names))


def memory(family: str):
    recorded = sequences.checkpoint(family)
    mel = Spectrogram.of(recorded.config, recorded.tensors)(windows(family))
    return mel, network_of(family).encode(mel, vectors(family))


def near(got, want, tolerance: float = TOLERANCE) -> None:
    np.testing.assert_allclose(got.numpy() if hasattr(got, "numpy") else got, want, rtol=0, atol=tolerance)


@pytest.mark.parametrize("family", FAMILIES)
def test_mel_and_encoder(family: str) -> None:
    want = expected(family)
    mel, heard = memory(family)
    scale = max(1.0, float(mel.max()))
    near(mel[0, want["mel_frame_index"]] / scale, want["mel_window0"] / scale, 1e-5)
    near(mel[1, want["mel_window1_frame_index"]] / scale, want["mel_window1"] / scale, 1e-5)
    near(mel.double().sum(2), want["mel_sum_over_mels"], 1e-4 * scale)
    near(heard[:, want["encoder_position_index"]], want["encoder_output"])
    near(heard.double().mean(1), want["encoder_mean_over_time"])
    given = vectors(family)
    if given is not None:
        for name, made in zip(
            ("difficulty", "mapper", "song_position"), network_of(family).embed_conditions(given), strict=True
        ):
            near(made, want[f"emb_{name}"])


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_of_a_padded_batch(family: str) -> None:
    want, network = expected(family), network_of(family)
    ids = torch.from_numpy(want["prompt_ids"])
    real = torch.from_numpy(want["prompt_mask"])
    logits = network.decode(ids, network.listen(memory(family)[1], ids.shape[1]), real)
    near(logits[:, -4:], want["logits_last4"])
    subset = logits[..., want["logits_vocab_subset"]]
    near(subset[real], want["logits_all_positions_subset"][want["prompt_mask"]])
    near(logits.double().logsumexp(-1)[real], want["logits_logsumexp"][want["prompt_mask"]])
    assert np.array_equal(logits.argmax(-1)[real], want["logits_argmax"][want["prompt_mask"]])


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_step_by_step_and_all_at_once(family: str) -> None:
    want, network = expected(family), network_of(family)
    ids, forced = torch.from_numpy(want["prompt_ids"]), torch.from_numpy(want["forced_ids"])
    heard = memory(family)[1]
    count = forced.shape[1]
    cache = network.listen(heard, ids.shape[1] + count)
    steps = [network.decode(ids, cache, torch.from_numpy(want["prompt_mask"]), last=True)]
    steps += [network.decode(forced[:, i : i + 1], cache) for i in range(count - 1)]
    stepped = torch.cat(steps, 1)
    near(stepped[:, want["cached_step_index"]], want["cached_step_logits"])
    near(stepped.double().logsumexp(-1), want["cached_step_logsumexp"])
    together = torch.cat((ids, forced[:, :-1]), 1)
    full = network.decode(together, network.listen(heard, together.shape[1]), together != 0)
    full = full[:, ids.shape[1] - 1 :]
    near(full[..., want["logits_vocab_subset"]], want["full_forward_logits_subset"])
    near(full.double().logsumexp(-1), want["full_forward_logsumexp"])


@pytest.mark.parametrize("family", FAMILIES)
def test_guided_steps(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both prompts' logits and the scores that the published guidance makes of them; the tokens were drawn by chance."""
    want, network, steps = expected(family), network_of(family), []

    def watched(asked, unwanted, *rest):
        steps.append((torch.cat((unwanted, asked)), guide(asked, unwanted, *rest)))
        drawn = result[:, prompts.asked.shape[1] + len(steps) - 1]
        return torch.nn.functional.one_hot(drawn, asked.shape[1]).float()

    monkeypatch.setattr(engine, "guide", watched)
    asked, unwanted, result = (
        torch.from_numpy(want[f"cfg_{name}"]) for name in ("cond_prompt", "negative_prompt", "result_ids")
    )
    sampling = Sampling(guidance=float(want["cfg_scale"]), sample=False, legacy=True)
    prompts, never = engine.Prompts(asked, unwanted), torch.zeros(network.shape.vocab_out, dtype=torch.bool)
    heard, limit = memory(family)[1][:1], result.shape[1]
    with torch.inference_mode():
        engine.generate(network, heard, prompts, [], never, limit, sampling)
    near(torch.stack([scores.double().logsumexp(-1)[0] for _, scores in steps]), want["cfg_guided_logsumexp"])
    for number, (raw, scores) in enumerate(steps):
        if f"cfg_raw_logits_step{number}" in want:
            near(raw, want[f"cfg_raw_logits_step{number}"])
            near(scores, want[f"cfg_guided_scores_step{number}"])


def test_rotation_depends_on_distance_only() -> None:
    vectors = torch.randn(1, 1, 2, 8)
    near_by, far_off = (rotate(vectors, rope(torch.tensor([[at, at + 7]]), 8)) for at in (0, 40))
    products = [(turned[0, 0, 0] @ turned[0, 0, 1])[None] for turned in (near_by, far_off)]
    near(products[0], products[1].numpy())


def test_tensors_that_do_not_fit_are_named() -> None:
    recorded = sequences.checkpoint(FAMILIES[0])
    tensors = dict(recorded.tensors)
    del tensors["decoder_embedder.weight"]
    with pytest.raises(ValueError, match="decoder_embedder"):
        load(recorded.config, tensors)


def test_the_first_family_is_stock_whisper() -> None:
    transformers = pytest.importorskip("transformers")
    recorded = sequences.checkpoint("v29")
    inner = dict(recorded.config["backbone_config"])
    twofold = ("model_type", "dtype", "num_hidden_layers")  # the last one is also said for each side
    config = transformers.WhisperConfig(**{k: v for k, v in inner.items() if k not in twofold})
    stock = transformers.WhisperForConditionalGeneration(config).eval()
    prefix = "transformer."
    own = {k.removeprefix(prefix): v for k, v in recorded.tensors.items() if k.startswith(prefix)}
    stock.load_state_dict(own, strict=True)
    network = network_of("v29")
    mel = memory("v29")[0]
    features = network.encoder_embedder(mel)
    with torch.no_grad():
        heard = stock.model.encoder(features.transpose(1, 2)).last_hidden_state
        near(network.encode(mel), heard)
        ids = torch.tensor([[5, 900, 40, 3000, 9]]).repeat(2, 1)
        theirs = stock(
            encoder_outputs=(heard,), decoder_inputs_embeds=network.decoder_embedder(ids), use_cache=False
        ).logits
    near(network.decode(ids, network.listen(heard, 5)), theirs)
