"""Where the app keeps its data, and showing a folder to the user."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

DATA_VARIABLE = "MAPPERATORINATOR_DATA"


def data_folder() -> Path:
    """The folder of songs, results and history."""
    from platformdirs import user_data_path

    named = os.environ.get(DATA_VARIABLE)
    return Path(named) if named else user_data_path("mapperatorinator", appauthor=False) / "web"


def claim(folder: Path) -> sqlite3.Connection | None:
    """Hold the data folder for this app until its process ends; None if another one holds it.

    The lock is one of SQLite's, which every system has and which dies with its owner.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = sqlite3.connect(folder / "lock", timeout=0)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        lock.close()
        return None
    return lock


def open_folder(path: Path) -> bool:
    """Show a folder in the file manager; False where there is none."""
    if sys.platform == "win32":
        os.startfile(path)
        return True
    tool = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if tool is None or (sys.platform != "darwin" and not has_screen()):
        return False
    subprocess.Popen([tool, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return True


def has_screen() -> bool:
    """Whether this computer can show windows to its user."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
