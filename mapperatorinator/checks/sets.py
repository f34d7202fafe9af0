"""Rules about what the difficulties of a set must share, and how they must differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ..beatmap import Beatmap
from .issue import MINOR, PROBLEM, WARNING, Finding, minor, problem, warning
from .levels import Level
from .registry import CATCH, MANIA, OSU, TAIKO, Category, check, set_check
from .snapping import DIVISORS, Floats
from .view import MapView

HITSOUND_NAME = re.compile(r"hit.*sound|^_?hs_?$", re.IGNORECASE)

# Drain or play time in ms below which the lowest difficulty may not be of this level: Hard, Insane,
# Expert. As of August 2026 (Mapset Verifier, CheckLowestDiff; the wiki's pages differ by version).
LOWEST_LIMITS = {
    OSU: (210_000.0, 255_000.0, 300_000.0),
    TAIKO: (150_000.0, 195_000.0, 240_000.0),
    CATCH: (150_000.0, 195_000.0, 240_000.0),
    MANIA: (120_000.0, 165_000.0, 210_000.0),
}
BREAK_LENIENCY = 30_000.0  # ms of breaks that still count as play in the highest difficulty

RARE_DIVISORS = frozenset((5, 6, 7, 8, 9, 12, 16))
RARE_COUNT_WARNING, RARE_COUNT_MINOR = 3, 7
RARE_SHARE_WARNING, RARE_SHARE_MINOR = 0.005, 0.05
SAME_TIME = 3.0  # ms
CONFUSION_MARGIN = 2.0  # ms


def _at(n: int, finding: Finding) -> Finding:
    return finding._replace(difficulty=n)


@set_check(
    "multiple_audio", Category.AUDIO, "The difficulties do not share one audio file.", "MV CheckMultipleAudio",
    (PROBLEM,), gate=True,
)  # fmt: skip
def multiple_audio(views: Sequence[MapView]) -> Iterator[Finding]:
    files = {view.beatmap.audio_filename for view in views}
    if files <= {""}:
        yield problem("No difficulty names an audio file.")
    elif len(files) > 1:
        yield problem(f"Different audio files: {', '.join(sorted(files))}.")


@set_check(
    "hitsound_difficulty", Category.FILES, "A difficulty seems to hold hit sounds only.", "MV CheckHitsoundDiff",
    (PROBLEM,), gate=True,
)  # fmt: skip
def hitsound_difficulty(views: Sequence[MapView]) -> Iterator[Finding]:
    for n, view in enumerate(views):
        if HITSOUND_NAME.search(view.beatmap.difficulty_name):
            yield _at(n, problem("This seems to be a hit sound difficulty."))


METADATA: dict[str, Callable[[Beatmap], str]] = {
    "artist": lambda bm: bm.artist,
    "unicode artist": lambda bm: bm.artist_unicode,
    "title": lambda bm: bm.title,
    "unicode title": lambda bm: bm.title_unicode,
    "source": lambda bm: bm.source,
    "creator": lambda bm: bm.creator,
}


@set_check(
    "inconsistent_metadata", Category.METADATA, "Artist, title, source, creator or tags differ between difficulties.",
    "MV CheckInconsistentMetadata", (PROBLEM,), gate=True,
)  # fmt: skip
def inconsistent_metadata(views: Sequence[MapView]) -> Iterator[Finding]:
    first = views[0].beatmap
    for n, view in enumerate(views[1:], 1):
        for name, field in METADATA.items():
            if field(view.beatmap) != field(first):
                yield _at(n, problem(f"The {name} “{field(view.beatmap)}” is “{field(first)}” elsewhere."))
        different = set(view.beatmap.tags.split()) ^ set(first.tags.split())
        if different:
            yield _at(n, problem(f"Tags in one difficulty only: {' '.join(sorted(different))}."))


@set_check(
    "multiple_video", Category.FILES, "Difficulties have different videos.", "MV CheckMultipleVideo", (WARNING,),
)  # fmt: skip
def multiple_video(views: Sequence[MapView]) -> Iterator[Finding]:
    videos = {bm.video.filename if bm.video else "" for bm in (v.beatmap for v in views) if bm.mode != TAIKO}
    if len(videos) > 1:
        yield warning(f"Different videos: {', '.join(name or 'none' for name in sorted(videos))}.")


@set_check(
    "video_offset", Category.FILES, "One video starts at different times.", "MV CheckVideoOffset", (PROBLEM,),
    gate=True,
)  # fmt: skip
def video_offset(views: Sequence[MapView]) -> Iterator[Finding]:
    offsets: dict[str, set[float]] = {}
    for view in views:
        if view.beatmap.video:
            offsets.setdefault(view.beatmap.video.filename, set()).add(view.beatmap.video.start)
    for name, starts in offsets.items():
        if len(starts) > 1:
            yield problem(f"{name} starts at {', '.join(f'{start:.0f}' for start in sorted(starts))} ms.")


def _has_story(bm: Beatmap) -> bool:
    return any(line.split(",")[0].strip() in ("Sprite", "Animation", "4", "6") for line in bm.storyboard)


# Setting, and which maps it concerns: only those are compared, and only within one mode.
SETTINGS: tuple[tuple[str, Callable[[Beatmap], object], Callable[[Beatmap], bool]], ...] = (
    ("countdown", lambda bm: (bm.countdown, bm.countdown_offset), lambda bm: bm.mode in (OSU, CATCH)),
    ("letterboxing", lambda bm: bm.letterbox_in_breaks, lambda bm: bool(bm.breaks)),
    ("widescreen support", lambda bm: bm.widescreen_storyboard, _has_story),
    ("use of skin sprites", lambda bm: bm.use_skin_sprites, _has_story),
    ("epilepsy warning", lambda bm: bm.epilepsy_warning, lambda bm: _has_story(bm) or bool(bm.video)),
    ("audio lead-in", lambda bm: bm.audio_lead_in, lambda bm: True),
    ("preferred skin", lambda bm: bm.skin_preference, lambda bm: True),
    ("storyboard of its own", _has_story, lambda bm: True),
)


@set_check(
    "inconsistent_settings", Category.SETTINGS, "Set id, countdown, lead-in, skin, tick rate … differ.",
    "MV CheckInconsistentSettings", (PROBLEM, WARNING, MINOR), gate=True,
)  # fmt: skip
def inconsistent_settings(views: Sequence[MapView]) -> Iterator[Finding]:
    maps = [view.beatmap for view in views]
    if len({bm.beatmapset_id for bm in maps}) > 1:
        yield problem("The difficulties have different set ids.")
    for mode in sorted({bm.mode for bm in maps}):
        group = [bm for bm in maps if bm.mode == mode]
        for name, value, concerns in SETTINGS:
            if len({value(bm) for bm in group if concerns(bm)}) > 1:
                yield warning(f"The {name} differs between difficulties.")
        if len({bm.slider_tick_rate for bm in group}) > 1:
            yield minor("The slider tick rate differs between difficulties.")


@set_check(
    "lowest_difficulty", Category.SPREAD, "The lowest difficulty is too hard for a set of this length.",
    "MV CheckLowestDiff", (PROBLEM,),
)  # fmt: skip
def lowest_difficulty(views: Sequence[MapView]) -> Iterator[Finding]:
    for mode in sorted({view.mode for view in views}):
        group = [n for n, view in enumerate(views) if view.mode == mode]
        group.sort(key=lambda n: (views[n].level, views[n].stars))
        lowest = views[group[0]].level
        if lowest < Level.HARD:
            continue
        limit = LOWEST_LIMITS[mode][min(lowest, Level.EXPERT) - Level.HARD]
        for n in group:
            view = views[n]
            time, needed = view.play_time, limit
            if n == group[-1] and view.play_time - view.drain_time >= BREAK_LENIENCY:
                time, needed = view.drain_time, limit - BREAK_LENIENCY
            if time < needed:
                text = f"{time / 1000:.0f} s are too short for a set whose lowest difficulty is {lowest}"
                yield _at(n, problem(f"{text}; {needed / 1000:.0f} s are needed."))


@set_check(
    "inconsistent_lines", Category.TIMING, "Red lines, meters or tempos differ between difficulties.",
    "MV CheckInconsistentLines", (PROBLEM, MINOR), gate=True,
)  # fmt: skip
def inconsistent_lines(views: Sequence[MapView]) -> Iterator[Finding]:
    reference = {int(line.time): line for line in views[0].red_lines}
    for n, view in enumerate(views[1:], 1):
        lines = {int(line.time): line for line in view.red_lines}
        for time in reference.keys() - lines.keys():
            yield _at(n, problem(f"No red line here, but in {views[0].beatmap.difficulty_name}.", time))
        for time in lines.keys() - reference.keys():
            yield _at(n, problem(f"No red line in {views[0].beatmap.difficulty_name}, but here.", time))
        for time in lines.keys() & reference.keys():
            ours, theirs = lines[time], reference[time]
            if ours.meter != theirs.meter:
                yield _at(n, problem(f"{ours.meter} beats to a measure, {theirs.meter} elsewhere.", time))
            if not np.isclose(ours.ms_per_beat, theirs.ms_per_beat, rtol=1e-9):
                yield _at(n, problem(f"{ours.bpm:.4g} BPM here, {theirs.bpm:.4g} elsewhere.", time))
            if ours.time != theirs.time:
                yield _at(n, minor("The red line differs by a fraction of a millisecond.", time))


@set_check(
    "inconsistent_preview", Category.TIMING, "The preview point differs between difficulties.", "MV CheckPreview",
    (PROBLEM,), gate=True,
)  # fmt: skip
def inconsistent_preview(views: Sequence[MapView]) -> Iterator[Finding]:
    if len({view.beatmap.preview_time for view in views}) > 1:
        yield problem("The preview point differs between difficulties.")


@check(
    "rare_snap", Category.TIMING, "A beat divisor of 1/5, 1/6 or finer is used a few times only.",
    "MV CheckWrongSnapping", (WARNING, MINOR),
)  # fmt: skip
def rare_snap(view: MapView) -> Iterator[Finding]:
    keys, times = view.edge_times
    divisors = view.edge_divisors
    total = int((divisors > 0).sum())
    for divisor in np.unique(divisors[np.isin(divisors, list(RARE_DIVISORS))]):
        where = np.flatnonzero(divisors == divisor)
        share = len(where) / total
        if len(where) <= RARE_COUNT_WARNING or share < RARE_SHARE_WARNING:
            say = warning
        elif len(where) <= RARE_COUNT_MINOR or share < RARE_SHARE_MINOR:
            say = minor
        else:
            continue
        often = "once" if len(where) == 1 else f"{len(where)} times"
        yield say(f"1/{divisor} is used {often} in the map.", float(times[where[0]]), keys[where[0]][0])


def _missing(ours: Floats, theirs: Floats) -> np.ndarray:
    """Positions of the times of `ours` that `theirs` has nothing within 3 ms of."""
    if not len(theirs):
        return np.arange(len(ours))
    ordered = np.sort(theirs)
    right = np.clip(np.searchsorted(ordered, ours), 0, len(ordered) - 1)
    left = np.maximum(right - 1, 0)
    return np.flatnonzero(
        np.minimum(np.abs(ordered[right] - ours), np.abs(ordered[left] - ours)) >= SAME_TIME
    )


@set_check(
    "wrong_snapping", Category.TIMING, "A harder difficulty has an object close to, but not at, one of an easier.",
    "after MV CheckWrongSnapping", (WARNING,),
)  # fmt: skip
def wrong_snapping(views: Sequence[MapView]) -> Iterator[Finding]:
    for n, view in enumerate(views):
        reported: set[float] = set()
        for other in views:
            same_song = other.beatmap.audio_filename == view.beatmap.audio_filename
            if same_song and other.mode == view.mode and other.stars > view.stars:
                for i, time, finding in _confusions(view, other):
                    if time not in reported:
                        reported.add(time)
                        yield _at(n, finding._replace(objects=(i,)))


def _confusions(view: MapView, harder: MapView) -> Iterator[tuple[int, float, Finding]]:
    """Edges of `view` that `harder` has a little earlier or later, on no finer a divisor."""
    keys, ours = view.edge_times
    theirs = harder.edge_times[1]
    alone, others = _missing(ours, theirs), _missing(theirs, ours)
    if view.mode == MANIA:  # where long notes end is free
        alone = alone[[keys[k][1] == 0 for k in alone]]
        others = others[[harder.edge_times[0][k][1] == 0 for k in others]]
    if not len(others):
        return
    others = others[np.argsort(theirs[others])]
    for k in alone:
        time, divisor = float(ours[k]), int(view.edge_divisors[k])
        j = int(np.clip(np.searchsorted(theirs[others], time), 0, len(others) - 1))
        near = min((j, max(j - 1, 0)), key=lambda q: abs(float(theirs[others[q]]) - time))
        theirs_divisor = int(harder.edge_divisors[others[near]])
        if divisor == 0 or theirs_divisor == 0 or theirs_divisor > divisor:
            continue
        finer = next((d for d in DIVISORS if d > max(divisor, theirs_divisor)), DIVISORS[-1])
        reach = view.red_line_at(time).ms_per_beat / finer - CONFUSION_MARGIN
        if abs(float(theirs[others[near]]) - time) < reach:
            text = f"On 1/{divisor} here; {harder.beatmap.difficulty_name} has 1/{theirs_divisor} close by."
            yield keys[k][0], time, warning(text, time)
