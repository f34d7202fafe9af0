"""Which device computes: what was asked for if it is there, else the best that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapperatorinator.errors import UserError

if TYPE_CHECKING:
    import torch

CHOICES = "auto, cpu, cuda, cuda:N or mps"


def choose_device(asked: str = "auto") -> torch.device:
    """A device that exists: "auto" takes cuda, mps, cpu in that order; what is not there becomes the cpu.

    UserError if `asked` is no device's name.
    """
    import torch

    kind, _, number = asked.lower().partition(":")
    if kind not in ("auto", "cpu", "cuda", "mps") or (number and not number.isdigit()):
        raise UserError(f"device is {asked!r} but must be {CHOICES}.")
    if kind in ("auto", "cuda") and torch.cuda.is_available():
        return torch.device("cuda", min(int(number or 0), torch.cuda.device_count() - 1))
    if kind in ("auto", "mps") and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
