"""The maths that SMPL, SMPL+H, MANO and SMPL-X share, over a plain record of arrays.

Romero, Tzionas & Black, "Embodied Hands", SIGGRAPH Asia 2017, after Loper et al., "SMPL", SIGGRAPH Asia 2015::

    rest     = vertices + shapes · β                      what a person looks like at rest
    joints   = regressor · rest                           their joints follow from their skin
    bent     = rest + correctives · vec(R(θ) − I)         of all joints but the root
    posed    = Σ_j weights_j · G_j(θ, joints) · bent      linear blend skinning

No weights of anybody's model are part of Kinesics. A user's own file is read by
:func:`kinesics.formats.body_model.read_body_model`; :mod:`kinesics.bodies.mano` ships a hand of our own with the
same shapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.errors import DataError

Array = NDArray[np.floating]


def rodrigues(vectors: ArrayLike) -> Array:
    """Rotation matrices (..., 3, 3) of rotation vectors (..., 3), as these models define them.

    A hundred-millionth is added to the vector before its length is taken, so that none is zero. The model's own
    files were trained with it; :func:`kinesics.geometry.rotations.from_rotvec` has no such term.

    >>> rodrigues([0.0, 0.0, np.pi / 2]).round(6)
    array([[ 0., -1.,  0.],
           [ 1.,  0.,  0.],
           [ 0.,  0.,  1.]])
    """
    v = np.asarray(vectors, dtype=np.float64)
    angle = np.linalg.norm(v + 1e-8, axis=-1, keepdims=True)
    x, y, z = np.moveaxis(v / angle, -1, 0)
    zero = np.zeros_like(x)
    k = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*v.shape[:-1], 3, 3)
    angle = angle[..., None]
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)


@dataclass(frozen=True, eq=False)
class HandSpace:
    """Principal components of a hand's pose.

    Parameters
    ----------
    components
        (45, 45) one component a row, most important first.
    mean
        (45,) axis-angle of the mean pose; its fingers are bent.
    """

    components: Array
    mean: Array

    def pose(self, coefficients: ArrayLike, *, flat_hand_mean: bool = False) -> Array:
        """Axis-angles (..., 45) of coefficients (..., k), k at most 45.

        With ``flat_hand_mean`` zero is the flat hand of the template instead of the mean pose.
        """
        values = np.asarray(coefficients, dtype=np.float64)
        if not values.ndim or not 0 < values.shape[-1] <= 45:
            raise DataError(f"hand coefficients {values.shape}; expected (..., 1 to 45)")
        flat = values @ self.components[: values.shape[-1]]
        return flat if flat_hand_mean else flat + self.mean

    def coefficients(self, pose: ArrayLike, count: int = 45, *, flat_hand_mean: bool = False) -> Array:
        """The ``count`` coefficients (..., count) that come nearest to axis-angles (..., 45), by least squares."""
        values = np.asarray(pose, dtype=np.float64)
        if not values.ndim or values.shape[-1] != 45:
            raise DataError(f"hand pose {values.shape}; expected (..., 45)")
        if not 0 < count <= 45:
            raise DataError(f"{count} hand coefficients; expected 1 to 45")
        off = values if flat_hand_mean else values - self.mean
        return off @ np.linalg.pinv(self.components[:count])


@dataclass(frozen=True, eq=False)
class SmplModel:
    """A skinned body or hand of the SMPL family.

    Parameters
    ----------
    vertices
        (V, 3) metres: the mean person at rest (``v_template``).
    shapes
        (V, 3, B) what each shape coefficient adds (``shapedirs``).
    correctives
        (V, 3, 9 (J − 1)) what each entry of the joints' rotation matrices less identity adds (``posedirs``).
    regressor
        (J, V) joints from the skin at rest (``J_regressor``).
    weights
        (V, J), rows sum to one.
    parents
        J indices, −1 for the root.
    faces
        (F, 3) counter-clockwise from outside.
    hands
        ``"left"``, ``"right"`` → the PCA space of a hand's pose, where the model has them.
    source
        File it was read from, or ``"synthetic"``.

    Raises
    ------
    DataError
        If the shapes do not fit each other.
    """

    vertices: Array
    shapes: Array
    correctives: Array
    regressor: Array
    weights: Array
    parents: tuple[int, ...]
    faces: NDArray[np.integer]
    hands: Mapping[str, HandSpace] = field(default_factory=dict)
    source: str = "synthetic"

    def __post_init__(self) -> None:
        v, j = len(self.vertices), len(self.parents)
        wanted = {
            "vertices": (v, 3),
            "shapes": (v, 3, self.shapes.shape[-1]),
            "correctives": (v, 3, 9 * (j - 1)),
            "regressor": (j, v),
            "weights": (v, j),
        }
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise DataError(
                    f"body model {self.source}: {name} {getattr(self, name).shape}; expected {shape}"
                )
        if self.parents[0] != -1 or any(not 0 <= p < i for i, p in enumerate(self.parents) if i):
            raise DataError(f"body model {self.source}: a parent must come before its child, the root first")


class Posed(NamedTuple):
    """What :func:`pose_model` gives: (..., V, 3) vertices and (..., J, 3) joints, metres."""

    vertices: Array
    joints: Array


def pose_model(
    model: SmplModel,
    pose: ArrayLike,
    *,
    betas: ArrayLike | None = None,
    trans: ArrayLike | None = None,
    correctives: bool = True,
) -> Posed:
    """Pose a model.

    Parameters
    ----------
    model
        The model.
    pose
        (..., J, 3) or (..., 3 J) axis-angles, the root first.
    betas
        (..., B') shape coefficients, at most as many as the model has; None is the mean person.
    trans
        (..., 3) metres added to everything.
    correctives
        False leaves the pose correctives out: plain linear blend skinning.

    Raises
    ------
    DataError
        On shapes that do not fit the model.
    """
    count = len(model.parents)
    angles = np.asarray(pose, dtype=np.float64)
    if angles.shape[-2:] != (count, 3):
        if not angles.ndim or angles.shape[-1] != 3 * count:
            raise DataError(f"pose {angles.shape}; expected (..., {count}, 3) or (..., {3 * count})")
        angles = angles.reshape(*angles.shape[:-1], count, 3)
    rest = model.vertices.astype(np.float64)
    if betas is not None:
        shape = np.asarray(betas, dtype=np.float64)
        if not shape.ndim or shape.shape[-1] > model.shapes.shape[2]:
            raise DataError(f"betas {shape.shape}; expected (..., at most {model.shapes.shape[2]})")
        rest = rest + np.einsum("vck,...k->...vc", model.shapes[..., : shape.shape[-1]], shape)
    joints = np.einsum("jv,...vc->...jc", model.regressor, rest)
    turns = rodrigues(angles)
    bent = rest
    if correctives:
        off = (turns[..., 1:, :, :] - np.eye(3)).reshape(*turns.shape[:-3], -1)
        flat = model.correctives.reshape(-1, model.correctives.shape[-1])
        bent = rest + (off @ flat.T).reshape(*off.shape[:-1], -1, 3)
    world, places = _chain(turns, joints, model.parents)
    # What takes a point at rest to where its joint carries it.
    shift = places - np.einsum("...jab,...jb->...ja", world, joints)
    transform = np.concatenate([world, shift[..., None]], axis=-1)
    blend = (model.weights @ transform.reshape(*transform.shape[:-2], 12)).reshape(
        *transform.shape[:-3], -1, 3, 4
    )
    vertices = np.einsum("...vab,...vb->...va", blend[..., :3], bent) + blend[..., 3]
    if trans is not None:
        move = np.asarray(trans, dtype=np.float64)[..., None, :]
        vertices, places = vertices + move, places + move
    return Posed(vertices, places)


def _chain(turns: Array, joints: Array, parents: tuple[int, ...]) -> tuple[Array, Array]:
    """World rotations (..., J, 3, 3) and places (..., J, 3) of joints that rest at (..., J, 3)."""
    shape = np.broadcast_shapes(turns.shape[:-2], joints.shape[:-1])
    joints = np.broadcast_to(joints, (*shape, 3))
    world = np.empty((*shape, 3, 3))
    places = np.empty((*shape, 3))
    for j, p in enumerate(parents):
        if p < 0:
            world[..., j, :, :], places[..., j, :] = turns[..., j, :, :], joints[..., j, :]
            continue
        world[..., j, :, :] = world[..., p, :, :] @ turns[..., j, :, :]
        way = joints[..., j, :] - joints[..., p, :]
        places[..., j, :] = places[..., p, :] + np.einsum("...ab,...b->...a", world[..., p, :, :], way)
    return world, places
