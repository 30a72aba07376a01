"""Hands from 21 landmarks: finger angles, joint rotations and how the hand is turned, within what a hand can do.

All frames of a clip are fitted at once, of a long one piece by piece (Gauss–Newton on positions, robust against points
that are far off). What
keeps a noisy or half hidden hand a hand is taken from the annotation of SignAvatars (Yu et al., ECCV 2024), which
has it from Spurr et al., "Weakly supervised 3D hand pose estimation via biomechanical constraints" (ECCV 2020):

* bone lengths are one person's, the same in every frame, and near a hand's proportions;
* the palm is stiff: knuckles keep their angular distances and the palm its curvature, within bounds;
* joint angles stay in a convex hull: ranges of motion, less spread the more a finger is bent, end joints that
  bend with middle ones (Rijpkema & Girard, SIGGRAPH 1991);
* angles and turns change smoothly (least squared acceleration).

Points of both hands are in the order of MediaPipe: wrist, then thumb, index, middle, ring and little finger from
the palm to the tip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.bodies.hand import HANDSHAPES, LIMITS_HIGH, LIMITS_LOW
from kinesics.bodies.rig import maya
from kinesics.errors import DataError, choose
from kinesics.geometry import rotations as rot
from kinesics.geometry.from_positions import fill
from kinesics.geometry.skeleton import Skeleton
from kinesics.see._hand_chains import Chains
from kinesics.see._hand_solver import Problem, State, first_guess, solve
from kinesics.see._pieces import joined, pieces

Array = NDArray[np.float64]

LANDMARKS: tuple[str, ...] = (
    "wrist",
    *(f"thumb_{j}" for j in ("cmc", "mcp", "ip", "tip")),
    *(f"{f}_{j}" for f in ("index", "middle", "ring", "little") for j in ("mcp", "pip", "dip", "tip")),
)
"""Names of the 21 points, in order."""

ORDER = np.array([0, *range(5, 13), *range(17, 21), *range(13, 17), *range(1, 5)])
"""The landmark of each point of :class:`Chains`."""
_BACK = np.argsort(ORDER)
_PALM = np.array([0, 1, 5, 9, 13])  # wrist and knuckles, among the chains' points
_MIRROR = np.array([-1.0, 1, 1])
_MIRROR_TURN = np.array([1.0, 1, -1, -1])
_WINDOW, _OVERLAP = 600, 30  # frames that are solved together


@dataclass(frozen=True)
class Limits:
    """How strongly each of a hand's limits counts; ``None`` leaves one out.

    Parameters
    ----------
    lengths
        Share by which a bone may differ from its proportion in our hand.
    palm
        Degrees by which a knuckle may lie off its place in the palm.
    hull
        Degrees of standard deviation beyond the hull of joint angles.
    smooth
        Standard deviation of angular acceleration, degrees per second².
    """

    lengths: float | None = 0.25
    palm: float | None = 12.0
    hull: float | None = 1.5
    smooth: float | None = 800.0


BIO = Limits()
"""All of them; the numbers are ours, ``smooth`` from how stage hands move."""


class HandPose(NamedTuple):
    """What :func:`fit_hand` finds.

    Parameters
    ----------
    angles
        (T, 5, 4) finger angles, degrees (:mod:`kinesics.bodies.hand`).
    rotations
        (T, 15, 4) finger joints of the canonical skeleton, wxyz, float32, local.
    orientation
        (T, 4) how the hand is turned out of the T-pose, wxyz, in the frame of the landmarks.
    points
        (T, 21, 3) the fitted landmarks, in the landmarks' frame and units.
    confidence
        (T,) 0 to 1: the landmarks' own, less where the fit is poor; 0 where there were none.
    """

    angles: Array
    rotations: NDArray[np.float32]
    orientation: Array
    points: Array
    confidence: Array


def fit_hand(
    landmarks: ArrayLike,
    side: str,
    *,
    confidence: ArrayLike | None = None,
    fps: float = 30.0,
    skeleton: Skeleton | None = None,
    limits: Limits = BIO,
) -> HandPose:
    """Fit a hand to its landmarks.

    Parameters
    ----------
    landmarks
        (T, 21, 3) in any unit, x to the right in the picture, y up, z towards the camera; or (T, 21, 2) without
        depth. Points that are not finite are missing.
    side
        ``"left"`` or ``"right"``: whose hand it is.
    confidence
        (T,) or (T, 21) from 0 to 1.
    fps
        Frames per second.
    skeleton
        The canonical skeleton whose hand is posed; maya's by default.
    limits
        What a hand can do; for experiments.

    Returns
    -------
    HandPose
        Where a hand is not seen, what lies between what was seen before and after, at confidence 0; the relaxed
        hand where it is never seen.

    Raises
    ------
    DataError
        On wrong shapes or a side that is none.

    Examples
    --------
    >>> from kinesics.bodies.hand import HANDSHAPES
    >>> chains = Chains.of(maya(), "left")
    >>> fist = chains.points(HANDSHAPES["fist"][None])[:, np.argsort(ORDER)]
    >>> found = fit_hand(np.repeat(fist, 5, axis=0), "left").angles[2]
    >>> bool(np.abs(found - HANDSHAPES["fist"]).max() < 3)
    True
    """
    choose("side", side, ("left", "right"))
    skeleton = skeleton or maya()
    given = np.asarray(landmarks)
    bounds = pieces(len(given))
    if len(bounds) == 1:
        return _fit(given, side, confidence, float(fps), skeleton, limits)
    sure = None if confidence is None else np.asarray(confidence)
    if sure is not None and len(sure) != len(given):
        raise DataError(f"hand confidence {sure.shape}; expected {given.shape[:1]} or {given.shape[:2]}")
    parts = [
        _fit(given[a:b], side, None if sure is None else sure[a:b], float(fps), skeleton, limits)
        for a, b in bounds
    ]
    return HandPose(
        *(
            joined(
                [(first, getattr(part, name)) for (first, _), part in zip(bounds, parts, strict=True)],
                len(given),
                turns=name in ("rotations", "orientation"),
            )
            for name in HandPose._fields
        )
    )


def _fit(
    landmarks: ArrayLike,
    side: str,
    confidence: ArrayLike | None,
    fps: float,
    skeleton: Skeleton,
    limits: Limits,
) -> HandPose:
    """A hand fitted to all frames at once."""
    values, trust = _checked(landmarks, confidence)
    flat = values.shape[2] == 2
    chains = _own_hand(skeleton, side)
    count = len(values)
    if flat:
        values = np.concatenate([values, np.zeros((count, 21, 1))], axis=2)
    if side == "right":
        values = values * _MIRROR
    values, trust = values[:, ORDER], trust[:, ORDER]
    seen = (trust > 0).sum(axis=1) >= 6
    trust = trust * seen[:, None]
    angles = np.broadcast_to(HANDSHAPES["relaxed"], (count, 5, 4)).copy()
    turn = np.tile(rot.IDENTITY.astype(np.float64), (count, 1))
    points, quality = chains.points(angles), np.zeros(count)
    if seen.any():
        filled = fill(values, trust > 0)
        unit = _unit(filled[seen], chains, flat)
        filled = filled / unit
        problem = Problem(chains, filled, trust, fps, flat, limits.hull, limits.smooth)
        found = _by_window(problem, None)
        if not flat:
            problem = replace(problem, chains=_person(problem, found, limits))
            chains = problem.chains
        angles, turn, place, scale = _by_window(problem, found)
        if limits.hull is not None:
            angles = np.clip(angles, LIMITS_LOW, LIMITS_HIGH)
        points = place[:, None] + scale[:, None, None] * rot.rotate(turn[:, None], chains.points(angles))
        off = np.linalg.norm((points - filled)[..., : 2 if flat else 3], axis=-1)
        off = np.sqrt(np.sum(trust * off**2, axis=1) / np.maximum(trust.sum(axis=1), 1e-9))
        # Half of the confidence is gone where points are a tenth of a hand off (ours).
        size = scale * np.linalg.norm(chains.base[1])
        quality = trust.mean(axis=1) / (1 + (off / (0.17 * size)) ** 2)
        points = points * unit
    rotations = rot.from_rotvec(
        np.einsum("fkci,tfi->tfkc", chains.axes, angles - chains.rest).reshape(count, 15, 3)
    )
    if side == "right":
        rotations, turn, points = rotations * _MIRROR_TURN, turn * _MIRROR_TURN, points * _MIRROR
    return HandPose(angles, rotations.astype(np.float32), rot.continuous(turn), points[:, _BACK], quality)


_own_hand = lru_cache(maxsize=8)(Chains.of)


def _checked(landmarks: ArrayLike, confidence: ArrayLike | None) -> tuple[Array, Array]:
    values = np.asarray(landmarks, dtype=np.float64)
    if values.ndim != 3 or values.shape[1] != 21 or values.shape[2] not in (2, 3):
        raise DataError(f"hand landmarks {values.shape}; expected (T, 21, 3) or (T, 21, 2)")
    finite = np.isfinite(values).all(axis=-1)
    trust = np.ones(values.shape[:2]) if confidence is None else np.asarray(confidence, dtype=np.float64)
    if trust.shape not in (values.shape[:1], values.shape[:2]):
        raise DataError(f"hand confidence {trust.shape}; expected {values.shape[:1]} or {values.shape[:2]}")
    trust = np.broadcast_to(trust if trust.ndim == 2 else trust[:, None], values.shape[:2])
    trust = np.where(finite & np.isfinite(trust), np.clip(np.nan_to_num(trust), 0, 1), 0.0)
    return np.where(finite[..., None], values, 0.0), trust


def _unit(values: Array, chains: Chains, flat: bool) -> float:
    """The landmarks' unit in metres of our own hand: by the palm, which flat pictures shorten."""
    palm = np.concatenate([np.zeros((1, 3)), chains.base])[[0, 1, 2, 3, 4]]
    own = np.linalg.norm(palm[:, None] - palm, axis=-1)
    seen = values[:, _PALM]
    far = np.linalg.norm(seen[:, :, None] - seen[:, None], axis=-1)
    ratio = far.sum(axis=(1, 2)) / own.sum()
    found = float(np.quantile(ratio, 0.8) if flat else np.median(ratio))
    return found if found > 1e-9 else 1.0


def _by_window(problem: Problem, start: State | None) -> State:
    """The frames solved window by window: a first fit of each frame, or one that goes on from it, smoothly."""
    out, count = [], len(problem.values)
    for first in range(0, max(count - _OVERLAP, 1), _WINDOW - _OVERLAP):
        last = min(first + _WINDOW, count)
        part = replace(problem, values=problem.values[first:last], trust=problem.trust[first:last])
        if start is None:
            found = solve(part, first_guess(part), steps=7, smooth=False)
        else:
            found = solve(part, tuple(a[first:last] for a in start), steps=8, smooth=True)
        low = _OVERLAP // 2 if first else 0
        high = last - first - (0 if last == count else _OVERLAP // 2)
        out.append([a[low:high] for a in found])
    return tuple(np.concatenate(parts) for parts in zip(*out, strict=True))


def _person(problem: Problem, first: State, limits: Limits) -> Chains:
    """The hand with this person's bone lengths and palm, as a first fit shows them."""
    chains, values, trust = problem.chains, problem.values, problem.trust
    angles, turn, place, scale = first
    local = rot.rotate(rot.conjugate(turn)[:, None], values - place[:, None]) / scale[:, None, None]
    posed = chains.points(angles)
    good = trust.mean(axis=1) >= 0.5 * trust.mean(axis=1).max()
    if limits.palm is not None:
        chains = _palm(chains, np.median(local[good][:, [1, 5, 9, 13, 17]], axis=0), limits.palm)
    # Along the fitted bone, so that noise across it does not lengthen it.
    ways = np.diff(posed[:, 1:].reshape(-1, 5, 4, 3), axis=2)
    seen = np.diff(local[:, 1:].reshape(-1, 5, 4, 3), axis=2)
    own = np.linalg.norm(chains.bones, axis=-1)
    along = np.sum(ways * seen, axis=-1) / np.linalg.norm(ways, axis=-1)
    ratio = np.median(along[good], axis=0) / own
    if limits.lengths is not None:
        ratio = np.clip(ratio, 1 - limits.lengths, 1 + limits.lengths)
    return chains.stretched(np.maximum(ratio, 0.2) * own)


def _palm(chains: Chains, seen: Array, most: float) -> Chains:
    """Knuckles where they are usually seen, but near their places in a palm."""
    own = chains.base
    length, wanted = (np.linalg.norm(v, axis=-1, keepdims=True) for v in (own, seen))
    between = rot.to_rotvec(rot.between(own, seen))
    angle = np.linalg.norm(between, axis=-1, keepdims=True)
    turned = between * np.minimum(1, np.radians(most) / np.maximum(angle, 1e-9))
    return chains.with_palm(rot.rotate(rot.from_rotvec(turned), own) * np.clip(wanted / length, 0.75, 1.25))
