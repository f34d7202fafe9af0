"""Building a data set: examine every set, ask who made it, plan, write, report; each step takes up what is done."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from mapperatorinator.beatmap.write import replace_file
from mapperatorinator.errors import UserError
from mapperatorinator.training.datasets.collect import Facts, examine, find_sets, state_of
from mapperatorinator.training.datasets.crowd import CRASH, spread
from mapperatorinator.training.datasets.enrich import Known, ask, read_table
from mapperatorinator.training.datasets.layouts import (
    LAYOUTS,
    WORK,
    Plan,
    Refusal,
    clear_strays,
    place,
    plan_mmrs,
    plan_ors,
    share_sounds,
    write_side_tables,
    write_table,
)
from mapperatorinator.training.datasets.sources import METADATA, TRACK
from mapperatorinator.training.datasets.summary import as_page, summarise

REPORT, SUMMARY = "report.json", "summary.html"


class Step(NamedTuple):
    """How far a build is: what it does, done and all of it."""

    stage: str
    done: int
    total: int


Progress = Callable[[Step], None]


@dataclass(frozen=True)
class Order:
    """What is to be built. folders : of sets. metadata : table of the user's. opt_out : list of mappers."""

    folders: Sequence[Path]
    out: Path
    layout: str = "mmrs"
    workers: int = 1
    cluster: bool = False
    metadata: Path | None = None
    opt_out: Path | None = None


def build(order: Order, progress: Progress = lambda step: None) -> dict[str, Any]:
    """Build or complete the data set at `order.out`; returns the report, which is also in report.json there.

    UserError if nothing can be used, a table cannot be read, or `out` holds another layout.
    """
    out = order.out.resolve()
    _check(out, order.layout)
    refusal, told = Refusal.read(order.opt_out), read_table(order.metadata) if order.metadata else {}
    sources = [source for source in find_sets(order.folders) if out not in (source, *source.parents)]
    out.joinpath(WORK).mkdir(parents=True, exist_ok=True)
    facts = _examined(out, sources, order, progress)
    known = _known(out, facts, told, progress)
    plan = (plan_mmrs if order.layout == "mmrs" else plan_ors)(facts, known, refusal)
    report = {
        "layout": order.layout, "sets": len(sources), "maps": len(plan.rows), "folders": len(plan.folders),
        "skipped": [{"source": s, "file": f, "reason": r} for s, f, r in plan.skipped],
    }  # fmt: skip
    if not plan.rows:
        replace_file(out / REPORT, _text(report))
        raise UserError(f"No map of {len(sources)} sets can be used; {out / REPORT} says why.")
    _write(out, plan, order, progress)
    report["shared_bytes"] = share_sounds(out, plan)
    if order.layout == "mmrs":
        write_table(out, plan.rows)
    else:
        write_side_tables(out, plan.rows)
    replace_file(out / REPORT, _text(report))
    replace_file(out / SUMMARY, as_page(summarise(plan.rows), f"Data set {out.name}", plan.skipped).encode())
    return report


def _check(out: Path, layout: str) -> None:
    if layout not in LAYOUTS:
        raise UserError(f"The layout {layout!r} is unknown; choose one of {', '.join(LAYOUTS)}.")
    other = any(out.glob(f"{TRACK}*")) if layout == "mmrs" else (out / METADATA).is_file()
    if other:
        raise UserError(f"{out} holds a data set of another layout; choose an empty folder.")
    if out.is_file():
        raise UserError(f"{out} is a file; name a folder for the data set.")


def _text(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def _examined(out: Path, sources: Sequence[Path], order: Order, progress: Progress) -> list[Facts]:
    """What every set holds; the answers of earlier runs are kept."""
    folder = out / WORK / "examined"
    folder.mkdir(exist_ok=True)
    kept = {str(source): folder / f"{state_of(source)}.json" for source in sources}
    todo = [source for source, file in kept.items() if not file.is_file()]
    done = len(kept) - len(todo)
    progress(Step("Listening", done, len(kept)))
    for source, answer in spread(examine, todo, order.workers, order.cluster):
        replace_file(kept[source], _text(answer or vars(Facts(source, skipped=[("", CRASH)]))))
        done += 1
        progress(Step("Listening", done, len(kept)))
    return [Facts(**json.loads(file.read_text(encoding="utf-8"))) for file in kept.values()]


def _known(out: Path, facts: Sequence[Facts], told: Known, progress: Progress) -> Known:
    numbers = sorted({record["id"] for fact in facts for record in fact.maps if record["id"] > 0} - told.keys())
    answers = ask(numbers, out / WORK / "api.json", lambda done: progress(Step("Asking", done, len(numbers))))
    return {**answers, **told}


def _write(out: Path, plan: Plan, order: Order, progress: Progress) -> None:
    clear_strays(out, plan)
    jobs = [(str(out), folder) for folder in plan.folders]
    for done, ((_, folder), reason) in enumerate(spread(place, jobs, order.workers, False), 1):
        if reason is not None:
            raise UserError(f"{out / folder.path} cannot be written: {reason}")
        progress(Step("Writing", done, len(jobs)))
