"""The beat tracker's network and its training.

``nice -n 8 python -m mapperatorinator.training.beats --minutes 40 [--resume]`` trains on one thread for so many
CPU minutes and writes checkpoints to ``runs/beats.pt``; ``--export`` writes the embedded weights ``beats`` from it.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mapperatorinator.evaluation.corpus import default_folder
from mapperatorinator.training.beats_data import METERS, TEMPO_CLASSES, Crops, Target, TimedSong, crop, songs

LENGTH = 2400  # frames in a training crop: 24 s
SHARES = {"osu": 0.46, "sm+ssc+dwi": 0.14, "qua+fnf-json": 0.06, "rendered": 0.34}
DILATIONS = (1, 2, 4, 8, 16, 32, 64, 128, 4, 16, 64, 128)


class DilatedBlock(nn.Module):
    """A residual gated convolution over time with three taps, `dilation` steps apart."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.dilation = dilation
        self.norm = nn.LayerNorm(width)
        self.taps = nn.Linear(3 * width, 2 * width)
        self.out = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> the same shape."""
        size, padded = x.shape[1], functional.pad(self.norm(x), (0, 0, self.dilation, self.dilation))
        taps = torch.cat([padded[:, k * self.dilation : k * self.dilation + size] for k in range(3)], dim=2)
        value, gate = self.taps(taps).chunk(2, dim=2)
        return x + self.out(self.dropout(value * torch.sigmoid(gate)))


class BeatNet(nn.Module):
    """Log-mel frames to beat, downbeat and onset logits every 10 ms, tempo and meter logits every 40 ms.

    Three convolutions bring the sound down to 40 ms steps, dilated blocks look ±18 s around, and a fine path from
    the first convolution puts the 10 ms back.
    """

    def __init__(self, width: int = 128, fine: int = 32, dropout: float = 0.1) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full((64,), -3.0))
        self.register_buffer("scale", torch.full((64,), 0.33))
        self.first = nn.Conv2d(1, 16, (3, 5), stride=(1, 2), padding=(1, 2))
        self.second = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.third = nn.Conv2d(32, 48, 3, stride=2, padding=1)
        self.enter = nn.Linear(48 * 8, width)
        self.blocks = nn.ModuleList(DilatedBlock(width, d, dropout) for d in DILATIONS)
        self.norm = nn.LayerNorm(width)
        self.spread = nn.Linear(width, 4 * fine)
        self.fine = nn.Linear(16 * 32, fine)
        self.join = nn.Linear(3 * fine, fine)
        self.frames = nn.Linear(fine, 3)
        self.coarse = nn.Linear(width, TEMPO_CLASSES + len(METERS))

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """mel (B, T, 64), T a multiple of 4 -> frames (B, T, 3), tempo (B, T/4, 104), meter (B, T/4, 5)."""
        x = ((mel - self.get_buffer("mean")) * self.get_buffer("scale")).unsqueeze(1)
        first = functional.relu(self.first(x))
        x = functional.relu(self.third(functional.relu(self.second(first))))
        x = self.enter(x.permute(0, 2, 1, 3).flatten(2))
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        fine = self.fine(first.permute(0, 2, 1, 3).flatten(2))
        fine = functional.gelu(fine + self.spread(x).reshape(fine.shape))
        size, padded = fine.shape[1], functional.pad(fine, (0, 0, 1, 1))
        joined = torch.cat([padded[:, k : k + size] for k in range(3)], dim=2)
        frames = self.frames(functional.gelu(self.join(joined)))
        tempo, meter = self.coarse(x).split([TEMPO_CLASSES, len(METERS)], dim=2)
        return frames, tempo, meter


def loss_of(net: BeatNet, mel: np.ndarray, targets: list[Target]) -> tuple[Tensor, dict[str, float]]:
    """Weighted sum of the losses of a batch, and its parts."""
    frames, tempo, meter = (out.float() for out in net(torch.from_numpy(mel)))
    wanted = torch.from_numpy(np.stack([t.frames for t in targets]))
    weight = torch.from_numpy(np.stack([t.frame_weight for t in targets]))
    each = functional.binary_cross_entropy_with_logits(frames, wanted, reduction="none") * weight
    parts = each.sum((0, 1)) / weight.sum((0, 1)).clamp(min=1)
    coarse = torch.from_numpy(np.stack([t.coarse_weight for t in targets]))
    place = torch.from_numpy(np.stack([t.tempo for t in targets])).unsqueeze(2)
    soft = torch.softmax(-0.5 * (torch.arange(TEMPO_CLASSES) - place) ** 2, dim=2)
    tempo_loss = -(soft * torch.log_softmax(tempo, 2)).sum(2)
    tempo_loss = (tempo_loss * coarse[:, :, 0]).sum() / coarse[:, :, 0].sum().clamp(min=1)
    index = torch.from_numpy(np.stack([t.meter for t in targets]))
    meter_loss = functional.cross_entropy(meter.flatten(0, 1), index.flatten(), reduction="none")
    meter_loss = (meter_loss * coarse[:, :, 1].flatten()).sum() / coarse[:, :, 1].sum().clamp(min=1)
    total = parts[0] + 3.0 * parts[1] + 0.3 * parts[2] + 0.2 * tempo_loss + 0.05 * meter_loss
    values = [*parts.tolist(), tempo_loss.item(), meter_loss.item()]
    return total, dict(zip(("beat", "downbeat", "onset", "tempo", "meter"), values, strict=True))


class Average:
    """A running mean of the parameters, which generalises better than the last step's."""

    def __init__(self, net: nn.Module, keep: float = 0.995) -> None:
        self.keep, self.state = keep, {k: v.detach().clone() for k, v in net.state_dict().items()}

    def update(self, net: nn.Module) -> None:
        """Move towards the network's parameters."""
        for key, value in net.state_dict().items():
            self.state[key].lerp_(value, 1 - self.keep)


@torch.no_grad()
def validate(net: BeatNet, found: list[TimedSong]) -> dict[str, dict[str, float]]:
    """Mean losses per source over two crops of each held-out song."""
    net.eval()
    rows: dict[str, list[dict[str, float]]] = {}
    for song in (song for song in found if song.held_out):
        span = song.end - song.start
        for share in (0.15, 0.6):
            mel, wanted = crop(song, song.start + share * max(0, span - LENGTH * 10), LENGTH, 1.0, None)
            rows.setdefault(song.source, []).append(loss_of(net, mel[None], [wanted])[1])
    net.train()
    return {
        source: {key: round(float(np.mean([row[key] for row in some])), 4) for key in some[0]}
        for source, some in rows.items()
    }


def train(
    found: list[TimedSong], minutes: float, path: Path, resume: bool, batch: int, half: bool
) -> tuple[BeatNet, dict]:
    """Train for so many minutes of CPU time with a cosine learning rate; returns the averaged network.

    half: multiply in bfloat16, which is nearly twice as fast on processors that have it.
    """
    torch.manual_seed(1)
    net = BeatNet()
    standardise(net, found)
    average = Average(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.03)
    spent, step = 0.0, 0
    if resume:
        kept = torch.load(path, weights_only=False)
        net.load_state_dict(kept["net"])
        average.state = kept["average"]
        optimiser.load_state_dict(kept["optimiser"])
        spent, step = kept["spent"], kept["step"]
    crops = Crops(found, SHARES, LENGTH, seed=step)
    budget, started, shown = minutes * 60, time.process_time() - spent, []
    while (used := time.process_time() - started) < budget:
        rate = 2e-3 * min(1, (step + 1) / 40) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * used / budget)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            total, parts = loss_of(net, *crops.draw(batch))
        optimiser.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        average.update(net)
        shown.append(parts)
        step += 1
        if step % 20 == 0:
            mean = {key: round(float(np.mean([row[key] for row in shown])), 4) for key in parts}
            print(f"{step} {used / 60:.1f} min {mean}", flush=True)
            shown = []
        if step % 25 == 0:
            kept = {"net": net.state_dict(), "average": average.state, "optimiser": optimiser.state_dict()}
            torch.save({**kept, "spent": used, "step": step}, path)
    net.load_state_dict(average.state)
    result = {"steps": step, "cpu_minutes": round(minutes, 1), "held_out_loss": validate(net, found)}
    torch.save({"average": average.state, "net": net.state_dict(), "optimiser": optimiser.state_dict(),
                "spent": used, "step": step, "result": result}, path)  # fmt: skip
    return net, result


def standardise(net: BeatNet, found: list[TimedSong]) -> None:
    """Set the input's mean and scale per band from the training songs."""
    from mapperatorinator.training.features import unpack

    frames = np.concatenate([unpack(song.mel[::50]) for song in found if not song.held_out])
    net.get_buffer("mean").copy_(torch.from_numpy(frames.mean(0)))
    net.get_buffer("scale").copy_(torch.from_numpy(1 / frames.std(0)))


def export_net(kept: dict, data: dict[str, int]) -> None:
    """Write the averaged network of a checkpoint into the package, with its card."""
    from mapperatorinator.training.export import export

    net = BeatNet()
    net.load_state_dict(kept["average"])
    card = {
        "what": "Beat tracker: log-mel frames to beat, downbeat, onset, tempo and meter (see training/beats.py).",
        "parameters": sum(p.numel() for p in net.parameters()),
        "convention": "osu!: beats lie some 20 ms before the acoustic onset",
        "data": {
            "songs": data,
            "osu": "red lines of human-made maps (one, or at least 5 s apart)",
            "sm, ssc, dwi, qua, fnf-json": "charts of other rhythm games, moved to the osu! convention",
            "rendered": "composed and rendered by training/rendered_songs.py, some with a General MIDI soundfont",
        },
        "command": "python -m mapperatorinator.training.beats --half --minutes 58 --shifts data/beats_shifts.json",
        "hardware": "one CPU thread",
        "cpu_minutes": round(kept["spent"] / 60, 1),
        "steps": kept["step"],
        **kept.get("result", {}),
    }
    export(net, "beats", {"mel": torch.zeros(1, 800, 64)}, ("frames", "tempo", "meter"), {"mel": {1: "time"}}, card)


def main() -> None:
    """Train or export (see the module's docstring)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--cache", type=Path, default=Path("data/mel"))
    parser.add_argument("--rendered", type=Path, nargs="*", default=[Path("data/rendered")])
    parser.add_argument("--shifts", type=Path, help="what training.beats_align wrote")
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--half", action="store_true", help="train in bfloat16")
    parser.add_argument("--out", type=Path, default=Path("runs/beats.pt"))
    parser.add_argument("--export", action="store_true", help="export the checkpoint instead of training")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    found = songs(default_folder(), asked.cache, asked.rendered, asked.shifts)
    data = {name: sum(s.source == name and not s.held_out for s in found) for name in {s.source for s in found}}
    print(data)
    if asked.export:
        export_net(torch.load(asked.out, weights_only=False), data)
        return
    _, result = train(found, asked.minutes, asked.out, asked.resume, asked.batch, asked.half)
    print(result)


if __name__ == "__main__":
    main()
