"""What survives a restart: songs and jobs as JSON documents in one SQLite file, files in folders by id.

Folders: `songs/<id>/` holds a song, its picture and the maps that came with it; `results/<id>/` what a job made.
Ids are random; no name that a client sends becomes part of a path without `safe_name`.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

Document = dict[str, Any]
OPEN_STATES = ("queued", "running")
_TABLES = ("songs", "jobs")


class Store:
    """Songs and jobs by id, each in some state; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """Open or create the store in `folder`, which only its owner may read."""
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self.folder = folder.resolve()
        self._lock = threading.RLock()
        self._database = sqlite3.connect(self.folder / "app.sqlite", check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        for table in _TABLES:
            self._database.execute(
                f"CREATE TABLE IF NOT EXISTS {table} (id TEXT PRIMARY KEY, created REAL, state TEXT, document TEXT)"
            )
            self._database.execute(f"CREATE INDEX IF NOT EXISTS {table}_state ON {table} (state)")
        self._database.commit()

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    def add(self, table: str, document: Document) -> Document:
        """Store a new document; returns it with its id and time of creation."""
        whole = {**document, "id": secrets.token_hex(8), "created": time.time()}
        with self._lock, self._database as database:
            database.execute(
                f"INSERT INTO {_known(table)} VALUES (?, ?, ?, ?)",
                (whole["id"], whole["created"], whole["state"], json.dumps(whole)),
            )
        return whole

    def get(self, table: str, identifier: str) -> Document | None:
        """The document of this id, or None."""
        with self._lock:
            row = self._database.execute(
                f"SELECT document FROM {_known(table)} WHERE id = ?", (identifier,)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, table: str, state: str | None = None) -> list[Document]:
        """All documents, or those in one state, the oldest first."""
        where, values = ("", ()) if state is None else ("WHERE state = ?", (state,))
        with self._lock:
            rows = self._database.execute(
                f"SELECT document FROM {_known(table)} {where} ORDER BY created", values
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def change(self, table: str, identifier: str, **values: Any) -> Document | None:
        """Set some values of a document; returns it, or None if it is gone."""
        with self._lock, self._database as database:
            document = self.get(table, identifier)
            if document is None:
                return None
            document.update(values)
            database.execute(
                f"UPDATE {_known(table)} SET state = ?, document = ? WHERE id = ?",
                (document["state"], json.dumps(document), identifier),
            )
        return document

    def remove(self, table: str, identifier: str) -> None:
        """Forget a document and delete its files."""
        with self._lock, self._database as database:
            database.execute(f"DELETE FROM {_known(table)} WHERE id = ?", (identifier,))
        shutil.rmtree(self._path(table, identifier), ignore_errors=True)

    def files(self, table: str, identifier: str) -> Path:
        """The folder of a document's files, created if need be."""
        path = self._path(table, identifier)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _path(self, table: str, identifier: str) -> Path:
        path = (self.folder / ("results" if table == "jobs" else table) / identifier).resolve()
        if not path.is_relative_to(self.folder) or len(path.relative_to(self.folder).parts) != 2:
            raise ValueError(f"{identifier!r} is no id")
        return path


def _known(table: str) -> str:
    if table not in _TABLES:
        raise ValueError(f"there is no table {table!r}")
    return table
