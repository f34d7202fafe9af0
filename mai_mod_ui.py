"""MaiMod in the web app: `python mai_mod_ui.py` opens the page that looks at finished maps."""

from __future__ import annotations

import sys

from mapperatorinator.cli.main import main

if __name__ == "__main__":
    main(["serve", "--page", "mod", *sys.argv[1:]])
