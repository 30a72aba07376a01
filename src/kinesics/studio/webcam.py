"""Read a webcam, live, in the browser.

The page takes the pictures, sends them over a WebSocket to this machine's own loopback address and draws what comes back.
Nothing is stored, and nothing leaves the machine. Who is let in is settled in :mod:`kinesics.studio._local`; besides,
one page is served at a time, and pictures are raw pixels of a limited size: there is no decoder to attack. Of pictures that wait
the newest is read and the others are dropped, so that a page that is too quick costs no memory and nothing lags.

A message of the page: width and height (uint32, little-endian), time in seconds (float64, later than the one before), then RGBA, row
by row. An answer: JSON, see :func:`kinesics.reading.live.told`, with ``time`` and ``took`` (milliseconds).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import struct
import time as clock
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, KinesicsError, MissingExtra
from kinesics.reading import _figure as figure
from kinesics.reading.live import LiveReader, Reader, told
from kinesics.studio._local import Asgi, LocalServer, guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI, WebSocket

__all__ = ["Webcam", "webcam"]

log = logging.getLogger(__name__)

MOST_PIXELS = 1280 * 720
"""Of a picture that the page may send."""

PATIENCE = 2.0
"""Seconds that a new page waits for another one to go: a page that is loaded again comes before the old one has gone."""

_HEAD = struct.Struct("<IId")
_TYPES = {
    "webcam.html": "text/html; charset=utf-8",
    "webcam.js": "text/javascript; charset=utf-8",
    "stage.js": "text/javascript; charset=utf-8",
    "webcam.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


def picture(message: bytes) -> tuple[NDArray[np.uint8], float]:
    """The picture (H, W, 3) of a message, and its second.

    Raises
    ------
    DataError
        If the message is not what its head says.

    Examples
    --------
    >>> rgb, time = picture(_HEAD.pack(2, 1, 0.5) + bytes([1, 2, 3, 255, 4, 5, 6, 255]))
    >>> rgb.tolist(), time
    ([[[1, 2, 3], [4, 5, 6]]], 0.5)
    """
    if len(message) < _HEAD.size:
        raise DataError(f"a message of {len(message)} bytes; expected a picture")
    width, height, time = _HEAD.unpack_from(message)
    if not (0 < width <= 4096 and 0 < height <= 4096 and width * height <= MOST_PIXELS):
        raise DataError(f"a picture of {width} × {height}; expected at most {MOST_PIXELS} pixels")
    if len(message) != _HEAD.size + 4 * width * height or not 0 <= time < 1e9:
        raise DataError(f"{len(message)} bytes for {width} × {height} pixels at {time} s; expected RGBA")
    rgba = np.frombuffer(message, np.uint8, offset=_HEAD.size).reshape(height, width, 4)
    return np.ascontiguousarray(rgba[..., :3]), time


def make_app(reader: Callable[[], Reader], *, token: str, hosts: frozenset[str]) -> Asgi:
    """Build the guarded ASGI application of the page.

    Parameters
    ----------
    reader
        Makes what reads the pictures of one connection.
    token, hosts
        See :func:`kinesics.studio._local.guard`.
    """
    from fastapi import FastAPI
    from fastapi.responses import FileResponse, JSONResponse, Response

    from kinesics.bodies.avatar import avatar_glb

    app: FastAPI = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    folder = resources.files("kinesics.studio") / "static"
    files = {name: (folder / name).read_bytes() for name in _TYPES}
    pairs = {
        n: getattr(figure, n.upper()).tolist()
        for n in ("oval", "lids", "lips", "brows", "nose", "hand", "pose")
    }
    busy = asyncio.Lock()

    for file, content in files.items():
        route = f"/{token}/" if file == "webcam.html" else f"/{token}/{file}"

        def page_file(content: bytes = content, kind: str = _TYPES[file]) -> Response:
            return Response(content, media_type=kind)

        app.add_api_route(route, page_file, methods=["GET"])

    @app.get(f"/{token}/figure.json")
    def drawn() -> JSONResponse:
        irises = [[middle, list(range(rim.start, rim.stop))] for middle, rim in figure.IRISES]
        return JSONResponse({"pairs": pairs, "irises": irises, "mesh": figure.MESH, "pixels": MOST_PIXELS})

    @app.get(f"/{token}/avatar.glb")
    def avatar() -> FileResponse:
        return FileResponse(avatar_glb("maya"), media_type="model/gltf-binary")

    async def read(socket: WebSocket) -> None:
        await socket.accept()
        try:
            async with asyncio.timeout(PATIENCE):
                await busy.acquire()
        except TimeoutError:
            await socket.close(1013, "Another page is being read: stop it there first.")
            return
        try:
            await _serve(socket, reader)
        finally:
            busy.release()

    app.router.add_websocket_route(f"/{token}/read", read)
    return guard(app, token=token, hosts=hosts)


async def _serve(socket: WebSocket, reader: Callable[[], Reader]) -> None:
    """Read one page's pictures until it goes."""
    from starlette.websockets import WebSocketDisconnect

    newest: asyncio.Queue[bytes] = asyncio.Queue(1)

    async def receive() -> None:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message["code"])
            if message.get("bytes") is None:
                raise DataError("a message of text; expected a picture")
            if newest.full():
                newest.get_nowait()
            newest.put_nowait(message["bytes"])

    async def answer() -> None:
        reads = await asyncio.to_thread(reader)
        while True:
            message = await newest.get()
            await socket.send_text(await asyncio.to_thread(_answer, reads, message))

    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(receive())
            both.create_task(answer())
    except* WebSocketDisconnect:
        log.info("the page has gone")
    except* KinesicsError as errors:
        log.warning("webcam: %s", errors.exceptions[0])
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it has gone meanwhile
            # A reason holds 123 bytes.
            await socket.close(1003, str(errors.exceptions[0]).encode()[:120].decode(errors="ignore"))


def _answer(reads: Reader, message: bytes) -> str:
    rgb, time = picture(message)
    began = clock.perf_counter()
    answer: dict[str, Any] = told(reads.push(rgb, time), time)
    answer |= {"time": time, "took": round(1e3 * (clock.perf_counter() - began), 1)}
    return json.dumps(answer, separators=(",", ":"))


class Webcam(LocalServer):
    """A running page that reads the webcam; close it when done, or use it in a ``with`` block.

    Parameters
    ----------
    reader
        Makes what reads the pictures.
    port
        Port on 127.0.0.1; 0 takes a free one.
    """

    def __init__(self, reader: Callable[[], Reader], *, port: int = 0) -> None:
        try:
            import websockets  # noqa: F401
        except ImportError as error:
            raise MissingExtra("video", "reading the webcam (package websockets)") from error
        super().__init__(
            lambda token, hosts: make_app(reader, token=token, hosts=hosts),
            name="webcam",
            port=port,
            largest_message=4 * MOST_PIXELS + _HEAD.size,
        )


def webcam(
    *,
    people: int = 4,
    hands: bool = True,
    body: bool = False,
    open_browser: bool = True,
    block: bool = True,
    port: int = 0,
) -> Webcam:
    """Read the webcam in the browser: mesh, irises, gaze, hands, expression and events, drawn as they are found.

    Parameters
    ----------
    people
        How many are followed at most.
    hands, body
        Whether these are looked for.
    open_browser, block, port
        As :func:`kinesics.studio.view`.

    Returns
    -------
    Webcam
        Already closed when ``block`` is true.

    Raises
    ------
    MissingModels
        Before ``kinesics fetch landmarks``.
    DataError
        If the port is not free.
    """
    settings: dict[str, Any] = {"people": people, "hands": hands, "body": body}
    ready = [LiveReader(**settings)]  # what is missing is told here, not in the page
    page = Webcam(lambda: ready.pop() if ready else LiveReader(**settings), port=port)
    page.show(open_browser=open_browser, block=block)
    return page
