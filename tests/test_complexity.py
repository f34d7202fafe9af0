"""Rhythm complexity: tokens, the counting model, and what it says of rhythms that are simple or not."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapperatorinator import weights
from mapperatorinator.beatmap import Beatmap, Circle, read_beatmap, save_beatmap
from mapperatorinator.cli.main import run
from mapperatorinator.complexity import complexity
from mapperatorinator.complexity.model import RhythmModel
from mapperatorinator.complexity.rhythm import GAPS, PARTS, rhythm_of
from mapperatorinator.errors import UserError
from mapperatorinator.evaluation.entropy import entropy_rate, rhythm_entropy, spearman
from mapperatorinator.timing import red_line

ROOT = Path(__file__).resolve().parent.parent
Maps = Callable[..., list[Path]]


def at_beats(beats: np.ndarray, bpm: float = 180.0) -> Beatmap:
    """Circles on these beats."""
    made = Beatmap(timing_points=[red_line(0, 60_000 / bpm)], difficulty_name="Beats")
    made.hit_objects = [Circle(256, 192, round(beat * 60_000 / bpm)) for beat in beats]
    return made


def streams(run_length: int, bpm: float, rest: float, seconds: float = 90.0) -> Beatmap:
    """Runs of quarters of a beat, each begun `rest` beats after the one before."""
    begins = np.arange(0, seconds * bpm / 60, rest)
    return at_beats((begins[:, None] + np.arange(run_length) / 4).ravel(), bpm)


def test_tokens_are_parts_of_a_beat_and_chords_are_one_start() -> None:
    rhythm = rhythm_of(at_beats(np.array([0, 0, 1, 1.5, 1.75, 2, 2 + 1 / 3, 20, 21])))  # 18 beats are 5.9 s
    assert (GAPS[rhythm.gap] / PARTS).tolist() == pytest.approx([1, 0.5, 0.25, 0.25, 1 / 3, 1])
    assert rhythm.ahead.tolist() == [0, 1, 2, 3, 4, 0]  # the rest is left out and forgotten
    assert len(rhythm_of(Beatmap())) == 0 and complexity(Beatmap()).notes == 0


@given(st.lists(st.sampled_from([3, 12, 16, 24, 48, 96]), min_size=2, max_size=60), st.integers(60, 300))
def test_tempo_does_not_change_tokens(gaps: list[int], bpm: int) -> None:
    beats = np.cumsum(gaps) / PARTS
    assert np.array_equal(rhythm_of(at_beats(beats, bpm)).gap, rhythm_of(at_beats(beats, 120)).gap)


def test_probabilities_add_up_after_any_history() -> None:
    rng = np.random.default_rng(0)
    model = RhythmModel.learn([rhythm_of(at_beats(np.cumsum(rng.choice([0.25, 0.5, 1], 300))))])
    history = rhythm_of(at_beats(np.cumsum(rng.choice([0.25, 0.5, 1, 3], 40))))
    total = 0.0
    for gap in range(len(GAPS)):
        changed = history.gap.copy()
        changed[-1] = gap
        from dataclasses import replace

        total += 2.0 ** -model.bits(replace(history, gap=changed))[-1]
    assert total == pytest.approx(1, abs=1e-9)


def test_what_was_learned_is_cheap_and_tensors_keep_it() -> None:
    beats = at_beats(np.arange(0, 200, 0.5))
    model = RhythmModel.learn([rhythm_of(beats)] * 3)
    assert model.bits(rhythm_of(beats)).mean() < 0.2
    again = RhythmModel.from_tensors(model.to_tensors())
    assert np.array_equal(again.bits(rhythm_of(beats)), model.bits(rhythm_of(beats)))


@pytest.mark.parametrize("bpm", [140, 170, 200])
@pytest.mark.parametrize("length", [4, 5, 6, 8, 9, 11])
def test_streams_are_more_complex_than_beats_of_equal_density(bpm: float, length: int) -> None:
    stream, beats = streams(length, bpm, length), at_beats(np.arange(0, 1.5 * bpm), bpm)
    assert len(stream.hit_objects) == pytest.approx(len(beats.hit_objects), rel=0.15)
    assert complexity(stream).per_second > complexity(beats).per_second
    assert complexity(stream).per_note > complexity(beats).per_note


def test_variety_at_one_density_counts() -> None:
    rng = np.random.default_rng(3)
    even = at_beats(np.arange(0, 256, 0.5))
    varied = at_beats(np.sort(rng.choice(np.arange(0, 256, 0.25), 512, replace=False)))
    assert complexity(varied).per_second > 3 * complexity(even).per_second


def test_the_entropy_rate_knows_repetition() -> None:
    rng = np.random.default_rng(0)
    assert entropy_rate(bytes(rng.integers(0, 4, 3000).tolist())) == pytest.approx(2, abs=0.25)
    assert entropy_rate(b"ab" * 500) < 0.1 and entropy_rate(b"a") == 0
    assert spearman([1, 2, 3, 9], [2, 4, 5, 6]) == pytest.approx(1)
    assert spearman([1, 1, 2, 3], [3, 3, 2, 1]) == pytest.approx(-1)


def test_complexity_agrees_with_each_maps_own_entropy(corpus_maps: Maps) -> None:
    """The bar is 0.5 on held-out songs; the card has the figure of all of them."""
    maps = [read_beatmap(path) for path in corpus_maps(60, split="val")]
    assert spearman([complexity(m).per_note for m in maps], [rhythm_entropy(m) for m in maps]) >= 0.5
    held = weights.card("complexity")["held_out"]["spearman_with_entropy_rate"]
    assert held["low"] >= 0.5 and held["n"] > 100


def test_the_model_is_small() -> None:
    assert sum(path.stat().st_size for path in weights.FOLDER.glob("complexity.*")) < 6e6


def test_a_folder_becomes_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_beatmap(streams(8, 180, 8), tmp_path / "a.osu")
    save_beatmap(Beatmap(), tmp_path / "empty.osu")
    assert run(["complexity", str(tmp_path)]) == 0
    told = capsys.readouterr()
    (row,) = csv.DictReader(io.StringIO(told.out))
    assert float(row["complexity"]) == pytest.approx(complexity(read_beatmap(tmp_path / "a.osu")).per_second, abs=1e-3)
    assert "empty.osu" in told.err
    with pytest.raises(UserError, match="no rhythm"):
        run(["complexity", str(tmp_path / "empty.osu")])
    script = [sys.executable, str(ROOT / "rcomplexion" / "inference.py"), f"beatmap_path={tmp_path}"]
    done = subprocess.run([*script, f"output_path={tmp_path / 'out.csv'}"], capture_output=True, text=True)
    assert done.returncode == 0 and (tmp_path / "out.csv").read_text().count("\n") == 2, done.stderr
    assert subprocess.run(script[:2], capture_output=True, text=True).returncode == 2


def test_a_review_tells_it() -> None:
    from mapperatorinator.modding import review

    report = review(streams(8, 180, 8))
    assert report.complexity is not None and report.complexity.notes > 100
    assert report.only([]).as_json()["complexity"] == report.complexity.as_json()
