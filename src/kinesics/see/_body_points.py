"""The joints of a body from MediaPipe's 33 pose landmarks, with what is not seen put where it rests.

Landmarks are (T, 33, 3) metres, x to the right in the picture, y up, z towards the camera; the person's left is +x
when they face it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import INDEX
from kinesics.geometry import rotations as rot
from kinesics.geometry.from_positions import fill, smooth, steady
from kinesics.geometry.skeleton import Skeleton

Array = NDArray[np.float64]

LANDMARKS: dict[str, int] = {
    "leftUpperArm": 11, "rightUpperArm": 12, "leftLowerArm": 13, "rightLowerArm": 14, "leftHand": 15,
    "rightHand": 16, "leftUpperLeg": 23, "rightUpperLeg": 24, "leftLowerLeg": 25, "rightLowerLeg": 26,
    "leftFoot": 27, "rightFoot": 28, "leftToes": 31, "rightToes": 32,
}  # fmt: skip
"""Canonical joint → landmark that lies at it."""
_KNUCKLES = {"left": (17, 19), "right": (18, 20)}
_NOISE = (0.012, 0.06)  # metres: least and most that landmarks are taken to be off (ours)
_ACCELERATION, _TRUNK_ACCELERATION = 15.0, 2.0  # m/s²: of a talker's limbs, of shoulders and hips (ours)
_TRUNK = [11, 12, 23, 24]
_SURE = 0.5  # trust from which a landmark counts as seen
_TILT = np.radians(35)  # of a camera, at most
_FACE = [7, 8, 0]  # left ear, right ear, nose
_NOSE = np.radians(13)  # by which its tip lies below the ears, seen from between them (ours)
_LEVELS = ("UpperArm", "UpperLeg", "LowerLeg", "Foot")
_SETTLE = 0.15  # seconds in which a limb that is no longer seen goes to rest, and back
_Y = np.array([0.0, 1, 0])
_HANG = {"LowerArm": np.array([0.10, -0.99, 0.02]), "Hand": np.array([0.06, -0.97, 0.22])}
"""Directions of a left arm that hangs: upper arm and forearm, in the trunk's frame (ours)."""


@dataclass(frozen=True, eq=False)
class BodyPoints:
    """Joints by canonical names, (T, 3) metres each, how far each is known, (T,) 0 to 1, the turn (4,) that put
    them upright, and how large the person is beside the skeleton."""

    at: dict[str, Array]
    seen: dict[str, Array]
    level: Array
    scale: float


def body_points(
    landmarks: Array, trust: Array, skeleton: Skeleton, fps: float, sway: Array, level: Array
) -> BodyPoints:
    """Joints from landmarks.

    Parameters
    ----------
    landmarks
        (T, 33, 3) metres.
    trust
        (T, 33) from 0 to 1.
    skeleton
        The canonical skeleton that tells where unseen joints rest.
    fps
        Frames per second.
    sway
        (T, 3) metres by which the shoulders are off their usual place: where hips are not seen the trunk leans so.
    level
        The turn (4,) that puts the person upright (:func:`upright`).
    """
    used = np.where(trust >= _SURE, trust, 0.0)
    filled = fill(landmarks, used > 0)
    filled = rot.rotate(level, filled)
    noise = _noise(filled)
    calm = steady(filled, used[..., None], noise=noise, acceleration=_ACCELERATION, fps=fps)
    calm[:, _TRUNK] = steady(
        filled[:, _TRUNK],
        used[:, _TRUNK, None],
        noise=noise[_TRUNK],
        acceleration=_TRUNK_ACCELERATION,
        fps=fps,
    )
    at = {name: calm[:, k] for name, k in LANDMARKS.items()}
    seen = {name: _known(used[:, k], fps) for name, k in LANDMARKS.items()}
    rest = {name: skeleton.rest[INDEX[name]].astype(np.float64) for name in INDEX}
    body = _Trunk(at, seen, rest, fps, sway)
    for side, (little, index) in _KNUCKLES.items():
        at[f"{side}Palm"] = 0.5 * (calm[:, little] + calm[:, index])
        seen[f"{side}Palm"] = _known(np.minimum(used[:, little], used[:, index]), fps)
    body.place_limbs()
    return BodyPoints(at, seen, level, body.scale)


def head_angles(landmarks: Array, trust: Array) -> Array:
    """(T, 3) pitch, yaw and roll of the head in degrees, coarsely, from ears and nose; NaN where not seen."""
    left, right, nose = (landmarks[:, k] for k in _FACE)
    x = _unit(left - right)
    ahead = nose - 0.5 * (left + right)
    ahead = _unit(ahead - np.sum(ahead * x, axis=1, keepdims=True) * x)
    up = rot.cross(ahead, x)
    z = np.cos(_NOSE) * ahead + np.sin(_NOSE) * up
    turn = rot.from_matrix(np.stack([x, rot.cross(z, x), z], axis=-1))
    yaw, down, roll = np.degrees(rot.to_euler(turn, "YXZ")).T
    seen = (trust[:, _FACE] >= _SURE).all(axis=1)
    return np.where(seen[:, None], np.column_stack([-down, yaw, roll]), np.nan)


def upright(landmarks: Array, trust: Array) -> Array:
    """The turn (4,) about the picture's horizontal that puts a person upright whom a tilted camera shows leaning.

    People are upright for most of a clip. What is taken for upright is the line from ankles to shoulders where they are
    seen to stand, else the trunk; without hips nobody can tell.
    """
    trust = np.where(trust >= _SURE, trust, 0.0)
    values = fill(landmarks, trust > 0)
    sure = [trust[:, [LANDMARKS[f"{s}{b}"] for s in ("left", "right")]].min(axis=1) > 0 for b in _LEVELS]
    shoulders, hips, knees, ankles = (
        0.5 * (values[:, LANDMARKS[f"left{b}"]] + values[:, LANDMARKS[f"right{b}"]]) for b in _LEVELS
    )
    trunk, legs = sure[0] & sure[1], sure[0] & sure[1] & sure[2] & sure[3]
    thigh, shank = _unit(hips - knees), _unit(knees - ankles)
    standing = legs & (np.sum(thigh * shank, axis=1) > np.cos(np.radians(35)))
    if standing.mean() > 0.3:
        up = np.median((shoulders - ankles)[standing], axis=0)
    elif trunk.mean() > 0.1:
        up = np.median((shoulders - hips)[trunk], axis=0)
    else:
        return rot.IDENTITY.astype(np.float64)
    lean = np.arctan2(up[2], max(up[1], 1e-6))
    return rot.from_axis_angle(np.array([1.0, 0, 0]), -np.clip(lean, -_TILT, _TILT))


def _noise(values: Array) -> Array:
    """(N, 3) how far each coordinate trembles from frame to frame, metres: people move, but seldom jerk."""
    if len(values) < 3:
        return np.full(values.shape[1:], _NOISE[0])
    jerks = np.median(np.abs(np.diff(values, 2, axis=0)), axis=0)
    return np.clip(jerks / (0.6745 * np.sqrt(6)), *_NOISE)


def _known(trust: Array, fps: float) -> Array:
    """How far a point is known: short gaps are bridged, at longer ones it fades."""
    return np.clip(2 * smooth(np.sign(trust), _SETTLE * fps) - 0.5, 0, 1) if trust.any() else trust


class _Trunk:
    """Shoulders and hips, and the frames in which what hangs on them rests."""

    def __init__(
        self, at: dict[str, Array], seen: dict[str, Array], rest: dict[str, Array], fps: float, sway: Array
    ) -> None:
        self.at, self.seen, self.rest = at, seen, rest
        arms, legs = ("leftUpperArm", "rightUpperArm"), ("leftUpperLeg", "rightUpperLeg")
        self.shoulders_seen = np.minimum(*(seen[n] for n in arms))
        self.hips_seen = np.minimum(*(seen[n] for n in legs)) * self.shoulders_seen
        across = rest[arms[0]] - rest[arms[1]]
        middle = 0.5 * (rest[arms[0]] + rest[arms[1]])
        below = 0.5 * (rest[legs[0]] + rest[legs[1]])
        line = at[arms[0]] - at[arms[1]]
        width = np.linalg.norm(line, axis=1)
        usual = np.median(width[self.shoulders_seen > 0.5]) if (self.shoulders_seen > 0.5).any() else 0.0
        self.scale = float(usual / np.linalg.norm(across)) if usual > 0.05 else 1.0
        blend = self.shoulders_seen[:, None] if usual > 0.05 else np.zeros((len(line), 1))
        x = _unit(blend * line + (1 - blend) * np.linalg.norm(line.mean(axis=0) + 1e-6) * [1.0, 0, 0] + 1e-9)
        length = float(np.linalg.norm(middle - below)) * self.scale
        lean = np.clip(sway / length, -0.4, 0.4) * [1, 0, 1]
        upright = _unit(_Y + lean - 0.5 * x[:, 1:2] * x)
        spine = 0.5 * (at[arms[0]] + at[arms[1]] - at[legs[0]] - at[legs[1]])
        trust = self.hips_seen[:, None]
        up = _unit(trust * _unit(spine) + (1 - trust) * upright)
        self.chest = _frame(x, up)
        shoulders = 0.5 * (at[arms[0]] + at[arms[1]])
        heading = x * [1, 0, 1]
        slow = _unit(smooth(heading, 1.0 * fps))
        pelvis = _frame(_unit(slow), np.broadcast_to(_Y, slow.shape))
        hips = shoulders - rot.rotate(self.chest, self.scale * (middle - below))
        for name in legs:
            guess = hips + rot.rotate(pelvis, self.scale * (rest[name] - below))
            at[name] = trust * at[name] + (1 - trust) * guess
            seen[name] = self.hips_seen
        turned = _frame(_unit(at[legs[0]] - at[legs[1]]), up)
        self.pelvis = rot.slerp(pelvis, turned, self.hips_seen)
        ahead = _unit((at[legs[0]] - at[legs[1]]) * [1, 0, 1])
        self.heading = _frame(ahead, np.broadcast_to(_Y, ahead.shape))
        for name in arms:
            guess = shoulders + rot.rotate(self.chest, self.scale * (rest[name] - middle))
            at[name] = blend * at[name] + (1 - blend) * guess
        at["hips"] = 0.5 * (at[legs[0]] + at[legs[1]]) + rot.rotate(
            self.pelvis, self.scale * (rest["hips"] - below)
        )
        at["neck"] = 0.5 * (at[arms[0]] + at[arms[1]]) + rot.rotate(
            self.chest, self.scale * (rest["neck"] - middle)
        )
        seen["hips"], seen["neck"] = self.hips_seen, self.shoulders_seen

    def place_limbs(self) -> None:
        """Joints of limbs that are not seen, one after the other from the trunk outwards."""
        for side, sign in (("left", 1.0), ("right", -1.0)):
            self._hang(side, "UpperArm", "LowerArm", _HANG["LowerArm"] * [sign, 1, 1], self.chest)
            self._hang(side, "LowerArm", "Hand", _HANG["Hand"] * [sign, 1, 1], self.chest)
            hand, palm = self.rest[f"{side}Hand"], self.rest[f"{side}MiddleProximal"]
            along = _unit(self.at[f"{side}Hand"] - self.at[f"{side}LowerArm"])
            guess = self.at[f"{side}Hand"] + 0.8 * self.scale * np.linalg.norm(palm - hand) * along
            self._settle(f"{side}Palm", guess, self.seen[f"{side}Hand"])
            for above, name in (("UpperLeg", "LowerLeg"), ("LowerLeg", "Foot"), ("Foot", "Toes")):
                way = self.rest[side + name] - self.rest[side + above]
                self._hang(side, above, name, way / np.linalg.norm(way), self.heading)

    def _hang(self, side: str, above: str, name: str, way: Array, frame: Array) -> None:
        start, end = side + above, side + name
        length = self.scale * np.linalg.norm(self.rest[end] - self.rest[start])
        guess = self.at[start] + length * rot.rotate(frame, way / np.linalg.norm(way))
        self._settle(end, guess, self.seen[start])

    def _settle(self, name: str, guess: Array, above: Array) -> None:
        self.seen[name] = np.minimum(self.seen[name], above)
        known = self.seen[name][:, None]
        self.at[name] = known * self.at[name] + (1 - known) * guess


def _unit(v: Array) -> Array:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def _frame(x: Array, up: Array) -> Array:
    """The turn (T, 4) that brings +X to ``x`` and +Y as near to ``up`` as can be."""
    z = _unit(rot.cross(x, up))
    return rot.from_matrix(np.stack([x, rot.cross(z, x), z], axis=-1))
