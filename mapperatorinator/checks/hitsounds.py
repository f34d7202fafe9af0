"""Rules about hit sounds within one map."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator

from ..beatmap import Slider, Spinner
from .issue import MINOR, PROBLEM, WARNING, Finding, minor, problem, warning
from .registry import ALL_MODES, CATCH, MANIA, OSU, TAIKO, Category, check
from .samples import ADDITIONS, FINISH, edge_samples, is_own_file, mania_samples, note_volume
from .view import MapView

# (time in ms, objects) that may pass without a sound of their own (Mapset Verifier, CheckHitSounds).
SILENCE_PROBLEM, SILENCE_WARNING = (36_000.0, 8), (12_000.0, 2)

QUIET, FAINT = 10, 20  # percent (Mapset Verifier, CheckMuted)
AUDIBLE_MINIMUM = 5  # percent; the game plays nothing quieter

DRUM = 3
COMMON_FINISH = 1000.0  # ms of drain per finish below which finishes wear out
FREQUENT_FINISHES, FREQUENT_TIME = 9, 4000.0  # so many finishes within so many ms


def _stretches(view: MapView) -> Iterator[list[tuple[float, bool, int]]]:
    """Runs of (time, sounds of its own, object) edges not interrupted by a break or spinner."""
    pauses = sorted(
        [(pause.start, pause.end) for pause in view.beatmap.breaks]
        + [(obj.time, obj.end_time) for obj in view.objects if isinstance(obj, Spinner)]
    )
    starts = [start for start, _ in pauses]
    stretches: dict[int, list[tuple[float, bool, int]]] = {}
    last_set = 0
    for i, obj in enumerate(view.objects):
        if isinstance(obj, Spinner):
            continue
        for edge in edge_samples(view, i):
            changed = last_set not in (0, edge.normal_set)
            last_set = edge.normal_set
            sounds = bool(edge.sound & ADDITIONS) or changed
            stretches.setdefault(bisect_right(starts, edge.time), []).append((edge.time, sounds, i))
    yield from stretches.values()


def _silences(view: MapView) -> Iterator[tuple[float, float, int, int]]:
    """(start, end, edges between, object) of every stretch without a hit sound."""
    for stretch in _stretches(view):
        begin, passed, first = stretch[0][0], 0, stretch[0][2]
        for time, sounds, i in stretch:
            if sounds:
                yield begin, time, passed, first
                begin, passed, first = time, 0, i
            else:
                passed += 1
        yield begin, stretch[-1][0], passed, first


@check(
    "hit_sounds", Category.HITSOUNDS, "No hit sound or change of sample set for 36 s (warning: 12 s), or at all.",
    "MV CheckHitSounds; lazer CheckFewHitsounds", (PROBLEM, WARNING), modes=(OSU, CATCH), gate=True,
)  # fmt: skip
def hit_sounds(view: MapView) -> Iterator[Finding]:
    if not view.objects:
        return
    if not any(sounds for stretch in _stretches(view) for _, sounds, _ in stretch):
        yield problem("There are no hit sounds and no changes of sample set.")
        return
    for begin, end, passed, first in _silences(view):
        for say, (time, objects) in ((problem, SILENCE_PROBLEM), (warning, SILENCE_WARNING)):
            if end - begin > time and passed > objects:
                yield say(f"No hit sounds for {(end - begin) / 1000:.0f} s.", begin, first)
                break


@check(
    "muted", Category.HITSOUNDS, "An object is at 10 % volume or less (minor: 20 %, or a tail or tick at 10 %).",
    "MV CheckMuted; lazer CheckMutedObjects", (WARNING, MINOR),
)  # fmt: skip
def muted(view: MapView) -> Iterator[Finding]:
    for i, obj in enumerate(view.objects):
        if isinstance(obj, Spinner):
            continue
        volume = max(AUDIBLE_MINIMUM, note_volume(view, i))
        if volume <= FAINT:
            say = warning if volume <= QUIET else minor
            yield say(f"{view.edge_name(i, 0)} at {volume} % volume.", None, i)
        if not isinstance(obj, Slider):
            continue
        parts = [
            (time, view.edge_name(i, n + 1), n + 1 < obj.slides) for n, time in enumerate(view.edges(i)[1:])
        ]
        parts += [(time, "Slider tick", False) for time in view.ticks(i)]
        for time, name, clicked in parts:
            line = view.sound_line(time)
            if line is not None and max(AUDIBLE_MINIMUM, line.volume) <= QUIET:
                say = warning if clicked else minor
                yield say(f"{name} at {max(AUDIBLE_MINIMUM, line.volume)} % volume.", time, i)


@check(
    "common_finish", Category.HITSOUNDS, "Normal or soft finishes sound so often that they wear out.",
    "after MV CheckCommonFinish", (WARNING,), modes=ALL_MODES - {TAIKO},
)  # fmt: skip
def common_finish(view: MapView) -> Iterator[Finding]:
    times = sorted({
        edge.time
        for i in range(len(view.objects))
        for edge in edge_samples(view, i)
        if edge.sound & FINISH and edge.addition_set != DRUM
    })  # fmt: skip
    for first, last in zip(times, times[FREQUENT_FINISHES - 1 :], strict=False):
        if last - first < FREQUENT_TIME:
            yield warning(f"{FREQUENT_FINISHES} finishes within {FREQUENT_TIME / 1000:.0f} s.", first)
            return
    if times and view.drain_time / len(times) < COMMON_FINISH:
        yield warning(f"{len(times)} finishes, one every {view.drain_time / len(times) / 1000:.1f} s.")


@check(
    "double_hitsounds", Category.HITSOUNDS, "Notes of one chord play the same addition or sample file.",
    "MV CheckDoubleHitSounds", (WARNING,), modes=(MANIA,),
)  # fmt: skip
def double_hitsounds(view: MapView) -> Iterator[Finding]:
    chords: dict[int, list[int]] = {}
    for i, start in enumerate(view.starts):
        chords.setdefault(round(start), []).append(i)
    for notes in chords.values():
        played = Counter(sample for i in notes for sample in mania_samples(view, i))
        for sample, times in played.items():
            if times > 1:
                name = sample if is_own_file(sample) else sample.replace("-", " ")
                yield warning(f"{name} sounds {times} times at once.", None, *notes)
