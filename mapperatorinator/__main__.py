"""`python -m mapperatorinator` is the `mapperatorinator` command."""

from __future__ import annotations

from mapperatorinator.cli.main import main

main()
