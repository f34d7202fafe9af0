"""Ways to look at and listen to a timing: a timing-only beatmap, a click track over the song, a picture."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from mapperatorinator.audio import Audio, load_audio
from mapperatorinator.beatmap import Beatmap, save_beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.timing.grid import Timing

CLICK_RATE = 44_100
CLICK_SECONDS = 0.03


def timing_beatmap(audio: Audio, timing: Timing) -> Beatmap:
    """A beatmap with the song's red lines and no objects, to open in the editor."""
    beatmap = Beatmap()
    beatmap.audio_filename = audio.path.name
    beatmap.title, beatmap.title_unicode = audio.tags.title, audio.tags.title_unicode
    beatmap.artist, beatmap.artist_unicode = audio.tags.artist, audio.tags.artist_unicode
    beatmap.difficulty_name = "Timing"
    beatmap.timing_points = list(timing.points)
    return beatmap


def write_timing_beatmap(audio: Audio, timing: Timing, path: Path) -> None:
    """Write a timing-only `.osu` file."""
    save_beatmap(timing_beatmap(audio, timing), path)


def write_click_track(song: Path, timing: Timing, path: Path) -> None:
    """Write the song as WAV with a click on every beat, higher on downbeats.

    The clicks sound where a hit sound of the game would: on the grid, which lies some 20 ms before the acoustic onset.
    """
    audio = load_audio(song, CLICK_RATE)
    sound = 0.6 * audio.samples
    downbeats = {round(time) for time in timing.downbeats(0, audio.duration_ms)}
    for time in timing.beats(0, audio.duration_ms):
        click = _click(1760.0 if round(time) in downbeats else 1175.0)
        start = int(round(time * CLICK_RATE / 1000))
        sound[start : start + len(click)] += click[: len(sound) - start]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(CLICK_RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


def _click(frequency: float) -> np.ndarray:
    time = np.arange(int(CLICK_SECONDS * CLICK_RATE)) / CLICK_RATE
    return (0.5 * np.sin(2 * np.pi * frequency * time) * np.exp(-120 * time)).astype(np.float32)


def write_plot(audio: Audio, timing: Timing, path: Path) -> None:
    """Draw what the tracker hears, folded onto the measures found, and the confidence of each section.

    Every row of the picture is a measure, so a right grid shows as vertical stripes. Needs matplotlib.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise UserError("A picture needs matplotlib; install it with: pip install matplotlib") from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    from mapperatorinator.timing.constant import at, probability
    from mapperatorinator.timing.tracker import track

    heard = track(audio.samples)
    curve = np.maximum(probability(heard.beat), 0)
    downbeats = timing.downbeats(0, audio.duration_ms)
    if len(downbeats) < 2:
        raise UserError("There is less than a measure to draw; choose a longer song.")
    steps = np.linspace(0, 1, 192, endpoint=False)
    rows = at(curve, (downbeats[:-1, None] + np.diff(downbeats)[:, None] * steps))
    figure, (left, right) = pyplot.subplots(
        1, 2, figsize=(11, 8), sharey=True, width_ratios=(5, 1), constrained_layout=True
    )
    left.imshow(rows, aspect="auto", cmap="magma", extent=(0, 1, len(rows), 0), vmin=0, vmax=1)
    left.set(xlabel="place in the measure", ylabel="measure", title=f"{audio.path.name}: {timing.bpm:.3f} BPM")
    for section in timing.sections:
        first, last = np.searchsorted(downbeats, (section.start, section.end))
        right.fill_betweenx([first, last], 0, section.confidence, step="post")
        left.axhline(first, color="red", linewidth=0.8)
    right.set(xlim=(0, 1), xlabel="confidence")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def as_text(timing: Timing) -> list[str]:
    """One line per red line: tempo, time, meter, confidence, and the line as an `.osu` file holds it."""
    confidences = [section.confidence for section in timing.sections] or [timing.confidence] * len(timing.points)
    return [
        f"{60_000 / point.beat_length:9.3f} BPM from {point.time:7.0f} ms, {point.meter}/4, {confidence:4.0%} sure   "
        f"{point.time:g},{point.beat_length:.12g},{point.meter},{point.sample_set},{point.sample_index},{point.volume},1,0"
        for point, confidence in zip(timing.points, confidences, strict=True)
    ]

