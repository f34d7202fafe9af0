"""The process that does the work: one JSON task a line on stdin, JSON messages on stdout, a log on stderr.

It dies with the app (end of stdin), and a task ends soon after `{"cancel": id}`. What it may do is in `tasks`.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import traceback
from typing import Any

from mapperatorinator.errors import UserError

Task = dict[str, Any]


class Cancelled(Exception):
    """The user does not want this task any more."""


class Desk:
    """One task's line to the app: `say` reports, and raises `Cancelled` once the user has cancelled."""

    def __init__(self, pipe: Pipe, task: Task) -> None:
        self._pipe, self._id = pipe, task["id"]

    def say(self, kind: str, **values: Any) -> None:
        """Send one message."""
        if self._id in self._pipe.cancelled:
            raise Cancelled
        self._pipe.send({"id": self._id, "kind": kind, **values})


class Pipe:
    """stdin and stdout of this process as tasks and messages."""

    def __init__(self) -> None:
        self.tasks: queue.Queue[Task] = queue.Queue()
        self.cancelled: set[str] = set()
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # whatever a library prints belongs to the log
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, message: dict[str, Any]) -> None:
        """Write one line."""
        self._out.write(json.dumps(message) + "\n")
        self._out.flush()

    def _read(self) -> None:
        for line in sys.stdin.buffer:
            task = json.loads(line)
            if "cancel" in task:
                self.cancelled.add(task["cancel"])
            else:
                self.tasks.put(task)
        os._exit(0)  # the app is gone: so are we, in the middle of anything


def main() -> None:
    """Work until the app closes stdin."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in the terminal is for the app, which then ends us
    pipe = Pipe()
    from mapperatorinator.server.tasks import TASKS

    while True:
        task = pipe.tasks.get()
        desk = Desk(pipe, task)
        end: dict[str, Any]
        try:
            end = {"kind": "done", "result": TASKS[task["kind"]](task, desk.say)}
        except Cancelled:
            end = {"kind": "cancelled"}
        except UserError as error:
            end = {"kind": "failed", "error": str(error)}
        except MemoryError:
            end = {"kind": "failed", "error": "The computer ran out of memory; close other programs."}
        except Exception as error:
            traceback.print_exc()
            text = f"{type(error).__name__}: {error}".rstrip(": ")
            end = {"kind": "failed", "error": f"A bug in Mapperatorinator stopped this ({text}); see the log."}
        pipe.send({"id": task["id"], **end})


if __name__ == "__main__":
    main()
