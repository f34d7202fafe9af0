"""Rules about breaks and storyboards."""

from __future__ import annotations

from collections.abc import Iterator

from .issue import PROBLEM, WARNING, Finding, problem, warning
from .registry import ALL_MODES, MANIA, Category, check
from .view import MapView

BREAK_AFTER_OBJECT = 200.0  # ms from the end of an object to a break (the editor keeps it)
MIN_BREAK = 650.0  # ms below which the game ignores a break
LENIENCY = 5.0  # ms by which saved breaks are off (lazer, CheckBreaks)


@check(
    "break_position", Category.EVENTS,
    "A break starts within 200 ms after an object, or ends less than the approach time before the next.",
    "MV CheckBreaks; lazer CheckBreaks", (PROBLEM,), gate=True,
)  # fmt: skip
def break_position(view: MapView) -> Iterator[Finding]:
    for pause in view.beatmap.breaks:
        following = view.first_at_or_after(pause.start)
        if following > 0:
            # The editor counts from the end of a slider, older versions of it from the start.
            wait = pause.start - view.latest_end(following - 1)
            wait = max(wait, pause.start - view.starts[following - 1]) if wait >= 0 else wait
            if BREAK_AFTER_OBJECT - wait > LENIENCY:
                yield problem(f"The break starts {BREAK_AFTER_OBJECT - wait:.0f} ms too early.", pause.start)
        if following < len(view.objects):
            early = view.preempt - (view.starts[following] - pause.end)
            if early > LENIENCY:
                yield problem(f"The break ends {early:.0f} ms too late.", pause.start)


@check(
    "break_length", Category.EVENTS, "A break is shorter than 650 ms, which the game ignores.", "MV CheckBreaks",
    (WARNING,),
)  # fmt: skip
def break_length(view: MapView) -> Iterator[Finding]:
    for pause in view.beatmap.breaks:
        if pause.end - pause.start < MIN_BREAK:
            yield warning(f"The break lasts {pause.end - pause.start:.0f} ms.", pause.start)


def _storyboard(view: MapView, names: tuple[str, ...]) -> list[list[str]]:
    lines = (line.strip().split(",") for line in view.beatmap.storyboard)
    return [fields for fields in lines if fields[0] in names]


@check(
    "story_hitsounds", Category.EVENTS, "The storyboard plays hit sounds.", "MV CheckStoryHitSounds", (WARNING,),
    modes=ALL_MODES - {MANIA},
)  # fmt: skip
def story_hitsounds(view: MapView) -> Iterator[Finding]:
    samples = _storyboard(view, ("Sample", "5"))
    if samples:
        yield warning(f"The storyboard plays {len(samples)} sounds.")


@check(
    "overlay_layer", Category.EVENTS, "The storyboard draws over the objects (overlay layer).",
    "MV CheckOverlayLayer", (WARNING,),
)  # fmt: skip
def overlay_layer(view: MapView) -> Iterator[Finding]:
    sprites = _storyboard(view, ("Sprite", "Animation", "4", "6"))
    if any(len(fields) > 1 and fields[1].strip() in ("Overlay", "4") for fields in sprites):
        yield warning("A storyboard sprite is on the overlay layer.")
