"""The web app's server: who may talk to it, what it takes, and that jobs end well whatever happens."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import shlex
import signal
import socket
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from mapperatorinator.cli.interactive import bash_line, command_words, powershell_line
from mapperatorinator.demo import demo_song
from mapperatorinator.errors import UserError
from mapperatorinator.server import folders, launch, offer
from mapperatorinator.server.app import STATIC, create_app
from mapperatorinator.server.guard import TOKEN_HEADER, UPLOAD_BYTES
from mapperatorinator.server.office import Office, task_of
from mapperatorinator.server.store import Store
from mapperatorinator.server.stream import Stream
from mapperatorinator.server.tasks import TASKS
from mapperatorinator.settings import options

TOKEN, PORT = "the-token", 5000
BASE = f"http://127.0.0.1:{PORT}"
PATIENCE = 240.0  # seconds; a busy machine is slow

MAP = """osu file format v14

[General]
AudioFilename: song.mp3
Mode: 0

[Metadata]
Title:<img src=x onerror=alert(1)>
Artist:"><script>alert(2)</script>
Creator:me
Version:Hard

[Difficulty]
HPDrainRate:5
CircleSize:4
OverallDifficulty:6
ApproachRate:8
SliderMultiplier:1.4
SliderTickRate:1

[TimingPoints]
2078,400,4,2,0,60,1,0

[HitObjects]
100,100,2078,5,0,0:0:0:0:
200,100,2478,1,0,0:0:0:0:
300,100,2878,1,0,0:0:0:0:
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    app = create_app(tmp_path_factory.mktemp("data"), TOKEN, PORT)
    with TestClient(app, base_url=BASE, headers={TOKEN_HEADER: TOKEN}) as client:
        client.office = app._app.state.office  # type: ignore[attr-defined]
        yield client


def office_of(client: TestClient) -> Office:
    return client.office  # type: ignore[attr-defined,no-any-return]


def wait(client: TestClient, path: str, *states: str) -> dict[str, Any]:
    """Ask again until the thing is in one of the states."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = client.get(path).json()
        if found["state"] in states:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{path} is still {found['state']}")


def upload(client: TestClient, name: str, content: bytes) -> dict[str, Any]:
    answer = client.post("/api/songs", params={"name": name}, content=content)
    assert answer.status_code == 201, answer.text
    return wait(client, f"/api/songs/{answer.json()['id']}", "ready", "failed")


@pytest.fixture(scope="module")
def song(client: TestClient) -> dict[str, Any]:
    found = upload(client, "demo.mp3", demo_song().read_bytes())
    assert found["state"] == "ready", found
    return found


@pytest.fixture(scope="module")
def result(client: TestClient, song: dict[str, Any]) -> dict[str, Any]:
    """One finished map."""
    settings = {"difficulty": 3, "candidates": 1, "seed": 1}
    job = client.post("/api/jobs", json={"song": song["id"], "settings": settings}).json()
    return wait(client, f"/api/jobs/{job['id']}", "done", "failed")


# Who may come in


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:80", "evil.example:5000", "0.0.0.0:5000", ""])
@pytest.mark.parametrize("path", ["/", "/api/jobs"])
def test_a_forged_host_is_refused(client: TestClient, host: str, path: str) -> None:
    assert client.get(path, headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:5001"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_requests_of_other_sites_are_refused(client: TestClient, headers: dict[str, str]) -> None:
    assert client.get("/api/jobs", headers=headers).status_code == 403
    assert client.post("/api/queue", json={"paused": True}, headers=headers).status_code == 403


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1]])
def test_nothing_answers_without_the_token(client: TestClient, token: str) -> None:
    for method, path in (("GET", "/api/events"), ("GET", "/api/jobs"), ("POST", "/api/jobs"), ("GET", "/api/openapi.json")):
        assert client.request(method, path, headers={TOKEN_HEADER: token}).status_code == 401


def test_every_route_of_the_api_is_behind_the_door(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    assert len(paths) > 20
    assert all(path.startswith("/api/") for path in paths)


def test_our_own_page_is_let_in(client: TestClient) -> None:
    for headers in ({"origin": BASE, "sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}):
        assert client.get("/api/jobs", headers=headers).status_code == 200
    assert client.get("/", headers={TOKEN_HEADER: ""}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/app.js", "/api/jobs", "/api/jobs/none", "/no-such-file"])
def test_every_answer_carries_the_safe_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("path", ["/../app.py", "/%2e%2e/app.py", "/..%2fapp.py", "/lang/../../store.py", "//etc/passwd"])
def test_files_outside_the_page_are_out_of_reach(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (400, 404)


# What comes in


def test_two_gigabytes_are_refused_before_they_are_sent(client: TestClient) -> None:
    answer = client.post("/api/songs?name=a.mp3", headers={"content-length": str(2 * 2**30)}, content=b"x")
    assert answer.status_code == 413
    assert "512 MiB" in answer.json()["error"]


def test_a_body_that_grows_past_the_cap_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapperatorinator.server.guard.UPLOAD_BYTES", 1000)
    before = client.get("/api/songs").json()
    answer = client.post("/api/songs?name=a.mp3", content=(b"x" * 100 for _ in range(50)))
    assert answer.status_code == 413
    assert client.get("/api/songs").json() == before
    assert UPLOAD_BYTES > 1000


def test_a_large_json_body_is_refused(client: TestClient) -> None:
    assert client.post("/api/jobs", json={"song": "x" * 2**21}).status_code == 413


@pytest.mark.parametrize(
    "name", ["../../evil.mp3", "..\\..\\evil.mp3", "/etc/evil.mp3", "C:\\evil.mp3", "a\0b.mp3", "con.mp3", ".mp3"]
)
def test_names_never_lead_out_of_the_folder(client: TestClient, name: str) -> None:
    answer = client.post("/api/songs", params={"name": name}, content=b"no sound at all")
    folder = office_of(client).store.folder
    assert not list(folder.parent.rglob("*evil*")) or all(
        path.is_relative_to(folder / "songs") for path in folder.parent.rglob("*evil*")
    )
    if answer.status_code == 201:
        found = wait(client, f"/api/songs/{answer.json()['id']}", "ready", "failed")
        assert found["state"] == "failed" and found["error"]


def test_other_kinds_and_empty_files_are_refused(client: TestClient) -> None:
    assert client.post("/api/songs?name=a.exe", content=b"MZ").status_code == 400
    assert client.post("/api/songs?name=a.mp3", content=b"").status_code == 400
    assert client.post("/api/songs/0000/background?name=a.png", content=b"x").status_code == 404


def test_a_zip_bomb_is_refused_and_the_worker_lives(client: TestClient) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(2):
            archive.writestr(f"{number}.wav", bytes(60_000_000))
    found = upload(client, "bomb.osz", bomb.getvalue())
    assert found["state"] == "failed" and "too large" in found["error"]


def test_hostile_names_stay_text(client: TestClient) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("../../evil.osu", MAP)
        file.writestr("map.osu", MAP)
        file.writestr("song.mp3", demo_song().read_bytes())
    found = upload(client, "<b>set</b>.osz", archive.getvalue())
    assert found["state"] == "ready"
    assert [one["name"] for one in found["maps"]] == ["Hard"]
    assert found["timing"]["lines"] == [[2078.0, 400.0, 4]]
    answer = client.get(f"/api/songs/{found['id']}/maps/0")
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_bare_map_can_be_given_its_song(client: TestClient) -> None:
    found = upload(client, "map.osu", MAP.encode())
    assert found["state"] == "ready" and found["file"] == ""
    assert client.post("/api/jobs", json={"song": found["id"]}).status_code == 400
    path = f"/api/songs/{found['id']}"
    assert client.post(f"{path}/sound?name=demo.mp3", content=demo_song().read_bytes()).status_code == 201
    whole = wait(client, path, "ready", "failed")
    assert whole["file"] == "demo.mp3" and len(whole["maps"]) == 1


def test_pictures_must_be_pictures(client: TestClient, song: dict[str, Any]) -> None:
    path = f"/api/songs/{song['id']}/background"
    assert client.post(f"{path}?name=a.png", content=b"<svg onload=alert(1)>").status_code == 400
    assert client.post(f"{path}?name=a.svg", content=b"<svg/>").status_code == 400


@pytest.mark.parametrize("name", [option.name for option in options() if option.kind == "path"])
def test_a_client_never_names_a_path(client: TestClient, song: dict[str, Any], name: str) -> None:
    job = {"id": "1" * 16, "kind": "generate", "settings": {name: "/etc/passwd", "model": "embedded"}}
    task = task_of(office_of(client).store, job, song)
    assert "/etc/passwd" not in json.dumps(task)


@pytest.mark.parametrize("settings", [{"difficulty": 99}, {"no_such": 1}, {"gamemode": 7}, {"start_time": 9, "end_time": 3}])
def test_options_that_cannot_be_are_refused_at_once(client: TestClient, song: dict[str, Any], settings: dict[str, Any]) -> None:
    answer = client.post("/api/jobs", json={"song": song["id"], "settings": settings})
    assert answer.status_code == 400 and answer.json()["error"]


@pytest.mark.parametrize("lines", [[], [[0, -1, 4]], [[0, 1e300, 4]], [[0, 400, 0]], [[1e12, 400, 4]]])
def test_red_lines_that_cannot_be_are_refused(client: TestClient, song: dict[str, Any], lines: list[Any]) -> None:
    assert client.put(f"/api/songs/{song['id']}/timing", json={"lines": lines}).status_code in (400, 422)


# What is done


def test_a_song_is_heard(client: TestClient, song: dict[str, Any]) -> None:
    assert (song["title"], song["artist"]) == ("Paper Comets", "Mapperatorinator")
    assert len(song["peaks"]) == 1200 and max(song["peaks"]) == 255
    assert 60_000 / song["timing"]["lines"][0][1] == pytest.approx(150, abs=0.1)
    assert client.get(f"/api/songs/{song['id']}/sound").content == demo_song().read_bytes()


def test_a_song_becomes_a_map(client: TestClient, result: dict[str, Any]) -> None:
    assert result["state"] == "done", result
    (one,) = result["result"]["difficulties"]
    assert one["objects"] > 30 and one["stars"] > 1 and one["curve"]["values"]
    assert result["result"]["seed"] == 1
    answer = client.get(f"/api/jobs/{result['id']}/osz")
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None
    assert "attachment" in answer.headers["content-disposition"]
    assert "[HitObjects]" in client.get(f"/api/jobs/{result['id']}/maps/0").text
    assert client.get(f"/api/jobs/{result['id']}/log").json()


def test_a_stretch_is_mapped_again_and_kept(client: TestClient, result: dict[str, Any]) -> None:
    path = f"/api/jobs/{result['id']}"
    assert client.post(f"{path}/reroll", json={"map": 0, "start_time": 9, "end_time": 3}).status_code == 400
    assert client.post(f"{path}/reroll", json={"map": 5, "start_time": 0, "end_time": 3}).status_code == 400
    asked = {"map": 0, "start_time": 12_000, "end_time": 20_000, "count": 2, "seed": 5}
    job = client.post(f"{path}/reroll", json=asked).json()
    made = wait(client, f"/api/jobs/{job['id']}", "done", "failed")
    assert made["state"] == "done", made
    assert len(made["result"]["alternatives"]) == 2
    kept = client.post(f"/api/jobs/{job['id']}/keep", json={"choice": 1}).json()
    whole = wait(client, f"/api/jobs/{kept['id']}", "done", "failed")
    assert whole["state"] == "done" and whole["of"] == result["id"]

    def times(where: str) -> list[int]:
        lines = client.get(where).text.split("[HitObjects]")[1].split()
        return [int(line.split(",")[2]) for line in lines]

    old, new = times(f"{path}/maps/0"), times(f"/api/jobs/{kept['id']}/maps/0")
    outside = [time for time in old if not 12_000 <= time <= 20_000]
    assert [time for time in new if not 12_000 <= time <= 20_000] == outside
    assert new == times(f"/api/jobs/{job['id']}/maps/1")


def test_a_map_is_reviewed(client: TestClient, result: dict[str, Any]) -> None:
    job = client.post("/api/reviews", json={"song": result["song"], "of": result["id"]}).json()
    made = wait(client, f"/api/jobs/{job['id']}", "done", "failed")
    assert made["state"] == "done", made
    (report,) = made["result"]["reports"]
    assert {"time", "category", "message", "surprisal", "severity", "link"} <= report["suggestions"][0].keys()


def test_favourites_and_the_list(client: TestClient, result: dict[str, Any]) -> None:
    assert client.patch(f"/api/jobs/{result['id']}", json={"favourite": True}).json()["favourite"]
    listed = next(job for job in client.get("/api/jobs").json() if job["id"] == result["id"])
    assert listed["favourite"] and "curve" not in json.dumps(listed)
    assert client.patch(f"/api/jobs/{result['id']}", json={"state": "queued"}).status_code == 422


def test_fifty_jobs_in_order_and_none_lost(client: TestClient, song: dict[str, Any]) -> None:
    client.post("/api/queue", json={"paused": True})
    ids = [client.post("/api/jobs", json={"song": song["id"]}).json()["id"] for _ in range(50)]
    client.post(f"/api/jobs/{ids[49]}/move", json={"before": ids[0]})
    client.post(f"/api/jobs/{ids[10]}/move", json={})
    assert [job["id"] for job in office_of(client).queued()] == [ids[49], *ids[:10], *ids[11:49], ids[10]]
    for identifier in ids:
        assert client.post(f"/api/jobs/{identifier}/cancel").status_code == 200
    assert not office_of(client).queued()
    states = {job["id"]: job["state"] for job in client.get("/api/jobs").json()}
    assert {states[identifier] for identifier in ids} == {"cancelled"}
    client.delete(f"/api/jobs/{ids[0]}")
    assert client.get(f"/api/jobs/{ids[0]}").status_code == 404
    client.post("/api/queue", json={"paused": False})


def start_one(client: TestClient, song: dict[str, Any]) -> str:
    """A job that is at work."""
    job = client.post("/api/jobs", json={"song": song["id"], "settings": {"candidates": 64, "difficulty": 6}}).json()
    wait(client, f"/api/jobs/{job['id']}", "running")
    return str(job["id"])


def test_a_running_job_is_cancelled_within_a_second(client: TestClient, song: dict[str, Any]) -> None:
    job = start_one(client, song)
    time.sleep(0.3)
    begun = time.monotonic()
    client.post(f"/api/jobs/{job}/cancel")
    wait(client, f"/api/jobs/{job}", "cancelled")
    assert time.monotonic() - begun < 1.5  # 1 s, and something for a busy machine
    assert not (office_of(client).store.folder / "results" / job).exists()


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_a_killed_worker_is_replaced_and_its_job_says_so(client: TestClient, song: dict[str, Any]) -> None:
    job = start_one(client, song)
    os.kill(office_of(client).worker_ids[1], signal.SIGKILL)
    ended = wait(client, f"/api/jobs/{job}", "failed")
    assert "worker stopped" in ended["error"]
    assert not (office_of(client).store.folder / "results" / job).exists()
    assert client.post(f"/api/jobs/{job}/again").status_code == 202
    wait(client, f"/api/jobs/{job}", "running")
    client.post(f"/api/jobs/{job}/cancel")
    wait(client, f"/api/jobs/{job}", "cancelled")


def test_a_restart_remembers_and_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    song = store.add("songs", {"name": "a.mp3", "file": "a.mp3", "state": "ready", "maps": []})
    running = store.add("jobs", {"kind": "generate", "song": song["id"], "state": "running", "position": 0.0, "settings": {}})
    done = store.add("jobs", {"kind": "generate", "song": song["id"], "state": "done", "position": 0.0, "favourite": True})
    store.close()
    app = create_app(tmp_path, TOKEN, PORT)
    with TestClient(app, base_url=BASE, headers={TOKEN_HEADER: TOKEN}) as client:
        client.post("/api/queue", json={"paused": True})
        assert client.get(f"/api/jobs/{running['id']}").json()["state"] == "interrupted"
        assert client.get(f"/api/jobs/{done['id']}").json()["favourite"]
        assert client.post(f"/api/jobs/{running['id']}/again").json()["state"] == "queued"
        workers = app._app.state.office.worker_ids
    assert workers
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_data_folder_is_its_owners_alone(tmp_path: Path) -> None:
    Store(tmp_path / "data").close()
    assert os.name != "posix" or (tmp_path / "data").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("identifier", ["..", "../..", "a/b", "", "."])
def test_ids_that_are_paths_are_none(tmp_path: Path, identifier: str) -> None:
    store = Store(tmp_path)
    with pytest.raises(ValueError):
        store.files("jobs", identifier)
    assert store.get("jobs", identifier) is None
    store.close()


# Events


async def heard(stream: Stream, last: str, count: int) -> list[str]:
    found = []
    async for text in stream.listen(last):
        found.append(text)
        if len(found) == count:
            break
    return found


def test_a_page_that_comes_back_gets_what_it_missed() -> None:
    stream = Stream()
    stream.publish("a", n=1)
    first = asyncio.run(heard(stream, "", 1))[0]
    last = first.split("\n")[0].removeprefix("id: ")
    for number in range(3):
        stream.publish("b", n=number)
    missed = asyncio.run(heard(stream, last, 4))
    assert ["hello" in missed[0], *(json.loads(text.split("data: ")[1])["n"] for text in missed[1:])] == [True, 0, 1, 2]
    assert "event: reset" in asyncio.run(heard(stream, "another-launch", 1))[0]
    for number in range(3000):
        stream.publish("c", n=number)
    assert "event: reset" in asyncio.run(heard(stream, last, 1))[0]


# The rest


def test_the_next_free_port_is_taken() -> None:
    first = launch.listen(0)
    port = first.getsockname()[1]
    first.listen()
    second = launch.listen(port)
    assert second.getsockname()[1] > port
    assert second.getsockname()[0] == "127.0.0.1"
    for one in (first, second):
        one.close()


def test_no_free_port_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    monkeypatch.setattr(launch, "_TRIES", 1)
    with taken, pytest.raises(UserError):
        launch.listen(taken.getsockname()[1])


def test_one_app_holds_the_data_and_a_second_one_finds_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = folders.claim(tmp_path)
    assert lock is not None
    (tmp_path / launch.ADDRESS).write_text("http://127.0.0.1:5000/#token=x")
    assert launch.serve(folder=tmp_path, browser=False) == 0
    assert "runs already, at http://127.0.0.1:5000/" in capsys.readouterr().out
    lock.close()
    again = folders.claim(tmp_path)
    assert again is not None
    again.close()


def test_the_offer_holds_every_option_but_paths() -> None:
    names = {option["name"] for option in offer.offer()["options"]}
    assert names == {option.name for option in options() if option.kind != "path"}
    for values in offer.PRESETS.values():
        assert values.keys() <= names


def test_every_task_has_a_place() -> None:
    assert TASKS.keys() == {"warm", "listen", "generate", "reroll", "keep", "review"}


ENGLISH = json.loads((STATIC / "lang" / "en.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted((STATIC / "lang").glob("*.json")), ids=lambda path: path.stem)
def test_a_language_says_everything_and_nothing_else(path: Path) -> None:
    words = json.loads(path.read_text(encoding="utf-8"))
    assert {key for key in ENGLISH if key not in words} == set()
    assert {key for key in words if key not in ENGLISH and not key.startswith(("option.", "style."))} == set()
    for key, text in words.items():
        assert text.strip()
        if key in ENGLISH:
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", ENGLISH[key])), key


def test_there_are_words_for_all_that_the_page_says() -> None:
    used: set[str] = set()
    for path in STATIC.rglob("*.js"):
        used |= set(re.findall(r"""\bt(?:Or)?\('([a-z]+\.[^'$]+)'""", path.read_text(encoding="utf-8")))
    used |= set(re.findall(r'data-t(?:-label)?="([^"]+)"', (STATIC / "index.html").read_text(encoding="utf-8")))
    assert used - ENGLISH.keys() == set()
    groups = {f"group.{option.group}" for option in options() if option.kind != "path"}
    assert groups <= ENGLISH.keys()


def test_the_page_is_light_and_asks_nobody_else() -> None:
    files = [path for path in STATIC.rglob("*") if path.is_file() and path.name not in ("player.html", "page.js", "page.css")]
    loaded = [path for path in files if path.parent.name != "lang" or path.stem == "en"]
    assert sum(path.stat().st_size for path in loaded) <= 300_000
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert "innerHTML" not in text and "eval(" not in text, path
        strange = [word for word in text.split() if "//" in word and "http" in word and "www.w3.org" not in word]
        assert not strange, path


def test_the_dialogue_quotes_for_both_shells() -> None:
    asked = {"audio_path": "it's a \"song\" $x.mp3", "gamemode": 3, "hitsounded": False, "descriptors": ["jump aim", "tech"]}
    words = command_words(asked)

    assert shlex.split(bash_line(words)) == words
    assert powershell_line(words) == (
        "mapperatorinator generate 'audio_path=it''s a \\\"song\\\" $x.mp3' gamemode=3 hitsounded=false "
        "'descriptors=[jump aim,tech]'"
    )
