"""Server-sent events with resume: whoever reconnects gets what it missed, or is told to fetch everything anew."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

_KEPT = 2000  # events that a client may have missed
_HEARTBEAT_SECONDS = 15.0


class Stream:
    """Numbered events from any thread to any number of listening pages."""

    def __init__(self) -> None:
        self._launch = secrets.token_hex(4)  # numbers of another launch mean nothing to us
        self._lock = threading.Lock()
        self._count = 0
        self._events: deque[tuple[int, str]] = deque(maxlen=_KEPT)
        self._listeners: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._closed = False

    def publish(self, kind: str, **values: Any) -> None:
        """Send an event to every page."""
        with self._lock:
            self._count += 1
            text = f"id: {self._launch}-{self._count}\nevent: {kind}\ndata: {json.dumps(values)}\n\n"
            self._events.append((self._count, text))
        self._wake()

    def close(self) -> None:
        """End every page's stream."""
        self._closed = True
        self._wake()

    async def listen(self, last_id: str = "") -> AsyncIterator[str]:
        """Events after `last_id` as text; starts with `hello`, or `reset` if some were lost meanwhile."""
        wake = asyncio.Event()
        self._listeners[wake] = asyncio.get_running_loop()
        try:
            seen, greeting = self._start(last_id)
            yield f"id: {self._launch}-{seen}\nevent: {greeting}\ndata: {{}}\n\n"
            while not self._closed:
                with self._lock:
                    missed = [(number, text) for number, text in self._events if number > seen]
                for number, text in missed:
                    seen = number
                    yield text
                if not missed:
                    wake.clear()
                    try:
                        await asyncio.wait_for(wake.wait(), _HEARTBEAT_SECONDS)
                    except asyncio.TimeoutError:
                        yield ": still here\n\n"
        finally:
            self._listeners.pop(wake, None)

    def _start(self, last_id: str) -> tuple[int, str]:
        launch, _, number = last_id.partition("-")
        with self._lock:
            oldest = self._events[0][0] if self._events else self._count + 1
            if launch == self._launch and number.isdigit() and oldest - 1 <= int(number) <= self._count:
                return int(number), "hello"
            return self._count, "reset" if last_id else "hello"

    def _wake(self) -> None:
        for wake, loop in list(self._listeners.items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(wake.set)
