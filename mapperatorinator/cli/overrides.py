"""`key=value` words of a command line, as users of the published system write them.

Values of text and path options are taken raw: quotes, '#', commas, '=', backslashes and any script may
stand in a path without escaping. A value that is quoted as a whole loses its quotes, as the documentation's
examples write it (`"audio_path='song.mp3'"`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mapperatorinator.errors import UserError
from mapperatorinator.settings import options, unknown_option

_RAW = ("text", "path")


def split_override(word: str) -> tuple[str, str]:
    """Name and value of 'name=value'; UserError if it is none, or the option does not exist."""
    name, equals, value = word.partition("=")
    if not equals:
        raise UserError(
            f"{word!r} is not of the form option=value; `mapperatorinator settings` lists the options."
        )
    return known_name(name), value


def known_name(name: str) -> str:
    """The option's name without Hydra's leading '+'; UserError if it does not exist."""
    bare = name.strip().lstrip("+~")
    if bare not in {option.name for option in options()}:
        raise unknown_option(bare)
    return bare


def read_overrides(words: Iterable[str]) -> dict[str, Any]:
    """Option names and text values of 'name=value' words; a later one wins."""
    values: dict[str, Any] = {}
    for word in words:
        name, value = split_override(word)
        values[name] = raw_value(value) if is_raw(name) else value
    return values


def is_raw(name: str) -> bool:
    """Whether the option takes any text, so that no grammar may touch its value."""
    return any(option.name == name and option.kind in _RAW for option in options())


def raw_value(value: str) -> str | None:
    """The text without quotes that enclose all of it; a bare null is nothing."""
    if value == "null":
        return None
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"" and value[0] not in value[1:-1]:
        return value[1:-1]
    return value
