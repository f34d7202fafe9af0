"""`python inference.py -cn PROFILE key=value …`: Hydra profiles and overrides, as users know them.

Hydra composes the profile; text values never pass through its grammar (see `overrides`), nothing is written
to disk but the result, and errors are one sentence.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from mapperatorinator.cli.overrides import is_raw, known_name, raw_value
from mapperatorinator.errors import UserError
from mapperatorinator.settings import Settings, options

DEFAULT_PROFILE = "inference"


def compose_settings(folder: Path, profile: str, words: list[str]) -> Settings:
    """Settings of a profile in `folder` with overrides in Hydra's grammar.

    Precedence: built-in defaults, the profile, the overrides.
    """
    from hydra import compose, initialize_config_dir
    from hydra.core.config_store import ConfigStore
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    raw, grammar = _sort(words)
    _check_grammar(grammar)
    plain = {o.name: list(o.default) if isinstance(o.default, tuple) else o.default for o in options()}
    ConfigStore.instance().store(name="settings", node=plain)
    try:
        with initialize_config_dir(str(folder.resolve()), version_base="1.3"):
            config = compose(find_profile(folder, profile), overrides=grammar)
            values: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(" ".join(str(error).split())) from error
    return Settings.from_mapping({**values, **raw})


def find_profile(folder: Path, name: str) -> str:
    """The profile's file name without its ending; 'v29' is short for 'inference_v29'."""
    name = name.removesuffix(".yaml").replace("-", "_")
    for candidate in (name, f"inference_{name}"):
        if (folder / f"{candidate}.yaml").is_file():
            return candidate
    there = ", ".join(sorted(path.stem for path in folder.glob("*.yaml")))
    raise UserError(f"There is no profile {name!r} in {folder}; there are {there or 'none'}.")


def run(arguments: list[str], configs: Path) -> int:
    """What `inference.py` does; `configs` is the folder of profiles. Returns the exit code."""
    from mapperatorinator.cli.generate import generate_and_report
    from mapperatorinator.cli.guard import guarded

    parser = argparse.ArgumentParser(
        prog="inference.py",
        description="Turn a song into a beatmap.",
        epilog="Example: python inference.py audio_path=song.mp3 gamemode=0 difficulty=5.3",
    )
    parser.add_argument("-cn", "--config-name", default=DEFAULT_PROFILE, help="profile under configs/")
    parser.add_argument("-cp", "--config-path", "-cd", "--config-dir", type=Path, default=configs)
    parser.add_argument("overrides", nargs="*", metavar="option=value")
    given, rest = parser.parse_known_args(arguments)

    def work() -> int:
        if rest:
            raise UserError(f"{rest[0]!r} is not understood; options are written as name=value.")
        settings = compose_settings(given.config_path, given.config_name, given.overrides)
        return generate_and_report([settings])

    return guarded(work)


def main(configs: Path) -> None:
    """Run with the process's arguments and exit."""
    sys.exit(run(sys.argv[1:], configs))


def _check_grammar(words: list[str]) -> None:
    """UserError that names the word which Hydra cannot read."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    for word in words:
        try:
            OverridesParser.create().parse_override(word)
        except HydraException as error:
            raise UserError(f"{word!r} is not understood; a list is written as name=[a,b].") from error


def _sort(words: list[str]) -> tuple[dict[str, str | None], list[str]]:
    """Raw text values, and the overrides that Hydra should read."""
    raw: dict[str, str | None] = {}
    grammar: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        if name.startswith("hydra.") or name.startswith("hydra/"):
            continue
        if name.startswith("~"):
            raw[known_name(name)] = None
        elif not equals:
            raise UserError(f"{word!r} is not of the form option=value.")
        elif is_raw(known_name(name)):
            raw[known_name(name)] = raw_value(value)
        else:
            grammar.append(f"{known_name(name)}={value}")
    return raw, grammar
