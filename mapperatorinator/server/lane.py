"""One worker process and what it is busy with: started early, replaced when it dies, stopped within a second."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

Message = dict[str, Any]
PATIENCE_SECONDS = 0.4  # for a cancelled task to end by itself
_END = ("done", "failed", "cancelled")
_LOG_LINES = 200


class Lane(threading.Thread):
    """Takes one task after the other from `next_task` and gives every message about it to `tell`.

    next_task : blocks; None ends the lane. tell : gets the task and a message; the last one's kind is done,
    failed (with error), cancelled or died. warm : a task that a fresh worker starts with.
    """

    def __init__(
        self, name: str, next_task: Callable[[], Message | None], tell: Callable[[Message, Message], None],
        warm: Message,
    ) -> None:  # fmt: skip
        super().__init__(name=name, daemon=True)
        self._next_task, self._tell, self._warm = next_task, tell, warm
        self._guard = threading.RLock()
        self._current: Message | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def run(self) -> None:
        """Work until there is no next task."""
        self._ensure()
        while not self._closed and (task := self._next_task()) is not None:
            self._work(task)

    def cancel(self, identifier: str) -> None:
        """Stop the task if it is the one at work: first kindly, then by ending the process."""
        with self._guard:
            if self._current is None or self._current["id"] != identifier:
                return
            process = self._process
            self._current["cancelled"] = True
            self._send({"cancel": identifier})

        def insist() -> None:
            with self._guard:
                if self._current is not None and self._current["id"] == identifier and process is not None:
                    process.kill()

        timer = threading.Timer(PATIENCE_SECONDS, insist)
        timer.daemon = True
        timer.start()

    def prepare(self, **values: Any) -> None:
        """If nothing is at work, let the worker get ready for what probably comes next."""
        with self._guard:
            if self._current is None and self._process is not None:
                self._send({**self._warm, **values})

    def close(self) -> None:
        """End the worker; nothing of it stays behind."""
        with self._guard:
            self._closed = True
            process = self._process
        if process is not None:
            process.kill()
            process.wait(5)

    @property
    def pid(self) -> int | None:
        """The worker's process id."""
        return self._process.pid if self._process is not None else None

    def _work(self, task: Message) -> None:
        process = self._ensure()
        with self._guard:
            self._current = task
            self._send(task)
        timer = threading.Timer(task.get("seconds", 24 * 3600), process.kill)
        timer.daemon = True
        timer.start()
        end = self._listen(process, task)
        timer.cancel()
        with self._guard:
            self._current = None
        if end["kind"] == "died":
            if task.get("cancelled"):
                end = {"kind": "cancelled"}
            if not self._closed:
                self._ensure()
        self._tell(task, end)

    def _listen(self, process: subprocess.Popen[bytes], task: Message) -> Message:
        assert process.stdout is not None
        for line in process.stdout:
            message = json.loads(line)
            if message["id"] != task["id"]:
                continue  # of the warm-up
            if message["kind"] in _END:
                return message
            self._tell(task, message)
        code = process.wait()
        return {"kind": "died", "error": f"The worker stopped in the middle of this (exit code {code}).",
                "log": self._log_tail()}  # fmt: skip

    def _ensure(self) -> subprocess.Popen[bytes]:
        with self._guard:
            if self._process is None or self._process.poll() is not None:
                self._log = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the process)
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "mapperatorinator.server.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._log,
                    env={**os.environ, "PYTHONUNBUFFERED": "1"},
                )
                self._send(self._warm)
            return self._process

    def _send(self, message: Message) -> None:
        assert self._process is not None and self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has just died; whoever listens to it will say so

    def _log_tail(self) -> list[str]:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").splitlines()
        return list(deque(lines, _LOG_LINES))
