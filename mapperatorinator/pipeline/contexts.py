"""What a run takes over from its reference beatmap, what it may make of it, and what is refused.

A *touched* map is the reference itself with one thing drawn anew: its sounds (`in_context=[NO_HS]`), its kiai or, in
mania, its scroll speeds (`in_context=[MAP]` with `output_type=[KIAI]`, `[SV]` or both). Everything else of it stays as
its author made it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mapperatorinator.beatmap import MANIA, TAIKO, Beatmap, HitObject, Slider, TimingPoint
from mapperatorinator.beatmap.timing import KIAI
from mapperatorinator.errors import UserError
from mapperatorinator.events import Event, EventKind, events_to_beatmap
from mapperatorinator.events.scroll import last_whole_second, multipliers, usual_beat_length
from mapperatorinator.finishing.merge import green_line
from mapperatorinator.settings import MODE_NAMES, Settings

_OWN = {"MAP", "NO_HS"}  # contexts that are the very map to be made


def touches(settings: Settings) -> bool:
    """Whether the run keeps the reference's objects and draws one thing anew."""
    embedded = settings.model == "embedded"
    return "MAP" in settings.in_context or (embedded and "NO_HS" in settings.in_context)


def takes_over_timing(settings: Settings) -> bool:
    """Whether the reference's red lines are used: whatever is taken from a map stands on its beats."""
    return settings.add_to_beatmap or bool(set(settings.in_context) - {"NONE"})


def check_contexts(settings: Settings, reference: Beatmap | None) -> None:
    """UserError for contexts and outputs that cannot be had together, with what can.

    reference : the beatmap of `beatmap_path`; its mode counts where none was asked.
    """
    mode = reference.mode if reference is not None and settings.gamemode is None else settings.mode
    given, made = set(settings.in_context) - {"NONE"}, set(settings.output_type)
    if not made:
        raise UserError("output_type is empty; say what to make, e.g. output_type=[TIMING,KIAI,MAP].")
    if settings.overwrite_reference_beatmap and not settings.add_to_beatmap:
        raise UserError(
            "overwrite_reference_beatmap writes into the reference: it needs add_to_beatmap=true."
        )
    if len(given & {*_OWN, "GD"}) > 1:
        raise UserError(
            f"in_context names the reference twice ({', '.join(sorted(given))}); choose MAP, NO_HS or GD."
        )
    if settings.add_to_beatmap and "MAP" not in made and not given & _OWN:
        raise UserError(
            "add_to_beatmap adds objects: put MAP into output_type, or say in_context=[MAP] to change a map's kiai."
        )
    if "MAP" in given and "MAP" in made:
        raise UserError(
            "in_context=[MAP] keeps the map's objects: say what to add to it, e.g. output_type=[KIAI]."
        )
    if "MAP" in given and not made & {"KIAI", "SV"}:
        raise UserError(
            "Of a map that is given (in_context=[MAP]) only kiai and, in mania, scroll speeds can be made: "
            "output_type=[KIAI] or [SV]."
        )
    if "MAP" in given and "SV" in made and mode != MANIA:
        raise UserError(
            f"Scroll speeds apart from the objects are a thing of mania; in {MODE_NAMES[mode]} they are drawn with the "
            "objects, so leave SV out of output_type."
        )
    if "NO_HS" in given and "MAP" not in made:
        raise UserError("in_context=[NO_HS] makes a map's hitsounds: put MAP into output_type.")
    if settings.model == "embedded":
        _check_embedded(mode, given, made)
    if reference is not None and (given & _OWN or settings.add_to_beatmap):
        what = "add_to_beatmap" if settings.add_to_beatmap else f"in_context=[{','.join(sorted(given))}]"
        if reference.mode != mode:
            raise UserError(
                f"{what} keeps objects of the reference, whose mode is {MODE_NAMES[reference.mode]}: leave gamemode "
                "away, or use in_context=[GD] to make a map of another mode from it."
            )
        if given & _OWN and not reference.hit_objects:
            raise UserError(f"{what} needs the objects of the reference, which has none.")


def _check_embedded(mode: int, given: set[str], made: set[str]) -> None:
    if "SV" in given or made == {"SV"} or ("MAP" in given and "SV" in made):
        raise UserError(
            "The embedded model makes no scroll speeds of its own, so SV can be neither given nor made alone; "
            "use a published model (-cn inference_v32) for that."
        )
    if "NO_HS" in given and mode == TAIKO:
        raise UserError(
            "In taiko the hitsounds are the notes; in_context=[NO_HS] is for osu!, catch and mania."
        )


def lines_of(events: Iterable[Event]) -> list[Event]:
    """The events that are no objects: kiai and scroll speeds."""
    return [e for e in events if e.kind in (EventKind.KIAI, EventKind.SCROLL_SPEED_CHANGE)]


def touched(reference: Beatmap, events: list[Event], settings: Settings) -> Beatmap:
    """The reference with sounds (NO_HS), kiai or scroll speeds of `events`."""
    if "NO_HS" in settings.in_context:
        red_lines = [line for line in reference.timing_points if line.uninherited]
        sounding = events_to_beatmap(events, reference, red_lines)
        return replace(
            reference, hit_objects=_with_sounds(reference, sounding), timing_points=sounding.timing_points
        )
    if "KIAI" in settings.output_type:
        reference = _with_kiai(reference, [event for event in events if event.kind is EventKind.KIAI])
    if "SV" in settings.output_type:
        reference = _with_scroll(reference, [event for event in events if event.kind is EventKind.SCROLL_SPEED_CHANGE])
    return reference


def _with_sounds(reference: Beatmap, sounding: Beatmap) -> list[HitObject]:
    """The reference's own objects, each with the sounds of its counterpart."""

    def name(beatmap: Beatmap, item: HitObject) -> tuple[int, int, type]:
        return int(item.time), beatmap.column(item) if beatmap.mode == MANIA else 0, type(item)

    found = {name(sounding, item): item for item in sounding.hit_objects}
    objects = []
    for item in reference.hit_objects:
        other = found.get(name(reference, item))
        if other is not None:
            item = replace(item, sound=other.sound, sample=other.sample)
            if isinstance(item, Slider) and isinstance(other, Slider):
                item = replace(item, edge_sounds=other.edge_sounds, edge_sets=other.edge_sets)
        objects.append(item)
    return objects


def _with_kiai(reference: Beatmap, switches: list[Event]) -> Beatmap:
    """The reference's lines with kiai as `switches` say; lines are added only where kiai changes between them."""
    lines = sorted(reference.timing_points, key=lambda line: (line.time, not line.uninherited))
    for switch in switches:
        if not any(line.time == switch.time for line in lines):
            before = reference.timing.point_at(switch.time)
            if before is not None:
                lines.append(green_line(before, switch.time))
    lines.sort(key=lambda line: (line.time, not line.uninherited))

    def on(line: TimingPoint) -> bool:
        return next((bool(s.value) for s in reversed(switches) if s.time <= line.time), False)

    marked = [replace(line, effects=line.effects & ~KIAI | (KIAI if on(line) else 0)) for line in lines]
    return replace(reference, timing_points=marked)


def _with_scroll(reference: Beatmap, changes: list[Event]) -> Beatmap:
    """The reference's lines with the speeds that the player is to see; what they say of sound and kiai stays."""
    reds = reference.red_lines()
    usual = usual_beat_length(reds, last_whole_second(reference.hit_objects))
    seen = [(float(change.time), change.scroll_speed or 1.0) for change in changes]
    wanted = sorted(multipliers(seen, reds, usual))
    lines = [line for line in reference.timing_points if line.uninherited]
    times = {line.time for line in reference.timing_points if not line.uninherited} | {time for time, _ in wanted}
    for time in times:
        before = reference.timing.point_at(time) or reds[0]
        speed = next((speed for at, speed in reversed(wanted) if at <= time), 1.0)
        lines.append(replace(green_line(before, time), beat_length=-100.0 / speed))
    return replace(reference, timing_points=sorted(lines, key=lambda line: (line.time, not line.uninherited)))
