"""The embedded models: graphs (`.onnx`, without weights), tensors (`.safetensors`) and cards (`.json`).

Knows ONNX Runtime and nothing of music. A graph names its tensors as external data; they are read from the
safetensors file and handed over in memory, so that an adapter can be merged in numpy before a session starts.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from mapperatorinator.weights.adapter import Adapter

FOLDER = Path(__file__).parent
Tensors = dict[str, np.ndarray]


def card(name: str) -> dict[str, Any]:
    """Return the model card of an embedded model: sizes, vocabularies, how it was trained and how well it does.

    name : the model's file name without its ending, e.g. ``"grid"``.
    """
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def available(name: str) -> bool:
    """Say whether the package carries this model."""
    return (FOLDER / f"{name}.safetensors").exists() and (FOLDER / f"{name}.json").exists()


@cache
def fingerprint(name: str) -> str:
    """Return the sha256 of the model's tensors, as written into recipes."""
    return hashlib.sha256((FOLDER / f"{name}.safetensors").read_bytes()).hexdigest()


def tensors(name: str) -> Tensors:
    """Return the model's tensors as float32 (they are stored as float16 to halve the package)."""
    from safetensors.numpy import load_file

    return {
        key: value.astype(np.float32) if value.dtype == np.float16 else value
        for key, value in load_file(FOLDER / f"{name}.safetensors").items()
    }


def session(
    name: str,
    graph: str | None = None,
    adapter: Adapter | None = None,
    threads: int = 0,
) -> InferenceSession:
    """Open an ONNX Runtime session on an embedded model.

    name : the model, e.g. ``"grid"``; its tensors come from ``<name>.safetensors``.
    graph : one of several graphs of the model, stored as ``<name>.<graph>.onnx``; None for ``<name>.onnx``.
    adapter : merged into the tensors first.
    threads : CPU threads; 0 means all cores this process may use.
    """
    import onnxruntime as ort

    loaded = tensors(name) if adapter is None else adapter.merge(name)
    wanted = card(name)["graphs"][graph or "main"]
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or _cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    values = [ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(loaded[key])) for key in wanted]
    options.add_external_initializers(wanted, values)
    path = FOLDER / (f"{name}.{graph}.onnx" if graph else f"{name}.onnx")
    return ort.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
