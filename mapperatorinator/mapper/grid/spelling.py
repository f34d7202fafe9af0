"""Placed drafts and chords spelled as events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mapperatorinator.beatmap import SliderPath
from mapperatorinator.events import Event, EventKind, Hitsound, snap_divisor
from mapperatorinator.mapper.grid.draft import Chord, Draft, DraftKind
from mapperatorinator.timing import Timing

_ANCHORS = {"B": EventKind.BEZIER_ANCHOR, "P": EventKind.PERFECT_ANCHOR, "C": EventKind.CATMULL_ANCHOR}


class Speller:
    """Turns placed drafts of one map into events; times are rounded as the editor does, to whole ms."""

    def __init__(self, timing: Timing, mode: int) -> None:
        self.timing, self.mode = timing, mode

    def spell(self, drafts: Iterable[Draft]) -> Iterator[Event]:
        """Yield the events of every draft, in the drafts' order."""
        for draft in drafts:
            if draft.kind is DraftKind.SLIDER:
                yield from self._slider(draft)
            elif draft.kind is DraftKind.CIRCLE:
                yield self._circle(draft)
            else:
                yield from self._long(draft)

    def event(self, kind: EventKind, time: float, **more: object) -> Event:
        """Return an event at a time in ms, with its snap divisor."""
        red = self.timing.point_at(time + 0.5)
        return Event(kind, round(time), snap_divisor(time, red.time, red.beat_length), **more)  # type: ignore[arg-type]

    def _circle(self, draft: Draft) -> Event:
        sounds = tuple(draft.hitsounds[:1])
        if self.mode == 1:
            return self.event(EventKind.CIRCLE, draft.time, scroll_speed=draft.velocity, hitsounds=sounds)
        x, y = draft.points[0]
        return self.event(EventKind.CIRCLE, draft.time, x=x, y=y, new_combo=draft.new_combo, hitsounds=sounds)

    def _long(self, draft: Draft) -> Iterator[Event]:
        sounds = tuple(draft.hitsounds[:1])
        if draft.kind is DraftKind.SPINNER:
            yield self.event(EventKind.SPINNER, draft.time)
            yield self.event(EventKind.SPINNER_END, draft.end_time, hitsounds=sounds)
            return
        roll = draft.kind is DraftKind.DRUMROLL
        start, end = (
            (EventKind.DRUMROLL, EventKind.DRUMROLL_END) if roll else (EventKind.DENDEN, EventKind.DENDEN_END)
        )
        yield self.event(start, draft.time, scroll_speed=draft.velocity, hitsounds=sounds)
        yield self.event(end, draft.end_time)

    def _slider(self, draft: Draft) -> Iterator[Event]:
        (x, y), sounds = draft.points[0], draft.hitsounds or [Hitsound()]
        span = (draft.end_time - draft.time) / draft.slides
        yield self.event(
            EventKind.SLIDER_HEAD, draft.time, x=x, y=y, new_combo=draft.new_combo, scroll_speed=draft.velocity,
            hitsounds=(sounds[0],),
        )  # fmt: skip
        yield from (Event(kind, round(draft.time), x=px, y=py) for kind, px, py in _anchors(draft))
        # Bodies sound like their head, without additions.
        body = sounds[0]._replace(sound=0)
        last_x, last_y = draft.points[-1]
        yield self.event(
            EventKind.LAST_ANCHOR,
            draft.time + span,
            x=last_x,
            y=last_y,
            hitsounds=(body, *sounds[1 : draft.slides]),
        )
        end_x, end_y = draft.points[0] if draft.slides % 2 == 0 else _tip(draft)
        yield self.event(EventKind.SLIDER_END, draft.end_time, x=end_x, y=end_y, hitsounds=(sounds[-1],))


def _anchors(draft: Draft) -> Iterator[tuple[EventKind, float, float]]:
    """The control points between head and last point; of a doubled point (a red anchor) one is left."""
    inner = draft.points[1:-1]
    if draft.curve == "L":
        yield from ((EventKind.RED_ANCHOR, x, y) for x, y in inner)
        return
    skip = False
    for number, point in enumerate(inner):
        following = draft.points[number + 2]
        if skip:
            skip = False
        elif point == following:
            skip = True
            yield EventKind.RED_ANCHOR, *point
        else:
            yield _ANCHORS[draft.curve], *point


def _tip(draft: Draft) -> tuple[float, float]:
    x, y = SliderPath.of(draft.curve, draft.points).position_at(1.0, draft.length)
    return float(x), float(y)


def spell_chords(chords: Sequence[Chord], speller: Speller) -> Iterator[Event]:
    """Yield the events of mania chords: each hold's end directly after its start."""
    for number, chord in enumerate(chords):
        sounds = chord.hitsounds or [Hitsound()] * len(chord.columns)
        for column, sound in zip(chord.columns, sounds, strict=False):
            if column not in chord.hold_columns:
                yield speller.event(EventKind.CIRCLE, chord.time, column=column, hitsounds=(sound,))
                continue
            end = next((c.time for c in chords[number + 1 :] if column in c.release_columns), None)
            if end is None:  # the song ends while it is held
                yield speller.event(EventKind.CIRCLE, chord.time, column=column, hitsounds=(sound,))
                continue
            yield speller.event(EventKind.HOLD_NOTE, chord.time, column=column, hitsounds=(sound,))
            yield speller.event(EventKind.HOLD_NOTE_END, end, column=column)
