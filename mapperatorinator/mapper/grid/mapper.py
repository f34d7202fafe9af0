"""The grid mapper: hears the song on the beat grid, draws rhythm, then places, and yields events."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.beatmap import Beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.events import Event, events_to_beatmap
from mapperatorinator.mapper import Surprisal
from mapperatorinator.mapper.grid.canvas import Canvas
from mapperatorinator.mapper.grid.columns import place_columns
from mapperatorinator.mapper.grid.context import Shown, kiai_switches, touched
from mapperatorinator.mapper.grid.draft import Conditions, Draft
from mapperatorinator.mapper.grid.network import Floats, GridModel, Heard, grid_model
from mapperatorinator.mapper.grid.objects import chords, drafts
from mapperatorinator.mapper.grid.points import place
from mapperatorinator.mapper.grid.sketch import sketch
from mapperatorinator.mapper.grid.spelling import Speller, spell_chords
from mapperatorinator.mapper.grid.ticks import TickGrid
from mapperatorinator.mapper.grid.unmask import Drawing, Painter
from mapperatorinator.weights.adapter import Adapter, find

if TYPE_CHECKING:
    from mapperatorinator.audio import Audio
    from mapperatorinator.settings import Settings
    from mapperatorinator.timing import Timing

_PLACES = 1  # tells the places' random numbers from the rhythm's
_EDGE_MS = 30.0  # nothing starts closer to the end of the song
_SILENT_NEPERS = 6.0  # a frame this far under the loud ones is silence
_SILENCE_FRAMES = 25  # how far from a sounding frame an object may still start: echoes, fades


class GridMapper:
    """Maps and judges with the embedded networks; keeps what it heard of the last song.

    sketch : called, if set, with a first idea of the beginning of a whole map after each pass over it.
    """

    def __init__(self, model: GridModel | None = None) -> None:
        self.sketch: Callable[[Sequence[Event]], None] | None = None
        self._model = model
        self._kept: tuple[object, Floats] | None = None
        self._heard: tuple[object, object, Heard] | None = None
        self._drawn: tuple[object, Canvas] | None = None

    @property
    def model(self) -> GridModel:
        """The rhythm network without an adapter."""
        return self.adapted(None)

    def adapted(self, adapter: Adapter | None) -> GridModel:
        """The rhythm network as an adapter changes it."""
        return self._model or grid_model(adapter)

    def map(
        self, audio: Audio, timing: Timing, settings: Settings, given: Sequence[Event] | None = None,
        reference: Beatmap | None = None, drawing: Drawing | None = None, deaf: bool = False,
    ) -> Iterator[Event]:  # fmt: skip
        """Yield the events of a map: kiai switches first, then the objects in order of time.

        given : events that stay; only objects between ``settings.start_time`` and ``end_time`` are drawn.
        reference : what ``settings.in_context`` takes over is of this beatmap.
        drawing : how to draw, instead of what the settings say. deaf : map without listening (for measuring).
        """
        conditions = self.conditions(settings)
        heard = self._hear(audio, timing, deaf, conditions.adapter)
        rows = _range(heard.grid, settings.start_time, settings.end_time)
        drawing = drawing or drawing_of(settings)
        if reference is not None and set(settings.in_context) & {"MAP", "NO_HS"}:
            yield from touched(self.adapted(conditions.adapter), heard, reference, settings, conditions, rows, drawing)
            return
        show = partial(self._show, timing, conditions, settings)
        shown = Shown.of(settings, reference, heard.grid)
        canvas = self._draw(audio, heard, settings, given or (), rows, drawing, deaf, show, shown)
        # A generator of its own, so that places do not depend on whether the rhythm was drawn or kept.
        rng = np.random.default_rng((settings.seed or 0, _PLACES))
        hitsounded = settings.hitsounded is not False
        low, high = (int(edge) for edge in (np.flatnonzero(rows)[0], np.flatnonzero(rows)[-1] + 1))
        yield from kiai_switches(canvas, low, high) if shown.kiai is None else shown.kiai
        if conditions.mode == 3:
            drawn = chords(canvas, low, high, conditions.keys or 4, hitsounded)
            place_columns(drawn, conditions, rng)
            yield from spell_chords(drawn, Speller(timing, 3))
            return
        made = drafts(canvas, low, high, conditions.slider_multiplier or 1.4, hitsounded)
        if conditions.mode != 1:
            kept = _fixed(given or (), timing, conditions)
            everything = sorted([*kept, *made], key=lambda d: d.time)
            place(everything, conditions, rng, settings.spacing or 1.0)
        yield from Speller(timing, conditions.mode).spell(made)

    def prepare(self, audio: Audio, timing: Timing) -> None:
        """Hear a song ahead of mapping it."""
        self._hear(audio, timing, False, None)

    def score(
        self, events: Iterable[Event], audio: Audio, timing: Timing, settings: Settings
    ) -> list[Surprisal]:
        """Return how surprising rhythm, attributes and places of a map are, given everything around them."""
        from mapperatorinator.mapper.grid.opinion import opinion

        conditions = self.conditions(settings)
        heard = self._hear(audio, timing, False, conditions.adapter)
        return opinion(self.adapted(conditions.adapter), heard, list(events), timing, conditions)

    def conditions(self, settings: Settings) -> Conditions:
        """What the settings ask of the whole map, in the networks' terms."""
        mode = settings.gamemode or 0
        return Conditions(
            mode=mode,
            stars=settings.difficulty,
            circle_size=settings.circle_size if mode in (0, 2) else None,
            keys=settings.keycount or 4 if mode == 3 else None,
            slider_multiplier=settings.slider_multiplier,
            mapper=self._mapper_of(settings.mapper_name),
            year=settings.year,
            hitsounded=settings.hitsounded,
            hold_ratio=settings.hold_note_ratio,
            scroll_ratio=settings.scroll_speed_ratio,
            descriptors=frozenset(settings.descriptors),
            adapter=find(settings.lora_path, mode) if settings.lora_path else None,
        )

    def _mapper_of(self, name: str) -> int | None:
        """The network's number of a mapper; UserError for one whom it did not learn from."""
        if not name:
            return None
        known = [mapper.casefold() for mapper in self.model.mappers]
        if name.casefold() not in known:
            near = difflib.get_close_matches(name.casefold(), known, 3, 0.5) or known[:: len(known) // 3]
            names = ", ".join(self.model.mappers[known.index(mapper)] for mapper in near)
            raise UserError(f"The embedded model did not learn from a mapper {name!r}; it knows, e.g., {names}.")
        return known.index(name.casefold())

    def _draw(
        self, audio: Audio, heard: Heard, settings: Settings, given: Sequence[Event], rows: NDArray[np.bool_],
        drawing: Drawing, deaf: bool, show: Callable[[Canvas], None], shown: Shown,
    ) -> Canvas:  # fmt: skip
        """Draw rhythm and attributes, or take the last ones if all that has changed is the spacing."""
        key = (heard, replace(settings, spacing=None), tuple(given), drawing, shown.key)
        if self._drawn is None or self._drawn[0] != key:
            conditions = self.conditions(settings)
            canvas = Canvas.of([*given, *(shown.kiai or ())], conditions.mode, heard.grid)
            rng = np.random.default_rng(settings.seed or 0)
            painter = Painter(self.adapted(conditions.adapter), heard, canvas, conditions, rng, drawing, shown.rhythm)
            kept = () if shown.kiai is None else ("kiai",)
            painter.paint(rows, self._playable(audio, heard.grid, deaf), lambda done: show(canvas), kept)
            self._drawn = (key, canvas)
        return self._drawn[1]

    def _show(
        self, timing: Timing, conditions: Conditions, settings: Settings, canvas: Canvas
    ) -> None:
        """Show what is known of the beginning, unless nobody looks or only a stretch is drawn."""
        if self.sketch is None or settings.add_to_beatmap or not canvas.starts().any():
            return
        first = canvas.grid.times[int(canvas.starts().argmax())]
        self.sketch(sketch(canvas, conditions, timing, max(float(first), settings.start_time or 0.0)))

    def _hear(self, audio: Audio, timing: Timing, deaf: bool, adapter: Adapter | None) -> Heard:
        key = (timing, deaf, adapter)
        if self._heard is None or self._heard[0] is not audio or self._heard[1] != key:
            grid = TickGrid.of(timing, 0.0, audio.duration_ms)
            mel = None if deaf else self._mel(audio)
            self._heard = (audio, key, self.adapted(adapter).hear(mel, grid, audio.duration_ms))
        return self._heard[2]

    def _mel(self, audio: Audio) -> Floats:
        from mapperatorinator.audio.mel import log_mel

        if self._kept is None or self._kept[0] is not audio:
            self._kept = (audio, log_mel(audio.samples))
        return self._kept[1]

    def _playable(self, audio: Audio, grid: TickGrid, deaf: bool) -> NDArray[np.bool_]:
        """Ticks on which something may start: inside the song and not in silence."""
        playable = grid.valid & (grid.times >= 0) & (grid.times < audio.duration_ms - _EDGE_MS)
        if deaf:
            return playable
        loudness = self._mel(audio).max(1)
        sounding = loudness > np.quantile(loudness, 0.9) - _SILENT_NEPERS
        near = np.convolve(sounding, np.ones(2 * _SILENCE_FRAMES + 1), "same") > 0.5
        frames = np.clip((grid.times / 10).astype(int), 0, len(near) - 1)
        return playable & near[frames]


def drawing_of(settings: Settings) -> Drawing:
    """How the settings ask to draw."""
    return Drawing(
        temperature=settings.temperature, attribute_temperature=min(settings.temperature, 1.0) * 0.7,
        density=settings.density or 1.0,
    )  # fmt: skip


def _range(grid: TickGrid, start: int | None, end: int | None) -> NDArray[np.bool_]:
    low = -np.inf if start is None else start - 1.0
    high = np.inf if end is None else end + 1.0
    rows = (grid.times >= low) & (grid.times <= high)
    if not rows.any():
        rows[int(grid.nearest([0.0 if start is None else start])[0])] = True
    return rows


def _fixed(given: Sequence[Event], timing: Timing, conditions: Conditions) -> list[Draft]:
    """Given objects as drafts that must not move, for the placing network to see."""
    from mapperatorinator.mapper.grid.reading import read_drafts

    if not given:
        return []
    base = Beatmap(mode=conditions.mode, slider_multiplier=conditions.slider_multiplier or 1.4)
    beatmap = events_to_beatmap(given, base, list(timing.points))
    return [replace(draft, fixed=True) for draft in read_drafts(beatmap)]
