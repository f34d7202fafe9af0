"""What a training run is told: the documented keys, their defaults (v28's), and how a recipe file is read.

Recipes are YAML files under configs/train; a key that does not exist is refused. Keys may be given on the command
line by their full name (`optim.base_lr=1e-4`) or, where only one group has them, by their last word (`base_lr=1e-4`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from mapperatorinator.errors import UserError

DEFAULT_RECIPE = "default"
_CONTEXTS = ("timing", "kiai", "map", "sv")


def _only(value: Any) -> Any:
    """A documented key that has one value here; any other is refused."""
    if isinstance(value, (list, dict)):
        return field(default_factory=lambda: value, metadata={"only": True})
    return field(default=value, metadata={"only": True})


@dataclass
class SpectrogramOptions:
    """The network's ear."""

    implementation: str = "nnAudio"
    log_scale: bool = False
    sample_rate: int = _only(16000)
    hop_length: int = _only(128)
    n_fft: int = _only(1024)
    n_mels: int = 388
    f_min: int = 0
    f_max: int = 8000
    pad_mode: str = "constant"


@dataclass
class ModelOptions:
    """The network to begin with where no checkpoint is given. overwrite : sizes, such as {d_model: 256}."""

    name: str = "openai/whisper-base"
    project_encoder_input: bool = True
    do_difficulty_embed: bool = False
    do_mapper_embed: bool = False
    do_song_position_embed: bool = False
    do_style_embed: bool = _only(False)
    input_features: bool = True  # has no effect: every network here hears mel frames
    input_raw_wave: bool = _only(False)
    embed_decoder_input: bool = _only(True)
    cond_dim: int = _only(128)
    spectrogram: SpectrogramOptions = field(default_factory=SpectrogramOptions)
    overwrite: dict[str, int] = field(default_factory=dict)


@dataclass
class DataOptions:
    """Which maps, what their tokens are, and what is changed at random."""

    dataset_type: str = "mmrs"  # ors, mmrs, web: told from the folder itself; here so that recipes may name it
    train_dataset_path: str = ""
    train_dataset_start: int = 0
    train_dataset_end: int | None = None
    test_dataset_path: str = ""
    test_dataset_start: int = 0
    test_dataset_end: int | None = None
    dataset_subset: str | None = None
    src_seq_len: int = 1024
    tgt_seq_len: int = 2048
    cycle_length: int = 16
    gamemodes: list[int] = field(default_factory=lambda: [0, 1, 2, 3])
    ranked_statuses: list[int] = field(default_factory=list)
    min_year: int | None = None
    max_year: int | None = None
    min_difficulty: float = 0
    max_difficulty: float = 100
    descriptor_source: str = "omdb"
    num_diff_classes: int = 24
    num_cs_classes: int = 21
    # condition tokens
    add_out_context_types: bool = True
    add_gamemode_token: bool = True
    add_diff_token: bool = True
    add_mapper_token: bool = True
    add_year_token: bool = True
    add_hitsounded_token: bool = True
    add_song_length_token: bool = True
    add_global_sv_token: bool = True
    add_cs_token: bool = True
    add_keycount_token: bool = True
    add_hold_note_ratio_token: bool = True
    add_scroll_speed_ratio_token: bool = True
    add_descriptors: bool = True
    add_kiai_special_token: bool = True
    add_song_position_token: bool = True
    # what a map's tokens are
    context_types: list[dict[str, list[str]]] = field(
        default_factory=lambda: [{"in": [given], "out": list(_CONTEXTS)} for given in ("none", "no_hs", "gd")]
    )
    context_weights: list[float] = field(default_factory=lambda: [4, 1, 1])
    types_first: bool = True
    add_timing: bool = False
    add_timing_points: bool = True
    add_distances: bool = True
    add_sv: bool = True
    position_precision: int = 32
    position_split_axes: bool = False
    position_refinement: int | None = None
    slider_version: int = 1
    sustain_interval: int | None = None
    # chances
    diff_dropout_prob: float = 0.2
    mapper_dropout_prob: float = 0.2
    cs_dropout_prob: float = 0.2
    year_dropout_prob: float = 0.2
    hold_note_ratio_dropout_prob: float = 0.2
    scroll_speed_ratio_dropout_prob: float = 0.2
    descriptor_dropout_prob: float = 0.2
    add_empty_sequences: bool = True
    lookback: float = 0
    lookback_prob: float = 0.0
    lookahead: float = 0
    frame_offset_augment_prob: float = 1.0
    dt_augment_prob: float = 0.5
    dt_augment_range: list[float] = field(default_factory=lambda: [1.25, 1.5])
    dt_augment_sqrt: bool = False
    flip_horizontal_prob: float = 0.0
    flip_vertical_prob: float = 0.0
    timing_random_offset: int = 2
    timing_random_offset_2: int = 0
    timing_random_offset_prob: float = 1.0
    snapping_random_prob: float = 0.0
    # the loss
    rhythm_weight: float = 3.0
    label_smoothing: float = 0.0
    sample_weights_path: str = ""
    # have no effect
    num_classes: int = 0
    per_track: bool = True
    # have one value
    sample_rate: int = _only(16000)
    hop_length: int = _only(128)
    max_diff: int = _only(12)
    min_top_tag_count: int = _only(2)
    mappers_path: str = _only("")  # ORS: mappers.json in the data set itself, and descriptors.csv
    descriptors_path: str = _only("")
    tags_metadata_path: str = _only("")
    position_range: list[int] = _only([-256, 768, -256, 640])
    normalize_audio: bool = _only(True)
    add_snapping: bool = _only(True)
    add_hitsounds: bool = _only(True)
    add_positions: bool = _only(True)
    add_sv_special_token: bool = _only(True)
    mania_bpm_normalized_scroll_speed: bool = _only(True)
    add_kiai: bool = _only(False)
    add_mania_sv: bool = _only(False)
    add_style_token: bool = _only(False)
    add_gd_context: bool = _only(False)
    add_pre_tokens: bool = _only(False)
    only_last_beatmap: bool = _only(False)
    center_pad_decoder: bool = _only(False)


@dataclass
class LoaderOptions:
    """Reading ahead. num_workers : processes; 0 reads in the training process itself."""

    num_workers: int = 8
    pin_memory: bool = True
    drop_last: bool = False
    balancer_buffer_size: int = 0  # samples sorted by length before they are dealt to batches; 0: as they come


@dataclass
class OptimOptions:
    """The optimiser. batch_size : samples of one process and step, learnt in `grad_acc` parts."""

    name: str = "adamwscale"
    base_lr: float = 1e-2
    base_lr_2: float = 3e-4  # Muon: of everything that is no hidden matrix
    batch_size: int = 128
    grad_acc: int = 8
    grad_clip: float = 1.0
    total_steps: int = 65536
    warmup_steps: int = 10000
    sustain_steps: int = 0
    lr_scheduler: str = "cosine"
    final_cosine: float = 1e-5
    weight_decay: float = 0.0


@dataclass
class EvalOptions:
    """Measuring on the test set. steps : batches."""

    every_steps: int = 1000
    steps: int = 500


@dataclass
class CheckpointOptions:
    """What is kept. keep : newest checkpoints."""

    every_steps: int = 5000
    keep: int = 2


@dataclass
class LoggingOptions:
    """Where figures go. log_with : tensorboard or wandb; empty: tensorboard, and wandb where WANDB_API_KEY is set."""

    log_with: str = ""
    every_steps: int = 10
    grad_l2: bool = True
    weights_l2: bool = True
    mode: str = "online"
    run_name: str | None = None


@dataclass
class ProfileOptions:
    """Profiling: steps to wait, to warm up, to record; early_stop ends the run after that."""

    do_profile: bool = False
    early_stop: bool = False
    wait: int = 8
    warmup: int = 8
    active: int = 8
    repeat: int = 1


@dataclass
class LoraOptions:
    """The adapter. target_modules : last words of the names of layers that it changes; empty: the attention's."""

    r: int = 64
    lora_alpha: int = 128
    target_modules: list[str] = field(default_factory=list)
    lora_dropout: float = 0.05
    bias: str = "none"
    init_lora_weights: str = "pissa"
    use_rslora: bool = False


@dataclass
class LoraMetadata:
    """Which sub-models ("" the root, "gamemode=0") the adapter is for; null: the one it was trained on."""

    ckpt_subfolders: list[str] | None = None


@dataclass
class Recipe:
    """One training run. run_dir : where everything it makes goes; if it has checkpoints, the run goes on from them."""

    run_dir: str = ""
    mode: str = "train"
    device: str = "auto"
    compile: bool = True
    mixed_precision: str = "bf16"
    precision: str = ""  # older name of mixed_precision
    attn_implementation: str = "sdpa"  # has no effect: torch takes the fastest kernel that there is
    seed: int = 42
    checkpoint_path: str = ""
    pretrained_path: str = ""
    pretrained_gamemode: int | None = None
    pretrained_t5_compat: bool = _only(False)
    enable_lora: bool = False
    model: ModelOptions = field(default_factory=ModelOptions)
    data: DataOptions = field(default_factory=DataOptions)
    dataloader: LoaderOptions = field(default_factory=LoaderOptions)
    optim: OptimOptions = field(default_factory=OptimOptions)
    eval: EvalOptions = field(default_factory=EvalOptions)
    checkpoint: CheckpointOptions = field(default_factory=CheckpointOptions)
    logging: LoggingOptions = field(default_factory=LoggingOptions)
    profile: ProfileOptions = field(default_factory=ProfileOptions)
    lora: LoraOptions = field(default_factory=LoraOptions)
    lora_metadata: LoraMetadata = field(default_factory=LoraMetadata)


def read_recipe(folder: Path, name: str, words: Sequence[str] = ()) -> Recipe:
    """The recipe `name` of a folder ("train_v29" and "v29" are the same) with overrides in Hydra's grammar.

    UserError for a file or key that is not there, or a value that does not fit its key.
    """
    from hydra import compose, initialize_config_dir
    from hydra.core.config_store import ConfigStore
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    ConfigStore.instance().store(name="recipe", node=Recipe)
    OmegaConf.register_new_resolver("context_type", str.lower, replace=True)  # as published recipes write contexts
    overrides = [full_name(word) for word in words]
    try:
        with initialize_config_dir(str(folder.resolve()), version_base="1.3"):
            config = compose(_file_of(folder, name), overrides=overrides)
            recipe = OmegaConf.to_object(config)
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(_why(error)) from error
    assert isinstance(recipe, Recipe)
    for key, value, default in _forbidden(recipe):
        raise UserError(f"{key}={value} is not supported: it can only be {default}.")
    return recipe


def _forbidden(group: Any, before: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Keys with one value that were given another."""
    usual = type(group)()
    for item in fields(group):
        value = getattr(group, item.name)
        if is_dataclass(value):
            yield from _forbidden(value, f"{before}{item.name}.")
        elif item.metadata.get("only") and value != getattr(usual, item.name):
            yield f"{before}{item.name}", value, getattr(usual, item.name)


def full_name(word: str) -> str:
    """An override with the full name of its key; UserError if there is no such key."""
    name, equals, value = word.partition("=")
    bare = name.strip().lstrip("+~")
    if not equals:
        raise UserError(f"{word!r} is not of the form key=value.")
    if bare == "hydra.run.dir":
        return f"run_dir={value}"
    known = dict(_keys(Recipe))
    ends = [key for key in known if key == bare or key.endswith(f".{bare}")]
    if bare in known:
        ends = [bare]
    if bare.startswith("model.overwrite."):
        return f"+{bare}={value}"
    if len(ends) == 1:
        return f"{ends[0]}={_quoted(value) if known[ends[0]] is str else value}"
    if ends:
        raise UserError(f"{bare!r} could be {' or '.join(ends)}; write one of them.")
    near = difflib.get_close_matches(bare, [*known, *(key.rpartition(".")[2] for key in known)], 1)
    hint = f"; did you mean {near[0]}?" if near else "."
    raise UserError(f"There is no key {bare!r} in training recipes{hint}")


def _quoted(text: str) -> str:
    """Text as Hydra's grammar takes it whatever it holds, so that paths need no quotes of their own."""
    if text == "null" or (len(text) > 1 and text[0] == text[-1] and text[0] in "'\""):
        return text
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", text)
    tail = len(escaped) - len(escaped.rstrip("\\"))
    return f"'{escaped}{chr(92) * tail}'"


def _keys(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every key by its full name, with the type of its values."""
    types = get_type_hints(group)
    for item in fields(group):
        yield f"{before}{item.name}", types[item.name]
        made = item.default_factory() if callable(item.default_factory) else None
        if is_dataclass(made):
            yield from _keys(type(made), f"{before}{item.name}.")


def _file_of(folder: Path, name: str) -> str:
    bare = name.removesuffix(".yaml")
    for candidate in (bare, bare.replace("-", "_"), f"train_{bare}".replace("-", "_")):
        if (folder / f"{candidate}.yaml").is_file():
            return candidate
    there = ", ".join(sorted(path.stem for path in folder.glob("*.yaml")))
    raise UserError(f"There is no recipe {name!r} in {folder}; there are {there or 'none'}.")


def _why(error: Exception) -> str:
    """Hydra's complaint as one line, with the key that it is about."""
    cause = error.__cause__ or error
    return " ".join(str(cause).split())
