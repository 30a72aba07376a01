"""Ranges of motion of the arm's joints, the eyes' and the hand's, and motion brought within them without a corner."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.geometry import rotations as rot

Array = NDArray[np.float64]

# Ranges of motion in degrees (American Academy of Orthopaedic Surgeons 1965), T-pose signs of a left arm.
PRONATION, SUPINATION = 82.0, 85.0
WRIST_FLEXION, WRIST_EXTENSION = 72.0, 65.0
RADIAL, ULNAR = 22.0, 32.0
ELBOW = 150.0
EYE_ACROSS, EYE_UP = 35.0, 25.0
BACK = np.radians(100.0)
"""Wished turn of the forearm, radians, from which it gives way (ours)."""


def soft_clip(value: ArrayLike, low: ArrayLike, high: ArrayLike, *, knee: float = 0.2) -> Array:
    """Keep ``value`` within (low, high) without a corner: untouched well inside, tanh beyond.

    ``knee`` is the part of the range at either end in which it bends.

    >>> bool(soft_clip(100.0, -10.0, 10.0) <= 10), float(soft_clip(3.0, -10.0, 10.0))
    (True, 3.0)
    """
    value, low, high = (np.asarray(a, dtype=np.float64) for a in (value, low, high))
    width = knee * 0.5 * (high - low)
    over = np.maximum(value - (high - width), 0)
    under = np.maximum(low + width - value, 0)
    middle = np.clip(value, low + width, high - width)
    return middle + width * np.tanh(over / width) - width * np.tanh(under / width)


def limit_wrist(relative: Array, along: Array, palm: Array, across: Array) -> tuple[Array, Array, Array]:
    """Bring a hand's rotation relative to the untwisted forearm within human limits.

    Parameters
    ----------
    relative
        (..., 4) hand relative to a forearm without pronation (left arm, T-pose axes).
    along, palm, across
        (3,) the hand's rest directions: fingers, out of the palm, towards the thumb.

    Returns
    -------
    twist
        (...) pronation (negative: supination) about ``along``, radians.
    hand
        (..., 4) what is left for the wrist, limited.
    excess
        (...) radians by which limits cut the wish short.
    """
    swing, turn = rot.swing_twist(relative, along)
    sign = np.sum(turn[..., 1:] * along, axis=-1)
    angle = 2 * np.arctan2(sign, turn[..., 0])
    angle = (angle + np.pi) % (2 * np.pi) - np.pi
    twist = soft_clip(angle, -np.radians(SUPINATION), np.radians(PRONATION))
    # Half a turn on either side is the same wish. A forearm cannot go through it: it turns back by way of its
    # middle, so that a hand which passes there does not flip from one end of its range to the other.
    beyond = np.clip((np.abs(angle) - BACK) / (np.pi - BACK), 0, 1)
    twist = twist * (0.5 + 0.5 * np.cos(np.pi * beyond))
    # What the forearm cannot turn is lost, not asked of the wrist, which has no such axis.
    half = 0.5 * twist[..., None]
    undo = np.concatenate([np.cos(half), -np.sin(half) * along], axis=-1)
    bend = rot.to_rotvec(rot.multiply(undo, rot.multiply(swing, rot.conjugate(undo))))
    flex_axis, side_axis = np.cross(along, palm), np.cross(along, across)
    flexion, deviation = np.sum(bend * flex_axis, axis=-1), np.sum(bend * side_axis, axis=-1)
    flex = soft_clip(flexion, -np.radians(WRIST_EXTENSION), np.radians(WRIST_FLEXION))
    side = soft_clip(deviation, -np.radians(ULNAR), np.radians(RADIAL))
    hand = rot.from_rotvec(flex[..., None] * flex_axis + side[..., None] * side_axis)
    return twist, hand, np.abs(angle - twist) + np.abs(flexion - flex) + np.abs(deviation - side)
