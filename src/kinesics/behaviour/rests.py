"""How people let their arms rest while they stand and talk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kinesics import seeds
from kinesics.behaviour.arms import Reach
from kinesics.behaviour.handshapes import shape
from kinesics.behaviour.places import place
from kinesics.geometry import rotations as rot
from kinesics.performance.gesture import Pose

Array = NDArray[np.float64]

CHANNELS = 12
"""Of a hand: position 3, rotation 4, elbow swing, part carried by the head,
part hanging from the shoulder, contact with the body, and how far the limbs' directions count."""

RESTS: tuple[str, ...] = ("hang", "clasp", "hold", "home", "open", "single")
"""Arms hanging; hands folded before the stomach; one hand holding the other low; hands ready in front,
nearer or farther apart; one hand ready, the other hanging."""

# While silent, and between the gestures of somebody who talks: hands then stay up in front.
_CHANCE = {False: (0.50, 0.27, 0.15, 0.08, 0.0, 0.0), True: (0.0, 0.0, 0.0, 0.46, 0.44, 0.10)}
_POSES = {
    # (the hand on top, the hand below)
    "clasp": (
        ("relaxed palm:back-down fingers:in-down @ waist centre near +0.030,0.015,0.030", 1.0),
        ("relaxed palm:back fingers:in-down @ waist centre near +0.025,-0.005,-0.030", 1.0),
    ),
    "hold": (
        ("relaxed palm:back fingers:down-in @ hips centre near +0.045,-0.015,0.025", 1.0),
        ("relaxed palm:back fingers:down-in @ hips centre near +0.015,-0.035,-0.025", 1.0),
    ),
    "open": (
        ("relaxed palm:in fingers:forward @ stomach ipsi mid +0.030,-0.110,0.000", 1.0),
        ("relaxed palm:in fingers:forward @ stomach ipsi mid +0.025,-0.130,0.010", 1.0),
    ),
    "home": (
        ("relaxed palm:in-back fingers:in-forward @ stomach inside mid +0.070,-0.100,-0.010", 1.0),
        ("relaxed palm:down fingers:in-forward @ stomach inside mid +0.065,-0.130,0.000", 1.0),
    ),
}


def choose_rest(seed: int, count: int, before: str, *, talking: bool = False) -> str:
    """The ``count``-th rest of a performance, another than the one before."""
    chance = np.array([0 if name == before else c for name, c in zip(RESTS, _CHANCE[talking], strict=True)])
    return RESTS[int(seeds.rng(seed, "rest", count).choice(len(RESTS), p=chance / chance.sum()))]


def next_change(seed: int, count: int, *, talking: bool = False) -> float:
    """Seconds from one change of rest to the next: half a minute while silent, ten seconds in talk."""
    draw = seeds.rng(seed, "rest change", count).normal(0, 0.4)
    return (
        float(np.clip(np.exp(2.2 + draw), 5, 24)) if talking else float(np.clip(np.exp(3.25 + draw), 12, 70))
    )


def rest_state(name: str, reach: Reach, *, on_top: bool, seed: int, count: int) -> tuple[Array, Array]:
    """A left arm at rest: its channels (C,) and finger angles (20,).

    Parameters
    ----------
    name
        One of :data:`RESTS`.
    reach
        The arm.
    on_top
        Whether this is the upper hand where hands touch.
    seed, count
        Vary it a little.
    """
    draw = seeds.rng(seed, "rest pose", name, count, on_top)
    jitter = draw.normal(0, 1, 8)
    fingers = (shape("relaxed") * (1 + 0.10 * np.clip(jitter[7], -1.5, 1.5))).ravel()
    fingers = fingers + draw.normal(0, 2.0, 20)
    if name == "single":
        name = "home" if on_top else "hang"
    if name == "hang":
        marks = reach.marks
        down = np.array([0.180 + 0.012 * np.clip(jitter[0], -1.2, 1.5), -0.955, 0.10 + 0.03 * jitter[1]])
        down /= np.linalg.norm(down)
        wrist = (
            marks.shoulder
            + np.array([-0.012, -0.02, 0])
            + (0.962 - 0.008 * abs(jitter[2])) * marks.arm * down
        )
        turn = np.radians(28 + 9 * jitter[3])
        palm = np.array([-np.cos(turn), 0.0, -np.sin(turn)])
        along = np.array([-0.01, -1.0, 0.13 + 0.05 * jitter[4]])
        along -= (along @ palm) * palm
        along /= np.linalg.norm(along)
        swing = np.array([np.radians(4 + 5 * jitter[5])])
        hand = reach_orientation(reach, palm, along)
        return np.concatenate([wrist, hand, swing, [0.0, 1.0, 0.0, 0.0]]), fingers
    text, tightness = _POSES[name][0 if on_top else 1]
    placed = place(Pose.parse(text), reach.marks, reach.hand)
    wrist = placed.wrist + 0.008 * np.clip(jitter[:3], -1.2, 1.2)
    swing, hand, _ = reach.best(wrist[None], placed.palm[None], placed.fingers[None])
    del tightness
    return np.concatenate([wrist, hand[0], swing, [0.0, 0.0, 0.0, 0.0]]), fingers


def reach_orientation(reach: Reach, palm: Array, fingers: Array) -> Array:
    """Rotation (4,) of the arm's hand for a palm and finger direction."""
    from kinesics.behaviour.places import orientation

    return rot.normalise(orientation(reach.hand, palm, fingers))
