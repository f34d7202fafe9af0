"""From settings to files: `generate(settings)` walks the song through the house."""

from __future__ import annotations

from mapperatorinator.pipeline.recipe import read_recipe
from mapperatorinator.pipeline.walk import Made, Progress, Result, Step, find_timing_for, generate, prepare

__all__ = ["Made", "Progress", "Result", "Step", "find_timing_for", "generate", "prepare", "read_recipe"]
