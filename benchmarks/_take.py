"""A performance to measure with: every joint and coefficient moves, nothing repeats, no randomness but the seed."""

from __future__ import annotations

import numpy as np

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import load_avatar
from kinesics.geometry import rotations as rot
from kinesics.performance import (
    Audio,
    Behaviour,
    Face,
    Interval,
    Motion,
    Performance,
    Plan,
    Points,
    Sync,
    Tier,
)
from kinesics.seeds import rng


def take(seconds: float = 60.0) -> Performance:
    """A body of 55 joints and 52 coefficients at 60 fps, speech at 22,050 Hz, two words and ten phones a second.

    Besides a speaker's turns, a plan with a gesture a second, and 33 points in a picture at 30 fps.
    """
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
            "phones": Tier(
                "phones", [Interval(k / 10, (k + 1) / 10, "AABKMST"[k % 7]) for k in range(int(10 * seconds))]
            ),
            "turns": Tier(
                "turns", [Interval(5.0 * k, 5.0 * k + 4, f"s{k % 2}") for k in range(int(seconds / 5))]
            ),
            "plan": Plan(
                tuple(
                    Behaviour(f"g{k}", "gesture", {"stroke": Sync(k + 0.5)}, {"lexeme": "BEAT"})
                    for k in range(int(seconds))
                )
            ),
            "marks": Points(
                draws.uniform(0, 512, (round(seconds * 30), 33, 2)),
                tuple(f"m{k}" for k in range(33)),
                30,
                "image",
            ),
        },
        {"avatar": "maya"},
    )
