"""Whether the difficulties of a set sound alike where they have notes in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .issue import MINOR, WARNING, Finding, minor, warning
from .registry import CATCH, MANIA, OSU, Category, set_check
from .samples import ADDITION_NAMES, edge_samples, mania_samples
from .view import MapView

MIN_SOUNDS = 8  # below this a difficulty is never taken to have hit sounds of its own
OWN_SHARE = 0.25  # of its sounds that must differ for that

Sounds = dict[int, frozenset[str]]  # time in ms → what is added to the plain hit


def _edge_sounds(view: MapView) -> Sounds:
    result: Sounds = {}
    for i in range(len(view.objects)):
        edges = list(edge_samples(view, i))
        for edge in (edges[0], edges[-1]):
            names = frozenset(name for bit, name in ADDITION_NAMES.items() if edge.sound & bit)
            result[round(edge.time)] = result.get(round(edge.time), frozenset()) | names
    return result


def _note_sounds(view: MapView) -> Sounds:
    result: Sounds = {}
    for i, start in enumerate(view.starts):
        result[round(start)] = result.get(round(start), frozenset()) | set(mania_samples(view, i))
    return result


def _heard(sounds: Sounds, time: int) -> frozenset[str] | None:
    """What sounds at `time`, give or take a millisecond; None where there is no note."""
    return next((sounds[t] for t in (time, time - 1, time + 1) if t in sounds), None)


def _differences(sounds: Sounds, others: list[Sounds]) -> float:
    """How many sounds differ from the others where notes coincide, on average."""
    count = 0
    for time, names in sounds.items():
        for other in others:
            heard = _heard(other, time)
            count += 0 if heard is None else len(names ^ heard)
    return count / max(1, len(others))


def _own_hitsounds(all_sounds: list[Sounds]) -> set[int]:
    """Which difficulties differ so much from the rest that they must mean it."""
    scores = [_differences(s, all_sounds[:n] + all_sounds[n + 1 :]) for n, s in enumerate(all_sounds)]
    mean, least = sum(scores) / len(scores), min(scores)
    return {
        n
        for n, (score, sounds) in enumerate(zip(scores, all_sounds, strict=True))
        if sum(map(len, sounds.values())) >= MIN_SOUNDS and score - least > max(mean, len(sounds) * OWN_SHARE)
    }


def _compare(views: Sequence[MapView], all_sounds: list[Sounds]) -> Iterator[Finding]:
    own = _own_hitsounds(all_sounds)
    for n in sorted(own):
        yield warning("This difficulty has hit sounds of its own.")._replace(difficulty=n)
    alike = [n for n in range(len(views)) if n not in own]
    for n in alike:
        for time, names in sorted(all_sounds[n].items()):
            heard = [(k, _heard(all_sounds[k], time)) for k in alike if k != n]
            present = [(k, sounds) for k, sounds in heard if sounds is not None]
            lacking = [(k, sounds - names) for k, sounds in present if sounds - names]
            if lacking:
                others = len(present) if views[n].mode == MANIA else len(alike) - 1
                say = warning if len(lacking) * 2 > others else minor
                missing = ", ".join(sorted(set().union(*(sounds for _, sounds in lacking))))
                where = ", ".join(views[k].beatmap.difficulty_name for k, _ in lacking)
                yield say(f"Lacks {missing}, heard in {where}.", time)._replace(difficulty=n)


@set_check(
    "hitsound_consistency", Category.HITSOUNDS, "An addition sounds in other difficulties at this time.",
    "MV CheckHitSoundConsistency", (WARNING, MINOR), modes=(OSU, CATCH),
)  # fmt: skip
def hitsound_consistency(views: Sequence[MapView]) -> Iterator[Finding]:
    if len(views) > 1:
        yield from _compare(views, [_edge_sounds(view) for view in views])


@set_check(
    "mania_hitsound_consistency", Category.HITSOUNDS, "A sample sounds in other difficulties at this time.",
    "MV CheckManiaHitSoundConsistency", (WARNING, MINOR), modes=(MANIA,),
)  # fmt: skip
def mania_hitsound_consistency(views: Sequence[MapView]) -> Iterator[Finding]:
    if len(views) > 1:
        yield from _compare(views, [_note_sounds(view) for view in views])
