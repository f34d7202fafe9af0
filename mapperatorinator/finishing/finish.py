"""The last room: a drawn map becomes one that can be played, by a chain of small repairs.

Every repair is a function from beatmap to beatmap with one concern, does nothing where nothing is wrong, and
always does the same. Times come first, then lengths, then places, then what depends on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapperatorinator.beatmap import Beatmap
from mapperatorinator.checks.view import MapView
from mapperatorinator.finishing.breaks import set_breaks
from mapperatorinator.finishing.columns import arrange_columns
from mapperatorinator.finishing.combos import tidy_combos
from mapperatorinator.finishing.field import keep_on_screen
from mapperatorinator.finishing.gaps import separate
from mapperatorinator.finishing.hitsounds import fill_silence
from mapperatorinator.finishing.legal import legal_lines, legal_settings
from mapperatorinator.finishing.places import snap_overlaps, whole_places
from mapperatorinator.finishing.preview import set_preview
from mapperatorinator.finishing.sliders import fit_paths
from mapperatorinator.finishing.snap import snap
from mapperatorinator.finishing.spacing import tame_spacing
from mapperatorinator.finishing.spinners import fit_spinners
from mapperatorinator.settings import Settings

if TYPE_CHECKING:
    from mapperatorinator.audio import Audio


def finish(bm: Beatmap, settings: Settings | None = None, audio: Audio | None = None) -> Beatmap:
    """Return `bm` repaired so that it passes the checks of generated maps; `bm` itself is left alone.

    `settings` may switch off resnapping and overlaps and name the finest divisor; `audio` bounds the map and
    helps to choose the preview. What cannot be repaired (too short a map, no objects) is left to the checks.
    """
    settings = settings or Settings()
    bm = legal_lines(legal_settings(bm))
    bm = _in_time(bm, settings, audio)
    bm = _in_place(bm, settings)
    bm = set_breaks(bm)
    bm = tidy_combos(bm)
    if settings.hitsounded is not False:
        bm = fill_silence(bm)
    return set_preview(bm, audio)


def _in_time(bm: Beatmap, settings: Settings, audio: Audio | None) -> Beatmap:
    """Starts, ends, spans and velocities."""
    if settings.resnap_events:
        bm = snap(bm, settings.snap_divisor)
    bm = arrange_columns(bm)
    bm = separate(bm, audio.duration_ms if audio is not None else None)
    return fit_spinners(bm, MapView(bm).level)


def _in_place(bm: Beatmap, settings: Settings) -> Beatmap:
    """Paths and positions."""
    bm = whole_places(fit_paths(bm))
    if settings.snap_near_perfect_overlaps:
        bm = snap_overlaps(bm)
    return keep_on_screen(tame_spacing(keep_on_screen(bm)))
