"""How complex a map's rhythm is: what a model of human rhythms did not see coming, in bits.

`complexity(beatmap)` measures one map with the embedded model; counts need no training framework and no song.
"""

from __future__ import annotations

from mapperatorinator.complexity.measure import Complexity, complexity, measure

__all__ = ["Complexity", "complexity", "measure"]
