"""How fast a run is and how well it predicts: tokens per second, share of the hardware's peak, hits by kind of token."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from mapperatorinator.mapper.sequence.network import Network, Shape, Vectors
from mapperatorinator.mapper.sequence.vocabulary import Vocabulary
from mapperatorinator.training.sequence_net import NO_LOSS

FUZZY_STEPS = 2  # a time that is off by no more than this is nearly right
_KINDS = {
    "timing": ("t",), "snapping": ("snap",), "spacing": ("dist",), "position": ("pos", "pos_x", "pos_y", "pos_refine"),
    "column": ("column",), "scroll speed": ("scroll_speed",), "hitsound": ("hitsound",), "volume": ("volume",),
}  # fmt: skip
_ROUNDS, _CPU_SIZE, _GPU_SIZE = 3, 1024, 8192  # of the product that measures the peak


@lru_cache(maxsize=256)
def flops_of_sample(shape: Shape, tokens: int, frozen: bool) -> int:
    """Operations of one sample with `tokens` tokens, forward and backward; counted on a network without memory.

    frozen : the network itself does not learn, so only one of the two products of the backward pass is made.
    """
    with torch.device("meta"), torch.no_grad():
        network = Network(shape)
        vectors = Vectors(torch.zeros(1), torch.zeros(1, dtype=torch.long), torch.zeros(1, 2))
        with FlopCounterMode(display=False) as counter:
            memory = network.encode(torch.zeros(1, 2 * shape.source, shape.mels), vectors)
            network.decode(torch.zeros(1, tokens, dtype=torch.long), network.listen(memory, tokens))
    return int(counter.get_total_flops()) * (2 if frozen else 3)


def peak_flops(device: torch.device, dtype: torch.dtype) -> float:
    """Operations per second of a large matrix product on this machine: what "share of peak" is a share of."""
    size = _CPU_SIZE if device.type == "cpu" else _GPU_SIZE
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    best = float("inf")
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        float((a @ b)[0, 0])  # waits for the device
        best = min(best, time.perf_counter() - begun)
    return 2 * size**3 / best


@dataclass
class Speed:
    """Where the time went since the last report. flops : of the steps; waited : seconds without data."""

    tokens: int = 0
    flops: float = 0.0
    waited: float = 0.0
    begun: float = field(default_factory=time.perf_counter)

    def report(self, processes: int, peak: float) -> dict[str, float]:
        """Tokens per second of all processes, this one's share of the peak, share of time without data; starts anew."""
        spent = max(time.perf_counter() - self.begun, 1e-9)
        figures = {
            "tokens_per_second": self.tokens * processes / spent, "share_of_peak": self.flops / spent / peak,
            "data_wait": self.waited / spent,
        }  # fmt: skip
        self.__init__()  # type: ignore[misc]
        return figures


class Hits:
    """Counts of right predictions by kind of token."""

    def __init__(self, vocabulary: Vocabulary, device: torch.device) -> None:
        self.names = [*_KINDS, "other"]
        self.kind = torch.full((vocabulary.size_out,), len(_KINDS), device=device)
        for number, kinds in enumerate(_KINDS.values()):
            for ids in map(vocabulary.ids, kinds):
                self.kind[ids.start : ids.stop] = number
        self.counts = torch.zeros(3, len(self.names), device=device)  # right, nearly right, all

    def add(self, logits: Tensor, labels: Tensor) -> None:
        """Count predictions; logits (B, n, vocabulary), labels (B, n)."""
        asked = labels != NO_LOSS
        said, wanted = logits.argmax(-1)[asked], labels[asked]
        kind = self.kind[wanted]
        near = ((said - wanted).abs() <= FUZZY_STEPS) & (self.kind[said] == kind)
        for row, what in enumerate((said == wanted, near, torch.ones_like(near))):
            self.counts[row].index_add_(0, kind, what.float())

    def figures(self) -> dict[str, float]:
        """Accuracy by kind, of kinds that were asked for."""
        right, near, asked = self.counts.tolist()
        made = {f"accuracy {name}": right[i] / asked[i] for i, name in enumerate(self.names) if asked[i]}
        if asked[0]:
            made["accuracy timing ±20 ms"] = near[0] / asked[0]
        return made
