"""The song that ships with the package, so that a first beatmap needs no file of the player's own."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def demo_song() -> Path:
    """The mp3 of the demo song ("Paper Comets", 54 s, 150 BPM, first beat at 500 ms, CC0)."""
    return Path(str(resources.files(__name__) / "demo.mp3"))
