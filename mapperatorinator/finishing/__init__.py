"""Finishing: what turns a drawn map into one that can be played (`finish`) or joins it to another
(`merge`)."""

from __future__ import annotations

from mapperatorinator.finishing.chain import finish

__all__ = ["finish"]
