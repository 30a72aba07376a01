"""A person put onto the floor: as high as their feet say, and feet that stand kept where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.rig import SIDES, Rig
from kinesics.bodies.skeletons import TABLES
from kinesics.geometry import rotations as rot
from kinesics.geometry.from_positions import fill, smooth, steady
from kinesics.geometry.kinematics import align, two_bone
from kinesics.geometry.skeleton import Skeleton

Array = NDArray[np.float64]
_NEAR = 0.03  # metres above the lowest sole within which one stands (all ours)
_STILL = 0.25  # metres per second below which a sole stands
_SHORTEST = 0.2  # seconds that a foot must stand to be held
_EASE = 0.12  # seconds in which it is let go
_UNSURE, _BOUNCE = 0.015, 2.0  # metres by which the hips' height trembles, and their acceleration, m/s²
_DRIFT = 1.0  # seconds after which the picture is believed more than the feet


def standing(
    skeleton: Skeleton, local: Array, root: Array, seen: Mapping[str, Array], fps: float
) -> tuple[Array, Array]:
    """Put a body onto the floor.

    Parameters
    ----------
    skeleton
        The canonical skeleton.
    local, root
        (T, 55, 4) and (T, 3), as the picture has them.
    seen
        ``"left"``, ``"right"`` → (T,) how far the foot is seen.
    fps
        Frames per second.

    Returns
    -------
    local, root
        With other legs and hips where a foot is seen; the root alone elsewhere.
    """
    feet = np.stack([seen[s] for s in SIDES], axis=1)
    rig = _rig(skeleton)
    places, world = skeleton.forward(local, np.zeros(3))
    soles = rig.soles(places, rig.read(world)).reshape(len(local), 2, 3, 3)
    low = soles[..., 1].min(axis=2)  # of each foot, from the hips
    lowest = np.where(feet > 0.5, low, np.inf).min(axis=1)
    known = np.isfinite(lowest)
    root = root.copy()
    if not known.any():
        return local, root
    share = smooth(known.astype(float), 0.2 * fps)
    height = np.interp(np.arange(len(low)), np.flatnonzero(known), -lowest[known])
    height = steady(height, np.ones(len(height)), noise=_UNSURE, acceleration=_BOUNCE, fps=fps)
    root[:, 1] = share * height + (1 - share) * root[:, 1]
    gap = np.maximum(low - low.min(axis=1, keepdims=True), 0)
    stands = feet * np.exp(-((gap / _NEAR) ** 2))
    middle = soles.mean(axis=2)[..., [0, 2]]
    speed = np.gradient(middle, axis=0) if len(middle) > 1 else np.zeros_like(middle)
    moves = -np.sum(stands[..., None] * speed, axis=1) / np.maximum(stands.sum(axis=1), 1e-6)[:, None]
    carried = np.cumsum(moves, axis=0)
    flat = root[:, [0, 2]]
    root[:, [0, 2]] = flat + share[:, None] * (carried + smooth(flat - carried, _DRIFT * fps) - flat)
    return _held(skeleton, local, root, soles, stands, fps), root


@lru_cache(maxsize=4)
def _rig(skeleton: Skeleton) -> Rig:
    return Rig.of(skeleton, TABLES["humanoid"], skeleton)


def _held(skeleton: Skeleton, local: Array, root: Array, soles: Array, stands: Array, fps: float) -> Array:
    """Legs that hold a standing foot in one place."""
    local = local.copy()
    places, world = skeleton.forward(local, root)
    middle = soles.mean(axis=2) + root[:, None]
    speed = np.linalg.norm(np.gradient(middle, axis=0)[..., [0, 2]], axis=-1) * fps if len(middle) > 1 else 0
    for k, side in enumerate(SIDES):
        hip, knee, ankle = (INDEX[f"{side}{b}"] for b in ("UpperLeg", "LowerLeg", "Foot"))
        rest = (stands[:, k] > 0.5) & (smooth(speed[:, k], 0.05 * fps) < _STILL)
        goal, hold = np.zeros((len(local), 3)), np.zeros(len(local), dtype=bool)
        foot = rot.continuous(world[:, ankle])
        turn = np.zeros_like(foot)
        away = np.full(len(local), np.inf)  # frames to the nearest that is held
        frames = np.arange(len(local))
        edges = np.flatnonzero(np.diff(np.r_[0, rest.astype(int), 0]))
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            if last - first < _SHORTEST * fps:
                continue
            here = places[first:last, ankle]
            sole = soles[first:last, k, :, 1].min(axis=1) + root[first:last, 1]
            goal[first:last] = np.median(here - [[0.0, 1, 0]] * sole[:, None], axis=0)
            turn[first:last] = foot[first:last].mean(axis=0)
            hold[first:last] = True
            away = np.minimum(away, np.maximum(np.maximum(first - frames, frames - last + 1), 0))
        if not hold.any():
            continue
        ease = np.clip(1 - away / (_EASE * fps + 1), 0, 1)
        ease = ease * ease * (3 - 2 * ease)
        move = ease[:, None] * (fill(goal, hold) - places[:, ankle])
        foot = rot.slerp(foot, rot.normalise(fill(turn, hold)), ease)
        lengths = [float(np.linalg.norm(skeleton.offsets[j])) for j in (knee, ankle)]
        start, target = places[:, hip], places[:, ankle] + move
        line = places[:, ankle] - start
        pole = places[:, knee] - start - 0.5 * line
        # A straight leg's knee points where its foot does.
        pole = pole + 0.05 * rot.rotate(world[:, ankle], np.array([0.0, 0, 1]))
        bent, end = two_bone(start, target, *lengths, pole, reach=0.999)
        hinge = rot.cross(bent - start, end - bent)
        fallback = rot.rotate(world[:, knee], np.array([1.0, 0, 0]))
        weak = np.linalg.norm(hinge, axis=1, keepdims=True) < 0.05 * lengths[0] * lengths[1]
        hinge = np.where(weak, fallback, hinge)
        x = np.array([1.0, 0, 0])
        upper = align(skeleton.offsets[knee], x, bent - start, hinge)
        lower = align(skeleton.offsets[ankle], x, end - bent, hinge)
        pelvis = world[:, INDEX["hips"]]
        touched = (ease > 1e-3)[:, None]
        for j, q in (
            (hip, rot.multiply(rot.conjugate(pelvis), upper)),
            (knee, rot.multiply(rot.conjugate(upper), lower)),
            (ankle, rot.multiply(rot.conjugate(lower), foot)),
        ):
            local[:, j] = np.where(touched, q, local[:, j])
    return local
