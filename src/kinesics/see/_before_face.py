"""Hands that are seen before the head, put where the picture shows them: close to the face, and not in the air before it.

Of a forearm that points towards the camera one picture cannot tell whether it comes nearer or goes back to the face, and networks
guess the former: a hand on the chin then hangs 20 to 30 cm before it. People seldom hold a hand between face and camera
but to touch the face, eat, drink, call or hide; an arm that is stretched out towards the camera is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import INDEX
from kinesics.geometry import rotations as rot
from kinesics.geometry.from_positions import fill, smooth, steady
from kinesics.geometry.kinematics import two_bone
from kinesics.geometry.skeleton import Skeleton

Array = NDArray[np.float64]
_EARS, _EYES, _MOUTH = [7, 8], [2, 5], [9, 10]
_WRISTS = {"left": (15, [17, 19]), "right": (16, [18, 20])}
_SURE = 0.5
_NEAR = (
    0.13,
    0.21,
)  # metres of the palm from the line from between the ears to the chin: before the head, and no longer (all ours)
_STRETCHED = (0.6, 0.72)  # of its arm's length that a wrist is before the eyes: bent, and stretched out
_AHEAD = 0.07  # metres of the wrist before the eyes, on people who touch their face
_SETTLE = 0.08  # seconds


def before_face(pixels: Array, trust: Array, metre: float, fps: float) -> dict[str, tuple[Array, Array]]:
    """Where the picture shows each wrist.

    Parameters
    ----------
    pixels, trust
        (T, 33, 2) pose landmarks in the picture, y down, and (T, 33) from 0 to 1.
    metre
        Pixels.
    fps
        Frames per second.

    Returns
    -------
    dict
        ``"left"``, ``"right"`` → (T, 2) metres from the middle of the eyes, x to the right and y up, and (T,) how far
        the hand is before the head; only hands that ever are.
    """
    out = {}
    for side, (wrist, palm) in _WRISTS.items():
        seen = trust[:, [*_EARS, *_EYES, *_MOUTH, wrist, *palm]].min(axis=1) >= _SURE
        if not seen.any():
            continue
        ears = pixels[:, _EARS].mean(axis=1)
        chin = 1.6 * (pixels[:, _MOUTH].mean(axis=1) - ears)
        way = pixels[:, palm].mean(axis=1) - ears
        along = np.sum(way * chin, axis=1) / np.maximum(np.sum(chin * chin, axis=1), 1e-9)
        far = np.linalg.norm(way - np.clip(along, 0, 1)[:, None] * chin, axis=1) / metre
        share = np.where(seen, 1 - _step(far, *_NEAR), 0.0)
        if not share.any():
            continue
        off = fill((pixels[:, wrist] - pixels[:, _EYES].mean(axis=1)) / metre * [1, -1], seen)
        off = steady(off, seen[:, None].astype(float), noise=0.015, acceleration=10.0, fps=fps)
        out[side] = off, smooth(share, _SETTLE * fps)
    return out


def bring(skeleton: Skeleton, local: Array, shown: Mapping[str, tuple[Array, Array]], level: Array) -> None:
    """Turn arms so that hands before the face are at it.

    Parameters
    ----------
    skeleton, local
        The canonical skeleton and its (T, 55, 4) rotations, which are changed.
    shown
        Of :func:`before_face`, in the skeleton's metres.
    level
        The turn (4,) from the camera's axes to the world's.
    """
    if not shown:
        return
    places, world = skeleton.forward(local, np.zeros(3))
    eyes = 0.5 * (places[:, INDEX["leftEye"]] + places[:, INDEX["rightEye"]])
    for side, (off, share) in shown.items():
        upper, lower, hand = (INDEX[f"{side}{b}"] for b in ("UpperArm", "LowerArm", "Hand"))
        start, elbow, wrist = (places[:, j] for j in (upper, lower, hand))
        lengths = [float(np.linalg.norm(skeleton.offsets[j])) for j in (lower, hand)]
        share = share * (1 - _step((wrist - eyes)[:, 2] / sum(lengths), *_STRETCHED))
        goal = eyes + rot.rotate(level, np.column_stack([off, np.full(len(off), _AHEAD)]))
        goal = wrist + share[:, None] * (goal - wrist)
        bent, end = two_bone(start, goal, *lengths, elbow - 0.5 * (start + wrist), reach=0.999)
        first = rot.multiply(rot.between(elbow - start, bent - start), world[:, upper])
        second = rot.multiply(rot.between(wrist - elbow, end - bent), world[:, lower])
        above = world[:, INDEX[f"{side}Shoulder"]]
        moved = (share > 1e-3)[:, None]
        local[:, upper] = np.where(moved, rot.multiply(rot.conjugate(above), first), local[:, upper])
        local[:, lower] = np.where(moved, rot.multiply(rot.conjugate(first), second), local[:, lower])


def _step(values: Array, low: float, high: float) -> Array:
    """0 below, 1 above, smoothly."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
