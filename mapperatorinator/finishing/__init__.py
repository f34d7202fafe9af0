"""Finishing: what makes a drawn map playable (`finish`) or joins it to another (`merge`)."""

from __future__ import annotations

from mapperatorinator.finishing.chain import finish
from mapperatorinator.finishing.merge import merge

__all__ = ["finish", "merge"]
