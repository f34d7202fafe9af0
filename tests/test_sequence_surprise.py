"""How surprising a map is to a published model, as recorded."""

from __future__ import annotations

import numpy as np
import pytest
import sequences

torch = pytest.importorskip("torch")

from test_sequence_generation import model_of, sampling_of  # noqa: E402, F401

from mapperatorinator.beatmap import read_beatmap  # noqa: E402
from mapperatorinator.mapper.sequence.conditions import Conditions, Wishes  # noqa: E402
from mapperatorinator.mapper.sequence.reading import Reader  # noqa: E402
from mapperatorinator.mapper.sequence.rules import Sampling  # noqa: E402
from mapperatorinator.mapper.sequence.surprise import score  # noqa: E402
from mapperatorinator.mapper.sequence.windows import cut  # noqa: E402
from mapperatorinator.mapper.sequence.writer import Writer  # noqa: E402

INDEX = sequences.part("maimod/index.json")
CASES = INDEX.get("cases", [])


def writer_of(family: str, name: str, repeats: int) -> Writer:
    model = model_of(family)
    windows = cut(np.tile(sequences.song(), repeats), model.network.shape.window)
    wishes = Wishes(0, 5.0, year=2020, circle_size=4)
    asked = Conditions(model.vocabulary, model.profile, wishes, windows.length_ms)
    reader = Reader(read_beatmap(sequences.map_path(name)), model.profile)
    given = {"map": reader.objects(), "timing": reader.beats(), "kiai": reader.kiai(), "sv": reader.scroll()}
    known = set(model.profile.templates[0].made)
    given = {name: marks for name, marks in given.items() if name in known}
    return Writer(model, windows, asked, asked, Sampling(), given)


@pytest.mark.compat
@pytest.mark.parametrize("number", [i for i, case in enumerate(CASES) if "error" not in case])
def test_surprisal_of_every_token(number: int) -> None:
    case = CASES[number]
    stored = sequences.arrays(f"maimod/{case['map']}_x{case['audio_repeats']}.npz")
    scored = list(score(writer_of(case.get("family", "v30"), case["map"], case["audio_repeats"])))
    places = [one.place for one in scored]
    assert len(places) == case["scored"] == len(set(places))
    np.testing.assert_allclose(
        [one.relative for one in scored], stored["relative_surprisal"][places], rtol=1e-3, atol=1e-4
    )
    kinds = INDEX["event_type_names"]
    for one in scored:
        kind, value = kinds[stored["expected_type"][one.place]], stored["expected_value"][one.place]
        assert one.expected is None or (one.expected.kind, one.expected.value) == (kind, value)
        assert one.expected is not None or kind == "control"


@pytest.mark.compat
@pytest.mark.parametrize("family", [case["family"] for case in CASES if "error" in case])
def test_models_with_markers_can_judge_too(family: str) -> None:
    found = list(score(writer_of(family, "synth_mode0", 1)))
    assert {one.context for one in found} >= {"timing", "map"}
    assert all(one.bits >= 0 and one.entropy >= 0 for one in found)
