"""Serve a page to a browser on this machine, and to nobody else.

Four doors keep other pages and other users of the machine out: the socket is bound to the loopback
address only; the port is random and every path starts with a token that is new in each run; requests
whose ``Host`` or ``Origin`` is not this server's are refused (DNS rebinding, cross-site requests);
and the content security policy lets the page talk to nobody else.

Imports fastapi and uvicorn only when a server is started.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Self

from kinesics.errors import DataError, KinesicsError

if TYPE_CHECKING:
    import uvicorn

log = logging.getLogger(__name__)

_HEADERS = [
    (
        # blob: and data: because textures and sound inside a GLB reach the browser as such URLs.
        "content-security-policy",
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-store"),
]

Scope = MutableMapping[str, Any]
Asgi = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


def guard(app: Asgi, *, token: str, hosts: frozenset[str]) -> Asgi:
    """Refuse what is not this page's own GET request or WebSocket, and put the security headers on the rest."""
    origins = {f"http://{host}" for host in hosts}
    headers = [(key.encode(), value.encode()) for key, value in _HEADERS]

    async def guarded(
        scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        asked = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        given = scope["path"].split("/")[1] if scope["path"].startswith("/") else ""
        socket = scope["type"] == "websocket"
        refusal = None
        if asked.get("host", "").lower() not in hosts:
            refusal = 421, "This page answers only under its own address."
        elif ("origin" in asked or socket) and asked.get("origin", "").lower() not in origins:
            refusal = 403, "Other pages may not read this one."
        elif not socket and scope["method"] not in ("GET", "HEAD"):
            refusal = 405, "This page only reads."
        elif not secrets.compare_digest(given.encode(), token.encode()):
            refusal = 403, "The address lacks this run's token: open the one that was printed."

        async def send_guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        if refusal is None:
            await app(scope, receive, send_guarded)
            return
        if socket:  # closed before it is accepted: the browser is told 403
            await send({"type": "websocket.close", "code": 1008})
            return
        status, text = refusal
        body = text.encode()
        plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        if status == 405:
            plain.append((b"allow", b"GET, HEAD"))
        await send_guarded({"type": "http.response.start", "status": status, "headers": plain})
        await send_guarded({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return guarded


class LocalServer:
    """A running server; close it when done, or use it in a ``with`` block.

    Parameters
    ----------
    build
        ``build(token, hosts)`` gives the guarded ASGI application.
    name
        What is shown.
    port
        Port on 127.0.0.1; 0 takes a free one.
    largest_message
        Bytes of a WebSocket message; 0: the server has no WebSockets.

    Attributes
    ----------
    url
        Address of the page, with this run's token.
    """

    def __init__(
        self,
        build: Callable[[str, frozenset[str]], Asgi],
        *,
        name: str,
        port: int = 0,
        largest_message: int = 0,
    ) -> None:
        import uvicorn

        self.name = name
        self._socket = _listen(port)
        number = self._socket.getsockname()[1]
        token = secrets.token_urlsafe(18)
        self.url = f"http://127.0.0.1:{number}/{token}/"
        hosts = frozenset({f"127.0.0.1:{number}", f"localhost:{number}"})
        with contextlib.ExitStack() as undo:  # a page that cannot be built leaves no open port behind
            undo.callback(self._socket.close)
            app = build(token, hosts)
            undo.pop_all()
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="websockets-sansio" if largest_message else "none",
            ws_max_size=largest_message or 1,
            ws_per_message_deflate=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server: uvicorn.Server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="kinesics-server", daemon=True
        )
        self._thread.start()
        _until(lambda: self._server.started or not self._thread.is_alive(), seconds=10)
        if not self._server.started:
            self.close()
            raise KinesicsError(f"the page could not be served on 127.0.0.1:{number}")

    def show(self, *, open_browser: bool, block: bool) -> None:
        """Open the page, or say its address; serve until Ctrl-C if ``block``."""
        opened = open_browser and _open(self.url)
        if block or (open_browser and not opened):
            by_hand = "  (no browser on this machine: open the address by hand)"
            note = by_hand if open_browser and not opened else ""
            print(f"{self.name}: {self.url}{note}", file=sys.stderr, flush=True)
        if block:
            print("Ctrl-C closes the page.", file=sys.stderr, flush=True)
            self.wait()

    def wait(self) -> None:
        """Serve until Ctrl-C, or until :meth:`close` is called from another thread."""
        try:
            while self._thread.is_alive():
                self._thread.join(timeout=0.5)
        except KeyboardInterrupt:
            log.info("closed by the keyboard")
        finally:
            self.close()

    def close(self) -> None:
        """Stop serving and free the port; a second call does nothing."""
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.url!r})"


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":
        # Elsewhere this option would let another program take the same port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
    except (OSError, OverflowError) as error:
        listener.close()
        raise DataError(
            f"port {port} on 127.0.0.1 cannot be used ({error}); port=0 takes a free one"
        ) from error
    return listener


def _until(done: Callable[[], bool], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.005)


def _open(url: str) -> bool:
    """Open the page in the user's browser; say whether one was found."""
    headless = sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("WSL_DISTRO_NAME")
    )
    if headless and not os.environ.get("BROWSER"):
        # webbrowser would fall back to a text browser and take the terminal.
        return False
    try:
        return webbrowser.open(url)
    except webbrowser.Error as error:
        log.warning("no browser could be opened: %s", error)
        return False
