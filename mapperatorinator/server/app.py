"""The app: the JSON API, its events and the page behind one door; `/api/openapi.json` describes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.staticfiles import StaticFiles

import mapperatorinator
from mapperatorinator.errors import UserError
from mapperatorinator.server import job_routes, song_routes
from mapperatorinator.server.finding import Missing, OfficeNow
from mapperatorinator.server.guard import Guard, TooLarge
from mapperatorinator.server.offer import offer
from mapperatorinator.server.office import Office
from mapperatorinator.server.store import Store
from mapperatorinator.server.stream import Stream

STATIC = Path(__file__).resolve().parent / "static"
router = APIRouter()


def create_app(folder: Path, token: str, port: int) -> Any:
    """The ASGI application; `folder` holds its data, `token` and `port` are those of this launch."""
    store, stream = Store(folder), Stream()
    office = Office(store, stream)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        office.open()
        yield
        stream.close()
        office.close()
        store.close()

    app = FastAPI(title="Mapperatorinator", version=mapperatorinator.__version__, lifespan=life,
                  openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)  # fmt: skip
    app.state.office = office

    @app.exception_handler(UserError)
    async def refused(request: Request, error: UserError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 400)

    @app.exception_handler(TooLarge)
    async def too_large(request: Request, error: TooLarge) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 413, {"connection": "close"})

    @app.exception_handler(Missing)
    async def missing(request: Request, error: Missing) -> JSONResponse:
        return JSONResponse({"error": "There is no such thing (any more)."}, 404)

    app.include_router(song_routes.router)
    app.include_router(job_routes.router)
    app.include_router(router)
    app.mount("/", StaticFiles(directory=STATIC, html=True))
    return Guard(app, token, port)


@router.get("/api/offer")
def whole_offer(office: OfficeNow) -> dict[str, Any]:
    """What may be asked for: every option, styles, presets, what suits the stars, languages."""
    return {**offer(), "paused": office.paused}


@router.get("/api/events")
async def events(office: OfficeNow, last_event_id: Annotated[str, Header()] = "") -> StreamingResponse:
    """Server-sent events; send `Last-Event-ID` to get what was missed."""
    said = office.stream.listen(last_event_id)
    return StreamingResponse(said, media_type="text/event-stream", headers={"cache-control": "no-store"})
