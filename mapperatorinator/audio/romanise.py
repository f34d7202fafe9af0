"""Latin spelling of names, for the fields of a beatmap that allow ASCII only.

Kana and hangul are spelled from the names that Unicode gives them, Cyrillic from a table, and accents are
dropped. Han characters have no one reading, so a name with them is left to other sources.
"""

from __future__ import annotations

import unicodedata

# Hepburn spellings where the Unicode names of kana differ from them.
_HEPBURN = {
    "si": "shi", "ti": "chi", "tu": "tsu", "hu": "fu", "zi": "ji", "di": "ji", "du": "zu", "wo": "o",
}  # fmt: skip
_CYRILLIC_LETTERS = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў"
_CYRILLIC_SOUNDS = "a b v g d e yo zh z i y k l m n o p r s t u f kh ts ch sh shch  y  e yu ya i yi ye g u"
_CYRILLIC = dict(zip(_CYRILLIC_LETTERS, _CYRILLIC_SOUNDS.split(" "), strict=True))
_SPELLED = {
    "ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "đ": "d", "þ": "th", "ð": "d", "ı": "i",
    "‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‐": "-", "−": "-", "×": "x",
    "、": ", ", "。": ". ", "・": " ", "〜": "~", "～": "~", "「": '"', "」": '"', "『": '"', "』": '"',
    "【": "[", "】": "]",
}  # fmt: skip


def romanise(text: str) -> str:
    """Spell a name in ASCII; empty if one of its letters has no certain spelling.

    text: any Unicode string; symbols without a counterpart (stars, hearts, emoji) are left out.
    """
    spelled: list[str] = []
    kana: list[str] = []  # syllables of the current run of kana
    for char in unicodedata.normalize("NFKC", text):
        name = unicodedata.name(char, "")
        if name.startswith(("HIRAGANA LETTER", "KATAKANA LETTER")) or char == "ー":
            _add_kana(kana, name)
            continue
        spelled.append(_join_kana(kana))
        kana.clear()
        letters = _spell(char, name)
        if letters is None:
            return ""
        starts = name.startswith("HANGUL") and not "".join(spelled[-2:])[-1:].isalpha()
        spelled.append(letters.capitalize() if starts else letters)
    spelled.append(_join_kana(kana))
    return " ".join("".join(spelled).split())


def _spell(char: str, name: str) -> str | None:
    """ASCII for one character that is not kana; None for a letter without a certain spelling."""
    if char.isascii():
        return char
    lower = char.lower()
    known = _SPELLED.get(lower, _CYRILLIC.get(lower))
    if known is None and name.startswith("HANGUL SYLLABLE "):
        return name.rsplit(" ", 1)[1].lower()
    if known is None:
        known = "".join(part for part in unicodedata.normalize("NFKD", lower) if part.isascii())
        if not known and char.isalnum():
            return None
    if not known and char.isspace():
        return " "
    return known.capitalize() if char != lower else known


def _add_kana(syllables: list[str], name: str) -> None:
    """Append one kana to a run, given its Unicode name; small ones change the syllable before them."""
    if "LETTER" not in name:  # the sign that lengthens a vowel
        return
    sound = name.rsplit(" ", 1)[1].lower()
    if "LETTER SMALL" not in name:
        syllables.append(_HEPBURN.get(sound, sound))
    elif sound == "tu":
        syllables.append("^")
    elif not syllables:
        syllables.append(sound)
    elif sound in ("ya", "yu", "yo"):
        before = syllables.pop()
        syllables.append(before[:-1] + (sound[1:] if before in ("shi", "chi", "ji") else sound))
    else:
        before = syllables.pop()
        syllables.append(("w" if before == "u" else before[:-1]) + sound)


def _join_kana(syllables: list[str]) -> str:
    """A capitalised word from the syllables of a run, with small tsu (^) as a double consonant."""
    word = ""
    for syllable in reversed(syllables):
        if syllable == "^":
            syllable = "t" if word.startswith("ch") else word[:1]
        word = syllable + word
    return word[:1].upper() + word[1:]
