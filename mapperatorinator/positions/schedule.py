"""The diffusion's noise levels: squared cosine, of which any steps may be kept.

Formulas: Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic Models" (2021), sections 3 and 4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.errors import UserError

STEPS = 1000
LAST_TENTH = (100, *(0,) * 9)  # the published networks know these steps only
_MAX_BETA = 0.999

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Schedule:
    """Levels of the steps that are kept, the least noisy first; all of shape (steps,).

    steps : numbers in the whole diffusion, which the network is told. betas : variance added by a step.
    kept : share of the signal's variance that is left (alpha bar).
    """

    steps: NDArray[np.int64]
    betas: Numbers
    kept: Numbers

    @classmethod
    def of(cls, sections: Sequence[int] = LAST_TENTH) -> Schedule:
        """Keep, of each of as many equal sections of the diffusion, that many steps, evenly spread."""
        steps = _spread(sections)
        alphas = 1 - np.array(
            [min(1 - _signal((i + 1) / STEPS) / _signal(i / STEPS), _MAX_BETA) for i in range(STEPS)]
        )
        kept = np.cumprod(alphas)[steps]
        betas = 1 - kept / np.concatenate(([1.0], kept[:-1]))
        return cls(steps, betas, np.cumprod(1 - betas, dtype=np.float64))

    @property
    def before(self) -> Numbers:
        """`kept` of the next less noisy step."""
        return np.concatenate(([1.0], self.kept[:-1]))

    @property
    def variance(self) -> Numbers:
        """Variance of a step's posterior."""
        return self.betas * (1 - self.before) / (1 - self.kept)

    @property
    def log_variance(self) -> Numbers:
        """Logarithm of `variance`; the first, which is 0, takes the second's."""
        variance = self.variance
        return np.log(np.concatenate((variance[1:2] if len(variance) > 1 else self.betas[:1], variance[1:])))

    @property
    def clean_share(self) -> Numbers:
        """Weight of the predicted positions in a step's mean."""
        return self.betas * np.sqrt(self.before) / (1 - self.kept)

    @property
    def noisy_share(self) -> Numbers:
        """Weight of the present positions in a step's mean."""
        return (1 - self.before) * np.sqrt(1 - self.betas) / (1 - self.kept)


def _signal(share: float) -> float:
    return math.cos((share + 0.008) / 1.008 * math.pi / 2) ** 2


def _spread(sections: Sequence[int]) -> NDArray[np.int64]:
    size, longer = divmod(STEPS, max(len(sections), 1))
    steps: list[int] = []
    start = 0
    for number, count in enumerate(sections):
        length = size + (number < longer)
        if not 0 <= count <= length:
            raise UserError(
                f"timesteps asks for {count} of the {length} steps of a section; ask for 0 to {length}."
            )
        stride = (length - 1) / (count - 1) if count > 1 else 1.0
        at = 0.0
        for _ in range(count):
            steps.append(start + round(at))
            at += stride
        start += length
    if not steps:
        raise UserError("timesteps keeps no step of the diffusion; ask for at least one.")
    return np.array(sorted(set(steps)), dtype=np.int64)
