"""One training sample as a picture and as text: python -m bench.training_sample --out docs/training-sample.png

Without --map the song that ships with the package is mapped first (seed 7). `--recipe` names the published recipe
whose tokens are shown, `--window` which window of the song. The picture: what the network hears, what happens in
the map, and every token, bright where it is learned.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mapperatorinator.audio.published import load_published, mel_torchaudio
from mapperatorinator.beatmap import Beatmap, read_beatmap, read_osz
from mapperatorinator.demo import demo_song
from mapperatorinator.mapper.sequence.vocabulary import BEATS, GROUPS, TIME, Vocabulary
from mapperatorinator.training.blueprint import samples_of, tokenizer_of
from mapperatorinator.training.datasets.assemble import HOP, HOP_MS, Assembler, Piece, Take
from mapperatorinator.training.datasets.options import SampleOptions
from mapperatorinator.training.datasets.song import Chart
from mapperatorinator.training.recipe import read_recipe

ROOT = Path(__file__).resolve().parent.parent
ROW = 64  # tokens in a line of the picture
COLOURS = {
    "condition": "#7f7f7f", "marker": "#222222", "time": "#1f77b4", "snapping": "#17becf", "place": "#2ca02c",
    "sound": "#ff7f0e", "kind": "#d62728", "beat": "#9467bd", "other": "#bcbd22",
}  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, make the sample, draw it, print its events."""
    parser = argparse.ArgumentParser(description="Show one training sample.")
    parser.add_argument("--map", type=Path, help=".osu file (with --song)")
    parser.add_argument("--song", type=Path, default=demo_song())
    parser.add_argument("--recipe", default="train_v32")
    parser.add_argument("--window", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    data = read_recipe(ROOT / "configs" / "train", chosen.recipe).data
    vocabulary = Vocabulary(tokenizer_of(data, [], ["clean"]))
    options = replace(samples_of(data).plain(), lookback_chance=1.0)
    sound = load_published(chosen.song)
    beatmap = read_beatmap(chosen.map) if chosen.map else mapped(chosen.song)
    take = Take.of(Chart(beatmap, year=2024), options.profile)
    maker = Assembler(vocabulary, options, len(sound) // HOP + 1, np.random.default_rng(0))
    piece = list(maker.pieces(take, None, options.profile.templates[0]))[chosen.window]
    print(as_text(piece, vocabulary, options.profile.types_first))
    draw(piece, sound, vocabulary, options, chosen.out)


def mapped(song: Path) -> Beatmap:
    """A map of the song by the embedded model, always the same."""
    from mapperatorinator.pipeline import generate
    from mapperatorinator.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        wanted = {"audio_path": str(song), "output_path": folder, "seed": 7, "difficulty": 3.5}
        generate(Settings.from_mapping(wanted))
        return read_osz(next(Path(folder).glob("*.osz"))).beatmaps[0]


def names_of(piece: Piece, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """Sort and text of every token."""
    markers = {1: "START", 2: "END"}
    markers |= {token: f"<{name}>" for name, token in vocabulary.starts.items()}
    markers |= {token: f"</{name}>" for name, token in vocabulary.ends.items()}
    named, begun = [], False
    for token in piece.tokens.tolist():
        if token in markers:
            begun = begun or token == 1
            named.append(("marker", markers[token]))
            continue
        kind, value = vocabulary.decode(token) or ("?", token)
        named.append((sort_of(kind) if begun else "condition", kind if kind in GROUPS else f"{kind} {value}"))
    return named


def sort_of(kind: str) -> str:
    """What a kind of token is about."""
    if kind in BEATS:
        return "beat"
    if kind in GROUPS:
        return "kind"
    sorts = {TIME: "time", "snap": "snapping", "hitsound": "sound", "volume": "sound", "column": "place"}
    return sorts.get(kind, "place" if kind.startswith(("pos", "dist")) else "other")


def as_text(piece: Piece, vocabulary: Vocabulary, types_first: bool) -> str:
    """The sample, an event a line; tokens without a label stand in brackets."""
    lines: list[list[str]] = [[]]
    taught = [False, *(piece.labels[:-1] >= 0)]
    for (sort, text), learned in zip(names_of(piece, vocabulary), taught, strict=True):
        ends = sort in ("kind", "beat")
        if (ends and types_first) or sort == "marker":
            lines.append([])
        lines[-1].append(text if learned else f"[{text}]")
        if (ends and not types_first) or sort == "marker":
            lines.append([])
    return "\n".join("  ".join(line) for line in lines if line)


def draw(piece: Piece, sound: np.ndarray, vocabulary: Vocabulary, options: SampleOptions, out: Path) -> None:
    """Write the picture."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    window = sound[piece.start * HOP :][: (options.frames - 1) * HOP]
    seconds = np.array([0, len(window) / 16_000]) + piece.start * HOP_MS / 1000
    figure, (top, middle, bottom) = plt.subplots(3, 1, figsize=(11, 8.6), height_ratios=(3, 1.6, 4))
    top.imshow(mel_torchaudio(window, 128).T, aspect="auto", origin="lower", extent=(*seconds, 0, 128), cmap="magma")
    top.set(ylabel="mel band", title="what is heard: one window of sound", xlim=seconds)
    _events(middle, piece, vocabulary, float(seconds[0]), options.profile.types_first)
    middle.set(title="what happens: beats and objects of the window", xlabel="s", xlim=seconds, yticks=[])
    _tokens(bottom, piece, vocabulary)
    figure.legend(
        handles=[plt.Rectangle((0, 0), 1, 1, color=colour, label=sort) for sort, colour in COLOURS.items()],
        loc="lower center", ncols=len(COLOURS), frameon=False, fontsize=9,
    )  # fmt: skip
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    figure.savefig(out, dpi=80)
    plt.close(figure)
    _small(out)


def _events(axes: Any, piece: Piece, vocabulary: Vocabulary, start: float, types_first: bool) -> None:
    """A mark for every kind at its time: those learned bright, the others pale."""
    rows = {"beat": 0.0, "circle": 2.0, "slider": 1.0, "spinner": 3.0}
    meanings = [vocabulary.decode(int(token)) or ("", 0) for token in piece.tokens]
    time = 0.0
    for i, (label, (kind, value)) in enumerate(zip(np.append(-100, piece.labels), meanings, strict=False)):
        after = meanings[i + 1] if i + 1 < len(meanings) else ("", 0)
        if kind == TIME or (types_first and after[0] == TIME):
            time = start + (value if kind == TIME else after[1]) / 100
        row = rows.get("beat" if kind in BEATS else kind.split("_")[0])
        if row is not None and kind in GROUPS:
            strong = kind in ("measure", "timing_point", "circle", "slider_head", "spinner")
            axes.plot(time, row, "|", ms=16 if strong else 8, mew=2, alpha=1 if label >= 0 else 0.3,
                      color=COLOURS["beat" if row == 0 else "kind"])  # fmt: skip
    axes.set_ylim(-0.7, 3.7)
    for name, row in rows.items():
        axes.text(1.005, (row + 0.7) / 4.4, name, transform=axes.transAxes, va="center", fontsize=9)


def _tokens(axes: Any, piece: Piece, vocabulary: Vocabulary) -> None:
    from matplotlib.colors import to_rgb

    named = names_of(piece, vocabulary)
    taught = np.append(False, piece.labels[:-1] >= 0)
    cells = np.ones((-(-len(named) // ROW), ROW, 3))
    for i, (sort, _) in enumerate(named):
        colour = np.array(to_rgb(COLOURS[sort]))
        cells[i // ROW, i % ROW] = colour if taught[i] else 0.35 * colour + 0.65
    axes.imshow(cells, aspect="auto", interpolation="nearest")
    axes.set(title=f"what is read and written: {len(named)} tokens, pale where nothing is learned", xticks=[])
    axes.set_yticks(range(0, len(cells), 4), [str(i * ROW) for i in range(0, len(cells), 4)])


def _small(path: Path) -> None:
    """Keep a picture to 256 colours."""
    from PIL import Image

    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256)
    small.save(path, optimize=True)


if __name__ == "__main__":
    main()
