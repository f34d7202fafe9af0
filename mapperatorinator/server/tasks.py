"""What a worker can do: listen to an upload, map a song, map a stretch of a map again, put one in, review.

Every task takes its parameters as JSON types and a `say(kind, …)` to report with, and returns JSON types. Files
are read and written only in the folders that the app names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mapperatorinator.beatmap import (
    Beatmap,
    archive_name,
    read_beatmap,
    read_osz,
    safe_name,
    save_beatmap,
    star_rating,
    strains,
    write_beatmap,
    write_osz,
)
from mapperatorinator.checks import run_checks, run_set_checks
from mapperatorinator.complexity import complexity
from mapperatorinator.errors import UserError
from mapperatorinator.settings import Settings

if TYPE_CHECKING:
    from mapperatorinator.audio import Audio
    from mapperatorinator.pipeline import Step
    from mapperatorinator.timing import Timing

Task = dict[str, Any]
Say = Callable[..., None]
Answer = dict[str, Any]

PEAKS = 1200  # columns of the waveform picture
LONGEST_MINUTES = 30.0
_ALTERNATIVE_SEED = 7919  # keeps the seeds of alternatives apart from those of candidates
_NOT_FOR_PARTS = ("difficulty", "difficulties", "seed", "audio_path", "output_path", "version", "candidates")
_NO_CURVE = ("aim_no_sliders", "flashlight", "single_color_stamina", "mono_stamina_factor")


def listen(task: Task, say: Say) -> Answer:
    """Unpack an upload and hear it: names, waveform, red lines; what is known is said as soon as it is."""
    from mapperatorinator.audio import load_audio
    from mapperatorinator.audio.encode import game_song
    from mapperatorinator.timing import Timing, find_timing

    folder = Path(task["folder"])
    maps, path = _unpack(folder, Path(task["path"]), task["maps"])
    if path is None:
        named = read_beatmap(folder / "maps/0.osu")
        return {"maps": maps, "file": "", "title": named.title, "artist": named.artist}
    say("heard", values={"maps": maps, "file": path.name})
    _refuse_long(path)
    audio = load_audio(path)
    tags = audio.tags
    names = {name: getattr(tags, name) for name in ("title", "artist", "title_unicode", "artist_unicode")}
    say("heard", values={**names, "duration_ms": round(audio.duration_ms), "peaks": _peaks(audio.samples)})
    if tags.cover is not None:
        (folder / "cover").write_bytes(tags.cover.data)
        say("heard", values={"cover": tags.cover.mime})
    try:
        timing = Timing.from_beatmap(read_beatmap(folder / "maps/0.osu")) if maps else find_timing(audio)
        found = _timing_json(timing, audio.duration_ms)
    except (UserError, ValueError) as error:  # a song without a beat can still be given one by hand
        found = {"lines": [], "confidence": 0.0, "sections": [], "error": str(error)}
    say("heard", values={"timing": found})
    name, content = game_song(path)
    if name != path.name:  # the page and the game play the same file
        (folder / safe_name(name)).write_bytes(content)
        path.unlink()
    return {"file": safe_name(name)}


def generate(task: Task, say: Say) -> Answer:
    """Map a song: what `pipeline.generate` does, with the map shown while it is drawn."""
    from mapperatorinator.pipeline import generate as make

    result = make(Settings.from_mapping(task["settings"]), _reporter(say), _timing(task.get("timing")))
    folder = Path(task["folder"])
    shown = [_shown(folder, number, beatmap) for number, beatmap in enumerate(result.beatmaps)]
    for item, made in zip(shown, result.made, strict=True):
        item.update(made.as_json())
    across = run_set_checks(result.beatmaps) if len(result.beatmaps) > 1 else []
    return {
        "difficulties": shown,
        "set_issues": [issue.to_dict() for issue in across],
        "osz": result.path.name,
        "seed": result.settings.seed,
        "notes": list(result.notes),
        "timing": _timing_json(result.timing, 0.0),
    }


def reroll(task: Task, say: Say) -> Answer:
    """Map one stretch of a map again, several times; every alternative is a whole map, none is in the set yet."""
    from mapperatorinator.pipeline import generate as make

    folder, count = Path(task["folder"]), int(task["count"])
    asked = {name: value for name, value in task["settings"].items() if name not in _NOT_FOR_PARTS}
    shown = []
    for number in range(count):
        settings = Settings.from_mapping(
            {
                **asked,
                "audio_path": task["settings"]["audio_path"],
                "beatmap_path": task["map"],
                "output_path": str(folder / "alternatives" / str(number)),
                "add_to_beatmap": True,
                "export_osz": False,
                "start_time": task["start_time"],
                "end_time": task["end_time"],
                "seed": int(task["seed"]) + _ALTERNATIVE_SEED * (number + 1),
                "candidates": 1,
            }
        )
        result = make(settings, _reporter(say, number / count, 1 / count))
        shown.append({**_shown(folder, number, result.beatmaps[0]), **result.made[0].as_json()})
    return {"alternatives": shown}


def keep(task: Task, say: Say) -> Answer:
    """Put a map in the place of one difficulty of a set; the old set stays."""
    folder = Path(task["folder"])
    old = read_osz(Path(task["set"]))
    beatmaps = [read_beatmap(Path(path)) for path in task["maps"]]
    song = old.beatmaps[0].audio_filename
    for beatmap in beatmaps:
        beatmap.audio_filename = song
    path = folder / archive_name(beatmaps[0])
    write_osz(path, beatmaps, extra=old.files)
    shown = [_shown(folder, number, beatmap) for number, beatmap in enumerate(beatmaps)]
    return {"osz": path.name, "difficulties": shown}


def review(task: Task, say: Say) -> Answer:
    """What modding has to say about the maps of a set; nothing is changed."""
    from mapperatorinator.audio import load_audio
    from mapperatorinator.modding import review as look_at

    say("step", stage="Reading the song", done=0.05)
    audio: Audio | None = load_audio(Path(task["audio_path"])) if task.get("audio_path") else None
    reports = []
    for number, path in enumerate(task["maps"]):
        say("step", stage="Looking at the map", done=0.1 + 0.9 * number / len(task["maps"]))
        reports.append(look_at(read_beatmap(Path(path)), audio).as_json())
    return {"reports": reports}


def warm(task: Task, say: Say) -> Answer:
    """Load what the first real task would have to wait for."""
    if task["parts"] == "ear":
        import mapperatorinator.audio.encode  # noqa: F401
        from mapperatorinator.timing.tracker import track

        track(np.zeros(16_000 * 4, np.float32))
    else:
        import mapperatorinator.finishing  # noqa: F401
        import mapperatorinator.pipeline  # noqa: F401
        from mapperatorinator.mapper.grid.network import grid_model

        grid_model(None)
        if "song" in task:
            from mapperatorinator.pipeline import prepare

            timing = _timing(task["timing"])
            if timing is not None:
                prepare(Path(task["song"]), timing)
    return {}


TASKS: dict[str, Callable[[Task, Say], Answer]] = {
    "warm": warm,
    "listen": listen,
    "generate": generate,
    "reroll": reroll,
    "keep": keep,
    "review": review,
}


def _reporter(say: Say, start: float = 0.0, share: float = 1.0) -> Callable[[Step], None]:
    def report(step: Step) -> None:
        say("step", stage=step.stage, done=round(start + share * step.done, 4))
        if step.beatmap is not None:
            say("preview", osu=write_beatmap(step.beatmap))

    return report


def _unpack(folder: Path, path: Path, known: list[Answer]) -> tuple[list[Answer], Path | None]:
    """The maps in an upload as JSON, and its song if there is one; maps lie in `maps/` by number afterwards.

    known : maps that are there already, if only their song comes now.
    """
    if path.suffix.lower() not in (".osz", ".osu"):
        return known, path
    maps = folder / "maps"
    maps.mkdir(exist_ok=True)
    song: Path | None = None
    if path.suffix.lower() == ".osu":
        beatmaps = [read_beatmap(path)]
    else:
        mapset = read_osz(path)
        beatmaps = sorted(mapset.beatmaps, key=lambda beatmap: (beatmap.mode, _stars(beatmap)))
        song = _extract(folder, beatmaps[0].audio_filename, mapset.find(beatmaps[0].audio_filename))
        if beatmaps[0].background:
            _extract(folder, beatmaps[0].background, mapset.find(beatmaps[0].background))
    path.unlink()
    for number, beatmap in enumerate(beatmaps):
        for attribute in ("audio_filename", "background"):  # names of files beside the maps, nothing else
            name = getattr(beatmap, attribute)
            setattr(beatmap, attribute, f"../{safe_name(Path(name).name)}" if name else name)
        save_beatmap(beatmap, maps / f"{number}.osu")
    described = [{"name": m.difficulty_name, "mode": m.mode, "stars": _stars(m), "objects": len(m.hit_objects)}
                 for m in beatmaps]  # fmt: skip
    return described, song


def _extract(folder: Path, name: str, content: bytes | None) -> Path | None:
    if content is None:
        return None
    path = folder / safe_name(Path(name.replace("\\", "/")).name)
    path.write_bytes(content)
    return path


def _refuse_long(path: Path) -> None:
    """UserError for a song beyond what the page maps, before it is decoded."""
    from mapperatorinator.audio.source import open_media

    with open_media(path) as media:
        minutes = (media.duration or 0) / 60e6
    if minutes > LONGEST_MINUTES:
        raise UserError(
            f"{path.name} lasts {minutes:.0f} minutes; the page takes songs of up to {LONGEST_MINUTES:.0f}."
        )


def _peaks(samples: Any) -> list[int]:
    """The loudest sample of each column, 0 to 255."""
    edges = np.linspace(0, len(samples), min(PEAKS, len(samples)) + 1).astype(int)
    peaks = np.maximum.reduceat(np.abs(samples), edges[:-1])
    return [int(peak) for peak in np.clip(255 * peaks / max(float(peaks.max()), 1e-3), 0, 255)]


def _timing_json(timing: Timing, duration_ms: float) -> Answer:
    return {
        "lines": [[point.time, point.beat_length, point.meter] for point in timing.points],
        "confidence": round(timing.confidence, 3),
        "sections": [[s.start, s.end, round(s.confidence, 3)] for s in timing.sections],
    }


def _timing(found: Answer | None) -> Timing | None:
    from mapperatorinator.timing import Timing, red_line

    if not found or not found["lines"]:
        return None
    lines = tuple(red_line(time, length, int(meter)) for time, length, meter in found["lines"])
    return Timing(lines, float(found.get("confidence", 1.0)))


def _shown(folder: Path, number: int, beatmap: Beatmap) -> Answer:
    """What the page shows of a finished map; its text lies in `maps/` by number."""
    maps = folder / "maps"
    maps.mkdir(parents=True, exist_ok=True)
    save_beatmap(beatmap, maps / f"{number}.osu")
    return {
        "map": number,
        "name": beatmap.difficulty_name,
        "mode": beatmap.mode,
        "stats": [beatmap.circle_size, beatmap.approach_rate, beatmap.overall_difficulty, beatmap.hp_drain_rate],
        "stars": round(_stars(beatmap), 3),
        "objects": len(beatmap.hit_objects),
        "objects_per_second": _density(beatmap),
        "complexity": complexity(beatmap).as_json(),
        "issues": [issue.to_dict() for issue in run_checks(beatmap)],
        "curve": _curve(beatmap),
    }


def _curve(beatmap: Beatmap) -> Answer:
    """Difficulty over time: start and width of the first section in ms, one value of 0 to 100 per section."""
    if not beatmap.hit_objects:
        return {"start": 0, "step": 400, "values": []}
    step, skills = strains(beatmap)
    series: Sequence[Any] = [values for name, values in skills.items() if name not in _NO_CURVE and len(values)]
    if not series:
        return {"start": 0, "step": step, "values": []}
    total = np.sum([values[: min(map(len, series))] for values in series], axis=0)
    scaled = 100 * total / max(float(total.max()), 1e-9)
    start = min(item.time for item in beatmap.hit_objects)
    return {"start": round(start), "step": step, "values": [round(float(value)) for value in scaled]}


def _density(beatmap: Beatmap) -> float:
    if not beatmap.hit_objects:
        return 0.0
    seconds = (beatmap.end_time(beatmap.hit_objects[-1]) - beatmap.hit_objects[0].time) / 1000
    return round(len(beatmap.hit_objects) / max(seconds, 0.1), 2)


def _stars(beatmap: Beatmap) -> float:
    return round(star_rating(beatmap), 2) if beatmap.hit_objects else 0.0
