"""Writing a trained module into the package: graph without weights, tensors, card.

The graph keeps the module's own tensor names, so that what ONNX Runtime is given at run time is the state dict.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file

from mapperatorinator.weights import FOLDER


def export_graph(
    module: torch.nn.Module,
    path: Path,
    inputs: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    dynamic: Mapping[str, Mapping[int, str]],
    prefix: str = "",
) -> list[str]:
    """Write one ONNX graph whose parameters are external tensors; return their names, as in the state dict.

    inputs : example tensors by input name, in the order of ``forward``.
    dynamic : for each input, axis -> dimension name, for the axes whose length may change.
    prefix : put before the tensors' names, where the module is a part of the one whose tensors are saved.
    """
    dims: dict[str, Any] = {}
    shapes = {
        name: {
            axis: dims.setdefault(label, torch.export.Dim(label))
            for axis, label in dynamic.get(name, {}).items()
        }
        for name in inputs
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            dynamo=True,
            optimize=False,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=tuple(shapes.values()),
            verbose=False,
        )
    model = program.model_proto  # type: ignore[union-attr]
    names = _make_external(model, set(module.state_dict()), prefix)
    _strip(model)
    path.write_bytes(model.SerializeToString())
    return names


def _strip(model: Any) -> None:
    """Take out what only debuggers read: it is most of the file and names folders of this machine."""
    graph = model.graph
    for part in (
        model,
        graph,
        *graph.node,
        *graph.value_info,
        *graph.initializer,
        *graph.input,
        *graph.output,
    ):
        part.doc_string = ""
        del part.metadata_props[:]
    del graph.value_info[:]


def _make_external(model: Any, parameters: set[str], prefix: str) -> list[str]:
    """Strip the parameters' data from the graph and return their names; small constants stay inside."""
    import onnx

    names = []
    for tensor in model.graph.initializer:
        if tensor.name not in parameters:
            continue
        named = prefix + tensor.name
        for node in model.graph.node:
            node.input[:] = [named if name == tensor.name else name for name in node.input]
        tensor.name = named
        names.append(named)
        for field in ("raw_data", "float_data", "int64_data", "int32_data", "double_data"):
            tensor.ClearField(field)
        tensor.data_location = onnx.TensorProto.EXTERNAL
        del tensor.external_data[:]
        for key, value in (("location", "tensors"), ("offset", "0"), ("length", "0")):
            item = tensor.external_data.add()
            item.key, item.value = key, value
    return names


def save_tensors(state: Mapping[str, torch.Tensor], path: Path, half: bool = True) -> None:
    """Write a state dict as safetensors, floating tensors as float16 unless ``half`` is false."""
    arrays = {}
    for key, tensor in state.items():
        array = tensor.detach().cpu().contiguous().numpy()
        arrays[key] = array.astype(np.float16) if half and array.dtype == np.float32 else array
    save_file(arrays, path)


def export(
    module: torch.nn.Module,
    name: str,
    inputs: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    dynamic: Mapping[str, Mapping[int, str]],
    card: Mapping[str, Any],
    folder: Path = FOLDER,
) -> None:
    """Write a module with one graph as ``<name>.onnx``, ``<name>.safetensors`` and ``<name>.json``.

    card : what the model was trained on, with which command, for how long, and how well it does; plain JSON.
    """
    graphs = {"main": export_graph(module, folder / f"{name}.onnx", inputs, outputs, dynamic)}
    save_tensors(module.state_dict(), folder / f"{name}.safetensors")
    write_card(name, {**card, "graphs": graphs}, folder)


def write_card(name: str, card: Mapping[str, Any], folder: Path = FOLDER) -> None:
    """Write the model card; its ``graphs`` lists each graph's tensors, which the run time needs."""
    text = json.dumps(card, indent=1, ensure_ascii=False, sort_keys=False)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
