"""Serve the viewer and one performance, or a scene beside its video, to a browser on this machine.

Who is let in is settled in :mod:`kinesics.studio._local`. Performances are held in memory and, as the video, served
under fixed names: no part of a request ever becomes a path on the disk.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from kinesics.errors import DataError, FormatError, KinesicsError
from kinesics.studio._local import Asgi, LocalServer, guard

if TYPE_CHECKING:
    from fastapi import FastAPI

    from kinesics.performance import Performance, Scene

__all__ = ["MAX_BYTES", "Viewer", "make_app", "view"]

log = logging.getLogger(__name__)

MAX_BYTES = 512 * 1024 * 1024
"""Largest performance that is served, in bytes: about an hour of body, face and sound."""

_TYPES = {
    "index.html": "text/html; charset=utf-8",
    "viewer.js": "text/javascript; charset=utf-8",
    "stage.js": "text/javascript; charset=utf-8",
    "viewer.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "licences.txt": "text/plain; charset=utf-8",
}

_FILMS = {".webm": "video/webm", ".mkv": "video/x-matroska"}


@dataclass(frozen=True)
class Shown:
    """What a viewer shows.

    Parameters
    ----------
    name
        As shown on the page; never used as a path.
    data
        A binary glTF or VRM file: who is seen first.
    people
        Names of all who can be seen.
    another
        ``another(k)`` gives the file of person ``k``.
    film
        The video that they were read from, or None.
    """

    name: str
    data: bytes
    people: tuple[str, ...] = ()
    another: Callable[[int], bytes] | None = None
    film: Path | None = None


def make_app(shown: Shown, *, token: str, hosts: frozenset[str]) -> Asgi:
    """Build the ASGI application that serves the viewer and what is to be shown.

    Parameters
    ----------
    shown
        Files and names.
    token
        First segment of every path that is answered.
    hosts
        Accepted ``Host`` headers, such as ``127.0.0.1:8000``.

    Returns
    -------
    callable
        The guarded application. Paths: ``/TOKEN/`` (the page), ``/TOKEN/viewer.js`` and the other
        files of the bundle, ``/TOKEN/performance.glb``, ``/TOKEN/about.json`` and, of a scene,
        ``/TOKEN/performance-1.glb`` … and ``/TOKEN/film``.
    """
    from fastapi import FastAPI
    from fastapi.responses import FileResponse, JSONResponse, Response

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
        return Response(shown.data, media_type="model/gltf-binary")

    for number in range(1, len(shown.people)):

        def another(number: int = number) -> Response:
            assert shown.another is not None
            return Response(shown.another(number), media_type="model/gltf-binary")

        app.add_api_route(f"/{token}/performance-{number}.glb", another, methods=["GET"])

    if shown.film is not None:
        film = shown.film

        @app.get(f"/{token}/film")
        def pictures() -> Response:
            return FileResponse(film, media_type=_FILMS.get(film.suffix.lower(), "video/mp4"))

    @app.get(f"/{token}/about.json")
    def about() -> JSONResponse:
        told = {"name": shown.name, "bytes": len(shown.data)}
        film = None if shown.film is None else _plain(shown.film.name)
        return JSONResponse({**told, "people": list(shown.people), "film": film})

    return guard(app, token=token, hosts=hosts)


def _bundle() -> dict[str, bytes]:
    """Read the built page; its few files stay in memory."""
    folder = resources.files("kinesics.studio") / "static"
    found = {name: (folder / name).read_bytes() for name in _TYPES if (folder / name).is_file()}
    if "index.html" not in found or "viewer.js" not in found:
        raise KinesicsError(
            "the viewer's page is not built: run `npm ci && npm run build` in studio/, or install a release"
        )
    return found


class Viewer(LocalServer):
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

    def __init__(self, shown: Shown, *, port: int = 0) -> None:
        super().__init__(
            lambda token, hosts: make_app(shown, token=token, hosts=hosts), name=shown.name, port=port
        )


def view(
    source: Performance | Scene | str | os.PathLike[str] | bytes,
    *,
    name: str | None = None,
    open_browser: bool = True,
    block: bool = True,
    port: int = 0,
) -> Viewer:
    """Show a performance in the browser; a scene beside the video that it was read from.

    Parameters
    ----------
    source
        A performance, a scene, or the path or content of a binary glTF (``.glb``) or VRM 0.x / 1.0 (``.vrm``)
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
    viewer = Viewer(_read(source, name), port=port)
    viewer.show(open_browser=open_browser, block=block)
    return viewer


def _read(source: Performance | Scene | str | os.PathLike[str] | bytes, name: str | None) -> Shown:
    """What is to be shown, after checking that it is a whole GLB."""
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        source, name = _from_file(path), name or path.name
    if hasattr(source, "people"):
        return _beside(source, _plain(name or "scene"))
    if isinstance(source, bytes | bytearray | memoryview):
        data, shown = bytes(source), name or "performance.glb"
        if len(data) > MAX_BYTES:
            raise _too_large(shown, len(data))
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
    return Shown(_plain(shown), data)


def _plain(name: str) -> str:
    # The name is text for a title, not a path: no control characters, and short.
    return re.sub(r"[\x00-\x1f\x7f]", " ", name)[:200]


def _beside(scene: Scene, name: str) -> Shown:
    """Everybody on an avatar, made when they are asked for, and the video."""
    people = tuple(scene.people)
    if not people:
        raise DataError(f"{name}: nobody is in this scene; there is nobody to show")
    if scene.video is None and scene.meta.get("source"):
        log.warning("%s: the video %s is not there; the avatar is shown alone", name, scene.meta["source"])

    @lru_cache(maxsize=4)
    def another(number: int) -> bytes:
        return _converted(scene.person(number).with_tracks(video=None))

    return Shown(name, another(0), tuple(map(_plain, people)), another, scene.video)


def _from_file(path: Path) -> bytes | Performance | Scene:
    """Content of a GLB or VRM file, or what else Kinesics reads."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise _too_large(path, size)
        with path.open("rb") as file:
            binary = file.read(4) == b"glTF"
        # A VRM animation is a binary glTF too, but one without anybody in it.
        if path.suffix.lower() == ".vrma" or not (binary or path.suffix.lower() in (".glb", ".vrm")):
            from kinesics import formats

            return formats.load(path)
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
