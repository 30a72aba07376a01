"""A talker of noise and slow movement: every track that gesture systems look at, without the performing engine."""

from __future__ import annotations

import numpy as np

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import load_avatar
from kinesics.geometry import rotations as rot
from kinesics.performance import Audio, Face, Interval, Motion, Performance, Tier
from kinesics.seeds import rng

WORDS = "well this is a very big fish that I caught over there and now we eat it".split()


def talker(seconds: float = 6.0, *, seed: int = 0, fps: int = 30, **meta) -> Performance:
    """A few joints that sway together; loudness, words, emotion and face follow a seed."""
    stream = rng(seed, "talker")
    frames = round(seconds * fps)
    skeleton = load_avatar("maya").skeleton
    phase = stream.random(3) * 6
    sway = np.stack(
        [np.sin(np.arange(frames) / fps * f + p) for f, p in zip((2.0, 3.1, 4.7), phase, strict=True)], 1
    )
    modes = rng(0, "modes").standard_normal((3, 55, 3)) * 0.15
    turned = rot.from_rotvec(np.einsum("tm,mjk->tjk", sway, modes))
    root = skeleton.offsets[0] + 0.02 * np.pad(sway, ((0, 0), (0, 0)))
    count = round(seconds * 16_000)
    sound = 0.2 * stream.standard_normal(count) * (1 + np.sin(np.arange(count) / 16_000 * 9))
    step = seconds / len(WORDS)
    words = Tier("words", tuple(Interval(i * step, (i + 0.9) * step, w) for i, w in enumerate(WORDS)))
    return Performance(
        {
            "speech": Audio(np.clip(sound, -1, 1), 16_000),
            "words": words,
            "face": Face(stream.random((frames, 52)).astype(np.float32), ARKIT, fps),
            "emotion": Tier("emotion", (Interval(0, seconds, "happy", 0.7),)),
            "semantic": Tier("semantic", (Interval(0.2 * seconds, 0.4 * seconds, "iconic big", 0.75),)),
            "body": Motion(skeleton, turned, root, fps),
        },
        meta,
    )
