"""Independent readers: other programs' parsers, which must accept what we write.

They are development tools: a reader that is not installed, or whose library does not load here, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module

# The bytes of a file -> objects found, None if it does not say; raises where it does not accept.
Reader = Callable[[bytes], "int | None"]


def readers() -> dict[str, Reader]:
    """The readers that work on this machine, by name."""
    known = {
        "rosu-pp": ("rosu_pp_py", _rosu), "fosu": ("fosu", _fosu), "slider": ("slider", _slider),
        "osu! itself": ("osu_native_py.wrapper.objects", _game),
    }  # fmt: skip
    return {name: reader for name, (module, reader) in known.items() if _loads(module)}


def rejections(data: bytes, objects: int, among: dict[str, Reader] | None = None) -> dict[str, str]:
    """Which readers refuse a file, or find another number of objects than it has: name and reason."""
    found = {}
    for name, reader in (readers() if among is None else among).items():
        try:
            count = reader(data)
        except Exception as error:  # whatever a foreign parser throws means that it does not accept
            found[name] = f"{type(error).__name__}: {error}"
            continue
        if count is not None and count != objects:
            found[name] = f"reads {count} objects of {objects}"
    return found


def _loads(module: str) -> bool:
    try:
        import_module(module)
    except Exception:  # missing, or its native library is
        return False
    return True


def _rosu(data: bytes) -> int:
    import rosu_pp_py

    beatmap = rosu_pp_py.Beatmap(bytes=data)
    if beatmap.is_suspicious():
        raise ValueError("rosu-pp calls the map suspicious")
    rosu_pp_py.Performance().calculate(beatmap)
    return int(beatmap.n_objects)


def _fosu(data: bytes) -> int:
    import fosu

    return len(fosu.parse(data, calculate_slider_end_times=True, client="lazer").hit_objects)


def _slider(data: bytes) -> int | None:
    import slider

    if re.search(rb"^Mode:\s*3", data, re.MULTILINE):
        return None  # it refuses every hold note, those of human maps too
    return len(slider.Beatmap.parse(data.decode("utf-8-sig")).hit_objects(spinners=True))


def _game(data: bytes) -> None:
    from osu_native_py.wrapper import calculators
    from osu_native_py.wrapper.objects import Beatmap, ModsCollection, Ruleset

    beatmap = Beatmap.from_text(data.decode("utf-8"))
    mode = beatmap.ruleset_id
    kind = getattr(calculators, f"{('Osu', 'Taiko', 'Catch', 'Mania')[mode]}DifficultyCalculator")
    kind.create(Ruleset.from_id(mode), beatmap).calculate(ModsCollection.create())
