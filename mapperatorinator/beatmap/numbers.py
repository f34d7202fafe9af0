"""Numbers and text as beatmap files spell them."""

from __future__ import annotations

MAX_NUMBER = 2_147_483_647.0  # what the game accepts


def parse_number(text: str) -> float:
    """The number in `text`; ValueError for NaN, infinities and magnitudes above `MAX_NUMBER`."""
    value = float(text)
    if not abs(value) <= MAX_NUMBER or "_" in text:
        raise ValueError(f"{text.strip()} is out of range")
    return value


def parse_int(text: str) -> int:
    """The whole number in `text`; a fraction is cut off."""
    return int(parse_number(text))


def format_number(value: float) -> str:
    """The shortest text that reads back as `value`, without a fraction if it is whole.

    ValueError for what no reader would accept: NaN, infinities, magnitudes above `MAX_NUMBER`.
    """
    if not abs(value) <= MAX_NUMBER:
        raise ValueError(f"{value} cannot be written into a beatmap")
    return str(int(value)) if value == int(value) else repr(float(value))
