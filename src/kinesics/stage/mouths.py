"""Talking mouths: filmed close up, and as reading finds them on a whole head. What lip readers and mouth fitters learn from.

Of a close-up only the mesh about the mouth is painted, of a head only the head, several times as fast as whole people. A head turns a little while it
talks, before one of many lights and walls, and its film goes through the very detectors that ``kinesics read`` has: landmarks and pictures of the mouth
have the errors that reading makes.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies import ibug
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import Avatar
from kinesics.bodies.humanoid import INDEX
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.performance import Camera, Face
from kinesics.render import Painter, view_of
from kinesics.seeds import rng
from kinesics.stage.pixels import draw_set
from kinesics.systems import _mouth_features as mouths

Array = NDArray[np.float32]

MOUTH, HEAD = 0.085, 0.17
"""Metres about the mouth that are painted of a close-up, from the nose to below the chin, and of a head."""
_AWAY = 0.6  # metres from which a mouth is seen
_REST = np.tile(np.array([1, 0, 0, 0], np.float32), (len(INDEX), 1))
_SIZES = (176, 240)  # pixels of a head's picture: faces are some 100 to 150 high
_ZOOM = 0.72  # room about a head, so that it may turn
_TURNS = (4.0, 6.0, 2.5)  # degrees: usual pitch, yaw and roll of a head that talks


def about_the_mouth(person: Avatar, near: float = MOUTH) -> Avatar:
    """The part of a person within some metres of the mouth; it has no landmarks of its own."""
    middle = person.vertices[list(ibug.VERTICES[ibug.MOUTH])].mean(axis=0)
    close = np.linalg.norm(person.vertices - middle, axis=1) < near
    faces = [f[close[f].all(axis=1)] for f in (person.faces[p.faces] for p in person.parts)]
    keep = np.zeros(len(person.vertices), bool)
    keep[np.concatenate(faces).ravel()] = True
    place = (np.cumsum(keep) - 1).astype(np.int32)
    parts, vertex, face = [], 0, 0
    for part, own in zip(person.parts, faces, strict=True):
        count = int(keep[part.vertices].sum())
        if len(own):
            spans = slice(vertex, vertex + count), slice(face, face + len(own))
            parts.append(replace(part, vertices=spans[0], faces=spans[1]))
        vertex, face = vertex + count, face + len(own)
    moving = keep[person.morph_vertices]
    return replace(
        person,
        vertices=person.vertices[keep],
        normals=person.normals[keep],
        uv=person.uv[keep],
        faces=place[np.concatenate(faces)],
        weight_index=person.weight_index[keep],
        weight_value=person.weight_value[keep],
        morph_vertices=place[person.morph_vertices[moving]],
        morph_offsets=person.morph_offsets[:, moving],
        parts=tuple(parts),
        landmarks=MappingProxyType({}),
    )


class CloseUp:
    """A camera before somebody's mouth.

    Parameters
    ----------
    person
        Who.
    size
        Pixels of each side.
    seed, take
        Of light, backdrop, angle and how well the mouth is centred.

    Raises
    ------
    MissingExtra
        Without the extra ``video``.
    """

    def __init__(self, person: Avatar, *, size: int = 48, seed: int = 0, take: int = 0) -> None:
        stream, stage = rng(seed, "close-up", take), draw_set(seed, "close-up", take)
        rest = person.vertices[list(ibug.VERTICES)].astype(np.float64)
        target = mouths.rest("maya")[list(ibug.STILL)] / 1000
        scale, turn, shift = mouths.similarity(rest[None, list(ibug.STILL)], target)
        # where the middle of a crop lies on this face: back from the canonical one
        at = turn[0].T @ (mouths.middle("maya") / 1000 - shift[0]) / scale[0]
        half = mouths.HALF / 1000 / scale[0] * float(np.exp(stream.normal(0, 0.04)))
        at = at + half * np.array([*stream.normal(0, 0.03, 2), 0])
        around, above = np.radians(stage.turn), stream.normal(0.05, 0.05)
        away = np.array([np.sin(around), above, np.cos(around)])
        camera = Camera.looking(
            at + _AWAY * away,
            at,
            width=size,
            height=size,
            angle=2 * float(np.degrees(np.arctan(half / _AWAY))),
        )
        self._painter = Painter(about_the_mouth(person), camera, light=stage.light, backdrop=stage.backdrop)
        self._order = [ARKIT.index(n) for n in person.morph_names]

    def film(self, values: Array) -> NDArray[np.uint8]:
        """(T, S, S) grey pictures of (T, 52) coefficients in the order of ``ARKIT``."""
        if values.ndim != 2 or values.shape[1] != len(ARKIT):
            raise DataError(f"coefficients of shape {values.shape}; expected (T, {len(ARKIT)})")
        shown = [self._painter.paint(_REST, weights=row[self._order]).rgb for row in values]
        return mouths.grey(np.stack(shown)) if shown else np.zeros((0, 1, 1), np.uint8)


def watched(person: Avatar, face: Face, *, seed: int = 0, take: int = 0) -> NDArray[np.void]:
    """What reading records of somebody who talks.

    Parameters
    ----------
    person, face
        Who, and what the face truly does (ARKit), at its own rate.
    seed, take
        Of light, wall, camera and the head's way.

    Returns
    -------
    ndarray
        (T,) of :data:`kinesics.reading._recording.ROW`; where no face is found, it is as it was last.

    Raises
    ------
    MissingModels
        Before ``kinesics fetch landmarks``.
    DataError
        If hardly a face is found.
    """
    from kinesics.reading._recording import ROW, row_of
    from kinesics.see.tracking import Tracker

    stream, stage = rng(seed, "watched", take), draw_set(seed, "watched", take)
    size = int(stream.integers(*_SIZES))
    camera = view_of(person, "face", width=size, height=size, turn=stage.turn)
    camera = replace(camera, focal=_ZOOM * camera.focal)
    painter = Painter(about_the_mouth(person, HEAD), camera, light=stage.light, backdrop=stage.backdrop)
    weights = face.select(person.morph_names).values
    tracker = Tracker(float(face.fps), people=1, hands=False, body=False, threads=1)
    gain, grain = np.exp(stream.normal(0, [0.15, 0.03, 0.03])), stream.uniform(0, 5)
    rows = np.zeros(len(weights), ROW)
    for t, rotations in enumerate(_turning(len(weights), float(face.fps), stream)):
        rgb = painter.paint(rotations, weights=weights[t]).rgb
        rgb = np.clip(rgb * gain + grain * stream.standard_normal(rgb.shape), 0, 255).astype(np.uint8)
        if here := tracker.push(rgb):
            rows[t] = row_of(here[0])
    seen = np.flatnonzero(rows["face_score"] > 0)
    if len(seen) < 0.9 * len(rows):
        raise DataError(f"watched: a face was found in {len(seen)} of {len(rows)} pictures")
    return rows[seen[np.maximum(np.searchsorted(seen, np.arange(len(rows)), side="right") - 1, 0)]]


def _turning(count: int, rate: float, stream: np.random.Generator) -> Array:
    """(count, 55, 4) a body at rest whose head turns slowly, half of it in the neck."""
    time = np.arange(count) / rate
    speed, phase = stream.uniform(0.1, 0.8, (3, 3)), stream.uniform(0, 2 * np.pi, (3, 3))
    way = np.sin(2 * np.pi * speed * time[:, None, None] + phase).mean(axis=2)
    angles = np.radians(_TURNS) * (way + stream.standard_normal(3))
    out = np.tile(_REST, (count, 1, 1))
    for joint in ("neck", "head"):
        out[:, INDEX[joint]] = rot.from_rotvec(0.5 * angles)
    return out
