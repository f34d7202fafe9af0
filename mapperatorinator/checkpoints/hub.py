"""Where a checkpoint lies: a folder, or the hub's cache on this computer, filled over the network when it must be.

The first revision that was fetched stays: what works today is what works tomorrow, unless a revision is asked for.
A download that was cut off goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mapperatorinator.errors import UserError

Wanted = Callable[[Iterable[str]], list[str]]  # of a repository's file names, those to fetch

_ID = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
_PATIENCE = 15.0  # s, for an answer of the hub
_INSTEAD = (
    "the embedded model needs no download and maps all four modes: leave -cn, model= and model_path= away"
)


def locate(
    name: str | Path,
    wanted: Wanted,
    revision: str | None = None,
    offline: bool = False,
    converted: bool = True,
) -> Path:
    """The folder of a checkpoint or adapter.

    name : a folder or a hub id, also "id@revision". wanted : chooses the files to fetch. revision : commit, branch
    or tag; None takes what was fetched before, else the newest. offline : never ask the network (so does the
    environment variable HF_HUB_OFFLINE). converted : what `convert` made of the id is as good.
    """
    path = Path(name)
    if path.is_dir():
        return path
    match = _ID.fullmatch(str(name))
    if path.is_file() or match is None or str(name).startswith("."):
        what = "is a file; name its folder" if path.is_file() else "does not exist; check the path"
        raise UserError(f"The checkpoint {name} {what}.")
    if converted and converted_folder(match["id"]).is_dir():
        return converted_folder(match["id"])
    offline = offline or os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
    return _fetch(match["id"], wanted, revision or match["revision"], offline)


def converted_folder(repository: str) -> Path:
    """Where `convert` puts what it makes of a hub checkpoint; `locate` looks here first."""
    return _own_folder("converted") / repository.replace("/", "--")


def _fetch(repository: str, wanted: Wanted, revision: str | None, offline: bool) -> Path:
    try:
        import huggingface_hub as client
    except ImportError as error:
        raise UserError(
            f"{repository} is no folder here, and fetching it needs huggingface_hub: "
            "pip install 'mapperatorinator[published]'."
        ) from error
    commit, names = _remembered(repository, revision)
    cached = _cached(client, repository, commit or revision)
    if cached is not None:
        files = wanted(names or (_names(cached) if offline else []))
        if files and all((cached / name).is_file() for name in files):
            return cached
    if offline:
        raise UserError(f"{repository} is not on this computer and this run is offline; {_INSTEAD}.")
    try:
        return _download(client, repository, wanted, revision, commit or (cached.name if cached else None))
    except UserError:
        raise
    except Exception as error:  # the client raises its own errors and those of whichever HTTP library it uses
        if cached is not None and wanted(_names(cached)):
            return cached
        raise UserError(_why(repository, revision, error)) from error


def _download(client: Any, repository: str, wanted: Wanted, revision: str | None, commit: str | None) -> Path:
    found = client.HfApi().model_info(repository, revision=commit or revision, timeout=_PATIENCE)
    names = [item.rfilename for item in found.siblings or ()]
    files = wanted(names)
    if not files:
        raise UserError(
            f"{repository} holds no weights that may be loaded; if they are pickles, run "
            f"`mapperatorinator convert {repository}` once."
        )
    for name in files:
        path = Path(client.hf_hub_download(repository, name, revision=found.sha))
    memory = _memory(repository, revision)
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps({"commit": found.sha, "files": names}), encoding="utf-8")
    return path.parents[name.count("/")]


def _memory(repository: str, revision: str | None) -> Path:
    """Where the commit that was fetched first is kept, and all names of files that it has."""
    return _own_folder("hub") / f"{repository}@{revision or 'first'}.json".replace("/", "--")


def _remembered(repository: str, revision: str | None) -> tuple[str | None, list[str]]:
    try:
        told = json.loads(_memory(repository, revision).read_text(encoding="utf-8"))
        return str(told["commit"]), [str(name) for name in told["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None, []


def _own_folder(name: str) -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("mapperatorinator")) / name


def _cached(client: Any, repository: str, revision: str | None) -> Path | None:
    try:
        return Path(client.snapshot_download(repository, revision=revision, local_files_only=True))
    except Exception:  # nothing of it is here, or not this revision
        return None


def _names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def _why(repository: str, revision: str | None, error: Exception) -> str:
    """One sentence on why fetching failed; told by the error's name, which all versions of the client share."""
    kind = type(error).__name__
    if kind == "RevisionNotFoundError":
        return f"{repository} has no revision {revision}; check it on huggingface.co."
    if kind == "GatedRepoError":
        return f"{repository} asks for an account: accept its terms on huggingface.co, then `hf auth login`."
    if kind == "RepositoryNotFoundError":
        return (
            f"There is no checkpoint {repository} on huggingface.co, and no such folder here; check the name."
        )
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError):
        return f"{repository} cannot be stored: {error.strerror or error}."
    return (
        f"{repository} is not on this computer and the hub cannot be reached ({kind}): try again online, or give a "
        f"folder as model_path; {_INSTEAD}."
    )
