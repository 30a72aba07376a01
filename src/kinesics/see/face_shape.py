"""Landmarks of a face without its place, size and turn in the picture: what the face reader looks at.

The 478 points are laid on a template by the similarity that fits the points which expressions hardly move (Procrustes in three
dimensions; Kabsch 1976, Umeyama 1991); what is left is expression and identity. The turn is a first guess of the head's pose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinesics.see.crops import Region

Array = NDArray[np.float32]

STABLE: tuple[int, ...] = (
    10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 33, 133, 362, 263, 127, 356, 234, 454, 93, 323, 54, 284, 103, 332,
    67, 297, 109, 338, 21, 251, 162, 389, 98, 327, 122, 351, 193, 417,
)  # fmt: skip
"""Forehead, temples, bridge and sides of the nose, corners of the eyes."""
PATCH = 48
"""Pixels of the sides of the grey pictures of mouth and cheeks, and of the mouth; the height of that of the eyes, which is twice as wide."""
NOSE, CHIN_SIDE = 2, (33, 263)


@dataclass(frozen=True, eq=False)
class Laid:
    """Faces laid on the template.

    Parameters
    ----------
    points
        (T, 478, 3) in distances of the eyes' outer corners; x to the person's left, y up, z towards the viewer.
    turns
        (T, 3, 3) rotations from the template's axes to the camera's (x right, y up, z towards the viewer).
    """

    points: Array
    turns: Array


def lay(points: Array, template: Array) -> Laid:
    """Lay landmarks in the picture on a template.

    Parameters
    ----------
    points
        (T, 478, 3) pixels, y down, z away from the camera.
    template
        (478, 3) a face that looks straight ahead.
    """
    seen = np.asarray(points, np.float64) * [1, -1, -1]
    rows = list(STABLE)
    middle = seen[:, rows].mean(axis=1, keepdims=True)
    aim = template[rows].astype(np.float64)
    at = aim.mean(axis=0)
    a, b = seen[:, rows] - middle, aim - at
    u, s, vt = np.linalg.svd(np.einsum("tnk,nl->tkl", a, b))
    sign = np.ones_like(s)
    sign[:, 2] = np.sign(np.linalg.det(u @ vt))
    turn = (u * sign[:, None]) @ vt  # template to camera
    size = (s * sign).sum(axis=1) / np.maximum(np.square(b).sum(), 1e-12)
    size = np.maximum(size, 1e-6)
    laid = np.einsum("tnk,tkl->tnl", seen - middle, turn) / size[:, None, None] + at
    return Laid(laid.astype(np.float32), turn.astype(np.float32))


def angles(turns: NDArray) -> Array:
    """(T, 3) pitch, yaw, roll in degrees of (T, 3, 3) rotations to the camera: up, to the own left, to the own right shoulder."""
    turns = np.asarray(turns, np.float64)
    yaw = np.arctan2(turns[:, 0, 2], turns[:, 2, 2])
    pitch = np.arcsin(np.clip(turns[:, 1, 2], -1, 1))
    roll = np.arctan2(turns[:, 1, 0], turns[:, 1, 1])
    return np.degrees(np.stack([pitch, yaw, roll], axis=1)).astype(np.float32)


def patch(image: NDArray[np.uint8], points: Array) -> NDArray[np.uint8]:
    """(48, 48) grey picture of mouth and cheeks, upright on the face; the network sees cheeks and tongue in it.

    Parameters
    ----------
    image
        (H, W, 3) uint8.
    points
        (478, 3) pixels.
    """
    return _below_the_nose(image, points, 0.33, 1.25)


def mouth(image: NDArray[np.uint8], points: Array) -> NDArray[np.uint8]:
    """(48, 48) grey picture of the mouth, some 72 mm each way, upright on the face: what lip readers see; see :func:`patch`."""
    return _below_the_nose(image, points, 0.30, 0.84)


def eyes(image: NDArray[np.uint8], points: Array) -> NDArray[np.uint8]:
    """(48, 96) grey picture of eyes and brows, upright on the face: detectors find brows that are raised too near to where brows mostly are; see :func:`patch`."""
    middle, _, down, size, turn = _placed(points)
    at = middle - 0.15 * size * down
    return Region(float(at[0]), float(at[1]), 1.44 * size, turn).grey(image, 2 * PATCH, PATCH)


LOOKS = {"patch": patch, "mouth": mouth, "eyes": eyes}
"""The small grey pictures that the face reader looks at, by the names under which they are kept."""


def _below_the_nose(image: NDArray[np.uint8], points: Array, below: float, side: float) -> NDArray[np.uint8]:
    """A grey square below the base of the nose, both measured in the distance of the eyes' outer corners."""
    _, nose, down, size, turn = _placed(points)
    middle = nose + below * size * down
    return Region(float(middle[0]), float(middle[1]), side * size, turn).grey(image, PATCH, PATCH)


def _placed(points: Array) -> tuple[Array, Array, Array, float, float]:
    """Between the eyes, the base of the nose, the way down the face, the distance of the eyes' outer corners (px), and the turn."""
    right, left = points[CHIN_SIDE[0], :2], points[CHIN_SIDE[1], :2]
    nose = points[NOSE, :2]
    across = left - right
    turn = float(np.arctan2(across[1], across[0]))
    down = np.array([-np.sin(turn), np.cos(turn)], np.float32)
    drop = float((nose - 0.5 * (left + right)) @ down)
    size = max(float(np.hypot(*across)), 1.6 * drop, 4.0)
    return 0.5 * (left + right), nose, down, size, turn
