"""Time and peak memory of this process, measured by itself."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field


@dataclass
class Stopwatch:
    """Seconds since it was made."""

    started: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Wall-clock seconds so far."""
        return time.perf_counter() - self.started


def peak_memory_mib() -> float | None:
    """Largest resident memory of this process so far in MiB; None where the system does not say."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
