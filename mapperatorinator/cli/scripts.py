"""`name=value` words of the scripts in `classifier/` and `rcomplexion/`, over a profile in their `configs/`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mapperatorinator.cli.guard import guarded
from mapperatorinator.cli.overrides import raw_value
from mapperatorinator.cli.profiles import find_profile
from mapperatorinator.errors import UserError

Values = dict[str, Any]


def profile_values(folder: Path, profile: str, words: Sequence[str]) -> Values:
    """The options of a profile with overrides; a value has the type that the profile's has, text where that is empty.

    `-cn NAME` among the words chooses another profile. UserError for an unknown option or a value of a wrong type.
    """
    from omegaconf import OmegaConf

    rest = list(words)
    if rest[:1] and rest[0] in ("-cn", "--config-name"):
        if len(rest) < 2:
            raise UserError("-cn needs the name of a profile.")
        profile, rest = rest[1], rest[2:]
    loaded = OmegaConf.to_container(OmegaConf.load(folder / f"{find_profile(folder, profile)}.yaml"))
    values: Values = {str(name): value for name, value in dict(loaded).items()}  # type: ignore[arg-type]
    for word in rest:
        name, equals, text = word.lstrip("+").partition("=")
        if not equals or name not in values:
            raise UserError(f"{word!r} is not understood; the options are {', '.join(f'{n}=' for n in values)}.")
        values[name] = _typed(name, raw_value(text), values[name])
    return values


def _typed(name: str, text: str | None, default: Any) -> Any:
    if text is None or default is None or isinstance(default, str):
        return text
    if isinstance(default, bool):
        return text.lower() in ("true", "1", "yes")
    try:
        return type(default)(text)
    except ValueError as error:
        raise UserError(f"{name} is {text!r} but must be a number.") from error


def command(values: Values, place: str, name: str, flags: dict[str, str]) -> list[str]:
    """The words of a `mapperatorinator` sub-command: `place` names the option that is its path, `flags` the others."""
    if not values.get(place):
        raise UserError(f"Which map? Say {place}=path/to/map.osu (or an .osz, or a folder).")
    words = [name, str(values[place])]
    for option, flag in flags.items():
        if isinstance(values[option], bool):
            words += [flag] if values[option] else []
        elif values[option] is not None:
            words.append(f"{flag}={values[option]}")
    return words


def script(folder: Path, profile: str, place: str, name: str, flags: dict[str, str]) -> None:
    """Run a sub-command with the process's `name=value` words and exit."""

    def work() -> int:
        from mapperatorinator.cli.main import run

        return run(command(profile_values(folder, profile, sys.argv[1:]), place, name, flags))

    sys.exit(guarded(work))


def training_script(folder: Path, profile: str, train: Callable[[Values], None]) -> None:
    """Run a training with the process's `name=value` words and exit."""

    def work() -> int:
        values = profile_values(folder, profile, sys.argv[1:])
        try:
            train(values)
        except ImportError as error:
            raise UserError(f"Training needs more ({error}): pip install 'mapperatorinator[train]'.") from error
        return 0

    sys.exit(guarded(work))
