"""The web app: `python web-ui.py` opens a page in which a song becomes a map."""

from __future__ import annotations

import sys

from mapperatorinator.cli.main import main

if __name__ == "__main__":
    main(["serve", *sys.argv[1:]])
