"""From a recipe to what it means: a profile, ways to make samples, token table and network of a new model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mapperatorinator.errors import UserError
from mapperatorinator.mapper.sequence.profile import PROFILES, Profile, Template
from mapperatorinator.mapper.sequence.vocabulary import ANCHORS, FIRST_FREE, STEP_MS
from mapperatorinator.training.datasets.options import SampleOptions, Selection
from mapperatorinator.training.datasets.sources import METADATA, open_dataset, parquet_rows
from mapperatorinator.training.recipe import DataOptions, ModelOptions, Recipe

TAIKO, MANIA = 1, 3
FRAME_MS = 8.0
PLACE = (-256, 768), (-256, 640)  # px that a position may have: x, y
# Layers, heads and width of the published networks, of encoder and decoder alike; the inner width is four times that.
_SIZES = {"tiny": (4, 6, 384), "base": (6, 8, 512), "small": (12, 12, 768), "medium": (24, 16, 1024)}
_TOKENS = {
    "gamemode": "gamemode_token", "difficulty": "diff_token", "mapper": "mapper_token", "year": "year_token",
    "hitsounded": "hitsounded_token", "song_length": "song_length_token", "global_sv": "global_sv_token",
    "cs": "cs_token", "keycount": "keycount_token", "hold_note_ratio": "hold_note_ratio_token",
    "scroll_speed_ratio": "scroll_speed_ratio_token", "descriptor": "descriptors",
}  # fmt: skip
_FORGET = {
    "difficulty": "diff", "mapper_id": "mapper", "circle_size": "cs", "year": "year",
    "hold_note_ratio": "hold_note_ratio", "scroll_speed_ratio": "scroll_speed_ratio", "descriptors": "descriptor",
}  # fmt: skip


def profile_of(data: DataOptions) -> Profile:
    """How a recipe's tokens are arranged; named after the published version that does the same, else "custom"."""
    markers = data.add_out_context_types
    profile = Profile(
        "custom", data.types_first,
        tuple(Template(tuple(t.get("in", ())), tuple(t["out"])) for t in data.context_types),
        tuple(kind for kind, flag in _TOKENS.items() if getattr(data, f"add_{flag}")),
        data.add_timing, data.add_timing_points, data.add_distances, data.position_precision,
        data.position_split_axes, data.position_refinement, data.add_sv, data.slider_version == 2,
        data.sustain_interval, data.add_kiai_special_token, data.add_song_position_token, markers,
        tuple(data.gamemodes),
    )  # fmt: skip
    alike = (p.name for p in PROFILES.values() if replace(profile, name=p.name, modes=p.modes) == p)
    return replace(profile, name=next(alike, "custom"))


def samples_of(data: DataOptions, test: bool = False) -> SampleOptions:
    """How a recipe's samples are made; those of the test set without anything random."""
    start, stop = (
        (data.test_dataset_start, data.test_dataset_end)
        if test
        else (data.train_dataset_start, data.train_dataset_end)
    )
    years = (data.min_year or 0, data.max_year or 9999) if data.min_year or data.max_year else None
    stars = (data.min_difficulty, data.max_difficulty)
    chosen = Selection(
        start, stop, tuple(data.gamemodes), tuple(data.ranked_statuses), years,
        None if stars == (0, 100) else stars, "user_tags" if data.descriptor_source == "user_tags" else "omdb",
    )  # fmt: skip
    options = SampleOptions(
        profile_of(data), data.src_seq_len, data.tgt_seq_len, chosen, True, data.cycle_length,
        tuple(data.context_weights), data.lookback, data.lookback_prob, data.lookahead,
        data.frame_offset_augment_prob, SampleOptions.most_offset, data.dt_augment_prob,
        (data.dt_augment_range[0], data.dt_augment_range[-1]), data.dt_augment_sqrt, data.flip_horizontal_prob,
        data.flip_vertical_prob, data.timing_random_offset, data.timing_random_offset_2,
        data.timing_random_offset_prob, data.snapping_random_prob,
        {wish: getattr(data, f"{key}_dropout_prob") for wish, key in _FORGET.items()}, data.add_empty_sequences,
        Path(data.sample_weights_path) if data.sample_weights_path else None,
    )  # fmt: skip
    return options.plain() if test else options


def address(data: DataOptions, test: bool = False) -> str:
    """Where a recipe's data set is; UserError if it does not say."""
    path = data.test_dataset_path if test else data.train_dataset_path
    if not path:
        raise UserError(f"Where are the maps? Give data.{'test' if test else 'train'}_dataset_path=FOLDER.")
    if data.dataset_type == "web" and not Path(path).exists():
        return "/".join(part for part in (f"hf://{path.removeprefix('hf://')}", data.dataset_subset) if part)
    return path


def tokenizer_of(data: DataOptions, mappers: Sequence[int], descriptors: Sequence[str]) -> dict[str, Any]:
    """The token table of a new model, as its `tokenizer.json`. mappers : user ids; descriptors : names of styles."""
    profile = profile_of(data)
    names = dict.fromkeys(name for t in profile.templates for name in (*t.given, *t.made)) if profile.markers else {}
    written = _written(profile, data)
    asked = _asked(profile, data, len(mappers), len(descriptors))
    offset = FIRST_FREE + 2 * len(names)
    out = offset + _count(written)

    def as_json(ranges: Iterable[tuple[str, int, int]]) -> list[dict[str, Any]]:
        return [{"type": kind, "min_value": low, "max_value": high} for kind, low, high in ranges]

    return {
        "offset": offset,
        "context_sos": {name: FIRST_FREE + 2 * i for i, name in enumerate(names)},
        "context_eos": {name: FIRST_FREE + 2 * i + 1 for i, name in enumerate(names)},
        "event_ranges": as_json(written), "input_event_ranges": as_json(asked),
        "num_diff_classes": data.num_diff_classes if data.add_diff_token else 0,
        "num_cs_classes": data.num_cs_classes if data.add_cs_token else 0,
        "max_difficulty": 12 if data.add_diff_token else 0,
        "vocab_size_out": out, "vocab_size_in": out + _count(asked),
        "mapper_idx": {user: index for index, user in enumerate(mappers)}, "num_mapper_classes": len(mappers),
        "descriptor_idx": {name: index for index, name in enumerate(descriptors)},
        "num_descriptor_classes": len(descriptors),
    }  # fmt: skip


def _count(ranges: Iterable[tuple[str, int, int]]) -> int:
    return sum(high - low + 1 for _, low, high in ranges)


def _written(profile: Profile, data: DataOptions) -> list[tuple[str, int, int]]:
    """Kinds and values of tokens that the network writes, in the published order."""
    mania, taiko, step = MANIA in profile.modes, TAIKO in profile.modes, profile.precision
    (left, right), (top, bottom) = ((low // step, high // step) for low, high in PLACE)
    longest = int((data.src_seq_len - 1) * FRAME_MS / STEP_MS)
    kiai = profile.kiai_state or any("kiai" in t.made for t in profile.templates)
    held = profile.sustain_ms is not None
    cells = (right - left + 1) * (bottom - top + 1)
    fine = 0 if profile.refinement is None else (step // profile.refinement) ** 2
    return [
        ("t", 0, longest), ("snap", 0, 16),
        *([("dist", 0, 640)] if profile.distances else []),
        *([("pos_x", left, right), ("pos_y", top, bottom)] if profile.split_axes else [("pos", 0, cells - 1)]),
        *([("pos_refine", 0, fine - 1)] if fine and not profile.split_axes else []),
        *([("column", 0, 17)] if mania else []),
        *([("scroll_speed", 0, 1000)] if mania or taiko or profile.velocity else []),
        ("new_combo", 0, 0), ("hitsound", 0, 72), ("volume", 0, 100),
        *((kind, 0, 0) for kind in ("circle", "spinner", "spinner_end", "slider_head", *ANCHORS)),
        *((kind, 0, 0) for kind in ("last_anchor", "slider_end", "beat", "measure")),
        *([("timing_point", 0, 0)] if profile.timing_points else []),
        *([("kiai", 0, 1)] if kiai else []),
        *_plain(held, "slider_sustain", "slider_repeat_sustain", "spinner_sustain"),
        *_plain(mania, "hold_note", "hold_note_end", "scroll_speed_change"),
        *_plain(mania and held, "hold_note_sustain"),
        *_plain(taiko, "drumroll", "drumroll_end", "denden", "denden_end"),
        *_plain(taiko and held, "drumroll_sustain", "denden_sustain"),
    ]  # fmt: skip


def _plain(there: bool, *kinds: str) -> Iterable[tuple[str, int, int]]:
    return ((kind, 0, 0) for kind in kinds) if there else ()


def _asked(profile: Profile, data: DataOptions, mappers: int, descriptors: int) -> list[tuple[str, int, int]]:
    """Kinds and values of tokens that only stand in front, in the published order."""
    mania = MANIA in profile.modes
    scrolls = mania or TAIKO in profile.modes or profile.velocity
    ranges = [
        ("gamemode", 0, 3), ("difficulty", 0, data.num_diff_classes), ("mapper", 0, mappers),
        ("cs", 0, data.num_cs_classes), ("year", 2007, 2077), ("hitsounded", 0, 1), ("song_length", 0, 60),
        ("song_position", -1, 101), ("descriptor", 0, descriptors), ("keycount", 1, 18), ("hold_note_ratio", -1, 12),
        ("scroll_speed_ratio", -1, 12), ("global_sv", 40, 360),
    ]  # fmt: skip
    there = {*profile.conditions, *(["song_position"] if profile.song_position else [])}
    there -= set() if mania else {"keycount", "hold_note_ratio"}
    there -= set() if scrolls else {"scroll_speed_ratio"}
    return [item for item in ranges if item[0] in there]


def config_of(recipe: Recipe, tokenizer: dict[str, Any]) -> dict[str, Any]:
    """`config.json` of a new model; UserError for a network that does not exist."""
    model, data = recipe.model, recipe.data
    layers, heads, width = _sizes(model)
    ear = model.spectrogram
    sides = {
        f"{side}_{name}": value
        for side in ("encoder", "decoder")
        for name, value in (("layers", layers), ("attention_heads", heads), ("ffn_dim", 4 * width))
    }
    backbone = {
        "d_model": width, **sides, "max_source_positions": data.src_seq_len // 2,
        "max_target_positions": data.tgt_seq_len, "vocab_size": tokenizer["vocab_size_out"],
    }  # fmt: skip
    strange = set(model.overwrite) - set(backbone)
    if strange:
        raise UserError(f"model.overwrite.{min(strange)} does not exist; there are {', '.join(backbone)}.")
    backbone |= model.overwrite
    return {
        "model_type": "mapperatorinator", "backbone_model_name": model.name, "backbone_config": backbone,
        "hidden_size": backbone["d_model"], "max_source_positions": backbone["max_source_positions"],
        "max_target_positions": backbone["max_target_positions"],
        "vocab_size": tokenizer["vocab_size_out"], "vocab_size_in": tokenizer["vocab_size_in"],
        "num_mappers": tokenizer["num_mapper_classes"], "project_encoder_input": model.project_encoder_input,
        "do_difficulty_embed": model.do_difficulty_embed, "do_mapper_embed": model.do_mapper_embed,
        "do_song_position_embed": model.do_song_position_embed,
        "spectrogram_implementation": ear.implementation, "spectrogram_log_scale": ear.log_scale,
        "n_mels": ear.n_mels, "f_min": ear.f_min, "f_max": ear.f_max, "pad_mode": ear.pad_mode,
        "sample_rate": ear.sample_rate, "n_fft": ear.n_fft, "hop_length": ear.hop_length,
        "rhythm_weight": data.rhythm_weight, "label_smoothing": data.label_smoothing,
    }  # fmt: skip


def _sizes(model: ModelOptions) -> tuple[int, int, int]:
    size = model.name.rpartition("-")[2]
    if size not in _SIZES:
        raise UserError(f"There is no network {model.name}; names end in {', '.join(_SIZES)}.")
    return _SIZES[size]


def people_and_styles(data: DataOptions) -> tuple[list[int], list[str]]:
    """User ids and names of styles in the training set, sorted; those of MMRS from its table, else map by map.

    Styles that are numbers (tags of users) are named by them.
    """
    found = list(_credits(data))
    users = {user for user, _ in found if user is not None}
    styles = {style for _, styles in found for style in styles}
    most = max((style for style in styles if isinstance(style, int)), default=-1)
    names = sorted(style for style in styles if isinstance(style, str))
    return sorted(users), names or [str(number) for number in range(most + 1)]


def _credits(data: DataOptions) -> Iterator[tuple[int | None, Sequence[str | int]]]:
    """Who made each map, and its styles."""
    root, chosen = address(data), samples_of(data).selection
    table = Path(root) / METADATA
    if table.is_file():
        for row in parquet_rows(table):
            yield row.get("UserId"), (row.get("TopTagIds" if chosen.tags == "user_tags" else "OmdbTags") or ())
        return
    for opener in open_dataset(root, chosen):
        shard = opener()
        for place in range(len(shard)):
            yield from ((chart.mapper, chart.descriptors) for chart in shard[place].charts)
