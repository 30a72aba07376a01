"""Bodies of other proportions: every bone carries the skin it moves.

A bone stretches along itself and widens across itself; skin blends the maps of its bones as it blends
their rotations. Cloth has the weights of the skin below it, so it goes along.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.avatar import Avatar
from kinesics.bodies.humanoid import INDEX, JOINTS, PARENTS
from kinesics.stage.traits import Traits

Array = NDArray[np.float64]
_TRUNK = ("hips", "spine", "chest", "upperChest")
_HEAD = ("head", "jaw", "leftEye", "rightEye")


def bones(traits: Traits) -> Array:
    """(55, 3) stretch of each bone's surroundings along x, y, z of the T-pose."""
    b, fat = traits.body, traits.weight
    old = float(np.clip((traits.age - 55) / 27, 0, 1))
    # The people that ship are tall; these are about as tall as people are (ours).
    size = (0.965 if traits.woman else 0.915) * (1 + b["stature"] - 0.015 * old)
    out = np.full((len(JOINTS), 3), size)
    lean = max(fat, -0.8)
    trunk = size * (1 + b["trunk"] - 0.01 * old)
    limb = size * (1 + b["muscle"] + 0.05 * lean)
    for name in _TRUNK:
        wide = b["hips"] if name in ("hips", "spine") else b["shoulders"]
        thick = 0.055 * lean + (0.02 * lean if name in ("hips", "spine") else 0)
        out[INDEX[name]] = size * (1 + wide + thick), trunk, size * (1 + thick + 0.012 * old)
    out[INDEX["neck"]] = limb, trunk * (1 + b["neck"]), limb
    head = (0.98 if traits.woman else 0.94) * (1 + 0.45 * b["stature"]) * (1 + b["head"])  # heads vary less
    for name in _HEAD:
        out[INDEX[name]] = head
    for side in ("left", "right"):
        out[INDEX[f"{side}Shoulder"]] = size * (1 + b["shoulders"]), trunk, size
        arm = size * (1 + b["arms"])
        out[INDEX[f"{side}UpperArm"]] = arm, limb, limb
        out[INDEX[f"{side}LowerArm"]] = (
            arm,
            size * (1 + 0.5 * (limb / size - 1)),
            size * (1 + 0.5 * (limb / size - 1)),
        )
        hand = size * (1 + b["hands"])
        for name in JOINTS:
            if name.startswith(side) and any(
                f in name for f in ("Hand", "Index", "Middle", "Ring", "Little", "Thumb")
            ):
                out[INDEX[name]] = hand
        leg = size * (1 + b["legs"])
        thigh = size * (1 + 0.6 * b["muscle"] + 0.07 * lean)
        out[INDEX[f"{side}UpperLeg"]] = thigh, leg, thigh
        out[INDEX[f"{side}LowerLeg"]] = limb, leg, limb
        foot = size * (1 + b["feet"])
        out[INDEX[f"{side}Foot"]] = out[INDEX[f"{side}Toes"]] = foot
    return out


def settled(joints: Array, stretch: Array) -> Array:
    """(55, 3) where joints come to lie when each bone stretches."""
    out = joints.astype(np.float64).copy()
    for j, parent in enumerate(PARENTS):
        if parent >= 0:
            out[j] = out[parent] + stretch[parent] * (joints[j] - joints[parent])
    return out


class BodyMap:
    """The map of one person's T-pose from that of the body they are built from."""

    def __init__(self, avatar: Avatar, traits: Traits) -> None:
        self.before = avatar.joints.astype(np.float64)
        self.stretch = bones(traits)
        self.joints = settled(self.before, self.stretch)
        self._belly = 0.020 * (
            0.35 * traits.body["belly"] + 0.75 * max(traits.weight - 0.1, 0)
        ) + 0.006 * float(np.clip((traits.age - 45) / 30, 0, 1))
        self._middle = 0.5 * (self.before[INDEX["spine"]] + self.before[INDEX["hips"]])
        self._trunk = np.array([n in (*_TRUNK, "leftUpperLeg", "rightUpperLeg") for n in JOINTS])

    def scales(self, index: NDArray, value: Array) -> Array:
        """(n, 3) stretch at vertices with these weights."""
        return np.einsum("nk,nkc->nc", value, self.stretch[index])

    def __call__(self, x: Array, index: NDArray, value: Array) -> Array:
        """Places (n, 3) with weights (n, 4) of these joints."""
        moved = self.joints[index] + self.stretch[index] * (x[:, None] - self.before[index])
        out = np.einsum("nk,nkc->nc", value, moved)
        own = np.einsum("nk,nk->n", value, self._trunk[index])
        d = x - (self._middle + [0, 0.075, 0])
        front = 1 / (1 + np.exp(-(d[:, 2] - 0.01) / 0.03))
        near = np.exp(-np.square(d[:, 0] / 0.13) - np.square(d[:, 1] / 0.125)) * own
        out[:, 2] += self._belly * near * front
        side = np.exp(-np.square((d[:, 1] + 0.03) / 0.10)) * own
        out[:, 0] += 0.35 * self._belly * np.tanh(d[:, 0] / 0.05) * side
        return out
