"""Rules about osu!taiko bar lines, kiai and scroll speed."""

from __future__ import annotations

from collections.abc import Iterator

from .issue import MINOR, PROBLEM, WARNING, Finding, minor, problem, warning
from .levels import Level
from .lines import OMIT_BARLINE
from .registry import TAIKO, Category, check
from .taiko import EPSILON, normal_beat
from .view import MapView

BARLINE_NEAR = 5.0  # ms between a bar line and the scroll change that was meant for it
ROUNDING = 0.5  # ms
KIAI_FLASH_WARNING, KIAI_FLASH_MINOR = 1 / 2.5, 1 / 2  # beats
SAME_SPEED = 1.0  # BPM


@check(
    "taiko_barline_speed", Category.TIMING, "A bar line comes up to 5 ms before the scroll change meant for it.",
    "MV CheckBarlineUnaffectedBySv", (WARNING,), modes=(TAIKO,),
)  # fmt: skip
def taiko_barline_speed(view: MapView) -> Iterator[Finding]:
    for before, line in zip(view.lines, view.lines[1:], strict=False):
        if line.velocity == before.velocity or line.time == before.time or line.uninherited:
            continue
        red = view.red_line_at(line.time)
        late = (line.time - red.time) % (red.ms_per_beat * max(red.meter, 1))
        if ROUNDING <= late <= BARLINE_NEAR:
            yield warning(f"The bar line is {late:.2g} ms before a change of scroll speed.", line.time - late)


@check(
    "taiko_close_barlines", Category.TIMING, "A red line starts within half a measure after a bar line.",
    "MV CheckCloseBarlines", (PROBLEM, WARNING), modes=(TAIKO,), gate=True,
)  # fmt: skip
def taiko_close_barlines(view: MapView) -> Iterator[Finding]:
    for line, following in zip(view.red_lines, view.red_lines[1:], strict=False):
        measure = line.ms_per_beat * max(line.meter, 1)
        length = following.time - line.time
        if following.effects & OMIT_BARLINE or (line.effects & OMIT_BARLINE and length <= measure):
            continue
        rest = length % measure
        if min(rest, measure - rest) < EPSILON or length <= 0:
            continue
        say = problem if rest <= measure / 2 else warning
        yield say(f"The bar line before is {rest / line.ms_per_beat:.2g} beats away.", following.time)


@check(
    "taiko_kiai_flash", Category.TIMING, "Kiai lasts half a beat or less, which flashes the screen.",
    "MV CheckKiaiFlash", (WARNING, MINOR), modes=(TAIKO,),
)  # fmt: skip
def taiko_kiai_flash(view: MapView) -> Iterator[Finding]:
    for (time, _), (following, _) in zip(view.kiai_toggles, view.kiai_toggles[1:], strict=False):
        beat, gap = normal_beat(view.red_line_at(time)), following - time
        if gap < beat * KIAI_FLASH_MINOR + 1:
            say = warning if gap < beat * KIAI_FLASH_WARNING + 1 else minor
            yield say(f"Kiai changes again after {gap:.0f} ms.", time)


@check(
    "taiko_scroll_change", Category.TIMING, "The scroll speed leaves that of most of the map.",
    "MV CheckLowDiffScrollSpeed", (WARNING,), modes=(TAIKO,), levels=(Level.EASY, Level.NORMAL),
)  # fmt: skip
def taiko_scroll_change(view: MapView) -> Iterator[Finding]:
    if not view.objects:
        return
    end = max(view.ends)
    sections: list[tuple[float, float, bool]] = []  # (speed, duration, may be blamed)
    times = [line.time for line in view.lines]
    for n, line in enumerate(view.lines):
        until = times[n + 1] if n + 1 < len(times) else end
        begins, ends = view.first_at_or_after(line.time), view.first_at_or_after(until)
        used = ends > begins and until > line.time
        sections.append((view.line_speeds[n], max(0.0, until - line.time), used and not line.uninherited))
    totals: dict[float, float] = {}
    for speed, duration, _ in sections:
        totals[round(speed, 2)] = totals.get(round(speed, 2), 0.0) + duration
    usual = max(totals, key=lambda speed: totals[speed], default=0.0)
    for line, (speed, _, blamed) in zip(view.lines, sections, strict=True):
        if blamed and abs(speed - usual) > SAME_SPEED:
            yield warning(f"The scroll speed is {speed / usual:.2f} times the usual one.", line.time)
