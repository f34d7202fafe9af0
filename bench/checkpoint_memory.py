"""Peak memory of loading a checkpoint, as a share of its file: `python bench/checkpoint_memory.py [v29] [v32] [v32-mini]`.

Writes random checkpoints of the published sizes into a temporary folder (0.2 to 0.9 GB each), loads each in a process
of its own as the mapper does, reads every weight once, and prints parameters, file, peak and ratio; the bar is 1.2.
Linux (the peak is read from /proc); needs the extra `published`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from mapperatorinator.mapper.sequence.network import Network, Shape

BAR = 1.2
_LOAD = """
import sys, torch, safetensors.torch
from mapperatorinator.checkpoints import load
from mapperatorinator.mapper.sequence.network import Spectrogram, load as network_of
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024
before = peak()
found = load(sys.argv[1])
network, ear = network_of(found.config, found.tensors), Spectrogram.of(found.config, found.tensors)
assert all(bool(torch.isfinite(weight).all()) for weight in network.state_dict().values())
print(peak() - before)
"""


def config_of(version: str) -> dict[str, Any]:
    """The parts of a published `config.json` that sizes are read from."""
    width, layers, heads = (512, 6, 8) if version == "v32-mini" else (768, 12, 12)
    old = version == "v29"
    sides = {f"{side}_{part}": size for side in ("encoder", "decoder") for part, size in (
        ("layers", layers), ("attention_heads", heads), ("ffn_dim", 4 * width))}  # fmt: skip
    backbone = {"d_model": width, "max_source_positions": 512 if old else 1024, **sides}
    return {
        "backbone_config": {**backbone, "max_target_positions": 2048 if old else 2560},
        "backbone_model_name": "openai/whisper-small" if old else "OliBomby/varwhisper-small",
        "vocab_size_in": 9920 if old else 8631, "vocab_size": 3988 if old else 4097, "n_mels": 388 if old else 128,
        "spectrogram_implementation": "nnAudio" if old else "torchaudio", "project_encoder_input": old,
        "spectrogram_log_scale": not old, "pad_mode": "constant" if old else "reflect",
    }  # fmt: skip


def write(folder: Path, version: str) -> int:
    """A random checkpoint of a version's size; returns its parameters."""
    config = config_of(version)
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in Network(Shape.of(config)).state_dict().items()}
    tensors = {name: torch.randn(shape) for name, shape in shapes.items()}
    tensors["spectrogram.transform.mel_scale.fb"] = torch.rand(513, config["n_mels"])
    save_file(tensors, folder / "model.safetensors")
    for name, content in (("config.json", config), ("tokenizer.json", {})):
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return sum(tensor.numel() for tensor in tensors.values())


def main(versions: list[str]) -> None:
    """Measure each version."""
    for version in versions or ["v29", "v32"]:
        with tempfile.TemporaryDirectory() as name:
            count = write(Path(name), version)
            size = (Path(name) / "model.safetensors").stat().st_size
            done = subprocess.run([sys.executable, "-c", _LOAD, name], capture_output=True, text=True, check=True)
            ratio = int(done.stdout) / size
            print(f"{version:9} {count / 1e6:6.1f}M  file {size / 1e6:6.1f} MB  peak {int(done.stdout) / 1e6:6.1f} MB  "
                  f"ratio {ratio:.2f} ({'within' if ratio <= BAR else 'ABOVE'} {BAR})")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
