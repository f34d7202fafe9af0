"""`mapperatorinator serve`: the web app on this computer."""

from __future__ import annotations

import argparse
from pathlib import Path

PORT = 5000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `serve`."""
    parser.add_argument("--port", type=int, default=PORT, help="first port to try; default: 5000")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--window", action="store_true", help="a window of its own (needs the extra `desktop`)")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where songs and results are kept")
    parser.add_argument("--page", default="", choices=("", "mod", "history"), help="which page to open")


def run(given: argparse.Namespace) -> int:
    """Serve until interrupted; returns the exit code."""
    from mapperatorinator.server.launch import serve

    return serve(given.port, not given.no_browser, given.page, given.data, given.window)
