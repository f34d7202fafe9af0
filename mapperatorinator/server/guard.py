"""The door: every request must name this computer, come from our own page, and carry the token of this launch.

A page of another site can send requests to loopback, and by DNS rebinding even read the answers; so the names of
hosts are an exact list, cross-site requests are refused by what browsers say of them (Origin, Sec-Fetch-Site), and
nothing under /api answers without the token, which only the address that was printed and opened holds.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

Scope = dict[str, Any]

TOKEN_HEADER = "x-mapperatorinator-token"
UPLOAD_BYTES = 512 * 2**20
JSON_BYTES = 2**20
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
_OUR_PAGES = ("same-origin", "none")


class TooLarge(Exception):
    """A body grew beyond its cap; the app answers with 413."""


class Guard:
    """ASGI middleware; `port` is the only one that a Host header may name, `hosts` further names allowed."""

    def __init__(self, app: Any, token: str, port: int, hosts: tuple[str, ...] = ()) -> None:
        self._app, self._token = app, token
        self._hosts = {f"{name}:{port}".encode() for name in (*_LOCAL_NAMES, *hosts)}
        if port == 80:
            self._hosts |= {name.encode() for name in (*_LOCAL_NAMES, *hosts)}

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Refuse, or pass on with a capped body and safe response headers."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        await self._pass(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = {name.lower(): value for name, value in scope["headers"]}
        host, origin = headers.get(b"host", b"").lower(), headers.get(b"origin")
        if host not in self._hosts:
            return 421, "This server answers only to this computer's own names."
        if origin is not None and origin.lower() != b"http://" + host:
            return 403, "Requests of other sites are refused."
        if headers.get(b"sec-fetch-site", b"none").decode("latin-1") not in _OUR_PAGES and _is_api(scope):
            return 403, "Requests of other sites are refused."
        if _is_api(scope):
            token = headers.get(TOKEN_HEADER.encode(), b"")
            if not secrets.compare_digest(token, self._token.encode()):
                return 401, "The token of this launch is missing; open the address that the terminal shows."
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > _cap(scope):
            return 413, too_large(scope)
        return None

    async def _pass(self, scope: Scope, receive: Any, send: Any) -> None:
        left = _cap(scope)

        async def counted() -> Any:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise TooLarge(too_large(scope))
            return message

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                there = dict(message["headers"])
                ours = {name.encode(): value.encode() for name, value in HEADERS.items()}
                message["headers"] = [*({b"cache-control": b"no-cache"} | there | ours).items()]
            await send(message)

        await self._app(scope, counted, guarded)


def too_large(scope: Scope) -> str:
    """What is said of a body beyond its cap."""
    return f"This is too large; the limit is {_cap(scope) >> 20} MiB."


def _is_api(scope: Scope) -> bool:
    return bool(scope["path"].startswith("/api/"))


def _cap(scope: Scope) -> int:
    return UPLOAD_BYTES if scope["path"].startswith("/api/songs") else JSON_BYTES


async def _refuse(send: Any, status: int, text: str) -> None:
    body = json.dumps({"error": text}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    headers += [(b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
