"""Beatmaps: objects, files, timing, slider paths, archives and star rating; knows no other room."""

from __future__ import annotations

from .beatmap import CATCH, MANIA, OSU, TAIKO, Beatmap, Break, Colour, Video
from .objects import Circle, HitObject, HitSample, Hold, Slider, Spinner
from .parse import parse_beatmap, read_beatmap
from .path import PathPoint, SliderPath
from .stars import star_rating
from .timing import TimingIndex, TimingPoint
from .write import save_beatmap, write_beatmap

__all__ = [
    "CATCH", "MANIA", "OSU", "TAIKO", "Beatmap", "Break", "Circle", "Colour", "HitObject", "HitSample", "Hold",
    "PathPoint", "Slider", "SliderPath", "Spinner", "TimingIndex", "TimingPoint", "Video", "parse_beatmap",
    "read_beatmap", "save_beatmap", "star_rating", "write_beatmap",
]  # fmt: skip
