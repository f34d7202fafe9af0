"""`mapperatorinator convert SOURCE`: pickled checkpoints become safetensors and JSON; nothing in them is run."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `convert`."""
    parser.add_argument(
        "source", help="a training checkpoint's folder, a .pkl, .bin, .pt or .ckpt file, or a hub id"
    )
    parser.add_argument("--out", help="folder for the result; default: beside the source")
    parser.add_argument("--offline", action="store_true", help="do not ask the network")


def run(given: argparse.Namespace) -> int:
    """Convert and say what was written, with sums."""
    from mapperatorinator.checkpoints import convert
    from mapperatorinator.checkpoints.files import sha256

    for path in convert(given.source, given.out, given.offline):
        print(f"{path}  sha256 {sha256(path)}")
    return 0
