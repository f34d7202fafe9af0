"""What is written of a published model's events with `legacy=true`: as the published program wrote it.

Recorded are whole texts. Compared are all that they say, exactly: every object, every timing line, the settings and
names of the generated map. What may differ is how that is put into a file, because our writer writes as the game does:
order and blanks of the header, the editor's own view, the colours of combos, the sound set of the whole map (which no
object falls back to, each names its own), and the tags, in which the recording machine stands.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sequences

from mapperatorinator.beatmap import Beatmap, TimingPoint, parse_beatmap, read_beatmap, write_beatmap
from mapperatorinator.mapper.sequence.lines import Lines
from mapperatorinator.mapper.sequence.merging import merge
from mapperatorinator.mapper.sequence.profile import PROFILES
from mapperatorinator.mapper.sequence.times import events, timed
from mapperatorinator.mapper.sequence.vocabulary import Mark
from mapperatorinator.mapper.sequence.writing import write

pytestmark = pytest.mark.compat
FINISHING, GENERATION = (sequences.part(f"{name}/index.json") for name in ("finishing", "generation"))
WRITTEN = {case["name"]: case for case in FINISHING.get("generate", [])}
GENERATED = {case["name"]: case for case in GENERATION.get("cases", []) if "output" in case}
MERGED = {case["output"]: case for case in FINISHING.get("merges", [])}
_SAID = (
    "audio_filename", "preview_time", "mode", "title", "title_unicode", "artist", "artist_unicode", "creator",
    "source", "hp_drain_rate", "circle_size", "overall_difficulty", "approach_rate", "slider_multiplier",
    "slider_tick_rate",
)  # fmt: skip
_END_MS = 10_000_000  # behind every event


def points_of(rows: list[dict[str, Any]] | None) -> list[TimingPoint]:
    return [
        TimingPoint(
            row["offset_ms"], row["ms_per_beat"], row["meter"], row["sample_type"], row["sample_set"],
            row["volume"], row["red"], int(row["kiai"]),
        )
        for row in rows or []
    ]  # fmt: skip


def base_of(case: dict[str, Any], want: Beatmap) -> Beatmap:
    """A map without objects that holds what the case asks for."""
    asked = case.get("beatmap_config")
    if asked is None:
        return Beatmap(mode=case["mode"], slider_multiplier=want.slider_multiplier)
    fields = {name: asked[name] for name in _SAID}
    if asked["mode"] == 3 and "generation_config" in case:
        fields["circle_size"] = case["generation_config"]["keycount"]
    return Beatmap(**fields, difficulty_name=asked["version"])


def recorded(name: str) -> Beatmap:
    return parse_beatmap((sequences.FIXTURES / name).read_text("utf-8"))


def same(got: Beatmap, want: Beatmap, named: bool) -> None:
    """Compare what the file of `got` says with the recorded one."""
    got = parse_beatmap(write_beatmap(got))
    assert got.timing_points == want.timing_points
    assert got.hit_objects == want.hit_objects
    for name in (*_SAID, "difficulty_name") if named else ():
        assert getattr(got, name) == getattr(want, name), name


def marks_of(case: dict[str, Any]) -> list[Mark]:
    if "events" in case:
        return [Mark(kind, value) for kind, value in case["events"]]
    stored, kinds = sequences.arrays(f"finishing/{case['events_file']}"), FINISHING["event_type_names"]
    rows = zip(stored["type"].tolist(), stored["value"].tolist(), strict=True)
    return [Mark(kinds[kind], value) for kind, value in rows]


@pytest.mark.parametrize("name", list(WRITTEN))
def test_events_are_written_as_recorded(name: str) -> None:
    case = WRITTEN[name]
    want, first = recorded(f"finishing/{case['output']}"), PROFILES[case["family"]].types_first
    points = points_of(case["timing"])
    said = events(timed(marks_of(case), first, _END_MS), first, legacy=True)
    got = write(
        said, base_of(case, want),
        points or [TimingPoint(case["offset_option"], 60_000 / case["bpm_option"], 4, 2, -1, 100)],
        case.get("resnap", False) and bool(points), case.get("snap_near_perfect_overlaps", False),
        case.get("np_seed", 0),
    )  # fmt: skip
    same(got, want, "beatmap_config" in case)


def made_in(case: dict[str, Any]) -> list[Mark]:
    """The marks of a run in order of time: of its last pass, or with those of the map that they are added to."""
    stored, kinds = sequences.arrays(f"generation/{case['windows_file']}"), GENERATION["event_type_names"]
    if case["options"].get("add_to_beatmap"):
        rows = zip(stored["final_type"].tolist(), stored["final_value"].tolist(), strict=True)
        first = PROFILES[case["family"]].types_first
        return timed([Mark(kinds[kind], value) for kind, value in rows], first, _END_MS)
    number, marks = len(case["passes"]) - 1, []
    for place in range(len(case["passes"][number]["out_context"])):
        names = (f"pass{number}_out{place}_{part}" for part in ("type", "value", "time"))
        rows = zip(*(stored[name].tolist() for name in names), strict=True)
        marks += [Mark(kinds[kind], value, time) for kind, value, time in rows]
    return sorted(marks, key=lambda mark: mark.time)


@pytest.mark.parametrize("name", list(GENERATED))
def test_generated_maps_are_written_as_recorded(name: str) -> None:
    case = GENERATED[name]
    want, first, options = recorded(case["output"]), PROFILES[case["family"]].types_first, case["options"]
    said = events(made_in(case), first, legacy=True)
    points, asked = points_of(case["final_timing"]), case["beatmap_config"]
    fallback = [TimingPoint(asked["offset"], 60_000 / asked["bpm"], 4, 2, -1, 100)]
    got = write(said, base_of(case, want), points or fallback, bool(points))
    if not options.get("add_to_beatmap"):
        same(got, want, True)
        return
    reference = read_beatmap(sequences.FIXTURES / options["beatmap_path"])
    start, end = options.get("start_time"), options.get("end_time")
    merged_as_recorded(merge(reference, got, start, end), reference, want, start, end)


def merged_as_recorded(
    got: Beatmap, kept: Beatmap, want: Beatmap, start: float | None, end: float | None
) -> None:
    """Lines and the objects of the range are the recorded ones; objects around it are the reference's own.

    The published program writes those anew, and fills fields that the mapper had left out.
    """
    first, last = -float("inf") if start is None else start, float("inf") if end is None else end

    def inside(beatmap: Beatmap) -> list:
        return [obj for obj in beatmap.hit_objects if first <= obj.time <= last]

    assert got.timing_points == want.timing_points
    assert inside(got) == inside(want)
    assert [obj for obj in got.hit_objects if obj not in inside(got)] == [
        obj for obj in kept.hit_objects if not first <= obj.time <= last
    ]
    assert [obj.time for obj in got.hit_objects] == [obj.time for obj in want.hit_objects]


@pytest.mark.parametrize("name", list(MERGED))
def test_a_range_is_merged_as_recorded(name: str) -> None:
    case = MERGED[name]
    text = (sequences.FIXTURES / "finishing" / case["result_file"]).read_text("utf-8")
    if case.get("result_edit"):  # what the recording did to the result, so that the beats of the two maps differ
        _, before, _, after, _ = case["result_edit"].split('"')
        lines = text.split("\n")
        text = "\n".join(after + line[len(before) :] if line.startswith(before) else line for line in lines)
    reference, start, end = (
        read_beatmap(sequences.FIXTURES / case["reference"]), case["start_time"], case["end_time"],
    )  # fmt: skip
    got = merge(reference, parse_beatmap(text), start, end)
    merged_as_recorded(got, reference, recorded(f"finishing/{name}"), start, end)


@pytest.mark.parametrize("number", range(len(FINISHING.get("resnap_units", []))))
def test_times_snap_as_recorded(number: int) -> None:
    case = FINISHING["resnap_units"][number]
    lines = Lines(points_of(case["timing"]))
    for time, divisor, want in case["cases"]:
        assert lines.snapped(time, divisor) == want


def test_what_nearly_lies_on_an_earlier_place_goes_there() -> None:
    marks = [
        Mark(kind, value, time)
        for time, x in ((1000, 100), (1400, 103), (2500, 100), (2900, 104))
        for kind, value in (("circle", 0), ("t", time), ("pos_x", x), ("pos_y", 50))
    ]
    base, points = Beatmap(), [TimingPoint(0, 500)]
    placed = {
        overlaps: [obj.x for obj in write(events(marks, True), base, points, False, overlaps).hit_objects]
        for overlaps in (False, True)
    }
    assert placed == {False: [100, 103, 100, 104], True: [100, 100, 100, 104]}


def test_no_beat_of_the_reference_is_moved() -> None:
    reference = Beatmap(timing_points=[TimingPoint(0, 500), TimingPoint(9000, 400)])
    assert merge(reference, replace(reference), 2000, 4000).red_lines() == reference.red_lines()
