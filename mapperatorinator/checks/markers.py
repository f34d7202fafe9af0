"""Rules about standardised words in artists and titles, such as “feat.” and “(TV Size)”."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .issue import PROBLEM, WARNING, Finding, problem, warning
from .registry import Category, check
from .view import MapView


class Marker(NamedTuple):
    """A standard spelling and what people write instead."""

    standard: str
    loose: re.Pattern[str]


def _loose(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)


_LETTERS = r"a-z0-9\u00c0-\u04ff"  # of scripts that join to words: "FTИ" is no "ft"
# Ranking criteria, metadata: how collaborations and voice actors are written.
CREDITS = (
    Marker("vs.", _loose(rf"(?<=\s)vs\.?(?=[^{_LETTERS}.]|$)")),
    Marker("CV:", _loose(rf"(?<=[\s(（])cv[:：]?(?=[^{_LETTERS}:：]|$)")),
    Marker("feat.", _loose(rf"(?<=[\s(（])(?:ft|feat|featuring)\.?(?=[^{_LETTERS}.]|$)")),
)

# Ranking criteria, metadata: versions of a song. Combined ones first, since they contain the others.
_VERSION = r"(?:size|ver(?:sion)?\b\.?)"
COMBINED = (
    Marker("(Sped Up & Cut Ver.)", _loose(rf"spe?e?d[\s-]*up\b[^()]*&\s*cut\b(?:\s+{_VERSION})?")),
    Marker("(Nightcore & Cut Ver.)", _loose(rf"night\s*core\b[^()]*&\s*cut\b(?:\s+{_VERSION})?")),
)
VERSIONS = (
    Marker("(TV Size)", _loose(rf"\btv[\s-]*{_VERSION}")),
    Marker("(Movie Ver.)", _loose(rf"\bmovie[\s-]+(?:{_VERSION}|edit\b|cut\b)")),
    Marker("(Game Ver.)", _loose(rf"\bgame[\s-]+(?:{_VERSION}|op\s+edit\b)")),
    Marker("(Short Ver.)", _loose(rf"\bshort[\s-]+{_VERSION}|[(~-]short[)~-]")),
    Marker("(Cut Ver.)", _loose(rf"\bcut[\s-]+{_VERSION}")),
    Marker("(Extended Edit)", _loose(r"\bextended\s+edit\b")),
    Marker("(Sped Up Ver.)", _loose(rf"\bspe?e?d[\s-]*up\s+{_VERSION}")),
    Marker("(Nightcore Mix)", _loose(r"\bnight\s*core\s+(?:ver\b\.?|mix\b)")),
)
OTHER_VERSION = re.compile(r"\(([^()]+?)\s+(?:version|ver)\)", re.IGNORECASE)
LIVE = re.compile(r"\([^()]*\blive\b[^()]*\)", re.IGNORECASE)
NIGHTCORE = "nightcore"

WIDE = r"\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"  # scripts that need no spaces
SPACING_PROBLEMS = (
    (re.compile(r"[A-Za-z0-9](?:vs\.|feat\.|\(CV:)"), "a space before the marker"),
    (re.compile(r"(?:(?<=\s)vs\.|feat\.|CV:)[A-Za-z0-9]"), "a space after the marker"),
    (re.compile(r"(?<![(（])CV:"), "“(” before “CV:”"),
    (re.compile(r",[A-Za-z]|(?<=[A-Za-z]),[0-9]"), "a space after the comma"),
)
SPACING_WARNINGS = (
    (re.compile(rf"[^\s{WIDE}]&"), "a space before “&”"),
    (re.compile(rf"&[^\s{WIDE}]"), "a space after “&”"),
    (re.compile(rf"(?:feat\.|vs\.)[^\s{WIDE}A-Za-z0-9]"), "a space after the marker"),
)


def _titles(view: MapView) -> dict[str, str]:
    """The romanised title and, where it differs, the unicode one."""
    bm = view.beatmap
    titles = {"title": bm.title, "unicode title": bm.title_unicode}
    return {name: text for name, text in titles.items() if text and (name == "title" or text != bm.title)}


def _artists(view: MapView) -> dict[str, str]:
    bm = view.beatmap
    artists = {"artist": bm.artist, "unicode artist": bm.artist_unicode}
    return {name: text for name, text in artists.items() if text and (name == "artist" or text != bm.artist)}


@check(
    "marker_format", Category.METADATA, "“vs.”, “CV:” or “feat.” is spelled otherwise in artist or title.",
    "MV CheckMarkerFormat", (PROBLEM,), gate=True,
)  # fmt: skip
def marker_format(view: MapView) -> Iterator[Finding]:
    for name, text in {**_artists(view), **_titles(view)}.items():
        for marker in CREDITS:
            exact = marker.standard in text or marker.standard.replace(":", "：") in text
            if marker.loose.search(text) and not exact:
                yield problem(f"The {name} “{text}” should spell “{marker.standard}” so.")


@check(
    "marker_spacing", Category.METADATA, "A space is missing around a marker, “&” or comma in the artist.",
    "MV CheckMarkerSpacing", (PROBLEM, WARNING), gate=True,
)  # fmt: skip
def marker_spacing(view: MapView) -> Iterator[Finding]:
    for name, text in _artists(view).items():
        for say, rules in ((problem, SPACING_PROBLEMS), (warning, SPACING_WARNINGS)):
            for pattern, missing in rules:
                if pattern.search(text):
                    yield say(f"The {name} “{text}” lacks {missing}.")


def _versions(title: str) -> Iterator[Marker]:
    """The version markers a title has, however spelled."""
    combined = [marker for marker in COMBINED if marker.loose.search(title)]
    if combined:
        yield from combined
        return
    plain = LIVE.sub("", title)
    for marker in VERSIONS:
        if marker.standard in title or marker.loose.search(plain):
            yield marker


@check(
    "title_markers", Category.METADATA,
    "A version marker such as (TV Size) is spelled otherwise, misplaced, or in one title only.",
    "MV CheckTitleMarkers; lazer CheckTitleMarkers", (PROBLEM, WARNING), gate=True,
)  # fmt: skip
def title_markers(view: MapView) -> Iterator[Finding]:
    titles = _titles(view)
    for name, title in titles.items():
        markers = list(_versions(title))
        for marker in markers:
            if marker.standard not in title:
                yield problem(f"The {name} “{title}” should say “{marker.standard}”.")
            elif marker.standard == "(TV Size)" and not title.rstrip().endswith(marker.standard):
                yield warning(f"“(TV Size)” should end the {name} “{title}”.")
            elif "Sped Up" in marker.standard and NIGHTCORE in view.beatmap.tags.lower().split():
                yield warning(f"The tags say nightcore, the {name} “{marker.standard}”.")
        other = OTHER_VERSION.search(title)
        if other and not markers and not LIVE.search(title):
            yield warning(f"The {name} “{title}” should say “({other[1]} Ver.)”.")
    if len(titles) == 2:
        romanised, unicode = (
            set(marker.standard for marker in _versions(title)) for title in titles.values()
        )
        for standard in romanised ^ unicode:
            yield problem(f"“{standard}” is in one title field only.")
