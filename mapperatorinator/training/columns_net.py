"""The column network: a causal transformer over chords that scores fingers and pairs of fingers, and its loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mapperatorinator.mapper.grid import lanes
from mapperatorinator.mapper.grid.lanes import FINGER, FINGERS, PAIR
from mapperatorinator.training.causal_net import CausalNet, Sizes

_NEVER = -1e9


class ColumnsNet(CausalNet):
    """Scores every finger with one small network told the state and the finger, so that all key counts share it."""

    def __init__(self, sizes: Sizes, dropout: float = 0.05) -> None:
        super().__init__(sizes, dropout)
        self.context = nn.Linear(sizes.width, sizes.hidden)
        self.finger = nn.Linear(FINGER, sizes.hidden, bias=False)
        self.score = nn.Sequential(nn.SiLU(), nn.Linear(sizes.hidden, 3))
        self.single = nn.Linear(sizes.width, 3 * FINGERS)
        self.together = nn.Linear(sizes.width, PAIR)

    def scores(self, state: Tensor, fingers: Tensor) -> tuple[Tensor, Tensor]:
        """Scores to start, hold and release (b, t, FINGERS, 3), and what pairs are worth (b, t, PAIR)."""
        shared = self.score(self.context(state)[..., None, :] + self.finger(fingers))
        own = self.single(state).unflatten(-1, (FINGERS, 3))
        return shared + own, self.together(state)

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """`scores` of whole crops."""
        return self.scores(self.states(batch), batch["fingers"])


class Step(nn.Module):
    """Graph "step": a chord in; its state, scores (fingers by three, then pair values), keys and values out."""

    def __init__(self, net: ColumnsNet) -> None:
        super().__init__()
        self.net = net

    def forward(
        self, x: Tensor, mapper: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, past_k: Tensor, past_v: Tensor
    ) -> tuple[Tensor, ...]:
        state, k, v = self.net.trunk(x, mapper, cos, sin, mask, past_k, past_v)
        fingers = x[..., lanes.CHORD : lanes.CHORD + FINGERS * FINGER].unflatten(-1, (FINGERS, FINGER))
        single, together = self.net.scores(state, fingers)
        return state, torch.cat((single.flatten(-2), together), -1), k, v


def set_log_mass(scores: Tensor, allowed: Tensor, chosen: Tensor, pairs: Tensor | None = None) -> Tensor:
    """Log probability of the chosen sets among all allowed ones of their size; all (n, FINGERS) but pairs."""
    sets = torch.as_tensor(lanes.subsets(), dtype=scores.dtype)
    total = scores @ sets.T
    if pairs is not None:
        total = total + pairs @ torch.as_tensor(lanes.subset_pairs(), dtype=scores.dtype).T
    wrong = (sets.sum(1) != chosen.sum(1, keepdim=True)) | ((~allowed).to(scores.dtype) @ sets.T > 0)
    log_mass = torch.log_softmax(total.masked_fill(wrong, _NEVER), -1)
    number = (chosen.long() << torch.arange(FINGERS)).sum(1, keepdim=True)
    return log_mass.gather(1, number)[:, 0]


def log_likelihoods(out: tuple[Tensor, Tensor], batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Log probabilities of starts, holds and releases, each for the chords where there is a choice."""
    single, together = out
    pairs = torch.einsum("btpk,btk->btp", batch["pairs"], together)
    parts = {}
    for kind, (name, of) in enumerate((("starts", "free"), ("holds", "starts"), ("releases", "held"))):
        chosen, allowed = batch[name], batch[of]
        count = chosen.sum(-1)
        open_ = (count > 0) & (count < allowed.sum(-1))
        pair = pairs[open_] if name == "starts" else None
        parts[name] = set_log_mass(single[open_][..., kind], allowed[open_], chosen[open_], pair)
    return parts
