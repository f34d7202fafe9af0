"""The classifier's network: a window's statistics into one vector, the vector into its mappers."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

WIDTH, FEATURE = 192, 64


class ClassifierNet(nn.Module):
    """Statistics (b, n) in; features (b, FEATURE) and logits (b, mappers) out.

    mean, scale : (n,) of the statistics in training, by which they are made comparable.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor, mappers: int) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.enter = nn.Linear(len(mean), WIDTH)
        self.projector = nn.Linear(WIDTH, FEATURE)
        self.classifier = nn.Linear(FEATURE, mappers)
        self.unseen, self.drop = nn.Dropout(0.3), nn.Dropout(0.4)

    def forward(self, statistics: Tensor) -> tuple[Tensor, Tensor]:
        """The vector before its last bend is the feature: distances on it are not cut off on one side."""
        x = ((statistics - self.mean) / self.scale).clamp(-5, 5)
        x = self.drop(F.silu(self.enter(self.unseen(x))))
        feature = self.projector(x)
        return feature, self.classifier(self.drop(F.silu(feature)))
