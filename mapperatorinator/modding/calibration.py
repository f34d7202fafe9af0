"""Makes surprisals comparable: 8 bits mean the same rarity in every topic and mode.

A finding of S bits is one so surprising that a human map has another of its topic only every 2^S seconds of play:
6 bits come about once a minute in each topic, 8 bits every four minutes, 12 bits once in an hour. What a map does
again and again is its style: its k-th most surprising finding of an aspect, where fewer than k were due, loses
log2 of as many times as it came too often. The table
`calibration.json` holds, for every mode and aspect, the raw bits that are as rare as that; it was made from maps
of the training split of the corpus. Make it anew after the embedded networks have changed:

    python -m mapperatorinator.evaluation.calibrate
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.mapper import Surprisal
from mapperatorinator.modding.suggestion import Topic

TABLE = Path(__file__).with_name("calibration.json")
LEVELS = np.arange(1.0, 13.0, 0.5)  # S in bits
_LEAST = 3  # findings that a level must rest on
_STEEPEST, _FLATTEST = 2.0, 0.25  # bits of S per raw bit beyond the table
_TAIL = 4  # levels that the table's end is continued from

# Of every aspect its topic, and its share of the topic's rate: the more, the oftener a mistake shows in it. "time" is
# a published model's "move", "columns" are mania's "place".
_SHARES = {
    Topic.TIMING: {"offset": 0.5, "tempo": 0.5},
    Topic.RHYTHM: {"move": 0.8, "time": 0.8, "snap": 0.15, "kind": 0.03, "holds": 0.02},
    Topic.EXTRA: {"extra": 1.0},
    Topic.MISSING: {"missing": 1.0},
    Topic.PLACES: {"place": 0.4, "columns": 0.4, "combo": 0.4, "chain": 0.2},
    Topic.SLIDERS: {"shape": 0.8, "velocity": 0.2},
    Topic.HITSOUNDS: {"silence": 0.8, "sound": 0.1, "bank": 0.05, "volume": 0.05},
}
TOPICS = {aspect: topic for topic, aspects in _SHARES.items() for aspect in aspects}

Table = Mapping[str, Mapping[str, Sequence[float]]]


def share(aspect: str) -> float:
    """An aspect's share of its topic's rate; that of one unknown is small."""
    return _SHARES[TOPICS[aspect]][aspect] if aspect in TOPICS else 0.1


def table_of(found: Iterable[Surprisal], seconds: float) -> dict[str, list[float]]:
    """Of every aspect the raw bits that are as rare as each of `LEVELS`, as far as findings in so much play can tell."""
    bits: dict[str, list[float]] = defaultdict(list)
    for one in found:
        bits[one.aspect].append(one.bits)
    return {aspect: thresholds(values, seconds) for aspect, values in sorted(bits.items())}


def thresholds(bits: Iterable[float], seconds: float) -> list[float]:
    """Raw bits that are as rare as each of `LEVELS`, as far as findings of one aspect in so much play can tell."""
    ordered = np.sort(np.asarray(list(bits), float))[::-1]
    ordered = np.append(ordered, 0.0)  # every finding is rarer than what has fewer of them
    ranks = seconds / 2.0**LEVELS
    return [round(float(ordered[min(int(rank), len(ordered) - 1)]), 3) for rank in ranks if rank >= _LEAST]


def calibrated(bits: float, aspect: str, mode: int, table: Table | None = None) -> float:
    """S of a finding of so many raw bits: how rare they are in human maps, and their aspect in its topic; 0 at least.

    A mode or aspect that the table does not know is read as osu!, then as uncalibrated.
    """
    everything = table if table is not None else _table()
    known = everything.get(str(mode), {}).get(aspect) or everything.get("0", {}).get(aspect)
    return max(_rarity(bits, np.maximum.accumulate(known)) + float(np.log2(share(aspect))), 0.0) if known else bits


def _rarity(bits: float, raw: NDArray[np.float64]) -> float:
    """The level of so many raw bits; beyond the table its last slope goes on."""
    levels = LEVELS[: len(raw)]
    if bits <= raw[0]:
        return float(levels[0] * bits / raw[0]) if raw[0] > 0 else 0.0
    if bits >= raw[-1]:
        back = min(_TAIL, len(raw) - 1)
        rise = raw[-1] - raw[-1 - back]
        slope = (levels[-1] - levels[-1 - back]) / rise if rise > 0 else _STEEPEST
        return float(levels[-1] + np.clip(slope, _FLATTEST, _STEEPEST) * (bits - raw[-1]))
    return float(np.interp(bits, raw, levels))


def rated(found: Sequence[Surprisal], mode: int, seconds: float) -> list[float]:
    """S of all findings of one map with so many seconds of play, habits discounted; in the order given."""
    values = [calibrated(one.bits, one.aspect, mode) for one in found]
    counts: Counter[str] = Counter()
    for i in sorted(range(len(found)), key=lambda i: -values[i]):
        aspect = found[i].aspect
        counts[aspect] += 1
        due = seconds / 2.0 ** values[i] * share(aspect)
        values[i] = max(values[i] - float(np.log2(max(counts[aspect] / max(due, 1.0), 1.0))), 0.0)
    return values


def rarities(found: Sequence[Surprisal], seconds: float) -> list[float]:
    """S of all findings of one map by their rank in it, for models that no table was made for; in the order given."""
    values = [0.0] * len(found)
    counts: Counter[str] = Counter()
    for i in sorted(range(len(found)), key=lambda i: -found[i].bits):
        counts[found[i].aspect] += 1
        due = seconds * share(found[i].aspect) / counts[found[i].aspect]
        values[i] = float(np.log2(due)) if due > 1 else 0.0
    return values


@lru_cache(maxsize=1)
def _table() -> Table:
    return json.loads(TABLE.read_text(encoding="utf-8"))["modes"]
