"""Pictures and films of people who do not exist, with truth."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from kinesics.bodies.arkit import ARKIT

REST = np.tile(np.array([1, 0, 0, 0], np.float32), (55, 1))


@lru_cache(maxsize=8)
def portrait(number: int = 0, view: str = "face", size: int = 224):
    """A person who stands still: picture and labels."""
    from kinesics.stage.identities import identity
    from kinesics.stage.pixels import Set, Studio

    person = identity(41, number)
    stage = Set((0.3, 0.5, 0.8), (0.3, 0.3, 0.32), "plain", 0.0, 1)
    studio = Studio(person, stage, view=view, size=size)
    face = np.zeros(52, np.float32)
    face[ARKIT.index("jawOpen")] = 0.15
    frame = studio.shoot(REST, None, face)
    return person, studio.camera, studio.truth(frame, REST, person.joints[0], face, 0.0)


def scene(people: Iterable[tuple[np.ndarray, int, int]], width: int = 480, height: int = 270) -> np.ndarray:
    """A picture of pictures, each with its left upper corner at (x, y); what lies outside is cut off."""
    out = np.full((height, width, 3), 96, np.uint8)
    for image, x, y in people:
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + image.shape[1], width), min(y + image.shape[0], height)
        if left < right and top < bottom:
            out[top:bottom, left:right] = image[top - y : bottom - y, left - x : right - x]
    return out


def write(
    path: Path, pictures: Iterable[np.ndarray], *, rate: int = 25, stamps=None, rotation: int = 0
) -> Path:
    """Write a film; picture i at ``stamps[i] / rate`` seconds."""
    import av

    pictures = list(pictures)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate, options={"g": "6", "crf": "18"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if rotation:
            stream.set_display_rotation(rotation)
        for i, image in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = (i if stamps is None else stamps[i]), Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path
