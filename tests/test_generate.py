"""The main job with the real models: the demo song becomes a valid set in every mode, by the real command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mapperatorinator.beatmap import read_osz, star_rating, write_beatmap
from mapperatorinator.checks import Severity, run_checks, run_set_checks


def demo(folder: Path, *words: str) -> dict:
    """Run `mapperatorinator demo` and return what it prints as JSON, for one set."""
    done = subprocess.run(
        [sys.executable, "-m", "mapperatorinator", "demo", "--json", "--out", str(folder), *words],
        capture_output=True,
        encoding="utf-8",
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    (answer,) = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(("mode", "stars"), [(0, 3.5), (1, 3.0), (2, 3.0), (3, 2.5)])
def test_the_demo_becomes_a_valid_set(tmp_path: Path, mode: int, stars: float) -> None:
    answer = demo(tmp_path, "--mode", str(mode), "--stars", str(stars), "--seed", "1")
    mapset = read_osz(next(tmp_path.glob("*.osz")))
    (beatmap,) = mapset.beatmaps
    (made,) = answer["difficulties"]
    problems = [issue for issue in run_checks(beatmap) if issue.severity == Severity.PROBLEM]
    assert not problems and made["problems"] == []
    assert beatmap.mode == mode and len(beatmap.hit_objects) == made["objects"] > 40
    assert star_rating(beatmap) == pytest.approx(made["stars"], abs=0.01)
    assert abs(made["stars"] - stars) < 0.6
    assert beatmap.audio_filename in mapset.files
    assert 90 < float(answer["bpm"]) < 300 and answer["peak_memory_mib"] < 1024
    if mode != 3:  # that library knows no holds
        slider = pytest.importorskip("slider")
        assert len(slider.Beatmap.parse(write_beatmap(beatmap)).hit_objects()) == made["objects"]


def test_the_same_recipe_gives_the_same_bytes(tmp_path: Path) -> None:
    demo(tmp_path / "one", "difficulties=2,4", "--candidates", "2")
    (recipe,) = (tmp_path / "one").glob("*.recipe.json")
    again = [sys.executable, "-m", "mapperatorinator", "generate", "--recipe", str(recipe)]
    subprocess.run([*again, "--out", str(tmp_path / "two")], check=True, capture_output=True, timeout=600)
    (first,), (second,) = (tmp_path / "one").glob("*.osz"), (tmp_path / "two").glob("*.osz")
    assert first.read_bytes() == second.read_bytes()
    beatmaps = read_osz(first).beatmaps
    assert not [issue for issue in run_set_checks(beatmaps) if issue.severity == Severity.PROBLEM]
    assert star_rating(beatmaps[0]) < star_rating(beatmaps[1])
