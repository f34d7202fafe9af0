"""`mapperatorinator lora FOLDER --out my.safetensors`: fine-tune the embedded model on your own maps."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from mapperatorinator.errors import UserError
from mapperatorinator.settings import MODES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `lora`."""
    parser.add_argument("folder", type=Path, help="your maps: .osz files, song folders, or what `dataset build` made")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the adapter to write (.safetensors)")
    parser.add_argument("--mode", nargs="+", default=[], metavar="MODE", help="osu taiko catch mania; default: all found")
    parser.add_argument("--minutes", type=float, default=12.0, help="time to train (default: %(default)g)")
    parser.add_argument("--rank", type=int, default=8, help="rank of the changes (default: %(default)s)")
    parser.add_argument("--alpha", type=float, help="changes are scaled by alpha / rank (default: twice the rank)")
    parser.add_argument("--dropout", type=float, default=0.05, help="default: %(default)g")
    parser.add_argument("--targets", default="", metavar="PATTERN", help="linear layers to change (default: all)")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate (default: %(default)g)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (default: all cores)")
    parser.add_argument("--seed", type=int, default=0)


def run(given: argparse.Namespace) -> int:
    """Read, learn, write; returns the exit code."""
    _check(given)
    try:
        import torch
    except ImportError as error:
        raise UserError("Fine-tuning needs torch: pip install 'mapperatorinator[train]'.") from error
    from mapperatorinator.training.adapter import fine_tune
    from mapperatorinator.training.low_rank import Options

    if given.threads:
        torch.set_num_threads(given.threads)
    begun = time.monotonic()
    alpha = 2.0 * given.rank if given.alpha is None else given.alpha
    options = Options(given.rank, alpha, given.dropout, given.targets, given.minutes, given.rate, given.seed)
    modes = sorted({MODES[word.casefold()] for word in given.mode}) or range(4)
    fine_tune(given.folder, given.out, options, modes, lambda text: print(text, flush=True))
    print(f"{given.out} after {(time.monotonic() - begun) / 60:.1f} minutes; use it with lora_path={given.out}")
    return 0


def _check(given: argparse.Namespace) -> None:
    """UserError for what cannot work, before any work is done."""
    if not given.folder.exists():
        raise UserError(f"There is no {given.folder}; name a folder of .osz files.")
    if given.out.suffix != ".safetensors":
        raise UserError(f"--out {given.out} must end in .safetensors.")
    for name, least, most in (
        ("minutes", 0.001, 10_000), ("rank", 1, 192), ("dropout", 0, 0.9), ("rate", 1e-7, 0.1), ("threads", 0, 4096)
    ):
        if not least <= getattr(given, name) <= most:
            raise UserError(f"--{name} must be between {least:g} and {most:g}.")
    for word in given.mode:
        if word.casefold() not in MODES:
            raise UserError(f"There is no mode {word!r}; choose from osu, taiko, catch, mania.")
