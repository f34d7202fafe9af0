"""A second pair of eyes on a beatmap: `python mai_mod.py beatmap_path=map.osu`; it reads and never writes.

Options: audio_path= raw_output=true json=true threshold=6 severity=warning category=timing top=10.
"""

from __future__ import annotations

from mapperatorinator.cli.mod import main

if __name__ == "__main__":
    main()
