"""The canonical humanoid: the 55 VRM 1.0 bones in SMPL-X joint order.

Bone frames are world-aligned in the T-pose (right-handed, Y up, metres, facing +Z; the person's
left is +X), so the identity everywhere is the T-pose and published SMPL-X part slices apply.
"""

from __future__ import annotations

import numpy as np

_FINGERS = ("Index", "Middle", "Little", "Ring")
_TREE: tuple[tuple[str, str], ...] = (
    ("hips", ""),
    ("leftUpperLeg", "hips"),
    ("rightUpperLeg", "hips"),
    ("spine", "hips"),
    ("leftLowerLeg", "leftUpperLeg"),
    ("rightLowerLeg", "rightUpperLeg"),
    ("chest", "spine"),
    ("leftFoot", "leftLowerLeg"),
    ("rightFoot", "rightLowerLeg"),
    ("upperChest", "chest"),
    ("leftToes", "leftFoot"),
    ("rightToes", "rightFoot"),
    ("neck", "upperChest"),
    ("leftShoulder", "upperChest"),
    ("rightShoulder", "upperChest"),
    ("head", "neck"),
    ("leftUpperArm", "leftShoulder"),
    ("rightUpperArm", "rightShoulder"),
    ("leftLowerArm", "leftUpperArm"),
    ("rightLowerArm", "rightUpperArm"),
    ("leftHand", "leftLowerArm"),
    ("rightHand", "rightLowerArm"),
    ("jaw", "head"),
    ("leftEye", "head"),
    ("rightEye", "head"),
)


def _hand(side: str) -> list[tuple[str, str]]:
    chain = []
    for finger in _FINGERS:
        joints = [f"{side}{finger}{part}" for part in ("Proximal", "Intermediate", "Distal")]
        chain += list(zip(joints, [f"{side}Hand", *joints[:-1]], strict=True))
    thumb = [f"{side}Thumb{part}" for part in ("Metacarpal", "Proximal", "Distal")]
    return chain + list(zip(thumb, [f"{side}Hand", *thumb[:-1]], strict=True))


_ALL = (*_TREE, *_hand("left"), *_hand("right"))

JOINTS: tuple[str, ...] = tuple(name for name, _ in _ALL)
"""Names of the 55 joints, SMPL-X order."""

INDEX: dict[str, int] = {name: i for i, name in enumerate(JOINTS)}
"""Index of each joint."""

PARENTS: tuple[int, ...] = tuple(INDEX[parent] if parent else -1 for _, parent in _ALL)
"""Index of each joint's parent, -1 for the hips."""

BODY = np.arange(0, 22)
"""Hips to hands, without face and fingers."""

LEFT_FINGERS, RIGHT_FINGERS = np.arange(25, 40), np.arange(40, 55)
"""Finger joints of each hand."""


def mirror_index() -> np.ndarray:
    """(55,) for every joint the index of its mirror image (itself on the midline)."""

    def other(name: str) -> str:
        if name.startswith("left"):
            return "right" + name[4:]
        return "left" + name[5:] if name.startswith("right") else name

    return np.array([INDEX[other(name)] for name in JOINTS])
