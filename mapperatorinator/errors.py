"""The one exception that means "the user's input is at fault"."""

from __future__ import annotations


class UserError(Exception):
    """Bad input, told in one clear sentence: what is wrong and what to do about it."""
