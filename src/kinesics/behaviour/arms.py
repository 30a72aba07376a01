"""From hand to shoulder: collar bone, elbow, forearm twist and wrist of both arms at once.

All arrays here belong to LEFT arms: right ones come in mirrored, so one pass serves both. The
elbow's swing about the line from shoulder to wrist is measured from a natural direction that is
carried along as the arm moves (parallel transport), which hangs low and a little outwards wherever
the hand goes and never flips within reach.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.behaviour import limits
from kinesics.behaviour.limits import Volumes
from kinesics.behaviour.places import Landmarks, orientation
from kinesics.behaviour.trajectory import ease
from kinesics.bodies.hand import Hand
from kinesics.bodies.joint_limits import ELBOW, limit_wrist
from kinesics.geometry import rotations as rot
from kinesics.geometry.kinematics import align, two_bone

Array = NDArray[np.float64]
MIRROR_VECTOR = np.array([-1.0, 1, 1])
MIRROR_ROTATION = np.array([1.0, 1, -1, -1])
_AHEAD = np.array([0.15, -0.45, 0.88]) / np.linalg.norm([0.15, -0.45, 0.88])
_ELBOW = np.array([0.34, -0.80, -0.32])
_UP = np.array([0.0, 1.0, 0.0])
_FOLD = np.array([-0.2, 0.5, 0.84])
_KNEE, _STRAIGHT = (
    0.92,
    0.985,
)  # parts of the arm's length: from where far targets are drawn in, and the end of it
_TAUT = 0.9985
"""Part of its length to which an arm is stretched where its directions are what counts."""
TWIST_SHARE = 0.72
"""Part of the forearm's turn that the elbow end takes; the wrist end takes the rest."""


@dataclass(frozen=True)
class Rig:
    """Rest geometry of an arm, or of both stacked as (2, 1, …)."""

    clavicle: Array
    shoulder: Array
    upper: Array
    lower: Array
    upper_length: Array
    lower_length: Array
    palm: Array
    across: Array
    arm: Array

    @staticmethod
    def of(marks: Landmarks, hand: Hand) -> Rig:
        """Measure one arm."""
        upper, lower = marks.elbow - marks.shoulder, marks.wrist - marks.elbow
        a, b = float(np.linalg.norm(upper)), float(np.linalg.norm(lower))
        along = lower / b
        palm = hand.palm - (hand.palm @ along) * along
        palm /= np.linalg.norm(palm)
        return Rig(
            marks.clavicle, marks.shoulder, upper / a, along, np.array([a]), np.array([b]), palm,
            np.cross(palm, along), np.array([a + b]),
        )  # fmt: skip

    @staticmethod
    def stack(left: Rig, right: Rig) -> Rig:
        """Both arms with axes (2, 1, …)."""
        return Rig(
            *(
                np.stack([a, b])[:, None]
                for a, b in zip(vars(left).values(), vars(right).values(), strict=True)
            )
        )


def collar(rig: Rig, wrist: ArrayLike, lift: ArrayLike = 0.0) -> Array:
    """Rotation (..., 4) of the collar bone for a wrist (..., 3) in the T-pose frame.

    It rises with the arm, comes forward with a reach ahead or across (scapulohumeral rhythm), and
    by ``lift`` (...) degrees more.
    """
    way = (np.asarray(wrist) - rig.shoulder) / rig.arm
    rise = -5.0 + 24 * ease((way[..., 1] + 0.5) / 1.4) + lift
    forward = 13 * ease((way[..., 2] - 0.35) / 0.65) + 9 * ease((-way[..., 0] - 0.02) / 0.6)
    vector = np.zeros(np.broadcast_shapes(way.shape[:-1], np.shape(rise)) + (3,))
    vector[..., 1], vector[..., 2] = -np.radians(forward), np.radians(rise)
    return rot.from_rotvec(vector)


def elbow_direction(way: Array, swing: ArrayLike) -> Array:
    """Direction (..., 3) in which the elbow points off the line shoulder to wrist, chest frame.

    ``swing`` (...) radians turns it outwards from its natural place.
    """
    way = way / np.maximum(np.sqrt(np.sum(way * way, axis=-1, keepdims=True)), 1e-9)
    natural = rot.rotate(rot.between(_AHEAD, way), _ELBOW - (_ELBOW @ _AHEAD) * _AHEAD)
    return rot.rotate(rot.from_axis_angle(way, np.asarray(swing)), natural)


def swing_of(way: Array, elbow: Array) -> Array:
    """The swing (...) at which :func:`elbow_direction` points as ``elbow`` (..., 3) does off the way; 0 if along it."""
    way = way / np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-9)
    natural = elbow_direction(way, np.zeros(way.shape[:-1]))
    natural = natural - np.sum(natural * way, axis=-1, keepdims=True) * way
    off = elbow - np.sum(elbow * way, axis=-1, keepdims=True) * way
    turn = np.sum(rot.cross(natural, off) * way, axis=-1)
    weak = np.linalg.norm(off, axis=-1) < 1e-3
    return np.where(weak, 0.0, np.arctan2(turn, np.sum(natural * off, axis=-1)))


def taut(limbs: ArrayLike) -> Array:
    """Part of its length to which an arm may be stretched: more where its directions count (``limbs`` 0 to 1)."""
    return _STRAIGHT + (_TAUT - _STRAIGHT) * np.asarray(limbs, dtype=np.float64)


def solve(
    rig: Rig, shoulder: Array, wrist: Array, hand: Array, pole: Array, limbs: ArrayLike = 0.0
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Bend an arm.

    Parameters
    ----------
    rig
        The arm.
    shoulder, wrist
        (..., 3) metres, world.
    hand
        (..., 4) wanted world rotation of the hand.
    pole
        (..., 3) where the elbow should point, world.
    limbs
        (..., 1) or a number: 0 draws far targets in softly, 1 lets the arm be straight.

    Returns
    -------
    elbow, wrist
        (..., 3) as reached.
    upper, lower, hand
        (..., 4) world rotations; the forearm carries its share of the twist.
    excess
        (...) radians of the wish that joint limits cut off.
    """
    wrist = _within_reach(shoulder, wrist, rig.arm, limbs)
    straight = taut(limbs)
    elbow, wrist = two_bone(shoulder, wrist, rig.upper_length, rig.lower_length, pole, reach=straight)
    line = wrist - shoulder
    hinge = rot.cross(line, pole)
    upper = align(rig.upper, _UP, elbow - shoulder, hinge)
    lower = align(rig.lower, _UP, wrist - elbow, hinge)
    twist, bend, excess = limit_wrist(
        rot.multiply(rot.conjugate(lower), hand), rig.lower, rig.palm, rig.across
    )
    turned = rot.multiply(lower, _turn(rig.lower, TWIST_SHARE * twist))
    hand = rot.multiply(rot.multiply(lower, _turn(rig.lower, twist)), bend)
    return elbow, wrist, upper, turned, hand, excess


def _within_reach(shoulder: Array, wrist: Array, arm: Array, limbs: ArrayLike) -> Array:
    """Draw far targets in softly: at a hard end of reach the elbow would snap straight."""
    line = wrist - shoulder
    length = np.sqrt(np.sum(line * line, axis=-1, keepdims=True))
    straight = taut(limbs)
    knee = (_KNEE + (0.995 * _TAUT - _KNEE) * np.asarray(limbs, dtype=np.float64)) * arm
    room = (straight - knee / arm) * arm
    soft = knee + room * (1 - np.exp(-np.maximum(length - knee, 0) / room))
    return np.where(length > knee, shoulder + line * (soft / np.maximum(length, 1e-9)), wrist)


def foldable(upper: Array, lower: Array) -> Array:
    """Forearm directions (K, 3) as near to ``lower`` as elbows bend; an arm folded back bends forward and up."""
    most = np.radians(ELBOW)
    away = lower - np.sum(lower * upper, axis=-1, keepdims=True) * upper
    spare = _FOLD - np.sum(upper * _FOLD, axis=-1, keepdims=True) * upper
    size = np.linalg.norm(away, axis=-1, keepdims=True)
    side = np.where(size > 0.05, away, spare)
    side = side / np.maximum(np.linalg.norm(side, axis=-1, keepdims=True), 1e-9)
    folded = np.sum(upper * lower, axis=-1, keepdims=True) < np.cos(most)
    return np.where(folded, np.cos(most) * upper + np.sin(most) * side, lower)


def _turn(axis: Array, angle: Array) -> Array:
    half = 0.5 * angle[..., None]
    return np.concatenate([np.cos(half), np.sin(half) * axis], axis=-1)


class Reach:
    """Finds how an arm best brings the hand to a wanted place and direction.

    Tries elbow swings and, because what a pose asks of the fingers is rarely exact, finger
    directions about the palm's normal and slight tilts of the palm; keeps the most comfortable.
    """

    def __init__(self, rig: Rig, marks: Landmarks, hand: Hand, volumes: Volumes) -> None:
        self.rig, self.marks, self.hand = rig, marks, hand
        swings = np.radians([-25, -10, 5, 20, 35, 52, 70])
        spins = np.radians([-60, -40, -20, 0, 20, 40, 60])
        tilts = np.radians([-12, 0, 12])
        grid = np.meshgrid(swings, spins, tilts, indexing="ij")
        self.swing, self.spin, self.tilt = (g.ravel() for g in grid)
        centres, radii, frame = volumes.shapes()
        self.centres, self.radii = centres[frame != 2], radii[frame != 2]

    def best(
        self, wrist: Array, palm: Array, fingers: Array, *, exact: ArrayLike = 0.0
    ) -> tuple[Array, Array, Array]:
        """Choose for K places at once.

        Parameters
        ----------
        wrist, palm, fingers
            (K, 3) wanted, T-pose frame.
        exact
            (K,) or a number: 0 lets the fingers' direction give way, 1 holds to it, 2 to the palm's too.

        Returns
        -------
        swing
            (K,) elbow swing, radians.
        hand
            (K, 4) rotation of the hand.
        excess
            (K,) radians that joint limits will still cut off.
        """
        rig = self.rig
        k, c = len(wrist), len(self.swing)
        # The middle of the palm stays where it was asked to be when the hand turns about it.
        wanted = orientation(self.hand, palm, fingers)
        turns = rot.multiply(
            rot.from_axis_angle(palm[:, None], np.broadcast_to(self.spin, (k, c))),
            rot.multiply(
                rot.from_axis_angle(fingers[:, None], np.broadcast_to(self.tilt, (k, c))), wanted[:, None]
            ),
        )
        place = np.broadcast_to(wrist[:, None], (k, c, 3))
        shoulder = rig.clavicle + rot.rotate(collar(rig, wrist), rig.shoulder - rig.clavicle)
        shoulder = np.broadcast_to(shoulder[:, None], (k, c, 3))
        pole = elbow_direction(place - shoulder, np.broadcast_to(self.swing, (k, c)))
        elbow, end, _, _, turned, excess = solve(rig, shoulder, place, turns, pole)
        lower = end - elbow
        lower /= np.linalg.norm(lower, axis=-1, keepdims=True)
        bend = np.arccos(np.clip(np.sum(rot.rotate(turned, rig.lower) * lower, axis=-1), -1, 1))
        middle = 0.5 * (elbow + end)
        points = np.stack([elbow, middle], axis=2)[..., None, :]
        inside = np.sum(limits.push(points, self.centres, self.radii, 0.045) ** 2, axis=(-1, -2, -3))
        exact = np.asarray(exact, dtype=np.float64).reshape(-1, 1)
        hold, level = 1 + 5 * exact, 1 + 5 * np.maximum(exact - 1, 0)
        cost = (
            ((self.swing - np.radians(8)) / np.radians(34)) ** 2
            + hold * (self.spin / np.radians(38)) ** 2
            + level * (self.tilt / np.radians(13)) ** 2
            + (bend / np.radians(38)) ** 2
            + (excess / np.radians(7)) ** 2
            + inside / 0.02**2
            + 14 * ease((elbow[..., 1] - shoulder[..., 1] + 0.06) / 0.25)
        )
        pick = np.argmin(cost, axis=1)
        row = np.arange(k)
        return self.swing[pick], turns[row, pick], excess[row, pick]

    def limbs(self, upper: Array, lower: Array) -> tuple[Array, Array, Array]:
        """Where an arm is whose upper arm and forearm have these directions.

        Parameters
        ----------
        upper, lower
            (K, 3) unit vectors, T-pose frame.

        Returns
        -------
        wrist
            (K, 3).
        swing
            (K,) of the elbow, radians; 0 where the arm is straight.
        hand
            (K, 4) rotation of a hand that goes on straight from an untwisted forearm.
        """
        rig, lower = self.rig, foldable(upper, lower)
        wrist = rig.shoulder + rig.upper_length * upper + rig.lower_length * lower
        for _ in range(4):
            # The collar bone goes along with the hand, and the hand with the shoulder.
            shoulder = self.shoulder(wrist)
            wrist = shoulder + rig.upper_length * upper + rig.lower_length * lower
        way = wrist - shoulder
        swing = swing_of(way, upper)
        hinge = rot.cross(way, elbow_direction(way, swing))
        return wrist, swing, align(rig.lower, _UP, lower, hinge)

    def shoulder(self, wrist: Array) -> Array:
        """Where the shoulder (..., 3) is with the wrist (..., 3) there, T-pose frame."""
        return self.rig.clavicle + rot.rotate(collar(self.rig, wrist), self.rig.shoulder - self.rig.clavicle)

    def excess(self, wrist: Array, hand: Array, swing: Array) -> Array:
        """Radians (K,) by which joint limits cut short a wish: wrist (K, 3), hand (K, 4), elbow's swing (K,)."""
        shoulder = self.shoulder(wrist)
        return solve(self.rig, shoulder, wrist, hand, elbow_direction(wrist - shoulder, swing))[-1]

    def straight_hand(self, along: Array, swing: Array) -> Array:
        """Rotation (K, 4) of the hand of a straight, untwisted arm along (K, 3) whose elbow would swing so."""
        return align(self.rig.lower, _UP, along, rot.cross(along, elbow_direction(along, swing)))

    def elbow(self, wrist: Array, swing: float) -> tuple[Array, Array]:
        """Shoulder and elbow (3,) of an arm with its wrist (3,) there."""
        rig, shoulder = self.rig, self.shoulder(wrist)
        pole = elbow_direction(wrist - shoulder, np.array(swing))
        elbow, _ = two_bone(shoulder, wrist, rig.upper_length, rig.lower_length, pole, reach=_STRAIGHT)
        return shoulder, elbow
