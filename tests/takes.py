"""A short performance with every kind of track."""

from __future__ import annotations

import numpy as np

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.humanoid import INDEX
from kinesics.geometry import rotations as rot
from kinesics.performance import (
    Audio,
    Behaviour,
    Face,
    Feedback,
    Interval,
    Motion,
    Performance,
    Plan,
    Points,
    Signal,
    Tier,
)


def make_take(seconds: float = 1.0, *, seed: int = 0) -> Performance:
    """Lively joints, all within ±70°; the right hand rests, the left stays turned."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * 60)
    t = np.arange(frames)[:, None, None] / 60
    phase, rate = rng.uniform(0, 6, (2, 55, 3))
    q = rot.from_rotvec(0.4 * np.sin(rate * t + phase))
    q[:, INDEX["jaw"]] = q[:, INDEX["rightHand"]] = [1, 0, 0, 0]
    q[:, INDEX["leftHand"]] = rot.from_axis_angle([0, 0, 1.0], 0.5)
    skeleton = load_avatar("maya").skeleton
    root = skeleton.offsets[0] + 0.05 * np.sin(t[:, 0] + [0, 1, 2])
    face = 0.5 + 0.5 * np.sin(t[:, 0] * np.arange(1, 53))
    return Performance(
        {
            "speech": Audio(0.2 * rng.standard_normal(round(seconds * 16000)).clip(-4, 4), 16000),
            "body": Motion(skeleton, q, root, 60),
            "face": Face(face, ARKIT, 60),
            "words": Tier("words", [Interval(0.1, 0.4, "schön", 0.5, 0.9), Interval(0.4, 0.9, '日本 "<&\\')]),
            "empty": Tier("empty"),
            "plan": Plan(
                (
                    Behaviour(
                        "g1", "gesture", {"stroke": "0.4", "end": "g1:stroke + 0.3"}, {"lexeme": "BEAT"}, "x"
                    ),
                ),
                (Feedback("g1", "realised", times={"stroke": 0.41}),),
                "REPLACE",
            ),
            "f0": Signal(rng.uniform(80, 200, (100, 1)), ("f0",), ("Hz",), 100, 0.25, np.ones((100, 1))),
            "marks": Points(rng.standard_normal((25, 2, 3)), ("a", "ß"), 25, "camera"),
        },
        {"avatar": "maya", "seed": 3, "note": "naïve 🙂"},
    )
