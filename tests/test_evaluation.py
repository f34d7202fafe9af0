"""The figures have known answers on maps made for the purpose, and hold on human maps of the corpus."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapperatorinator.beatmap import Beatmap, Circle, Hold, Slider, SliderPath, Spinner, TimingPoint
from mapperatorinator.errors import UserError
from mapperatorinator.evaluation import rhythm
from mapperatorinator.evaluation.bootstrap import bootstrap
from mapperatorinator.evaluation.copies import TrainingRuns
from mapperatorinator.evaluation.corpus import Corpus, MapRow, pairs_of_one_set, pairs_of_two_sets
from mapperatorinator.evaluation.coverage import covered
from mapperatorinator.evaluation.distributions import add, histogram, jensen_shannon, tally
from mapperatorinator.evaluation.emphasis import combined, emphasis, gap_in_points
from mapperatorinator.evaluation.mappers import attempt
from mapperatorinator.evaluation.patterns import HEADLINE, Described, describe, distances, human_floor
from mapperatorinator.evaluation.patterns.common import runs
from mapperatorinator.evaluation.patterns.lanes import grams
from mapperatorinator.evaluation.patterns.playfield import shape_of
from mapperatorinator.evaluation.readers import rejections
from mapperatorinator.evaluation.request import StarError, median_error, p90_error
from mapperatorinator.evaluation.rhythm import RhythmScore, aligned, hearing, matched, rhythm_score, starts
from mapperatorinator.evaluation.structure import structure
from mapperatorinator.evaluation.validity import Validity, broken_rules, share_valid, validity

RED = TimingPoint(time=0.0, beat_length=500.0)


def circles(times: list[float], mode: int = 0, **fields: object) -> Beatmap:
    """A map with circles in a zigzag at the given times, 120 BPM."""
    objects = [Circle(x=100.0 + 40 * (i % 5), y=100.0 + 30 * (i % 3), time=t) for i, t in enumerate(times)]
    return Beatmap(mode=mode, timing_points=[RED], hit_objects=list(objects), **fields)  # type: ignore[arg-type]


def steady(count: int = 120, step: float = 250.0, mode: int = 0) -> Beatmap:
    return circles([1000.0 + i * step for i in range(count)], mode)


def shifted(beatmap: Beatmap, ms: float) -> Beatmap:
    return replace(beatmap, hit_objects=[replace(o, time=o.time + ms) for o in beatmap.hit_objects])


class TestRhythm:
    def test_identical_maps_agree_fully(self) -> None:
        score = rhythm_score(steady(), steady())
        assert score == (120, 120, 120) and score.f1 == score.precision == score.recall == score.density == 1

    @pytest.mark.parametrize(("ms", "f1"), [(9, 1.0), (-9, 1.0), (10, 1.0), (11, 0.0), (-11, 0.0)])
    def test_ten_milliseconds_are_the_border(self, ms: float, f1: float) -> None:
        assert rhythm_score(shifted(steady(), ms), steady()).f1 == f1

    def test_matching_is_one_to_one(self) -> None:
        assert matched(np.array([100.0, 104.0, 108.0]), np.array([104.0])) == 1
        assert matched(np.array([100.0, 110.0]), np.array([105.0, 118.0])) == 2

    def test_a_failed_map_is_worst(self) -> None:
        assert rhythm_score(None, steady()) == (0, 0, 120)
        assert rhythm_score(None, steady()).f1 == 0

    def test_spinners_do_not_count_and_chords_count_once(self) -> None:
        chord = [Circle(x=x, y=192, time=500) for x in (64, 192)] + [Hold(x=320, y=192, time=500, end_time=900)]
        spinner = Spinner(x=256, y=192, time=2000, end_time=3000)
        beatmap = Beatmap(mode=3, timing_points=[RED], hit_objects=[*chord, spinner])
        assert starts(beatmap).tolist() == [500] and len(starts(beatmap, distinct=False)) == 3

    def test_totals_are_summed_over_the_set(self) -> None:
        both = rhythm.total([RhythmScore(10, 10, 10), RhythmScore(0, 10, 30)])
        assert both == (10, 20, 40) and both.f1 == pytest.approx(1 / 3)

    def test_hearing_is_the_share_of_the_way_to_a_human(self) -> None:
        assert hearing(0.65, 0.65, 0.8) == 0 and hearing(0.8, 0.65, 0.8) == pytest.approx(1)
        assert np.isnan(hearing(0.8, 0.8, 0.8))

    def test_random_ticks_keep_density_and_grid(self) -> None:
        human = steady(step=500.0)
        drawn = rhythm.random_starts(human, np.random.default_rng(0))
        assert len(drawn) == 120 and ((drawn % 500) == 0).all()  # every beat is taken, so there is one choice

    def test_two_cuts_of_a_song_are_aligned(self) -> None:
        human = starts(circles(sorted(np.random.default_rng(1).integers(0, 60_000, 200).astype(float))))
        assert matched(aligned(human + 730.0, human), human) == len(human)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.integers(0, 400), max_size=12), st.lists(st.integers(0, 400), max_size=12))
    def test_matching_is_the_largest_there_is(self, a: list[int], b: list[int]) -> None:
        from scipy.optimize import linear_sum_assignment

        left, right = np.sort(np.array(a, float)), np.sort(np.array(b, float))
        near = (np.abs(left[:, None] - right[None]) <= 10).astype(float)
        best = near[linear_sum_assignment(-near)].sum() if near.size else 0
        assert matched(left, right) == best == matched(right, left)


class TestBootstrap:
    def test_interval_holds_the_value_and_narrows_with_songs(self) -> None:
        values = np.random.default_rng(0).normal(size=400).tolist()
        few, many = (bootstrap(list(enumerate(v)), lambda s: float(np.mean([x for _, x in s]))) for v in
                     (values[:20], values))  # fmt: skip
        assert few.low < few.value < few.high and many.high - many.low < few.high - few.low

    def test_maps_of_one_song_are_drawn_together(self) -> None:
        items = [("a", 0.0)] * 50 + [("b", 1.0)] * 50
        found = bootstrap(items, lambda s: float(np.mean([x for _, x in s])), lambda item: item[0])
        assert (found.low, found.high, found.n) == (0.0, 1.0, 100)

    def test_nothing_and_one_song_have_no_interval(self) -> None:
        assert bootstrap([], lambda s: 0.0).n == 0
        assert np.isnan(bootstrap([("a", 1)], lambda s: 1.0, lambda item: item[0]).low)


class TestDistributions:
    def test_known_divergences(self) -> None:
        a, b = np.array([1.0, 0.0]), np.array([0.0, 5.0])
        assert jensen_shannon(a, a * 7) == 0 and jensen_shannon(a, b) == 1
        half = jensen_shannon(np.array([1.0, 1.0]), np.array([1.0, 0.0]))
        assert half == pytest.approx(0.3113, abs=1e-4)  # entropy of (3/4, 1/4) less half a bit
        assert np.isnan(jensen_shannon(a, np.zeros(2)))

    def test_counting(self) -> None:
        assert histogram([-1, 0, 0.5, 1, 9], [0, 1]).tolist() == [1, 2, 2]
        assert tally([0, 1, 1, 99, -5], 3).tolist() == [2, 2, 1]
        assert add([{"a": np.ones(2)}, {"a": np.ones(2), "b": np.ones(1)}])["a"].tolist() == [2, 2]

    def test_runs_are_weighed_by_their_members(self) -> None:
        counts = runs(np.array([True, True, False, True, False]))
        assert counts[3] == 3 and counts[2] == 2 and counts.sum() == 5

    def test_colour_grams(self) -> None:
        counts = grams(np.array([0, 1, 1, 0]), np.array([0.5, 0.5, 4.0]), 2)
        assert counts.tolist() == [0, 0, 1, 1]  # don-kat, kat-kat; the pause ends the phrase


class TestPatterns:
    @pytest.mark.parametrize("mode", range(4))
    def test_a_map_is_at_no_distance_from_itself(self, mode: int) -> None:
        beatmap = steady(mode=mode)
        found = distances([beatmap], [beatmap], mode)
        assert found and max(found.values()) == 0

    @pytest.mark.parametrize("mode", range(4))
    def test_headline_patterns_exist(self, mode: int) -> None:
        assert set(HEADLINE[mode]) <= set(describe(steady(mode=mode), stars=3.0).profile)

    def test_a_failed_map_is_as_far_as_can_be(self) -> None:
        good, bad = describe(steady(), 3.0, "a"), describe(None, 3.0, "a")
        assert set(distances([bad], [good]).values()) == {1.0}
        assert distances([good, bad], [good])["gap"] == pytest.approx(0.5)

    def test_stars_are_compared_within_their_bin(self) -> None:
        easy, hard = describe(steady(step=1000), 1.0), describe(steady(step=125), 6.0)
        assert max(distances([easy, hard], [easy, hard]).values()) == 0
        assert distances([easy], [hard]) == {}

    def test_jitter_shows_in_change_of_spacing(self) -> None:
        rng = np.random.default_rng(0)
        regular = circles([1000.0 + 250 * i for i in range(200)])
        for i, obj in enumerate(regular.hit_objects):
            obj.x, obj.y = 100.0 + 100 * (i % 2), 100.0
        noisy = replace(
            regular, hit_objects=[replace(o, x=o.x + rng.normal(0, 12)) for o in regular.hit_objects]
        )
        found = distances([describe(noisy, 3.0)], [describe(regular, 3.0)])
        assert found["spacing change"] > 0.5 and found["gap"] == 0

    def test_slider_shapes(self) -> None:
        def slider(kind: str, *points: tuple[float, float]) -> Slider:
            return Slider(x=0, y=0, time=0, path=SliderPath.of(kind, [(0, 0), *points]), length=100)

        assert shape_of(slider("L", (100, 0))) == "straight"
        assert shape_of(slider("P", (50, 30), (100, 0))) == "arc"
        assert shape_of(slider("B", (50, 30), (100, 0))) == "curve"
        assert shape_of(slider("L", (50, 30), (100, 0))) == "kinked"
        assert shape_of(slider("B", (50, 30), (50, 30), (100, 0))) == "kinked"
        assert shape_of(slider("C", (50, 30), (100, 0))) == "catmull"

    def test_floor_halves_share_no_song(self) -> None:
        maps = [describe(steady(step=step), 3.0, song) for song, step in (("a", 250), ("b", 500)) for _ in "xy"]
        assert human_floor(maps)["gap"] == 1.0  # two songs without a common gap
        assert human_floor([Described("a", 3.0, maps[0].profile)]) == {}


class TestEmphasis:
    def test_shares_on_downbeats(self) -> None:
        beatmap = steady(step=500.0)
        for i, obj in enumerate(beatmap.hit_objects):  # the first object lies on beat 2 of a 4/4 measure
            obj.new_combo = i % 4 == 2
            obj.sound = 4 if i % 8 == 2 else 0
        shares = combined([emphasis(beatmap)]).shares()
        assert shares["new combos"] == shares["finishes"] == 1 and shares["objects"] == pytest.approx(0.25)

    def test_gap_to_human_maps_in_points(self) -> None:
        human, ours = steady(step=500.0), steady(step=500.0)
        for i, (a, b) in enumerate(zip(human.hit_objects, ours.hit_objects, strict=True)):
            a.new_combo, b.new_combo = i % 4 == 2, i % 2 == 0
        gap = gap_in_points([emphasis(ours)], [emphasis(human)])
        assert gap["new combos"] == pytest.approx(-50) and gap["objects"] == 0
        assert gap_in_points([emphasis(None)], [emphasis(human)])["new combos"] == -100

    def test_kiai_starts(self) -> None:
        beatmap = steady()
        beatmap.timing_points = [RED, *(TimingPoint(t, -100.0, uninherited=False, effects=e) for t, e in
                                        ((2000, 1), (3000, 1), (4000, 0), (4500, 1)))]  # fmt: skip
        assert emphasis(beatmap).kiai_starts == (1, 2)


class TestStructure:
    def test_a_map_that_repeats_with_the_music_agrees(self) -> None:
        rng = np.random.default_rng(0)
        parts = [rng.normal(size=(200, 8)) for _ in range(3)]
        order = [0, 1, 2, 0, 1, 2, 0, 2, 1, 0, 2, 1]
        mel = np.concatenate([parts[i] for i in order]).astype(np.float32)
        rhythms = [[0, 500, 1000], [250, 750, 1250, 1500], [0, 125, 250, 375]]
        times = [2000.0 * m + t for m, i in enumerate(order) for t in rhythms[i]]
        follows, ignores = circles([*times, 24000.0]), circles(sorted(rng.uniform(0, 24000, 60)))
        for obj in follows.hit_objects:
            obj.x = obj.y = 100.0
        assert structure(follows, mel) > 0.9
        assert abs(structure(ignores, mel)) < 0.5
        assert structure(None, mel) == 0


class TestCopies:
    def test_the_longest_run_is_found(self) -> None:
        rng = np.random.default_rng(0)
        training = [_random_map(rng, 300) for _ in range(5)]
        index = TrainingRuns(training)
        copy = _random_map(rng, 200)
        stolen = [replace(o, time=o.time + 40_000) for o in training[3].hit_objects[50:93]]
        copy.hit_objects = [o for o in copy.hit_objects if o.time < stolen[0].time - 600] + stolen
        assert index.longest_run(copy) == 42  # the first object's step comes from elsewhere
        assert index.longest_run(training[2]) == 300
        assert index.longest_run(_random_map(rng, 200)) < 4
        assert index.longest_run(None) == 0


def _random_map(rng: np.random.Generator, count: int) -> Beatmap:
    times = 1000.0 + np.cumsum(rng.integers(1, 5, count) * 125.0)
    places = rng.integers(0, 380, (count, 2))
    objects = [Circle(x=float(x), y=float(y), time=float(t)) for t, (x, y) in zip(times, places, strict=True)]
    return Beatmap(timing_points=[RED], hit_objects=list(objects))


class TestCoverage:
    def test_two_measures_count_as_covered(self) -> None:
        beatmap = circles([10_000.0, 30_000.0])  # a measure lasts 2 s
        moments = np.arange(0.0, 40_000.0, 100.0)
        assert covered(beatmap, moments) == pytest.approx(0.4, abs=0.01)

    def test_a_break_is_deliberate(self) -> None:
        from mapperatorinator.beatmap import Break

        beatmap = circles([10_000.0, 30_000.0], breaks=[Break(14_000, 26_000)])
        assert covered(beatmap, np.arange(10_000.0, 30_000.0, 100.0)) == 1

    def test_a_held_object_covers(self) -> None:
        held = circles([])
        held.hit_objects = [Spinner(x=256, y=192, time=0, end_time=20_000), Circle(x=0, y=0, time=20_500)]
        assert covered(held, np.arange(0.0, 20_000.0, 100.0)) == 1


class TestRequestsAndValidity:
    def test_star_errors(self) -> None:
        requests = [StarError(4.0, 4.0 + i / 10) for i in range(10)] + [StarError(4.0, None)]
        assert median_error(requests) == pytest.approx(0.5) and p90_error(requests) == pytest.approx(0.9)
        assert StarError(4.0, None).error == StarError(4.0, float("nan")).error == 10

    def test_a_failed_run_is_invalid(self) -> None:
        failed = validity(None)
        assert not failed.valid and share_valid([failed, Validity()]) == 0.5
        assert broken_rules([failed, failed, Validity()]) == {"no map": 2}

    def test_a_reader_that_counts_otherwise_rejects(self) -> None:
        def crash(data: bytes) -> int:
            raise ValueError("no")

        found = rejections(b"", 3, {"good": lambda d: 3, "silent": lambda d: None, "bad": lambda d: 2, "x": crash})
        assert set(found) == {"bad", "x"}

    def test_rules_and_readers_see_a_broken_map(self) -> None:
        beatmap = steady()
        beatmap.hit_objects[1].time = beatmap.hit_objects[0].time + 3
        found = validity(beatmap, {})
        assert found.problems and not found.valid


class TestRuns:
    def test_a_crash_and_an_empty_map_are_failed_attempts(self) -> None:
        def crash(song: object) -> Beatmap:
            raise RuntimeError("boom")

        assert attempt(crash, None).failure == "RuntimeError: boom"  # type: ignore[arg-type]
        assert attempt(lambda song: Beatmap(), None).failure == "empty map"  # type: ignore[arg-type]
        assert attempt(lambda song: steady(), None).beatmap is not None  # type: ignore[arg-type]


class TestCorpus:
    def test_pairs(self) -> None:
        def row(name: str, stars: float, audio: str = "a", creator: str = "x") -> MapRow:
            return MapRow(name, audio, "train", 0, stars, 1, 1, "A", "T", creator, "D", 0, -1, 4, 1, None, None)

        rows = [row("1", 3.0), row("2", 3.5), row("3", 4.5), row("4", 3.2, "b", "y")]
        assert [(a.path, b.path) for a, b in pairs_of_one_set(rows)] == [("1", "2")]
        assert [(a.path, b.path) for a, b in pairs_of_two_sets(rows)] == [("1", "4"), ("2", "4")]

    def test_index_and_maps(self, corpus) -> None:  # type: ignore[no-untyped-def]
        index = Corpus(corpus)
        assert len(index.rows) > 0 and len(index.select(split="val", with_audio=True)) > 0
        for with_audio in (True, False):
            row = index.select(0, with_audio=with_audio)[0]
            assert index.beatmap(row) is index.beatmap(row) and index.beatmap(row).mode == 0
        trained = {row.song for row in index.select(split="train")}
        assert not trained & {row.song for row in index.select(split="val")}

    def test_human_maps_agree_more_than_chance(self, corpus) -> None:  # type: ignore[no-untyped-def]
        from mapperatorinator.evaluation.ceilings import f1_estimate, floor_scores, same_set_scores

        index = Corpus(corpus)
        rows = index.select(0, "val", with_audio=True)
        same, floor = same_set_scores(index, rows), floor_scores(index, rows)
        assert f1_estimate(same, 50).value > 0.7 > 0.5 > f1_estimate(floor, 50).value

    @pytest.mark.parametrize("mode", range(4))
    def test_every_figure_of_a_human_map(self, corpus, mode: int) -> None:  # type: ignore[no-untyped-def]
        from mapperatorinator.evaluation.figures import measure
        from mapperatorinator.evaluation.mappers import named
        from mapperatorinator.evaluation.song import Song

        index = Corpus(corpus)
        song = Song(index, index.select(mode, "val", with_audio=True)[0])
        figures = measure(attempt(named("human"), song), song, TrainingRuns([]), {})
        assert figures.rhythm.f1 == figures.objects == 1 and figures.stars.error < 0.01
        assert figures.coverage > 0.8 and figures.structure > -0.2 and figures.longest_copy == 0


class TestCommands:
    def test_human_scale_as_json(self, corpus, tmp_path, capsys) -> None:  # type: ignore[no-untyped-def]
        report = _evaluate(tmp_path, "human", "--mode", "mania", "--split", "val", "--n", "3")
        assert report["summary"]["mania"]["rhythm"]["random ticks (maps with audio)"]["n"] == 3
        assert {"command", "date", "hardware", "seed", "models"} <= set(report)
        assert "share on downbeats" in capsys.readouterr().out

    def test_maps_of_a_folder_are_measured(self, corpus, tmp_path) -> None:  # type: ignore[no-untyped-def]
        index = Corpus(corpus)
        rows = index.select(0, "val", with_audio=True)[:2]
        folder = tmp_path / "made"
        folder.mkdir()
        (folder / rows[0].path.split("/")[-1]).write_bytes(index.text(rows[0]))
        (folder / rows[1].path.split("/")[-1]).write_bytes(b"broken")
        report = _evaluate(tmp_path, "maps", str(folder), "--mode", "osu!", "--quick")
        card = report["summary"]["osu!"]["made"]
        assert card["maps"] == 2 and card["failures"] == 1 and 0 < card["f1"]["value"] < 1
        assert card["star_error_p90"]["value"] > 5

    def test_validity_of_a_folder(self, corpus, corpus_maps, tmp_path) -> None:  # type: ignore[no-untyped-def]
        human = corpus_maps(1, mode=2)[0]
        (tmp_path / "a.osu").write_bytes(human.read_bytes())
        report = _evaluate(tmp_path, "validity", str(tmp_path), "--mode", "catch")
        assert len(report["rows"]) == 1 and "rosu-pp" in report["summary"]["readers"]

    def test_wrong_mode_and_missing_folder_are_one_sentence(self, tmp_path) -> None:  # type: ignore[no-untyped-def]
        for words in (["human", "--mode", "chess"], ["maps", str(tmp_path / "none")]):
            with pytest.raises(UserError):
                _evaluate(tmp_path, *words)


def _evaluate(folder: Path, *words: str) -> dict[str, Any]:
    from mapperatorinator.evaluation import cli

    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    out = folder / "report.json"
    assert cli.run(parser.parse_args([*words, "--json", str(out)])) == 0
    return json.loads(out.read_text(encoding="utf-8"))


class TestPictures:
    @pytest.mark.parametrize("mode", range(4))
    def test_a_picture_of_every_mode(self, mode: int, tmp_path: Path) -> None:
        pytest.importorskip("PIL")
        from mapperatorinator.evaluation.picture import render

        beatmap = steady(mode=mode)
        held = SliderPath.of("P", [(100, 100), (200, 50), (300, 100)])
        beatmap.hit_objects += [
            Slider(x=100, y=100, time=32_000, path=held, length=200, slides=3, new_combo=True),
            Spinner(x=256, y=192, time=34_000, end_time=35_000),
            Hold(x=300, y=192, time=36_000, end_time=36_800),
        ]
        out = tmp_path / "map.png"
        canvas = render(beatmap, 30, 10)
        canvas.save(out)
        colours = np.asarray(canvas.picture()).reshape(-1, 3)
        assert out.stat().st_size > 5000 and len(np.unique(colours, axis=0)) > 30

    def test_pieces_cover_the_stretch_at_measures(self) -> None:
        from mapperatorinator.evaluation.picture.timeline import moments

        when = moments(steady(), 5.0, 12.0)
        cuts = when.cuts(4.0)
        assert [start % 2000 for start, _ in cuts] == [0] * len(cuts)
        assert all(a[1] == b[0] for a, b in zip(cuts, cuts[1:], strict=False)) and len(cuts) == 3
        assert [snap for _, snap, _ in when.lines(4000, 4500)] == [1, 4, 2, 4]
