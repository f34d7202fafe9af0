"""The decode loop beyond what was recorded: beams against every sequence there is, and arithmetic of less precision."""

from __future__ import annotations

from itertools import product

import pytest
import sequences

torch = pytest.importorskip("torch")

from test_sequence_network import expected, memory, network_of  # noqa: E402

from mapperatorinator.mapper.sequence.engine import Prompts, generate  # noqa: E402
from mapperatorinator.mapper.sequence.model import Model  # noqa: E402
from mapperatorinator.mapper.sequence.rules import Sampling  # noqa: E402

pytestmark = pytest.mark.compat
FAMILIES = sequences.families()
WORDS, LENGTH = 4, 3  # ids that may be said, and how many of them


class Only:
    """Lets the network say a few ids and nothing else."""

    def __init__(self, ids: torch.Tensor) -> None:
        self.ids = ids

    def begin(self, tokens: torch.Tensor) -> None:
        """Nothing to remember."""

    saw = begin

    def __call__(self, scores: torch.Tensor) -> torch.Tensor:
        return torch.full_like(scores, -torch.inf).index_copy(1, self.ids, scores[:, self.ids])


@pytest.mark.parametrize("family", FAMILIES[:1] + FAMILIES[-1:])
def test_enough_beams_find_the_likeliest_sequence(family: str) -> None:
    network, heard = network_of(family), memory(family)[1][:1]
    prompt = torch.from_numpy(expected(family)["cfg_cond_prompt"])
    start, limit = prompt.shape[1], prompt.shape[1] + LENGTH
    with torch.inference_mode():
        after = network.decode(prompt, network.listen(heard, limit), last=True)[0, 0]
        only = Only(after.topk(WORDS).indices)
        never = torch.zeros(network.shape.vocab_out, dtype=torch.bool)

        def chance(words: tuple[int, ...]) -> float:
            whole = torch.cat((prompt, torch.tensor([words])), 1)
            scores = only(network.decode(whole, network.listen(heard, limit))[0]).log_softmax(-1)
            return sum(float(scores[start - 1 + i, word]) for i, word in enumerate(words))

        found = [
            tuple(generate(network, heard, Prompts(prompt), [only], never, limit, asked)[0].tolist())
            for asked in (Sampling(sample=False), Sampling(sample=False, beams=WORDS**LENGTH))
        ]
        every = {words: chance(words) for words in product(only.ids.tolist(), repeat=LENGTH)}
    assert found[1] == max(every, key=lambda words: every[words])
    assert every[found[1]] >= every[found[0]]


@pytest.mark.parametrize("precision", ["bf16", "fp16", "amp"])
@pytest.mark.parametrize("family", FAMILIES)
def test_less_precision_hears_nearly_the_same(family: str, precision: str) -> None:
    recorded = sequences.checkpoint(family)
    model = Model.of(family, recorded.config, recorded.tensors, recorded.tokenizer, "cpu", precision)
    want = expected(family)
    prompt, limit = torch.from_numpy(want["cfg_cond_prompt"]), want["cfg_result_ids"].shape[1]
    never = torch.zeros(model.network.shape.vocab_out, dtype=torch.bool)
    with torch.inference_mode(), model.arithmetic():
        heard = memory(family)[1][:1].to(model.network.dtype)
        logits = model.network.decode(prompt, model.network.listen(heard, limit), last=True)[0, 0].float()
        answer = generate(model.network, heard, Prompts(prompt), [], never, limit, Sampling(sample=False))
    assert answer.shape[1] == limit - prompt.shape[1]
    apart = logits - torch.from_numpy(want["cfg_raw_logits_step0"][1])
    assert float(apart.std()) < 0.1 * float(logits.std())
