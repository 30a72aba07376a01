"""Inverse kinematics in closed form, vectorised over frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.geometry import rotations as rot

Array = NDArray[np.floating]


def _unit(v: Array) -> Array:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def two_bone(
    start: ArrayLike, target: ArrayLike, upper: float, lower: float, pole: ArrayLike, *, reach: float = 0.995
) -> tuple[Array, Array]:
    """Place the middle joint of a two-bone chain.

    Parameters
    ----------
    start, target
        (..., 3) world positions of the first joint and of where the end should be, metres.
    upper, lower
        Lengths of the two bones, metres.
    pole
        (..., 3) direction in which the middle joint (elbow, knee) should point.
    reach
        Greatest stretch as a part of the full length; farther targets are drawn nearer, so that
        the limb never snaps straight.

    Returns
    -------
    middle, end
        (..., 3) world positions of the middle joint and of the end that could be reached. A pole
        along the limb says nothing: the middle joint then points forward (+Z).

    Examples
    --------
    >>> middle, end = two_bone([0.0, 0, 0], [0.0, -1, 0], 0.6, 0.6, [0.0, 0, 1])
    >>> bool(np.allclose(np.linalg.norm(middle), 0.6)), bool(middle[2] > 0)
    (True, True)
    """
    start, target, pole = (np.asarray(a, dtype=np.float64) for a in (start, target, pole))
    line = target - start
    distance = np.linalg.norm(line, axis=-1, keepdims=True)
    shortest = abs(upper - lower) + 0.02 * (upper + lower)
    length = np.clip(distance, shortest, reach * (upper + lower))
    direction = np.where(distance > 1e-9, line / np.maximum(distance, 1e-9), np.array([0.0, -1.0, 0.0]))
    along = (upper * upper - lower * lower + length * length) / (2 * length)
    height = np.sqrt(np.maximum(upper * upper - along * along, 0))
    side = _square_to(direction, pole)
    middle = start + along * direction + height * _unit(side)
    return middle, start + length * direction


def _square_to(direction: Array, pole: Array) -> Array:
    """The part of ``pole`` square to a unit ``direction``; where there is none, any one."""
    side = pole - np.sum(pole * direction, axis=-1, keepdims=True) * direction
    weak = np.linalg.norm(side, axis=-1, keepdims=True) < 1e-6
    spare = np.where(np.abs(direction[..., 2:]) < 0.9, np.array([0.0, 0, 1]), np.array([1.0, 0, 0]))
    spare = spare - np.sum(spare * direction, axis=-1, keepdims=True) * direction
    return np.where(weak, spare, side)


def align(rest_direction: ArrayLike, rest_side: ArrayLike, direction: ArrayLike, side: ArrayLike) -> Array:
    """World rotation (..., 4) that takes a bone's rest frame to a wanted one.

    Parameters
    ----------
    rest_direction, rest_side
        (3,) the bone's direction and a second direction fixed to it, in the rest pose.
    direction, side
        (..., 3) where they should point; ``direction`` is met exactly, ``side`` as nearly as can be.
    """
    rest = _basis(np.asarray(rest_direction, dtype=np.float64), np.asarray(rest_side, dtype=np.float64))
    wanted = _basis(np.asarray(direction, dtype=np.float64), np.asarray(side, dtype=np.float64))
    return rot.from_matrix(wanted @ np.swapaxes(rest, -1, -2))


def _basis(x: Array, y: Array) -> Array:
    x = _unit(x)
    y = _unit(y - np.sum(x * y, axis=-1, keepdims=True) * x)
    return np.stack([x, y, rot.cross(x, y)], axis=-1)
