"""Routes of jobs: asking for maps, stretches and reviews, the queue, and what jobs make."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, PlainTextResponse

from mapperatorinator.errors import UserError
from mapperatorinator.server import uploads
from mapperatorinator.server.bodies import Choice, Marks, NewJob, NewReroll, NewReview, Place, Queue
from mapperatorinator.server.finding import OfficeNow, done, file, job_of, text, there
from mapperatorinator.server.folders import open_folder
from mapperatorinator.server.office import Office, task_of
from mapperatorinator.server.store import Document
from mapperatorinator.settings import Settings

router = APIRouter(prefix="/api")


@router.get("/jobs")
def jobs(office: OfficeNow) -> list[Document]:
    """All jobs, the oldest first, without their results."""
    everything = (office.job(job["id"]) or job for job in office.store.all("jobs"))
    return [_brief(job) for job in everything]


@router.post("/jobs", status_code=202)
def generate(office: OfficeNow, new: NewJob) -> Document:
    """Map a song."""
    values = new.model_dump()
    _check(office, values)
    return office.submit("generate", **values)


@router.post("/jobs/check")
def check(office: OfficeNow, new: NewJob) -> dict[str, Any]:
    """Whether these options can be used; nothing is started."""
    _check(office, new.model_dump())
    return {"good": True}


@router.post("/jobs/{job}/reroll", status_code=202)
def reroll(office: OfficeNow, job: str, new: NewReroll) -> Document:
    """Map a stretch of a finished map again."""
    base = done(office, job)
    if new.start_time >= new.end_time or new.map >= len(base["result"]["difficulties"]):
        raise UserError("Choose a stretch of one of the maps.")
    return office.submit("reroll", base["song"], of=job, settings=base["settings"], **new.model_dump())


@router.post("/jobs/{job}/keep", status_code=202)
def keep(office: OfficeNow, job: str, choice: Choice) -> Document:
    """Make a new result in which an alternative has taken the place of the map."""
    return uploads.keep(office, done(office, job), choice.choice)


@router.post("/reviews", status_code=202)
def review(office: OfficeNow, new: NewReview) -> Document:
    """Have maps looked at."""
    song = there(office.store, "songs", new.song)
    if new.of is not None:
        done(office, new.of)
    elif not song.get("maps"):
        raise UserError("There is no map to look at: drop an .osz or .osu file.")
    return office.submit("review", new.song, of=new.of, maps=new.maps)


@router.get("/jobs/{job}")
def one(office: OfficeNow, job: str) -> Document:
    """One job with its result."""
    return job_of(office, job)


@router.delete("/jobs/{job}")
def remove(office: OfficeNow, job: str) -> dict[str, bool]:
    """Delete a job and its files; a running one is cancelled."""
    office.remove(job_of(office, job)["id"])
    return {"removed": True}


@router.patch("/jobs/{job}")
def mark(office: OfficeNow, job: str, marks: Marks) -> Document:
    """Mark a result as a favourite, rate it, name it."""
    values = marks.model_dump(exclude_none=True)
    office.store.change("jobs", job_of(office, job)["id"], **values)
    office.stream.publish("job", job=_brief(job_of(office, job)))
    return _brief(job_of(office, job))


@router.post("/jobs/{job}/cancel")
def cancel(office: OfficeNow, job: str) -> dict[str, bool]:
    """Cancel a waiting or running job."""
    office.cancel(job_of(office, job)["id"])
    return {"cancelled": True}


@router.post("/jobs/{job}/again", status_code=202)
def again(office: OfficeNow, job: str) -> Document | None:
    """Run a job that failed, was cancelled or was interrupted once more."""
    known = job_of(office, job)
    if known["state"] in ("queued", "running", "done"):
        raise UserError("This job is not one that failed.")
    return office.again(known)


@router.post("/jobs/{job}/move")
def move(office: OfficeNow, job: str, place: Place) -> dict[str, bool]:
    """Change the order of the queue."""
    if job_of(office, job)["state"] != "queued":
        raise UserError("Only a waiting job can be moved.")
    office.move(job, place.before)
    return {"moved": True}


@router.post("/queue")
def queue(office: OfficeNow, state: Queue) -> dict[str, bool]:
    """Pause the queue, or let it go on."""
    office.pause(state.paused)
    return {"paused": office.paused}


@router.get("/jobs/{job}/osz")
def osz(office: OfficeNow, job: str) -> FileResponse:
    """The beatmap set."""
    name = done(office, job)["result"]["osz"]
    return file(office.store.files("jobs", job) / name, "application/octet-stream", name)


@router.get("/jobs/{job}/maps/{number}")
def map_text(office: OfficeNow, job: str, number: int) -> PlainTextResponse:
    """The text of one map of a result."""
    job_of(office, job)
    return text(office.store.files("jobs", job) / "maps" / f"{number}.osu")


@router.get("/jobs/{job}/preview")
def preview(office: OfficeNow, job: str) -> PlainTextResponse:
    """The map as far as it is drawn; empty if nothing is yet."""
    return PlainTextResponse(office.previews.get(job, ""))


@router.get("/jobs/{job}/log")
def log(office: OfficeNow, job: str) -> list[str]:
    """What the job has said so far."""
    return office.log(job_of(office, job))


@router.post("/jobs/{job}/open")
def show(office: OfficeNow, job: str) -> dict[str, bool]:
    """Show the folder of a result in the system's file manager."""
    done(office, job)
    return {"opened": open_folder(office.store.files("jobs", job))}


def _brief(job: Document) -> Document:
    """A job for the list: its result without curves and findings."""
    result = job.get("result")
    if not result:
        return job
    keep = ("name", "mode", "stars", "asked_stars", "objects", "map")
    brief = {name: [{k: item[k] for k in keep if k in item} for item in result[name]]
             for name in ("difficulties", "alternatives") if name in result}  # fmt: skip
    return {**job, "log": [], "result": {**brief, "osz": result.get("osz"), "seed": result.get("seed")}}


def _check(office: Office, values: Document) -> None:
    """UserError now rather than in the queue if the options cannot be used."""
    song = there(office.store, "songs", values["song"])
    if song["state"] == "failed" or (song["state"] == "ready" and not song["file"]):
        raise UserError("There is no sound to map: drop the song first.")
    job = {"id": "0" * 16, "kind": "generate", **values}
    settings = task_of(office.store, job, song)["settings"]
    office.store.files("jobs", job["id"]).rmdir()
    Settings.from_mapping(settings)
