"""Timing by the published models: red lines from beats, votes, both as recorded."""

from __future__ import annotations

import pytest
import sequences

from mapperatorinator.beatmap import TimingPoint
from mapperatorinator.mapper.sequence.beats import beats_in, red_lines
from mapperatorinator.mapper.sequence.vocabulary import Mark
from mapperatorinator.mapper.sequence.votes import Ballot, shifts

FITS = {case["name"]: case for case in sequences.part("finishing/index.json").get("timing_reconstruction", [])}


def as_rows(lines: list[TimingPoint]) -> list[tuple]:
    return [(p.time, p.beat_length, p.meter, p.sample_set, p.sample_index, p.volume) for p in lines]


def wanted(rows: list[dict]) -> list[tuple]:
    names = ("offset_ms", "ms_per_beat", "meter", "sample_type", "sample_set", "volume")
    return [(round(row["offset_ms"], 6), *(row[name] for name in names[1:])) for row in rows]


@pytest.mark.compat
@pytest.mark.parametrize("name", list(FITS))
def test_red_lines_from_beats(name: str) -> None:
    case = FITS[name]
    marks = [Mark(kind, value) for kind, value in case["events"]]
    got = red_lines(beats_in(marks, case["types_first"]), case["timing_leniency"])
    assert as_rows(got) == wanted(case["timing_points"])


VOTES = {case["name"]: case for case in sequences.part("super_timing/index.json").get("cases", [])}


@pytest.mark.compat
@pytest.mark.parametrize("name", list(VOTES))
def test_votes(name: str) -> None:
    case = VOTES[name]
    first = case["types_first"]
    ballot = Ballot(int(case["song_samples"] * 1000 / 16000), first, legacy=True)
    for events, shift in zip(case["iteration_events"], case["audio_offsets_ms"], strict=True):
        ballot.add([Mark(kind, value) for kind, value in events], shift)
    assert shifts(case["np_seed"], case["window_ms"], case["iterations"]) == case["audio_offsets_ms"]
    marks = ballot.result(case["bpm_threshold"])
    if "error" in case:
        assert marks == []  # no tempo is an answer
        return
    assert [[mark.kind, mark.value] for mark in marks] == case["events"]
    assert as_rows(red_lines(beats_in(marks, first), case["timing_leniency"])) == wanted(case["timing_points"])
