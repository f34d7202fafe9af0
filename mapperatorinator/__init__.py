"""Mapperatorinator turns a song into an osu! beatmap.

The ladder, each rung usable alone: `audio.load_audio` -> `timing.find_timing` -> `mapper.load_mapper`
-> `events.events_to_beatmap` -> `finishing.finish` -> `beatmap.write_osz`; `pipeline.generate` walks it.
Nothing is imported here, so that `import mapperatorinator` costs nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"
