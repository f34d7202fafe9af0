"""From noisy positions to exact ones: the steps of the diffusion over one stretch of columns.

Positions are -1 to 1 across the field here. `Guide` is applied to every prediction: columns that are given stay, and
a slider ends where its length says.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mapperatorinator.beatmap import SliderPath
from mapperatorinator.beatmap.curves import ARC_TOLERANCE
from mapperatorinator.positions.columns import SliderShape
from mapperatorinator.positions.network import Network
from mapperatorinator.positions.schedule import Schedule

FIELD = torch.tensor([[512.0], [384.0]])
_FLAT = 1e-3  # px², twice the area of a triangle
_FURTHEST = 2.0  # a prediction's, half a field outside

Noise = Callable[[tuple[int, int]], Tensor]


@dataclass(frozen=True)
class Guide:
    """What every prediction must respect: `given` positions (2, n) where `free` (n,) is false; sliders' ends."""

    given: Tensor
    free: Tensor
    sliders: Sequence[SliderShape]

    def __call__(self, x: Tensor) -> Tensor:
        """Positions (2, n) put right."""
        x = torch.where(self.free, x, self.given)
        places = ((x.cpu() + 1) / 2 * FIELD).T.tolist()
        ends = [(slider.end, at) for slider in self.sliders if (at := _end(slider, places))]
        if ends:
            x[:, [column for column, _ in ends]] = x.new_tensor([at for _, at in ends]).T
        return x


@dataclass(frozen=True)
class Question:
    """What the network is asked about one stretch of n columns.

    context : (272, n). classes : (1, length), or with guidance (2, length), the second what it leads away from.
    hidden : (n, n), true where a column does not see another. guidance : 1 is none.
    """

    context: Tensor
    classes: Tensor
    hidden: Tensor | None
    guidance: float = 1.0

    def ask(self, network: Network, x: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Noise and where the variance lies between its bounds, each (2, n)."""
        rows = len(self.classes)
        steps = torch.full((rows,), step, device=x.device)
        answer = network(
            x.expand(rows, -1, -1), self.context.expand(rows, -1, -1), steps, self.classes, self.hidden
        )
        noise = answer[0, :2]
        if rows == 2:
            noise = answer[1, :2] + self.guidance * (noise - answer[1, :2])
        return noise, answer[0, 2:]


def denoise(
    network: Network, schedule: Schedule, x: Tensor, question: Question, guide: Guide, noise: Noise,
    refiner: Network | None = None, refine_steps: int = 0, tell: Callable[[], None] = lambda: None,
) -> Tensor:  # fmt: skip
    """Positions (2, n) from positions `x`.

    noise : draws standard normal numbers of a shape. refiner : a network for `refine_steps` further steps at the least
    noisy level. tell : called after every step.
    """
    x = guide(x)
    for number in reversed(range(len(schedule.steps))):
        x = _step(network, schedule, number, x, question, guide, noise)
        tell()
    for _ in range(refine_steps if refiner is not None else 0):
        x = _step(refiner or network, schedule, 0, x, question, guide, noise)
        tell()
    return x


def _step(
    network: Network,
    schedule: Schedule,
    number: int,
    x: Tensor,
    question: Question,
    guide: Guide,
    noise: Noise,
) -> Tensor:
    """One step of the posterior (Ho et al. 2020, equations 7 and 11) with a learned variance."""
    guess, between = question.ask(network, x, int(schedule.steps[number]))
    kept = schedule.kept[number]
    clean = np.sqrt(1 / kept) * x - np.sqrt(1 / kept - 1) * guess
    clean = guide(clean).clamp(-_FURTHEST, _FURTHEST)
    mean = float(schedule.clean_share[number]) * clean + float(schedule.noisy_share[number]) * x
    share = (between + 1) / 2
    spread = share * float(np.log(schedule.betas[number])) + (1 - share) * float(
        schedule.log_variance[number]
    )
    drawn = noise((2, x.shape[1])).to(x)
    return mean + (0.5 * spread).exp() * drawn if number else mean


def _end(slider: SliderShape, places: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """Where a slider of its length ends, -1 to 1; None if its points are all in one place."""
    points = [(places[column][0], places[column][1]) for column in slider.points]
    end = _arc_end(points, slider.length) if slider.curve == "P" and len(points) == 3 else None
    if end is None:
        path = SliderPath.of("B" if slider.curve == "P" else slider.curve, points)
        whole = path.natural_length()
        if whole <= 0:
            return None
        end = path.position_at(max(min(slider.length / whole, 1.0), 0.0))
    return end[0] / 256 - 1, end[1] / 192 - 1


def _arc_end(points: Sequence[tuple[float, float]], length: float) -> tuple[float, float] | None:
    """`length` px along the arc through three points, or its end; None if no circle goes through them.

    Measured along chords as the game draws them, but, unlike the game, around circles of any size: a prediction is
    not a slider yet.
    """
    a, b, c = (complex(*point) for point in points)
    b, c = b - a, c - a
    cross = b.real * c.imag - b.imag * c.real
    if abs(cross) < _FLAT:
        return None
    centre = (abs(b) ** 2 * c - abs(c) ** 2 * b) / (2j * cross)
    radius = abs(centre)
    turn = cmath.phase((c - centre) / -centre)
    turn += math.tau * ((cross > 0 > turn) - (cross < 0 < turn))
    chords = 1
    if 2 * radius > ARC_TOLERANCE:
        chords = max(math.ceil(abs(turn) / (2 * math.acos(1 - ARC_TOLERANCE / radius))) - 1, 1)
    chord = 2 * radius * abs(math.sin(turn / chords / 2))
    along = min(max(length / chord, 0.0), chords) if chord else 0.0
    number = min(int(along), chords - 1)
    start, end = (centre - centre * cmath.exp(1j * turn / chords * k) for k in (number, number + 1))
    place = a + start + (end - start) * (along - number)
    return place.real, place.imag
