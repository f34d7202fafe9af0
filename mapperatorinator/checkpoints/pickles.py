"""Data out of pickles, with nothing run: an unpickler that knows a short list of harmless names.

A pickle is a program. This one may make lists, dictionaries, numbers, text, tensors and numpy values, and *records*
in place of the training programs' own classes, whose attributes can be read and which do nothing. A pickle that asks
for anything else is refused, and the refusal says for what.
"""

from __future__ import annotations

import collections
import io
import pickle
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapperatorinator.errors import UserError

if TYPE_CHECKING:
    import torch

# Packages whose objects become records: the training programs, their configuration, their bookkeeping.
_RECORDED = {
    "osuT5", "osu_diffusion", "classifier", "rcomplexion", "libs", "omegaconf", "argparse", "config", "tokenizer",
    "diffusion", "torchmetrics", "pytorch_lightning", "lightning", "typing",
}  # fmt: skip
_BUILTINS = {
    "set",
    "frozenset",
    "list",
    "dict",
    "tuple",
    "int",
    "float",
    "bool",
    "str",
    "bytes",
    "complex",
    "slice",
}


class Record:
    """Stands in for an object of a program that is not here; `fields` holds what it was made of."""

    def __new__(cls, *arguments: Any, **_: Any) -> Any:
        """A member of an enumeration is pickled as its value: that value then, else a record."""
        if len(arguments) == 1 and isinstance(arguments[0], (str, int, float)):
            return arguments[0]
        made = super().__new__(cls)
        made.fields = {}
        return made

    fields: dict[str, Any]

    def __setstate__(self, state: Any) -> None:
        parts = state if isinstance(state, tuple) else (state,)
        for part in parts:
            if isinstance(part, dict):
                self.fields.update(part)


def read_pickle(path: Path) -> Any:
    """What a torch archive or a bare pickle holds; UserError if it asks for more than data, or is damaged."""
    try:
        if not zipfile.is_zipfile(path):
            with open(path, "rb") as stream:
                return _Unpickler(stream, path, None).load()
        with zipfile.ZipFile(path) as archive:
            name = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
            if name is None:
                raise UserError(f"{path} is an archive without weights.")
            return _Unpickler(io.BytesIO(archive.read(name)), path, archive).load()
    except (UserError, KeyboardInterrupt, MemoryError):
        raise
    except Exception as error:  # a damaged pickle can fail in any way
        raise UserError(f"{path} cannot be read as weights ({type(error).__name__}: {error}).") from error


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: Any, path: Path, archive: zipfile.ZipFile | None) -> None:
        super().__init__(stream)
        self._path, self._archive = path, archive
        self._storages: dict[str, Any] = {}

    def find_class(self, module: str, name: str) -> Any:
        """The one door through which a pickle reaches programs: only what is listed passes."""
        found = _allowed(module, name)
        if found is None:
            raise UserError(
                f"{self._path} was refused: to be read, it asks to use {module}.{name}, which weights do not need and "
                "which could do harm. Nothing of it was run. If you trust its author, ask for safetensors."
            )
        return found

    def persistent_load(self, pid: Any) -> Any:
        """The numbers of a tensor: a file of the archive, shape (n,), as bytes of a known type."""
        _, dtype, key, _, _ = pid
        if self._archive is None or not isinstance(key, str):
            raise pickle.UnpicklingError("numbers outside an archive are in a format that is too old")
        if key not in self._storages:
            import torch

            root = next(n for n in self._archive.namelist() if n.endswith("/data.pkl")).removesuffix(
                "data.pkl"
            )
            order = f"{root}byteorder"
            if order in self._archive.namelist() and self._archive.read(order) != b"little":
                raise pickle.UnpicklingError("its numbers are big-endian")
            block = bytearray(self._archive.read(f"{root}data/{key}"))
            self._storages[key] = (
                torch.frombuffer(block, dtype=dtype) if block else torch.empty(0, dtype=dtype)
            )
        return self._storages[key]


def _tensor(
    storage: torch.Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> Any:
    return storage.as_strided(size, stride, offset)


def _parameter(tensor: torch.Tensor, *_: Any) -> Any:
    return tensor


def _encode(text: str, encoding: str = "latin1") -> bytes:
    return text.encode(encoding)


def _allowed(module: str, name: str) -> Any:
    """The harmless thing that a name stands for, or None."""
    import numpy as np

    if module in ("builtins", "__builtin__") and name in _BUILTINS:
        return getattr(__import__("builtins"), name)
    if module.split(".")[0] in _RECORDED:
        return Record
    if module == "torch" or module.startswith("torch."):
        return _torch(module, name)
    named = f"{module}.{name}".replace("numpy.core", "numpy._core").replace("__builtin__", "builtins")
    return {
        "collections.OrderedDict": collections.OrderedDict,
        "collections.defaultdict": collections.defaultdict,
        "collections.Counter": collections.Counter,
        "pathlib.PosixPath": Record, "pathlib.WindowsPath": Record, "pathlib.PurePosixPath": Record,
        "_codecs.encode": _encode,
        "numpy.dtype": np.dtype, "numpy._core.multiarray.scalar": np.float64(0).__reduce__()[0],
    }.get(named)  # fmt: skip


def _torch(module: str, name: str) -> Any:
    import torch

    if name.endswith("Storage"):  # FloatStorage is how archives name float32
        return {
            "DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
            "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
            "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8,
            "BoolStorage": torch.bool, "UntypedStorage": torch.uint8,
        }.get(name)  # fmt: skip
    return {
        "torch._utils._rebuild_tensor_v2": _tensor,
        "torch._utils._rebuild_parameter": _parameter,
        "torch.Size": torch.Size, "torch.device": Record,
        "torch.float32": torch.float32, "torch.float16": torch.float16, "torch.bfloat16": torch.bfloat16,
    }.get(f"{module}.{name}")  # fmt: skip
