"""Maps as tokens: recorded events, ids and windows of every family; ids and meanings both ways."""

from __future__ import annotations

import numpy as np
import pytest
import sequences

from mapperatorinator.beatmap import read_beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.mapper.sequence.profile import PROFILES, Profile
from mapperatorinator.mapper.sequence.reading import Reader
from mapperatorinator.mapper.sequence.vocabulary import BEATS, END, START, TIMED, Mark, Vocabulary
from mapperatorinator.mapper.sequence.windows import Edges, cut, within

INDEX = sequences.part("tokens/index.json")
CASES = [(f, m) for f, facts in INDEX.get("families", {}).items() for m in facts["maps"]]


def profile_of(family: str) -> Profile:
    return PROFILES[family.removesuffix("pub")]


def contexts_of(family: str, name: str) -> dict[str, list[Mark]]:
    reader = Reader(read_beatmap(sequences.map_path(name)), profile_of(family))
    return {
        "map": reader.objects(), "timing": reader.beats(), "kiai": reader.kiai(), "sv": reader.scroll(),
        "no_hs": [mark for mark in reader.objects() if mark.kind not in ("hitsound", "volume")],
    }  # fmt: skip


@pytest.mark.compat
@pytest.mark.parametrize(("family", "name"), CASES)
def test_a_map_reads_as_recorded(family: str, name: str) -> None:
    facts = INDEX["families"][family]
    want = sequences.arrays(facts["maps"][name]["file"])
    vocabulary = Vocabulary(sequences.tokenizer(family))
    kinds = INDEX["event_type_names"]
    contexts = contexts_of(family, name)
    length = facts.get("window_ms", 8184.0)
    for context in facts["maps"][name]["contexts"]:
        marks = contexts[context]
        if f"{context}_type" in want:
            rows = (want[f"{context}_{part}"].tolist() for part in ("type", "value", "time"))
            recorded = [Mark(kinds[kind], value, time) for kind, value, time in zip(*rows, strict=True)]
            assert marks == recorded
        starts = want[f"{context}_window_start"].tolist()
        bounds = [within(marks, start, start + length) for start in starts]
        if f"{context}_window_event_range" in want:
            assert np.array_equal(bounds, want[f"{context}_window_event_range"])
        spelled = [
            vocabulary.spell(marks[first:last], start)
            for start, (first, last) in zip(starts, bounds, strict=True)
        ]
        assert np.array_equal(sum(spelled, []), want[f"{context}_tokens"])


WINDOWS = sequences.part("audio/index.json").get("windowing", {})


@pytest.mark.compat
@pytest.mark.parametrize("name", list(WINDOWS))
def test_a_song_is_cut_as_recorded(name: str) -> None:
    want = WINDOWS[name]
    words = dict(word.split("=") for word in name.split("|")[1:])
    start, end = (None if words[edge] == "None" else float(words[edge]) for edge in ("start", "end"))
    windows = cut(
        sequences.song(), want["windows"][1], parallel=words["parallel"] == "True", start=start, end=end
    )
    assert list(windows.samples.shape) == want["windows"]
    assert windows.times == want["times_ms"]
    assert (windows.length_ms, windows.size_ms) == (want["song_length_ms"], want["window_ms"])
    assert np.count_nonzero(windows.samples[-1]) == want["nonzero_last"]


IDS = sequences.part("rules/index.json").get("id_sets", {})


@pytest.mark.compat
@pytest.mark.parametrize("family", list(IDS))
def test_edges_of_windows_are_those_recorded(family: str) -> None:
    want = IDS[family]
    vocabulary = Vocabulary(sequences.checkpoint(family).tokenizer)
    size = int(want["eos_time_ms"] * 16)
    edges = Edges.of(vocabulary, cut(np.zeros(size, np.float32), size))
    assert edges.early == range(*want["lookback_range"])
    assert edges.late == range(*want["lookahead_range"])
    for name, runs in want["stop_ids"].items():
        context, *reach = name.split("|")
        early, late = (not edge.endswith("=0") for edge in reach)
        stops = {END, *(edges.early if early else ()), *(edges.stopping if late else ())}
        stops |= {vocabulary.ends[context]} if vocabulary.ends else set()
        assert {token for first, last in runs for token in range(first, last + 1)} == stops


@pytest.mark.compat
@pytest.mark.parametrize("family", list(IDS))
def test_kinds_of_ids_are_those_recorded(family: str) -> None:
    want, vocabulary = IDS[family], Vocabulary(sequences.checkpoint(family).tokenizer)

    def ids(*kinds: str) -> list[int]:
        return sorted(token for kind in kinds if kind in vocabulary for token in vocabulary.ids(kind))

    assert ids(*BEATS) == want["beat_tokens"]
    assert ids(*TIMED) == want["timed_tokens"]
    if "hold_note" in vocabulary:
        assert ids("circle", "hold_note", "hold_note_end") == want["mania_tokens"]
        # Of the speeds the published program forgets the fastest.
        assert vocabulary.ids("scroll_speed")[:-1] == range(*want["scroll_speed_tokens"])
    assert [END, *vocabulary.ends.values()] == want["lookback_eos_ids"]
    assert [START, *vocabulary.starts.values()] == want["monotonic_sos_ids"]


@pytest.mark.compat
@pytest.mark.parametrize("family", list(INDEX.get("families", {})))
def test_profiles_say_what_was_recorded(family: str) -> None:
    profile, said = profile_of(family), INDEX["families"][family]["profile"]
    assert profile.types_first == said["types_first"]
    assert [(list(t.given), list(t.made)) for t in profile.templates] == [
        (t["in"], t["out"]) for t in said["context_types"]
    ]
    assert profile.distances == said["add_distances"]
    assert (profile.precision, profile.split_axes) == (said["position_precision"], said["position_split_axes"])
    assert profile.refinement == said["position_refinement"]
    assert profile.sustain_ms == said["sustain_interval"]
    assert profile.kiai_state == said["add_kiai_special_token"]
    assert profile.song_position == said["add_song_position_token"]
    assert profile.untimed_last == (said["slider_version"] == 2)
    assert profile.velocity == said["add_sv"]
    assert profile.timing_points == said["add_timing_points"]
    assert profile.interleaved_beats == said["add_timing"]


@pytest.mark.compat
@pytest.mark.parametrize("family", list(INDEX.get("families", {})))
def test_every_id_means_one_thing(family: str) -> None:
    raw = sequences.tokenizer(family)
    vocabulary = Vocabulary(raw)
    assert (vocabulary.size_out, vocabulary.size_in) == (raw["vocab_size_out"], raw["vocab_size_in"])
    for kind, first in raw["event_start"].items():
        assert vocabulary.ids(kind) == range(first, raw["event_end"][kind])
    for token in range(vocabulary.offset, vocabulary.size_in):
        meaning = vocabulary.decode(token)
        assert meaning is not None and vocabulary.encode(*meaning) == token
    assert vocabulary.decode(2) is None and vocabulary.decode(vocabulary.size_in) is None


def small() -> Vocabulary:
    return Vocabulary({"event_ranges": [{"type": "t", "min_value": 0, "max_value": 9}]})


def test_times_are_cut_kept_in_range_and_read_as_the_middle_of_their_step() -> None:
    vocabulary = small()
    ids = vocabulary.spell([Mark("t", 1000), Mark("t", 1019), Mark("t", 5000), Mark("t", 10)], 1000)
    assert ids == [3, 4, 12, 3]
    assert [mark.value for mark in vocabulary.read([3, 4, 2, 5], 1000)] == [1005, 1015]


def test_what_a_checkpoint_does_not_know_is_said() -> None:
    with pytest.raises(UserError, match="0 to 9"):
        small().encode("t", 10)
    with pytest.raises(UserError, match="no token for kiai"):
        small().encode("kiai")
