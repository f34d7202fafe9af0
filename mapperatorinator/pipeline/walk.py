"""The walk through the house: a song goes in at the front, a beatmap set comes out at the back.

`generate` is the whole of it; the stages know nothing of each other, and this module holds no music.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from mapperatorinator import weights
from mapperatorinator.audio import Audio, is_silent, load_audio
from mapperatorinator.beatmap import CATCH, OSU, Beatmap, archive_name, beatmap_name, star_rating
from mapperatorinator.errors import UserError
from mapperatorinator.mapper import Mapper, load_mapper
from mapperatorinator.pipeline import naming
from mapperatorinator.pipeline.candidates import Ask, Candidate, choose
from mapperatorinator.pipeline.contexts import check_contexts, takes_over_timing, touches
from mapperatorinator.pipeline.delivery import Target, Writer, deliver, find_target
from mapperatorinator.pipeline.drawing import Drawing, is_published
from mapperatorinator.pipeline.packing import osu_writer, osz_writer, recipe_writer
from mapperatorinator.pipeline.recipe import SUFFIX, write_recipe
from mapperatorinator.pipeline.refining import find_refiner
from mapperatorinator.pipeline.request import (
    asked_stars,
    check_picture,
    complete,
    for_stars,
    read_reference,
    song_path,
)
from mapperatorinator.settings import Settings
from mapperatorinator.timing import Timing
from mapperatorinator.weights import adapter

SHORTEST_SONG_MS = 30_000  # a map needs 30 s of drain time


@dataclass(frozen=True)
class Step:
    """Where a run is: the stage in words, the share of the whole that is done, 0 to 1, a map if one was drawn."""

    stage: str
    done: float
    beatmap: Beatmap | None = None


Progress = Callable[[Step], None]


@runtime_checkable
class Timer(Protocol):
    """A mapper that hears the beat itself; `notes` are what the user should know."""

    notes: list[str]

    def find_timing(self, audio: Audio, settings: Settings) -> Timing:
        """The red lines of a song."""
        ...


@runtime_checkable
class Preparing(Protocol):
    """A mapper that can hear a song ahead."""

    def prepare(self, audio: Audio, timing: Timing) -> None:
        """Hear it."""
        ...


@dataclass(frozen=True)
class Made:
    """One difficulty of a result beside what was asked for it."""

    asked_stars: float
    settings: Settings
    candidate: Candidate

    @property
    def beatmap(self) -> Beatmap:
        """The finished difficulty."""
        return self.candidate.beatmap

    def as_json(self) -> dict[str, Any]:
        """Asked and got, as JSON types."""
        beatmap = self.beatmap
        objects = beatmap.hit_objects
        seconds = (beatmap.end_time(objects[-1]) - objects[0].time) / 1000 if objects else 0.0
        return {
            "difficulty": beatmap.difficulty_name,
            "asked_stars": self.asked_stars,
            "stars": round(self.candidate.stars, 3),
            "objects": len(objects),
            "objects_per_second": round(len(objects) / seconds, 2) if seconds else 0.0,
            "candidate_seed": self.candidate.ask.seed,
            "spacing": self.candidate.ask.spacing,
            "density": self.candidate.ask.density,
            "problems": [str(issue) for issue in self.candidate.problems],
        }


@dataclass(frozen=True)
class Result:
    """What a run made: the difficulties, the red lines, the files, and what the user should know."""

    made: tuple[Made, ...]
    timing: Timing
    settings: Settings
    files: tuple[Path, ...]
    recipe: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def beatmaps(self) -> list[Beatmap]:
        """The finished difficulties in rising order of stars."""
        return [item.beatmap for item in self.made]

    @property
    def path(self) -> Path:
        """The .osz, or the first .osu."""
        return self.files[0]


def generate(settings: Settings, progress: Progress | None = None, timing: Timing | None = None) -> Result:
    """Make a beatmap set from a song and write it.

    settings : what is asked; blanks are filled from the reference beatmap, the song's tags and defaults.
    progress : called with a `Step` now and then.
    timing : red lines to use; None takes those asked for in `settings`, or finds them.
    UserError if the song, the reference or the output folder cannot be used; nothing is written then.
    """
    tell = progress or (lambda step: None)
    reference = read_reference(settings)
    song = song_path(settings, reference)
    check_picture(settings)
    check_contexts(settings, reference)
    target = find_target(_output(settings), song)
    tell(Step("Reading the song", 0.0))
    audio = _listen(song)
    whole = complete(settings, reference, audio.tags)
    lines_only = whole.output_type == ("TIMING",)
    mapper = None if lines_only and whole.model == "embedded" else _load(whole)
    tell(Step("Finding the beat", 0.05))
    timing = timing or find_timing_for(whole, audio, reference, mapper)
    refine = find_refiner(whole, timing)
    made = _map_all(whole, settings, Drawing(None if lines_only else mapper, audio, timing, reference, refine), tell)
    tell(Step("Writing", 0.98))
    recipe = write_recipe(replace(settings, seed=whole.seed), song, timing, [item.as_json() for item in made])
    files = _write(made, whole, song, target, recipe)
    tell(Step("Done", 1.0))
    return Result(tuple(made), timing, whole, files, recipe, tuple(_notes(settings, made, mapper)))


def prepare(song: Path, timing: Timing) -> None:
    """Hear a song ahead, so that `generate` with the embedded model begins to draw at once."""
    mapper = _load(Settings())
    if isinstance(mapper, Preparing):
        mapper.prepare(_listen(song), timing)


def find_timing_for(
    settings: Settings, audio: Audio, reference: Beatmap | None = None, mapper: Mapper | None = None
) -> Timing:
    """Red lines as the settings say: of the reference, from bpm and offset, or found in the audio.

    mapper : hears the beat itself, if it can.
    """
    if reference is not None and takes_over_timing(settings):
        try:
            return Timing.from_beatmap(reference)
        except ValueError as error:
            raise UserError(
                "The reference beatmap has no red line, so nothing of it can be taken over; leave in_context away."
            ) from error
    if settings.bpm is not None and settings.offset is not None:
        return Timing.constant(settings.bpm, settings.offset)
    if isinstance(mapper, Timer):
        return mapper.find_timing(audio, settings)
    from mapperatorinator.timing import find_timing

    votes = settings.timer_iterations if settings.super_timing else None
    return find_timing(audio, bpm=settings.bpm, offset=settings.offset, votes=votes)


def _output(settings: Settings) -> str:
    if settings.overwrite_reference_beatmap or (not settings.output_path and settings.beatmap_path):
        return str(Path(settings.beatmap_path).parent)
    return settings.output_path


def _listen(song: Path) -> Audio:
    """Decode the song, unless it is the last one again, and refuse what no map can be made of."""
    status = song.stat()
    audio = _decoded(song.resolve(), status.st_mtime_ns, status.st_size)
    if audio.duration_ms < SHORTEST_SONG_MS:
        raise UserError(
            f"{song.name} lasts {audio.duration_ms / 1000:.1f} s; a beatmap needs a song of at least 30 s."
        )
    if is_silent(audio.samples):
        raise UserError(f"{song.name} is silent from start to end; choose another song.")
    return audio


@lru_cache(maxsize=1)
def _decoded(song: Path, changed: int, size: int) -> Audio:
    return load_audio(song)


def _load(settings: Settings) -> Mapper:
    if settings.model != "embedded":
        return load_mapper(settings)
    if settings.lora_path:
        adapter.find(settings.lora_path, settings.mode)  # what does not fit is refused before any work
    return _embedded()


@lru_cache(maxsize=1)
def _embedded() -> Mapper:
    """One mapper for all runs of this process: it remembers the song that it heard last."""
    return load_mapper(Settings())


def _map_all(whole: Settings, asked: Settings, drawing: Drawing, tell: Progress) -> list[Made]:
    stars = asked_stars(whole)
    names = naming.difficulty_names(whole, stars)
    made = []
    for index, (rating, name) in enumerate(zip(stars, names, strict=True)):
        settings = naming.with_names(for_stars(whole, rating), name, asked)
        start, share = 0.15 + 0.83 * index / len(stars), 0.83 / len(stars)
        counted = f" ({index + 1} of {len(stars)})" if len(stars) > 1 else ""

        def report(
            done: float, drawn: Beatmap | None = None, text: str = f"Mapping {name}{counted}",
            a: float = start, b: float = share,
        ) -> None:  # fmt: skip
            tell(Step(text, a + b * done, drawn))

        candidate = _map_one(settings, drawing, report)
        made.append(Made(rating, settings, candidate))
    return made


def _map_one(settings: Settings, drawing: Drawing, report: Callable[..., None]) -> Candidate:
    # A published model was trained to meet its conditions, and takes too long to be asked twice.
    embedded = settings.model == "embedded"
    seed, count = settings.seed or 0, settings.candidates if embedded else 1
    report(0.0)
    if drawing.mapper is None:
        return Candidate(drawing.red_lines_only(settings), Ask(0.0, seed), 0.0, ())
    asked = settings.difficulty or 0.0
    if touches(settings) or is_published(settings) or "MAP" not in settings.output_type:
        drawn = drawing.draw(settings)
        if not drawn.hit_objects and "MAP" in settings.output_type:
            raise _nothing(asked)
        return Candidate(drawn, Ask(asked, seed), star_rating(drawn) if drawn.hit_objects else 0.0, ())

    spaced = embedded and settings.mode in (OSU, CATCH) and settings.spacing is None
    number = 0

    def told(ask: Ask) -> Settings:
        spacing = ask.spacing if spaced else settings.spacing
        density = ask.density if settings.density is None else settings.density
        return replace(settings, difficulty=ask.aim, seed=ask.seed, spacing=spacing, density=density)

    def draw(ask: Ask) -> Beatmap:
        nonlocal number
        before, after = (min((number + step) / count, 0.9) for step in (0, 1))
        report(before)
        passes = 0

        def watch(sketch: Beatmap) -> None:
            nonlocal passes
            passes += 1
            report(before + (after - before) * (1 - 0.85**passes), sketch)

        number += 1
        drawn = drawing.draw(told(ask), watch if number == 1 else None)
        report(after, drawn)
        return drawn

    def repair(beatmap: Beatmap, problems: Sequence[Any], ask: Ask) -> Beatmap:
        return drawing.redraw(beatmap, problems, told(ask))

    best = choose(asked, seed, count, draw, lambda beatmap: drawing.check(beatmap, settings), repair, spaced, not embedded)
    if best is None:
        raise _nothing(asked)
    return best


def _nothing(asked: float) -> UserError:
    return UserError(f"No map came out for {asked:g} stars; try another seed, other stars or a longer range.")


def _write(
    made: Sequence[Made], whole: Settings, song: Path, target: Target, recipe: dict[str, Any]
) -> tuple[Path, ...]:
    beatmaps = [item.beatmap for item in made]
    files: dict[Path, Writer] = {}
    if whole.overwrite_reference_beatmap:
        files[Path(whole.beatmap_path)] = osu_writer(beatmaps[0])
    elif whole.export_osz:
        path = target.file(archive_name(beatmaps[0]))
        files[path] = osz_writer(beatmaps, song, whole.background)
    else:
        for beatmap in beatmaps:
            beatmap.audio_filename = song.name
            files[target.file(beatmap_name(beatmap))] = osu_writer(beatmap)
    files[next(iter(files)).with_suffix(SUFFIX)] = recipe_writer(recipe)
    deliver(files)
    return tuple(files)


def _notes(settings: Settings, made: Sequence[Made], mapper: Mapper | None) -> list[str]:
    notes = list(mapper.notes) if isinstance(mapper, Timer) else []
    notes += [f"The model {settings.model} does not use {name}." for name in settings.ignored()]
    if settings.model == "embedded" and settings.descriptors:
        known = weights.card("grid")["descriptors"]
        strange = ", ".join(word for word in settings.descriptors if word not in known)
        if strange:
            notes.append(f"The model does not know the style {strange}; it knows {', '.join(known)}.")
    for item in made:
        if item.candidate.problems:
            first = item.candidate.problems[0]
            notes.append(
                f"{item.beatmap.difficulty_name}: {len(item.candidate.problems)} problems, e.g. {first}"
            )
    return notes
