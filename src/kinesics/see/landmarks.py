"""Points of one face, hand or body in a region of a picture, and the region to look at in the next picture.

Regions, scales and turns are those the networks were trained with (MediaPipe's graphs for the face mesh, iris, hands and
BlazePose; Grishchenko et al. 2020, arXiv 1907.06724; Zhang et al. 2020, arXiv 2006.10214; Bazarevsky et al. 2020, arXiv 2006.10204).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinesics.see import models
from kinesics.see.crops import Region

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

FACE_POINTS, HAND_POINTS, POSE_POINTS = 478, 21, 33
RIGHT_EYE, LEFT_EYE = (33, 133), (263, 362)
"""Outer and inner corner of the person's eyes among the face's points."""
RIGHT_LIDS = (33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173)
LEFT_LIDS = (263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398)
"""The lids' points as the iris network gives them: lower lid from the outer corner to the inner, then the upper lid."""
RIGHT_IRIS, LEFT_IRIS = 468, 473
"""First of the five points of an iris: its middle, then its rim."""


@dataclass(frozen=True, eq=False)
class Found:
    """Points in a picture.

    Parameters
    ----------
    points
        (N, 3) pixels, y down; z in pixels as well, away from the camera.
    score
        0 to 1, how sure it is that something is there.
    region
        Where to look in the next picture.
    world
        (N, 3) metres, x right and y down on the screen, from the body's or the hand's middle; None for faces.
    sure
        (N,) 0 to 1 for each point; None where the network does not say.
    left
        For a hand, how likely it is the person's left one.
    """

    points: Array
    score: float
    region: Region
    world: Array | None = None
    sure: Array | None = None
    left: float = 0.5


def _around(points: Array, turn: float, scale: float, *, up: float = 0.0) -> Region:
    """The square around points, its sides turned, ``scale`` times as large, moved ``up`` by a share of its height."""
    c, s = np.cos(-turn), np.sin(-turn)
    turned = points[:, :2] @ np.array([[c, s], [-s, c]], np.float32)
    low, high = turned.min(axis=0), turned.max(axis=0)
    width, height = high - low
    middle = (low + high) / 2 - np.array([0.0, up * height])
    x, y = middle @ np.array([[c, -s], [s, c]])
    return Region(float(x), float(y), float(scale * max(width, height)), turn)


def _turn(start: Array, end: Array, upright: float) -> float:
    """Radians, clockwise, by which the way from start to end is turned from ``upright`` (0: to the right, π/2: up)."""
    angle = upright - np.arctan2(-(end[1] - start[1]), end[0] - start[0])
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def face_region(box: Array, points: Array) -> Region:
    """Where to look for the points of a detected face."""
    turn = _turn(points[0], points[1], 0.0)
    return Region(
        float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2, 1.5 * float(max(box[2:] - box[:2])), turn
    )


def hand_region(box: Array, points: Array) -> Region:
    """Where to look for the points of the hand of a detected palm."""
    turn = _turn(points[0], points[2], np.pi / 2)
    size = float(max(box[2:] - box[:2]))
    middle = (box[:2] + box[2:]) / 2 + 0.5 * size * np.array([np.sin(turn), -np.cos(turn)])
    return Region(float(middle[0]), float(middle[1]), 2.6 * size, turn)


def pose_region(points: Array) -> Region:
    """Where to look for the points of a body, from the middle of its hips and a point on the circle around it."""
    size = 2.5 * float(np.linalg.norm(points[1] - points[0]))
    return Region(float(points[0, 0]), float(points[0, 1]), size, _turn(points[0], points[1], np.pi / 2))


class FaceMesh:
    """468 points of a face, the lids among them as the iris network sees them, and ten of its irises.

    Parameters
    ----------
    irises
        Whether the irises are looked for; else their points lie in the middle of the eyes.
    threads
        Of the networks; all by default.
    """

    def __init__(self, *, irises: bool = True, threads: int | None = None) -> None:
        self._mesh = models.load("face_mesh", threads=threads)
        self._iris = models.load("iris", threads=threads) if irises else None

    def __call__(self, image: Image, region: Region) -> Found:
        """The points of the face in a region."""
        made = self._mesh(input_1=region.crop(image, 192))
        points = np.empty((FACE_POINTS, 3), np.float32)
        points[:468] = region.back(made["conv2d_21"].reshape(468, 3), 192)
        score = float(1 / (1 + np.exp(-float(made["conv2d_31"].ravel()[0]))))
        turn = _turn(points[RIGHT_EYE[0]], points[LEFT_EYE[0]], 0.0)
        for first, corners, lids, flip in (
            (RIGHT_IRIS, RIGHT_EYE, RIGHT_LIDS, False),
            (LEFT_IRIS, LEFT_EYE, LEFT_LIDS, True),
        ):
            outer, inner = points[corners[0]], points[corners[1]]
            if self._iris is None or score < 0.5:
                points[first : first + 5] = (outer + inner) / 2
                continue
            size = 2.3 * float(np.linalg.norm((outer - inner)[:2]))
            middle = (outer + inner) / 2
            eye = Region(float(middle[0]), float(middle[1]), max(size, 1.0), turn)
            seen = self._iris(input_1=eye.crop(image, 64, flip=flip))
            # The iris network sees the lids finer than the mesh does; depth stays the mesh's.
            rim = seen["output_eyes_contours_and_brows"].reshape(71, 3)[: len(lids)]
            points[list(lids), :2] = eye.back(rim, 64, flip=flip)[:, :2]
            placed = eye.back(seen["output_iris"].reshape(5, 3), 64, flip=flip)
            placed[:, 2] = middle[2]
            points[first : first + 5] = placed
        return Found(points, score, _around(points[:468], turn, 1.5))


_PALM = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]


class HandMesh:
    """21 points of a hand, in the picture and in metres."""

    def __init__(self, *, threads: int | None = None) -> None:
        self._network = models.load("hand", threads=threads)

    def __call__(self, image: Image, region: Region) -> Found:
        """The points of the hand in a region."""
        made = self._network(input_1=region.crop(image, 224))
        points = region.back(made["Identity"].reshape(HAND_POINTS, 3), 224)
        score = float(made["Identity_1"].ravel()[0])
        left = 1.0 - float(made["Identity_2"].ravel()[0])
        knuckles = 0.25 * (points[5] + points[13]) + 0.5 * points[9]
        turn = _turn(points[0], knuckles, np.pi / 2)
        around = _around(points[_PALM], turn, 2.0, up=0.1)
        return Found(
            points,
            score,
            around,
            _upright(made["Identity_3"].reshape(HAND_POINTS, 3), region.turn),
            left=left,
        )


_LOOKS, _STAYS = 6, 0.02
"""Looks at most at something that is not where it was looked for, and by how much of its size its region may then move (ours:
that of somebody who talks or walks moves by less from one picture to the next)."""


def settled(look: Callable[[Image, Region], Found], image: Image, region: Region) -> Found:
    """What is seen in the region to which a first one leads.

    A region that a detector gave, or where somebody was before a cut, leads to another one, and that to a third: points would
    drift for some pictures. They are looked for again until the region stays.
    """
    found = look(image, region)
    for _ in range(_LOOKS):
        if found.score < 0.5 or _moved(region, found.region) < _STAYS:
            break
        region = found.region
        found = look(image, region)
    return found


def _moved(old: Region, new: Region) -> float:
    """How far a region is from another, in its sizes."""
    away = np.hypot(new.x - old.x, new.y - old.y) / max(new.size, 1e-6)
    return float(max(away, abs(np.log(max(new.size, 1e-6) / max(old.size, 1e-6)))))


class PoseMesh:
    """33 points of a body, in the picture and in metres."""

    def __init__(self, *, threads: int | None = None) -> None:
        # Without the outline and the heat maps that it paints as well, it takes half the time.
        self._network = models.load("pose", threads=threads, outputs=("Identity", "Identity_1", "Identity_4"))

    def __call__(self, image: Image, region: Region) -> Found:
        """The points of the body in a region, or in the one to which that leads (:func:`settled`)."""
        return settled(self._once, image, region)

    def _once(self, image: Image, region: Region) -> Found:
        made = self._network(input_1=region.crop(image, 256))
        rows = made["Identity"].reshape(39, 5)
        points = region.back(rows[:, :3], 256)
        seen = 1 / (1 + np.exp(-rows[:POSE_POINTS, 3:5]))
        world = _upright(made["Identity_4"].reshape(39, 3)[:POSE_POINTS], region.turn)
        around = pose_region(points[POSE_POINTS : POSE_POINTS + 2, :2])
        score = float(made["Identity_1"].ravel()[0])
        return Found(points[:POSE_POINTS], score, around, world, seen.min(axis=1).astype(np.float32))


def _upright(world: Array, turn: float) -> Array:
    """Points in metres, turned from the region's axes to the picture's."""
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    out = world.copy()
    out[:, 0], out[:, 1] = c * world[:, 0] - s * world[:, 1], s * world[:, 0] + c * world[:, 1]
    return out
