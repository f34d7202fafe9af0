"""Who does what, in which order: songs go to the ear, jobs wait in a queue for the hand, every change is told.

A job is a document: kind (generate, reroll, review), song, state (queued, running, done, failed, cancelled,
interrupted), position in the queue, settings, and, once done, its result.
"""

from __future__ import annotations

import queue
import shutil
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from mapperatorinator.errors import UserError
from mapperatorinator.server.lane import Lane, Message
from mapperatorinator.server.store import OPEN_STATES, Document, Store
from mapperatorinator.server.stream import Stream
from mapperatorinator.settings import options

MOST_QUEUED = 500
_EAR_SECONDS = 300.0  # an upload that takes longer to hear is hostile or broken
_LOG_LINES = 200
_LOOK_SECONDS = 2.0  # how often the queue is looked at if nobody calls


class Office:
    """The two workers, the queue, and what is known of jobs that run."""

    def __init__(self, store: Store, stream: Stream) -> None:
        self.store, self.stream = store, stream
        self.paused = False
        self.previews: dict[str, str] = {}
        self._live: dict[str, Document] = {}  # what a running job says, too often for the disk
        self._logs: dict[str, deque[str]] = {}
        self._turn = threading.Condition()
        self._closed = False
        self._errands: queue.Queue[Message | None] = queue.Queue()
        self._ear = Lane("ear", self._errands.get, self._heard, {"id": "", "kind": "warm", "parts": "ear"})
        self._hand = Lane("hand", self._next_job, self._told, {"id": "", "kind": "warm", "parts": "hand"})

    def open(self) -> None:
        """Take up where the last run of the app stopped."""
        for job in self.store.all("jobs", "running"):
            self.store.change("jobs", job["id"], state="interrupted", error="The app was closed.")
        for song in self.store.all("songs", "listening"):
            self.listen(song)
        self._ear.start()
        self._hand.start()

    def close(self) -> None:
        """Stop the workers; what they were busy with is interrupted."""
        self._closed = True
        self._errands.put(None)
        with self._turn:
            self._turn.notify_all()
        for lane in (self._ear, self._hand):
            lane.close()
        for lane in (self._ear, self._hand):
            lane.join(_LOOK_SECONDS)

    @property
    def worker_ids(self) -> list[int]:
        """Process ids of the workers."""
        return [pid for pid in (self._ear.pid, self._hand.pid) if pid is not None]

    # songs

    def listen(self, song: Document) -> None:
        """Have an upload heard."""
        folder = self.store.files("songs", song["id"])
        self._errands.put({"id": song["id"], "kind": "listen", "folder": str(folder),
                           "path": str(folder / song["file"]), "maps": song["maps"], "seconds": _EAR_SECONDS})  # fmt: skip

    def _heard(self, task: Message, message: Message) -> None:
        if task["kind"] == "keep":
            self._kept(task, message)
            return
        values = dict(message.get("values") or message.get("result") or {})
        if message["kind"] == "done":
            values["state"] = "ready"
        elif message["kind"] != "heard":
            values = {"state": "failed", "error": message.get("error", "This file could not be heard.")}
        song = self.store.change("songs", task["id"], **values)
        if song is not None:
            self.stream.publish("song", song=song)
            if song["state"] != "listening":
                with self._turn:
                    self._turn.notify_all()
            if song["state"] == "ready" and song["file"]:
                self.prepare(song)

    def prepare(self, song: Document) -> None:
        """Let the hand hear a song that will probably be mapped next."""
        if song.get("timing"):
            path = self.store.files("songs", song["id"]) / song["file"]
            self._hand.prepare(song=str(path), timing=song["timing"])

    # jobs

    def submit(self, kind: str, song: str, **values: Any) -> Document:
        """Put a job at the end of the queue."""
        waiting = self.queued()
        if len(waiting) >= MOST_QUEUED:
            raise UserError(f"There are {MOST_QUEUED} jobs in the queue; wait until some are done.")
        position = max((job["position"] for job in waiting), default=0.0) + 1.0
        job = self.store.add("jobs", {"kind": kind, "song": song, "state": "queued", "position": position, **values})
        self._announce(job)
        return job

    def queued(self) -> list[Document]:
        """Waiting jobs in their order."""
        return sorted(self.store.all("jobs", "queued"), key=lambda job: job["position"])

    def job(self, identifier: str) -> Document | None:
        """A job with what it says at this moment."""
        job = self.store.get("jobs", identifier)
        return None if job is None else {**job, **self._live.get(identifier, {})}

    def log(self, job: Document) -> list[str]:
        """What a job has said so far."""
        return list(self._logs.get(job["id"]) or job.get("log") or [])

    def cancel(self, identifier: str) -> None:
        """Take a job out of the queue, or stop it."""
        with self._turn:
            job = self.store.get("jobs", identifier)
            if job is None or job["state"] not in OPEN_STATES:
                return
            if job["state"] == "queued":
                self._finish(identifier, state="cancelled")
                return
        self._hand.cancel(identifier)

    def move(self, identifier: str, before: str | None) -> None:
        """Put a waiting job in front of another one, or at the end."""
        with self._turn:
            order = [job for job in self.queued() if job["id"] != identifier]
            places = [job["id"] for job in order]
            at = places.index(before) if before in places else len(places)
            places.insert(at, identifier)
            for number, name in enumerate(places):
                self._announce(self.store.change("jobs", name, position=float(number)))

    def pause(self, paused: bool) -> None:
        """Let no further job start, or go on."""
        with self._turn:
            self.paused = paused
            self._turn.notify_all()
        self.stream.publish("queue", paused=paused)

    def again(self, job: Document) -> Document | None:
        """Put a job that ended back into the queue."""
        shutil.rmtree(self.store.files("jobs", job["id"]), ignore_errors=True)
        position = max((other["position"] for other in self.queued()), default=0.0) + 1.0
        changed = self.store.change("jobs", job["id"], state="queued", position=position, error=None, result=None)
        self._announce(changed)
        return changed

    def remove(self, identifier: str) -> None:
        """Forget a job and delete its files."""
        self.cancel(identifier)
        self.store.remove("jobs", identifier)
        self.previews.pop(identifier, None)
        self._logs.pop(identifier, None)
        self.stream.publish("removed", job=identifier)

    def keep(self, base: Document, maps: list[Path], values: Document) -> Document:
        """A new result: the set of `base` with these maps; it is done once the ear's worker has packed it."""
        job = self.store.add("jobs", {**values, "state": "running", "position": 0.0})
        self._announce(job)
        archive = self.store.files("jobs", base["id"]) / base["result"]["osz"]
        self._errands.put({"id": job["id"], "kind": "keep", "folder": str(self.store.files("jobs", job["id"])),
                           "set": str(archive), "maps": [str(path) for path in maps],
                           "base": base["result"], "seconds": _EAR_SECONDS})  # fmt: skip
        return job

    def _kept(self, task: Message, message: Message) -> None:
        if message["kind"] != "done":
            self._finish(task["id"], state="failed", error=message.get("error"))
            return
        made = message["result"]
        for item, old in zip(made["difficulties"], task["base"]["difficulties"], strict=True):
            item["asked_stars"] = old.get("asked_stars", item["stars"])
        self._finish(task["id"], state="done", result={**task["base"], **made})

    def _next_job(self) -> Message | None:
        """The first waiting job whose song is known; blocks until there is one."""
        with self._turn:
            while not self._closed:
                for job in () if self.paused else self.queued():
                    song = self.store.get("songs", job["song"])
                    if song is None or song["state"] == "failed":
                        self._finish(job["id"], state="failed", error="Its song could not be used.")
                    elif song["state"] == "ready":
                        return self._start(job, song)
                self._turn.wait(_LOOK_SECONDS)
        return None

    def _start(self, job: Document, song: Document) -> Message:
        self._logs[job["id"]] = deque(maxlen=_LOG_LINES)
        started = self.store.change("jobs", job["id"], state="running", started=time.time())
        self._live[job["id"]] = {"stage": "Starting", "done": 0.0}
        self._announce(started)
        return task_of(self.store, job, song)

    def _told(self, task: Message, message: Message) -> None:
        identifier = task["id"]
        if message["kind"] == "preview":
            self.previews[identifier] = message["osu"]
            self.stream.publish("preview", job=identifier)
        elif message["kind"] == "step":
            live = {"stage": message["stage"], "done": message["done"]}
            if live["stage"] != self._live.get(identifier, {}).get("stage"):
                self._note(identifier, live["stage"])
            self._live[identifier] = live
            self.stream.publish("progress", job=identifier, **live)
        elif message["kind"] == "done":
            self._finish(identifier, state="done", result=message["result"])
        elif message["kind"] == "cancelled":
            self._finish(identifier, state="cancelled")
        else:
            for line in message.get("log", ()):
                self._note(identifier, line)
            state = "interrupted" if self._closed else "failed"
            self._finish(identifier, state=state, error=message.get("error"))

    def _note(self, identifier: str, line: str) -> None:
        self._logs.setdefault(identifier, deque(maxlen=_LOG_LINES)).append(f"{time.strftime('%H:%M:%S')} {line}")

    def _finish(self, identifier: str, **values: Any) -> None:
        """A job has ended, in whatever way; what it left unfinished is deleted."""
        self._live.pop(identifier, None)
        if values["state"] != "done":
            shutil.rmtree(self.store.files("jobs", identifier), ignore_errors=True)
            self.previews.pop(identifier, None)
        log = list(self._logs.pop(identifier, ()))
        self._announce(self.store.change("jobs", identifier, finished=time.time(), log=log, **values))

    def _announce(self, job: Document | None) -> None:
        with self._turn:
            self._turn.notify_all()
        if job is not None:
            self.stream.publish("job", job=self.job(job["id"]))


def task_of(store: Store, job: Document, song: Document) -> Message:
    """What the worker needs to do a job: only here do ids become paths."""
    songs, results = store.files("songs", song["id"]), store.files("jobs", job["id"])
    task: Message = {"id": job["id"], "kind": job["kind"], "folder": str(results)}
    sound = str(songs / song["file"]) if song.get("file") else ""
    if job["kind"] == "review":
        of = job.get("of")
        maps = (store.files("jobs", of) if of else songs) / "maps"
        wanted = job.get("maps") or sorted(int(path.stem) for path in maps.glob("*.osu"))
        return {**task, "audio_path": sound, "maps": [str(maps / f"{int(number)}.osu") for number in wanted]}
    paths = {option.name for option in options() if option.kind == "path"}
    settings = {name: value for name, value in job["settings"].items() if name not in paths}
    settings |= {"audio_path": sound, "output_path": str(results)}
    if (songs / "background").is_file():
        settings["background"] = str(songs / "background")
    if job["kind"] == "reroll":
        base = store.files("jobs", job["of"]) / "maps" / f"{int(job['map'])}.osu"
        numbers = {name: job[name] for name in ("start_time", "end_time", "count", "seed")}
        return {**task, **numbers, "settings": settings, "map": str(base)}
    if job.get("reference") is not None:
        settings["beatmap_path"] = str(songs / "maps" / f"{int(job['reference'])}.osu")
    given = {"bpm", "offset"} & settings.keys() or settings.get("add_to_beatmap")
    return {**task, "settings": settings, "timing": None if given else song.get("timing")}
