"""What a body cannot do: hands that pass through it.

The trunk, head and thighs are ellipsoids sized from the skeleton; hands and forearms are points
on them. Pushes are smooth, so that enforcing a limit never makes a motion jerk.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.behaviour.places import Landmarks

Array = NDArray[np.float64]


class Volumes:
    """Ellipsoids that stand for the solid parts of a body.

    Parameters
    ----------
    marks
        Measures of the person (left side).
    """

    def __init__(self, marks: Landmarks) -> None:
        u, hip, z = marks.unit, marks.hip, marks.depth
        trunk = marks.shoulder[1] - hip[1]
        # Each row: centre in the T-pose, radii.
        self.chest = np.array(
            [
                [[0, hip[1] + 0.74 * trunk, z + 0.030 * u], [0.155 * u, 0.32 * trunk + 0.05, 0.114 * u]],
                [[0, hip[1] + 0.40 * trunk, z + 0.036 * u], [0.142 * u, 0.38 * trunk, 0.107 * u]],
            ]
        )
        self.pelvis = np.array([[[0, hip[1] + 0.02 * u, z + 0.006 * u], [0.188 * u, 0.22 * u, 0.124 * u]]])
        self.head = np.array(
            [[[0, marks.eyes[1] + 0.008 * u, marks.eyes[2] - 0.066 * u], [0.092 * u, 0.126 * u, 0.108 * u]]]
        )
        self.thigh = np.array(
            [[[hip[0], hip[1] - 0.20 * u, z + 0.002 * u], [0.101 * u, 0.36 * u, 0.106 * u]]]
        )

    def shapes(self) -> tuple[Array, Array, Array]:
        """Centres (S, 3), radii (S, 3) and frame (S,): 0 chest, 1 hips, 2 head; both thighs with the hips."""
        mirrored = self.thigh * np.array([[[-1, 1, 1], [1, 1, 1]]])
        rows = np.concatenate([self.chest, self.pelvis, self.thigh, mirrored, self.head])
        frame = np.array([0] * len(self.chest) + [1, 1, 1, 2])
        return rows[:, 0], rows[:, 1], frame


def push(points: Array, centres: Array, radii: Array, margin: ArrayLike, *, softness: float = 0.012) -> Array:
    """How far points must move to be ``margin`` outside of ellipsoids.

    Parameters
    ----------
    points
        (..., S, 3) each point seen in the frame of each of the S ellipsoids, metres.
    centres, radii
        (S, 3).
    margin
        Metres kept free; broadcast to (..., S).
    softness
        Metres over which a push sets in.

    Returns
    -------
    (..., S, 3) displacement that each ellipsoid asks for.
    """
    away = points - centres
    scaled = away / radii
    distance = np.sqrt(np.maximum(np.sum(scaled * scaled, axis=-1), 1e-6))
    normal = scaled / radii
    length = np.sqrt(np.sum(normal * normal, axis=-1))
    # First-order distance to the surface along its normal.
    gap = (distance - 1) * distance / np.maximum(length, 1e-6)
    depth = np.asarray(margin) - gap
    amount = softness * np.logaddexp(0, np.minimum(depth / softness, 60))
    return (amount / np.maximum(length, 1e-6))[..., None] * normal


def combine(pushes: Array) -> Array:
    """One displacement (..., 3) from many (..., S, 3): each weighted by its own size, so none adds up twice."""
    size = np.sqrt(np.sum(pushes * pushes, axis=-1))
    weight = size**2
    return np.sum(
        pushes * (weight / np.maximum(np.sum(weight, axis=-1, keepdims=True), 1e-12))[..., None], axis=-2
    )
