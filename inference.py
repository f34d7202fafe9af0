"""Turn a song into a beatmap: `python inference.py audio_path=song.mp3 gamemode=0 difficulty=5.3`.

`-cn inference_v29` picks a profile under configs/; every option can be overridden as name=value.
"""

from __future__ import annotations

from pathlib import Path

from mapperatorinator.cli.profiles import main

if __name__ == "__main__":
    main(Path(__file__).resolve().parent / "configs")
