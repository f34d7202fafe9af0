"""The table of all checks for the documentation."""

from __future__ import annotations

from .levels import ALL_LEVELS
from .registry import ALL_MODES, MODE_NAMES, REGISTRY, Category, Check

HEADER = """# Checks

What `mapperatorinator check` and the generator's own gate look for. This page is written by
`python -m mapperatorinator.checks docs/checks.md`; do not edit it.

A **Problem** breaks a rule, a **Warning** is worth a look, a **Minor** finding is usually fine.
*gate*: no generated map may have a Problem of this check. *set*: compares the difficulties of a
set. *audio*: needs the song. Levels are read from the difficulty's name, else from its stars.
Sources: MV is Mapset Verifier, lazer the editor of osu!(lazer); both follow the ranking criteria.
"""


def _scope(rule: Check) -> str:
    marks = ("gate",) * rule.gate + ("set",) * (rule.set_rule is not None) + ("audio",) * rule.needs_audio
    return ", ".join(marks)


def _modes(rule: Check) -> str:
    return "all" if rule.modes == ALL_MODES else ", ".join(MODE_NAMES[mode] for mode in sorted(rule.modes))


def _levels(rule: Check) -> str:
    levels = sorted(rule.levels)
    if rule.levels == ALL_LEVELS:
        return "all"
    return str(levels[0]) if len(levels) == 1 else f"{levels[0]} to {levels[-1]}"


def _row(rule: Check) -> str:
    severities = ", ".join(str(severity) for severity in sorted(rule.severities, reverse=True))
    cells = (f"`{rule.id}`", rule.meaning, _modes(rule), _levels(rule), severities, _scope(rule), rule.source)
    return "| " + " | ".join(cells) + " |"


def table() -> str:
    """All checks as Markdown, one table per category."""
    parts = [HEADER]
    for category in Category:
        rules = [rule for rule in REGISTRY.values() if rule.category is category]
        if rules:
            parts.append(f"\n## {category.value} ({len(rules)})\n")
            parts.append(
                "| id | finds | modes | levels | severities | scope | source |\n|---|---|---|---|---|---|---|"
            )
            parts += [_row(rule) for rule in sorted(rules, key=lambda rule: rule.id)]
    return "\n".join(parts) + "\n"
