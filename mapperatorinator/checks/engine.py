"""Runs the checks: a map or a set in, a list of issues out, in order of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..beatmap import Beatmap
from ..errors import UserError
from .issue import Finding, Issue, Severity, timestamp
from .levels import Level
from .registry import REGISTRY, Check
from .view import MapView

if TYPE_CHECKING:
    from ..audio import Audio


def _chosen(ids: Iterable[str] | None) -> list[Check]:
    if ids is None:
        return list(REGISTRY.values())
    wanted = list(ids)
    unknown = [name for name in wanted if name not in REGISTRY]
    if unknown:
        raise UserError(
            f"There is no check called {unknown[0]!r}; `python -m mapperatorinator.checks` lists them."
        )
    return [REGISTRY[name] for name in wanted]


def _issue(rule: Check, finding: Finding, view: MapView | None, difficulty: str | None) -> Issue:
    time, objects, text = finding.time, finding.objects, ""
    if view is not None and objects:
        time = view.starts[objects[0]] if time is None else time
        at_object = time == view.starts[objects[0]]
        text = timestamp(time, [view.label(i) for i in objects] if at_object else None)
        objects = tuple(view.order[i] for i in objects)
    elif time is not None:
        text = timestamp(time)
    return Issue(
        rule.id,
        finding.severity,
        finding.message,
        None if time is None else round(time),
        objects,
        text,
        difficulty,
    )


def _sorted(issues: list[Issue]) -> list[Issue]:
    return sorted(issues, key=lambda issue: (issue.time is not None, issue.time or 0, -issue.severity))


def _view_issues(view: MapView, rules: Iterable[Check]) -> list[Issue]:
    name = view.beatmap.difficulty_name or None
    issues = []
    for rule in rules:
        if rule.map_rule is None or (rule.needs_audio and view.audio is None):
            continue
        if rule.applies(view.mode, lambda: view.level):
            issues += [_issue(rule, finding, view, name) for finding in rule.map_rule(view)]
    return _sorted(issues)


def run_checks(
    beatmap: Beatmap,
    audio: Audio | None = None,
    ids: Iterable[str] | None = None,
    level: Level | None = None,
    file_name: str | None = None,
) -> list[Issue]:
    """The issues of one map, those of the whole map first, then in order of time.

    `audio` is its decoded song; without it the checks that need it are skipped. `ids` limits the
    checks (UserError for an unknown one), `level` states the difficulty level instead of reading
    it from name and stars, `file_name` is that of the `.osu` file if its name is to be checked.
    """
    return _view_issues(MapView(beatmap, level, audio, file_name), _chosen(ids))


def run_set_checks(
    beatmaps: Sequence[Beatmap],
    ids: Iterable[str] | None = None,
    levels: Sequence[Level | None] | None = None,
) -> list[Issue]:
    """The issues that show only when the difficulties of a set are compared.

    Checks of single maps are not repeated here. `levels` states difficulty levels, one per map.
    """
    given = levels if levels is not None else [None] * len(beatmaps)
    views = [MapView(beatmap, level) for beatmap, level in zip(beatmaps, given, strict=True)]
    issues = []
    for rule in _chosen(ids):
        concerned = [view for view in views if view.mode in rule.modes]
        if rule.set_rule is None or not concerned:
            continue
        for finding in rule.set_rule(concerned):
            view = None if finding.difficulty is None else concerned[finding.difficulty]
            name = None if view is None else view.beatmap.difficulty_name
            issues.append(_issue(rule, finding, view, name))
    return _sorted(issues)


def blocking(issues: Iterable[Issue]) -> list[Issue]:
    """The issues that no generated map may have: Problems of checks that are a gate."""
    return [issue for issue in issues if issue.severity == Severity.PROBLEM and REGISTRY[issue.check_id].gate]
