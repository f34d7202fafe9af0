"""Names of a generated map: its metadata and the mark that says it is generated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mapperatorinator.audio import Tags
from mapperatorinator.audio.romanise import romanise
from mapperatorinator.defaults import level_name
from mapperatorinator.pipeline.request import GENERATOR
from mapperatorinator.settings import Settings, options

AI_TAGS = "ai-generated mapperatorinator"
_NOT_IN_TAGS = {"difficulty", "version", "creator", "ai_mark", "export_osz", "tags", "source"}


def difficulty_names(settings: Settings, stars: Sequence[float]) -> list[str]:
    """Names of the difficulties of a set, one for each of `stars`, all different."""
    mark = "AI " if settings.ai_mark else ""
    keys = f"{settings.keycount}K " if settings.mode == 3 else ""
    names = [settings.version or mark + keys + level_name(settings.mode, rating) for rating in stars]
    repeated = {name for name in names if names.count(name) > 1}
    return [
        f"{name} {rating:g}" if name in repeated else name for name, rating in zip(names, stars, strict=True)
    ]


def with_names(settings: Settings, difficulty_name: str, asked: Settings) -> Settings:
    """The settings with creator, tags and difficulty name filled; `asked` are those the user gave."""
    return replace(
        settings,
        title=_latin(settings.title, Tags.title),
        artist=_latin(settings.artist, Tags.artist),
        creator=settings.creator or GENERATOR,
        version=difficulty_name,
        tags=tags_line(settings, asked),
    )


def tags_line(settings: Settings, asked: Settings) -> str:
    """Search words: the user's or this run's options, and the mark that the map is generated."""
    words = settings.tags
    if words is None:
        kinds = {option.name: (option.kind, option.group) for option in options()}
        changed = replace(asked, seed=settings.seed).changed()
        words = " ".join(
            f"{name}={_one_word(value)}"
            for name, value in changed.items()
            if kinds[name][0] != "path" and kinds[name][1] != "Metadata" and name not in _NOT_IN_TAGS
        )
    return f"{words} {AI_TAGS}".strip() if settings.ai_mark else words


def _latin(name: str | None, unknown: str) -> str:
    """The name in ASCII, as the game wants these fields."""
    return romanise(name or "") or unknown


def _one_word(value: object) -> str:
    text = ",".join(str(item) for item in value) if isinstance(value, list) else str(value)
    return text.replace(" ", "_")
