"""What is heard and what is written: hit sounds under the timing lines in force.

An object names only what differs from its line; 0 stands for "as the line". Events name everything.
"""

from __future__ import annotations

from mapperatorinator.beatmap import HitSample, TimingIndex, TimingPoint
from mapperatorinator.events.event import Hitsound

SAMPLE_DELAY_MS = 5  # the line heard is the one in force this long after the moment
ADDITIONS = 14  # bits of whistle, finish and clap
AUTOMATIC_SET = 2  # what a line without a sample set sounds like


def sound_of(index: TimingIndex, time: float, sound: int, sample: HitSample) -> Hitsound:
    """Return what is heard at `time` ms of an object that asks for `sound` (bits) and `sample`."""
    line = _line(index, time) or TimingPoint(0.0, 500.0)
    normal = sample.normal_set or line.sample_set or AUTOMATIC_SET
    addition = sample.addition_set or normal
    return Hitsound(
        sound & ADDITIONS,
        normal if 1 <= normal <= 3 else 1,
        addition if 1 <= addition <= 3 else 1,
        min(max(sample.volume or line.volume, 0), 100),
    )


def sample_for(index: TimingIndex, time: float, sound: Hitsound) -> HitSample:
    """Return what an object at `time` ms has to ask for, so that `sound` is heard."""
    line = _line(index, time)
    if line is None:
        return HitSample(sound.normal_set, sound.addition_set, 0, sound.volume)
    return HitSample(
        0 if sound.normal_set == (line.sample_set or AUTOMATIC_SET) else sound.normal_set,
        0 if sound.addition_set == sound.normal_set else sound.addition_set,
        0,
        0 if sound.volume == line.volume else sound.volume,
    )


def _line(index: TimingIndex, time: float) -> TimingPoint | None:
    """The line heard at `time`: before the first line that is the first."""
    return index.point_at(time + SAMPLE_DELAY_MS) or (index.points[0] if index.points else None)
