"""A performance to measure with: every joint and coefficient moves, nothing repeats, no randomness but the seed."""

from __future__ import annotations

import numpy as np

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import load_avatar
from kinesics.geometry import rotations as rot
from kinesics.performance import Audio, Face, Interval, Motion, Performance, Tier
from kinesics.seeds import rng


def take(seconds: float = 60.0) -> Performance:
    """A body of 55 joints and 52 coefficients at 60 fps, speech at 22,050 Hz, two words a second."""
    draws = rng(0, "benchmark")
    frames = round(seconds * 60)
    t = np.arange(frames, dtype=np.float32)[:, None, None] / 60
    phase, rate = draws.uniform(0, 6, (2, 55, 3)).astype(np.float32)
    skeleton = load_avatar("maya").skeleton
    return Performance(
        {
            "speech": Audio(draws.uniform(-0.3, 0.3, round(seconds * 22_050)), 22_050),
            "body": Motion(
                skeleton,
                rot.from_rotvec(0.4 * np.sin(rate * t + phase)),
                skeleton.offsets[0] + 0.05 * np.sin(t[:, 0] + [0, 1, 2]),
                60,
            ),
            "face": Face(0.5 + 0.5 * np.sin(t[:, 0] * np.arange(1, 53)), ARKIT, 60),
            "words": Tier(
                "words", [Interval(k / 2, k / 2 + 0.4, f"word{k}") for k in range(int(2 * seconds))]
            ),
        },
        {"avatar": "maya"},
    )
