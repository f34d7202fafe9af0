"""The checks as oracle: what a rule of generated maps still finds wrong."""

from __future__ import annotations

from mapperatorinator.checks import REGISTRY, Severity
from mapperatorinator.checks.issue import Finding
from mapperatorinator.checks.view import MapView


def problems(view: MapView, rule: str) -> list[Finding]:
    """Return the problems that the check called `rule` finds; none where it does not apply."""
    check = REGISTRY[rule]
    if check.map_rule is None or not check.applies(view.mode, lambda: view.level):
        return []
    return [found for found in check.map_rule(view) if found.severity is Severity.PROBLEM]
