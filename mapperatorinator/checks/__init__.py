"""The rule engine: what the ranking criteria say about a map, found without listening or guessing.

`run_checks(beatmap)` and `run_set_checks(beatmaps)` report `Issue`s; they never change a map. One
check is one function in a module named in `rules`, entered into `REGISTRY`; `table()` lists them.
"""

from __future__ import annotations

from . import rules as rules
from .engine import blocking, run_checks, run_set_checks
from .issue import Issue, Severity
from .levels import Level
from .registry import REGISTRY, Category, Check
from .table import table

__all__ = [
    "REGISTRY", "Category", "Check", "Issue", "Level", "Severity", "blocking", "run_checks",
    "run_set_checks", "table",
]  # fmt: skip
