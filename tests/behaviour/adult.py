"""A plausible adult of 1.70 m for tests: the 55 joints in metres, floor at y = 0."""

from __future__ import annotations

import numpy as np

from kinesics.bodies.humanoid import INDEX, JOINTS, PARENTS
from kinesics.geometry.skeleton import Skeleton

_MIDDLE = {
    "hips": (0, 0.935, 0), "spine": (0, 1.035, -0.012), "chest": (0, 1.155, -0.022), "upperChest": (0, 1.245, -0.02),
    "neck": (0, 1.435, -0.038), "head": (0, 1.515, -0.008), "jaw": (0, 1.53, 0.012),
}  # fmt: skip
_LEFT = {
    "UpperLeg": (0.092, 0.885, 0.0), "LowerLeg": (0.098, 0.49, 0.0), "Foot": (0.10, 0.085, -0.03), "Toes": (0.112, 0.02, 0.09),
    "Shoulder": (0.03, 1.395, -0.012), "UpperArm": (0.172, 1.392, -0.035), "LowerArm": (0.432, 1.388, -0.045),
    "Hand": (0.678, 1.388, -0.025), "Eye": (0.031, 1.588, 0.072),
    "IndexProximal": (0.768, 1.386, 0.003), "IndexIntermediate": (0.806, 1.383, 0.006), "IndexDistal": (0.830, 1.380, 0.007),
    "MiddleProximal": (0.770, 1.387, -0.019), "MiddleIntermediate": (0.813, 1.384, -0.018), "MiddleDistal": (0.840, 1.381, -0.018),
    "LittleProximal": (0.754, 1.381, -0.060), "LittleIntermediate": (0.786, 1.378, -0.064), "LittleDistal": (0.805, 1.375, -0.066),
    "RingProximal": (0.764, 1.385, -0.041), "RingIntermediate": (0.804, 1.382, -0.042), "RingDistal": (0.829, 1.379, -0.043),
    "ThumbMetacarpal": (0.700, 1.378, 0.002), "ThumbProximal": (0.731, 1.366, 0.030), "ThumbDistal": (0.757, 1.358, 0.050),
}  # fmt: skip


def adult() -> Skeleton:
    """The skeleton."""
    rest = np.zeros((55, 3))
    for name, place in _MIDDLE.items():
        rest[INDEX[name]] = place
    for name, (x, y, z) in _LEFT.items():
        rest[INDEX["left" + name]], rest[INDEX["right" + name]] = (x, y, z), (-x, y, z)
    offsets = rest.copy()
    for i, p in enumerate(PARENTS):
        if p >= 0:
            offsets[i] = rest[i] - rest[p]
    return Skeleton(JOINTS, PARENTS, offsets)
