"""Published checkpoints: found in a folder or on the hub, mapped into memory, adapters merged.

`load` reads safetensors and JSON only. Pickles (raw training checkpoints, old files) are opened nowhere but in
`convert`, by an unpickler that knows a short list of harmless names.
"""

from __future__ import annotations

from mapperatorinator.checkpoints.checkpoint import Checkpoint, load
from mapperatorinator.checkpoints.convert import convert

__all__ = ["Checkpoint", "convert", "load"]
