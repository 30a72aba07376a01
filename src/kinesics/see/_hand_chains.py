"""A hand as five chains of three joints: where its points are for given finger angles, and how they move with them.

Everything is a LEFT hand along +X, palm down (:class:`kinesics.bodies.hand.Hand`); right ones come in mirrored.
Rows are index, middle, little, ring, thumb; the points of a chain are knuckle, middle joint, end joint and tip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.hand import FINGERS, Hand
from kinesics.bodies.humanoid import INDEX
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton

Array = NDArray[np.float64]

TIPS = np.array([1.15, 0.95, 1.32, 1.10, 0.78])
"""Tip from the last joint, in lengths of the bone before it: of index, middle, little, ring and thumb.
Means of the two shipped avatars' meshes (vertices that follow the last joint by more than half)."""

_JOINT = np.array([0, 0, 1, 2])  # which joint of a chain each of its four angles turns
_AFTER = np.arange(4)[:, None] > _JOINT  # (points, angles): which points an angle moves


@dataclass(frozen=True, eq=False)
class Chains:
    """Geometry of one person's hand.

    Parameters
    ----------
    base
        (5, 3) first joints from the wrist at rest, metres.
    bones
        (5, 3, 3) from each joint to the next and to the tip, at rest.
    axes
        (5, 3, 3, 4) radians per degree: rotation vector of joint k is ``axes[f, k] · (angles − rest)[f]``.
    rest
        (5, 4) degrees in which the hand rests.
    """

    base: Array
    bones: Array
    axes: Array
    rest: Array

    @classmethod
    def of(cls, skeleton: Skeleton, side: str) -> Chains:
        """The hand of a canonical skeleton."""
        hand = Hand(skeleton, side)
        sign = np.array([1.0 if side == "left" else -1.0, 1, 1])
        joints = [[f"{side}{f}{p}" for p in ("Proximal", "Intermediate", "Distal")] for f in FINGERS]
        joints.append([f"{side}Thumb{p}" for p in ("Metacarpal", "Proximal", "Distal")])
        rest = skeleton.rest.astype(np.float64)[[[INDEX[n] for n in row] for row in joints]] * sign
        wrist = skeleton.rest[INDEX[f"{side}Hand"]] * sign
        bones = np.diff(rest, axis=1)
        bones = np.concatenate([bones, TIPS[:, None, None] * bones[:, -1:]], axis=1)
        axes = np.zeros((5, 3, 3, 4))
        for f in range(5):
            axes[f] = hand.matrix[3 * f : 3 * f + 3, :, 4 * f : 4 * f + 4]
        return cls(rest[:, 0] - wrist, bones, axes, hand.rest.reshape(5, 4))

    def points(self, angles: Array) -> Array:
        """(..., 21, 3) wrist and five times four points, metres from the wrist, for (..., 5, 4) degrees."""
        return self._posed(angles)[0]

    def moved(self, angles: Array) -> tuple[Array, Array]:
        """The same, and by how much each angle moves its chain: (..., 5, 4 points, 4 angles, 3) per degree."""
        points, vectors, turns = self._posed(angles)
        chain = points[..., 1:, :].reshape(*points.shape[:-2], 5, 4, 3)
        # An angle turns about an axis that the joints above its own carry along.
        axes = _left_jacobian(vectors[..., _JOINT, :], self._each)
        axes[..., 2, :] = (turns[0] @ axes[..., 2, :, None])[..., 0]
        axes[..., 3, :] = (turns[1] @ axes[..., 3, :, None])[..., 0]
        arms = chain[..., :, None, :] - chain[..., None, _JOINT, :]
        moves = rot.cross(axes[..., None, :, :], arms)
        return points, moves * _AFTER[..., None]

    def _posed(self, angles: Array) -> tuple[Array, Array, list[Array]]:
        vectors = (self._matrix @ (angles - self.rest)[..., None]).reshape(*angles.shape[:-1], 3, 3)
        turn = rot.to_matrix(rot.from_rotvec(vectors))
        places = [np.broadcast_to(self.base, (*angles.shape[:-2], 5, 3))]
        world: list[Array] = []
        for k in range(3):
            world.append(turn[..., k, :, :] if k == 0 else world[-1] @ turn[..., k, :, :])
            places.append(places[-1] + (world[k] @ self.bones[:, k, :, None])[..., 0])
        chain = np.stack(places, axis=-2)
        wrist = np.zeros((*chain.shape[:-3], 1, 3))
        flat = chain.reshape(*chain.shape[:-3], 20, 3)
        return np.concatenate([wrist, flat], axis=-2), vectors, world

    @cached_property
    def _matrix(self) -> Array:
        """(5, 9, 4) from angles to the rotation vectors of three joints."""
        return self.axes.reshape(5, 9, 4)

    @cached_property
    def _each(self) -> Array:
        """(5, 4, 3) the rotation vector of one degree of each angle, in its own joint."""
        return np.stack([self.axes[:, k, :, i] for i, k in enumerate(_JOINT)], axis=1)

    def stretched(self, lengths: Array) -> Chains:
        """With bones of other lengths (5, 3), metres."""
        now = np.linalg.norm(self.bones, axis=-1)
        return replace(self, bones=self.bones * (lengths / now)[..., None])

    def with_palm(self, base: Array) -> Chains:
        """With the first joints (5, 3) elsewhere."""
        return replace(self, base=base)


def _left_jacobian(vector: Array, axis: Array) -> Array:
    """How the rotation exp(vector) turns when ``vector`` grows by ``axis``: a small rotation, applied after it."""
    square = np.sum(vector * vector, axis=-1, keepdims=True)
    angle = np.sqrt(square)
    small = angle < 1e-4
    safe = np.where(small, 1, angle)
    a = np.where(small, 0.5, (1 - np.cos(safe)) / safe**2)
    b = np.where(small, 1 / 6, (safe - np.sin(safe)) / safe**3)
    once = rot.cross(vector, axis)
    return axis + a * once + b * rot.cross(vector, once)
