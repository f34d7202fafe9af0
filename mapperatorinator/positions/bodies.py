"""Placed objects as rigid bodies: what a refinement may do to them is turn and move, not bend.

A slider is a body, a circle too; what stood exactly in one place moves as one. Places are complex numbers, x + iy px.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import SliderPath
from mapperatorinator.positions.columns import SPINS, Columns, slider_columns

Places = NDArray[np.complex128]
Numbers = NDArray[np.int64]

FIELD = 512 + 384j
_TIED = 32  # columns within which objects in one place belong together
_OUTLINE_STEP = 8.0  # px
_STILL = 1e-6  # px², of a body that cannot be said to turn


@dataclass(frozen=True)
class Bodies:
    """The bodies of n columns.

    places : where columns are given, (n,). of : each column's body, (n,). outline, outline_of : points that must stay
    on the field, and their bodies, (m,). fixed : bodies that must not move.
    """

    places: Places
    of: Numbers
    outline: Places
    outline_of: Numbers
    fixed: NDArray[np.bool_]

    @classmethod
    def of_columns(cls, columns: Columns, free: NDArray[np.bool_]) -> Bodies:
        """Bodies of a map's columns; one that has a column which is not `free` (n,) is fixed, so are spinners."""
        places = columns.positions[0].astype(float) + 1j * columns.positions[1]
        of = _joined(columns, places)
        outline, outline_of = [places], [of]
        for slider in columns.sliders:
            points = [(places[p].real, places[p].imag) for p in slider.points]
            body = SliderPath.of(slider.curve, points).sample(slider.length, _OUTLINE_STEP)
            outline.append(body[:, 0] + 1j * body[:, 1])
            outline_of.append(np.full(len(body), of[slider.end]))
        fixed = np.zeros(int(of.max(initial=-1)) + 1, bool)
        fixed[of[~free | np.isin(columns.kinds, SPINS)]] = True
        return cls(places, of, np.concatenate(outline), np.concatenate(outline_of), fixed)

    def settle(self, wanted: Places) -> Places:
        """Where the columns come to be, (n,), if every body goes as near to `wanted` (n,) as it can on the field."""
        count = np.bincount(self.of)
        old, new = (_sums(places, self.of) / count for places in (self.places, wanted))
        turn = _sums((self.places - old[self.of]).conj() * (wanted - new[self.of]), self.of)
        length = np.abs(turn)
        turn = np.where(length > _STILL, turn / np.maximum(length, _STILL), 1)

        def moved(places: Places, of: Numbers) -> Places:
            return np.where(self.fixed[of], places, new[of] + (places - old[of]) * turn[of])

        edges = moved(self.outline, self.outline_of)
        new = new + _way_back(edges.real, self.outline_of, FIELD.real)
        new = new + 1j * _way_back(edges.imag, self.outline_of, FIELD.imag)
        return moved(self.places, self.of)


def _joined(columns: Columns, places: Places) -> Numbers:
    """The body of every column, numbered from 0."""
    of = np.arange(len(columns))
    for head, _, end in slider_columns(columns.kinds.tolist()):
        of[head : end + 1] = head
    latest: dict[complex, int] = {}
    for column, place in enumerate(places.tolist()):
        before = latest.get(place, -_TIED - 1)
        if column - before <= _TIED and of[before] != of[column]:
            of[of == of[column]] = of[before]
        latest[place] = column
    return np.unique(of, return_inverse=True)[1].reshape(-1)


def _sums(values: Places, of: Numbers) -> Places:
    return np.bincount(of, values.real) + 1j * np.bincount(of, values.imag)


def _way_back(values: NDArray[np.float64], of: Numbers, largest: float) -> NDArray[np.float64]:
    """How far each body must go to lie between 0 and `largest`; the middle for one that is too large."""
    low, high = np.full(int(of.max()) + 1, np.inf), np.full(int(of.max()) + 1, -np.inf)
    np.minimum.at(low, of, values)
    np.maximum.at(high, of, values)
    back = np.maximum(-low, 0) + np.minimum(largest - high, 0)
    return np.where(high - low > largest, (largest - low - high) / 2, back)
