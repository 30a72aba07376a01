"""A performance as pictures, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kinesics.bodies.avatar import Avatar, load_avatar
from kinesics.bodies.humanoid import JOINTS
from kinesics.bodies.retarget import retarget
from kinesics.errors import DataError
from kinesics.performance import Camera, Performance
from kinesics.performance._sampled import exact_rate
from kinesics.render.painter import Frame, Painter
from kinesics.render.views import view_of


def frames(
    performance: Performance,
    *,
    avatar: str | Path | Avatar | None = None,
    view: str | Camera = "half",
    width: int = 640,
    height: int = 360,
    fps: object = 30,
) -> Iterator[Frame]:
    """Paint a performance from second 0 to its end.

    Parameters
    ----------
    performance
        ``body`` on any known skeleton, ``face`` in the ARKit basis; where one is missing the person rests.
    avatar
        Who is seen: a name, an avatar, or None for the one in ``meta["avatar"]``.
    view
        ``"face"``, ``"bust"``, ``"half"``, ``"body"``, or a camera.
    width, height
        Pixels; a camera has its own.
    fps
        Pictures a second.

    Yields
    ------
    Frame
        One for each picture; memory does not grow with their number.

    Raises
    ------
    DataError
        If there is neither body nor face, or the face is in another basis.
    MissingExtra
        Without the extra ``video``.

    Examples
    --------
    >>> from kinesics.performance import Face
    >>> smile = Performance({"face": Face(np.full((6, 1), 0.5), ("mouthSmileLeft",), 60)})
    >>> [f.rgb.shape for f in frames(smile, view="face", width=32, height=32)]
    [(32, 32, 3), (32, 32, 3), (32, 32, 3)]
    """
    body, face = performance.get("body"), performance.get("face")
    if body is None and face is None:
        raise DataError("a film needs a body or a face; this performance has neither")
    if face is not None and face.basis != "arkit":
        raise DataError(f"a film needs the face in the basis 'arkit', not {face.basis!r}")
    if not isinstance(avatar, Avatar):
        avatar = load_avatar(avatar or performance.meta.get("avatar", "maya"))
    camera = view if isinstance(view, Camera) else view_of(avatar, view, width=width, height=height)
    painter = Painter(avatar, camera)
    if body is not None:
        body = body.on(avatar.skeleton) if body.skeleton.names == JOINTS else retarget(body, avatar.skeleton)
    if face is not None:
        face = face.select(avatar.morph_names)
    rate = exact_rate(fps, "film")
    count = int(performance.duration * rate + 0.5)
    rest = np.tile(np.array([1, 0, 0, 0], np.float32), (len(JOINTS), 1))
    # In blocks of a second: posing needs little memory however long the film is.
    block = max(1, round(rate))
    for first in range(0, count, block):
        times = np.arange(first, min(first + block, count)) / float(rate)
        moved = None if body is None or not len(body) else body.at(times)
        shown = None if face is None or not len(face) else face.at(times)
        for k in range(len(times)):
            yield painter.paint(
                rest if moved is None else moved.rotations[k],
                root=None if moved is None else moved.root[k],
                weights=None if shown is None else shown.values[k],
            )
