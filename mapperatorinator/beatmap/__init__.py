"""Beatmaps: objects, files, timing, slider paths, archives and star rating; knows no other room."""

from __future__ import annotations

from .beatmap import CATCH, MANIA, OSU, TAIKO, Beatmap, Break, Colour, Video
from .names import safe_name
from .objects import Circle, HitObject, HitSample, Hold, Slider, Spinner
from .osz import Mapset, archive_name, beatmap_name, read_osz, write_osz
from .parse import parse_beatmap, read_beatmap
from .path import PathPoint, SliderPath
from .stacking import circle_radius, pile_heights, preempt, stack_heights, stack_offset, stacked_positions
from .stars import difficulty_attributes, star_rating, strains
from .timing import TimingIndex, TimingPoint
from .write import save_beatmap, write_beatmap

__all__ = [
    "CATCH", "MANIA", "OSU", "TAIKO", "Beatmap", "Break", "Circle", "Colour", "HitObject", "HitSample",
    "Hold", "Mapset", "PathPoint", "Slider", "SliderPath", "Spinner", "TimingIndex", "TimingPoint", "Video",
    "archive_name", "beatmap_name", "circle_radius", "difficulty_attributes", "parse_beatmap",
    "pile_heights", "preempt", "read_beatmap", "read_osz", "safe_name", "save_beatmap", "stack_heights",
    "stack_offset", "stacked_positions", "star_rating", "strains", "write_beatmap", "write_osz",
]  # fmt: skip
