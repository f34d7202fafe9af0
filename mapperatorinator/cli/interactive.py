"""`mapperatorinator interactive`: asks for every option in the terminal, shows the command, runs it if wanted.

Answers are checked while they are typed by the same rules as everywhere else. Arrow keys choose, the space bar ticks
styles, Ctrl+C leaves.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mapperatorinator.errors import UserError
from mapperatorinator.options import Option
from mapperatorinator.settings import MODE_NAMES, Settings, options

COMMAND = ("mapperatorinator", "generate")
_FIRST = ("audio_path", "beatmap_path", "output_path", "gamemode", "difficulty", "descriptors")
_RUN, _LEAVE, _BACK = "Run it now", "Leave it to copy", "Done: show the command"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `interactive`."""
    parser.add_argument("song", nargs="?", default="", metavar="SONG", help="the song, if you like")


def run(given: argparse.Namespace) -> int:
    """Ask, show the command, run it; returns the exit code."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError("The dialogue needs a terminal; `mapperatorinator generate SONG` needs none.")
    from rich.console import Console

    console = Console(highlight=False)
    console.print("[bold magenta]Mapperatorinator[/] turns a song into a beatmap. Enter keeps a default.\n")
    values = ask_all(given.song)
    words = command_words(values)
    console.print("\n[bold]The command[/] [dim](bash, zsh)[/]")
    console.print(bash_line(words), markup=False, soft_wrap=True, style="cyan")
    console.print("[dim](PowerShell)[/]")
    console.print(powershell_line(words), markup=False, soft_wrap=True, style="cyan")
    if _select("What now?", [_RUN, _LEAVE]) == _LEAVE:
        return 0
    from mapperatorinator.cli.generate import generate_and_report

    return generate_and_report([Settings.from_mapping(values)])


def ask_all(song: str = "") -> dict[str, Any]:
    """Ask for the song, the usual options, and any others by group; returns those that were set."""
    known = {option.name: option for option in options()}
    values: dict[str, Any] = {"audio_path": song} if song else {}
    for name in _FIRST:
        if name not in values:
            _ask(known[name], values)
    others = [option for option in options() if option.name not in _FIRST]
    groups = list(dict.fromkeys(option.group for option in others))
    while True:
        labels = {f"{group} ({_set_in(group, values)})" if _set_in(group, values) else group: group for group in groups}
        choice = _select("Anything else? Choose a group of options.", [_BACK, *labels])
        if choice == _BACK:
            try:
                Settings.from_mapping(values)
                return values
            except UserError as error:
                print(f"  {error}")
                continue
        for option in others:
            if option.group == labels[choice]:
                _ask(option, values)


def command_words(values: dict[str, Any]) -> list[str]:
    """The command that does the same, word by word."""
    return [*COMMAND, *(f"{name}={_as_text(value)}" for name, value in values.items())]


def bash_line(words: Iterable[str]) -> str:
    """The command for bash, zsh and other POSIX shells."""
    return " ".join(shlex.quote(word) for word in words)


def powershell_line(words: Iterable[str]) -> str:
    """The command for PowerShell: what is not plain stands in single quotes, which are doubled inside.

    Windows PowerShell strips double quotes from arguments of programs unless a backslash stands before them.
    """

    def quoted(word: str) -> str:
        if word and all(char.isalnum() or char in "-_./=:\\" for char in word):
            return word
        return "'" + word.replace('"', '\\"').replace("'", "''") + "'"

    return " ".join(quoted(word) for word in words)


def _set_in(group: str, values: dict[str, Any]) -> int:
    return sum(option.group == group and option.name in values for option in options())


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(str(item) for item in value) + "]"
    return str(value)


def _ask(option: Option, values: dict[str, Any]) -> None:
    """Ask for one option; the default leaves it out of `values`."""
    answer = _answer(option, values.get(option.name, option.default))
    read = option.read(answer)
    if read == option.default:
        values.pop(option.name, None)
    else:
        values[option.name] = list(read) if isinstance(read, tuple) else read


def _answer(option: Option, now: Any) -> Any:
    import questionary

    label = f"{option.name.replace('_', ' ')}: {option.meaning}"
    if option.name == "gamemode":
        return MODE_NAMES.index(_select(label, list(MODE_NAMES), MODE_NAMES[now or 0]))
    if option.name == "descriptors":
        return _checked(questionary.checkbox(label, choices=_styles(now)))
    if option.kind == "words" and option.choices:
        ticks = [questionary.Choice(str(one), checked=one in now) for one in option.choices]
        return _checked(questionary.checkbox(label, choices=ticks))
    if option.kind == "flag":
        words = {"default": None, "yes": True, "no": False}
        chosen = next(word for word, value in words.items() if value is now)
        return words[_select(label, list(words), chosen)]
    if option.choices:
        return _select(label, [str(one) for one in option.choices], str(now))
    default = "" if now in (None, ()) else _as_text(now)
    check = _checker(option)
    if option.kind == "path":
        return _checked(questionary.path(label, default=default, validate=check))
    return _checked(questionary.text(f"{label} ({option.describe_range()})", default=default, validate=check))


def _styles(now: Iterable[str]) -> list[Any]:
    import questionary

    from mapperatorinator import weights

    return [questionary.Choice(name, checked=name in now) for name in weights.card("grid")["descriptors"]]


def _checker(option: Option) -> Callable[[str], bool | str]:
    """What is wrong with a text, or True."""

    def check(text: str) -> bool | str:
        if option.name == "audio_path" and not text.strip():
            return True  # a reference beatmap names its song
        if option.name in ("audio_path", "beatmap_path", "background") and text.strip():
            return Path(text).expanduser().is_file() or "There is no such file."
        try:
            option.read(text)
        except UserError as error:
            return str(error)
        return True

    return check


def _select(label: str, choices: list[str], default: str | None = None) -> str:
    import questionary

    return str(_checked(questionary.select(label, choices=choices, default=default)))


def _checked(question: Any) -> Any:
    """The answer; Ctrl+C ends the dialogue."""
    answer = question.ask()
    if answer is None:
        raise KeyboardInterrupt
    return answer
