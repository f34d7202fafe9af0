"""Exact positions for maps whose mapper gives coarse ones: the published diffusion. Needs torch.

`load` a checkpoint, then `refine_positions` of a map's events.
"""

from __future__ import annotations

from mapperatorinator.positions.classes import MapClasses
from mapperatorinator.positions.model import Diffusion, load
from mapperatorinator.positions.refine import Manner, refine_positions

__all__ = ["Diffusion", "Manner", "MapClasses", "load", "refine_positions"]
