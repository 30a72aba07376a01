"""A hand in finger angles: shapes by name, limits, and the joint rotations that angles ask for.

Angles are (5, 4) degrees. Rows: index, middle, little, ring (SMPL-X order), thumb. Columns of a
finger: spread towards the thumb, then flexion of the three joints. Columns of the thumb: how far
it stands out of the palm's plane (palmar abduction), how far from the index within it (radial
abduction), flexion of its two outer joints. Values are ours, within normal ranges of motion
(metacarpophalangeal flexion to 90°, proximal interphalangeal to 105°, distal to 80°).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import INDEX
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton

Array = NDArray[np.float64]
FINGERS = ("Index", "Middle", "Little", "Ring")
LIMITS_LOW = np.array([[-25, -25, -3, -5]] * 4 + [[-15, -10, -10, -15]], dtype=np.float64)
LIMITS_HIGH = np.array([[25, 92, 108, 82]] * 4 + [[65, 75, 60, 80]], dtype=np.float64)

_OPEN = {
    "index": (2, 6, 6, 3),
    "middle": (0, 5, 7, 3),
    "little": (-5, 8, 10, 5),
    "ring": (-2, 7, 9, 4),
}
AWAY: Mapping[str, tuple[float, float, float, float]] = {
    "index": (0, 72, 92, 45),
    "middle": (0, 76, 92, 48),
    "little": (-1, 72, 86, 46),
    "ring": (0, 76, 92, 48),
}
"""A finger laid away in a shape that shows others: not a hard fist."""


def _shape(thumb: tuple, **fingers: tuple | str) -> Array:
    rows = []
    for name in ("index", "middle", "little", "ring"):
        value = fingers.get(name, fingers.get("all", "open"))
        rows.append({"open": _OPEN, "away": AWAY}[value][name] if isinstance(value, str) else value)
    return np.array([*rows, thumb], dtype=np.float64)


HANDSHAPES: Mapping[str, Array] = MappingProxyType(
    {
        "relaxed": _shape(
            (26, 30, 12, 14),
            index=(2, 20, 27, 12),
            middle=(0, 26, 32, 14),
            little=(-6, 31, 34, 17),
            ring=(-2, 30, 35, 16),
        ),
        "flat": _shape(
            (12, 22, 5, 4), index=(0, 3, 4, 2), middle=(0, 2, 4, 2), little=(-1, 5, 6, 3), ring=(0, 3, 5, 2)
        ),
        "spread": _shape(
            (14, 52, 0, -4),
            index=(13, 1, 6, 3),
            middle=(3, 0, 6, 3),
            little=(-19, 4, 9, 5),
            ring=(-7, 2, 8, 4),
        ),
        "bent": _shape(
            (25, 25, 8, 8),
            index=(0, 68, 9, 4),
            middle=(0, 71, 9, 4),
            little=(-1, 68, 12, 6),
            ring=(0, 71, 10, 5),
        ),
        "cup": _shape(
            (42, 26, 12, 16),
            index=(2, 32, 27, 13),
            middle=(0, 36, 28, 14),
            little=(-5, 38, 29, 16),
            ring=(-2, 38, 29, 15),
        ),
        "claw": _shape(
            (34, 46, 14, 30),
            index=(9, 16, 62, 34),
            middle=(2, 15, 64, 36),
            little=(-13, 18, 60, 34),
            ring=(-5, 16, 64, 36),
        ),
        "fist": _shape(
            (48, 16, 42, 48),
            index=(0, 80, 96, 58),
            middle=(0, 84, 98, 60),
            little=(0, 80, 92, 58),
            ring=(0, 84, 98, 60),
        ),
        "point": _shape((42, 18, 36, 40), all="away", index=(0, 3, 5, 2)),
        "two": _shape((42, 18, 36, 40), all="away", index=(0, 3, 5, 2), middle=(0, 3, 5, 2)),
        "vee": _shape((42, 18, 36, 40), all="away", index=(12, 2, 5, 2), middle=(-9, 2, 5, 2)),
        "three": _shape((14, 56, 0, -4), all="away", index=(12, 2, 5, 2), middle=(-8, 2, 6, 2)),
        "four": _shape(
            (52, 8, 30, 38),
            index=(10, 3, 6, 2),
            middle=(2, 2, 6, 2),
            little=(-15, 5, 9, 4),
            ring=(-5, 3, 8, 3),
        ),
        "thumb": _shape(
            (4, 66, -6, -10),
            index=(0, 80, 96, 58),
            middle=(0, 84, 98, 60),
            little=(0, 80, 92, 58),
            ring=(0, 84, 98, 60),
        ),
        "pinch": _shape(
            (50, 22, 20, 26),
            index=(0, 52, 46, 24),
            middle=(0, 58, 66, 34),
            little=(-4, 64, 70, 38),
            ring=(-1, 64, 72, 38),
        ),
        "ring": _shape(
            (50, 22, 22, 30),
            index=(0, 54, 52, 28),
            middle=(0, 22, 24, 12),
            little=(-12, 6, 12, 6),
            ring=(-4, 14, 18, 9),
        ),
        "purse": _shape(
            (56, 20, 16, 18),
            index=(-3, 54, 34, 18),
            middle=(0, 56, 34, 18),
            little=(5, 54, 36, 20),
            ring=(2, 57, 35, 19),
        ),
        "ell": _shape((6, 66, -4, -8), all="away", index=(6, 1, 4, 2)),
        "horns": _shape((46, 16, 38, 44), all="away", index=(7, 2, 5, 2), little=(-12, 3, 6, 3)),
        "cross": _shape((42, 18, 36, 40), all="away", index=(-9, 2, 5, 2), middle=(9, 14, 12, 5)),
        "grip": _shape(
            (50, 26, 18, 26),
            index=(2, 46, 52, 28),
            middle=(0, 50, 54, 30),
            little=(-3, 56, 56, 32),
            ring=(-1, 53, 56, 31),
        ),
    }
)
"""Shapes by the names that the gesture notation gives them."""


class Hand:
    """One hand's rest geometry, as a LEFT hand (a right one is mirrored): along +X, palm down.

    Parameters
    ----------
    skeleton
        The person's skeleton.
    side
        ``"left"`` or ``"right"``.

    Attributes
    ----------
    fingers, palm, across
        (3,) unit vectors at rest: along the fingers, out of the palm, towards the thumb.
    centre
        (3,) middle of the palm's surface, from the wrist, metres.
    knuckles
        (3,) middle knuckle from the wrist.
    tip
        (3,) tip of the stretched index from the wrist.
    matrix, rest
        (15, 3, 20) radians per degree, and (20,) degrees: the joints' rotation vectors are
        ``matrix · (angles − rest)``.
    """

    def __init__(self, skeleton: Skeleton, side: str) -> None:
        sign = np.array([1.0 if side == "left" else -1.0, 1, 1])
        rest = skeleton.rest.astype(np.float64) * sign
        at = {
            f: [rest[INDEX[f"{side}{f}{p}"]] for p in ("Proximal", "Intermediate", "Distal")] for f in FINGERS
        }
        thumb = [rest[INDEX[f"{side}Thumb{p}"]] for p in ("Metacarpal", "Proximal", "Distal")]
        wrist = rest[INDEX[f"{side}Hand"]]
        self.fingers = _unit(at["Middle"][0] - wrist)
        across = at["Index"][0] - at["Little"][0]
        self.palm = _unit(np.cross(self.fingers, across))
        self.across = np.cross(self.palm, self.fingers)
        self.knuckles = at["Middle"][0] - wrist
        self.length = float(np.linalg.norm(at["Middle"][0] - wrist))
        self.finger_length = float(np.linalg.norm(at["Middle"][2] - at["Middle"][0]) * 1.42)
        self.centre = 0.68 * self.knuckles + 0.018 * self.palm
        self.bases = {name.lower(): at[name][0] - wrist for name in FINGERS}
        index = at["Index"]
        self.index, self.thumb = index[0] - wrist, thumb[0] - wrist
        self.thumb_length = float(
            1.9 * np.linalg.norm(thumb[2] - thumb[1]) + np.linalg.norm(thumb[1] - thumb[0])
        )
        reach = np.linalg.norm(index[1] - index[0]) + 1.75 * np.linalg.norm(index[2] - index[1])
        self.tip = index[0] - wrist + reach * self.fingers + 0.004 * self.palm
        self.matrix = np.zeros((15, 3, 20))
        self.rest = np.zeros(20)
        for i, finger in enumerate(FINGERS):
            bones = [at[finger][1] - at[finger][0], at[finger][2] - at[finger][1]]
            bones.append(bones[1])
            flex_axis = _unit(np.cross(_unit(bones[0]), self.palm))
            pitch = [np.degrees(np.arctan2(b @ self.palm, b @ self.fingers)) for b in bones]
            bend = [pitch[0], pitch[1] - pitch[0], 0.0]
            for k in range(3):
                self.matrix[3 * i + k, :, 4 * i + 1 + k] = flex_axis
                # Half of the bend the avatar rests in is taken for its natural curve.
                self.rest[4 * i + 1 + k] = np.clip(bend[k], -20, 40) * (1.0 if k == 0 else 0.6)
            self.matrix[3 * i, :, 4 * i] = _unit(np.cross(_unit(bones[0]), self.across))
            self.rest[4 * i] = np.clip(
                np.degrees(np.arctan2(bones[0] @ self.across, bones[0] @ self.fingers)), -20, 20
            )
        bone = _unit(thumb[1] - thumb[0])
        outer = _unit(thumb[2] - thumb[1])
        self.matrix[12, :, 16] = _unit(np.cross(bone, self.palm))
        self.matrix[12, :, 17] = _unit(np.cross(bone, self.across))
        self.rest[16] = np.degrees(np.arcsin(np.clip(bone @ self.palm, -1, 1)))
        self.rest[17] = np.degrees(np.arctan2(bone @ self.across, bone @ self.fingers))
        closing = _unit(-self.across + 0.45 * self.palm)
        for k, column in ((13, 18), (14, 19)):
            self.matrix[k, :, column] = _unit(np.cross(outer, closing))
        self.matrix = np.radians(self.matrix)
        # Opposition: as the thumb leaves the palm's plane its pad turns to meet the fingers.
        self.matrix[12, :, 16] += np.radians(0.55) * bone

    def tips(self, angles: Array) -> Array:
        """Where knuckle joints and tips are, (..., 4, 3) metres from the wrist, for finger angles (..., 20).

        The middle finger's middle joint, the tips of middle and index finger, and of the thumb.
        """
        radians = np.radians(angles)
        out = []
        for finger, base in ((1, self.knuckles), (0, self.index)):
            bend = np.cumsum(radians[..., 4 * finger + 1 : 4 * finger + 4], axis=-1)[..., None]
            bones = np.cos(bend) * self.fingers + np.sin(bend) * self.palm
            ways = base + np.cumsum(self.finger_length * np.array([[0.45], [0.29], [0.26]]) * bones, axis=-2)
            out += [ways[..., 0, :], ways[..., 2, :]] if finger else [ways[..., 2, :]]
        away, aside = radians[..., 16, None], radians[..., 17, None]
        thumb = (
            np.cos(away) * (np.cos(aside) * self.fingers + np.sin(aside) * self.across)
            + np.sin(away) * self.palm
        )
        out.append(self.thumb + self.thumb_length * thumb)
        return np.stack(out, axis=-2)

    def part(self, name: str, angles: Array) -> tuple[Array, Array]:
        """A part of the hand: where it is from the wrist, and which way its skin faces, (3,) each.

        Parameters
        ----------
        name
            One of the notation's ``PARTS``, up to the fingers.
        angles
            (20,) finger angles.
        """
        thick = 0.017 * self.length / 0.1
        if name == "palm":
            return self.centre + 0.006 * self.palm, self.palm
        if name == "back":
            return 0.68 * self.knuckles - 0.7 * thick * self.palm, -self.palm
        if name in ("thumbside", "littleside"):
            sign = 1.0 if name == "thumbside" else -1.0
            base = self.bases["index" if name == "thumbside" else "little"]
            return 0.85 * base + 0.7 * sign * thick * self.across, sign * self.across
        if name == "heel":
            return 0.22 * self.knuckles + thick * self.palm, self.palm
        if name == "wrist":
            return 0.5 * thick * self.palm, self.palm
        if name == "thumb":
            tip = self.tips(angles)[..., -1, :]
            return tip, _unit(tip - self.thumb)
        finger = "middle" if name == "knuckles" else name
        bend = np.radians(np.cumsum(angles[4 * FINGERS.index(finger.capitalize()) + 1 :][:3]))[:, None]
        bones = np.cos(bend) * self.fingers + np.sin(bend) * self.palm
        lengths = self.finger_length * {"index": 0.95, "middle": 1.0, "ring": 0.94, "little": 0.78}[finger]
        ways = self.bases[finger] + np.cumsum(lengths * np.array([[0.45], [0.29], [0.26]]) * bones, axis=0)
        if name == "knuckles":
            return ways[0] + 0.5 * thick * bones[0], bones[0]
        return ways[2] + 0.2 * thick * bones[2], bones[2]

    def rotations(self, angles: Array) -> Array:
        """Finger angles (..., 20) in degrees to (..., 15, 4) joint rotations of a left hand."""
        delta = angles - self.rest
        vectors = delta @ self.matrix.reshape(45, 20).T
        return rot.from_rotvec(vectors.reshape(*delta.shape[:-1], 15, 3))

    def angles(self, rotations: Array) -> Array:
        """Finger angles (..., 20) in degrees whose :meth:`rotations` come nearest to (..., 15, 4)."""
        vectors = rot.to_rotvec(rotations).reshape(*rotations.shape[:-2], 45)
        return self.rest + vectors @ np.linalg.pinv(self.matrix.reshape(45, 20)).T


def _unit(v: Array) -> Array:
    return v / max(float(np.linalg.norm(v)), 1e-9)
