"""A performance as pictures, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.avatar import Avatar, load_avatar
from kinesics.bodies.humanoid import JOINTS
from kinesics.bodies.retarget import retarget
from kinesics.errors import DataError
from kinesics.performance import Camera, Performance
from kinesics.performance._sampled import exact_rate
from kinesics.progress import progress
from kinesics.render.ahead import ahead
from kinesics.render.painter import Array, Frame, Painter
from kinesics.render.views import view_of


@dataclass(frozen=True, eq=False)
class Film:
    """A performance to be filmed: pictures that are painted when they are asked for and never kept.

    Parameters
    ----------
    performance
        ``body`` on any known skeleton, ``face`` in the ARKit basis; where one is missing the person rests.
    avatar
        Who is seen.
    camera
        From where, and how large.
    fps
        Pictures a second.

    Examples
    --------
    >>> from kinesics.performance import Face
    >>> smile = Performance({"face": Face(np.full((6, 1), 0.5), ("mouthSmileLeft",), 60)})
    >>> [image.shape for image in film(smile, view="face", width=32, height=32).frames()]
    [(32, 32, 3), (32, 32, 3), (32, 32, 3)]
    """

    performance: Performance
    avatar: Avatar
    camera: Camera
    fps: Fraction
    start: float = 0.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.camera.width, self.camera.height

    def __len__(self) -> int:
        return int(self.performance.duration * self.fps + 0.5)

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """The pictures (H, W, 3), RGB, while a bar shows how far it is."""
        pictures = (frame.rgb for frame in self.shots())
        return progress(pictures, "film", total=len(self), unit="picture")

    def shots(self) -> Iterator[Frame]:
        """The pictures with depth, parts and vertices; memory does not grow with their number."""
        painter, avatar = Painter(self.avatar, self.camera), self.avatar
        body, face = self.performance.get("body"), self.performance.get("face")
        if body is not None and body.skeleton.names == JOINTS:
            body = body.on(avatar.skeleton)
        elif body is not None:
            body = retarget(body, avatar.skeleton)
        face = face and face.select(avatar.morph_names)
        rest = np.tile(np.array([1, 0, 0, 0], np.float32), (len(JOINTS), 1))

        def poses() -> Iterator[tuple[Array, Array | None, Array | None]]:
            # In blocks of a second: interpolating needs little memory however long the film is.
            block = max(1, round(self.fps))
            for first in range(0, len(self), block):
                times = np.arange(first, min(first + block, len(self))) / float(self.fps)
                moved = body.at(times) if body else None
                shown = face.at(times) if face else None
                for k in range(len(times)):
                    yield (
                        rest if moved is None else moved.rotations[k],
                        None if moved is None else moved.root[k],
                        None if shown is None else shown.values[k],
                    )

        return ahead(lambda pose: painter.paint(pose[0], root=pose[1], weights=pose[2]), poses())


def film(
    performance: Performance,
    *,
    avatar: str | Path | Avatar | None = None,
    view: str | Camera = "half",
    width: int = 640,
    height: int = 360,
    fps: object = 30,
) -> Film:
    """Film a performance from second 0 to its end.

    Parameters
    ----------
    performance
        With ``body`` or ``face``, or both.
    avatar
        Who is seen: a name, an avatar, or None for the one in ``meta["avatar"]``.
    view
        ``"face"``, ``"bust"``, ``"half"``, ``"body"``, or a camera.
    width, height
        Pixels; a camera has its own.
    fps
        Pictures a second.

    Raises
    ------
    DataError
        If there is neither body nor face, the face is in another basis, or a size is beyond 4096 pixels.
    MissingExtra
        Without the extra ``video``, when the first picture is painted.
    """
    body, face = performance.get("body"), performance.get("face")
    if body is None and face is None:
        raise DataError("a film needs a body or a face; this performance has neither")
    if face is not None and face.basis != "arkit":
        raise DataError(f"a film needs the face in the basis 'arkit', not {face.basis!r}")
    if not isinstance(view, Camera) and not (1 <= width <= 4096 and 1 <= height <= 4096):
        raise DataError(f"film of {width} × {height} pixels; expected 1 to 4096")
    if not isinstance(avatar, Avatar):
        avatar = load_avatar(avatar or performance.meta.get("avatar", "maya"))
    camera = view if isinstance(view, Camera) else view_of(avatar, view, width=width, height=height)
    return Film(performance, avatar, camera, exact_rate(fps, "film"))
