"""The mixtures from which places are drawn: their fixed widths, their log densities, and drawing from them.

A head lies on a target (an earlier place) or a free step away. A free step has a distance, from a histogram or
near a suggested one, and then a direction, from a histogram or near a reference. All functions work on rows:
`logits` (n, outputs of the network) and one number per row out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import spacing

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SHARP, WIDE = 0.7, 5.0  # px around a target
SHARP_STEP = 0.6  # px around a suggested distance: what rounding to whole pixels leaves of equality
LEAST = 2.0  # px; shorter suggestions are stacks, which are targets
LOG_SPREAD = (-0.5, 3.7)  # of the learned spreads in px
ANGLE_SPREAD = (0.008, 1.0)  # radians
KINDS = 1 + 2 * spacing.TARGETS
_OFF = -1e9
