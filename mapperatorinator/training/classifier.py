"""Trains the mapper classifier and writes it into the package.

``nice python -m mapperatorinator.training.classifier data/classifier.npz runs/classifier --minutes 0.7``. Cross-entropy of
a window's mapper; one CPU thread. The card's figures are of whole held-out songs, windows averaged.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mapperatorinator.classifier.classifier import NAME, STRIDE
from mapperatorinator.classifier.statistics import statistics
from mapperatorinator.classifier.view import BODY, KEYS, POINT, WINDOW, Windows
from mapperatorinator.evaluation.bootstrap import bootstrap
from mapperatorinator.evaluation.corpus import MODES, Corpus
from mapperatorinator.training.classifier_data import Known, prepare
from mapperatorinator.training.classifier_net import FEATURE, ClassifierNet
from mapperatorinator.training.clockwork import fit
from mapperatorinator.training.export import export
from mapperatorinator.weights import FOLDER

BATCH, RATE = 256, 2e-3
SMOOTHING = 0.1  # of the labels
_STEP = 8  # beats between the windows that are learned from
_LEAST_SCALE = 0.1
_MIRRORED = 0  # the number of a point that changes sign; distances and turns stay as they are


class Examples:
    """Statistics of windows of the training maps, half of them mirrored, and whose they are."""

    def __init__(self, maps: Sequence[Known], mappers: Sequence[str], seed: int) -> None:
        rng = np.random.default_rng(seed)
        index = {name: i for i, name in enumerate(mappers)}
        parts = []
        for one in maps:
            windows = one.view.windows(_STEP)
            mirror(windows, one.view.keys, rng.random(len(windows.words)) < 0.5)
            parts.append(statistics(windows))
        sizes = np.array([len(part) for part in parts])
        counts = Counter(one.mapper for one in maps)
        weights = np.array([counts[one.mapper] ** -0.5 for one in maps]) / sizes
        self.seed = seed
        self.table = np.concatenate(parts)
        self.labels = np.repeat([index[one.mapper] for one in maps], sizes)
        self.odds = np.cumsum(np.repeat(weights, sizes))

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Statistics and mappers, rarer mappers somewhat oftener; always the same for the same step."""
        rng = np.random.default_rng((self.seed, step))
        chosen = np.searchsorted(self.odds, rng.random(BATCH) * self.odds[-1])
        return torch.from_numpy(self.table[chosen]), torch.from_numpy(self.labels[chosen])

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and spread of each number."""
        return (
            torch.from_numpy(self.table.mean(axis=0)),
            torch.from_numpy(np.maximum(self.table.std(axis=0), _LEAST_SCALE)),
        )


def mirror(windows: Windows, keys: int, chosen: NDArray[np.bool_]) -> None:
    """Mirror the chosen windows in place, left to right; keys of mania change sides."""
    places = windows.places
    if not keys:
        places[chosen, :, _MIRRORED] *= -1
        return
    odd = (KEYS - keys) % 2  # these lie one nearer to the left
    for first in (POINT + BODY, POINT + BODY + KEYS):
        turned = places[chosen, :, first : first + KEYS][..., ::-1]
        places[chosen, :, first : first + KEYS] = np.roll(turned, -odd, axis=-1)


def map_probabilities(net: torch.nn.Module, maps: Sequence[Tensor]) -> NDArray[np.float64]:
    """Probabilities of each map's mappers, windows averaged, (maps, mappers)."""
    net.eval()
    with torch.no_grad():
        found = [net(one)[1].softmax(-1).mean(dim=0) for one in maps]
    net.train()
    return torch.stack(found).double().numpy()


def places_of(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of the true mapper among all, from 0."""
    own = probabilities[np.arange(len(truth)), truth]
    return (probabilities > own[:, None]).sum(axis=1)


def judged(
    probabilities: NDArray[np.float64], held: Sequence[Known], learned: Sequence[Known], mappers: Sequence[str]
) -> dict[str, Any]:
    """The card's figures: accuracy on held-out songs and chance, among all mappers and among those of the map's mode."""
    truth = np.array([mappers.index(one.mapper) for one in held])
    modes = np.array([one.view.mode for one in held])
    made = {(one.mapper, one.view.mode) for one in learned}
    rivals = np.array([[(name, mode) in made for name in mappers] for mode in range(4)])[modes]
    rivals[np.arange(len(truth)), truth] = True
    place = places_of(probabilities, truth)
    of_mode = places_of(np.where(rivals, probabilities, -1.0), truth)
    usual = {name for name, _ in Counter(one.mapper for one in learned).most_common(5)}

    def over(values: NDArray[Any]) -> dict[str, Any]:
        pairs = list(zip([one.song for one in held], values.tolist(), strict=True))
        return bootstrap(pairs, lambda some: float(np.mean([v for _, v in some])), lambda p: p[0]).as_dict()

    return {
        "maps": len(held),
        "songs": len({one.song for one in held}),
        "top1": over(place < 1),
        "top5": over(place < 5),
        "top5_chance": round(5 / len(mappers), 4),
        "top5_times_chance": round(float(np.mean(place < 5)) * len(mappers) / 5, 2),
        "top5_always_the_commonest": round(float(np.mean([one.mapper in usual for one in held])), 4),
        "top5_of_mode": over(of_mode < 5),
        "top5_of_mode_chance": round(float(np.minimum(5 / rivals.sum(axis=1), 1).mean()), 4),
        "top5_by_mode": {
            MODES[mode]: round(float(np.mean(place[modes == mode] < 5)), 4) for mode in sorted(set(modes.tolist()))
        },
    }


def train(maps: Sequence[Known], run: Path, minutes: float, seed: int = 0) -> tuple[ClassifierNet, dict[str, Any]]:
    """Train for `minutes` of processor time on one thread; returns the network and what the card says of it."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    learned = [one for one in maps if not one.held_out]
    mappers = sorted({one.mapper for one in learned}, key=str.casefold)
    held = [one for one in maps if one.held_out and one.mapper in mappers]
    seen = [torch.from_numpy(statistics(one.view.windows(STRIDE))) for one in held]
    examples = Examples(learned, mappers, seed)
    net = ClassifierNet(*examples.moments(), len(mappers))

    def loss(step: int) -> Tensor:
        inputs, labels = examples.batch(step)
        return F.cross_entropy(net(inputs)[1], labels, label_smoothing=SMOOTHING)

    def figures(judge: torch.nn.Module) -> dict[str, Any]:
        return judged(map_probabilities(judge, seen), held, learned, mappers)

    def report(average: torch.nn.Module) -> str:
        found = figures(average)
        return ", ".join(f"{name} {found[name]['value']}" for name in ("top1", "top5", "top5_of_mode"))

    fit(net, loss, report, run, minutes, RATE, weight_decay=0.1)
    songs = Counter(name for name, _ in {(one.mapper, one.song) for one in learned})
    return net, {
        "data": f"{len(learned)} human maps of {len({one.song for one in learned})} songs, all modes; "
                "whole songs held out; songs and maps belong to their authors",
        "minutes": minutes,
        "hardware": "1 thread of a CPU",
        "seed": seed,
        "window_beats": WINDOW,
        "feature": FEATURE,
        "held_out": figures(net),
        "learned_songs": dict(sorted(songs.items())),
        "mappers": mappers,
    }  # fmt: skip


def train_and_export(data: Path, run: Path, minutes: float, seed: int = 0, folder: Path | None = None) -> None:
    """Train, print the figures of held-out songs and write the model into a folder, by default the package."""
    net, told = train(prepare(Corpus(), data), run, minutes, seed)
    print(told["held_out"])
    card = {
        "model": NAME,
        "does": "says whose a map is, and describes windows of maps by vectors for distances between sets of maps",
        "command": f"python -m mapperatorinator.training.classifier {data} {run} --minutes {minutes:g} --seed {seed}",
        **told,
    }
    example = {"statistics": torch.zeros(2, net.enter.in_features)}
    export(net, NAME, example, ["feature", "logits"], {"statistics": {0: "windows"}}, card, folder or FOLDER)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float, default=0.7)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder for the model; default: the package")
    given = parser.parse_args()
    train_and_export(given.data, given.run, given.minutes, given.seed, given.out)


if __name__ == "__main__":
    main()
