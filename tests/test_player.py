"""The browser's player, driven in a real headless Chromium: what it reads, shows, plays and measures."""

from __future__ import annotations

import base64
import functools
import http.server
import io
import json
import math
import shutil
import threading
import wave
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mapperatorinator.beatmap import Beatmap, Slider, parse_beatmap
from mapperatorinator.beatmap.stacking import stack_heights
from mapperatorinator.server.guard import HEADERS

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

STATIC = Path(__file__).resolve().parent.parent / "mapperatorinator" / "server" / "static"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
BLANK = (
    b'<!doctype html><html lang="en"><title>player</title><link rel="icon" href="data:,">'
    b'<style>html,body{margin:0;height:100%}</style><div id="p" style="height:100%"></div>'
)
MAX_BYTES = 132_000  # of the 300 kB that all pages together may have
SYNC_MS = 20.0
FRAME_MS = 1000 / 60

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


class _Files(http.server.SimpleHTTPRequestHandler):
    """Serves the static folder, and an empty page at /blank.html."""

    def do_GET(self) -> None:
        if self.path != "/blank.html":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(BLANK)

    def end_headers(self) -> None:
        if self.path == "/player.html":  # as the app serves it
            self.send_header("Content-Security-Policy", HEADERS["content-security-policy"])
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def browser() -> Iterator[tuple[Any, str]]:
    """A running Chromium and the address of the static files."""
    handler = functools.partial(_Files, directory=str(STATIC))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with playwright.sync_playwright() as session:
        chromium = session.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium, f"http://127.0.0.1:{server.server_port}"
        chromium.close()
    server.shutdown()


def _bad(message: Any) -> bool:
    """Errors and warnings, but for those about how the tests read pixels."""
    return message.type in ("error", "warning") and "getImageData" not in message.text


@pytest.fixture
def page(browser: tuple[Any, str], request: pytest.FixtureRequest) -> Iterator[Any]:
    """A fresh page with an idle `player`; the test fails if the console shows an error."""
    chromium, address = browser
    width, height = getattr(request, "param", (1280, 720))
    page = chromium.new_page(viewport={"width": width, "height": height})
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if _bad(m) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else complaints.append(r.url))
    page.goto(f"{address}/blank.html")
    page.evaluate("""async () => {
        const { Player } = await import('/player/player.js');
        window.player = new Player(document.querySelector('#p'));
        window.heard = [];
        for (const type of ['ready', 'time', 'ended', 'range', 'mark', 'warning', 'play', 'pause']) {
            player.addEventListener(type, (event) => heard.push([type, event.detail]));
        }
    }""")
    yield page
    assert complaints == []
    page.close()


def map_text(mode: int, objects: list[str], extra: str = "", version: int = 14, circle_size: float = 4) -> str:
    """A map at 120 BPM with one colour per combo, red first."""
    return (
        f"osu file format v{version}\n\n[General]\nMode: {mode}\nSampleSet: Soft\n\n[Metadata]\nTitle:T\nArtist:A\n"
        f"Creator:C\nVersion:V\n\n[Difficulty]\nCircleSize:{circle_size}\nApproachRate:9\nOverallDifficulty:8\n"
        "SliderMultiplier:1.4\nSliderTickRate:2\n\n[TimingPoints]\n0,500,4,2,0,60,1,0\n" + extra + "\n[Colours]\n"
        "Combo1 : 20,200,20\nCombo2 : 240,30,30\n\n[HitObjects]\n" + "\n".join(objects) + "\n"
    )


def clicks(times: list[float], seconds: float) -> bytes:
    """A WAV file with a short click at every time (ms)."""
    rate, t = 44100, np.arange(300) / 44100
    samples = np.zeros(int(rate * seconds))
    for time in times:
        samples[round(time * rate / 1000) :][:300] += 0.6 * np.sin(2 * np.pi * 1000 * t) * np.exp(-t * rate / 80)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return out.getvalue()


def load(page: Any, osu: str, audio: bytes | None = None) -> None:
    """Load a map and a song into the page's player and wait for both."""
    page.evaluate(
        """([osu, audio]) => new Promise((done) => {
            player.addEventListener('ready', done, { once: true });
            player.load({ osu, audio: audio && Uint8Array.from(atob(audio), (c) => c.charCodeAt(0)).buffer });
        })""",
        [osu, base64.b64encode(audio).decode() if audio else None],
    )


READ = """async (texts) => {
    const { Beatmap } = await import('/player/beatmap.js'), { stack } = await import('/player/stacking.js');
    const { fallingOf } = await import('/player/juice.js');
    return texts.map((text) => {
        const map = new Beatmap(text), counts = { fruit: 0, droplet: 0, tiny: 0, banana: 0 };
        stack(map);
        if (map.mode === 2) for (const { kind } of fallingOf(map)) counts[kind]++;
        return { counts, objects: map.objects.map((o) => ({
            kind: o.kind, at: [o.x, o.y, o.time, o.end, o.length ?? 0, ...(o.path?.at(o.length) ?? [0, 0])],
            stack: o.stack, column: o.column ?? null,
        })) };
    });
}"""


def expect(bm: Beatmap) -> list[dict[str, Any]]:
    """What the player should make of a map, by the library's own reading."""
    heights = stack_heights(bm) if bm.mode == 0 else [0] * len(bm.hit_objects)
    result = []
    for obj, height in zip(bm.hit_objects, heights, strict=True):
        place = [obj.x, obj.y, obj.time, bm.end_time(obj), 0.0, 0.0, 0.0]
        if isinstance(obj, Slider):
            place[4:] = [obj.span_length, *obj.path.position_at(1.0, obj.span_length)]
        column = bm.column(obj) if bm.mode == 3 else None
        result.append({"kind": type(obj).__name__.lower(), "at": place, "stack": height, "column": column})
    return result


def assert_same(seen: dict[str, Any], bm: Beatmap, name: str) -> None:
    wanted = expect(bm)
    assert len(seen["objects"]) == len(wanted), name
    for got, want in zip(seen["objects"], wanted, strict=True):
        assert (got["kind"], got["column"]) == (want["kind"], want["column"]), name
        assert bm.mode != 0 or got["stack"] == want["stack"], f"{name} at {want['at'][2]}"
        assert got["at"] == pytest.approx(want["at"], abs=1e-3), name


CURVES = [
    "L|200:50|150:300|150:300|10:10", "P|150:150|200:50", "P|150:100|200:100", "P|150:100|200:99.999",
    "B|150:250|250:50|300:200", "B|150:250|150:250|250:50|300:200|300:200", "C|150:250|250:50|300:200",
    "C|100:100|150:250|250:50", "P|150:150|200:50|250:90", "B|" + "|".join(f"{i % 7 * 60}:{i % 5 * 70}" for i in range(40)),
]  # fmt: skip
NEW_CURVES = ["B3|150:250|250:50|300:200|310:10|20:20", "P|150:150|200:50|L|250:90|B|300:10|310:50|320:20"]


@pytest.mark.parametrize("version", [3, 5, 14, 128])
def test_curves_are_those_of_the_library(page: Any, version: int) -> None:
    kinds = CURVES + (NEW_CURVES if version == 128 else [])
    lines = [
        f"100,100,{1000 + 3000 * i},2,0,{curve},{slides},{length}"
        for i, (curve, slides, length) in enumerate((c, s, n) for c in kinds for s, n in ((1, 150), (2, 0), (3, 700)))
    ]
    text = map_text(0, lines, version=version)
    assert_same(page.evaluate(READ, [text])[0], parse_beatmap(text), f"v{version}")


def test_reads_human_maps_as_the_library_does(
    page: Any, corpus: Path, corpus_rows: list[dict[str, str]], corpus_maps: Callable[..., list[Path]]
) -> None:
    rosu = pytest.importorskip("rosu_pp_py")
    paths = [path for mode, n in enumerate((4, 1, 3, 2)) for path in corpus_maps(n, mode=mode)]
    old = [corpus / row["path"] for row in corpus_rows if row["audio"] and row["format_version"] not in ("14", "12")]
    paths += old[:: max(1, len(old) // 3)]
    texts = [path.read_text("utf-8-sig", errors="replace") for path in paths]
    for path, text, seen in zip(paths, texts, page.evaluate(READ, texts), strict=True):
        bm = parse_beatmap(text)
        assert_same(seen, bm, path.name)
        if bm.mode == 2:
            counted = rosu.Difficulty().calculate(rosu.Beatmap(content=text))
            wanted = (counted.n_fruits, counted.n_droplets, counted.n_tiny_droplets)
            assert tuple(seen["counts"][kind] for kind in ("fruit", "droplet", "tiny")) == wanted, path.name


@pytest.mark.parametrize("text", ["", "no map", "osu file format v14\n[HitObjects]\n1,2\nx,y,z,1,0\n,,,,,,\n"])
def test_damaged_files_are_empty_maps(page: Any, text: str) -> None:
    load(page, text)
    assert page.evaluate("player.map.objects.length") == 0
    page.evaluate("player.draw(0)")


@pytest.mark.parametrize("mode", range(4))
def test_hostile_numbers_cost_little(page: Any, mode: int) -> None:
    far = "|".join(f"{i % 500}:{i * 7 % 380}" for i in range(3000))
    objects = ["100,100,1000,2,0,L|200:200,9000,100000", "100,100,2000,12,0,2000000000", f"1,1,1,2,0,B2500|{far},1,9"]
    text = map_text(mode, objects).replace("TickRate:2", "TickRate:1e9").replace("0,500,4", "0,6,1").replace("1.4", "0.4")
    load(page, text)
    show(page, 1500)
    assert page.evaluate("player.map.objects.length") == 3
    assert page.evaluate("player.sound.sounds.length") < 90_000


def show(page: Any, ms: float) -> None:
    """Draws the moment `ms`, which then stays."""
    page.evaluate("(ms) => { player.seek(ms); player.draw(ms); }", ms)


def pixels(page: Any, script: str) -> Any:
    """Runs `script` with `at(x, y)`: the colour of the stage at a place in playfield (osu!) or canvas px."""
    return page.evaluate(
        """(script) => {
        const { canvas, field } = player.stage, c = canvas.getContext('2d');
        const raw = (x, y) => [...c.getImageData(Math.round(x), Math.round(y), 1, 1).data].slice(0, 3);
        return new Function('raw', 'field', 'canvas', 'at', script)(raw, field, canvas,
            (x, y) => raw(field.px(x), field.py(y)));
    }""",
        script,
    )


def is_red(colour: list[int]) -> bool:
    return colour[0] > 1.5 * colour[1] and colour[0] > 1.5 * colour[2] and colour[0] > 80


def is_dark(colour: list[int]) -> bool:
    return max(colour) < 60


def test_osu_objects_are_where_they_should_be(page: Any) -> None:
    load(page, map_text(0, ["100,100,1000,1,0", "300,200,2000,2,0,L|400:200,2,100", "256,192,4000,12,0,5000"]))
    show(page, 950)
    ring, empty = pixels(page, "return [at(100 + field.radius * 0.7, 100), at(256, 330)]")
    assert is_red(ring) and is_dark(empty)
    show(page, 2150)  # on its way: the body is there, the ball in the middle
    body, ball = pixels(page, "return [at(390, 200), at(300 + 100 * 150 / (500 / 1.4), 214)]")
    assert not is_dark(ball) and max(body) > 35
    show(page, 4500)
    assert max(pixels(page, "return at(256, 230)")) > 40


def test_taiko_notes_arrive_in_their_colours(page: Any) -> None:
    load(page, map_text(1, ["0,0,1000,1,0", "0,0,1500,1,8", "0,0,2000,2,0,L|100:0,2,140", "0,0,4000,12,0,5000"]))
    show(page, 999)
    x = "field.target + (1500 - 999) * field.notes[1].speed * field.lane - field.lane * 0.16"
    don, kat = pixels(page, f"return [raw(field.target - field.lane * 0.16, field.y), raw({x}, field.y)]")
    assert is_red(don) and kat[2] > kat[0]


def test_catch_fruits_fall_onto_the_plate(page: Any) -> None:
    load(page, map_text(2, ["20,0,1000,1,0", "500,0,1100,1,0", "256,0,3000,1,0"]))
    show(page, 999)
    assert is_red(pixels(page, "return raw(field.px(20) + field.radius * field.scale * 0.3, field.floor)"))
    assert page.evaluate("player.stage.field.falling.map((f) => Boolean(f.hyper))") == [True, False, False]
    assert page.evaluate("player.stage.field.catcherAt(1100).x") == 500


@pytest.mark.parametrize("keys", [4, 7, 18])
def test_mania_notes_fall_in_their_columns(page: Any, keys: int) -> None:
    places = [int((column + 0.5) * 512 / keys) for column in range(keys)]
    notes = [f"{x},192,{1000 + 100 * i},{128 if i % 2 else 1},0,{3000 if i % 2 else 0}" for i, x in enumerate(places)]
    load(page, map_text(3, notes, circle_size=keys))
    show(page, 995)
    first, last = pixels(page, """
        const y = (time) => field.line * (1 - (time - 995) / field.scrollTime) - field.thick / 2;
        const x = (column) => field.left + (column + 0.5) * field.column;
        return [raw(x(0), y(1000)), raw(x(field.keys - 1), y(1000))];""")
    assert min(first) > 200 and is_dark(last)


def test_mania_scrolls_as_fast_as_the_map_asks(page: Any) -> None:
    load(page, map_text(3, ["64,192,1000,1,0", "64,192,3000,1,0"], "1000,-200,4,2,0,60,0,0\n2000,-50,4,2,0,60,0,0"))
    assert page.evaluate("[0, 1000, 2000, 3000].map((t) => player.stage.field.place(t))") == [0, 1000, 1500, 3500]


SYNC = """async (rates) => {
    const { sound } = player, { context } = sound;
    const code = `registerProcessor('tap', class extends AudioWorkletProcessor {
        process([[block]]) { this.port.postMessage([currentFrame, block ? block.slice() : null]); return true; } })`;
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
    const tap = (node) => {
        const worklet = new AudioWorkletNode(context, 'tap'), blocks = [];
        worklet.port.onmessage = (event) => blocks.push(event.data);
        node.connect(worklet).connect(context.destination);
        return blocks;
    };
    const onsets = (blocks) => {
        const result = [];
        let quiet = 0;
        for (const [frame, block] of blocks) for (let i = 0; i < 128; i++) {
            if (Math.abs(block?.[i] ?? 0) < 0.02) quiet++;
            else { if (quiet > 4000) result.push((frame + i) / context.sampleRate); quiet = 0; }
        }
        return result;
    };
    const song = tap(sound.songBus), hits = tap(sound.hitBus), result = [];
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    await context.resume();
    for (const rate of rates) {
        song.length = hits.length = 0;
        player.rate = rate;
        player.seek(0);
        player.play();
        const seen = [];
        while (player.playing && player.currentTime < 2600) {
            await wait(30);
            const stamp = context.getOutputTimestamp();
            seen.push([player.currentTime, stamp.contextTime + (performance.now() - stamp.performanceTime) / 1000]);
        }
        player.pause();
        await wait(150);
        result.push({ song: onsets(song), hits: onsets(hits), seen: seen.slice(5) });
    }
    return result;
}"""


def test_song_and_hit_sounds_and_picture_are_in_sync(page: Any) -> None:
    times, rates = [500.0 + 430 * i for i in range(5)], [1.0, 0.75, 1.5]
    load(page, map_text(0, [f"100,100,{t:.0f},1,0,0:0:0:0:" for t in times]), clicks(times, 5))
    for rate, got in zip(rates, page.evaluate(SYNC, rates), strict=True):
        assert len(got["song"]) == len(got["hits"]) == len(times), rate
        late = 1000 * (np.array(got["hits"]) - np.array(got["song"]))
        assert np.abs(late).max() < (1 if rate == 1 else SYNC_MS), (rate, late)
        player, heard = np.array(got["seen"]).T
        off = player - (times[0] + (heard - got["hits"][0]) * 1000 * rate)
        assert abs(float(np.median(off))) < SYNC_MS * rate, (rate, off)


def big_map() -> str:
    """Five minutes like a map of 6 stars: streams, jumps and sliders, 7 objects a second."""
    objects = []
    for i in range(2100):
        angle, far = i * 2.4, 60 + 130 * (i % 5) / 5
        x, y = round(256 + far * math.cos(angle)), round(192 + far * 0.9 * math.sin(angle))
        combo = 4 if i % 6 == 0 else 0
        if i % 4:
            objects.append(f"{x},{y},{1000 + i * 143},{1 + combo},{(i % 4) * 2},0:0:0:0:")
        else:
            objects.append(f"{x},{y},{1000 + i * 143},{2 + combo},0,B|{512 - x}:{y}|{x}:{384 - y}|256:192,1,110")
    return map_text(0, objects, "120000,500,4,2,0,60,1,1")


def test_frames_are_cheap_on_a_large_map(page: Any) -> None:
    load(page, big_map())
    times = page.evaluate("""async () => {
        const times = [];
        for (let i = 0; i < 120; i++) {
            const start = performance.now();
            player.draw(60000 + i * 16.7);
            times.push(performance.now() - start);
            await new Promise(requestAnimationFrame);
        }
        return times;
    }""")
    assert float(np.median(times)) < FRAME_MS / 2, times


def test_maps_grow_while_they_play(page: Any) -> None:
    text = map_text(0, ["100,100,500,1,0", "200,100,1000,1,0"])
    load(page, text, clicks([500], 6))
    page.evaluate("player.play()")
    page.wait_for_function("player.currentTime > 200")
    page.evaluate("player.append('300,100,1500,1,0\\n100,100,1900,2,0,L|200:100,1,100')")
    page.evaluate("(text) => player.append(text)", text)  # what it has already is not added again
    assert page.evaluate("[player.map.objects.length, player.playing]") == [4, True]
    assert page.evaluate("player.sound.sounds.filter((s) => s.name === 'soft-hitnormal').length") == 5
    position = page.evaluate("player.currentTime")
    page.evaluate("(osu) => player.load({ osu })", map_text(0, ["100,100,500,1,0"]))  # the song goes on
    assert page.evaluate("[player.map.objects.length, player.playing]") == [1, True]
    assert page.evaluate("player.currentTime") >= position


def test_hit_sounds_of_every_kind_and_own_samples(page: Any) -> None:
    edges = "100,100,2000,2,0,L|200:100,2,140,2|8|4,0:0|2:0|3:1,0:0:0:0:"
    osu = map_text(0, ["100,100,500,1,14,1:3:2:40:", edges, "256,192,4000,12,4,5000"])
    own = base64.b64encode(clicks([0], 0.1)).decode()
    page.evaluate(
        """([osu, own]) => { const samples = {}; samples['Soft-HitClap2.wav'] = Uint8Array.from(atob(own),
        (c) => c.charCodeAt(0)).buffer; return player.load({ osu, audio: null, samples }); }""",
        [osu, own],
    )
    page.wait_for_function("player.sound.custom.has('soft-hitclap2')")
    sounds = page.evaluate("player.sound.sounds.map((s) => [Math.round(s.time), s.name, s.index, s.volume])")
    assert [s for s in sounds if s[1] != "slidertick"] == [
        [500, "normal-hitnormal", 2, 0.4], [500, "drum-hitwhistle", 2, 0.4], [500, "drum-hitfinish", 2, 0.4],
        [500, "drum-hitclap", 2, 0.4], [2000, "soft-hitnormal", 0, 0.6], [2000, "soft-hitwhistle", 0, 0.6],
        [2500, "soft-hitnormal", 0, 0.6], [2500, "soft-hitclap", 0, 0.6], [3000, "drum-hitnormal", 0, 0.6],
        [3000, "normal-hitfinish", 0, 0.6], [5000, "soft-hitnormal", 0, 0.6], [5000, "soft-hitfinish", 0, 0.6],
    ]  # fmt: skip
    assert page.evaluate("player.sound.sounds.every(({ name }) => player.sound.samples.has(name))")


def test_keyboard_marks_range_and_events(page: Any) -> None:
    load(page, map_text(0, ["100,100,500,1,0", "200,100,9000,1,0"]))
    page.locator(".mp-player").focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    assert page.evaluate("player.currentTime") == pytest.approx(1125)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("[player.currentTime, player.rate]") == [pytest.approx(1000), 1.05]
    zoom = page.evaluate("player.timeline.zoom")
    page.keyboard.press("+")
    assert page.evaluate("player.timeline.zoom") > zoom
    page.keyboard.press("End")
    assert page.evaluate("player.currentTime") == page.evaluate("player.duration") == 10500
    page.evaluate("player.seek(0)")
    page.evaluate("player.setMarks([{ time: 1000, label: 'off', severity: 'problem' }])")
    line = page.locator(".mp-timeline").bounding_box()
    y, middle = line["y"] + line["height"] / 2, line["x"] + line["width"] / 2
    zoom = page.evaluate("player.timeline.zoom")
    page.mouse.click(middle + 1000 * zoom, y)  # on the mark
    assert page.evaluate("player.currentTime") == 1000
    page.mouse.move(middle, y)
    page.mouse.down()
    page.mouse.move(middle + 2000 * zoom / 2, y, steps=3)
    page.mouse.up()
    assert page.evaluate("player.range") == [1000, 2000]
    page.keyboard.press("Escape")
    heard = page.evaluate("heard")
    kinds = [kind for kind, _ in heard]
    assert "ready" in kinds and "time" in kinds
    assert [d["mark"]["label"] for k, d in heard if k == "mark"] == ["off"]
    assert [d["range"] for k, d in heard if k == "range" and d["final"]] == [[1000, 2000], None]
    page.keyboard.press(" ")
    assert page.evaluate("player.playing")
    page.keyboard.press("End")
    page.wait_for_function("heard.some(([kind]) => kind === 'ended')")
    page.evaluate("player.destroy()")
    assert page.evaluate("document.querySelector('#p').childElementCount") == 0


def test_everything_has_a_name_and_says_where_it_is(page: Any) -> None:
    load(page, map_text(0, ["100,100,500,1,0", "200,100,9000,1,0"]))
    page.evaluate("player.seek(3000); player.draw(3000)")
    nameless = """[...document.querySelectorAll('.mp-player, .mp-player canvas, .mp-player button, .mp-player input')]
        .filter((element) => !element.getAttribute('aria-label')).map((element) => element.outerHTML)"""
    assert page.evaluate(nameless) == []
    overview = page.locator(".mp-overview")
    assert overview.get_attribute("role") == "slider" and overview.get_attribute("aria-valuenow") == "3"
    assert overview.get_attribute("aria-valuetext") == "00:03 of 00:10"


@pytest.mark.parametrize("page", [(360, 640)], indirect=True)
def test_fits_a_telephone(page: Any) -> None:
    load(page, map_text(0, ["100,100,500,1,0"]))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    boxes = page.evaluate("[...document.querySelectorAll('.mp-player *')].map((e) => e.getBoundingClientRect().right)")
    assert max(boxes) <= 360.5
    assert page.evaluate("document.querySelector('.mp-stage').clientHeight") > 300


def until(page: Any, condition: str) -> None:
    """Waits for a condition on a page whose policy forbids Playwright's own way of waiting."""
    for _ in range(600):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never came true: {condition}")


def test_opens_archives_on_a_page_of_its_own(browser: tuple[Any, str], tmp_path: Path) -> None:
    chromium, address = browser
    archive = tmp_path / "set.osz"
    with zipfile.ZipFile(archive, "w") as file:
        head = "AudioFilename: Song.wav\nMode"
        for mode, method in ((0, zipfile.ZIP_DEFLATED), (3, zipfile.ZIP_STORED)):
            text = map_text(mode, ["100,100,500,1,0", "200,100,900,1,0"]).replace("Mode", head, 1)
            file.writestr(f"sub/map{mode}.osu", text, method)
        file.writestr("song.WAV", clicks([500, 900], 3), zipfile.ZIP_DEFLATED)
    page = chromium.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if _bad(m) else None)
    page.goto(f"{address}/player.html")
    page.set_input_files("#file", str(archive))
    until(page, "Boolean(player.sound.song)")
    assert page.locator("#difficulty option").all_text_contents() == ["osu! · V", "mania · V"]
    assert page.evaluate("[player.map.mode, Math.round(player.duration)]") == [0, 3000]
    page.select_option("#difficulty", "1")
    until(page, "player.map.mode === 3")
    page.set_input_files("#file", files=[{"name": "x.osz", "mimeType": "application/zip", "buffer": b"PK no zip"}])
    until(page, "document.querySelector('#status').textContent.includes('no .osz')")
    assert errors == []
    page.close()


def test_small_and_asks_nothing_from_outside() -> None:
    files = [*sorted((STATIC / "player").iterdir()), STATIC / "player.html"]
    assert sum(path.stat().st_size for path in files) <= MAX_BYTES
    for path in files:
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text.replace("https://osu", "") or path.suffix == ".html", path
        assert len(text.splitlines()) < 330, path
    assert json.dumps(sorted(p.name for p in files)).isascii()
