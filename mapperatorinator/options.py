"""What one option is: type, range, default, unit, meaning, and the models that honour it.

Values come from a command line, a YAML file, a web form or Python; `Option.read` turns any of them into
the option's type or says in one sentence what is wrong. Knows nothing of which options there are:
`settings` lists them.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mapperatorinator.errors import UserError

Kind = Literal["flag", "whole", "real", "text", "path", "word", "words", "reals"]

PUBLISHED = ("v28", "v29", "v30", "v31", "v32", "v32-mini")
MODELS = ("embedded", *PUBLISHED)

_TRUE, _FALSE, _NOTHING = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}, {"", "null", "none", "~"}


@dataclass(frozen=True)
class Option:
    """One thing a user may ask for.

    `kind` is the type (words and reals are lists), `low` and `high` are inclusive bounds in `unit`,
    `choices` the allowed words or numbers, `aliases` other spellings of them; a model not in `models`
    ignores the option.
    """

    name: str
    kind: Kind
    default: Any
    meaning: str
    group: str = ""
    low: float | None = None
    high: float | None = None
    unit: str = ""
    choices: tuple[Any, ...] = ()
    aliases: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[str, ...] = MODELS

    def read(self, value: Any) -> Any:
        """The value in this option's type; UserError names the option and what it accepts."""
        if value is None or self._says_nothing(value):
            return self.default
        if self.kind in ("words", "reals"):
            return tuple(self._one(item) for item in _items(value))
        return self._one(value)

    def describe_range(self) -> str:
        """What the option accepts, for help texts and tables: '0 to 10', 'true or false', …"""
        if self.choices:
            return ", ".join(str(choice) for choice in self.choices)
        if self.low is not None and self.high is not None:
            return f"{_plain(self.low)} to {_plain(self.high)}"
        if self.low is not None:
            return f"at least {_plain(self.low)}"
        return {"flag": "true or false", "words": "a list of words", "path": "a path"}.get(
            self.kind, "any text"
        )

    def as_json(self) -> dict[str, Any]:
        """Everything a form needs to draw a field for this option, as JSON types."""
        return {
            "name": self.name,
            "type": self.kind,
            "group": self.group,
            "default": list(self.default) if isinstance(self.default, tuple) else self.default,
            "low": self.low,
            "high": self.high,
            "unit": self.unit,
            "choices": list(self.choices),
            "meaning": self.meaning,
            "models": list(self.models),
        }

    def _says_nothing(self, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        word = value.strip().lower()
        return word == "" if self.kind == "path" else word in _NOTHING and word.upper() not in self.choices

    def _one(self, value: Any) -> Any:
        if self.kind == "flag":
            value = self._flag(value)
        elif self.kind == "whole":
            value = self._whole(value)
        elif self.kind in ("real", "reals"):
            value = self._real(value)
        else:
            value = str(value)
        return self._choice(value) if self.choices else value

    def _flag(self, value: Any) -> bool:
        word = str(value).strip().lower()
        if word in _TRUE | _FALSE:
            return word in _TRUE
        raise self._wrong(value)

    def _whole(self, value: Any) -> int:
        if isinstance(value, str) and value.strip().lower() in self.aliases:
            return int(self.aliases[value.strip().lower()])
        number = self._real(value)
        if number != int(number):
            raise self._wrong(value)
        return int(number)

    def _real(self, value: Any) -> float:
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise self._wrong(value)
        below = self.low is not None and number < self.low
        if below or (self.high is not None and number > self.high):
            raise self._wrong(value)
        return number

    def _choice(self, value: Any) -> Any:
        if value in self.choices:
            return value
        for choice in self.choices:
            if str(choice).lower() == str(value).strip().lower():
                return choice
        raise self._wrong(value)

    def _wrong(self, value: Any) -> UserError:
        kinds = {"whole": "a whole number, ", "real": "a number, ", "reals": "numbers, "}
        wants = "one of " if self.choices else kinds.get(self.kind, "")
        unit = f" {self.unit}" if self.unit and not self.choices else ""
        return UserError(f"{self.name} is {value!r} but must be {wants}{self.describe_range()}{unit}.")


def markdown_table(options: Iterable[Option]) -> str:
    """The options as Markdown tables, one under each group's heading."""
    lines: list[str] = []
    group = None
    for option in options:
        if option.group != group:
            group = option.group
            lines += ["", f"### {group}", "", "| option | default | accepts | meaning |", "|---|---|---|---|"]
        models = _named_models(option.models)
        accepts = " ".join(part for part in (option.describe_range(), option.unit) if part)
        lines.append(f"| `{option.name}` | {_shown(option.default)} | {accepts} | {option.meaning}{models} |")
    return "\n".join(lines[1:]) + "\n"


def _items(value: Any) -> list[Any]:
    """A list from a list, '[a, b]', "['a b', 'c']" or 'a, b'."""
    if not isinstance(value, str):
        return list(value) if isinstance(value, Iterable) else [value]
    inner = value.strip()
    if inner.startswith("[") and inner.endswith("]"):
        try:
            return list(ast.literal_eval(inner))
        except (ValueError, SyntaxError):
            inner = inner[1:-1]
    parts = (part.strip().strip("'\"") for part in inner.split(","))
    return [part for part in parts if part]


def _named_models(models: tuple[str, ...]) -> str:
    if models == MODELS:
        return ""
    return f" *({'published models' if models == PUBLISHED else ', '.join(models)})*"


def _plain(number: float) -> str:
    return f"{number:g}"


def _shown(default: Any) -> str:
    if default is None or default == () or default == "":
        return ""
    if isinstance(default, tuple):
        return "`[" + ", ".join(str(item) for item in default) + "]`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"
