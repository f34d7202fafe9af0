"""Building data sets: what goes in, what is left out and why, going on after a kill, the API, the pages."""

from __future__ import annotations

import ctypes
import json
import shutil
import sys
import threading
import types
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from songs import click_track, silence
from tiny_sets import tiny_folder, tiny_map, tiny_set

from mapperatorinator.beatmap import read_beatmap, save_beatmap
from mapperatorinator.cli.main import main
from mapperatorinator.errors import UserError
from mapperatorinator.training.datasets import build as building
from mapperatorinator.training.datasets import crowd, enrich
from mapperatorinator.training.datasets.build import Order, build
from mapperatorinator.training.datasets.summary import as_text, rows_of, summarise

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("songs") / "in")


@pytest.fixture(scope="module")
def built(sets: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("sets") / "mmrs"
    return out, build(Order([sets], out))


def reasons(report: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(Path(row["source"]).name, row["file"].rpartition("[")[2]): row["reason"] for row in report["skipped"]}


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".work" not in path.parts
    }


def test_mmrs_has_the_published_columns_and_files(built: tuple[Path, dict[str, Any]]) -> None:
    out, report = built
    rows = rows_of(out)
    assert report["maps"] == len(rows) == 5
    assert {row["Version"] for row in rows} == {"Easy", "Oni", "4K", "Rain", "More"}
    for row in rows:
        folder = out / "data" / row["BeatmapSetFolder"]
        assert read_beatmap(folder / row["BeatmapFile"]).mode == row["ModeInt"]
        assert (folder / row["AudioFile"]).stat().st_size > 1000
        assert len(row["StarRating"]) == 7 and row["StarRating"] == sorted(row["StarRating"])
        assert row["DifficultyRating"] == row["StarRating"][2]
    uploaded = next(row for row in rows if row["Version"] == "Easy")
    assert (uploaded["Id"], uploaded["BeatmapSetId"]) == (501, 77)
    assert all(row["Id"] < 0 and row["BeatmapSetId"] < 0 for row in rows if row["Creator"] == "other")
    assert rows == sorted(rows, key=lambda row: (row["BeatmapSetId"], row["Id"]))


def test_what_is_left_out_is_said(built: tuple[Path, dict[str, Any]]) -> None:
    _, report = built
    said = reasons(report)
    assert said["a.osz", "Empty].osu"] == "it has no objects"
    assert "a.osz" in said["copy.osz", "Easy].osu"]
    assert said["no.osz", "Secret].osu"] == "its tags forbid learning from it"
    assert "not a beatmap archive" in said["damaged.osz", ""]
    assert len(said) == 4 and report["shared_bytes"] > 0  # the song of the copy is stored once


def test_ors_is_one_track_a_song_and_osu_maps_only(sets: Path, tmp_path: Path) -> None:
    report = build(Order([sets], tmp_path / "ors", "ors"))
    assert report["maps"] == 2 and report["folders"] == 1
    track = tmp_path / "ors" / "Track00000"
    assert (track / "audio.wav").is_file()
    told = json.loads((track / "metadata.json").read_text("utf-8"))["Beatmaps"]
    assert sorted(one["Index"] for one in told.values()) == [0, 1]
    assert {one["BeatmapId"] for one in told.values()} == {501, 0}
    for name, one in told.items():
        assert read_beatmap(track / "beatmaps" / f"{name}.osu").mode == 0
        assert one["StandardStarRating"]["64"] > one["StandardStarRating"]["0"] > 0
    with pytest.raises(UserError, match="another layout"):
        build(Order([sets], tmp_path / "ors", "mmrs"))


def test_a_killed_build_goes_on_where_it_was(
    sets: Path, built: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, calls = tmp_path / "again", []
    examine, place = building.examine, building.place

    def counted(source: str) -> Any:
        calls.append(Path(source).name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return examine(source)

    monkeypatch.setattr(building, "examine", counted)
    with pytest.raises(KeyboardInterrupt):
        build(Order([sets], out))
    placed: list[str] = []

    def cut_off(job: Any) -> Any:
        if len(placed) == 1:
            raise KeyboardInterrupt
        placed.append(job[1].path)
        return place(job)

    monkeypatch.setattr(building, "place", cut_off)
    with pytest.raises(KeyboardInterrupt):
        build(Order([sets], out))
    monkeypatch.setattr(building, "place", place)
    build(Order([sets], out))
    assert sorted(calls) == sorted([path.name for path in sets.iterdir()] + [calls[2]])  # no set a second time
    ours, theirs = files(out), files(built[0])
    assert ours.keys() == theirs.keys()
    assert all(ours[name] == theirs[name] for name in ours if name != "summary.html")


def test_sets_that_went_away_go_and_changed_ones_change(sets: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(sets, folder)
    build(Order([folder], out))
    (folder / "b.osz").unlink()
    tiny_set(folder / "copy.osz", click_track(tmp_path / "new.wav", 22), tiny_map(name="New", seconds=15))
    build(Order([folder], out))
    assert {row["Version"] for row in rows_of(out)} == {"Easy", "Oni", "New"}
    assert len(list((out / "data").iterdir())) == 2


def test_song_folders_and_marks_against_use(tmp_path: Path) -> None:
    song = click_track(tmp_path / "song.wav", 20)
    for number, name in enumerate(("open", "closed", "listed", "user"), 1):
        folder = tmp_path / "in" / name
        folder.mkdir(parents=True)
        bm = tiny_map(name=name, creator=name, audio_filename="Song.WAV", beatmap_id=number)
        save_beatmap(bm, folder / "map.osu")
        shutil.copy(song, folder / "song.wav")
    (tmp_path / "in" / "closed" / ".noai").touch()
    opted = tmp_path / "opt_out.txt"
    opted.write_text("Listed  # asked on the forum\n4242\nset 9\n", "utf-8")
    table = tmp_path / "table.csv"
    table.write_text(
        "beatmap_id,user_id,approved,approved_date,descriptors\n1,7,1,2016-03-01 10:00:00,jump aim;clean\n"
        "4,4242,,,\n", "utf-8",
    )  # fmt: skip
    report = build(Order([tmp_path / "in"], tmp_path / "out", opt_out=opted, metadata=table))
    (told,) = rows_of(tmp_path / "out")
    assert (told["Version"], told["UserId"], told["Ranked"], told["RankedDate"].year) == ("open", 7, 1, 2016)
    assert told["OmdbTags"] == ["jump aim", "clean"]
    assert report["sets"] == 3
    assert [row["reason"] for row in report["skipped"]] == ["its mapper is on the opt-out list"] * 2


def test_broken_songs_and_wrong_songs(tmp_path: Path) -> None:
    song = click_track(tmp_path / "song.wav", 10)
    (tmp_path / "in").mkdir()
    junk = tmp_path / "junk.mp3"
    junk.write_bytes(b"ID3" + bytes(3000))
    for name, file in (("silent", silence(tmp_path / "s.wav", 20)), ("short", song), ("junk", junk)):
        tiny_set(tmp_path / "in" / f"{name}.osz", file, tiny_map(name=name))
    with pytest.raises(UserError, match="No map of 3 sets"):
        build(Order([tmp_path / "in"], tmp_path / "out"))
    said = " ".join(reasons(json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))).values())
    assert "silent" in said and "behind the end" in said and "damaged" in said


@pytest.mark.skipif(sys.platform == "win32", reason="there it is an exception")
def test_a_crash_costs_only_itself() -> None:
    answers = dict(crowd.spread(ctypes.string_at, [b"one", b"two", 0, b"three"], workers=2))
    assert answers == {b"one": b"one", b"two": b"two", 0: None, b"three": b"three"}


def test_a_cluster_uses_the_same_function(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "ray", None)
        with pytest.raises(UserError, match=r"mapperatorinator\[cluster\]"):
            list(crowd.spread(abs, [1], cluster=True))

    class Remote:
        def __init__(self, work: Any) -> None:
            self.work = work

        def remote(self, item: int) -> tuple[str, int]:
            return "answer", self.work(item)

    fake = types.SimpleNamespace(
        is_initialized=lambda: True, remote=Remote, wait=lambda waiting: (waiting[:1], waiting[1:]),
        get=lambda reference: reference[1], exceptions=types.SimpleNamespace(WorkerCrashedError=OSError),
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "ray", fake)
    assert dict(crowd.spread(abs, [1, -2], cluster=True)) == {1: 1, -2: 2}


class Api(BaseHTTPRequestHandler):
    """The two routes of the osu! API that are used; busy at first, and strict about the secret."""

    calls: list[str] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(200 if body["client_secret"] == "good" else 401, {"access_token": "token"})

    def do_GET(self) -> None:
        self.calls.append(self.path)
        assert self.headers["Authorization"] == "Bearer token"
        if len(self.calls) == 1:
            return self._answer(429, {})
        beatmap = {
            "id": 501, "user_id": 1234, "ranked": 1, "top_tag_ids": [{"tag_id": 15, "count": 4}],
            "beatmapset": {"ranked_date": "2019-05-06T07:08:09Z", "submitted_date": None},
        }  # fmt: skip
        self._answer(200, {"beatmaps": [beatmap]})

    def _answer(self, code: int, value: Any) -> None:
        self.send_response(code)
        self.send_header("Retry-After", "0.01")
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Api]]:
    server = HTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(enrich.CLIENT, "1")
    monkeypatch.setenv(enrich.SECRET, "good")
    monkeypatch.setenv(enrich.SERVER, f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(enrich, "PAUSE", 0.01)
    Api.calls = []
    yield Api
    server.shutdown()
    server.server_close()


def test_the_api_says_who_made_a_map_and_is_asked_once(
    sets: Path, built: tuple[Path, dict[str, Any]], tmp_path: Path, api: type[Api]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(built[0], out)
    for _ in range(2):
        build(Order([sets], out))
    told = next(row for row in rows_of(out) if row["Id"] == 501)
    assert (told["UserId"], told["Ranked"], str(told["RankedDate"])) == (1234, 1, "2019-05-06 07:08:09")
    assert (told["TopTagIds"], told["TopTagCounts"]) == ([15], [4])
    assert len(api.calls) == 2 and "ids%5B%5D=501" in api.calls[0]


def test_credentials_that_are_refused(tmp_path: Path, api: type[Api], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(enrich.SECRET, "bad")
    with pytest.raises(UserError, match="refuses OSU_CLIENT_ID"):
        enrich.ask([1], tmp_path / "kept.json")
    monkeypatch.setenv(enrich.SERVER, "http://127.0.0.1:9")
    with pytest.raises(UserError, match="cannot be reached"):
        enrich.ask([1], tmp_path / "kept.json")


@pytest.mark.parametrize(
    "text", ['[{"beatmap_id": 5, "user_id": "9"}]', '{"beatmaps": [{"id": 5, "creator_id": 9}]}', '{"5": 9}']
)
def test_tables_of_every_shape(tmp_path: Path, text: str) -> None:
    table = tmp_path / "users.json"
    table.write_text(text, "utf-8")
    assert enrich.read_table(table) == {5: {"UserId": 9}}
    table.write_text("[3", "utf-8")
    with pytest.raises(UserError, match="cannot be read"):
        enrich.read_table(table)


def test_the_command(built: tuple[Path, dict[str, Any]], sets: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out"
    shutil.copytree(built[0], out)
    for words, code in (
        (["build", str(sets), "--out", str(out), "--workers", "1"], 0), (["inspect", str(out)], 0),
        (["build", str(tmp_path / "nowhere"), "--out", str(out)], 2), (["inspect", str(tmp_path)], 2),
        (["build", str(sets), "--out", str(out), "--workers", "0"], 2),
    ):  # fmt: skip
        with pytest.raises(SystemExit) as end:
            main(["dataset", *words])
        assert end.value.code == code
    said = capsys.readouterr()
    assert "5 maps of 5 sets" in said.out and "maps with a known user id" in said.out
    assert said.err.count("error:") == 3
    page = (out / "summary.html").read_text("utf-8")
    assert "<h2>Stars</h2>" in page and "http" not in page
    next((out / "data").rglob("*.wav")).unlink()
    with pytest.raises(SystemExit) as end:
        main(["dataset", "inspect", str(out)])
    assert end.value.code == 1


def test_a_freak_does_not_stretch_the_picture() -> None:
    rows = [{"ModeInt": 0, "DifficultyRating": 3.0, "Song": "a"}] * 500
    text = as_text(summarise([*rows, {"ModeInt": 0, "DifficultyRating": 900.0, "Song": "b"}]))
    assert len(text.splitlines()) < 30 and "500" in text
