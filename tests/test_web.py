"""The page in a real browser: from a dropped song to a map, by mouse and by keyboard, wide and narrow."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mapperatorinator.beatmap import parse_beatmap
from mapperatorinator.demo import demo_song
from mapperatorinator.server.offer import languages

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parent.parent
ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--autoplay-policy=no-user-gesture-required"]  # fmt: skip
PATIENCE_MS = 120_000  # a busy machine is slow


def _browser_path() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("there is no Chromium here")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app, started as users start it."""
    _browser_path()
    folder = tmp_path_factory.mktemp("web")
    command = [sys.executable, "web-ui.py", "--no-browser", "--port", "0", "--data", str(folder)]
    app = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=os.name == "posix")
    assert app.stdout is not None
    found = re.search(r"http\S+", app.stdout.readline())
    assert found
    yield found[0]
    app.send_signal(signal.SIGINT)
    assert app.wait(20) == 0
    if os.name == "posix":  # its process group is empty: no worker stayed behind
        with pytest.raises(ProcessLookupError):
            os.killpg(app.pid, 0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = _browser_path()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


Open = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Open]:
    """Opens the page; at the end there must be no complaint in its console and no request elsewhere."""
    contexts: list[Any] = []
    complaints: list[str] = []
    home = address.split("#")[0]

    def opened(where: str = address, width: int = 1280, height: int = 860, **more: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True, **more)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda one: None if one.url.startswith((home, "blob:", "data:")) else complaints.append(one.url))
        page.goto(where)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture(scope="module")
def warm(browser: Any, address: str) -> None:
    """A song that has been heard, and a map of it."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    page.wait_for_selector("body.ready")
    page.set_input_files("#page-create input[type=file] >> nth=0", str(demo_song()))
    page.wait_for_selector(".beat")
    generate(page)
    page.close()


def until(good: Callable[[], bool]) -> None:
    """Wait until something holds; the page's policy forbids Playwright's own way of asking."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not good():
        assert time.monotonic() < end
        time.sleep(0.05)


def choose_demo(page: Any) -> None:
    """The song that `warm` has uploaded."""
    page.wait_for_selector("body.ready")
    page.locator(".recent button").first.click()
    page.wait_for_selector(".beat")


def candidates(page: Any, count: int) -> None:
    """How many maps a job draws: one is quick, many last as long as a test needs."""
    page.get_by_role("spinbutton", name="Candidates", exact=True).fill(str(count))


def generate(page: Any, stars: float = 3) -> None:
    """A quick map of the chosen song."""
    page.locator(".star-number").fill(str(stars))
    candidates(page, 1)
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Download .osz").wait_for()


def show_result(page: Any) -> None:
    """The newest result, on the first page."""
    choose_demo(page)
    page.get_by_role("link", name="History", exact=True).click()
    page.locator(".entry:has(.got .stars)").get_by_role("button", name="Open").first.click()
    page.wait_for_selector(".facts table")


def test_two_clicks_from_a_song_to_a_map(open_page: Open, warm: None) -> None:
    page = open_page()
    choose_demo(page)
    begun = time.monotonic()
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(".result[data-objects]")
    print(f"first objects after {time.monotonic() - begun:.1f} s")
    assert page.get_by_role("button", name="Cancel").first.is_visible()  # they came while it is drawn
    assert int(page.get_attribute(".result", "data-objects")) > 3
    download = page.get_by_role("button", name="Download .osz")
    download.wait_for()
    with page.expect_download() as waiting:
        download.click()
    archive = zipfile.ZipFile(io.BytesIO(Path(waiting.value.path()).read_bytes()))
    assert [name for name in archive.namelist() if name.endswith(".osu")]
    with archive.open(next(name for name in archive.namelist() if name.endswith(".osu"))) as file:
        written = parse_beatmap(file.read())
    assert int(page.get_attribute(".result", "data-objects")) == len(written.hit_objects)
    assert "★" in page.locator(".facts table").inner_text()
    page.get_by_role("button", name="Play", exact=True).last.click()
    page.wait_for_timeout(700)
    assert page.locator(".mp-now").inner_text() != "00:00.000"


def test_the_first_paint_is_quick_and_the_documented_buttons_are_there(open_page: Open, warm: None) -> None:
    page = open_page()
    page.wait_for_selector("body.ready")
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    print(f"first paint after {painted:.0f} ms")
    assert painted < 5000  # 1 s; several on a busy machine
    show_result(page)
    for name in ("Start", "Browse", "Open output folder"):
        assert page.get_by_role("button", name=name).first.is_visible()


def test_the_form_outlives_a_reload_and_can_be_carried(open_page: Open, warm: None, tmp_path: Path) -> None:
    page = open_page()
    choose_demo(page)
    page.get_by_role("radio", name="mania").check()
    page.get_by_role("button", name="stream").click()
    page.get_by_text("More settings").click()
    page.get_by_role("searchbox", name="Search settings").fill("hold note")
    page.get_by_label("hold note ratio", exact=True).fill("0.4")
    page.keyboard.press("Tab")
    page.get_by_role("searchbox", name="Search settings").fill("num beams")
    assert "not used by this model" in page.locator("#option-num_beams-help").inner_text()
    page.reload()
    page.wait_for_selector("body.ready")
    assert page.get_by_role("radio", name="mania").is_checked()
    assert page.get_by_role("button", name="stream").get_attribute("aria-pressed") == "true"
    page.get_by_text("More settings").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export").click()
    told = json.loads(Path(waiting.value.path()).read_text())
    assert told["settings"] == {"gamemode": 3, "descriptors": ["stream"], "hold_note_ratio": 0.4}
    page.get_by_role("button", name="Reset", exact=True).click()
    assert page.get_by_role("radio", name="osu!").is_checked()
    recipe = tmp_path / "old.json"
    recipe.write_text(json.dumps({"version": "1.0", "settings": {"gamemode": "1", "difficulty": "6.1", "unknown": "x"},
                                  "descriptors": {"positive": ["tech"], "negative": []}}))  # fmt: skip
    page.set_input_files("input[accept='.json']", str(recipe))
    until(lambda: page.locator(".star-number").input_value() == "6.1")
    assert page.get_by_role("radio", name="taiko").is_checked()


def test_the_beat_can_be_corrected(open_page: Open, warm: None) -> None:
    page = open_page()
    choose_demo(page)
    bpm = page.get_by_role("spinbutton", name="BPM", exact=True)
    before = float(bpm.input_value())
    page.get_by_role("button", name="Twice as fast").click()
    until(lambda: abs(float(bpm.input_value()) - 2 * before) < 0.01)
    assert page.get_by_text("set by hand").is_visible()
    page.get_by_role("button", name="Half as fast").click()
    until(lambda: abs(float(bpm.input_value()) - before) < 0.01)


def test_a_stretch_is_rolled_again_by_keyboard_and_undone(open_page: Open, warm: None) -> None:
    page = open_page()
    show_result(page)
    wave = page.locator(".result .wave")
    wave.focus()
    for key in ("Home", "PageUp"):
        page.keyboard.press(key)
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")
    page.get_by_role("spinbutton", name="Alternatives").fill("1")
    page.get_by_role("button", name="Re-roll here").click()
    page.get_by_role("button", name="Keep this one").wait_for()
    page.locator(".reroll button").nth(1).click()
    page.get_by_role("button", name="Keep this one").click()
    undo = page.get_by_role("button", name="Undo")
    undo.wait_for()
    undo.click()
    undo.wait_for(state="detached")


def test_a_job_is_cancelled_from_the_page(open_page: Open, warm: None) -> None:
    page = open_page()
    choose_demo(page)
    candidates(page, 64)
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(".result progress")
    page.locator(".result").get_by_role("button", name="Cancel").click()
    page.locator(".result").get_by_role("button", name="Try again").wait_for()


def test_history_and_the_comparison_of_two(open_page: Open, warm: None) -> None:
    page = open_page()
    choose_demo(page)
    generate(page, 3)
    page.get_by_label("Compare with…").select_option(index=1)
    page.get_by_role("button", name="Hear this one").wait_for()
    assert page.locator(".mp-player").count() == 2
    page.get_by_role("link", name="History").click()
    page.locator(".entry [aria-pressed]").first.click()
    page.get_by_label("Favourites only").check()
    until(lambda: page.locator(".entry").count() == 1)
    page.reload()
    page.wait_for_selector(".entry")
    page.get_by_role("button", name="Use these settings").first.click()
    assert page.locator(".star-number").input_value() == "3"


def test_maimod_shows_findings(open_page: Open, warm: None) -> None:
    page = open_page()
    show_result(page)
    page.get_by_role("link", name="Check in MaiMod").click()
    page.wait_for_selector(".finding")
    assert page.locator(".lanes").is_visible()
    count = page.locator(".finding").count()
    page.locator(".finding").first.get_by_role("button", name="Ignore").click()
    assert page.locator(".finding").count() < count
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export as text").click()
    assert Path(waiting.value.path()).read_text()


def test_hostile_names_stay_text(open_page: Open, tmp_path: Path) -> None:
    from tests.test_server import MAP

    page = open_page()
    page.on("dialog", lambda dialog: pytest.fail("a script of the map ran"))
    page.wait_for_selector("body.ready")
    archive = tmp_path / "evil.osz"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("map.osu", MAP.replace("Version:Hard", "Version:<b onclick=alert(3)>x</b>"))
        file.writestr("song.mp3", demo_song().read_bytes())
    page.set_input_files("#page-create input[type=file] >> nth=0", str(archive))
    page.get_by_label("Start from a map of this set").wait_for()
    assert page.locator("main img[onerror], main b, main script").count() == 0


def test_without_the_token_the_page_says_what_to_do(browser: Any, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(address.split("#")[0])
    page.get_by_text("Open the address that the terminal shows").wait_for()
    context.close()


def test_five_tabs_see_the_same(open_page: Open, browser: Any, address: str, warm: None) -> None:
    page = open_page()
    choose_demo(page)
    others = [page.context.new_page() for _ in range(4)]
    for other in others:
        other.goto(address)
        other.wait_for_selector("body.ready")
    candidates(page, 64)
    page.get_by_role("button", name="Start").click()
    for other in others:
        other.wait_for_selector(".queue .job.running")
    page.locator(".result").get_by_role("button", name="Cancel").click()
    for other in others:
        other.wait_for_selector(".queue .job.running", state="detached")


@pytest.mark.parametrize("code", sorted(languages()))
def test_every_language_is_spoken(open_page: Open, code: str) -> None:
    page = open_page(locale=code)
    page.wait_for_selector("body.ready")
    assert page.evaluate("document.documentElement.lang") == code
    text = page.locator("body").inner_text()
    assert not re.search(r"\b(?:ask|nav|song|form|drop|queue|result)\.[a-z_]+", text)


AUDIT = (ROOT / "tests" / "audit.js").read_text(encoding="utf-8").split("\n", 1)[1]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_everyone_can_use_it(open_page: Open, warm: None, theme: str) -> None:
    page = open_page(color_scheme=theme)
    page.wait_for_selector("body.ready")
    assert page.evaluate(AUDIT) == []
    show_result(page)
    page.get_by_text("More settings").click()
    page.evaluate("document.querySelectorAll('details.group').forEach((one) => { one.open = true; })")
    assert page.evaluate(AUDIT) == []
    for name in ("MaiMod", "History"):
        page.get_by_role("link", name=name, exact=True).click()
        assert page.evaluate(AUDIT) == []


def test_it_fits_a_telephone(open_page: Open, warm: None) -> None:
    page = open_page(width=360, height=740)
    show_result(page)
    page.get_by_text("More settings").click()
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for name in ("Create", "MaiMod", "History"):
        page.get_by_role("link", name=name, exact=True).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


FOCUSED = "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent).trim()"


def test_the_keyboard_is_enough(open_page: Open, warm: None) -> None:
    page = open_page()
    page.wait_for_selector("body.ready")

    def walk_to(name: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if name in page.evaluate(FOCUSED):
                return
        raise AssertionError(f"{name} is out of the keyboard's reach")

    walk_to("Paper Comets")
    page.keyboard.press("Enter")
    page.wait_for_selector(".beat")
    candidates(page, 64)
    walk_to("Start")
    page.keyboard.press("Enter")
    page.wait_for_selector(".result[data-objects]")
    walk_to("Cancel")
    page.keyboard.press("Enter")
    page.locator(".result").get_by_role("button", name="Try again").wait_for()
