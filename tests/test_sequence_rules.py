"""Rules on scores against recorded ones."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sequences
from conftest import FIXTURES

torch = pytest.importorskip("torch")

from mapperatorinator.mapper.sequence import rules  # noqa: E402
from mapperatorinator.mapper.sequence.rules import Sampling  # noqa: E402
from mapperatorinator.mapper.sequence.vocabulary import TIME, Vocabulary  # noqa: E402

pytestmark = pytest.mark.compat
INDEX = sequences.part("rules/index.json")
CPU = torch.device("cpu")


def vocabulary() -> Vocabulary:
    path = FIXTURES / "rules" / "small_tokenizer" / "tokenizer.json"
    return Vocabulary(json.loads(path.read_text("utf-8")))


def near(got, want) -> None:
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-4, atol=1e-4)


def make(name: str, params: dict) -> rules.Rule:
    known = vocabulary()
    if name == "monotonic_time_shift":
        return rules.OnwardOnly(known, CPU)
    if name == "timeshift_bias":
        return rules.TimeBias(known, params["bias"])
    if name == "temperature":
        return rules.Temperature(known, False, Sampling(temperature=params["temperature"]), 0, CPU)
    if name == "conditional_temperature":
        asked = Sampling(
            temperature=params["temperature"], timing_temperature=params["timing_temperature"],
            column_temperature=params["mania_column_temperature"],
            drum_temperature=params["taiko_hit_temperature"], legacy=True,
        )  # fmt: skip
        return rules.Temperature(known, params["types_first"], asked, None, CPU)
    if name == "lookback_bias":
        times = known.ids(TIME)
        early = range(times.start, times.start + int(params["lookback_ms"] / 10))
        return rules.NoLookingBack(known, params["types_first"], early, CPU)
    return rules.TopP(params["top_p"]) if name == "top_p" else rules.TopK(params["top_k"])


@pytest.mark.parametrize("name", list(INDEX.get("cases", {})))
def test_rule(name: str) -> None:
    stored = sequences.arrays("rules/cases.npz")
    rule, sequence = None, None
    for case in INDEX["cases"][name]:
        ids, scores, want = (
            torch.from_numpy(stored[f"{name}__{case['case']}__{part}"]) for part in ("ids", "in", "out")
        )
        params = case["params"]
        if name == "classifier_free_guidance":
            unwanted, asked = scores.chunk(2)
            near(rules.guide(asked, unwanted, params["scale"], legacy=True), want)
            continue
        if rule is None or params.get("sequence") is None or params["sequence"] != sequence:
            rule, sequence = make(name, params), params.get("sequence")
            rule.begin(ids.long())
        else:
            rule.saw(ids[:, -1].long())
        near(rule(scores), want)


def test_guidance_leads_towards_what_is_asked() -> None:
    asked, unwanted = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    near(rules.guide(asked, unwanted, 1.0), asked)
    assert rules.guide(asked, unwanted, 2.0)[0, 0] > 1
    near(rules.guide(asked, unwanted, 1.0, legacy=True), unwanted)


def test_rows_of_a_batch_have_temperatures_of_their_own() -> None:
    known = vocabulary()
    rule = rules.Temperature(known, True, Sampling(temperature=1.0, timing_temperature=0.5), 0, CPU)
    rule.begin(torch.tensor([[known.encode("circle")], [known.encode("beat")]]))
    near(rule(torch.ones(2, 131))[:, 0], [1.0, 2.0])
