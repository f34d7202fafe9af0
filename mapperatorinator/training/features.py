"""Log-mel frames of training songs, kept as 8-bit files: 64 bytes every 10 ms, so ten hours fit in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mapperatorinator.audio import load_audio
from mapperatorinator.audio.mel import log_mel

_FLOOR = -11.6  # just under log(1e-5), the front end's floor
_STEPS = 11.0  # steps per neper: a full-scale tone reaches +11.1


def pack(mel: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Quantise log-mel frames to 8 bits (steps of 0.09 nepers, well under a frame's own noise)."""
    return np.clip(np.rint((mel - _FLOOR) * _STEPS), 0, 255).astype(np.uint8)


def unpack(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Undo ``pack`` up to its quantisation."""
    return packed.astype(np.float32) / _STEPS + _FLOOR


def song_mel(path: Path, cache: Path) -> NDArray[np.uint8]:
    """Return the packed log-mel frames of a song, decoding it only the first time.

    path : any audio file. cache : folder of ``<stem>.npy`` files. Returns (n_frames, 64) uint8, 10 ms apart.
    """
    kept = cache / f"{path.stem}.npy"
    if kept.exists():
        return np.load(kept)
    packed = pack(log_mel(load_audio(path).samples))
    cache.mkdir(parents=True, exist_ok=True)
    np.save(kept, packed)
    return packed


def main() -> None:
    """Cache every song of a folder: ``python -m mapperatorinator.training.features FOLDER CACHE``."""
    import sys

    folder, cache = Path(sys.argv[1]), Path(sys.argv[2])
    for path in sorted(folder.iterdir()):
        try:
            song_mel(path, cache)
        except Exception as problem:  # a damaged song must not stop the others
            print(f"skipped {path.name}: {problem}", file=sys.stderr)


if __name__ == "__main__":
    main()
