"""Train a model on maps: `python osuT5/train.py -cn train_v29 train_dataset_path=… test_dataset_path=…`.

One machine with N GPUs: `torchrun --nproc_per_node=N osuT5/train.py …`; more machines: docs/training.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # works without an installed package, like its neighbours

from mapperatorinator.training.train_command import main  # noqa: E402

if __name__ == "__main__":
    main()
