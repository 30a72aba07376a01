"""Carrying rotations from one skeleton to another: the array maths, without names.

A rig is described by the world rotation that each joint has when its limbs are put into a reference pose
(:func:`pose`). A joint's turn out of that pose, ``world · conjugate(reference)``, no longer depends
on the rig's axes or on its own pose of rest, and can be given to a joint of another rig.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kinesics.geometry import rotations as rot

log = logging.getLogger(__name__)

Array = NDArray[np.float64]
_UP = np.array([0.0, 1.0, 0.0])


def pose(
    parents: Sequence[int],
    base: Array,
    aims: Mapping[int, tuple[Array, Array]],
    fixed: Mapping[int, Array],
) -> Array:
    """World rotations (J, 4) that put a rig's limbs into a reference pose.

    From the root outwards, every joint is turned as its parent was, and then by the shortest turn that
    points its bone where it should point, so that the twist along a limb stays what it is at rest.

    Parameters
    ----------
    parents
        Index of each joint's parent, parents first.
    base
        (J, 4) world rotations to start from: identities where the rest pose is a person standing.
    aims
        Joint → its bone's direction in its own axes, and the world direction that it should have.
    fixed
        Joint → the world turn (4,) from its base, where that is known; its descendants start from it.
    """
    turn = np.tile(np.array([1.0, 0, 0, 0]), (len(parents), 1))
    for j, p in enumerate(parents):
        if j in fixed:
            turn[j] = fixed[j]
            continue
        if p >= 0:
            turn[j] = turn[p]
        if j in aims:
            bone, aim = aims[j]
            now = rot.rotate(rot.multiply(turn[j], base[j]), bone)
            turn[j] = rot.multiply(rot.between(now, aim), turn[j])
    return rot.normalise(rot.multiply(turn, base))


def spread(below: Array, chain: Array, count: int) -> Array:
    """The turns of a chain of joints (T, N, 4), shared out over another number of joints (T, ``count``, 4).

    Both chains begin above ``below`` (T, 4) and end in the same turn; between, a joint takes the turn at the same
    part of the way.

    >>> still, bent = np.array([[1.0, 0, 0, 0]]), np.array([[np.cos(0.5), np.sin(0.5), 0, 0]])
    >>> np.degrees(rot.angle(spread(still, bent[:, None], 2), still[:, None])).round(2)
    array([[28.65, 57.3 ]])
    """
    turns = np.concatenate([below[:, None], chain], axis=1)
    place = np.arange(1, count + 1) * (turns.shape[1] - 1) / count
    low = np.minimum(np.floor(place + 1e-9).astype(int), turns.shape[1] - 2)
    return rot.slerp(turns[:, low], turns[:, low + 1], np.broadcast_to(place - low, (len(turns), count)))


def facing(lateral: Array) -> Array:
    """The turn (4,) about the vertical that brings a person whose left is ``lateral`` (3,) to face +Z.

    In whole quarters of a turn: what is left is the person's own asymmetry.
    """
    quarters = np.round(np.arctan2(-lateral[2], lateral[0]) / (np.pi / 2))
    return rot.from_axis_angle(_UP, -quarters * np.pi / 2)


def soles(ankle: Array, foot: Array, toes: Array, points: tuple[Array, Array], toe_joint: Array) -> Array:
    """Where the points of one foot's sole are, (T, N + M, 3).

    Parameters
    ----------
    ankle
        (T, 3) where the ankle is.
    foot, toes
        (T, 4) turns of foot and toes out of the flat foot.
    points
        Points of the sole of the flat foot, (N, 3) from the ankle that turn with the foot, and (M, 3) from the
        joint of the toes that turn with the toes.
    toe_joint
        (3,) from the ankle to the joint of the toes in the flat foot.
    """
    back = ankle[:, None] + rot.rotate(foot[:, None], points[0])
    joint = ankle + rot.rotate(foot, toe_joint)
    return np.concatenate([back, joint[:, None] + rot.rotate(toes[:, None], points[1])], axis=1)


LOWEST_HIPS = 0.05
"""Metres above the floor at rest, below which hips tell no size (ours)."""


def scaled_way(root: Array, ours: Array, theirs: Array) -> Array:
    """The hips' places (T, 3) on a body whose hips rest at ``theirs`` (3,) instead of ``ours``.

    Height and travel scale together, so that feet keep to the floor. Hips that rest on the floor tell no
    size: what is left is the difference from rest, which is logged.
    """
    if min(ours[1], theirs[1]) > LOWEST_HIPS:
        return root * (theirs[1] / ours[1])
    log.warning("hips rest at %.3g m and %.3g m: their way is not scaled", ours[1], theirs[1])
    return root - ours + theirs


STEEPEST = 0.04
"""Slope of a floor that is taken for a tilted recording, not for a slope (ours; 2.3°)."""


def floor_under(points: Array, fps: float) -> Array:
    """Height (T,) of the floor below a person, from the points of both soles (T, N, 3).

    A level at first: the tenth percentile of the lowest point's height, as people stand more often than they
    fly and never sink. Where points at rest near that level lie on a slight slope, as in recordings
    whose axes are tilted, the slope is taken for the floor's. It is as slight as the evidence: people who stay in
    one place give none.
    """
    if not len(points):
        return np.zeros(0)
    frames = np.arange(len(points))
    lowest = points[frames, np.argmin(points[..., 1], axis=1)]
    level = np.percentile(lowest[:, 1], 10)
    if len(points) < 3:
        return np.full(len(points), level)
    speed = np.linalg.norm(np.gradient(points, 1 / fps, axis=0), axis=-1)
    height = np.where(speed < 0.3, points[..., 1], np.inf)
    rows = np.isfinite(height.min(axis=1))
    there = points[frames[rows], np.argmin(height[rows], axis=1)]
    near = there[there[:, 1] < level + 0.08]
    if len(near) < 10:
        return np.full(len(points), level)
    middle, slope, offset = _plane(near)
    # Who stands still ever higher up, step by step, is on stairs.
    if max(np.hypot(*slope), np.hypot(*_plane(there)[1])) > STEEPEST:
        return np.full(len(points), level)
    return middle[1] + offset + (lowest - middle)[:, [0, 2]] @ slope


def _plane(points: Array) -> tuple[Array, Array, float]:
    """A plane through most of the points (N, 3): their middle, the slope along x and z, and the height there."""
    middle = np.median(points, axis=0)
    across, rise = (points - middle)[:, [0, 2]], points[:, 1] - middle[1]
    design = np.column_stack([across, np.ones(len(rise))])
    weight = np.ones(len(rise))
    fit = np.zeros(3)
    for _ in range(10):
        # Ridge: a spread of a third of a metre halves the doubt. Reweighted: what stands out counts little.
        ridge = np.diag([0.1 * weight.sum(), 0.1 * weight.sum(), 1e-9])
        normal = design.T @ (weight[:, None] * design) + ridge
        fit = np.linalg.solve(normal, design.T @ (weight * rise))
        weight = 1 / np.maximum(np.abs(rise - design @ fit), 0.003)
    return middle, fit[:2], float(fit[2])


def settled(height: Array) -> Array:
    """Heights above the floor with those of a centimetre or less brought to it, and greater ones left.

    What a recording shows between sole and floor while a foot stands is error.

    >>> settled(np.array([-0.01, 0.005, 0.02, 0.1, 0.3])).round(3)
    array([0.   , 0.   , 0.01 , 0.096, 0.299])
    """
    height = np.maximum(height, 0.0)
    return height**3 / (height**2 + 0.02**2)


def smoothed(values: Array, frames: float) -> Array:
    """Values (T, ...) under a Gaussian of ``frames`` standard deviation; the ends are held."""
    reach = int(np.ceil(3 * frames))
    if len(values) < 2 or reach < 1:
        return values
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / frames) ** 2)
    padded = np.pad(values.reshape(len(values), -1), ((reach, reach), (0, 0)), mode="edge")
    columns = [np.convolve(column, kernel / kernel.sum(), mode="valid") for column in padded.T]
    return np.stack(columns, axis=1).reshape(values.shape)


def planted(wanted: Array, now: Array, height: Array, fps: float) -> Array:
    """Moves over the floor (T, 2) that keep standing soles as still as they should be.

    Parameters
    ----------
    wanted, now
        (T, N, 3) the source's sole points, to scale, and the target's.
    height
        (T, N) of the source's above the floor, to scale.

    Returns
    -------
    ndarray
        Along x and z, metres. Only what changes within a second or so: where a person is, on the whole, stays
        the source's.
    """
    if len(now) < 3:
        return np.zeros((len(now), 2))
    velocity = np.gradient(wanted, 1 / fps, axis=0)
    speed = np.linalg.norm(velocity, axis=-1)
    stands = np.exp(-((speed / 0.25) ** 2) - (np.maximum(height, 0) / 0.03) ** 2)
    stands = smoothed(stands, 0.04 * fps)[..., None]
    slip = ((velocity - np.gradient(now, 1 / fps, axis=0)) * stands).sum(axis=1) / (stands.sum(axis=1) + 0.1)
    path = np.cumsum(slip[:, [0, 2]], axis=0) / fps
    return path - smoothed(path, 0.6 * fps)
