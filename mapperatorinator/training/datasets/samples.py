"""Training samples of the sequence networks out of any data set: an endless stream that can be shared and resumed.

What a sample is depends on the seed, the epoch and the song alone, so ranks and worker processes may come and go;
where a stream stands is a `Cursor` a worker, which every sample carries.
"""

from __future__ import annotations

import csv
import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import IterableDataset, get_worker_info

from mapperatorinator.errors import UserError
from mapperatorinator.mapper.sequence.profile import Template
from mapperatorinator.mapper.sequence.vocabulary import Vocabulary
from mapperatorinator.training.datasets.assemble import HOP, Assembler, Piece, Take
from mapperatorinator.training.datasets.options import SampleOptions
from mapperatorinator.training.datasets.song import Chart, Song, with_flips
from mapperatorinator.training.datasets.song import Samples as Sound
from mapperatorinator.training.datasets.sources import Shard, open_dataset

Sample = dict[str, Any]
LEAST_WEIGHT, MOST_WEIGHT = 0.1, 10.0


class Cursor(NamedTuple):
    """The next sample of one stream: epoch, place of the shard in it, block of songs, sample of the block."""

    epoch: int = 0
    shard: int = 0
    block: int = 0
    sample: int = 0


class Samples(IterableDataset[Sample]):
    """Samples of a data set, as dictionaries of arrays.

    root : folder of the data set or hf:// address. tokenizer : the checkpoint's vocabulary. seed : of all that is
    random. rank, world : which share of the songs; worker processes of a DataLoader share further.
    A sample: `frames` (n,) float32 sound of one window at 16 kHz; `decoder_input_ids`, `labels` (t,) int64, labels
    -100 where nothing is learned; `mapper_idx`, `difficulty`, `song_position` (2,) for networks that take numbers;
    `sample_weights`; `beatmap_id`; `stream` and `cursor`, where its stream stands after it.
    UserError if the data set is none, or holds no map that makes a sample.
    """

    def __init__(
        self, root: Path | str, tokenizer: Vocabulary, options: SampleOptions, *, seed: int, rank: int = 0,
        world: int = 1,
    ) -> None:  # fmt: skip
        self.vocabulary, self.options, self.seed, self.rank, self.world = tokenizer, options, seed, rank, world
        self.root, self.shards = root, open_dataset(root, options.selection)
        self.weights = _weights(options.sample_weights) if options.sample_weights else {}
        self.turn, self.cursors = 0, dict[int, Cursor]()

    def __iter__(self) -> Iterator[Sample]:
        worker = get_worker_info()
        workers, number = (worker.num_workers, worker.id) if worker else (1, 0)
        number = (number + self.turn) % workers
        stream, streams = self.rank * workers + number, self.world * workers
        for sample in self._from(self.cursors.get(number, Cursor()), stream, streams):
            self.cursors[number] = sample["cursor"]
            yield sample | {"stream": number}

    def state_dict(self) -> dict[str, Any]:
        """Where the streams of this rank stand; `batches` keeps its own with worker processes."""
        return {"turn": self.turn, "cursors": {number: list(c) for number, c in self.cursors.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken: with the same options, seed, ranks and workers, sample for sample."""
        self.turn = int(state["turn"])
        self.cursors = {int(number): Cursor(*values) for number, values in state["cursors"].items()}

    def _from(self, start: Cursor, stream: int, streams: int) -> Iterator[Sample]:
        for epoch in itertools.count(start.epoch):
            found = False
            order = self._shuffled(len(self.shards), epoch)
            first = start if epoch == start.epoch else Cursor()
            for turn in range(first.shard, len(order)):
                shard = self.shards[order[turn]]()
                places = self._shuffled(len(shard), epoch, order[turn])
                places = places[self._first(stream, len(places)) :: streams]
                begin = first if turn == first.shard else Cursor()
                for block in range(begin.block, -(-len(places) // self.options.mix)):
                    songs = places[block * self.options.mix :][: self.options.mix]
                    skip = begin.sample if block == begin.block else 0
                    for count, sample in enumerate(self._block(shard, order[turn], songs, epoch), 1):
                        found = True
                        if count > skip:
                            yield sample | {"cursor": Cursor(epoch, turn, block, count)}
            if not self.options.endless:
                return
            if not found and first == Cursor():
                raise UserError(f"No map of {self.root} makes a training sample; look at `dataset inspect`.")

    def _first(self, stream: int, count: int) -> int:
        """Which song a stream begins with; where there are fewer songs than streams, streams share them."""
        return stream % max(count, 1) if self.options.endless else stream

    def _shuffled(self, count: int, *key: int) -> list[int]:
        order = np.arange(count)
        if self.options.endless:
            np.random.default_rng([self.seed, *key, count]).shuffle(order)
        return order.tolist()

    def _block(self, shard: Shard, number: int, places: list[int], epoch: int) -> Iterator[Sample]:
        """All samples of a few songs, shuffled together."""
        pieces: list[tuple[Piece, Sound]] = []
        for place in places:
            rng = np.random.default_rng([self.seed, epoch, number, place])
            try:
                song = shard[place]
                pieces += self.pieces(song, rng)
            except (UserError, OSError, ValueError, KeyError) as error:
                warnings.warn(f"A song of {self.root} was skipped: {error}", stacklevel=2)
        order = self._shuffled(len(pieces), epoch, number, *places[:1])
        for i in order:
            yield self._sample(*pieces[i])

    def pieces(self, song: Song, rng: np.random.Generator) -> list[tuple[Piece, Sound]]:
        """The samples of a song, each with the sound of the whole song as it is played this time."""
        options = self.options
        speed = _speed(options, rng)
        x, y = rng.random() < options.flip_x, rng.random() < options.flip_y
        modes = options.selection.modes or options.profile.modes
        charts = [with_flips(c, x, y) for c in song.charts if _is_usable(c) and c.beatmap.mode in modes]
        if not charts:
            return []
        sound = song.load(speed)
        maker = Assembler(self.vocabulary, options, len(sound) // HOP + 1, rng)
        takes = [Take.of(chart, options.profile, speed) for chart in charts]
        pieces: list[tuple[Piece, Sound]] = []
        for i, take in enumerate(takes):
            others = takes[:i] + takes[i + 1 :]
            template = self._template(bool(others), rng)
            guest = others[int(rng.integers(len(others)))] if others else None
            try:
                pieces += [(piece, sound) for piece in maker.pieces(take, guest, template)]
            except UserError as error:
                warnings.warn(f"A map of {song.name} was skipped: {error}", stacklevel=2)
        return pieces

    def _template(self, guests: bool, rng: np.random.Generator) -> Template:
        templates = self.options.profile.templates
        weights = self.options.weights or (1.0,) * len(templates)
        chosen = [(t, w) for t, w in zip(templates, weights, strict=True) if guests or "gd" not in t.given]
        shares = np.array([weight for _, weight in chosen])
        return chosen[int(rng.choice(len(chosen), p=shares / shares.sum()))][0]

    def _sample(self, piece: Piece, sound: Sound) -> Sample:
        size = (self.options.frames - 1) * HOP
        window = sound[piece.start * HOP :][:size]
        return {
            "frames": np.pad(window, (0, size - len(window))),
            "decoder_input_ids": piece.tokens, "labels": piece.labels, "mapper_idx": piece.mapper,
            "difficulty": np.float32(piece.stars), "song_position": np.array(piece.position, np.float32),
            "sample_weights": np.float32(self.weights.get(piece.beatmap_id, 1.0)), "beatmap_id": piece.beatmap_id,
        }  # fmt: skip


def _is_usable(chart: Chart) -> bool:
    return bool(chart.beatmap.hit_objects and chart.beatmap.red_lines())


def _speed(options: SampleOptions, rng: np.random.Generator) -> float:
    """The speed of playback: 1, or a random one of the range."""
    chance, share = rng.random(), rng.random()
    low, high = options.speeds
    share = share**0.5 if options.speed_root else share
    return low + (high - low) * share if chance < options.speed_chance else 1.0


def _weights(path: Path) -> dict[int, float]:
    """Weights of maps from a table of id and weight, kept within bounds and 1 on average."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row[:2] for row in csv.reader(file) if row and row[0].isdigit()]
    weights: NDArray[np.float64] = np.clip([float(weight) for _, weight in rows], LEAST_WEIGHT, MOST_WEIGHT)
    return dict(zip((int(number) for number, _ in rows), (weights / weights.mean()).tolist(), strict=True))
