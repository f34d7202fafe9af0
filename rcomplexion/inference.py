"""Rhythm complexity as CSV: `python rcomplexion/inference.py beatmap_path=folder`; options in `configs/inference.yaml`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from mapperatorinator.cli.scripts import script  # noqa: E402

if __name__ == "__main__":
    script(HERE / "configs", "inference", "beatmap_path", "complexity", {"output_path": "--out"})
