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
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from mapperatorinator.mapper import Surprisal
from mapperatorinator.modding.suggestion import Topic

TABLE = Path(__file__).with_name("calibration.json")
LEVELS = np.arange(1.0, 13.0, 0.5)  # S in bits
_LEAST = 3  # findings that a level must rest on
_STEEPEST, _FLATTEST = 2.0, 0.25  # bits of S per raw bit beyond the table
_TAIL = 4  # levels that the table's end is continued from

TOPICS = {
    "offset": Topic.TIMING, "tempo": Topic.TIMING,
    "move": Topic.RHYTHM, "snap": Topic.RHYTHM, "kind": Topic.RHYTHM, "holds": Topic.RHYTHM,
    "extra": Topic.EXTRA, "missing": Topic.MISSING,
    "place": Topic.PLACES, "columns": Topic.PLACES, "combo": Topic.PLACES,
    "shape": Topic.SLIDERS, "velocity": Topic.SLIDERS,
    "sound": Topic.HITSOUNDS, "bank": Topic.HITSOUNDS, "volume": Topic.HITSOUNDS,
}  # fmt: skip
_SHARING = {topic: sum(other is topic for other in TOPICS.values()) for topic in Topic}

Table = Mapping[str, Mapping[str, Sequence[float]]]


def thresholds(bits: Iterable[float], seconds: float, aspect: str) -> list[float]:
    """Raw bits that are as rare as each of `LEVELS`, as far as findings of one aspect in so much play can tell.

    Aspects of one topic share its rate evenly.
    """
    ordered = np.sort(np.asarray(list(bits), float))[::-1]
    ranks = seconds / 2.0**LEVELS / _SHARING[TOPICS[aspect]]
    ordered = np.append(ordered, 0.0)  # every finding is rarer than what has fewer of them
    return [round(float(ordered[min(int(rank), len(ordered) - 1)]), 3) for rank in ranks if rank >= _LEAST]


def calibrated(bits: float, aspect: str, mode: int, table: Table | None = None) -> float:
    """S of a finding of so many raw bits; 0 at least. Beyond the table its last slope goes on.

    A mode or aspect that the table does not know is read as osu!, then as uncalibrated.
    """
    everything = table if table is not None else _table()
    known = everything.get(str(mode), {}).get(aspect) or everything.get("0", {}).get(aspect)
    if not known:
        return bits
    raw = np.maximum.accumulate(np.array(known))
    levels = LEVELS[: len(raw)]
    if bits <= raw[0]:
        return float(max(0.0, levels[0] * bits / raw[0])) if raw[0] > 0 else 0.0
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
        due = seconds / 2.0 ** values[i] / _SHARING[TOPICS.get(aspect, Topic.RHYTHM)]
        values[i] = max(values[i] - float(np.log2(max(counts[aspect] / max(due, 1.0), 1.0))), 0.0)
    return values


@lru_cache(maxsize=1)
def _table() -> Table:
    return json.loads(TABLE.read_text(encoding="utf-8"))["modes"]
