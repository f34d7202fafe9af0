"""Whole songs as recorded: prompts, answers and events of every window, context and pass."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import sequences
from test_sequence_prompts import wishes_of

torch = pytest.importorskip("torch")

from mapperatorinator.beatmap import TimingPoint, read_beatmap  # noqa: E402
from mapperatorinator.mapper.sequence import writer as writer_module  # noqa: E402
from mapperatorinator.mapper.sequence.conditions import Conditions  # noqa: E402
from mapperatorinator.mapper.sequence.engine import Prompts, generate  # noqa: E402
from mapperatorinator.mapper.sequence.model import Model  # noqa: E402
from mapperatorinator.mapper.sequence.reading import Reader, beats_of  # noqa: E402
from mapperatorinator.mapper.sequence.rules import Sampling  # noqa: E402
from mapperatorinator.mapper.sequence.times import in_pixels  # noqa: E402
from mapperatorinator.mapper.sequence.vocabulary import Mark  # noqa: E402
from mapperatorinator.mapper.sequence.windows import cut  # noqa: E402
from mapperatorinator.mapper.sequence.writer import Writer, in_range  # noqa: E402

pytestmark = pytest.mark.compat
INDEX = sequences.part("generation/index.json")
CASES = {case["name"]: case for case in INDEX.get("cases", [])}
CLEAR = 1e-3  # margins under which another kernel may choose another token


@cache
def model_of(family: str) -> Model:
    recorded = sequences.checkpoint(family)
    return Model.of(family, recorded.config, recorded.tensors, recorded.tokenizer, device="cpu")


def red_points(rows: list[dict[str, Any]]) -> list[TimingPoint]:
    return [TimingPoint(row["offset_ms"], row["ms_per_beat"], row["meter"]) for row in rows if row["red"]]


def sampling_of(case: dict[str, Any]) -> Sampling:
    options, resolved = case["options"], case["resolved"]
    return Sampling(
        temperature=resolved["temperature"], timing_temperature=resolved["timing_temperature"],
        top_p=options.get("top_p", 0.9), time_bias=options.get("timeshift_bias", 0.0),
        sample=options.get("do_sample", False), guidance=options.get("cfg_scale", 1.0), legacy=True,
    )  # fmt: skip


def given_of(case: dict[str, Any], model: Model, extra: list[str], length: float) -> dict[str, list[Mark]]:
    """Contexts that this pass did not have to write."""
    given: dict[str, list[Mark]] = {}
    if "beatmap_path" in case["options"]:
        reader = reader_of(case, model)
        objects = reader.objects(length)
        everything = {
            "timing": reader.beats(length), "gd": objects, "map": objects, "kiai": reader.kiai(),
            "no_hs": [mark for mark in objects if mark.kind not in ("hitsound", "volume")],
        }  # fmt: skip
        given = {name: everything[name] for name in case["options"]["in_context"] if name != "none"}
    if "timing" in extra:
        given["timing"] = beats_of(red_points(case["generated_timing"]), model.profile, length)
    return given


def reader_of(case: dict[str, Any], model: Model) -> Reader:
    return Reader(read_beatmap(sequences.FIXTURES / case["options"]["beatmap_path"]), model.profile)


def writer_of(case: dict[str, Any], model: Model, extra: list[str]) -> Writer:
    options, resolved = case["options"], case["resolved"]
    windows = cut(
        sequences.song(), model.network.shape.window, resolved["lookback"], resolved["lookahead"],
        options.get("parallel", False), options.get("start_time"), options.get("end_time"),
    )  # fmt: skip
    wishes, length = wishes_of(case["generation_config"]), windows.length_ms
    conditions = Conditions(model.vocabulary, model.profile, wishes, length)
    given = given_of(case, model, extra, length)
    begun: dict[str, list[Mark]] = {}
    if options.get("add_to_beatmap") and "start_time" in options:
        reader, until = reader_of(case, model), options["start_time"] - 1
        whole = {"map": reader.objects(length), "kiai": reader.kiai(), "sv": reader.scroll()}
        begun = {name: [mark for mark in marks if mark.time <= until] for name, marks in whole.items()}
    guest = None
    if "gd" in given:
        no_year = wishes_of({**case["generation_config"], "year": None})
        guest = Conditions(model.vocabulary, model.profile, no_year, length).tokens()
    return Writer(
        model, windows, conditions, Conditions(model.vocabulary, model.profile, wishes.opposite(), length),
        sampling_of(case), given, begun, guest, case["tgt_seq_len"], options.get("parallel", False),
        options.get("max_batch_size", 8), torch.Generator().manual_seed(case["seed"]),
    )  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_generation(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    stored = sequences.arrays(f"generation/{case['windows_file']}")
    model = model_of(case["family"])
    calls: list[tuple[Prompts, Any]] = []

    def watched(network, memory, prompts, *rest):
        answer = generate(network, memory, prompts, *rest)
        number = len(calls)
        calls.append((prompts, answer))
        clear = all(c["min_top1_top2_margin"] > CLEAR for c in case["windows"][: number + 1])
        want = stored[f"w{number}_prompt"].tolist()
        got = prompts.asked.tolist()
        assert [r[-len(w) :] for r, w in zip(got, want, strict=True)] == want, number
        if f"w{number}_negative" in stored and prompts.unwanted is not None:
            want_n = stored[f"w{number}_negative"].tolist()
            assert [r[-len(w) :] for r, w in zip(prompts.unwanted.tolist(), want_n, strict=True)] == want_n
        result = stored[f"w{number}_result"][:, len(want[0]) :]
        if clear or np.array_equal(answer.numpy(), result):
            assert answer.tolist() == result.tolist(), number
            return answer
        return torch.from_numpy(result.astype(np.int64))  # a near tie: go on with what was recorded

    monkeypatch.setattr(writer_module, "generate", watched)
    resolved, kinds = case["resolved"], INDEX["event_type_names"]
    for number, step in enumerate(case["passes"]):
        writer = writer_of(case, model, step["extra"])
        if step["in_context"] == ["none"] and not step["extra"]:
            writer.given = {}
        made = writer.write(step["out_context"])
        start, end = case["options"].get("start_time"), case["options"].get("end_time")
        for place, context in enumerate(step["out_context"]):
            names = [f"pass{number}_out{place}_{part}" for part in ("type", "value", "time")]
            rows = zip(*(stored[part].tolist() for part in names), strict=True)
            want = [Mark(kinds[kind], value, time) for kind, value, time in rows]
            keys = resolved["keycount"] if resolved["gamemode"] == 3 else None
            got = in_range(made[context], start, end)
            if context == "map":
                got = in_pixels(got, model.profile, keys)
            if "add_to_beatmap" in case["options"]:
                got, want = in_range(got, start, end), in_range(want, start, end)
            assert got == want
    assert len(calls) == len(case["windows"])
