"""Serve the viewer and one performance to a browser on this machine.

Four doors keep other pages and other users of the machine out: the socket is bound to the loopback
address only; the port is random and every path starts with a token that is new in each run; requests
whose ``Host`` or ``Origin`` is not this server's are refused (DNS rebinding, cross-site requests);
and the content security policy lets the page talk to nobody else. The performance is held in memory
and served under one fixed name: no part of a request ever becomes a path on the disk.

Imports fastapi and uvicorn only when a viewer is opened.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import socket
import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Awaitable, Callable, MutableMapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinesics.errors import DataError, FormatError, KinesicsError

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from kinesics.performance import Performance

__all__ = ["MAX_BYTES", "Viewer", "make_app", "view"]

log = logging.getLogger(__name__)

MAX_BYTES = 512 * 1024 * 1024
"""Largest performance that is served, in bytes: about an hour of body, face and sound."""

_TYPES = {
    "index.html": "text/html; charset=utf-8",
    "viewer.js": "text/javascript; charset=utf-8",
    "viewer.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "licences.txt": "text/plain; charset=utf-8",
}

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


def make_app(data: bytes, *, name: str, token: str, hosts: frozenset[str]) -> Asgi:
    """Build the ASGI application that serves the viewer and one file.

    Parameters
    ----------
    data
        A binary glTF or VRM file.
    name
        Its name as shown on the page; never used as a path.
    token
        First segment of every path that is answered.
    hosts
        Accepted ``Host`` headers, such as ``127.0.0.1:8000``.

    Returns
    -------
    callable
        The guarded application. Paths: ``/TOKEN/`` (the page), ``/TOKEN/viewer.js`` and the other
        files of the bundle, ``/TOKEN/performance.glb`` and ``/TOKEN/about.json``.
    """
    from fastapi import FastAPI
    from fastapi.responses import JSONResponse, Response

    app: FastAPI = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    bundle = _bundle()

    def page_file(file: str) -> Response:
        return Response(bundle[file], media_type=_TYPES[file])

    for file in bundle:
        # One route per file of the bundle, fixed now: a request chooses among them, it names no file.
        route = f"/{token}/" if file == "index.html" else f"/{token}/{file}"
        app.add_api_route(route, lambda file=file: page_file(file), methods=["GET"])

    @app.get(f"/{token}/performance.glb")
    def performance() -> Response:
        return Response(data, media_type="model/gltf-binary")

    @app.get(f"/{token}/about.json")
    def about() -> JSONResponse:
        return JSONResponse({"name": name, "bytes": len(data)})

    return _guard(app, token=token, hosts=hosts)


def _guard(app: Asgi, *, token: str, hosts: frozenset[str]) -> Asgi:
    """Refuse what is not this page's own GET request, and put the security headers on the rest."""
    origins = {f"http://{host}" for host in hosts}
    headers = [(key.encode(), value.encode()) for key, value in _HEADERS]

    async def guarded(
        scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        asked = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        given = scope["path"].split("/")[1] if scope["path"].startswith("/") else ""
        refusal = None
        if asked.get("host", "").lower() not in hosts:
            refusal = 421, "This viewer answers only under its own address."
        elif "origin" in asked and asked["origin"].lower() not in origins:
            refusal = 403, "Other pages may not read this viewer."
        elif scope["method"] not in ("GET", "HEAD"):
            refusal = 405, "The viewer only reads."
        elif not secrets.compare_digest(given.encode(), token.encode()):
            refusal = 403, "The address lacks this run's token: open the one that was printed."

        async def send_guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        if refusal is None:
            await app(scope, receive, send_guarded)
            return
        status, text = refusal
        body = text.encode()
        plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        if status == 405:
            plain.append((b"allow", b"GET, HEAD"))
        await send_guarded({"type": "http.response.start", "status": status, "headers": plain})
        await send_guarded({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return guarded


def _bundle() -> dict[str, bytes]:
    """Read the built page; its few files stay in memory."""
    folder = resources.files("kinesics.studio") / "static"
    found = {name: (folder / name).read_bytes() for name in _TYPES if (folder / name).is_file()}
    if "index.html" not in found or "viewer.js" not in found:
        raise KinesicsError(
            "the viewer's page is not built: run `npm ci && npm run build` in studio/, or install a release"
        )
    return found


class Viewer:
    """A running viewer; close it when done, or use it in a ``with`` block.

    Attributes
    ----------
    url
        Address of the page, with this run's token.
    name
        Name of the performance shown.

    Examples
    --------
    >>> from kinesics.studio import view
    >>> with view(b"glTF\\x02\\0\\0\\0\\x0c\\0\\0\\0", block=False, open_browser=False) as viewer:
    ...     viewer.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(self, data: bytes, *, name: str, port: int = 0) -> None:
        import uvicorn

        self.name = name
        self._socket = _listen(port)
        number = self._socket.getsockname()[1]
        token = secrets.token_urlsafe(18)
        self.url = f"http://127.0.0.1:{number}/{token}/"
        hosts = frozenset({f"127.0.0.1:{number}", f"localhost:{number}"})
        with contextlib.ExitStack() as undo:  # a page that cannot be built leaves no open port behind
            undo.callback(self._socket.close)
            app = make_app(data, name=name, token=token, hosts=hosts)
            undo.pop_all()
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server: uvicorn.Server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="kinesics-viewer", daemon=True
        )
        self._thread.start()
        _until(lambda: self._server.started or not self._thread.is_alive(), seconds=10)
        if not self._server.started:
            self.close()
            raise KinesicsError(f"the viewer could not start on 127.0.0.1:{number}")

    def wait(self) -> None:
        """Serve until Ctrl-C, or until :meth:`close` is called from another thread."""
        try:
            while self._thread.is_alive():
                self._thread.join(timeout=0.5)
        except KeyboardInterrupt:
            log.info("viewer closed by the keyboard")
        finally:
            self.close()

    def close(self) -> None:
        """Stop serving and free the port; a second call does nothing."""
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._socket.close()

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Viewer({self.name!r}, {self.url!r})"


def view(
    source: Performance | str | os.PathLike[str] | bytes,
    *,
    name: str | None = None,
    open_browser: bool = True,
    block: bool = True,
    port: int = 0,
) -> Viewer:
    """Show a performance in the browser.

    Parameters
    ----------
    source
        A performance, or the path or content of a binary glTF (``.glb``) or VRM 0.x / 1.0 (``.vrm``)
        file, up to ``MAX_BYTES``. Files that other tools wrote are shown too; the page says what they
        lack. Paths of other files that ``kinesics.formats`` reads (``.kin``, ``.bvh`` …) are put on
        an avatar first.
    name
        Name shown on the page; default: the file's own name.
    open_browser
        Open the page by itself. Where this machine has no browser or no screen, the address is
        printed and said to be for opening by hand.
    block
        Serve until Ctrl-C. Otherwise return at once and serve from a background thread.
    port
        Port on 127.0.0.1; 0 takes a free one.

    Returns
    -------
    Viewer
        Already closed when ``block`` is true.

    Raises
    ------
    FormatError
        The content is not a whole binary glTF file.
    DataError
        The file is larger than ``MAX_BYTES``, or the port is not free.

    Examples
    --------
    >>> from kinesics.studio import view
    >>> viewer = view(b"glTF\\x02\\0\\0\\0\\x0c\\0\\0\\0", name="empty.glb", block=False, open_browser=False)
    >>> viewer.name
    'empty.glb'
    >>> viewer.close()
    """
    data, shown = _read(source, name)
    viewer = Viewer(data, name=shown, port=port)
    opened = open_browser and _open(viewer.url)
    if block or (open_browser and not opened):
        note = (
            "" if opened or not open_browser else "  (no browser on this machine: open the address by hand)"
        )
        print(f"{shown}: {viewer.url}{note}", file=sys.stderr, flush=True)
    if block:
        print("Ctrl-C closes the viewer.", file=sys.stderr, flush=True)
        viewer.wait()
    return viewer


def _read(source: Performance | str | os.PathLike[str] | bytes, name: str | None) -> tuple[bytes, str]:
    """Return the content and the shown name, after checking that it is a whole GLB."""
    if isinstance(source, bytes | bytearray | memoryview):
        data, shown = bytes(source), name or "performance.glb"
        if len(data) > MAX_BYTES:
            raise _too_large(shown, len(data))
    elif isinstance(source, str | os.PathLike):
        path = Path(source)
        data, shown = _from_file(path), name or path.name
    else:
        data, shown = _converted(source), name or "performance"
    if data[:4] != b"glTF" or len(data) < 12:
        raise FormatError(
            shown,
            "byte 0",
            "the signature 'glTF' of a binary glTF or VRM file",
            "export it as .glb; of other files .kin, .bvh and what else `kinesics` reads are shown",
        )
    whole = int.from_bytes(data[8:12], "little")
    if len(data) < whole:
        raise FormatError(
            shown,
            f"byte {len(data)}",
            f"{whole} bytes as its header says",
            "the file is cut short: write or download it again",
        )
    # The name is text for a title, not a path: no control characters, and short.
    return data, re.sub(r"[\x00-\x1f\x7f]", " ", shown)[:200]


def _from_file(path: Path) -> bytes:
    """Content of a GLB or VRM file; what else Kinesics reads is put on an avatar first."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise _too_large(path, size)
        with path.open("rb") as file:
            binary = file.read(4) == b"glTF"
        # A VRM animation is a binary glTF too, but one without anybody in it.
        if path.suffix.lower() == ".vrma" or not (binary or path.suffix.lower() in (".glb", ".vrm")):
            from kinesics import formats

            return _converted(formats.load(path))
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FormatError(path, "file", "a readable file", f"check the path ({reason})") from error


def _converted(performance: Performance) -> bytes:
    """Put a performance on its avatar, as a GLB in memory."""
    from kinesics import formats
    from kinesics.bodies.humanoid import JOINTS
    from kinesics.performance import Motion

    body = performance.tracks.get("body")
    if isinstance(body, Motion) and body.skeleton.names != JOINTS:
        # No avatar has these joints; bones as they are show more than an error would.
        from kinesics.studio.bones import bones_glb

        log.warning(
            "the motion is on a skeleton of %d joints that no avatar has: it is shown as bones, without "
            "sound and tiers",
            len(body.skeleton),
        )
        return bones_glb(body)
    with tempfile.TemporaryDirectory(prefix="kinesics-view-") as folder:
        path = Path(folder) / "performance.glb"
        formats.save(performance, path)
        if path.stat().st_size > MAX_BYTES:
            raise _too_large("the performance", path.stat().st_size)
        return path.read_bytes()


def _too_large(shown: object, size: int) -> DataError:
    return DataError(
        f"{shown} has {size / 1e6:.0f} MB; the viewer takes up to {MAX_BYTES / 1e6:.0f} MB: "
        "cut it into shorter performances"
    )


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
