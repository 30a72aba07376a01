"""A hand as five chains of three joints: where its points are for given finger angles, and how they move with them.

Everything is a LEFT hand along +X, palm down (:class:`kinesics.bodies.hand.Hand`); right ones come in mirrored.
Rows are index, middle, little, ring, thumb; the points of a chain are knuckle, middle joint, end joint and tip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
        above = [np.broadcast_to(np.eye(3), turns[0].shape), turns[0], turns[1]]
        columns = []
        for i, k in enumerate(_JOINT):
            axis = self.axes[:, k, :, i]
            axis = _left_jacobian(vectors[..., k, :], axis)
            columns.append(np.einsum("...ab,...b->...a", above[k], axis))
        axes = np.stack(columns, axis=-2)
        arms = chain[..., :, None, :] - chain[..., None, _JOINT, :]
        moves = rot.cross(np.broadcast_to(axes[..., None, :, :], arms.shape), arms)
        return points, moves * _AFTER[..., None]

    def _posed(self, angles: Array) -> tuple[Array, Array, list[Array]]:
        vectors = np.einsum("fkci,...fi->...fkc", self.axes, angles - self.rest)
        turn = rot.to_matrix(rot.from_rotvec(vectors))
        places = [np.broadcast_to(self.base, (*angles.shape[:-2], 5, 3))]
        world: list[Array] = []
        for k in range(3):
            world.append(turn[..., k, :, :] if k == 0 else world[-1] @ turn[..., k, :, :])
            places.append(places[-1] + np.einsum("...fab,fb->...fa", world[k], self.bones[:, k]))
        chain = np.stack(places, axis=-2)
        wrist = np.zeros((*chain.shape[:-3], 1, 3))
        flat = chain.reshape(*chain.shape[:-3], 20, 3)
        return np.concatenate([wrist, flat], axis=-2), vectors, world

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
    axis = np.broadcast_to(axis, vector.shape)
    once = rot.cross(vector, axis)
    return axis + a * once + b * rot.cross(vector, once)
