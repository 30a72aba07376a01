"""Errors of positions: how far a motion is from another, and how far its liveliness.

**APE, AVE** (TEMOS, arXiv 2204.14109; SINC). For a quantity q: APE = mean over time (and joints) of ‖q
− q̂‖; AVE = mean over joints of ‖Var q − Var q̂‖, variances over time divided by T − 1. `quantities`
gives the four: root, trajectory (on the ground), local pose (root's place and heading taken out),
global joints. Metres and square metres; lower.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from kinesics.errors import DataError
from kinesics.metrics._checks import Floats, array_of, numbers, pair


class Quantities(NamedTuple):
    """A motion in the four parts that APE and AVE are computed of, metres, Y up.

    Parameters
    ----------
    root
        (T, 3) the root, from the origin, the first frame facing +Z.
    trajectory
        (T, 2) its place on the ground (x, z).
    local
        (T, J − 1, 3) the other joints, seen from the point below the root and its heading.
    world
        (T, J, 3) all joints, started like the root.
    """

    root: Floats
    trajectory: Floats
    local: Floats
    world: Floats


def ape(reference: ArrayLike, estimate: ArrayLike) -> float:
    """Average position error of a quantity (T, d) or (T, J, d)."""
    a, b = _quantity(reference, estimate, 1)
    return float(np.linalg.norm(a - b, axis=-1).mean())


def ave(reference: ArrayLike, estimate: ArrayLike) -> float:
    """Average variance error of a quantity (T, d) or (T, J, d)."""
    a, b = _quantity(reference, estimate, 2)
    return float(np.linalg.norm(a.var(0, ddof=1) - b.var(0, ddof=1), axis=-1).mean())


def _quantity(reference: ArrayLike, estimate: ArrayLike, least: int) -> tuple[Floats, Floats]:
    shape = ("T", "d") if array_of(reference, "quantity").ndim == 2 else ("T", "J", "d")
    a, b = pair(reference, estimate, shape, "quantity", least=least)
    if a.shape[-1] not in (1, 2, 3):
        raise DataError(f"quantity: {a.shape[-1]} coordinates on the last axis; expected 1, 2 or 3")
    return a, b


def quantities(
    positions: ArrayLike, *, left: tuple[int, ...] = (1, 16), right: tuple[int, ...] = (2, 17), root: int = 0
) -> Quantities:
    """The parts of a motion that APE and AVE look at.

    Parameters
    ----------
    positions
        (T, J, 3) metres, Y up.
    left, right
        Joints whose difference points to the person's left: hips and shoulders (SMPL-X and canonical indices).
    root
        The root joint.

    Returns
    -------
    Quantities

    Raises
    ------
    DataError
        On other shapes, or if hips and shoulders show no heading.
    """
    p = numbers(positions, ("T", "J", 3), "positions")
    if max(*left, *right, root) >= p.shape[1]:
        raise DataError(
            f"positions: {p.shape[1]} joints; hips and shoulders are at {(*left, *right)} (axis 1)"
        )
    side = (p[:, list(left)] - p[:, list(right)]).sum(1)
    length = np.hypot(side[:, 0], side[:, 2])
    if length.min() < 1e-9:
        raise DataError(f"positions: frame {int(length.argmin())}: hips and shoulders show no heading")
    # The person's left is +X when facing +Z.
    x, z = side[:, 0] / length, side[:, 2] / length
    below = p[:, root] * [1, 0, 1]
    local = _turned(p - below[:, None], x[:, None], z[:, None])
    world = _turned(p - below[0], x[0], z[0])
    others = np.arange(p.shape[1]) != root
    place = world[:, root]
    return Quantities(place, place[:, [0, 2]], local[:, others], world)


def _turned(p: Floats, x: Floats, z: Floats) -> Floats:
    """Points turned about Y so that the direction (x, 0, z) becomes +X."""
    return np.stack([x * p[..., 0] + z * p[..., 2], p[..., 1], x * p[..., 2] - z * p[..., 0]], -1)
