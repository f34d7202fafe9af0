"""Trains the position diffusion: ``nice python -m mapperatorinator.training.diffusion --minutes 25 --out runs/diffusion``.

Learns from the osu! and catch maps of the corpus, or with ``--maps FOLDER`` from anyone's `.osz` and `.osu` files; needs
no sound. The folder named by ``--out`` becomes a checkpoint in the published format: ``diff_ckpt=runs/diffusion`` uses
it. A stopped run goes on where it was; with ``--steps`` in place of ``--minutes``, to the same numbers.
``--export NOTES.json`` writes a finished run into the package.

Loss: squared error of the noise, and the variational bound for the variance alone (Nichol and Dhariwal 2021,
equation 16), over the hundred least noisy of a thousand steps.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from mapperatorinator.checkpoints.files import read_json, read_tensors
from mapperatorinator.evaluation.corpus import Corpus
from mapperatorinator.positions.columns import out_of_sight
from mapperatorinator.positions.model import CONFIG, TABLES, WEIGHTS
from mapperatorinator.positions.network import Network, context_of
from mapperatorinator.positions.schedule import Schedule
from mapperatorinator.positions.touch import NAME
from mapperatorinator.training import diffusion_data as data
from mapperatorinator.training.clockwork import fit
from mapperatorinator.training.diffusion_data import Batch, Crops, Track
from mapperatorinator.training.export import export
from mapperatorinator.weights import FOLDER

SIZES = {  # blocks, width, heads
    "small": (3, 128, 2), "S": (12, 384, 6), "B": (12, 768, 12), "L": (24, 1024, 16), "XL": (28, 1152, 16),
}  # fmt: skip
RATES = {"small": 1.5e-3}
_RATE = 2e-4  # of the published networks
_LARGEST_BOUND = 10.0  # nats; far off variances at the start would drown the noise


def network(size: str, tables: dict[str, Any] = data.TABLES) -> Network:
    """An untrained network of one of `SIZES`: every block begins by doing nothing (Peebles and Xie 2022)."""
    classes = len(data.MapClasses().vector(tables))
    net = Network(*SIZES[size], classes)
    for name, parameter in net.named_parameters():
        if "adaLN" in name or name.startswith("final_layer.linear") or name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif parameter.dim() == 2:
            nn.init.xavier_uniform_(parameter)
    return net


class Lesson:
    """The loss of a network over the steps of a schedule."""

    def __init__(self, schedule: Schedule) -> None:
        self.steps = torch.from_numpy(schedule.steps)
        levels = (
            schedule.kept, schedule.betas.clip(1e-20), schedule.log_variance, schedule.clean_share, schedule.noisy_share,
        )  # fmt: skip
        self._levels = [torch.from_numpy(level).float()[:, None, None] for level in levels]

    def losses(self, net: nn.Module, batch: Batch, seed: int) -> tuple[Tensor, Tensor]:
        """Squared error of the noise, and the bound in bits where there is noise to draw; each (size,)."""
        source = torch.Generator().manual_seed(seed)
        clean = batch["x"]
        number = torch.randint(len(self.steps), (len(clean),), generator=source)
        noise = torch.randn(clean.shape, generator=source)
        kept, beta, least, clean_share, noisy_share = (level[number] for level in self._levels)
        x = kept.sqrt() * clean + (1 - kept).sqrt() * noise
        context = context_of(batch["times"], batch["distances"], batch["kinds"])
        guess, between = net(x, context, self.steps[number], batch["classes"]).chunk(2, dim=1)
        error = (guess - noise).square().mean((1, 2))
        found = ((x - (1 - kept).sqrt() * guess.detach()) / kept.sqrt() - clean) * clean_share  # means apart
        share = (between + 1) / 2
        spread = share * beta.log() + (1 - share) * least
        bound = 0.5 * (spread - least - 1 + (least - spread).exp() + found.square() * (-spread).exp())
        bound = bound.clamp(max=_LARGEST_BOUND).mean((1, 2)) / math.log(2)
        return error, torch.where(number > 0, bound, torch.zeros(()))

    @torch.no_grad()
    def judge(self, net: nn.Module, batches: Sequence[Batch]) -> str:
        """Held-out losses in words, with the same noise every time."""
        net.eval()
        error, bound = (torch.cat(parts) for parts in zip(*(self.losses(net, b, s) for s, b in enumerate(batches)), strict=True))
        net.train()
        return f"held out error {float(error.mean()):.5f} bound {float(bound.mean()):.4f}"


def train(
    learned: Sequence[Track], held_out: Sequence[Track], run: Path, minutes: float = math.inf, steps: int | None = None,
    size: str = "small", batch: int = 16, seed: int = 0,
) -> Network:  # fmt: skip
    """Train for `steps`, or for `minutes` of processor time, on one thread; leaves a published checkpoint in `run`.

    A stopped run of the same folder goes on where it was. batch : crops a step.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    net, lesson, crops = network(size), Lesson(Schedule.of()), Crops(learned, seed)
    judged = data.whole_crops(held_out, 64)

    def loss(step: int) -> Tensor:
        error, bound = lesson.losses(net, crops.batch(batch, step), seed + step)
        return (error + bound).mean()

    fit(net, loss, lambda average: lesson.judge(average, judged), run, minutes, RATES.get(size, _RATE), steps=steps)
    publish(net, SIZES[size][2], run)
    return net


def publish(net: Network, heads: int, folder: Path, tables: dict[str, Any] = data.TABLES) -> None:
    """Write a network as a checkpoint that `positions.model.load` reads."""
    save_file({name: tensor.contiguous() for name, tensor in net.state_dict().items()}, folder / WEIGHTS)
    (folder / TABLES).write_text(json.dumps(tables, indent=1), encoding="utf-8")
    (folder / CONFIG).write_text(json.dumps({"num_heads": heads}), encoding="utf-8")


class Embedded(nn.Module):
    """A network as the package carries it: told times, distances and kinds, it makes the context itself."""

    def __init__(self, net: Network) -> None:
        super().__init__()
        self.net = net

    def forward(
        self, x: Tensor, times: Tensor, distances: Tensor, kinds: Tensor, step: Tensor, classes: Tensor, hidden: Tensor
    ) -> Tensor:
        """Noise (2, n) in positions (2, n) at a step (1,) of the diffusion; the rest is (n,) or as in `Network`."""
        context = context_of(times, distances, kinds)
        return self.net(x[None], context[None], step, classes[None], hidden)[0, :2]


def embed(run: Path, notes: dict[str, Any], folder: Path = FOLDER) -> None:
    """Write a run's checkpoint as the package's model "diffusion"; notes : for its card."""
    net = Network.of(read_tensors([run / WEIGHTS]), read_json(run / CONFIG)["num_heads"])
    tables, n = read_json(run / TABLES), 40
    inputs = {
        "x": torch.zeros(2, n), "times": torch.zeros(n), "distances": torch.zeros(n),
        "kinds": torch.zeros(n, dtype=torch.int64), "step": torch.zeros(1, dtype=torch.int64),
        "classes": torch.from_numpy(data.MapClasses().vector(tables)), "hidden": torch.from_numpy(out_of_sight(n)),
    }  # fmt: skip
    dynamic = {"x": {1: "n"}, "times": {0: "n"}, "distances": {0: "n"}, "kinds": {0: "n"}, "hidden": {0: "n", 1: "n"}}
    words = {"model": NAME, "does": "moves placed objects a little, to where mappers would have put them", **notes}
    export(Embedded(net), NAME, inputs, ["noise"], dynamic, {**words, "tables": tables}, folder)


def _read(maps: Path | None, run: Path) -> tuple[list[Track], list[Track]]:
    """What to learn from and what to judge by; kept in the run's folder."""
    kept = run / "learned.npz", run / "held_out.npz"
    if not kept[1].exists():
        run.mkdir(parents=True, exist_ok=True)
        splits = ("train", "val")
        found = data.read_folder(maps) if maps else [data.read_corpus(Corpus(), split) for split in splits]
        for tracks, path in zip(found, kept, strict=True):
            data.save(tracks, path)
    return data.load(kept[0]), data.load(kept[1])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--maps", type=Path, help="folder of .osz and .osu files; default: the corpus")
    parser.add_argument("--minutes", type=float, default=25.0, help="of processor time")
    parser.add_argument("--steps", type=int, help="in place of minutes")
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--batch", type=int, default=16, help="crops of 128 columns a step")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--export", type=Path, metavar="NOTES", help="write the finished run into the package")
    asked = parser.parse_args()
    if asked.export:
        embed(asked.out, json.loads(asked.export.read_text(encoding="utf-8")))
        return
    learned, held_out = _read(asked.maps, asked.out)
    train(learned, held_out, asked.out, asked.minutes, asked.steps, asked.size, asked.batch, asked.seed)


if __name__ == "__main__":
    main()
