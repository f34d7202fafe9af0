"""Modding: what is planted is found, what is rare counts the same everywhere, nothing is written."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from checks_maps import at, clean_map
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.text import Text
from songs import click_track

from mapperatorinator import weights
from mapperatorinator.audio import Audio, load_audio
from mapperatorinator.beatmap import Beatmap, read_beatmap, save_beatmap, write_beatmap, write_osz
from mapperatorinator.checks import Severity
from mapperatorinator.cli.mod import _line, script
from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.mistakes import LOCAL, OFFSET_MS, TEMPO_SHARE, mistimed, plant
from mapperatorinator.mapper import Surprisal
from mapperatorinator.modding import Report, Suggestion, Topic, review, review_set
from mapperatorinator.modding.calibration import (
    LEVELS,
    TABLE,
    TOPICS,
    calibrated,
    rarities,
    share,
    table_of,
    thresholds,
)
from mapperatorinator.modding.drift import drifts
from mapperatorinator.modding.findings import _without_echoes
from mapperatorinator.modding.sources import read_sources
from mapperatorinator.modding.suggestion import ranked
from mapperatorinator.modding.wording import sentence
from mapperatorinator.timing import Timing
from mapperatorinator.timing.tracker import METERS, Activations

needs_weights = pytest.mark.skipif(not weights.available("grid"), reason="no embedded rhythm network")


class Hears:
    """A mapper that is surprised by what it is told to be surprised by."""

    def __init__(self, *found: Surprisal) -> None:
        self.found = list(found)

    def map(self, *_: object, **__: object):  # type: ignore[no-untyped-def]
        raise NotImplementedError

    def score(self, *_: object) -> list[Surprisal]:
        return self.found


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clicks on the beats of the small maps."""
    return click_track(tmp_path_factory.mktemp("song") / "audio.wav", seconds=66, bpm=150, offset_ms=200)


@pytest.fixture(scope="module")
def audio(song: Path) -> Audio:
    return load_audio(song)


def suggestion(**fields: object) -> Suggestion:
    plain = {"time": 12345, "end_time": 12345, "topic": Topic.RHYTHM, "message": "Look.", "surprisal": 5.0}
    return Suggestion(**{**plain, **fields})  # type: ignore[arg-type]


def test_a_suggestion_leads_to_the_editor() -> None:
    one = suggestion(timestamp="00:12:345 (1,2) -", severity=None)
    assert one.link == "osu://edit/00:12:345%20(1,2)"
    assert json.loads(json.dumps(one.as_json()))["category"] == "Snapping and rhythm"
    assert suggestion(time=None).link == ""


def test_a_habit_is_told_once() -> None:
    rules = [suggestion(severity=Severity.PROBLEM, surprisal=None, source="unsnap", time=t) for t in (1, 2, 3)]
    odd, mild = suggestion(surprisal=14.0), suggestion(surprisal=3.0)
    assert ranked([mild, *rules, odd]) == [odd, rules[0], mild]


def test_filters_by_topic_threshold_and_severity() -> None:
    some = (suggestion(surprisal=9.0), suggestion(surprisal=2.0), suggestion(topic=Topic.PLACES, surprisal=9.0),
            suggestion(topic=Topic.RULES, surprisal=None, severity=Severity.MINOR))  # fmt: skip
    report = Report("t", 0, 1.0, some)
    assert report.only([Topic.RHYTHM], 5.0).suggestions == some[:1]
    assert len(report.only(None, 5.0, Severity.WARNING).suggestions) == 2
    assert list(report.by_topic()) == [Topic.RHYTHM, Topic.PLACES, Topic.RULES]


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(TOPICS)))
def test_calibrated_surprisal_is_a_rate(seed: int, aspect: str) -> None:
    """Findings of S bits and more come once in 2^S seconds, an aspect having its share."""
    bits, seconds = np.random.default_rng(seed).exponential(3.0, 1000), 4096.0
    table = {"0": {aspect: thresholds(bits, seconds)}}
    values = np.array([calibrated(one, aspect, 0, table) for one in bits])
    for level in (4.0, 6.0, 8.0):
        wanted = seconds / 2**level * share(aspect)
        if wanted >= 4:
            assert abs((values >= level).sum() - wanted) <= 1.5 + wanted / 20
    assert (np.diff(values[np.argsort(bits)]) >= -1e-9).all()


def test_unknown_aspects_stay_as_they_are() -> None:
    assert calibrated(4.5, "nothing", 0, {}) == 4.5


def test_another_model_counts_by_rarity_in_the_map() -> None:
    """Without a table the oddest of each aspect is the rarest, whatever its bits."""
    heard = [Surprisal(float(i), aspect, scale * i, "this", "that", 0.5)
             for aspect, scale in (("extra", 1.0), ("missing", 50.0)) for i in range(64)]  # fmt: skip
    values = rarities(heard, 256.0)
    assert values[63] == values[127] == 8.0 and values[62] == values[126] == 7.0 and values[0] == 2.0
    assert set(table_of(heard, 256.0)) == {"extra", "missing"}


def test_the_table_knows_every_mode() -> None:
    table = json.loads(TABLE.read_text(encoding="utf-8"))["modes"]
    assert set(table) == {"0", "1", "2", "3"}
    for aspects in table.values():
        assert set(aspects) <= set(TOPICS) and {"missing", "sound", "silence"} <= set(aspects)
        assert all(values == sorted(values) and len(values) <= len(LEVELS) for values in aspects.values())


def activations(bpm: float, offset: float, seconds: float = 100.0) -> Activations:
    """What a perfect tracker would hear."""
    times = np.arange(int(seconds * 100)) * 10.0
    away = (times - offset + 30_000 / bpm) % (60_000 / bpm) - 30_000 / bpm
    beat = (6 * np.exp(-((away / 15) ** 2)) - 4).astype(np.float32)
    coarse = len(times) // 4
    return Activations(beat, beat, beat, np.zeros((coarse, 4), np.float32), np.zeros((coarse, len(METERS)), np.float32))


@pytest.mark.parametrize("late", [-15.0, 0.0, 15.0])
@pytest.mark.parametrize("share", [-0.003, 0.0, 0.003])
def test_offset_and_tempo_are_measured(late: float, share: float) -> None:
    timing = Timing.constant(180 / (1 + share), 500 + late)
    (one,) = drifts(activations(180, 500), timing, 500, 99_000)
    assert one.faster == pytest.approx(share, abs=2e-4)
    if not share:
        assert one.late == pytest.approx(late, abs=2.0) and abs(one.wander) < 4


def test_no_beat_says_nothing() -> None:
    flat = activations(180, 500)
    assert drifts(Activations(np.full_like(flat.beat, -9), flat.downbeat, flat.onset, flat.tempo, flat.meter),
                  Timing.constant(180, 500), 500, 99_000) == []  # fmt: skip


def test_echoes_are_dropped() -> None:
    some = [Surprisal(t, "place", b, "", "", 0.5) for t, b in ((1000, 20.0), (1300, 12.0), (1600, 9.0))]
    assert [one.time for one in _without_echoes(some)] == [1000, 1600]


@pytest.mark.parametrize("off,words", [(100.0, "1/4 beat later"), (-200.0, "1/2 beat earlier"), (600.0, "3/2 beats")])
def test_moves_are_told_in_beats(off: float, words: str) -> None:
    assert words in sentence(Surprisal(1000.0, "move", 5.0, "circle", "nothing", 0.9, 1000.0 + off), 400.0)


def test_without_a_song_only_rules_speak() -> None:
    report = review(clean_map(0))
    assert report.notes and all(one.topic is Topic.RULES for one in report.suggestions)


def test_a_map_without_objects_gets_a_note(audio: Audio) -> None:
    report = review(Beatmap(mode=0), audio, Hears())
    assert "no objects" in report.notes[0]


def test_what_the_mapper_says_reaches_the_objects(audio: Audio) -> None:
    beatmap = clean_map(0)
    before = write_beatmap(beatmap)
    odd = beatmap.hit_objects[8]
    found = review(beatmap, audio, Hears(Surprisal(odd.time, "place", 99.0, "here", "there", 0.5),
                                         Surprisal(at(4.5), "missing", 99.0, "nothing", "circle", 0.9)))  # fmt: skip
    place, missing = (next(s for s in found.suggestions if s.source == source) for source in ("place", "missing"))
    assert place.objects == (8,) and place.timestamp.endswith("(1) -") and place.topic is Topic.PLACES
    assert missing.objects == () and missing.time == at(4.5)
    assert write_beatmap(beatmap) == before


@needs_weights
def test_planted_mistakes_come_first(audio: Audio) -> None:
    """A circle a quarter early in a map of steady beats."""
    beatmap = clean_map(0)
    beatmap.hit_objects[60].time -= 100.0
    early = beatmap.hit_objects[60].time
    surprised = [s for s in ranked(review(beatmap, audio).suggestions) if s.topic in (Topic.RHYTHM, Topic.EXTRA)]
    assert early in [s.time for s in surprised[:3]]


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_every_mode_is_reviewed(corpus_maps, corpus_song, mode: int) -> None:
    if not weights.available("grid"):
        pytest.skip("no embedded rhythm network")
    path = corpus_maps(1, mode=mode, split="val")[0]
    beatmap = read_beatmap(path)
    beatmap.hit_objects = [obj for obj in beatmap.hit_objects if beatmap.end_time(obj) < 40_000]
    song = load_audio(corpus_song(path))
    report = review(beatmap, replace(song, samples=song.samples[: 42 * song.sample_rate]))
    surprisals = [s.surprisal for s in report.suggestions if s.surprisal is not None]
    assert surprisals and all(math.isfinite(one) for one in surprisals)
    assert report.top(10)[0].weight == max(s.weight for s in report.suggestions)
    json.dumps(report.as_json())


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_plants_are_apart_and_leave_the_map_alone(mode: int) -> None:
    beatmap = clean_map(mode)
    before = write_beatmap(beatmap)
    made, mistakes = plant(beatmap, 1, np.random.default_rng(3))
    assert {m.kind for m in mistakes} <= set(LOCAL[mode]) and len(mistakes) >= 2
    deleted = sum(m.kind == "deleted" for m in mistakes)
    assert len(made.hit_objects) == len(beatmap.hit_objects) - deleted
    assert write_beatmap(beatmap) == before != write_beatmap(made)


def test_mistimed_maps_are_off_by_what_is_said() -> None:
    beatmap = clean_map(0)
    shifted, _ = mistimed(beatmap, "offset", np.random.default_rng(0))
    assert abs(shifted.hit_objects[9].time - beatmap.hit_objects[9].time) == OFFSET_MS
    slower, _ = mistimed(beatmap, "tempo", np.random.default_rng(0))
    assert abs(slower.red_lines()[0].bpm / beatmap.red_lines()[0].bpm - 1) == pytest.approx(TEMPO_SHARE, rel=0.01)


def test_a_set_is_compared_too() -> None:
    one, other = clean_map(0), clean_map(0)
    other.difficulty_name, other.title = "Hard", "Another"
    reports = review_set([one, other])
    assert len(reports) == 3 and any(s.source == "inconsistent_metadata" for s in reports[-1].suggestions)


def test_sources_find_the_song_and_keep_files_as_they_are(tmp_path: Path, song: Path) -> None:
    beatmap = clean_map(0)
    beatmap.audio_filename = "Audio.WAV"
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "audio.wav").write_bytes(song.read_bytes())
    save_beatmap(beatmap, folder / "map.osu")
    write_osz(folder / "set.osz", [beatmap], audio=("audio.wav", song.read_bytes()))
    before = {path: path.read_bytes() for path in folder.iterdir()}
    found = list(read_sources(folder))
    assert len(found) == 2 and all(source.audio is not None and source.beatmaps for source in found)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    "words,says",
    [
        ([], "beatmap_path="),
        (["beatmap_path=nowhere.osu"], "no file"),
        (["beatmap_path=x.osu", "colour=red"], "colour=red"),
        (["beatmap_path={folder}"], "no .osu or .osz"),
        (["beatmap_path={folder}/x.txt"], "neither"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, words: list[str], says: str) -> None:
    if "x.txt" in " ".join(words):
        (tmp_path / "x.txt").write_text("no map")
    with pytest.raises(UserError, match=says):
        script([word.format(folder=tmp_path) for word in words])


def test_the_script_prints_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beatmap = clean_map(0)
    beatmap.hit_objects[4].time += 5.0
    path = tmp_path / "map.osu"
    save_beatmap(beatmap, path)
    before = path.read_bytes()
    assert script([f"beatmap_path={path}", "raw_output=true"]) == 0
    raw = capsys.readouterr().out
    assert "[bold]Ranking criteria[/bold]" in raw and "osu://edit/" in raw and "only the rules" in raw
    assert script([f"beatmap_path={path}", "json=true", "category=ranking", "top=1"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert len(answer["suggestions"]) == 1 and answer["suggestions"][0]["severity"] == "Problem"
    assert path.read_bytes() == before


def test_the_circle_is_coloured_by_the_surprisal() -> None:
    lines = [_line(suggestion(surprisal=bits, timestamp="00:12:345 (1) -")) for bits in (13.0, 10.5, 8.1, 4.0)]
    assert [line.split("]")[0] for line in lines] == ["[bold red", "[bold yellow", "[bold blue", "[dim"]
    assert Text.from_markup(lines[0]).plain == "(13.0) 00:12:345 (1) - Look."
