"""The lines of a map in order of time, and what is in force when."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

from ..beatmap import Beatmap, TimingPoint
from .snapping import BeatGrid

HITSOUND_LENIENCY = 5.0  # ms a line may come after the object it is heard on (game constant)


class Timeline:
    """Red and green lines of a beatmap; of lines at one time the red one comes first."""

    def __init__(self, beatmap: Beatmap) -> None:
        self.beatmap = beatmap
        self.lines: list[TimingPoint] = sorted(
            beatmap.timing_points, key=lambda line: (line.time, not line.uninherited)
        )
        self.red_lines = [line for line in self.lines if line.uninherited]
        self._line_times = [line.time for line in self.lines]

    @cached_property
    def grid(self) -> BeatGrid:
        """The beat grid of the red lines."""
        return BeatGrid(self.red_lines)

    def red_line_at(self, time: float) -> TimingPoint:
        """The red line in force at `time` ms; 60 BPM from 0 where there is none."""
        return self.beatmap.timing.red_at(time)

    def line_index(self, time: float, leniency: float = 0.0) -> int:
        """Index in `lines` of the line in force at `time`, the first before it, -1 if there are none."""
        if not self.lines:
            return -1
        return max(0, bisect_right(self._line_times, time + leniency) - 1)

    def line_at(self, time: float, leniency: float = 0.0) -> TimingPoint | None:
        """The line of either colour in force at `time`; `leniency` lets later lines count."""
        i = self.line_index(time, leniency)
        return self.lines[i] if i >= 0 else None

    def sound_line(self, time: float) -> TimingPoint | None:
        """The line whose volume and sample set are heard at `time`."""
        return self.line_at(time, HITSOUND_LENIENCY)

    @cached_property
    def line_speeds(self) -> list[float]:
        """Effective speed of sliders in each line's section: BPM times velocity."""
        speeds, bpm = [], 60.0
        for line in self.lines:
            bpm = line.bpm if line.uninherited else bpm
            speeds.append(bpm * line.velocity)
        return speeds

    @cached_property
    def kiai_toggles(self) -> list[tuple[float, bool]]:
        """Times in ms at which kiai starts (True) or ends (False)."""
        toggles: list[tuple[float, bool]] = []
        state = False
        for n, line in enumerate(self.lines):
            last_of_time = n + 1 == len(self.lines) or self.lines[n + 1].time != line.time
            if last_of_time and line.kiai != state:
                state = line.kiai
                toggles.append((line.time, state))
        return toggles
