"""Starting and ending the app: a free port, the browser, and nothing left behind."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from mapperatorinator.errors import UserError
from mapperatorinator.server.folders import claim, data_folder, has_screen

if TYPE_CHECKING:
    import uvicorn

FIRST_PORT, _TRIES = 5000, 100
HOST = "127.0.0.1"
ADDRESS = "address"  # file in the data folder


def serve(
    port: int = FIRST_PORT, browser: bool = True, page: str = "", folder: Path | None = None, window: bool = False
) -> int:
    """Run the app until it is interrupted; returns the exit code.

    port : the first one to try. browser : open the page. page : which part of it, e.g. "mod". folder : data.
    window : show the page in a window of its own (the extra `desktop`) and end with it.
    """
    import uvicorn

    from mapperatorinator.server.app import create_app

    folder = folder or data_folder()
    lock = claim(folder)
    if lock is None:
        return _join(folder / ADDRESS, browser)
    listener = listen(port)
    port = listener.getsockname()[1]
    token = secrets.token_urlsafe(24)
    address = f"http://{HOST}:{port}/#token={token}" + (f"&page={page}" if page else "")
    app = create_app(folder, token, port)
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False,
                            timeout_graceful_shutdown=1, lifespan="on")  # fmt: skip
    server = uvicorn.Server(config)
    _note(folder / ADDRESS, address)
    print(f"Mapperatorinator is at {address}\nPress Ctrl+C to end it.", flush=True)
    if window:
        return _in_window(server, listener, address)
    if browser and has_screen():
        threading.Timer(0.5, webbrowser.open, (address,)).start()
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        listener.close()
        lock.close()
    return 0


def _note(path: Path, address: str) -> None:
    """Leave the address for a second launch; only the owner may read it, since it holds the token."""
    path.unlink(missing_ok=True)
    path.touch(0o600)
    path.write_text(address, encoding="utf-8")


def _join(path: Path, browser: bool) -> int:
    """The app runs already: show the one that does."""
    address = path.read_text(encoding="utf-8") if path.is_file() else ""
    print(f"Mapperatorinator runs already, at {address}")
    if browser and address and has_screen():
        webbrowser.open(address)
    return 0


def _in_window(server: uvicorn.Server, listener: socket.socket, address: str) -> int:
    try:
        import webview
    except ImportError as error:
        raise UserError("A window needs pywebview: pip install 'mapperatorinator[desktop]'.") from error
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    serving.start()
    webview.create_window("Mapperatorinator", address, width=1280, height=900)
    webview.start()
    server.should_exit = True
    serving.join()
    return 0


def listen(port: int) -> socket.socket:
    """A socket on loopback at `port` or the next free one; UserError if there is none."""
    for candidate in range(port, port + _TRIES) if port else (0,):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "posix":  # elsewhere this option would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, candidate))
            return listener
        except OSError:
            listener.close()
    raise UserError(f"No port from {port} to {port + _TRIES} is free; choose another with --port.")
