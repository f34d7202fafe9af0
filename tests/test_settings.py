"""Every option reads text and typed values, names itself when they are wrong, and has a meaning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapperatorinator.defaults import LEVEL_NAMES, difficulty_defaults, level_name
from mapperatorinator.errors import UserError
from mapperatorinator.options import MODELS
from mapperatorinator.settings import Settings, options, schema, settings_table

# Every option of the published system's documentation, by name.
DOCUMENTED = """
model_path audio_path output_path beatmap_path lora_path auto_select_gamemode_model gamemode difficulty
mapper_id year hitsounded keycount hold_note_ratio scroll_speed_ratio descriptors negative_descriptors
beatmap_id hp_drain_rate circle_size overall_difficulty approach_rate slider_multiplier slider_tick_rate
seed device precision attn_implementation add_to_beatmap overwrite_reference_beatmap export_osz start_time
end_time lookback lookahead timing_leniency in_context output_type cfg_scale temperature top_p
timing_temperature mania_column_temperature taiko_hit_temperature timeshift_bias top_k parallel do_sample
num_beams super_timing timer_num_beams timer_bpm_threshold timer_cfg_scale timer_iterations use_server
max_batch_size resnap_events snap_near_perfect_overlaps generate_positions bpm offset title title_unicode
artist artist_unicode source tags background preview_time creator version
""".split()  # noqa: SIM905


def test_every_documented_option_exists() -> None:
    assert set(DOCUMENTED) <= {option.name for option in options()}


def test_defaults_are_valid_and_change_nothing() -> None:
    assert Settings().changed() == {}
    assert Settings() == Settings.from_mapping({option.name: option.default for option in options()})


@pytest.mark.parametrize("option", options(), ids=lambda option: option.name)
def test_each_option_explains_itself(option) -> None:
    assert option.meaning and option.group and option.describe_range()
    assert set(option.models) <= set(MODELS) and option.models
    assert option.read(None) == option.default
    if option.low is not None:
        with pytest.raises(UserError, match=option.name):
            option.read([option.low - 1] if option.kind == "reals" else option.low - 1)
    if option.kind in ("whole", "real"):
        for nonsense in ("abc", float("nan"), float("inf"), True, [1]):
            with pytest.raises(UserError, match=option.name):
                option.read(nonsense)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("gamemode", "mania", 3),
        ("gamemode", "2", 2),
        ("difficulty", "5.3", 5.3),
        ("difficulty", "null", None),
        ("descriptors", "['jump aim','clean']", ("jump aim", "clean")),
        ("descriptors", "jump aim, clean", ("jump aim", "clean")),
        ("descriptors", ["jump aim"], ("jump aim",)),
        ("in_context", "[TIMING,KIAI]", ("TIMING", "KIAI")),
        ("in_context", "none", ("NONE",)),
        ("in_context", "[]", ()),
        ("output_type", "timing", ("TIMING",)),
        ("difficulties", "2,3.5, 5", (2.0, 3.5, 5.0)),
        ("super_timing", "true", True),
        ("hitsounded", "False", False),
        ("seed", "7", 7),
        ("seed", 7.0, 7),
        ("audio_path", "a, 'b' #=.mp3", "a, 'b' #=.mp3"),
        ("audio_path", "none", "none"),
    ],
)
def test_values_are_read_from_text(name: str, text: object, value: object) -> None:
    assert getattr(Settings.from_mapping({name: text}), name) == value


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"dificulty": 5}, "did you mean difficulty"),
        ({"zzzz": 5}, "mapperatorinator settings"),
        ({"difficulty": -1}, "difficulty is -1 but must be a number, 0 to 15 stars"),
        ({"gamemode": 4}, "gamemode is 4 but must be"),
        ({"circle_size": 11}, "circle_size is 11 but must be a number, 0 to 10"),
        ({"in_context": "[FOO]"}, "in_context is 'FOO' but must be one of"),
        ({"seed": 1.5}, "whole number"),
        ({"super_timing": "maybe"}, "super_timing is 'maybe' but must be true or false"),
        ({"audio_path": "a", "start_time": 9, "end_time": 3}, "start_time"),
        ({"audio_path": "a", "add_to_beatmap": True}, "beatmap_path"),
        ({"audio_path": "a", "in_context": ["TIMING"]}, "beatmap_path"),
        ({"audio_path": "a", "model": "v30", "gamemode": 3}, "v30"),
    ],
)
def test_wrong_values_are_one_sentence(values: dict, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        Settings.from_mapping(values)
    assert "\n" not in str(caught.value) and str(caught.value).endswith((".", "?"))


@given(st.dictionaries(st.sampled_from([o.name for o in options()]), st.text() | st.integers() | st.floats()))
def test_any_values_are_read_or_refused_and_survive_json(values: dict) -> None:
    try:
        settings = Settings.from_mapping(values)
    except UserError:
        return
    again = Settings.from_mapping(json.loads(json.dumps(settings.changed())))
    assert again == settings


def test_options_that_the_model_ignores_are_named() -> None:
    assert Settings(timer_num_beams=2).ignored() == ["timer_num_beams"]
    assert Settings(timer_num_beams=2, model="v29").ignored() == []
    assert Settings(snap_divisor=4, model="v29").ignored() == ["snap_divisor"]


def test_schema_and_table_hold_every_option() -> None:
    table = settings_table()
    for entry in json.loads(json.dumps(schema())):
        assert f"| `{entry['name']}` |" in table


def test_readme_holds_the_generated_table() -> None:
    page = (Path(__file__).parent.parent / "docs" / "options.md").read_text(encoding="utf-8")
    assert settings_table().strip() in page, "run `mapperatorinator settings` and paste it into docs/options.md"


@given(st.integers(0, 3), st.floats(0, 15))
def test_default_difficulty_settings_are_legal(mode: int, stars: float) -> None:
    settings = difficulty_defaults(mode, stars)
    for name in ("hp_drain_rate", "circle_size", "overall_difficulty", "approach_rate"):
        value = getattr(settings, name)
        assert 0 <= value <= 10 and round(value, 1) == value
    assert 0.4 <= settings.slider_multiplier <= 3.6
    assert level_name(mode, stars) in LEVEL_NAMES[mode]


# Guideline ranges of the ranking criteria for osu! (approach rate, overall difficulty, drain).
@pytest.mark.parametrize(
    ("stars", "approach", "overall", "drain"),
    [(1.5, (0, 5), (1, 3), (1, 3)), (2.3, (4, 6), (3, 5), (3, 5)), (3.3, (6, 8), (5, 7), (4, 6)),
     (4.6, (7, 9.3), (7, 9), (5, 8)), (6.0, (8, 10), (8, 10), (5, 10))],
)  # fmt: skip
def test_osu_defaults_lie_in_the_guideline_ranges(stars, approach, overall, drain) -> None:
    settings = difficulty_defaults(0, stars)
    assert approach[0] <= settings.approach_rate <= approach[1]
    assert overall[0] <= settings.overall_difficulty <= overall[1]
    assert drain[0] <= settings.hp_drain_rate <= drain[1]
