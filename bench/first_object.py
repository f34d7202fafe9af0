"""How soon the web app shows the first object, cancels, and finishes: `python bench/first_object.py [SONG]`.

Prints seconds from the upload to the red lines, from Generate to the first objects in the page's preview and to the
finished set, and from Cancel to the end of a running job. The demo song if none is named; idle machine, please.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from mapperatorinator.demo import demo_song
from mapperatorinator.server.app import create_app
from mapperatorinator.server.guard import TOKEN_HEADER


def main(song: Path) -> None:
    """Measure with one song."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Path(folder), "t", 5000)
        with TestClient(app, base_url="http://127.0.0.1:5000", headers={TOKEN_HEADER: "t"}) as client:
            _measure(client, song)


def _measure(client: TestClient, song: Path) -> None:
    def until(path: str, *states: str) -> dict[str, Any]:
        while True:
            found: dict[str, Any] = client.get(path).json()
            if found["state"] in states:
                return found
            time.sleep(0.02)

    time.sleep(5)  # the workers load what they need; a user looks for a song meanwhile
    begun = time.monotonic()
    known = client.post("/api/songs", params={"name": song.name}, content=song.read_bytes()).json()
    until(f"/api/songs/{known['id']}", "ready", "failed")
    print(f"heard after {time.monotonic() - begun:.2f} s")
    time.sleep(3)  # a user looks at the beat before pressing Generate
    begun = time.monotonic()
    job = client.post("/api/jobs", json={"song": known["id"], "settings": {"difficulty": 4.5, "seed": 1}}).json()
    while not client.get(f"/api/jobs/{job['id']}/preview").text:
        time.sleep(0.02)
    print(f"first objects after {time.monotonic() - begun:.2f} s")
    until(f"/api/jobs/{job['id']}", "done", "failed")
    print(f"finished after {time.monotonic() - begun:.2f} s")
    job = client.post("/api/jobs", json={"song": known["id"], "settings": {"difficulty": 6, "seed": 2}}).json()
    until(f"/api/jobs/{job['id']}", "running")
    time.sleep(1)
    begun = time.monotonic()
    client.post(f"/api/jobs/{job['id']}/cancel")
    until(f"/api/jobs/{job['id']}", "cancelled")
    print(f"cancelled after {time.monotonic() - begun:.2f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else demo_song())
