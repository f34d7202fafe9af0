"""Fine-tuning of the embedded models: from a folder of somebody's maps to one adapter file.

The rhythm network learns from all maps, then the placing network from those of osu! and catch and the column
network from those of mania. Where there are maps of three songs or more, one song is held out: what was best on it
is kept, and the file says how surprising it was before and after.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save

from mapperatorinator import weights
from mapperatorinator.beatmap.write import replace_file
from mapperatorinator.errors import UserError
from mapperatorinator.settings import MODE_NAMES
from mapperatorinator.training.adapter_maps import OwnMap, hold_out, read_maps
from mapperatorinator.training.adapter_networks import NETWORKS, Figures, Network, of_modes
from mapperatorinator.training.low_rank import LowRank, Options, attach, learn
from mapperatorinator.weights.adapter import FORMAT, METADATA

_RHYTHM_SHARE = 0.6  # of the time, where there are places to learn as well
Tell = Callable[[str], None]


def fine_tune(
    source: Path, out: Path, options: Options, modes: Sequence[int] = (0, 1, 2, 3), tell: Tell = print
) -> dict[str, Any]:
    """Learn the maps in a folder, write the adapter, and return what it says of itself.

    source : `.osz` archives, song folders or a built data set. out : the `.safetensors` file to write. modes :
    which maps are learned from. UserError if there is nothing to learn from or nothing that could change.
    """
    _check_writable(out)
    torch.manual_seed(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        maps = read_maps(source, Path(folder), modes, tell)
        known, held = hold_out(maps)
        tell(_summary(known, held))
        networks = _networks(known, held, Path(folder), options.seed, tell)
        bases = {network.name: weights.fingerprint(network.name) for network in networks}
        shares = [1.0] if len(networks) == 1 else [
            _RHYTHM_SHARE, *[(1 - _RHYTHM_SHARE) / (len(networks) - 1)] * (len(networks) - 1)
        ]  # fmt: skip
        tensors: weights.Tensors = {}
        figures = {}
        for network, share in zip(networks, shares, strict=True):
            changes, figures[network.name] = _tune(network, options, share, tell)
            tensors |= {f"{network.name}/{network.prefix}{key}": value for key, value in _halves(changes).items()}
    about = {
        "format": FORMAT, "bases": bases,
        "modes": sorted({item.beatmap.mode for item in known}), **asdict(options),
        "maps": len(known), "songs": len({item.song for item in known}),
        "mappers": sorted({item.row.creator for item in known}), "held_out_maps": len(held), "networks": figures,
    }  # fmt: skip
    replace_file(out, save(tensors, {METADATA: json.dumps(about)}))
    return about


def _check_writable(out: Path) -> None:
    """UserError where no file can be written, so that nobody finds out after the training."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise UserError(f"The adapter cannot be written to {out}: {error.strerror or error}.") from error


def _networks(
    known: list[OwnMap], held: list[OwnMap], scratch: Path, seed: int, tell: Tell
) -> list[Network]:
    """The networks that have something to learn from these maps."""
    networks: list[Network] = []
    for kind in NETWORKS:
        own = of_modes(known, kind.modes)
        if not own:
            continue
        network = kind(weights.tensors, own, of_modes(held, kind.modes), scratch, seed)
        if network.ready:
            networks.append(network)
        else:
            tell(f"the network {kind.name!r} stays as it is: the maps are too short, or off the beat of their red lines")
    if not networks:
        raise UserError("Nothing can be learned from these maps: too short, or off the beat of their red lines.")
    return networks


def _tune(
    network: Network, options: Options, share: float, tell: Tell
) -> tuple[dict[str, LowRank], dict[str, Any]]:
    """Fine-tune one network; returns its changed layers by name, and steps and figures."""
    changes = attach(network.net, options)
    if not changes:
        raise UserError(f"No layer of the network {network.name!r} matches targets={options.targets!r}.")
    before = network.bits()

    def judge() -> float:
        return network.worth(network.bits())

    tell(f"{network.name}: {len(changes)} layers, held out {_bits(before)}")
    steps = learn(
        network.net, network.loss, judge if before else None, options, share * options.minutes,
        lambda text: tell(f"{network.name}: {text}"),
    )  # fmt: skip
    after = network.bits()
    tell(f"{network.name}: held out {_bits(before)} before, {_bits(after)} after")
    return changes, {"steps": steps, "before": _rounded(before), "after": _rounded(after)}


def _halves(changes: dict[str, LowRank]) -> weights.Tensors:
    """The changes as the file holds them, by the name of the weight they belong to."""
    halves = {}
    for name, layer in changes.items():
        for half, value in (("A", layer.low), ("B", layer.high)):
            halves[f"{name}.weight.{half}"] = value.detach().numpy().astype(np.float16)
    return halves


def _summary(known: list[OwnMap], held: list[OwnMap]) -> str:
    modes = ", ".join(MODE_NAMES[mode] for mode in sorted({item.beatmap.mode for item in known}))
    text = f"learning {len(known)} maps of {len({item.song for item in known})} songs ({modes})"
    songs = ", ".join(sorted({f"{item.beatmap.artist} - {item.beatmap.title}" for item in held}))
    return text + (f"; held out: {len(held)} maps of {songs}" if held else "; too few songs to hold one out")


def _bits(figures: Figures) -> str:
    return ", ".join(f"{name} {value:.3f} bits" for name, value in figures.items()) or "nothing"


def _rounded(figures: Figures) -> Figures:
    return {name: round(value, 4) for name, value in figures.items()}
