"""The rule engine itself: what it reports, its table, its speed on human maps."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from checks_maps import clean_map

from mapperatorinator.beatmap import CATCH, MANIA, OSU, TAIKO, Beatmap, read_beatmap
from mapperatorinator.checks import (
    REGISTRY,
    Issue,
    Level,
    Severity,
    blocking,
    run_checks,
    run_set_checks,
    table,
)
from mapperatorinator.errors import UserError

DOCS = Path(__file__).parent.parent / "docs" / "checks.md"


def test_small_maps_are_clean() -> None:
    for mode in (OSU, TAIKO, CATCH, MANIA):
        graver = [issue for issue in run_checks(clean_map(mode)) if issue.severity > Severity.MINOR]
        assert not graver, [str(issue) for issue in graver]


def test_docs_table_is_current() -> None:
    assert DOCS.read_text(encoding="utf-8") == table(), (
        "run: python -m mapperatorinator.checks docs/checks.md"
    )


def test_every_check_says_what_it_is() -> None:
    for rule in REGISTRY.values():
        assert rule.id.islower() and rule.meaning.endswith(".") and rule.source and rule.severities
        assert (rule.map_rule is None) != (rule.set_rule is None)
        assert not rule.gate or Severity.PROBLEM in rule.severities


def test_unknown_check_is_refused() -> None:
    with pytest.raises(UserError, match="no_such"):
        run_checks(clean_map(), ids=["no_such"])


def test_issue_has_the_editors_timestamp() -> None:
    bm = clean_map()
    bm.hit_objects[6].time += 5
    issue = next(i for i in run_checks(bm, ids=["unsnapped"]))
    assert issue.timestamp == "00:03:405 (3) -" and issue.time == 3405 and issue.objects == (6,)
    assert "00:03:405 (3) -" in str(issue) and issue.to_dict()["severity"] == "Problem"


def test_mania_timestamp_names_time_and_column() -> None:
    bm = clean_map(MANIA)
    bm.hit_objects[6].time += 5
    assert run_checks(bm, ids=["unsnapped"])[0].timestamp == "00:03:405 (3405|2) -"


def test_objects_are_indexes_of_the_file() -> None:
    bm = clean_map()
    bm.hit_objects[0].time += 5
    bm.hit_objects.append(bm.hit_objects.pop(0))
    issue = run_checks(bm, ids=["unsnapped"])[0]
    assert issue.objects == (len(bm.hit_objects) - 1,)


def test_blocking_are_problems_of_gates() -> None:
    bm = clean_map()
    bm.hit_objects[6].time += 5
    bm.tags = ""
    found = run_checks(bm)
    assert {issue.check_id for issue in found} > {"genre_language"}
    assert {issue.check_id for issue in blocking(found)} == {"unsnapped"}


@pytest.mark.parametrize(
    ("name", "mode", "level"),
    [
        ("Collab Easy", OSU, Level.EASY), ("Advanced!!", OSU, Level.HARD), ("Inner Oni", TAIKO, Level.EXPERT),
        ("Somebody's Rain", CATCH, Level.INSANE), ("[4K] HD", MANIA, Level.HARD), ("Normality", OSU, None),
    ],
)  # fmt: skip
def test_level_is_read_from_the_name(name: str, mode: int, level: Level | None) -> None:
    from mapperatorinator.checks.levels import level_from_name

    assert level_from_name(name, mode) is level


def test_damaged_maps_do_not_raise() -> None:
    for mode in (OSU, TAIKO, CATCH, MANIA):
        empty = Beatmap(mode=mode)
        assert any(issue.check_id == "no_objects" for issue in run_checks(empty))
        run_set_checks([empty, Beatmap(mode=mode)])
        bm = clean_map(mode)
        bm.timing_points.clear()
        bm.combo_colours.clear()
        run_checks(bm)
        bm = clean_map(mode)
        bm.hit_objects.reverse()
        assert not blocking(run_checks(bm))


def test_corpus_sample_is_quick_and_mostly_clean(corpus_maps: Callable[..., list[Path]]) -> None:
    """Human maps, most of them ranked or near it: the gate of the basics leaves them alone."""
    basics = (
        "concurrent_objects",
        "zero_length",
        "invisible_slider",
        "fractional_time",
        "illegal_line",
        "tick_rate",
    )
    blamed, total = 0, 0
    for mode in (OSU, TAIKO, CATCH, MANIA):
        for path in corpus_maps(8, mode=mode):
            bm = read_beatmap(path)
            began = time.process_time()
            found: list[Issue] = run_checks(bm, file_name=path.name)
            assert time.process_time() - began < 5.0, path
            total += 1
            blamed += any(i.check_id in basics and i.severity == Severity.PROBLEM for i in found)
    assert blamed <= total * 0.1, f"{blamed} of {total}"
