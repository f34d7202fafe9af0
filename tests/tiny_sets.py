"""Tiny sets of maps for the tests of data sets: a song of clicks, a few difficulties, damage and marks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from songs import click_track

from mapperatorinator.beatmap import Beatmap, Circle, Hold, Slider, SliderPath, TimingPoint, write_osz


def tiny_map(mode: int = 0, name: str = "Normal", seconds: float = 20.0, **fields: Any) -> Beatmap:
    """A map of 120 bpm with an object every beat up to 2 s before the end of a song of `seconds`."""
    objects: list[Any] = []
    for i in range(int(2 * seconds) - 4):
        time = 100.0 + 500.0 * i
        x, y = 64.0 + (i * 128) % 384, 192.0 if mode == 3 else 96.0 + 48 * (i % 4)
        if mode == 0 and i % 4 == 3:
            objects.append(Slider(x, y, time, path=SliderPath.of("L", [(x, y), (x + 70, y)]), length=70))
        elif mode == 3 and i % 4 == 3:
            objects.append(Hold(x, y, time, end_time=time + 400))
        else:
            objects.append(Circle(x, y, time, new_combo=i % 8 == 0, sound=8 * (i % 2)))
    lines = [TimingPoint(100.0, 500.0), TimingPoint(4100.0, -50.0, uninherited=False, effects=1)]
    told = {"title": "Clicks", "artist": "Tester", "creator": "someone", "circle_size": 4.0, **fields}
    return Beatmap(mode=mode, difficulty_name=name, hit_objects=objects, timing_points=lines, **told)


def tiny_set(path: Path, song: Path, *maps: Beatmap) -> Path:
    """Write an .osz of maps with a song and return its path."""
    return write_osz(path, maps, audio=song)


def tiny_folder(folder: Path) -> Path:
    """A folder of five sets: two good, one twice, one damaged, one whose maker objects; returns it."""
    folder.mkdir(parents=True)
    one, two = (click_track(folder.parent / f"{n}.wav", 20 + n, offset_ms=100 + 10 * n) for n in (0, 1))
    uploaded = {"beatmapset_id": 77, "artist": "Ünïcode"}
    tiny_set(
        folder / "a.osz", one, tiny_map(name="Easy", beatmap_id=501, **uploaded),
        tiny_map(1, "Oni", beatmap_id=502, **uploaded), tiny_map(name="Empty", **uploaded, seconds=1.0),
    )  # fmt: skip
    tiny_set(folder / "b.osz", two, tiny_map(3, "4K", creator="other"), tiny_map(2, "Rain", creator="other"))
    tiny_set(folder / "copy.osz", one, tiny_map(name="Easy", beatmap_id=501, **uploaded), tiny_map(name="More"))
    tiny_set(folder / "no.osz", two, tiny_map(name="Secret", tags="song NoAI"))
    (folder / "damaged.osz").write_bytes((folder / "a.osz").read_bytes()[:900])
    return folder
