"""The sequence mapper: a published checkpoint listens to a song and writes its map, token by token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from mapperatorinator import checkpoints
from mapperatorinator.audio.published import load_published
from mapperatorinator.beatmap import MANIA, Beatmap, star_rating
from mapperatorinator.errors import UserError
from mapperatorinator.events import BEAT_KINDS, Event, events_to_beatmap
from mapperatorinator.mapper import Surprisal
from mapperatorinator.mapper.sequence.beats import beats_in, red_lines
from mapperatorinator.mapper.sequence.conditions import Conditions, Wishes
from mapperatorinator.mapper.sequence.model import Model
from mapperatorinator.mapper.sequence.profile import PROFILES
from mapperatorinator.mapper.sequence.reading import Reader, beats_of
from mapperatorinator.mapper.sequence.rules import Sampling
from mapperatorinator.mapper.sequence.surprise import surprisals
from mapperatorinator.mapper.sequence.times import events, in_pixels
from mapperatorinator.mapper.sequence.vocabulary import Mark
from mapperatorinator.mapper.sequence.votes import vote
from mapperatorinator.mapper.sequence.windows import Windows, cut
from mapperatorinator.mapper.sequence.writer import Writer, in_range
from mapperatorinator.settings import MODE_NAMES
from mapperatorinator.timing import Timing, find_timing

if TYPE_CHECKING:
    from mapperatorinator.audio import Audio
    from mapperatorinator.settings import Settings

Samples = NDArray[np.float32]
Contexts = dict[str, list[Mark]]


# Settings that choose a model and how it computes.
_CHOICE = (
    "model", "model_path", "lora_path", "offline", "auto_select_gamemode_model", "device", "precision", "legacy",
)  # fmt: skip


class SequenceMapper:
    """Maps and judges with the checkpoint that the settings name; keeps it loaded, and what it heard last.

    UserError at once if the checkpoint is not there or cannot be run. notes : what the user should know.
    """

    def __init__(self, settings: Settings) -> None:
        self.notes: list[str] = []
        self._models: dict[tuple[object, ...], Model] = {}
        self._has_sub_model = False
        self._settings = settings
        self._song: tuple[object, Samples] | None = None
        self._heard: tuple[object, dict[int, torch.Tensor]] = (None, {})
        self.model(settings)

    def model(self, settings: Settings, base: bool = False) -> Model:
        """The model of the settings; `base` instead of the mode's sub-model where that was found: it times better."""
        if not settings.model_path:
            raise UserError(f"Where is the model {settings.model}? Give model_path, or its profile with -cn.")
        _check_mode(settings.model, settings.mode)
        base = base and self._has_sub_model
        mode = settings.mode if settings.auto_select_gamemode_model and not base else None
        lora = settings.lora_path if settings.lora_path and not base else None
        key = settings.model_path, mode, lora, settings.device, settings.precision, settings.legacy
        if key not in self._models:
            found = checkpoints.load(settings.model_path, None, mode, lora, settings.offline)
            self.notes += found.notes
            self._has_sub_model |= bool(found.subfolder)
            model = Model.of(
                settings.model, found.config, found.tensors, found.tokenizer, settings.device, settings.precision
            )
            if settings.model == "v29" and not settings.legacy:
                # It was trained with the true state of kiai; the published profile has said 0 since.
                model = replace(model, profile=replace(model.profile, kiai_state=True))
            self._models[key] = model
        return self._models[key]

    def map(
        self, audio: Audio, timing: Timing, settings: Settings, given: Sequence[Event] | None = None,
        reference: Beatmap | None = None,
    ) -> Iterator[Event]:  # fmt: skip
        """Yield the events of a map: kiai, then objects, then scroll speeds.

        given : events that stay; only what lies between ``settings.start_time`` and ``end_time`` is written.
        reference : the map of which ``settings.in_context`` is taken over.
        """
        model = self.model(settings)
        writer = self._writer(model, audio, settings)
        length = writer.windows.length_ms
        if strange := ", ".join(self._conditions(model, wishes_of(settings), length).unknown_names()):
            self.notes.append(f"The model {settings.model} does not know {strange}; the map is made without.")
        writer.given = {"timing": beats_of(timing.points, model.profile, length)}
        if reference is not None:
            writer.given |= _taken_over(model, reference, settings, length)
            if "gd" in writer.given:
                writer.guest = self._conditions(model, Wishes.of(reference, star_rating(reference)), length).tokens()
        if given and settings.start_time:
            writer.begun = _begun(model, timing, settings, given)
        written = writer.write(wanted_contexts(model, settings))
        legacy = settings.legacy and "NO_HS" not in settings.in_context  # sounds for a map go into the house's own
        if not legacy:  # the published program forgets what it was given of these
            written |= {name: list(writer.given[name]) for name in ("kiai", "sv") if name in writer.given}
        keys = (settings.keycount or 4) if settings.mode == MANIA else None
        for name in (name for name in model.profile.templates[0].made if name in written):
            yield from _spoken(model, in_range(written[name], settings.start_time, settings.end_time), keys, legacy)

    def score(
        self, events: Iterable[Event], audio: Audio, timing: Timing, settings: Settings
    ) -> list[Surprisal]:
        """Return how surprising every object and attribute of a map is, in order of time.

        Settings that name no model are a map's: they are asked of the model that the mapper was made with.
        """
        if not settings.model_path:
            settings = replace(settings, **{name: getattr(self._settings, name) for name in _CHOICE})
        model = self.model(settings)
        writer = self._writer(model, audio, settings)
        beatmap = _as_beatmap(events, timing, settings)
        reader = Reader(beatmap, model.profile)
        read = {"timing": reader.beats, "kiai": reader.kiai, "map": reader.objects, "sv": reader.scroll}
        writer.given = {name: read[name]() for name in model.profile.templates[0].made}
        return list(surprisals(writer))

    def find_timing(self, audio: Audio, settings: Settings) -> Timing:
        """The red lines that the model hears; with ``settings.super_timing`` by many votes.

        Where it hears no beat, those of the embedded beat tracker, and a note that says so.
        """
        model = self.model(settings, base=True)
        song = self._load(audio)
        if settings.super_timing:
            beams = settings.timer_num_beams
            marks = vote(lambda shifted: self._beats(model, shifted, settings, beams), song, model, settings)
        else:
            marks = self._beats(model, song, settings, settings.num_beams)
        lines = red_lines(beats_in(marks, model.profile.types_first), settings.timing_leniency)
        if lines:
            return Timing.from_points(lines)
        self.notes.append(
            f"The model {settings.model} heard no beat in {audio.path.name}; the embedded beat tracker was asked instead."
        )
        return find_timing(audio)

    def _beats(self, model: Model, song: Samples, settings: Settings, beams: int) -> list[Mark]:
        """Marks of the beats of a song (samples), as the model writes them."""
        writer = self._writer(model, song, settings, votes=settings.super_timing, beams=beams)
        context = "map" if model.profile.interleaved_beats else "timing"
        return writer.write([context])[context]

    def _load(self, audio: Audio) -> Samples:
        """The song as the published models hear it."""
        if self._song is None or self._song[0] is not audio:
            self._song = audio, load_published(audio.path)
        return self._song[1]

    def _writer(
        self, model: Model, song: Audio | Samples, settings: Settings, votes: bool = False, beams: int | None = None
    ) -> Writer:  # fmt: skip
        samples = song if isinstance(song, np.ndarray) else self._load(song)
        parallel = settings.parallel or votes
        whole = isinstance(song, np.ndarray)
        windows = cut(
            samples, model.network.shape.window, settings.lookback, settings.lookahead, parallel,
            None if whole else settings.start_time, None if whole else settings.end_time,
        )  # fmt: skip
        length, wishes = windows.length_ms, wishes_of(settings)
        asked, opposite = (self._conditions(model, w, length) for w in (wishes, wishes.opposite()))
        sampling = sampling_of(settings, votes, beams)
        chance = torch.Generator().manual_seed(settings.seed or 0)
        writer = Writer(
            model, windows, asked, opposite, sampling, parallel=parallel, batch=_batch(settings, sampling),
            generator=chance,
        )  # fmt: skip
        if not whole:
            writer.heard = self._remembered(song, model, windows, wishes)
        return writer

    def _remembered(self, song: object, model: Model, windows: Windows, wishes: Wishes) -> dict[int, torch.Tensor]:
        """What the encoder made of the windows before, as long as song, model, windows and vectors are the same."""
        vectors = (wishes.difficulty, wishes.mapper_id) if model.network.shape.conditions else ()
        key = id(song), id(model), tuple(windows.times), windows.size_ms, vectors
        if self._heard[0] != key:
            self._heard = key, {}
        return self._heard[1]

    def _conditions(self, model: Model, wishes: Wishes, length: float) -> Conditions:
        return Conditions(model.vocabulary, model.profile, wishes, length)


def wanted_contexts(model: Model, settings: Settings) -> list[str]:
    """The contexts that the settings ask for and the model can write, in the model's order; UserError for none."""
    asked = {word.lower() for word in settings.output_type} - {"timing"}
    if settings.mode != 3:
        asked -= {"sv"}
    if "MAP" in settings.in_context:
        asked -= {"map"}
    made = model.profile.templates[0].made
    wanted = [name for name in made if name in asked]
    if not wanted:
        names = ", ".join(name.upper() for name in made if name != "timing")
        raise UserError(f"The model {settings.model} makes {names}; put one of them into output_type.")
    return wanted


def _check_mode(model: str, mode: int) -> None:
    modes = PROFILES[model].modes
    if mode not in modes:
        known = ", ".join(MODE_NAMES[one] for one in modes)
        raise UserError(f"The model {model} knows {known} only; choose another model for {MODE_NAMES[mode]}.")


def wishes_of(settings: Settings) -> Wishes:
    """The conditions that the settings ask for."""
    return Wishes(
        settings.mode, settings.difficulty, settings.mapper_id, settings.year, settings.hitsounded is not False,
        settings.slider_multiplier or 1.4, settings.circle_size, settings.keycount or 4, settings.hold_note_ratio,
        settings.scroll_speed_ratio, tuple(settings.descriptors), tuple(settings.negative_descriptors),
    )  # fmt: skip


def sampling_of(settings: Settings, votes: bool = False, beams: int | None = None) -> Sampling:
    """How the settings want tokens to be chosen; votes are always for the likeliest."""
    return Sampling(
        temperature=settings.temperature or 1.0, timing_temperature=settings.timing_temperature or 1.0,
        column_temperature=settings.mania_column_temperature or 1.0,
        drum_temperature=settings.taiko_hit_temperature or 1.0, top_p=settings.top_p, top_k=settings.top_k,
        time_bias=settings.timeshift_bias, sample=settings.do_sample and settings.temperature > 0 and not votes,
        beams=beams or settings.num_beams, guidance=settings.timer_cfg_scale if votes else settings.cfg_scale,
        legacy=settings.legacy,
    )  # fmt: skip


def _batch(settings: Settings, sampling: Sampling) -> int:
    return max(1, settings.max_batch_size // sampling.beams // (2 if sampling.guidance > 1 else 1))


def _taken_over(model: Model, reference: Beatmap, settings: Settings, length: float) -> Mapping[str, list[Mark]]:
    """Contexts of the reference that the settings ask to take over."""
    reader = Reader(reference, model.profile)
    objects = reader.objects(length)
    everything = {
        "KIAI": reader.kiai(), "SV": reader.scroll(), "GD": objects, "MAP": objects,
        "NO_HS": [mark for mark in objects if mark.kind not in ("hitsound", "volume")],
    }  # fmt: skip
    known = {name for t in model.profile.templates for name in (*t.given, *t.made)}
    asked = [word for word in settings.in_context if word in everything]
    foreign = [word for word in asked if word.lower() not in known]
    if {"GD", "MAP", "NO_HS"} & set(asked):
        _check_mode(settings.model, reference.mode)
    if foreign:
        raise UserError(f"The model {settings.model} cannot take over {', '.join(foreign)}; use v28, v29 or v31.")
    return {word.lower(): everything[word] for word in asked}


def _begun(model: Model, timing: Timing, settings: Settings, given: Iterable[Event]) -> Contexts:
    """The map up to where writing starts."""
    reader = Reader(_as_beatmap(given, timing, settings), model.profile)
    until = (settings.start_time or 0) - 1
    contexts = {"map": reader.objects(), "kiai": reader.kiai(), "sv": reader.scroll()}
    return {name: [mark for mark in marks if mark.time <= until] for name, marks in contexts.items()}


def _as_beatmap(given: Iterable[Event], timing: Timing, settings: Settings) -> Beatmap:
    fields: dict[str, Any] = {"mode": settings.mode, "slider_multiplier": settings.slider_multiplier or 1.4}
    size = settings.keycount if settings.mode == 3 else settings.circle_size
    return events_to_beatmap(given, Beatmap(**fields, circle_size=float(size or 4)), list(timing.points))


def _spoken(model: Model, marks: Sequence[Mark], keys: int | None, legacy: bool) -> Iterator[Event]:
    """The events of marks; mania columns beyond the keys are the last one."""
    for event in events(in_pixels(marks, model.profile, None), model.profile.types_first, legacy):
        if event.kind in BEAT_KINDS:
            continue
        column = None if event.column is None or keys is None else min(event.column, keys - 1)
        yield replace(event, column=column)
