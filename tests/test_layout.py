"""The house keeps its shape: imports go down only, files stay short, modules say what they are."""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "mapperatorinator"
LONGEST_FILE, LONGEST_FUNCTION, LIBRARY_LINES = 500, 80, 28_500
MEDIAN_FILE = 150

EVERYONE = {"errors"}  # rooms that all may use
BOTTOM = EVERYONE | {"settings", "options", "defaults", "weights"}
EVENTS_DOWN = EVERYONE | {"beatmap"}
CHECKPOINTS_DOWN = EVENTS_DOWN | {"events", "weights"}
MAKERS_DOWN = CHECKPOINTS_DOWN | {"checkpoints", "audio", *BOTTOM}
PIPELINE_DOWN = MAKERS_DOWN | {"finishing", "mapper", "timing", "positions", "checks"}
ANYTHING = {path.stem for path in PACKAGE.iterdir() if path.suffix in ("", ".py")}

# Room -> rooms it may import from (itself always). What is not listed here must be added on purpose.
MAY_USE = {
    "errors": set(),
    "options": EVERYONE,
    "settings": EVERYONE | {"options"},
    "defaults": EVERYONE,
    "weights": EVERYONE,
    "audio": EVERYONE,
    "beatmap": EVERYONE,
    "checks": EVERYONE | {"beatmap", "audio"},
    "events": EVENTS_DOWN,
    "checkpoints": CHECKPOINTS_DOWN,
    "timing": MAKERS_DOWN,
    "positions": MAKERS_DOWN,
    "mapper": MAKERS_DOWN | {"timing", "positions"},
    "finishing": MAKERS_DOWN | {"timing", "checks"},
    "modding": PIPELINE_DOWN | {"complexity"},
    "pipeline": PIPELINE_DOWN,
    "cli": PIPELINE_DOWN | {"pipeline", "modding", "demo", "server", "classifier", "complexity"},
    "server": PIPELINE_DOWN | {"pipeline", "modding", "demo", "complexity"},
    "demo": EVERYONE,
    "classifier": MAKERS_DOWN | {"timing", "mapper"},
    "complexity": MAKERS_DOWN | {"timing"},
    "training": ANYTHING,
    "evaluation": ANYTHING,
    "__main__": {"cli"},
}
# What `pip install mapperatorinator` brings; other rooms live with more.
BASE_INSTALL = {
    "numpy", "onnxruntime", "av", "soxr", "safetensors", "rosu_pp_py", "hydra", "omegaconf", "rich", "platformdirs",
    "fastapi", "pydantic", "starlette", "uvicorn", "questionary", "mapperatorinator",
}  # fmt: skip
ASKED_FOR_BY_NAME = {"matplotlib", "webview"}  # pictures, a window: where it is missing, one sentence says what to install
BEYOND_BASE = {"training", "evaluation", "checkpoints"}
BEYOND_BASE_FOLDERS = ("mapper/sequence", "positions", "classifier/published")
DOCTORED = {("cli/doctor.py", "torch")}  # looks whether it is there

MODULES = sorted(PACKAGE.rglob("*.py"))
NAMES = [path.relative_to(PACKAGE).as_posix() for path in MODULES]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Full names of all that a module imports, wherever it does; relative names made whole."""
    names: set[str] = set()
    package = ["mapperatorinator", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names |= {module} if module != "mapperatorinator" else {f"{module}.{a.name}" for a in node.names}
    return names


def rooms_used(path: Path) -> set[str]:
    used = {name.split(".")[1] for name in imported(path) if name.startswith("mapperatorinator.")}
    return {room for room in used if not room.startswith("__")} - {room_of(path)}


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_imports_go_down_only(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        assert not rooms_used(path)
        return
    assert room in MAY_USE, f"{room} is a new room: say in MAY_USE what it may use"
    # The command dispatches to evaluation by name, so that nothing imports it.
    assert rooms_used(path) <= MAY_USE[room], f"{path.name} imports upwards"


def test_the_two_mappers_do_not_know_each_other() -> None:
    for one, other in (("grid", "sequence"), ("sequence", "grid")):
        for path in (PACKAGE / "mapper" / one).rglob("*.py"):
            stranger = f"mapperatorinator.mapper.{other}"
            assert not [name for name in imported(path) if name.startswith(stranger)], path


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_the_base_install_suffices(path: Path) -> None:
    name = path.relative_to(PACKAGE).as_posix()
    if room_of(path) in BEYOND_BASE or name.startswith(BEYOND_BASE_FOLDERS):
        return
    tops = {module.split(".")[0] for module in imported(path)}
    foreign = tops - set(sys.stdlib_module_names) - BASE_INSTALL - ASKED_FOR_BY_NAME
    assert not {module for module in foreign if (name, module) not in DOCTORED}


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_modules_say_what_they_are_and_stay_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(tree_of(path)), "a module opens with a docstring"
    assert len(text.splitlines()) <= LONGEST_FILE
    assert "from __future__ import annotations" in text or len(tree_of(path).body) == 1
    for node in ast.walk(tree_of(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert (node.end_lineno or 0) - node.lineno + 1 <= LONGEST_FUNCTION, node.name


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_public_names_are_documented_and_annotated(path: Path) -> None:
    for node in tree_of(path).body:
        registered = bool(getattr(node, "decorator_list", ()))  # a check's text stands in its decorator
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not registered:
            assert ast.get_docstring(node), f"{node.name} needs a docstring"
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} needs a docstring"
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            bare = [a.arg for a in node.args.args + node.args.kwonlyargs if a.annotation is None]
            assert not bare and node.returns is not None, f"{node.name} needs annotations"


def test_the_library_is_small() -> None:
    library = [path for path in MODULES if room_of(path) not in ("training", "evaluation")]
    lengths = sorted(len(path.read_text(encoding="utf-8").splitlines()) for path in library)
    assert sum(lengths) <= LIBRARY_LINES
    assert lengths[len(lengths) // 2] <= MEDIAN_FILE


def test_there_is_no_drawer_for_odds_and_ends() -> None:
    assert not [name for name in NAMES if Path(name).stem in ("utils", "util", "helpers", "misc")]
