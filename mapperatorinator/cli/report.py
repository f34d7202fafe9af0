"""What a run says at its end: asked and got, notes, files, time and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mapperatorinator.cli.usage import Stopwatch, peak_memory_mib

if TYPE_CHECKING:
    from rich.table import Table

    from mapperatorinator.pipeline import Made, Result


def as_json(result: Result, watch: Stopwatch) -> dict[str, Any]:
    """A result as JSON types."""
    return {
        "files": [str(path) for path in result.files],
        "bpm": bpm_text(result),
        "timing_confidence": round(result.timing.confidence, 3),
        "seed": result.settings.seed,
        "difficulties": [made.as_json() for made in result.made],
        "notes": list(result.notes),
        "seconds": round(watch.seconds, 2),
        "peak_memory_mib": peak_memory_mib(),
    }


def print_result(result: Result, watch: Stopwatch) -> None:
    """Print the table of asked and got, and what came of it, to stdout."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, soft_wrap=True)
    if any(beatmap.hit_objects for beatmap in result.beatmaps):
        console.print(_table(result))
    asked = (f"{name}={value}" for name, value in result.recipe["settings"].items() if value != "")
    console.print("asked:", *asked)
    first = f"first beat at {result.timing.offset:.0f} ms"
    console.print(f"BPM {bpm_text(result)}, {first}, seed {result.settings.seed}")
    for note in result.notes:
        console.print(f"note: {note}")
    memory = peak_memory_mib()
    spent = f"{watch.seconds:.1f} s" + (f", {memory:.0f} MiB at most" if memory else "")
    console.print(f"wrote {result.path} ({spent})")


def bpm_text(result: Result) -> str:
    """The tempo, or the range of tempos, of a result."""
    values = sorted(60_000 / point.beat_length for point in result.timing.points)
    low, high = f"{values[0]:.6g}", f"{values[-1]:.6g}"
    asked = result.settings.bpm
    found = low if low == high else f"{low} to {high}"
    return found if asked is None else f"{found} (asked {asked:g})"


def _table(result: Result) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("difficulty", no_wrap=True)
    for name in ("stars asked", "got", "objects", "a second", "CS AR OD HP", "checks"):
        table.add_column(name, justify="right", no_wrap=True)
    for made in result.made:
        table.add_row(*(Text(cell) for cell in _row(made)))
    return table


def _row(made: Made) -> list[str]:
    numbers, beatmap = made.as_json(), made.beatmap
    problems = len(made.candidate.problems)
    stats = (beatmap.circle_size, beatmap.approach_rate, beatmap.overall_difficulty, beatmap.hp_drain_rate)
    return [
        beatmap.difficulty_name,
        f"{made.asked_stars:.2f}",
        f"{made.candidate.stars:.2f}",
        str(numbers["objects"]),
        f"{numbers['objects_per_second']:.2f}",
        " ".join(f"{value:g}" for value in stats),
        "passed" if not problems else f"{problems} problems",
    ]
