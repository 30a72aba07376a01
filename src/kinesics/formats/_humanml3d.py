"""HumanML3D's representation of motion: 263 numbers a frame from 22 joints, and back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.geometry.from_positions import smooth

Array = NDArray[np.floating]

FPS = 20
WIDTH = 263
BLOCKS: dict[str, slice] = {
    "root_turn": slice(0, 1),
    "root_velocity": slice(1, 3),
    "root_height": slice(3, 4),
    "positions": slice(4, 67),
    "rotations": slice(67, 193),
    "velocities": slice(193, 259),
    "contacts": slice(259, 263),
}
"""Columns of each part."""

CONTACTS: tuple[str, ...] = ("left_ankle", "left_foot", "right_ankle", "right_foot")
"""Joints of the four contact columns, in their order."""

CHAINS = ((0, 2, 5, 8, 11), (0, 1, 4, 7, 10), (0, 3, 6, 9, 12, 15), (9, 14, 17, 19, 21), (9, 13, 16, 18, 20))
_AXES = np.array(
    [
        [0, 0, 0], [1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, -1, 0], [0, 1, 0], [0, -1, 0],
        [0, -1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 1, 0], [1, 0, 0], [-1, 0, 0], [0, 0, 1],
        [0, -1, 0], [0, -1, 0], [0, -1, 0], [0, -1, 0], [0, -1, 0], [0, -1, 0],
    ],
    dtype=np.float64,
)  # fmt: skip
"""Direction of each bone at rest: their stick figure with the arms down."""

_FORWARD_SIGMA = 20  # frames over which the facing is smoothed
_FEET = (7, 10, 8, 11)
_STILL = 0.002  # square metres: a foot that moves less between two frames stands


def _facing(joints: Array, hips: float) -> Array:
    """(T, 3) a quarter turn from the line across: shoulders, plus the hips' ``hips`` times."""
    across = hips * (joints[:, 2] - joints[:, 1]) + (joints[:, 17] - joints[:, 16])
    return rot.cross(np.array([0.0, 1, 0]), _unit(across))


def _unit(v: Array) -> Array:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12)


def uniform(joints: ArrayLike, like: ArrayLike) -> Array:
    """The same directions with the bone lengths of another figure; the root's way scales with the legs.

    Parameters
    ----------
    joints
        (T, 22, 3) metres.
    like
        (22, 3) one pose of the figure whose lengths are taken; HumanML3D takes the first frame of clip 000021.
    """
    joints, like = np.asarray(joints, dtype=np.float64), np.asarray(like, dtype=np.float64)
    own = joints[0]
    legs = [np.linalg.norm(p[5] - p[2]) + np.linalg.norm(p[8] - p[5]) for p in (own, like)]
    out = np.empty_like(joints)
    out[:, 0] = joints[:, 0] * (legs[1] / max(legs[0], 1e-6))
    for chain in CHAINS:
        for parent, child in pairwise(chain):
            length = np.linalg.norm(like[child] - like[parent])
            out[:, child] = out[:, parent] + length * _unit(joints[:, child] - joints[:, parent])
    return out


def settle(joints: ArrayLike) -> Array:
    """Put a clip where HumanML3D has it: on the floor, beginning above the origin, facing +Z there."""
    joints = np.array(joints, dtype=np.float64)
    joints[..., 1] -= joints[..., 1].min()
    joints -= joints[0, 0] * np.array([1.0, 0, 1])
    return rot.rotate(rot.between(_facing(joints[:1], 1.0)[0], np.array([0.0, 0, 1])), joints)


def heading(joints: Array) -> Array:
    """(T, 4) rotations that turn each frame's smoothed facing to +Z; none in the first frame."""
    # Here, unlike when a clip is settled, the published process takes left for right at the hips: its
    # facing follows the shoulders' line less the hips'. The data have it so.
    forward = _unit(smooth(_facing(joints, -1.0), _FORWARD_SIGMA))
    turn = rot.between(forward, np.array([0.0, 0, 1]))
    turn[0] = rot.IDENTITY
    return turn


def vectors_of(joints: ArrayLike) -> NDArray[np.float32]:
    """(T, 22, 3) settled joints at 20 fps to (T - 1, 263) vectors, by the published process.

    Raises
    ------
    DataError
        If there are fewer than two frames.
    """
    joints = np.asarray(joints, dtype=np.float64)
    if joints.ndim != 3 or joints.shape[1:] != (22, 3) or len(joints) < 2:
        raise DataError(
            f"HumanML3D: joints of shape {joints.shape}; expected (T, 22, 3) with two frames or more"
        )
    turn = heading(joints)
    step = joints[1:] - joints[:-1]
    change = rot.multiply(turn[1:], rot.conjugate(turn[:-1]))
    local = joints - joints[:, :1] * np.array([1.0, 0, 1])
    local = rot.rotate(turn[:, None], local)
    still = (np.sum(step[:, _FEET] ** 2, axis=-1) < _STILL).astype(np.float64)
    out = np.concatenate(
        [
            np.arcsin(np.clip(change[:, 2:3], -1, 1)),
            rot.rotate(turn[1:], step[:, 0])[:, [0, 2]],
            local[:-1, 0, 1:2],
            local[:-1, 1:].reshape(len(step), -1),
            rot.to_6d(_chain_rotations(joints[:-1], turn[:-1])).reshape(len(step), -1),
            rot.rotate(turn[:-1, None], step).reshape(len(step), -1),
            still,
        ],
        axis=1,
    )
    return out.astype(np.float32)


def _chain_rotations(joints: Array, turn: Array) -> Array:
    """(T, 21, 4) each bone's shortest rotation from its axis, relative to the one before in its chain.

    All five chains begin at the heading, the arms' too, although they hang on the chest.
    """
    out = np.empty((len(joints), 22, 4))
    for chain in CHAINS:
        above = turn
        for parent, child in pairwise(chain):
            bone = rot.between(_AXES[child], joints[:, child] - joints[:, parent])
            out[:, child] = rot.multiply(rot.conjugate(above), bone)
            above = bone
    return out[:, 1:]


def joints_of(vectors: ArrayLike, *, last_step: bool = False) -> NDArray[np.float32]:
    """(T, 263) vectors to (T, 22, 3) joints: heading and way summed up, positions turned back.

    Parameters
    ----------
    vectors
        Not normalised.
    last_step
        Add the frame after the last, which the last velocities lead to: (T + 1, 22, 3), of which
        :func:`vectors_of` makes the T vectors again.
    """
    v = np.asarray(vectors, dtype=np.float64)
    if v.ndim != 2 or v.shape[1] != WIDTH:
        raise DataError(f"HumanML3D: vectors of shape {v.shape}; expected (T, {WIDTH})")
    count = len(v)
    half = np.concatenate([np.zeros(1), np.cumsum(v[:, 0])])[: count + 1]
    # The first column is half of the turn: the quaternion's own angle.
    back = np.zeros((count + 1, 4))
    back[:, 0], back[:, 2] = np.cos(half), -np.sin(half)
    step = np.zeros((count, 3))
    step[:, [0, 2]] = v[:, 1:3]
    way = np.zeros((count, 3))
    way[1:] = np.cumsum(rot.rotate(back[1:count], step[:-1]), axis=0) if count else step
    out = np.empty((count, 22, 3))
    out[:, 0] = way
    out[:, 0, 1] = v[:, 3]
    out[:, 1:] = rot.rotate(back[:count, None], v[:, BLOCKS["positions"]].reshape(count, 21, 3))
    out[:, 1:] += way[:, None] * np.array([1.0, 0, 1])
    if last_step and count:
        moved = rot.rotate(back[count - 1], v[-1, BLOCKS["velocities"]].reshape(22, 3))
        out = np.concatenate([out, out[-1:] + moved])
    return out.astype(np.float32)
