"""Writes the table of checks: `python -m mapperatorinator.checks [FILE]` (without FILE: prints it)."""

from __future__ import annotations

import sys
from pathlib import Path

from . import table

if len(sys.argv) > 1:
    Path(sys.argv[1]).write_text(table(), encoding="utf-8", newline="\n")
else:
    print(table(), end="")
