"""How smoothly the browser's player runs: frames per second and ms per drawn frame, in headless Chromium.

    python bench/player.py [map.osu song] [--seconds 10]

Without a map, a made-up one of five minutes and 6 stars. Chromium draws in software here; a free core is needed
for 60 frames a second at 1280 x 800. 2026-11-22, 2 cores of a busy machine, Chromium given priority, corpus map
of 6.0 stars and 1,176 objects: 60.2 frames/s, 95 % of the gaps under 17.3 ms, the longest 18.9 ms; 0.8 ms of script
and 12 ms of processor time in all per frame.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import math
import shutil
import statistics
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

STATIC = Path(__file__).resolve().parent.parent / "mapperatorinator" / "server" / "static"
MEASURE = """async ([osu, song, seconds]) => {
    const { Player } = await import('/player/player.js');
    document.body.innerHTML = '<div id="p" style="height:100vh"></div>';
    const player = new Player(document.querySelector('#p')), gaps = [], drawn = [], draw = player.draw.bind(player);
    const ready = new Promise((done) => player.addEventListener('ready', done));
    await player.load({ osu, audio: song && '/song' });
    await ready;
    player.draw = (time) => { const start = performance.now(); draw(time); drawn.push(performance.now() - start); };
    player.seek(Math.min(60000, player.duration / 3));
    player.play();
    for (let last = performance.now(), end = last + 1000 * seconds; last < end;) {
        await new Promise(requestAnimationFrame);
        gaps.push(performance.now() - last);
        last = performance.now();
    }
    return [gaps, drawn];
}"""


def made_up() -> str:
    """Seven objects a second for five minutes: jumps, streams and a slider in every four."""
    lines = ["osu file format v14", "[Difficulty]", "CircleSize:4", "ApproachRate:9.3", "SliderMultiplier:1.8"]
    lines += ["[TimingPoints]", "0,340,4,2,0,60,1,0", "[HitObjects]"]
    for i in range(2100):
        x, y = (round(c + r * f(i * 2.4)) for c, r, f in ((256, 180, math.cos), (192, 150, math.sin)))
        kind = f"2,0,B|{512 - x}:{y}|{x}:{384 - y}|256:192,1,110" if i % 4 == 0 else "1,2"
        lines.append(f"{x},{y},{1000 + i * 143},{kind}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Frame times of the browser's player")
    parser.add_argument("files", nargs="*", type=Path, help="a map and its song")
    parser.add_argument("--seconds", type=float, default=10.0)
    asked = parser.parse_args()

    class Files(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            return str(asked.files[1]) if path == "/song" else super().translate_path(path)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(STATIC)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    osu = asked.files[0].read_text("utf-8-sig") if asked.files else made_up()
    with sync_playwright() as session:
        flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = session.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"http://127.0.0.1:{server.server_port}/player.html")
        gaps, drawn = page.evaluate(MEASURE, [osu, len(asked.files) > 1, asked.seconds])
        browser.close()
    server.shutdown()
    tail = [statistics.quantiles(values, n=20)[-1] for values in (gaps, drawn)]
    print(json.dumps({
        "frames_per_second": round(1000 / statistics.mean(gaps), 1),
        "gap_ms": {"median": round(statistics.median(gaps), 1), "p95": round(tail[0], 1), "max": round(max(gaps), 1)},
        "script_ms": {"median": round(statistics.median(drawn), 2), "p95": round(tail[1], 2)},
    }))  # fmt: skip


if __name__ == "__main__":
    main()
