"""The last touch by the embedded diffusion: placed objects move a little, to where mappers would have put them.

Needs no torch. Begins with the positions as they are and a little noise (Meng et al. 2022, "SDEdit") and takes a few
steps without further noise (Song et al. 2021, "Denoising diffusion implicit models", equation 12). Objects are rigid
bodies on the way, so that sliders keep their shapes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mapperatorinator import weights
from mapperatorinator.beatmap import TimingPoint
from mapperatorinator.events import Event
from mapperatorinator.positions.bodies import FIELD, Bodies, Places
from mapperatorinator.positions.classes import MapClasses
from mapperatorinator.positions.columns import BAND, Columns, columns_of, out_of_sight
from mapperatorinator.positions.schedule import Schedule

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

NAME = "diffusion"
CATCH_WORD = "catch"  # a style tag of the embedded model: the tables have no slot for the mode
_PART = 512  # columns whose noise is asked for at once, with a band on either side

Reals = NDArray[np.float32]


@dataclass(frozen=True)
class Reach:
    """How far objects may be moved. depth : of a thousand levels of noise, 1 to 100. steps : to take from there."""

    depth: int = 20
    steps: int = 10


class TouchModel:
    """The embedded network with its tables of classes."""

    def __init__(self, threads: int = 1) -> None:
        self.session: InferenceSession = weights.session(NAME, threads=threads)
        self.tables: dict[str, Any] = weights.card(NAME)["tables"]

    def noise(self, x: Reals, columns: Columns, step: int, classes: Reals) -> Reals:
        """The noise in positions (2, n), -1 to 1 across the field, at a step of the diffusion."""
        parts = []
        for start in range(0, len(columns), _PART):
            low, high = max(start - BAND, 0), min(start + _PART + BAND, len(columns))
            answer = self.session.run(None, {
                "x": x[:, low:high], "times": np.float32(columns.times[low:high] - columns.times[low]),
                "distances": np.float32(columns.distances[low:high]), "kinds": columns.kinds[low:high],
                "step": np.array([step]), "classes": classes, "hidden": out_of_sight(high - low),
            })[0]  # fmt: skip
            parts.append(answer[:, start - low :][:, :_PART])
        return np.concatenate(parts, axis=1)


@lru_cache(maxsize=1)
def touch_model() -> TouchModel:
    """The embedded network, loaded once."""
    return TouchModel()


def touch_up(
    events: Sequence[Event], red_lines: Sequence[TimingPoint], slider_multiplier: float, asked: MapClasses,
    start: float = -math.inf, end: float = math.inf, seed: int = 0, reach: Reach | None = None,
) -> list[Event]:  # fmt: skip
    """The events with objects moved a little, on whole pixels and on the field.

    red_lines : of the timing. asked : what the map is. start, end : ms; outside, objects stay. The same seed gives
    the same positions.
    """
    columns = columns_of(events, red_lines, slider_multiplier)
    if not len(columns):
        return list(events)
    bodies = Bodies.of_columns(columns, (columns.times >= start) & (columns.times <= end))
    places = _denoised(touch_model(), columns, bodies, asked, reach or Reach(), np.random.default_rng(seed))
    touched = list(events)
    for column, index in enumerate(columns.events):
        if not bodies.fixed[bodies.of[column]]:
            place = places[column]
            touched[index] = replace(events[index], x=round(place.real), y=round(place.imag), distance=None)
    return touched


def _denoised(
    model: TouchModel, columns: Columns, bodies: Bodies, asked: MapClasses, reach: Reach, rng: np.random.Generator
) -> Places:
    """Places of the columns, (n,)."""
    schedule = Schedule.of()
    classes = asked.vector(model.tables)
    levels = np.unique(np.linspace(0, reach.depth - 1, reach.steps).round().astype(int))[::-1]
    clean, noise = _to_unit(bodies.places), rng.standard_normal((2, len(columns)))
    for level in levels:
        kept = float(schedule.kept[level])
        x = math.sqrt(kept) * clean + math.sqrt(1 - kept) * noise
        guess = model.noise(np.float32(x), columns, int(schedule.steps[level]), classes)
        found = (x - math.sqrt(1 - kept) * guess) / math.sqrt(kept)
        clean = _to_unit(bodies.settle(_to_field(found)))
        noise = (x - math.sqrt(kept) * clean) / math.sqrt(1 - kept)
    return _to_field(clean)


def _to_unit(places: Places) -> NDArray[np.float64]:
    return np.stack((places.real / FIELD.real, places.imag / FIELD.imag)) * 2 - 1


def _to_field(x: NDArray[np.float64]) -> Places:
    return (x[0] + 1) / 2 * FIELD.real + 1j * (x[1] + 1) / 2 * FIELD.imag
