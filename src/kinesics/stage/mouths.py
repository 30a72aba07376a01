"""Talking mouths close up, and what a detector of landmarks makes of them: what lip readers and mouth fitters learn from.

Only the mesh about the mouth is painted, some tens of times as fast as whole people. Landmarks are those of iBUG with what detectors
do to them: they jitter and drift, lag behind, and are drawn to the mean, so that lips that close stay a little open. How much
of each differs from clip to clip; the amounts are ours.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies import ibug
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import Avatar
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.performance import Camera, Face, Points
from kinesics.render import Painter
from kinesics.seeds import rng
from kinesics.stage.pixels import draw_set
from kinesics.systems import _mouth_features as mouths

Array = NDArray[np.float32]

_NEAR = 0.085  # metres about the mouth that are painted: from the nose to below the chin
_AWAY = 0.6  # metres from which it is seen
_NAMES = tuple(f"ibug {i}" for i in range(68))
_UPPER, _LOWER = (61, 62, 63), (67, 66, 65)
_PIXELS = 1000.0  # of a metre in the pictures of the detector: a face is about 200 high


def about_the_mouth(person: Avatar) -> Avatar:
    """The part of a person that a close-up of the mouth shows; it has no landmarks of its own."""
    middle = person.vertices[list(ibug.VERTICES[ibug.MOUTH])].mean(axis=0)
    close = np.linalg.norm(person.vertices - middle, axis=1) < _NEAR
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

    def __init__(self, person: Avatar, *, size: int = 32, seed: int = 0, take: int = 0) -> None:
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
        self._rest = np.tile(np.array([1, 0, 0, 0], np.float32), (len(person.joints), 1))

    def film(self, values: Array) -> NDArray[np.uint8]:
        """(T, S, S) grey pictures of (T, 52) coefficients in the order of ``ARKIT``."""
        if values.ndim != 2 or values.shape[1] != len(ARKIT):
            raise DataError(f"coefficients of shape {values.shape}; expected (T, {len(ARKIT)})")
        shown = [self._painter.paint(self._rest, weights=row[self._order]).rgb for row in values]
        return mouths.grey(np.stack(shown)) if shown else np.zeros((0, 1, 1), np.uint8)


def landmarks_of(person: Avatar, values: Array) -> NDArray[np.float64]:
    """(T, 68, 3) where the landmarks truly are, metres, the head at rest."""
    moving = {v: i for i, v in enumerate(person.morph_vertices.tolist())}
    rest = person.vertices[list(ibug.VERTICES)].astype(np.float64)
    out = np.tile(rest, (len(values), 1, 1))
    rows = [(i, moving[v]) for i, v in enumerate(ibug.VERTICES) if v in moving]
    order = [person.morph_names.index(n) for n in ARKIT]
    offsets = person.morph_offsets[order][:, [m for _, m in rows]]
    out[:, [i for i, _ in rows]] += np.einsum("tk,knd->tnd", values, offsets)
    return out


def detected(person: Avatar, face: Face, *, seed: int = 0, take: int = 0) -> Points:
    """What a detector says where the landmarks of somebody who talks and moves the head are.

    Parameters
    ----------
    person, face
        Who, and what the face does (ARKit).
    seed, take
        Of the head's way and of the detector's faults.

    Returns
    -------
    Points
        (T, 68, 3) pixels, y down, with depth (away from who looks) in pixels; at the face's rate.
    """
    stream = rng(seed, "detected", take)
    points = landmarks_of(person, face.select(ARKIT).values)
    rate = float(face.fps)
    mouth, gaps = points[:, ibug.MOUTH], (list(_UPPER), list(_LOWER))
    mean = mouth.mean(axis=0)
    mouth[:] = mean + stream.uniform(0.65, 0.92) * (mouth - mean)
    upper, lower = (points[:, k] for k in gaps)
    gap = upper[..., 1] - lower[..., 1]
    lift = 0.5 * (np.hypot(np.maximum(gap, 0), stream.uniform(0.0005, 0.0022)) - gap)
    upper[..., 1] += lift
    lower[..., 1] -= lift
    points[:, gaps[0]], points[:, gaps[1]] = upper, lower
    points = _smooth(points, stream.uniform(0.02, 0.055) * rate)
    points = _turned(points, rate, stream)
    white, slow = stream.uniform(0.0001, 0.0004), stream.uniform(0.0002, 0.0005)
    noise = white * stream.standard_normal(points.shape)
    drift = slow * _smooth(stream.standard_normal(points.shape), 0.3 * rate, unit=True)
    points = points + (noise + drift) * [1, 1, 2]  # depth is guessed
    points = points * [_PIXELS, -_PIXELS, -_PIXELS] + [320, 0, 0]
    points[..., 1] += 240 - points[..., 1].mean()
    points[..., 2] -= points[..., 2].mean()
    return Points(points.astype(np.float32), _NAMES, face.fps, "image", face.start)


def _turned(points: NDArray, rate: float, stream: np.random.Generator) -> NDArray:
    """Points with the head's slow turning, a few degrees each way."""
    angles = _smooth(stream.standard_normal((len(points), 3)), 0.5 * rate, unit=True) * np.radians([4, 6, 3])
    angles = angles + np.radians(stream.normal(0, [4, 8, 3]))
    turn = rot.to_matrix(rot.from_rotvec(angles))
    middle = points.mean(axis=(0, 1))
    return np.einsum("tij,tnj->tni", turn, points - middle) + middle


def _smooth(values: NDArray, spread: float, *, unit: bool = False) -> NDArray:
    """Along time by a bell of that many frames; ``unit``: white noise keeps its spread."""
    reach = int(np.ceil(3 * spread))
    bell = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / max(spread, 1e-3)))
    bell /= np.sqrt(np.square(bell).sum()) if unit else bell.sum()
    padded = np.pad(values, ((reach, reach), *((0, 0),) * (values.ndim - 1)), mode="edge")
    return np.tensordot(
        np.lib.stride_tricks.sliding_window_view(padded, len(bell), axis=0), bell, axes=(-1, 0)
    )
