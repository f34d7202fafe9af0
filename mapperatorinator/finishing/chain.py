"""The last room: a drawn map becomes one that can be played, by a chain of small repairs.

Every repair is a function from beatmap to beatmap with one concern, does nothing where nothing is wrong, and
always does the same. Times come first, then lengths, then places, then what depends on them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mapperatorinator.beatmap import MANIA, Beatmap
from mapperatorinator.checks import Level
from mapperatorinator.checks.levels import level_from_name, level_from_stars
from mapperatorinator.checks.view import MapView
from mapperatorinator.finishing.breaks import set_breaks
from mapperatorinator.finishing.catch import calm_dashes
from mapperatorinator.finishing.columns import arrange_columns
from mapperatorinator.finishing.combos import tidy_combos
from mapperatorinator.finishing.field import keep_on_screen
from mapperatorinator.finishing.gaps import separate
from mapperatorinator.finishing.hitsounds import fill_silence, sound_once
from mapperatorinator.finishing.legal import legal_lines, legal_settings
from mapperatorinator.finishing.places import snap_overlaps, whole_places
from mapperatorinator.finishing.preview import set_preview
from mapperatorinator.finishing.scroll import even_scroll
from mapperatorinator.finishing.sliders import calm_reverses, fit_paths
from mapperatorinator.finishing.snap import snap
from mapperatorinator.finishing.spacing import tame_spacing
from mapperatorinator.finishing.spinners import fit_spinners
from mapperatorinator.finishing.taiko import tidy_taiko
from mapperatorinator.settings import Settings

if TYPE_CHECKING:
    from mapperatorinator.audio import Audio

MOST_ROUNDS = 6
STAR_MARGIN = 0.1  # repairs change the star rating a little


def finish(bm: Beatmap, settings: Settings | None = None, audio: Audio | None = None) -> Beatmap:
    """Return `bm` repaired so that it passes the checks of generated maps; `bm` itself is left alone.

    `settings` may switch off resnapping and overlaps and name the finest divisor; `audio` bounds the map and
    helps to choose the preview. What cannot be repaired (too short a map, no objects) is left to the checks.
    """
    settings = settings or Settings()
    bm = _in_time(legal_lines(legal_settings(_left_to_right(bm))), settings, audio)
    bm = set_breaks(legal_lines(_to_level(bm, settings)))
    bm = sound_once(tidy_combos(bm))
    if settings.hitsounded is not False:
        bm = fill_silence(bm)
    return set_preview(_left_to_right(bm), audio)


def _left_to_right(bm: Beatmap) -> Beatmap:
    """Mania notes of one moment from left to right: repairs go through them in order, so it must not vary."""
    if bm.mode != MANIA:
        return bm
    return replace(bm, hit_objects=sorted(bm.hit_objects, key=lambda note: (note.time, note.x)))


def _level(bm: Beatmap, settings: Settings) -> Level:
    """The level whose rules the map will have to answer to; between two it is the lower, stricter one."""
    named = level_from_name(settings.version or bm.difficulty_name, bm.mode)
    if named is not None:
        return named
    stars = MapView(bm).stars - STAR_MARGIN
    return level_from_stars(stars if settings.difficulty is None else min(stars, settings.difficulty))


def _to_level(bm: Beatmap, settings: Settings) -> Beatmap:
    """What depends on the level; if that makes the map so much easier that it has another one, once more."""
    level = _level(bm, settings)
    while True:
        bm = even_scroll(fit_spinners(tidy_taiko(bm, level), level), level)
        bm = _in_place(bm, settings, level)
        reached = _level(bm, settings)
        if reached >= level:
            return bm
        level = reached


def _in_time(bm: Beatmap, settings: Settings, audio: Audio | None) -> Beatmap:
    """Starts, ends and spans."""
    if settings.resnap_events:
        bm = snap(bm, settings.snap_divisor)
    end = audio.duration_ms if audio is not None else None
    for _ in range(MOST_ROUNDS):
        # Notes dropped for lack of room may leave a column empty, which is filled again.
        timed = separate(_left_to_right(arrange_columns(bm)), end)
        if timed == bm:
            break
        bm = timed
    return bm


def _in_place(bm: Beatmap, settings: Settings, level: Level) -> Beatmap:
    """Paths and positions; one repair may call for another, so they go on until nothing moves."""
    bm = calm_reverses(bm, level)
    for number in range(MOST_ROUNDS):
        placed = keep_on_screen(whole_places(fit_paths(bm)))
        if settings.snap_near_perfect_overlaps:
            placed = snap_overlaps(placed)
        # Whatever is pushed back on the screen after the first round might be pulled off it for ever.
        placed = keep_on_screen(tame_spacing(placed, level), push=number == 0)
        placed = calm_dashes(placed, level)
        if placed == bm:
            break
        bm = placed
    return bm
