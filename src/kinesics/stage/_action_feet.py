"""Feet that stand where they stand: the smoothest small moves that keep soles still, and legs that follow.

What comes out of blending, bending and warping recorded steps slips a little. For each foot a correction is found
that is as small and as smooth as can be while the points of the sole that stand do not move: the least squares of
slip (m/s, weighted by how surely the point stands), of the correction's acceleration and of the correction
itself. Hips are lowered where a leg would be too short, and the knees follow in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.rig import SIDES
from kinesics.geometry import rotations as rot
from kinesics.geometry.kinematics import two_bone
from kinesics.geometry.retarget import smoothed
from kinesics.geometry.skeleton import Skeleton
from kinesics.stage._action_library import ANKLES, JOINTS, forward, soles, yawed

Array = NDArray[np.float64]
SMOOTH, SMALL, LEVEL = 1e-4, 0.02, 1000.0
"""How acceleration (1/(m/s²)²), size (1/m²) and height (1/m²) count beside 1 (m/s)² of slip (ours)."""
_REACH = 0.985  # part of the leg's length to which a leg may be stretched that was not stretched farther


@dataclass
class Feet:
    """Where both feet should be: ankles (T, 2, 3), world turns (T, 2, 4) and contacts (T, 4) of heels and balls."""

    ankles: Array
    turns: Array
    contacts: Array


def feet_of(skeleton: Skeleton, rotations: Array, root: Array, contacts: Array) -> Feet:
    """Where the feet of a motion (T, 22, 4) are."""
    places, turns = forward(skeleton, rotations, root)
    return Feet(places[:, ANKLES], turns[:, ANKLES], contacts)


def stand(
    skeleton: Skeleton, rotations: Array, root: Array, feet: Feet, fps: float
) -> tuple[Array, Array, Feet]:
    """Legs that put the feet where they should be, after these have been kept from slipping.

    Parameters
    ----------
    skeleton
        The 55 canonical joints.
    rotations, root
        (T, 22, 4) local rotations and (T, 3) metres; of the legs only the way in which knees bend is used.
    feet
        Where the feet should be, and when they stand.
    fps
        Frames a second.

    Returns
    -------
    rotations, root, feet
        With other legs, lower hips where need be, and the feet as they came to be.
    """
    feet = _kept(skeleton, feet, fps)
    root = root.copy()
    places, _ = forward(skeleton, rotations, root)
    hips = places[:, [INDEX[f"{s}UpperLeg"] for s in SIDES]]
    lengths = [_lengths(skeleton, s) for s in SIDES]
    drop, reach = np.zeros(len(root)), []
    for k in range(2):
        whole = sum(lengths[k])
        far = np.linalg.norm(places[:, ANKLES[k]] - hips[:, k], axis=1)
        reach.append(np.clip(_widened(far, round(0.05 * fps)), _REACH * whole, 0.999 * whole))
        away = feet.ankles[:, k] - hips[:, k]
        aside = np.minimum(np.sum(away[:, [0, 2]] ** 2, axis=1), (0.9 * whole) ** 2)
        sure = np.clip(feet.contacts[:, 2 * k : 2 * k + 2].max(axis=1) * 2, 0, 1)
        drop = np.maximum(drop, sure * (-away[:, 1] - np.sqrt(reach[k] ** 2 - aside)))
    root[:, 1] -= smoothed(_widened(drop, round(0.06 * fps)), 0.05 * fps)
    return _legs(skeleton, rotations, root, feet, lengths, reach), root, feet


def _kept(skeleton: Skeleton, feet: Feet, fps: float) -> Feet:
    """Feet that do not slip where they stand, nor sink."""
    ankles, turns = feet.ankles.copy(), feet.turns.copy()
    for k in range(2):
        # What hardly stands is about to lift, or to land: it must be free to.
        sure = np.clip((feet.contacts[:, 2 * k : 2 * k + 2] - 0.35) / 0.65, 0, 1) ** 2
        way = rot.rotate(turns[:, k], [0.0, 0, 1])
        yaw = np.unwrap(np.arctan2(way[:, 0], way[:, 2]))
        # A foot that stands on its ball alone may pivot; a flat one may not.
        turn = _least(np.minimum(*sure.T)[:, None], yaw[:, None, None], fps)[:, 0]
        turns[:, k] = rot.multiply(yawed(turn), turns[:, k])
        points = soles(skeleton, ankles, turns)[:, 2 * k : 2 * k + 2]
        ankles[:, k, [0, 2]] += _least(sure, points[..., [0, 2]], fps)
        low = points[..., 1].min(axis=1)
        held = np.clip(2 * sure.max(axis=1) - 1, 0, 1)
        up = _least(sure[:, :0], points[:, :0, 1:2], fps, held=held, aim=-low)[:, 0]
        sunk = smoothed(_widened(np.maximum(-(low + up), 0), round(0.04 * fps)), 0.025 * fps)
        ankles[:, k, 1] += up + sunk * (1 - held)
    return Feet(ankles, turns, feet.contacts)


def _least(
    sure: Array, points: Array, fps: float, *, held: Array | None = None, aim: Array | None = None
) -> Array:
    """The smoothest small correction (T, C) with which points (T, N, C) stand still as surely as ``sure`` (T, N).

    ``held`` (T,) says how surely the correction should be ``aim`` (T,) instead.
    """
    count, width = len(points), points.shape[2]
    right = np.zeros((count, width))
    main, near, far = np.full(count, SMALL), np.zeros(count), np.zeros(count)
    if held is not None and aim is not None:
        main += LEVEL * held
        right += (LEVEL * held * aim)[:, None]
    if count > 1 and sure.shape[1]:
        weight = 0.5 * (sure[1:] + sure[:-1])
        slip = fps**2 * np.sum(weight[..., None] * np.diff(points, axis=0), axis=1)
        total = fps**2 * weight.sum(axis=1)
        main[:-1] += total
        main[1:] += total
        near[:-1] -= total
        right[:-1] += slip
        right[1:] -= slip
    if count > 2:
        bend = SMOOTH * fps**4
        main[:-2] += bend
        main[1:-1] += 4 * bend
        main[2:] += bend
        near[:-2] -= 2 * bend
        near[1:-1] -= 2 * bend
        far[:-2] += bend
    return _solved(main, near, far, right)


def _solved(main: Array, near: Array, far: Array, right: Array) -> Array:
    """Solve a symmetric system with two diagonals beside the main one; ``right`` is (T, C)."""
    count = len(main)
    d, e, f = main.tolist(), near.tolist(), far.tolist()
    rows = [list(r) for r in right.tolist()]
    for i in range(count - 1):
        ratio = e[i] / d[i]
        d[i + 1] -= ratio * e[i]
        e[i + 1] -= ratio * f[i]
        rows[i + 1] = [b - ratio * a for a, b in zip(rows[i], rows[i + 1], strict=True)]
        if i + 2 < count:
            ratio = f[i] / d[i]
            d[i + 2] -= ratio * f[i]
            rows[i + 2] = [b - ratio * a for a, b in zip(rows[i], rows[i + 2], strict=True)]
    for i in range(count - 1, -1, -1):
        for j, factor in ((i + 1, e[i]), (i + 2, f[i])):
            if j < count:
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[j], strict=True)]
        rows[i] = [a / d[i] for a in rows[i]]
    return np.array(rows).reshape(right.shape)


def _widened(values: Array, reach: int) -> Array:
    """The greatest value within ``reach`` frames of each."""
    padded = np.pad(values, reach, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)


def _lengths(skeleton: Skeleton, side: str) -> tuple[float, float]:
    thigh, shin = skeleton.offsets[[INDEX[f"{side}LowerLeg"], INDEX[f"{side}Foot"]]].astype(np.float64)
    return float(np.linalg.norm(thigh)), float(np.linalg.norm(shin))


def _legs(
    skeleton: Skeleton,
    rotations: Array,
    root: Array,
    feet: Feet,
    lengths: list[tuple[float, float]],
    reach: list[Array],
) -> Array:
    """Local rotations (T, 22, 4) whose ankles are where ``feet`` says, knees bending as they did."""
    places, turns = forward(skeleton, rotations, root)
    out = rotations.copy()
    for k, side in enumerate(SIDES):
        upper, lower, foot = (INDEX[f"{side}{b}"] for b in ("UpperLeg", "LowerLeg", "Foot"))
        hip, knee, ankle = (places[:, j] for j in (upper, lower, foot))
        line = ankle - hip
        line = line / np.linalg.norm(line, axis=1, keepdims=True)
        bent = (knee - hip) - np.sum((knee - hip) * line, axis=1, keepdims=True) * line
        # A straight leg does not say where its knee would go: over the toes.
        pole = bent + 0.03 * rot.rotate(turns[:, foot], [0.0, 0, 1])
        way = feet.ankles[:, k] - hip
        far = np.linalg.norm(way, axis=1)
        # The last bit of a leg's length is given out ever more slowly, so that knees do not snap.
        room = 0.9997 * sum(lengths[k]) - reach[k]
        over = np.maximum(far - reach[k], 0)
        near = np.where(over > 0, reach[k] + room * -np.expm1(-over / room), far)
        goal = hip + way * (near / far)[:, None]
        middle, end = two_bone(hip, goal, *lengths[k], pole, reach=0.9998)
        thigh = rot.multiply(rot.between(knee - hip, middle - hip), turns[:, upper])
        shin = rot.multiply(rot.between(ankle - knee, end - middle), turns[:, lower])
        out[:, upper] = rot.multiply(rot.conjugate(turns[:, 0]), thigh)
        out[:, lower] = rot.multiply(rot.conjugate(thigh), shin)
        out[:, foot] = rot.multiply(rot.conjugate(shin), feet.turns[:, k])
    return rot.normalise(out[:, :JOINTS])
