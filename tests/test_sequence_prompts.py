"""Prompts and conditions as recorded."""

from __future__ import annotations

import numpy as np
import pytest
import sequences

from mapperatorinator.audio import Tags
from mapperatorinator.beatmap import read_beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.mapper.sequence.conditions import Conditions, Wishes
from mapperatorinator.mapper.sequence.profile import PROFILES
from mapperatorinator.mapper.sequence.prompts import Context, Prompter
from mapperatorinator.mapper.sequence.reading import Reader, usual_beat
from mapperatorinator.mapper.sequence.vocabulary import Vocabulary
from mapperatorinator.pipeline.request import complete
from mapperatorinator.settings import Settings

pytestmark = pytest.mark.compat
FAMILIES = sequences.part("tokens/prompts.json").get("families", {})
_NAMES = (
    "gamemode", "difficulty", "mapper_id", "year", "hitsounded", "slider_multiplier", "circle_size", "keycount",
    "hold_note_ratio", "scroll_speed_ratio", "descriptors", "negative_descriptors",
)  # fmt: skip


def vocabulary_of(family: str) -> Vocabulary:
    return Vocabulary(sequences.tokenizer(family))


def wishes_of(values: dict) -> Wishes:
    known = {name: values[name] for name in _NAMES if values.get(name) is not None}
    return Wishes(**{k: tuple(v) if isinstance(v, list) else v for k, v in known.items()})


@pytest.mark.parametrize(
    ("family", "number"), [(f, i) for f, facts in FAMILIES.items() for i in range(len(facts["class_vectors"]))]
)
def test_conditions(family: str, number: int) -> None:
    case = FAMILIES[family]["class_vectors"][number]
    vocabulary, profile = vocabulary_of(family), PROFILES[family]
    wishes, length = wishes_of(case["config"]), case["song_length_ms"]
    made = Conditions(vocabulary, profile, wishes, length)
    if "error" in case:
        with pytest.raises(UserError):
            made.tokens()
        return
    assert made.tokens() == case["tokens"]
    assert Conditions(vocabulary, profile, wishes.opposite(), length).tokens() == case["negative_tokens"]
    if "mapper_idx" in case["model_inputs"]:
        assert [made.mapper()] == case["model_inputs"]["mapper_idx"]


MAPS = sequences.part("tokens/index.json").get("maps", {})


@pytest.mark.parametrize("name", list(MAPS))
def test_what_a_reference_fills_in(name: str) -> None:
    """Options taken over from a map; year, mapper and style are not in its file.

    Stars were recorded with the game's formulas of a year before (rosu-pp 3.1), which rate up to a tenth otherwise.
    """
    reference, want = read_beatmap(sequences.map_path(name)), MAPS[name]
    config = want["generation_config"]
    filled = complete(Settings(beatmap_path=name), reference, Tags())
    assert (filled.mode, filled.difficulty, filled.hitsounded) == (
        config["gamemode"], pytest.approx(config["difficulty"], abs=0.1), want["hitsounded"],
    )  # fmt: skip
    assert filled.keycount == config["keycount"]
    for option in ("hold_note_ratio", "scroll_speed_ratio"):
        assert getattr(filled, option) == config[option]
        assert getattr(Wishes.of(reference, 5.0), option) == pytest.approx(
            want[option if option == "hold_note_ratio" else f"{option}_normalised"]
        )
    for option in ("hp_drain_rate", "circle_size", "overall_difficulty", "approach_rate", "slider_multiplier"):
        assert getattr(filled, option) == config[option]
    points = reference.unsorted_timing_points or reference.timing_points
    assert len(points) == want["timing_points"]
    assert usual_beat(points, reference.hit_objects) == pytest.approx(want["median_ms_per_beat"])


@pytest.mark.parametrize("family", list(FAMILIES))
def test_prompts(family: str) -> None:
    stored = sequences.arrays("tokens/prompts.npz")
    tokens, offsets = stored["tokens"], stored["offsets"]
    vocabulary, profile = vocabulary_of(family), PROFILES[family]
    facts = sequences.part("tokens/index.json")["maps"]
    window_ms = sequences.part("tokens/index.json")["families"][family]["window_ms"]
    read: dict[tuple, dict] = {}
    for case in FAMILIES[family]["prompts"]:
        length = case["song_length_ms"]
        key = case["map"], length
        if key not in read:
            reader = Reader(read_beatmap(sequences.map_path(case["map"])), profile)
            objects = reader.objects(length)
            read[key] = {
                "timing": reader.beats(length), "kiai": reader.kiai(), "map": objects, "gd": objects,
                "sv": reader.scroll(), "none": [],
                "no_hs": [mark for mark in objects if mark.kind not in ("hitsound", "volume")],
            }  # fmt: skip
        config = facts[case["map"]]["generation_config"]
        asked = wishes_of({**config, "year": case["year"]})
        template = profile.template(frozenset(case["in_context"]), frozenset(case["out_context"]))
        assert list(template.given) == case["template_in"]
        made = case["template_out_processed"]
        assert list(template.made[: len(made)]) == made
        guest = Conditions(vocabulary, profile, wishes_of({**config, "year": None}), length)
        given = [
            Context(name, read[key][name], True, guest.tokens() if name == "gd" else None)
            for name in template.given
        ]
        contexts = [Context(name, read[key][name], True) for name in made]
        prompter = Prompter(vocabulary, profile, template, window_ms, length, case["tgt_seq_len"])
        conditions = Conditions(vocabulary, profile, asked, length).tokens()
        for window in case["windows"]:
            arguments = given, contexts, conditions, window["time_ms"], window["blocks"] - 1
            if "error" in window:
                with pytest.raises(UserError):
                    prompter.prompt(*arguments)
                continue
            at = window["prompt_index"]
            got, want = prompter.prompt(*arguments), tokens[offsets[at] : offsets[at + 1]].tolist()
            if got != want:
                i = next((i for i, (a, b) in enumerate(zip(got, want, strict=False)) if a != b), -1)
                meant = [[vocabulary.decode(t) or t for t in row[max(0, i - 4) : i + 4]] for row in (got, want)]
                raise AssertionError((case["map"], case["in_context"], made, window, len(got), i, *meant))


def test_more_than_fits_is_refused() -> None:
    profile = PROFILES["v29"]
    prompter = Prompter(vocabulary_of("v29"), profile, profile.templates[0], 8184, 9000, 3)
    with pytest.raises(UserError, match="does not fit"):
        prompter.prompt([], [Context("timing")], list(np.arange(20, 30)), 0, 0)
