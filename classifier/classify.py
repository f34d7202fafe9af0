"""Whose map is this: `python classifier/classify.py beatmap_path=map.osu`; options in `configs/inference.yaml`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from mapperatorinator.cli.scripts import script  # noqa: E402

FLAGS = {"audio_path": "--audio", "time": "--time", "top": "--top", "model": "--model", "json": "--json"}

if __name__ == "__main__":
    script(HERE / "configs", "inference", "beatmap_path", "classify", FLAGS)
