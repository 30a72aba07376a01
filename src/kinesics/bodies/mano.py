"""MANO: a hand of 778 vertices and 16 joints with shape, pose correctives and a PCA space of poses.

Romero, Tzionas & Black, "Embodied Hands: Modeling and Capturing Hands and Bodies Together", SIGGRAPH Asia 2017.

The official files may not be redistributed. :func:`synthetic_hand` is a hand of the same array shapes, made from
our own avatars by ``scripts/build_hand.py``: 778 vertices, 1538 faces (a disc whose 16 edges are the wrist, open as
MANO's is), 10 shape components, 135 pose correctives, 45 pose components learned from stage speakers' hands. Its
arrays are in the official order (joints, fingertip vertices), so code written for MANO runs on it; its numbers are
not MANO's. A user's own file is read by :func:`kinesics.formats.body_model.read_body_model`.

Joints: wrist, then three each of index, middle, pinky, ring finger and thumb. The 21 landmarks add five tips.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.bodies.smpl import HandSpace, SmplModel, pose_model
from kinesics.errors import DataError, choose

Array = NDArray[np.floating]

JOINTS: tuple[str, ...] = (
    "wrist",
    *(f"{finger}{k}" for finger in ("index", "middle", "pinky", "ring", "thumb") for k in (1, 2, 3)),
)
"""Names of the 16 joints, in order."""

PARENTS: tuple[int, ...] = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14)

TIPS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "smplx": (744, 320, 443, 554, 671),
        "manopth right": (745, 317, 444, 556, 673),
        "manopth left": (745, 317, 445, 556, 673),
    }
)
"""Vertices at the tips of thumb, index, middle, ring and pinky, as two well-known packages choose them."""

ORDERS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "smplx": tuple(range(21)),
        "manopth": (0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20),
    }
)
"""Two orders of the 21 landmarks: joints and then tips (thumb first); or finger by finger from the thumb, each from
the palm to its tip, which is also MediaPipe's and OpenPose's order."""

_HANDS = ("left", "right")


@lru_cache(maxsize=2)
def synthetic_hand(side: str = "right") -> SmplModel:
    """Our own hand in MANO's array shapes.

    >>> hand = synthetic_hand("right")
    >>> hand.vertices.shape, hand.faces.shape, hand.shapes.shape, hand.correctives.shape
    ((778, 3), (1538, 3), (778, 3, 10), (778, 3, 135))
    """
    choose("hand", side, _HANDS)
    with (resources.files("kinesics.bodies") / "data" / "hand" / "right.npz").open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        data = {k: stored[k] for k in stored.files}
    weights = data["weights"].astype(np.float64)
    model = SmplModel(
        vertices=data["vertices"].astype(np.float64),
        shapes=data["shapes"].astype(np.float64),
        correctives=data["correctives"].astype(np.float64) * float(data["correctives_scale"]),
        regressor=data["regressor"].astype(np.float64),
        weights=weights / weights.sum(axis=1, keepdims=True),
        parents=PARENTS,
        faces=data["faces"].astype(np.int32),
        hands={"right": HandSpace(data["components"].astype(np.float64), data["mean"].astype(np.float64))},
    )
    return model if side == "right" else mirrored(model)


def mirrored(model: SmplModel) -> SmplModel:
    """The other hand: everything reflected in the plane between left and right (x → −x)."""
    if len(model.hands) != 1:
        raise DataError(f"mirrored: a model of {len(model.hands)} hands; expected one hand")
    flip = np.array([-1.0, 1, 1])
    # Turning about y and z changes sign in a mirror, about x it does not; matrix entries that mix x with y or z too.
    about = np.tile([1.0, -1, -1], 15)
    entries = np.tile(np.outer(flip, flip).ravel(), len(model.parents) - 1)
    ((side, space),) = model.hands.items()
    return replace(
        model,
        vertices=model.vertices * flip,
        shapes=model.shapes * flip[:, None],
        correctives=model.correctives * flip[:, None] * entries,
        faces=model.faces[:, ::-1].copy(),
        hands={
            "left" if side == "right" else "right": HandSpace(space.components * about, space.mean * about)
        },
    )


def mended_left(left: SmplModel, right: SmplModel) -> SmplModel:
    """The official left hand without its sign bug.

    In MANO_LEFT.pkl the shape components' x was never mirrored: a positive first beta makes the left hand grow
    on two axes and shrink on the third (issue 48 of vchoutas/smplx). It is recognised by its x being the right
    hand's; a file that has been mended already is left as it is.
    """
    if left.shapes.shape != right.shapes.shape:
        raise DataError(
            f"mended_left: shape components {left.shapes.shape} and {right.shapes.shape}; "
            "expected those of one model's two hands"
        )
    if np.abs(left.shapes[:, 0] - right.shapes[:, 0]).sum() >= 1:
        return left
    return replace(left, shapes=left.shapes * np.array([-1.0, 1, 1])[:, None])


def pose_hand(
    hand: SmplModel,
    pose: ArrayLike,
    *,
    betas: ArrayLike | None = None,
    orientation: ArrayLike = (0.0, 0.0, 0.0),
    trans: ArrayLike | None = None,
    flat_hand_mean: bool = False,
    order: str = "smplx",
) -> tuple[Array, Array]:
    """Pose a hand and find its landmarks.

    Parameters
    ----------
    hand
        A model with one hand: MANO, or :func:`synthetic_hand`.
    pose
        (..., k) PCA coefficients with k < 45, or (..., 45) axis-angles relative to the template's flat hand. 45
        coefficients are turned into angles by the hand's own ``HandSpace.pose``.
    betas
        (..., up to 10) shape.
    orientation
        (..., 3) axis-angle of the wrist.
    trans
        (..., 3) metres.
    flat_hand_mean
        Whether coefficients start from the flat hand rather than from the mean pose.
    order
        A key of :data:`ORDERS`.

    Returns
    -------
    vertices
        (..., 778, 3) metres.
    landmarks
        (..., 21, 3) metres.

    Examples
    --------
    >>> vertices, landmarks = pose_hand(synthetic_hand("left"), np.zeros(6))
    >>> vertices.shape, landmarks.shape
    ((778, 3), (21, 3))
    """
    choose("order", order, ORDERS)
    if len(hand.hands) != 1 or len(hand.parents) != 16:
        raise DataError(f"pose_hand: {len(hand.parents)} joints, {len(hand.hands)} hands; expected 16 and 1")
    ((side, space),) = hand.hands.items()
    angles = np.asarray(pose, dtype=np.float64)
    if not angles.ndim or angles.shape[-1] != 45:
        angles = space.pose(angles, flat_hand_mean=flat_hand_mean)
    root = np.asarray(orientation, dtype=np.float64)
    lead = np.broadcast_shapes(angles.shape[:-1], root.shape[:-1])
    whole = np.concatenate([np.broadcast_to(root, (*lead, 3)), np.broadcast_to(angles, (*lead, 45))], axis=-1)
    vertices, joints = pose_model(hand, whole, betas=betas, trans=trans)
    tips = vertices[..., TIPS["smplx" if order == "smplx" else f"manopth {side}"], :]
    return vertices, np.concatenate([joints, tips], axis=-2)[..., ORDERS[order], :]
