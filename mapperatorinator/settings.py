"""What the user may ask for: every option once, with its type, range, default, unit and meaning.

The command line, the Hydra profiles, the web form, the JSON API and docs/options.md are all made from
this one frozen dataclass. Names and defaults are those of the published system's documentation; options
of our own follow the same style. Knows nobody else in the house.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

from mapperatorinator.errors import UserError
from mapperatorinator.options import MODELS, PUBLISHED, Kind, Option, markdown_table

EMBEDDED = ("embedded",)
MODES = {
    "osu": 0,
    "osu!": 0,
    "standard": 0,
    "std": 0,
    "taiko": 1,
    "catch": 2,
    "ctb": 2,
    "fruits": 2,
    "mania": 3,
}
MODE_NAMES = ("osu!", "taiko", "catch", "mania")
CONTEXTS = ("NONE", "TIMING", "KIAI", "MAP", "SV", "GD", "NO_HS")
OUTPUTS = ("TIMING", "KIAI", "MAP", "SV")


class _Group:
    """Makes dataclass fields that carry an `Option` of one group; the field's own name is the option's."""

    def __init__(self, title: str, models: tuple[str, ...] = MODELS) -> None:
        self.title, self.models = title, models

    def _field(self, kind: Kind, default: Any, meaning: str, **more: Any) -> Any:
        details = {"kind": kind, "default": default, "meaning": meaning, "group": self.title}
        return field(default=default, metadata={**details, "models": self.models, **more})

    def flag(self, default: bool | None, meaning: str, **more: Any) -> Any:
        return self._field("flag", default, meaning, **more)

    def whole(self, default: int | None, low: float, high: float | None, meaning: str, **more: Any) -> Any:
        return self._field("whole", default, meaning, low=low, high=high, **more)

    def real(self, default: float | None, low: float, high: float, meaning: str, **more: Any) -> Any:
        return self._field("real", default, meaning, low=low, high=high, **more)

    def text(self, default: str | None, meaning: str, **more: Any) -> Any:
        return self._field("text", default, meaning, **more)

    def path(self, meaning: str, **more: Any) -> Any:
        return self._field("path", "", meaning, **more)

    def word(self, default: str, choices: tuple[str, ...], meaning: str, **more: Any) -> Any:
        return self._field("word", default, meaning, choices=choices, **more)

    def words(self, default: tuple[str, ...], meaning: str, **more: Any) -> Any:
        return self._field("words", default, meaning, **more)

    def reals(self, low: float, high: float, meaning: str, **more: Any) -> Any:
        return self._field("reals", (), meaning, low=low, high=high, **more)


_files = _Group("Song and files")
_map = _Group("What kind of map")
_stats = _Group("Difficulty settings")
_timing = _Group("Timing")
_range = _Group("Part of a map")
_meta = _Group("Metadata")
_run = _Group("Run")
_sample = _Group("Sampling")
_load = _Group("Loading the published models", PUBLISHED)
_tokens = _Group("Decoding of the published models", PUBLISHED)
_votes = _Group("Timing by votes", PUBLISHED)
_diffusion = _Group("Position diffusion of the published models", PUBLISHED)


@dataclass(frozen=True)
class Settings:
    """All that decides what `pipeline.generate` makes: same settings and seed, same bytes."""

    audio_path: str = _files.path("the song: mp3, ogg, opus, flac, wav, m4a or a video")
    beatmap_path: str = _files.path("a reference .osu: song and options left empty are taken from it")
    output_path: str = _files.path("folder for the result, or the name of an .osz; default: beside the song")
    export_osz: bool = _files.flag(True, "write one .osz with song and maps; false writes bare .osu files")
    add_to_beatmap: bool = _files.flag(False, "keep the reference's objects outside start_time to end_time")
    overwrite_reference_beatmap: bool = _files.flag(False, "with add_to_beatmap: write into the reference")

    gamemode: int | None = _map.whole(
        None,
        0,
        3,
        "0 osu!, 1 taiko, 2 catch, 3 mania; default: the reference's, else osu!",
        choices=(0, 1, 2, 3),
        aliases=MODES,
    )
    difficulty: float | None = _map.real(None, 0, 15, "star rating to aim at; default: 4", unit="stars")
    difficulties: tuple[float, ...] = _map.reals(
        0.5, 15, "a spread: one difficulty for each star rating", unit="stars", models=EMBEDDED
    )
    mapper_id: int | None = _map.whole(
        None, 1, None, "osu! user id of the mapper whose style to follow", models=PUBLISHED
    )
    mapper_name: str = _map.text("", "mapper whose style to follow, by name", models=EMBEDDED)
    year: int | None = _map.whole(None, 2007, 2026, "year whose style to follow")
    descriptors: tuple[str, ...] = _map.words((), "style tags to follow, such as 'jump aim' or 'clean'")
    negative_descriptors: tuple[str, ...] = _map.words((), "style tags to avoid", models=PUBLISHED)
    hitsounded: bool | None = _map.flag(None, "give the map hitsounds; default: yes")
    keycount: int | None = _map.whole(None, 1, 18, "mania: number of columns; default: 4", unit="keys")
    hold_note_ratio: float | None = _map.real(None, 0, 1, "mania: share of notes that are held")
    scroll_speed_ratio: float | None = _map.real(
        None, 0, 1, "taiko and mania: share of notes that change the scroll speed"
    )
    spacing: float | None = _map.real(
        None,
        0.3,
        3,
        "osu! and catch: factor on distances; default: chosen to meet the stars",
        models=EMBEDDED,
    )
    density: float | None = _map.real(
        None,
        0.1,
        20,
        "factor on the odds of a note; default: chosen to meet the stars",
        models=EMBEDDED,
    )
    beatmap_id: int | None = _map.whole(
        None, 0, None, "id of a known beatmap whose style to follow", models=PUBLISHED
    )

    hp_drain_rate: float | None = _stats.real(None, 0, 10, "HP; default: by the stars")
    circle_size: float | None = _stats.real(None, 0, 10, "CS; default: by the stars")
    overall_difficulty: float | None = _stats.real(None, 0, 10, "OD; default: by the stars")
    approach_rate: float | None = _stats.real(None, 0, 10, "AR; default: by the stars")
    slider_multiplier: float | None = _stats.real(
        None, 0.4, 3.6, "base slider velocity; default: by the stars", unit="× 100 px per beat"
    )
    slider_tick_rate: float | None = _stats.real(None, 0.5, 4, "slider ticks; default: 1", unit="per beat")

    bpm: float | None = _timing.real(None, 20, 1000, "tempo, if it is constant; default: found", unit="BPM")
    offset: float | None = _timing.real(
        None, -60_000, 3_600_000, "time of a downbeat; default: found", unit="ms"
    )
    in_context: tuple[str, ...] = _timing.words(
        ("NONE",), "what to take over from the reference beatmap", choices=CONTEXTS
    )
    output_type: tuple[str, ...] = _timing.words(
        OUTPUTS, "what to make; [TIMING] alone writes red lines without objects", choices=OUTPUTS
    )
    snap_divisor: int | None = _timing.whole(
        None, 1, 16, "finest beat divisor to use; default: the model decides", models=EMBEDDED
    )

    start_time: int | None = _range.whole(None, 0, None, "map from here", unit="ms")
    end_time: int | None = _range.whole(None, 0, None, "map up to here", unit="ms")

    title: str | None = _meta.text(None, "title in Latin letters; default: from the song's tags")
    title_unicode: str | None = _meta.text(None, "title as written; default: from the song's tags")
    artist: str | None = _meta.text(None, "artist in Latin letters; default: from the song's tags")
    artist_unicode: str | None = _meta.text(None, "artist as written; default: from the song's tags")
    creator: str | None = _meta.text(None, "mapper's name; default: Mapperatorinator")
    version: str | None = _meta.text(None, "difficulty name; default: by the stars, with AI before it")
    source: str | None = _meta.text(None, "game, film or series the song is from")
    tags: str | None = _meta.text(None, "search words; default: the options of this run")
    background: str = _meta.path("a background image to pack")
    preview_time: int | None = _meta.whole(
        None, -1, None, "start of the preview; default: the first kiai", unit="ms"
    )
    ai_mark: bool = _meta.flag(True, "say in tags and difficulty name that the map is generated")

    model: str = _run.word("embedded", MODELS, "which model draws the map")
    lora_path: str = _run.path("adapter: folder or hub id; embedded model: a file made by `mapperatorinator lora`")
    seed: int | None = _run.whole(None, 0, None, "same seed, same map; default: drawn by chance and reported")
    candidates: int = _run.whole(
        3, 1, 64, "maps to draw for a difficulty; the nearest to the asked stars is kept", models=EMBEDDED
    )

    cfg_scale: float = _sample.real(
        1.0, 0, 20, "how strongly to follow the asked conditions", models=PUBLISHED
    )
    temperature: float = _sample.real(
        0.9, 0, 5, "0 draws the likeliest map, 1 as varied a one as the model can"
    )
    top_p: float = _sample.real(
        0.9, 0.01, 1, "draw among the likeliest choices that hold this share", models=PUBLISHED
    )
    resnap_events: bool = _sample.flag(True, "move objects to the nearest tick of their divisor")
    snap_near_perfect_overlaps: bool = _sample.flag(True, "make objects that nearly overlap overlap exactly")

    model_path: str = _load.path("folder or hub id of the checkpoint; id@revision for one of its versions")
    offline: bool = _load.flag(False, "use only what is on this computer")
    legacy: bool = _load.flag(
        False, "do as the published program does, mistakes and all; docs/published.md lists what changes"
    )
    auto_select_gamemode_model: bool = _load.flag(True, "use the checkpoint's own sub-model for the mode")
    device: str = _load.text("auto", "auto, cpu, cuda, cuda:N or mps")
    precision: str = _load.word("fp32", ("fp32", "bf16", "fp16", "amp"), "arithmetic")
    attn_implementation: str = _load.word(
        "auto", ("auto", "eager", "sdpa", "flash_attention_2"), "no effect: torch takes the fastest that is there"
    )
    use_server: bool = _load.flag(False, "no effect: a model is mapped from its file, which every run shares")
    max_batch_size: int = _load.whole(16, 1, 1024, "windows decoded at once")

    lookback: float = _tokens.real(0.5, 0, 0.95, "share of a window given from the one before")
    lookahead: float = _tokens.real(0.4, 0, 0.95, "share of a window decoded and thrown away")
    parallel: bool = _tokens.flag(False, "decode all windows at once, without overlap")
    do_sample: bool = _tokens.flag(True, "false always takes the likeliest token")
    num_beams: int = _tokens.whole(1, 1, 64, "beams of the search")
    top_k: int = _tokens.whole(0, 0, None, "draw among this many likeliest tokens; 0: no limit")
    timeshift_bias: float = _tokens.real(0.0, -100, 100, "added to the logits of time shifts")
    mania_column_temperature: float = _tokens.real(0.8, 0, 5, "temperature of mania columns")
    taiko_hit_temperature: float = _tokens.real(0.8, 0, 5, "temperature of taiko hits")

    super_timing: bool = _votes.flag(
        False, "find a variable tempo by many votes; a few are taken where one hearing leaves doubts", models=MODELS
    )
    timing_temperature: float = _votes.real(0.1, 0, 5, "temperature of beats")
    timing_leniency: float = _votes.real(20.0, 0, 1000, "how far beats may lie off the grid", unit="ms")
    timer_num_beams: int = _votes.whole(1, 1, 64, "beams of each vote")
    timer_bpm_threshold: float = _votes.real(0.1, 0, 1, "share of votes that makes a tempo")
    timer_cfg_scale: float = _votes.real(1.0, 0, 20, "guidance of each vote")
    timer_iterations: int = _votes.whole(20, 1, 1000, "number of votes", models=MODELS)

    generate_positions: bool = _diffusion.flag(
        False, "refine positions by diffusion; the embedded model's is an experiment, equal spacing suffers", models=MODELS
    )
    diff_ckpt: str = _diffusion.text("OliBomby/osu-diffusion-v2", "folder or hub id of the diffusion")
    diff_refine_ckpt: str = _diffusion.path("folder or hub id of a second diffusion for the last touch")
    diff_cfg_scale: float = _diffusion.real(1.0, 0, 20, "guidance of the diffusion")
    refine_iters: int = _diffusion.whole(10, 0, 1000, "extra steps of the refining model")
    random_init: bool = _diffusion.flag(False, "forget the coarse positions")
    timesteps: tuple[float, ...] = _diffusion.reals(
        0, 1000, "steps to keep of each section of the diffusion; default: the last hundred"
    )
    max_seq_len: int = _diffusion.whole(1024, 64, 16384, "positions refined at once")
    overlap_buffer: int = _diffusion.whole(128, 0, 4096, "positions that neighbouring parts share")
    pad_sequence: bool = _diffusion.flag(False, "fill the last part up")

    def __post_init__(self) -> None:
        for option in options():
            object.__setattr__(self, option.name, option.read(getattr(self, option.name)))
        self._check_together()

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Settings:
        """Settings from names and values of any origin (text, YAML, JSON).

        values : option names and their values, text or typed; missing options keep their defaults.
        UserError for a name that does not exist (with the nearest ones that do) or a value out of range.
        """
        known = {option.name for option in options()}
        for name in values:
            if name not in known:
                raise unknown_option(name)
        return cls(**dict(values))

    def changed(self) -> dict[str, Any]:
        """Options that differ from their defaults, as JSON types, in the order of the list."""
        values = {option.name: getattr(self, option.name) for option in options()}
        changed = {o.name: values[o.name] for o in options() if values[o.name] != o.default}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in changed.items()}

    def ignored(self) -> list[str]:
        """Names of options that were set but that the chosen model does not honour."""
        by_name = {option.name: option for option in options()}
        return [name for name in self.changed() if self.model not in by_name[name].models]

    @property
    def mode(self) -> int:
        """The game mode, 0 to 3, osu! where nothing was asked."""
        return self.gamemode or 0

    def _check_together(self) -> None:
        if not self.audio_path and not self.beatmap_path:
            return
        if self.start_time is not None and self.end_time is not None and self.start_time >= self.end_time:
            raise UserError(
                f"start_time ({self.start_time} ms) must be less than end_time ({self.end_time} ms)."
            )
        wants = [word for word in self.in_context if word != "NONE"]
        if (wants or self.add_to_beatmap) and not self.beatmap_path:
            what = "add_to_beatmap" if self.add_to_beatmap else f"in_context=[{','.join(wants)}]"
            raise UserError(f"{what} takes over parts of a beatmap: give its .osu as beatmap_path.")
        if self.max_seq_len <= 2 * self.overlap_buffer:
            raise UserError(
                f"max_seq_len ({self.max_seq_len}) must be more than twice overlap_buffer ({self.overlap_buffer})."
            )
        if self.model == "v30" and self.mode != 0:
            raise UserError("The model v30 maps osu! only: choose gamemode=0 or another model.")


@lru_cache(maxsize=1)
def options() -> tuple[Option, ...]:
    """All options in the order of the form and the documentation."""
    return tuple(Option(name=item.name, **item.metadata) for item in fields(Settings))


def schema() -> list[dict[str, Any]]:
    """All options as JSON types: what a web form or a command line is built from."""
    return [option.as_json() for option in options()]


def settings_table() -> str:
    """All options as Markdown: docs/options.md."""
    return markdown_table(options())


def unknown_option(name: str) -> UserError:
    """The error for an option that does not exist, with the nearest names that do."""
    near = difflib.get_close_matches(name, [option.name for option in options()], n=2, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "`mapperatorinator settings` lists them all."
    return UserError(f"There is no option {name!r}; {hint}")
