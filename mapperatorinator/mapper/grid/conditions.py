"""What is asked of a map, as numbers for the networks; everything may be unknown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.mapper.grid.draft import Conditions

# (field, offset, scale): values are brought to about 0..1 before they are spread over waves.
_NUMBERS = (
    ("stars", 0.0, 10.0),
    ("density", 0.0, 12.0),
    ("circle_size", 0.0, 10.0),
    ("keys", 0.0, 10.0),
    ("slider_multiplier", 0.4, 3.2),
    ("year", 2007.0, 20.0),
    ("hitsounded", 0.0, 1.0),
    ("hold_ratio", 0.0, 1.0),
    ("scroll_ratio", 0.0, 1.0),
)
_WAVES = 3
NUMBERS_WIDTH = len(_NUMBERS) * (2 + 2 * _WAVES)


def number_vector(conditions: Conditions) -> NDArray[np.float32]:
    """Spread the numeric conditions: per number known, value, and sines and cosines of 1, 2, 4 half turns.

    Returns (NUMBERS_WIDTH,) float32, all zero where a number is unknown.
    """
    rows = []
    for name, offset, scale in _NUMBERS:
        value = getattr(conditions, name)
        if value is None:
            rows.append(np.zeros(2 + 2 * _WAVES))
            continue
        share = float(np.clip((float(value) - offset) / scale, -0.25, 1.5))
        angles = np.pi * share * 2.0 ** np.arange(_WAVES)
        rows.append(np.concatenate([[1.0, share], np.sin(angles), np.cos(angles)]))
    return np.concatenate(rows).astype(np.float32)


def descriptor_vector(conditions: Conditions, names: list[str]) -> NDArray[np.float32]:
    """One cell per descriptor the model knows, 1 where asked for; (D,) float32."""
    return np.array([name in conditions.descriptors for name in names], dtype=np.float32)
