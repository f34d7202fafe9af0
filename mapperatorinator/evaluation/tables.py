"""Reports: a table for people, the same as JSON for programs, both with everything needed to repeat them."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.bootstrap import Estimate


@dataclass
class Report:
    """Tables of one command and its `summary`, which is what programs should read."""

    title: str
    seed: int = 0
    summary: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    _tables: list[tuple[str, list[str], list[list[str]]]] = field(default_factory=list)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Add a table; numbers are printed to three places."""
        self._tables.append((title, list(columns), [[cell(v) for v in row] for row in rows]))

    def show(self) -> None:
        """Print all tables and the line that says how they came about."""
        from rich.console import Console
        from rich.table import Table

        console = Console(width=None if sys.stdout.isatty() else 160)
        for title, columns, rows in self._tables:
            table = Table(title=title, title_justify="left")
            for i, column in enumerate(columns):
                table.add_column(column, justify="left" if i == 0 else "right")
            for row in rows:
                table.add_row(*row)
            console.print(table)
        console.print(" · ".join(f"{k} {v}" for k, v in circumstances(self.seed).items()), style="dim")

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON types."""
        return plain(
            {"title": self.title, **circumstances(self.seed), "summary": self.summary, "rows": self.rows}
        )

    def finish(self, json_path: Path | None) -> None:
        """Print, and write JSON where asked."""
        self.show()
        if json_path is not None:
            try:
                json_path.parent.mkdir(parents=True, exist_ok=True)
                json_path.write_text(json.dumps(self.as_dict(), indent=1), encoding="utf-8")
            except OSError as error:
                raise UserError(f"Cannot write {json_path}: {error.strerror or error}.") from error


def circumstances(seed: int) -> dict[str, Any]:
    """Command, date, hardware and seed of this run."""
    return {
        "command": shlex.join(["mapperatorinator", *sys.argv[1:]]),
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "hardware": f"{_processor()}, {cores()} cores",
        "seed": seed,
        "models": _models(),
    }


def cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cell(value: object) -> str:
    """A value as text for a table."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return "–" if value != value else f"{value:.3f}"
    return str(value)


def plain(value: Any) -> Any:
    """A value as JSON types; NaN becomes null."""
    if isinstance(value, Estimate):
        return value.as_dict()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return None if value != value or value in (float("inf"), float("-inf")) else round(value, 6)
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _models() -> str:
    """The embedded models' hashes, so that a figure can be traced to its weights."""
    from mapperatorinator.weights import FOLDER, fingerprint

    return ", ".join(f"{path.stem} {fingerprint(path.stem)[:8]}" for path in sorted(FOLDER.glob("*.safetensors")))
