"""What is said of a finding, in one sentence, aspect by aspect."""

from __future__ import annotations

from collections.abc import Callable

from mapperatorinator.checks.issue import clock
from mapperatorinator.mapper import Surprisal


def sentence(one: Surprisal, beat: float) -> str:
    """One sentence for a mapper; `beat` is ms per beat at the finding."""
    return _SENTENCES.get(one.aspect, _instead)(one, beat)


def _instead(one: Surprisal, beat: float) -> str:
    return f"Expected {one.expected} rather than {one.said}."


def _move(one: Surprisal, beat: float) -> str:
    off = (one.elsewhere or one.time) - one.time
    way = "later" if off > 0 else "earlier"
    return f"Expected {_fraction(abs(off) / beat)} {way}, at {clock(one.time + off)}."


def _fraction(beats: float) -> str:
    for below in (1, 2, 3, 4, 6, 8, 12, 16):
        above = round(beats * below)
        if above and abs(beats - above / below) < 0.01:
            return f"{above}/{below} beat" + ("s" if above > below else "")
    return f"{beats:.2f} beats"


def _snap(one: Surprisal, beat: float) -> str:
    return f"Lies {one.said}; the nearest tick is at {clock(one.elsewhere or one.time)}."


def _tempo(one: Surprisal, beat: float) -> str:
    return f"The beat drifts away from the red line: it is heard at {one.expected}, not {one.said}."


_SENTENCES: dict[str, Callable[[Surprisal, float], str]] = {
    "move": _move,
    "snap": _snap,
    "tempo": _tempo,
    "extra": lambda one, beat: f"Nothing was expected here rather than a {one.said}.",
    "missing": lambda one, beat: f"Expected a {one.expected} here.",
    "chain": lambda one, beat: "Expected a new combo here.",
    "silence": lambda one, beat: f"Expected the hitsound {one.expected} here.",
    "combo": lambda one, beat: f"Expected {one.expected} here.",
    "offset": lambda one, beat: f"The red lines are {one.said} against the beat that is heard.",
    "columns": lambda one, beat: f"Expected {one.expected} than {one.said}.",
    "sound": lambda one, beat: f"Expected the hitsound {one.expected} rather than {one.said}.",
    "bank": lambda one, beat: f"Expected the sample sets {one.expected} rather than {one.said}.",
    "volume": lambda one, beat: f"Expected a volume of {one.expected} rather than {one.said}.",
    "velocity": lambda one, beat: f"Expected a velocity of {one.expected} rather than {one.said}.",
}
