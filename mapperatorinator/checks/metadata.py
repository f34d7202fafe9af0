"""Rules about who and what a map names: titles, artists, creators, tags, file name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .issue import MINOR, PROBLEM, WARNING, Finding, minor, problem, warning
from .registry import Category, check
from .view import MapView

MAX_FIELD = 81  # characters (ranking criteria)

GENRES = (
    ("video", "game"), ("anime",), ("rock",), ("pop",), ("novelty",), ("hip", "hop"), ("electronic",),
    ("metal",), ("classical",), ("folk",), ("jazz",),
)  # fmt: skip
LANGUAGES = (
    "english", "chinese", "french", "german", "italian", "japanese", "korean", "spanish", "swedish",
    "russian", "polish", "instrumental", "conlang", "hindi", "arabic", "portuguese", "portugese",
    "turkish", "vietnamese", "persian", "indonesian", "ukrainian", "romanian", "dutch", "thai", "greek",
    "somali", "malay", "hungarian", "czech", "norwegian", "finnish", "danish", "latvia", "lithuanian",
    "estonian", "punjabi", "bengali",
)  # fmt: skip

GUILD_TAGS = ("mappers' guild", "mappers guild", "mpg")
COLLABORATION = re.compile(r"[,&|/]")
POSSESSIVE = re.compile(r"(.+?)(?:'s|(?<=s)')(?:\s|$)", re.IGNORECASE)
FORBIDDEN_IN_FILES = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


@check(
    "missing_metadata", Category.METADATA, "Title, artist, creator or difficulty name is empty.", "playability",
    (PROBLEM,), gate=True,
)  # fmt: skip
def missing_metadata(view: MapView) -> Iterator[Finding]:
    bm = view.beatmap
    fields = {
        "title": bm.title,
        "artist": bm.artist,
        "creator": bm.creator,
        "difficulty name": bm.difficulty_name,
    }
    for name, text in fields.items():
        if not text.strip():
            yield problem(f"The {name} is empty.")


@check(
    "romanised", Category.METADATA,
    "Romanised title, romanised artist or creator is not ASCII (difficulty name: warning).", "MV CheckUnicode",
    (PROBLEM, WARNING), gate=True,
)  # fmt: skip
def romanised(view: MapView) -> Iterator[Finding]:
    bm = view.beatmap
    fields = {"romanised title": bm.title, "romanised artist": bm.artist, "creator": bm.creator}
    for name, text in fields.items():
        if not text.isascii():
            yield problem(f"The {name} has the characters “{_foreign(text)}”.")
    if not bm.difficulty_name.isascii():
        yield warning(f"The difficulty name has the characters “{_foreign(bm.difficulty_name)}”.")


def _foreign(text: str) -> str:
    return "".join(dict.fromkeys(character for character in text if not character.isascii()))


@check(
    "field_length", Category.METADATA, "A metadata field is longer than 81 characters.", "ranking criteria",
    (PROBLEM,), gate=True,
)  # fmt: skip
def field_length(view: MapView) -> Iterator[Finding]:
    bm = view.beatmap
    fields = {
        "title": bm.title, "unicode title": bm.title_unicode, "artist": bm.artist,
        "unicode artist": bm.artist_unicode, "source": bm.source, "difficulty name": bm.difficulty_name,
    }  # fmt: skip
    for name, text in fields.items():
        if len(text) > MAX_FIELD:
            yield problem(f"The {name} has {len(text)} characters, more than {MAX_FIELD}.")


@check(
    "genre_language", Category.METADATA, "The tags name no genre, or no language.", "MV CheckGenreLanguage",
    (WARNING,),
)  # fmt: skip
def genre_language(view: MapView) -> Iterator[Finding]:
    tags = view.beatmap.tags.lower().split()
    if not any(all(any(word in tag for tag in tags) for word in words) for words in GENRES):
        yield warning("The tags name no genre.")
    if not any(language in tag for tag in tags for language in LANGUAGES):
        yield warning("The tags name no language.")


@check(
    "guest_tags", Category.METADATA, "The difficulty name credits somebody who is not in the tags.",
    "MV CheckGuestTags", (WARNING,),
)  # fmt: skip
def guest_tags(view: MapView) -> Iterator[Finding]:
    bm = view.beatmap
    tags = bm.tags.lower()
    for part in COLLABORATION.split(bm.difficulty_name):
        match = POSSESSIVE.match(part.strip())
        if not match:
            continue
        name = match[1].strip().lower()
        known = {tags.replace("_", " "), tags}
        if name != bm.creator.lower() and not any(name in text for text in known):
            yield warning(f"“{match[1].strip()}” is credited but not in the tags.")


@check(
    "guild_tag", Category.METADATA, "The tags name the Mappers' Guild, which asks for its own background.",
    "MV CheckMappersGuildBackground", (MINOR,),
)  # fmt: skip
def guild_tag(view: MapView) -> Iterator[Finding]:
    tags = view.beatmap.tags.lower()
    if any(re.search(rf"(?:^|\s){re.escape(tag)}(?:\s|$)", tags) for tag in GUILD_TAGS):
        yield minor("The tags name the Mappers' Guild; see that the background is right.")


def expected_file_name(artist: str, title: str, creator: str, difficulty: str) -> str:
    """The name the game gives to a map's file."""
    parts = (FORBIDDEN_IN_FILES.sub("", text) for text in (artist, title, creator, difficulty))
    return "{} - {} ({}) [{}].osu".format(*parts)


@check(
    "file_name", Category.FILES, "The file is not named after artist, title, creator and difficulty.",
    "MV CheckUpdateValidity", (WARNING,),
)  # fmt: skip
def file_name(view: MapView) -> Iterator[Finding]:
    bm = view.beatmap
    expected = expected_file_name(bm.artist, bm.title, bm.creator, bm.difficulty_name)
    if view.file_name is not None and view.file_name != expected:
        yield warning(f"The file should be called “{expected}”.")
