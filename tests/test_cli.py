"""The real command in a process of its own: what it answers, what it refuses, what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from songs import click_track, silence

from mapperatorinator.cli.main import main
from mapperatorinator.cli.overrides import raw_value, read_overrides
from mapperatorinator.cli.profiles import compose_settings, find_profile
from mapperatorinator.cli.profiles import run as run_inference
from mapperatorinator.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
# Red lines only: the whole way from command line to .osz without the seconds that a model takes.
TIMING_ONLY = ["output_type=[TIMING]", "bpm=120", "offset=100", "seed=1"]


def run(
    *words: str | Path, script: str = "mapperatorinator", folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command, or a script of the repository, in `folder` and without a shell."""
    start = ["-m", "mapperatorinator"] if script == "mapperatorinator" else [str(ROOT / script)]
    return subprocess.run(
        [sys.executable, *start, *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        timeout=300,
    )


def assert_refused(done: subprocess.CompletedProcess[str], *says: str) -> None:
    """One sentence on stderr, exit code 2."""
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ") and len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert all(text in done.stderr for text in says), done.stderr
    assert "Traceback" not in done.stderr + done.stdout


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return click_track(tmp_path_factory.mktemp("songs") / "song.wav")


def test_help_is_quick_and_lists_the_commands() -> None:
    started = time.process_time()
    children = os.times()
    done = run("--help")
    used = os.times().children_user + os.times().children_system
    used -= children.children_user + children.children_system
    assert done.returncode == 0 and time.process_time() - started < 5
    for command in ("generate", "spread", "demo", "timing", "check", "settings", "doctor", "evaluate"):
        assert command in done.stdout
    assert used < 0.5, "--help must not import anything heavy"


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, mapperatorinator.cli.main as m; m._parser('generate'); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "onnxruntime", "av", "rich", "hydra", "torch"} & set(loaded)


def _bad_songs(folder: Path) -> dict[str, tuple[Path, str]]:
    (folder / "text.mp3").write_text("This is no music.\n" * 200)
    (folder / "empty.mp3").touch()
    return {
        "missing": (folder / "missing.mp3", "does not exist"),
        "folder": (folder, "is a folder"),
        "text renamed mp3": (folder / "text.mp3", "text.mp3"),
        "0 bytes": (folder / "empty.mp3", "empty"),
        "silence": (silence(folder / "silence.wav"), "silent"),
        "3 seconds": (click_track(folder / "short.wav", seconds=3), "3.0 s"),
    }


@pytest.mark.parametrize("what", ["missing", "folder", "text renamed mp3", "0 bytes", "silence", "3 seconds"])
def test_bad_songs_are_refused(tmp_path: Path, what: str) -> None:
    song, says = _bad_songs(tmp_path)[what]
    assert_refused(run("generate", song, "--out", tmp_path / "out"), says)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["dificulty=5"], "did you mean difficulty"),
        (["--stars", "-1"], "difficulty"),
        (["difficulty=-1"], "difficulty"),
        (["--mode", "chess"], "gamemode"),
        (["--keys", "99"], "keycount"),
        (["--nonsense"], "--nonsense"),
        (["start_time=9", "end_time=3"], "start_time"),
        (["in_context=[TIMING]"], "beatmap_path"),
        (["--recipe", "nowhere.json"], "no recipe at"),
        (["--model", "v29"], "v29"),
        (["background=nowhere.png"], "background"),
    ],
)
def test_bad_options_are_refused(
    song: Path, tmp_path: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["generate", str(song), "--out", str(tmp_path / "out"), *words])
    written = capsys.readouterr()
    assert_refused(subprocess.CompletedProcess(words, left.value.code or 0, written.out, written.err), says)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["dificulty=5"], "did you mean difficulty"),
        (["difficulty=-1"], "difficulty"),
        (["-cn", "v99"], "v99"),
        (["-cn", "inference_v29"], "v29"),
        (["--frobnicate"], "--frobnicate"),
        (["difficulty"], "option=value"),
        (["in_context=[TIMING"], "in_context"),
    ],
)
def test_inference_refuses_in_one_sentence(
    song: Path, tmp_path: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [f"audio_path={song}", f"output_path={tmp_path / 'out'}", *words]
    code = run_inference(given, ROOT / "configs")
    written = capsys.readouterr()
    assert_refused(subprocess.CompletedProcess(given, code, written.out, written.err), says)
    assert not (tmp_path / "out").exists()


def test_unwritable_output_is_refused(song: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file" / "below", tmp_path / "file" / "below" / "deeper.osz"):
        assert_refused(run("generate", song, "--out", out), "is a file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


ODD_NAMES = [
    "it's.wav", 'say "hi".wav', "a, b=c #1 (50%) {x} [y].wav", "曲 と 歌.wav", "🎵 emoji 🎶.wav", "  spaces  .wav",
    "$HOME ${HOME} `x` & ; |.wav", "back\\slash.wav", "gamemode=3.wav", "-dash.wav", "ümläut é.wav", "'quoted'.wav",
]  # fmt: skip
WINDOWS_CANNOT = set('<>:"\\|?*')


def odd_songs(folder: Path) -> list[Path]:
    """A song under each odd name, in a folder of an odd name."""
    songs = []
    not_unicode = [os.fsdecode(b"not \xff unicode.wav")] if sys.platform == "linux" else []
    for name in [*ODD_NAMES, *not_unicode]:
        if os.name != "nt" or not WINDOWS_CANNOT & set(name):
            place = folder / f"in {name}"
            place.mkdir()
            songs.append(click_track(place / name, seconds=31))
    return songs


def test_any_path_works(tmp_path: Path) -> None:
    songs = odd_songs(tmp_path)
    out = tmp_path / "out, 'of' #1 曲=🎵"
    done = run("generate", *songs, "--out", out, *TIMING_ONLY)
    assert done.returncode == 0, done.stderr
    assert len(list(out.glob("*.osz"))) == len(list(out.glob("*.recipe.json"))) == len(songs)


def test_any_path_works_through_hydra(tmp_path: Path) -> None:
    for number, song in enumerate(odd_songs(tmp_path)):
        out = tmp_path / f"out {number} {song.name}"
        words = [f"audio_path={song}", f"output_path={out}", *TIMING_ONLY]
        settings = compose_settings(ROOT / "configs", "inference", words)
        assert (settings.audio_path, settings.output_path) == (str(song), str(out))


def test_inference_makes_a_set_and_leaves_no_litter(tmp_path: Path) -> None:
    song, out = click_track(tmp_path / "it's #1, 曲=🎵.wav"), tmp_path / "out"
    (tmp_path / "work").mkdir()
    words = [f"audio_path={song}", f"output_path={out}", *TIMING_ONLY]
    done = run(*words, script="inference.py", folder=tmp_path / "work")
    assert done.returncode == 0, done.stderr
    assert sorted(path.suffix for path in out.iterdir()) == [".json", ".osz"]
    assert not list((tmp_path / "work").iterdir())


def test_several_songs_one_fails_the_others_are_made(song: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("generate", song, tmp_path / "missing.mp3", song, "--out", out, "--json", *TIMING_ONLY)
    assert done.returncode == 2 and "missing.mp3" in done.stderr
    answers = json.loads(done.stdout)
    assert [("error" in answer) for answer in answers] == [False, True, False]
    assert len(list(out.glob("*.osz"))) == 2
    assert answers[0]["bpm"] == "120 (asked 120)" and answers[0]["seconds"] > 0


def test_a_recipe_runs_again_and_gives_the_same_bytes(song: Path, tmp_path: Path) -> None:
    assert run("generate", song, "--out", tmp_path / "one", *TIMING_ONLY).returncode == 0
    (recipe,) = (tmp_path / "one").glob("*.recipe.json")
    assert run("generate", "--recipe", recipe, "--out", tmp_path / "two").returncode == 0
    (first,), (second,) = (tmp_path / "one").glob("*.osz"), (tmp_path / "two").glob("*.osz")
    assert first.read_bytes() == second.read_bytes()


def test_check_reads_what_was_made_and_refuses_what_is_no_map(song: Path, tmp_path: Path) -> None:
    run("generate", song, "--out", tmp_path, *TIMING_ONLY)
    (made,) = tmp_path.glob("*.osz")
    done = run("check", made, "--json")
    assert done.returncode == 1, "a map without objects breaks rules"
    (answer,) = json.loads(done.stdout)
    assert any(issue["severity"] == "Problem" for issue in answer["issues"])
    assert_refused(run("check", song), "song.wav")
    assert_refused(run("check", tmp_path / "nowhere.osu"), "nowhere.osu")
    (tmp_path / "broken.osz").write_bytes(b"PK not really")
    assert_refused(run("check", tmp_path / "broken.osz"), "broken.osz")


def test_timing_prints_red_lines(song: Path) -> None:
    done = run("timing", song, "--bpm", "120", "--offset", "100", "--json")
    assert done.returncode == 0, done.stderr
    (answer,) = json.loads(done.stdout)
    assert [(line["time"], line["bpm"], line["meter"]) for line in answer["red_lines"]] == [(100, 120, 4)]
    assert_refused(run("timing", "nowhere.mp3"), "nowhere.mp3")


def test_settings_and_doctor_speak_json() -> None:
    names = [entry["name"] for entry in json.loads(run("settings", "--json").stdout)]
    assert "difficulty" in names
    findings = {entry["name"]: entry for entry in json.loads(run("doctor", "--json").stdout)}
    assert findings["Python"]["ok"] and findings["packages"]["ok"] and findings["ONNX Runtime"]["ok"]


def test_a_bug_is_one_line_too(tmp_path: Path) -> None:
    code = "from mapperatorinator.cli.guard import guarded; import sys; sys.exit(guarded(lambda: 1 // 0))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1 and "ZeroDivisionError" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_an_interrupt_ends_with_130_and_leaves_nothing(song: Path, tmp_path: Path) -> None:
    words = ["generate", song, "--out", tmp_path / "out", "--stars", "15", "--candidates", "64"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mapperatorinator", *map(str, words)], stderr=subprocess.PIPE, text=True
    )
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    _, written = process.communicate(timeout=60)
    assert process.returncode == 130, written
    assert written == "interrupted; nothing was written.\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("value", "bare"),
    [
        ("'a b.mp3'", "a b.mp3"),
        ('"x"', "x"),
        ("it's", "it's"),
        ("'a' and 'b'", "'a' and 'b'"),
        ("'", "'"),
        ("", ""),
    ],
)
def test_quotes_around_all_of_a_value_fall_away(value: str, bare: str) -> None:
    assert raw_value(value) == bare


def test_overrides_keep_text_raw() -> None:
    words = ["audio_path=a=b,'c'#.mp3", "title=null", "seed=3", "+difficulty=5", "seed=4"]
    values = read_overrides(words)
    assert values == {"audio_path": "a=b,'c'#.mp3", "title": None, "seed": "4", "difficulty": "5"}
    with pytest.raises(UserError):
        read_overrides(["nothing"])


PROFILES = sorted(path.stem for path in (ROOT / "configs").glob("inference*.yaml"))


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_composes(profile: str) -> None:
    settings = compose_settings(
        ROOT / "configs", profile, ["difficulty=5.3", "descriptors=['jump aim','clean']"]
    )
    assert settings.difficulty == 5.3 and settings.descriptors == ("jump aim", "clean")
    assert settings.model == {"": "embedded"}.get(
        profile.removeprefix("inference").strip("_"), profile.removeprefix("inference_").replace("_", "-")
    )


def test_documented_commands_are_understood() -> None:
    words = [
        "audio_path='C:/My Songs/a.mp3'", "beatmap_path=\"b c.osu\"", "gamemode=0", "difficulty=5.5", "mapper_id=4",
        "year=2023", "hitsounded=true", "circle_size=4", "keycount=4", "hold_note_ratio=0.3",
        "scroll_speed_ratio=0.1", "descriptors=['jump aim', stream]", "negative_descriptors=[]",
        "in_context=[TIMING,KIAI]", "output_type=[MAP]", "super_timing=true", "add_to_beatmap=true",
        "start_time=1000", "end_time=9000", "seed=12345", "cfg_scale=1.5", "lora_path=null", "bpm=null",
        "hydra.run.dir=.", "++temperature=0.8", "~year",
    ]  # fmt: skip
    settings = compose_settings(ROOT / "configs", "v29", words)
    assert settings.audio_path == "C:/My Songs/a.mp3" and settings.beatmap_path == "b c.osu"
    assert settings.in_context == ("TIMING", "KIAI") and settings.descriptors == ("jump aim", "stream")
    assert settings.model == "v29" and settings.timing_leniency == 3 and settings.temperature == 0.8
    assert settings.lora_path == "" and settings.bpm is None


def test_profiles_have_short_names() -> None:
    assert find_profile(ROOT / "configs", "v32-mini") == "inference_v32_mini"
    assert find_profile(ROOT / "configs", "inference_v29.yaml") == "inference_v29"
