"""The JSON API and the page: routes only; what they do stands in `office` and `uploads`.

`/api/docs` is the OpenAPI description for people (`/api/openapi.json` for programs).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Header, Request
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.staticfiles import StaticFiles

import mapperatorinator
from mapperatorinator.errors import UserError
from mapperatorinator.server import uploads
from mapperatorinator.server.bodies import Choice, Marks, NewJob, NewReroll, NewReview, Place, Queue, Red
from mapperatorinator.server.folders import open_folder
from mapperatorinator.server.guard import Guard, TooLarge
from mapperatorinator.server.offer import offer
from mapperatorinator.server.office import Office, task_of
from mapperatorinator.server.store import Document, Store
from mapperatorinator.server.stream import Stream
from mapperatorinator.settings import Settings

STATIC = Path(__file__).resolve().parent / "static"


class Missing(Exception):
    """There is no such thing."""


def create_app(folder: Path, token: str, port: int, on_quit: Callable[[], None] = lambda: None) -> Any:
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
    app.state.office, app.state.stream = office, stream

    @app.exception_handler(UserError)
    async def refused(request: Request, error: UserError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 400)

    @app.exception_handler(TooLarge)
    async def too_large(request: Request, error: TooLarge) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 413, {"connection": "close"})

    @app.exception_handler(Missing)
    async def missing(request: Request, error: Missing) -> JSONResponse:
        return JSONResponse({"error": "There is no such thing (any more)."}, 404)

    _songs(app, office)
    _jobs(app, office)
    _results(app, office)
    _rest(app, office, stream)
    app.mount("/", StaticFiles(directory=STATIC, html=True))
    return Guard(app, token, port)


def _songs(app: FastAPI, office: Office) -> None:
    store = office.store

    @app.post("/api/songs", status_code=201)
    async def upload(request: Request, name: str) -> Document:
        """Upload a song, an .osz or an .osu as the body; `name` is its file name."""
        return await uploads.take_in(office, request.stream(), name)

    @app.get("/api/songs")
    def songs() -> list[Document]:
        """All songs, the oldest first."""
        return store.all("songs")

    @app.get("/api/songs/{song}")
    def song(song: str) -> Document:
        """One song: names, waveform, red lines, the maps that came with it."""
        return _there(store, "songs", song)

    @app.delete("/api/songs/{song}")
    def forget(song: str) -> dict[str, bool]:
        """Delete a song; results that were made from it stay."""
        store.remove("songs", _there(store, "songs", song)["id"])
        return {"removed": True}

    @app.put("/api/songs/{song}/timing")
    def correct(song: str, red: Red) -> Document:
        """Replace the red lines by corrected ones."""
        return uploads.correct(office, _there(store, "songs", song), red.lines)

    @app.post("/api/songs/{song}/sound", status_code=201)
    async def take_sound(request: Request, song: str, name: str) -> Document:
        """Upload the song of a map that came without it."""
        return await uploads.take_sound(office, _there(store, "songs", song), request.stream(), name)

    @app.post("/api/songs/{song}/background", status_code=201)
    async def background(request: Request, song: str, name: str) -> Document:
        """Upload a background picture for the maps of this song."""
        return await uploads.take_picture(office, _there(store, "songs", song), request.stream(), name)

    @app.get("/api/songs/{song}/sound")
    def sound(song: str) -> FileResponse:
        """The song as the game will play it."""
        return _file(store.files("songs", song) / str(_there(store, "songs", song).get("file") or "-"))

    @app.get("/api/songs/{song}/cover")
    def cover(song: str) -> FileResponse:
        """The picture inside the song's file."""
        known = _there(store, "songs", song)
        return _file(store.files("songs", song) / "cover", known.get("cover") or "image/jpeg")

    @app.get("/api/songs/{song}/maps/{number}")
    def song_map(song: str, number: int) -> PlainTextResponse:
        """The text of one of the maps that came with the song."""
        _there(store, "songs", song)
        return _text(store.files("songs", song) / "maps" / f"{number}.osu")


def _jobs(app: FastAPI, office: Office) -> None:
    store = office.store

    def checked(values: Document) -> None:
        """UserError now rather than in the queue if the options cannot be used."""
        song = _there(store, "songs", values["song"])
        if song["state"] == "failed" or (song["state"] == "ready" and not song["file"]):
            raise UserError("There is no sound to map: drop the song first.")
        job = {"id": "0" * 16, "kind": "generate", **values}
        settings = task_of(store, job, song)["settings"]
        store.files("jobs", job["id"]).rmdir()
        Settings.from_mapping(settings)

    @app.get("/api/jobs")
    def jobs() -> list[Document]:
        """All jobs, the oldest first, without their results."""
        everything = (office.job(job["id"]) or job for job in store.all("jobs"))
        return [_brief(job) for job in everything]

    @app.post("/api/jobs", status_code=202)
    def generate(new: NewJob) -> Document:
        """Map a song."""
        values = new.model_dump()
        checked(values)
        return office.submit("generate", **values)

    @app.post("/api/jobs/check")
    def check(new: NewJob) -> dict[str, Any]:
        """Whether these options can be used; nothing is started."""
        checked(new.model_dump())
        return {"good": True}

    @app.post("/api/jobs/{job}/reroll", status_code=202)
    def reroll(job: str, new: NewReroll) -> Document:
        """Map a stretch of a finished map again."""
        base = _done(office, job)
        if new.start_time >= new.end_time or new.map >= len(base["result"]["difficulties"]):
            raise UserError("Choose a stretch of one of the maps.")
        return office.submit("reroll", base["song"], of=job, settings=base["settings"], **new.model_dump())

    @app.post("/api/jobs/{job}/keep", status_code=202)
    def keep(job: str, choice: Choice) -> Document:
        """Make a new result in which an alternative has taken the place of the map."""
        return uploads.keep(office, _done(office, job), choice.choice)

    @app.post("/api/reviews", status_code=202)
    def review(new: NewReview) -> Document:
        """Have maps looked at."""
        song = _there(store, "songs", new.song)
        if new.of is not None:
            _done(office, new.of)
        elif not song.get("maps"):
            raise UserError("There is no map to look at: drop an .osz or .osu file.")
        return office.submit("review", new.song, of=new.of, maps=new.maps)

    @app.get("/api/jobs/{job}")
    def one(job: str) -> Document:
        """One job with its result."""
        return _job(office, job)

    @app.delete("/api/jobs/{job}")
    def remove(job: str) -> dict[str, bool]:
        """Delete a job and its files; a running one is cancelled."""
        office.remove(_job(office, job)["id"])
        return {"removed": True}

    @app.patch("/api/jobs/{job}")
    def mark(job: str, marks: Marks) -> Document:
        """Mark a result as a favourite, rate it, name it."""
        values = marks.model_dump(exclude_none=True)
        store.change("jobs", _job(office, job)["id"], **values)
        office.stream.publish("job", job=_brief(_job(office, job)))
        return _brief(_job(office, job))

    @app.post("/api/jobs/{job}/cancel")
    def cancel(job: str) -> dict[str, bool]:
        """Cancel a waiting or running job."""
        office.cancel(_job(office, job)["id"])
        return {"cancelled": True}

    @app.post("/api/jobs/{job}/again", status_code=202)
    def again(job: str) -> Document | None:
        """Run a job that failed, was cancelled or was interrupted once more."""
        known = _job(office, job)
        if known["state"] in ("queued", "running", "done"):
            raise UserError("This job is not one that failed.")
        return office.again(known)

    @app.post("/api/jobs/{job}/move")
    def move(job: str, place: Place) -> dict[str, bool]:
        """Change the order of the queue."""
        if _job(office, job)["state"] != "queued":
            raise UserError("Only a waiting job can be moved.")
        office.move(job, place.before)
        return {"moved": True}

    @app.post("/api/queue")
    def queue(state: Queue) -> dict[str, bool]:
        """Pause the queue, or let it go on."""
        office.pause(state.paused)
        return {"paused": office.paused}


def _results(app: FastAPI, office: Office) -> None:
    store = office.store

    @app.get("/api/jobs/{job}/osz")
    def osz(job: str) -> FileResponse:
        """The beatmap set."""
        name = _done(office, job)["result"]["osz"]
        return _file(store.files("jobs", job) / name, "application/octet-stream", name)

    @app.get("/api/jobs/{job}/maps/{number}")
    def text(job: str, number: int) -> PlainTextResponse:
        """The text of one map of a result."""
        _job(office, job)
        return _text(store.files("jobs", job) / "maps" / f"{number}.osu")

    @app.get("/api/jobs/{job}/preview")
    def preview(job: str) -> PlainTextResponse:
        """The map as far as it is drawn; empty if nothing is yet."""
        return PlainTextResponse(office.previews.get(job, ""))

    @app.get("/api/jobs/{job}/log")
    def log(job: str) -> list[str]:
        """What the job has said so far."""
        return office.log(_job(office, job))

    @app.post("/api/jobs/{job}/open")
    def show(job: str) -> dict[str, bool]:
        """Show the folder of a result in the system's file manager."""
        _done(office, job)
        return {"opened": open_folder(store.files("jobs", job))}


def _rest(app: FastAPI, office: Office, stream: Stream) -> None:
    @app.get("/api/offer")
    def whole_offer() -> dict[str, Any]:
        """What may be asked for: every option, styles, presets, what suits the stars, languages."""
        return {**offer(), "paused": office.paused}

    @app.get("/api/events")
    async def events(last_event_id: Annotated[str, Header()] = "") -> StreamingResponse:
        """Server-sent events; send `Last-Event-ID` to get what was missed."""
        return StreamingResponse(
            stream.listen(last_event_id), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )


def _there(store: Store, table: str, identifier: str) -> Document:
    document = store.get(table, identifier)
    if document is None:
        raise Missing
    return document


def _job(office: Office, identifier: str) -> Document:
    job = office.job(identifier)
    if job is None:
        raise Missing
    return job


def _done(office: Office, identifier: str) -> Document:
    job = _job(office, identifier)
    if job["state"] != "done":
        raise UserError("This job has no result (yet).")
    return job


def _brief(job: Document) -> Document:
    """A job for the list: its result without curves and findings."""
    result = job.get("result")
    if not result:
        return job
    keep = ("name", "mode", "stars", "asked_stars", "objects", "map")
    brief = {name: [{k: item[k] for k in keep if k in item} for item in result[name]]
             for name in ("difficulties", "alternatives") if name in result}  # fmt: skip
    return {**job, "log": [], "result": {**brief, "osz": result.get("osz"), "seed": result.get("seed")}}


def _file(path: Path, kind: str | None = None, name: str | None = None) -> FileResponse:
    if not path.is_file():
        raise Missing
    return FileResponse(path, media_type=kind, filename=name, headers={"cache-control": "no-store"})


def _text(path: Path) -> PlainTextResponse:
    if not path.is_file():
        raise Missing
    return PlainTextResponse(path.read_text(encoding="utf-8"))
