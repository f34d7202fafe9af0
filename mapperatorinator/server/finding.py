"""What routes share: the office of the running app, and finding what an id names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import FileResponse, PlainTextResponse

from mapperatorinator.errors import UserError
from mapperatorinator.server.office import Office
from mapperatorinator.server.store import Document, Store


class Missing(Exception):
    """There is no such thing."""


def _office(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


OfficeNow = Annotated[Office, Depends(_office)]


def there(store: Store, table: str, identifier: str) -> Document:
    """The song or job of an id; `Missing` if there is none."""
    document = store.get(table, identifier)
    if document is None:
        raise Missing
    return document


def job_of(office: Office, identifier: str) -> Document:
    """A job with what it says at this moment."""
    job = office.job(identifier)
    if job is None:
        raise Missing
    return job


def done(office: Office, identifier: str) -> Document:
    """A job that has a result; UserError if it has none."""
    job = job_of(office, identifier)
    if job["state"] != "done":
        raise UserError("This job has no result (yet).")
    return job


def file(path: Path, kind: str | None = None, name: str | None = None) -> FileResponse:
    """A file as the answer; with a name it is one to save."""
    if not path.is_file():
        raise Missing
    return FileResponse(path, media_type=kind, filename=name, headers={"cache-control": "no-store"})


def text(path: Path) -> PlainTextResponse:
    """A map's text as the answer."""
    if not path.is_file():
        raise Missing
    return PlainTextResponse(path.read_text(encoding="utf-8"))
