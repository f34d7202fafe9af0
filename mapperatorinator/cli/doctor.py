"""`mapperatorinator doctor`: what this installation has, what it lacks, and the line that mends it."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import mapperatorinator

_BASE = (
    "numpy", "onnxruntime", "av", "soxr", "safetensors", "rosu-pp-py", "hydra-core", "rich", "platformdirs", "fastapi",
    "uvicorn", "questionary",
)  # fmt: skip
_OLDEST, _NEWEST = (3, 10), (3, 13)


@dataclass(frozen=True)
class Finding:
    """One line of the report; `fix` is a command or a sentence, empty if there is nothing to do."""

    name: str
    text: str
    ok: bool = True
    fix: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `doctor`."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(given: argparse.Namespace) -> int:
    """Print the report; returns 0, or 1 if something has to be mended."""
    findings = [*_system(), *_packages(), *_runtimes(), *_weights(), *_folders()]
    if given.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{'ok ' if finding.ok else '!! '} {finding.name:14} {finding.text}")
            if finding.fix:
                print(f"{'':18} mend it: {finding.fix}")
    return 0 if all(finding.ok for finding in findings) else 1


def _system() -> list[Finding]:
    version = sys.version_info[:2]
    fits = _OLDEST <= version <= _NEWEST
    fix = "" if fits else f"use Python {_OLDEST[0]}.{_OLDEST[1]} to {_NEWEST[0]}.{_NEWEST[1]}"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [
        Finding(
            "mapperatorinator", f"{mapperatorinator.__version__} in {Path(mapperatorinator.__file__).parent}"
        ),
        Finding("system", f"{platform.system()} {platform.release()}, {platform.machine()}, {cores} cores"),
        Finding("Python", f"{platform.python_version()} at {sys.executable}", fits, fix),
    ]


def _packages() -> list[Finding]:
    missing, found = [], []
    for name in _BASE:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return [
            Finding("packages", f"missing: {', '.join(missing)}", False, f"pip install {' '.join(missing)}")
        ]
    return [Finding("packages", ", ".join(found))]


def _runtimes() -> list[Finding]:
    findings = []
    try:
        import onnxruntime

        providers = [name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()]
        findings.append(
            Finding("ONNX Runtime", f"{', '.join(providers)}; the embedded model runs on the CPU, by design")
        )
    except ImportError as error:
        findings.append(
            Finding(
                "ONNX Runtime", f"does not load: {error}", False, "pip install --force-reinstall onnxruntime"
            )
        )
    findings.append(_torch())
    return findings


def _torch() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("torch", "not installed (the embedded model needs it only to be fine-tuned, `mapperatorinator lora`)")
    try:
        import torch
    except (ImportError, OSError) as error:
        return Finding("torch", f"does not load: {error}", False, "pip install --force-reinstall torch")
    text = f"torch {torch.__version__}"
    if torch.cuda.is_available():
        return Finding("torch", f"{text} on {torch.cuda.get_device_name(0)}")
    if getattr(torch.backends, "mps", None) is not None and torch.backends.mps.is_available():
        return Finding("torch", f"{text} on Apple MPS")
    if shutil.which("nvidia-smi") and torch.version.cuda is None:
        fix = "reinstall torch with CUDA, as https://pytorch.org/get-started shows"
        return Finding("torch", f"{text} is a CPU build, but there is an NVIDIA driver", False, fix)
    return Finding("torch", f"{text} on the CPU (no GPU found)")


def _weights() -> list[Finding]:
    from mapperatorinator import weights

    names = sorted(path.stem for path in weights.FOLDER.glob("*.safetensors"))
    if not names:
        return [
            Finding("weights", "none in the package", False, "pip install --force-reinstall mapperatorinator")
        ]
    return [Finding("weights", f"{name}: sha256 {weights.fingerprint(name)[:16]}…") for name in names]


def _folders() -> list[Finding]:
    from platformdirs import user_cache_path

    cache = user_cache_path("mapperatorinator", appauthor=False)
    used = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file()) if cache.is_dir() else 0
    findings = [Finding("cache", f"{cache} ({used / 2**20:.0f} MiB)")]
    for name, folder in (("this folder", Path.cwd()), ("temporary", Path(tempfile.gettempdir()))):
        try:
            with tempfile.TemporaryFile(dir=folder):
                findings.append(Finding(name, f"{folder} can be written to"))
        except OSError:
            findings.append(Finding(name, f"{folder} cannot be written to", False, "use --out FOLDER"))
    return findings
