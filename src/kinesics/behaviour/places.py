"""Where the notation's places are on this person, and how a hand lies there.

Everything is for a LEFT hand, in metres, in the frame of the person standing in the T-pose (x to
the person's left, y up from the floor, z forward); a right hand sees the mirrored body.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour.handshapes import shape
from kinesics.bodies.hand import Hand
from kinesics.bodies.humanoid import INDEX
from kinesics.geometry import rotations as rot
from kinesics.geometry.kinematics import align
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance.gesture import Pose, direction

Array = NDArray[np.float64]
_FACE = (
    "overhead",
    "crown",
    "forehead",
    "brows",
    "eyes",
    "ears",
    "nose",
    "cheeks",
    "mouth",
    "chin",
    "underchin",
)
_CLOSE = 0.03  # metres
_REACH = 0.93


class Landmarks:
    """Heights, widths and depths of a person, from the joints at rest.

    Parameters
    ----------
    skeleton
        The 55-joint skeleton.
    side
        Whose arm is meant; the right is mirrored.
    """

    def __init__(self, skeleton: Skeleton, side: str = "left") -> None:
        sign = np.array([1.0 if side == "left" else -1.0, 1, 1])
        rest = skeleton.rest.astype(np.float64) * sign

        def at(name: str) -> Array:
            return rest[INDEX[name if name in INDEX else side + name[0].upper() + name[1:]]]

        self.shoulder, self.elbow, self.wrist = at("upperArm"), at("lowerArm"), at("hand")
        self.clavicle, self.chest, self.head, self.neck = (
            at("shoulder"),
            at("upperChest"),
            at("head"),
            at("neck"),
        )
        self.hips, self.hip = at("hips"), at("upperLeg")
        self.eyes = 0.5 * (at("leftEye") + at("rightEye"))
        self.arm = float(np.linalg.norm(self.elbow - self.shoulder) + np.linalg.norm(self.wrist - self.elbow))
        # Head and torso sizes follow the eyes' height above the head joint and the shoulders' width.
        unit = self.eyes[1] / 1.59
        self.unit = float(unit)
        crown = self.eyes[1] + 0.118 * unit
        chin = self.eyes[1] - 0.100 * unit
        hip, shoulder = self.hip[1], self.shoulder[1]
        self.heights = {
            "overhead": crown + 0.16 * unit,
            "crown": crown,
            "forehead": self.eyes[1] + 0.055 * unit,
            "brows": self.eyes[1] + 0.026 * unit,
            "eyes": self.eyes[1],
            "ears": self.eyes[1] - 0.012 * unit,
            "nose": self.eyes[1] - 0.038 * unit,
            "cheeks": self.eyes[1] - 0.050 * unit,
            "mouth": self.eyes[1] - 0.068 * unit,
            "chin": chin,
            "underchin": chin - 0.022 * unit,
            "neck": 0.5 * (chin + shoulder) - 0.01,
            "shouldertop": shoulder + 0.045 * unit,
            "shoulders": shoulder,
            "chest": shoulder - 0.24 * (shoulder - hip),
            "stomach": shoulder - 0.56 * (shoulder - hip),
            "waist": shoulder - 0.74 * (shoulder - hip),
            "hips": hip,
            "thighs": hip - 0.19 * unit,
        }
        # Where the trunk's and face's surface is ahead of the line from hip to shoulder joint, and ahead of
        # the eyeballs; measured on dressed avatars of two builds.
        self.depth = 0.5 * float(self.hip[2] + self.shoulder[2])
        trunk = shoulder - hip
        self._trunk_heights = hip + trunk * np.array([-0.3, 0.0, 0.2, 0.75, 0.97, 1.12])
        self._trunk_depths = self.depth + unit * np.array([0.100, 0.120, 0.140, 0.140, 0.108, 0.070])
        self._trunk_middle = self.depth + unit * np.array([0.0, 0.005, 0.025, 0.03, 0.015, 0.0])
        self._trunk_widths = unit * np.array([0.185, 0.180, 0.155, 0.150, 0.165, 0.07])
        self._face_heights = self.eyes[1] + unit * np.array(
            [-0.13, -0.1, -0.068, -0.038, 0.0, 0.055, 0.095, 0.118]
        )
        self._face_depths = self.eyes[2] + unit * np.array(
            [-0.03, 0.024, 0.037, 0.043, 0.028, 0.024, 0.0, -0.05]
        )
        self.face = float(self.eyes[2] + 0.04 * unit)

    def surface(self, height: float, x: float, *, head: bool) -> tuple[Array, Array]:
        """Point (3,) of the skin at a height and distance from the midline, and its outward normal (3,)."""
        if head:
            width, middle = 0.084 * self.unit, self.eyes[2] - 0.066 * self.unit
            front = float(np.interp(height, self._face_heights, self._face_depths))
        else:
            width = float(np.interp(height, self._trunk_heights, self._trunk_widths))
            middle = float(np.interp(height, self._trunk_heights, self._trunk_middle))
            front = float(np.interp(height, self._trunk_heights, self._trunk_depths))
        depth = max(front - middle, 0.02)
        if head and abs(x) >= 0.95 * width:
            return np.array([np.sign(x) * width, height, middle + 0.01]), np.array([np.sign(x), 0.0, 0.0])
        x = float(np.clip(x, -0.92 * width, 0.92 * width))
        z = middle + depth * np.sqrt(1 - (x / width) ** 2)
        normal = np.array([x / width**2, 0.0, (z - middle) / depth**2])
        return np.array([x, height, z]), normal / np.linalg.norm(normal)

    def spot(self, height: str, x: float) -> tuple[Array, Array]:
        """Point of the skin at a named height and what way it faces there: some places are seen from above or below."""
        skin, normal = self.surface(self.heights[height], x, head=height in _FACE)
        if height == "shouldertop":
            along = float(np.clip(x, -0.95 * self.shoulder[0], 0.95 * self.shoulder[0]))
            return np.array([along, self.heights[height], self.shoulder[2]]), np.array([0.0, 0.95, 0.3])
        if height == "crown":
            middle = self.eyes[2] - 0.066 * self.unit
            return np.array([0.5 * x, self.heights[height] - 0.004, middle]), np.array([0.0, 0.98, 0.2])
        if height == "underchin":
            return skin - np.array([0.0, 0.0, 0.012 * self.unit]), np.array([0.0, -0.94, 0.34])
        return skin, normal


@dataclass(frozen=True)
class Target:
    """A point that a hand is brought to: (3,) metres and (3,) the way its skin faces, T-pose frame of a left arm."""

    point: Array
    normal: Array


@dataclass(frozen=True)
class Placed:
    """A hand in place.

    Parameters
    ----------
    wrist
        (3,) wrist, metres, T-pose frame.
    palm, fingers
        (3,) where the palm faces and the fingers point.
    head
        1 where the place moves with the head, 0 where with the chest.
    contact
        Whether the hand touches the body there.
    flat
        Whether it does so with the palm.
    pivot
        (3,) part of the hand, from the wrist, that is at the place.
    """

    wrist: Array
    palm: Array
    fingers: Array
    head: float
    contact: bool
    flat: bool = False
    pivot: Array | None = None


def orientation(hand: Hand, palm: Array, fingers: Array) -> Array:
    """World rotation (..., 4) of a left hand with that palm (met exactly) and finger direction."""
    return align(hand.palm, hand.fingers, palm, fingers)


def place(pose: Pose, marks: Landmarks, hand: Hand, target: Target | None = None) -> Placed:
    """Put a left hand where a pose says.

    The middle of the palm (at ``touch``: whatever part faces the body) is at the place, unless the pose
    says which part is.

    Parameters
    ----------
    pose
        Not one of the limbs.
    marks, hand
        Whose.
    target
        Where the part of the other hand is that the pose is ``on``.
    """
    palm, fingers = np.array(direction(pose.palm)), np.array(direction(pose.fingers))
    fingers = fingers - (fingers @ palm) * palm
    if np.linalg.norm(fingers) < 0.2:
        # Palm and fingers along one line cannot be; the fingers give way.
        other = np.array([0.0, 1.0, 0.3]) if abs(palm[1]) < 0.8 else np.array([-0.3, 0.0, 1.0])
        fingers = other - (other @ palm) * palm
    fingers /= np.linalg.norm(fingers)
    turn = orientation(hand, palm, fingers)
    offset = np.array(pose.offset, dtype=np.float64)
    part = hand.part(pose.part, shape(pose.shape).ravel())[0] if pose.part else None
    if target is not None:
        away = {"touch": 0.004, "close": _CLOSE, "near": 0.07, "mid": 0.14, "far": 0.25}[pose.distance]
        if part is None:
            part = _facing(hand, rot.rotate(rot.conjugate(turn), target.normal))
        wrist = target.point + offset + away * target.normal - rot.rotate(turn, part)
        return Placed(wrist, palm, fingers, 0.0, False, pivot=part)
    height = marks.heights[pose.height]
    head = pose.height in _FACE
    width = marks.shoulder[0]
    if head and pose.distance in ("touch", "near"):
        # Before a face the sides are those of the face.
        sides = {"contra": -0.55, "inside": 0.22, "centre": 0.0, "ipsi": 0.5, "wide": 1.4}
    else:
        sides = {"contra": -0.8, "inside": 0.45, "centre": 0.0, "ipsi": 1.1, "wide": 2.0}
    x = sides[pose.side] * width
    skin, normal = marks.spot(pose.height, x) if _seen(pose) else marks.surface(height, x, head=head)
    if pose.distance in ("touch", "close"):
        toward_palm, toward_fingers = -(palm @ normal), -(fingers @ normal)
        flat = False
        # The part of the hand that faces the body is what touches it.
        if part is not None:
            flat = pose.part == "palm" and toward_palm > 0.6
        elif toward_fingers > max(toward_palm, 0.35):
            part = hand.tip
        elif pose.shape in ("point", "two", "ell", "cross") and toward_palm < 0.6:
            # The raised finger's side, as on the lips.
            part = 0.84 * hand.tip + 0.010 * hand.across
        elif toward_palm > 0.2:
            part = hand.centre + 0.006 * hand.palm
            flat = toward_palm > 0.6
        else:
            part = hand.centre - 0.03 * hand.palm
        touches = pose.distance == "touch"
        point = skin + offset + (0.004 if touches else _CLOSE) * normal
        wrist = point - rot.rotate(turn, part)
        return Placed(wrist, palm, fingers, 1.0 if head else 0.0, touches, flat and touches, part)
    centre = rot.rotate(turn, hand.centre if part is None else part)
    near = 0.105 * marks.unit
    ahead = skin[2] + near
    if head:
        ahead = max(ahead, marks.face + 0.05)
    if pose.side == "wide":
        ahead = marks.shoulder[2] + 0.12
    # Far is an almost stretched arm; mid lies between.
    aside = np.array([x, height]) + offset[:2] - centre[:2] - marks.shoulder[:2]
    room = (_REACH * marks.arm) ** 2 - aside @ aside
    far = max(marks.shoulder[2] + np.sqrt(max(room, 0.0)) + centre[2], ahead + 0.04)
    z = {"near": ahead, "mid": ahead + 0.42 * (far - ahead), "far": far}[pose.distance]
    point = np.array([x, height, z]) + offset
    carried = 0.6 if head and pose.distance == "near" else 0.0
    return Placed(point - centre, palm, fingers, carried, False, pivot=part)


def _seen(pose: Pose) -> bool:
    """Whether the place is one that is met from above or below."""
    return pose.height in ("shouldertop", "underchin") or (pose.height == "crown" and bool(pose.part))


def _facing(hand: Hand, normal: Array) -> Array:
    """The part (3,) of a hand that meets a surface which faces ``normal`` in the hand's own frame."""
    parts = [
        hand.centre + 0.006 * hand.palm,
        hand.centre - 0.03 * hand.palm,
        hand.part("thumbside", np.zeros(20))[0],
        hand.part("littleside", np.zeros(20))[0],
        hand.tip,
    ]
    faces = [hand.palm, -hand.palm, hand.across, -hand.across, hand.fingers]
    return parts[int(np.argmin([f @ normal for f in faces]))]
