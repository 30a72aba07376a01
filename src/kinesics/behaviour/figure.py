"""From what each part of the body wants to joint rotations: trunk, head and eyes, arms, legs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics import seeds
from kinesics.behaviour import gaze, limits
from kinesics.behaviour.arms import (
    MIRROR_ROTATION,
    MIRROR_VECTOR,
    Reach,
    Rig,
    collar,
    elbow_direction,
    solve,
    taut,
)
from kinesics.behaviour.limits import Volumes
from kinesics.behaviour.places import Landmarks
from kinesics.bodies.hand import LIMITS_HIGH, LIMITS_LOW, Hand
from kinesics.bodies.humanoid import INDEX, LEFT_FINGERS, RIGHT_FINGERS
from kinesics.bodies.joint_limits import soft_clip
from kinesics.geometry import rotations as rot
from kinesics.geometry.kinematics import align, two_bone
from kinesics.geometry.skeleton import Skeleton

Array = NDArray[np.float64]
_SIDES = ("left", "right")
_FREE = 0.30  # part of the trunk's turning that the head is carried along with
# Degrees by which each joint of the trunk may turn in a pose from elsewhere (ours, of standing people who talk).
_BENDS = {"hips": 25, "spine": 25, "chest": 25, "upperChest": 25, "neck": 40, "head": 40}
_Frames = tuple[list[Array], list[Array], list[Array]]


@dataclass
class Wishes:
    """What the parts of a body want in n frames; angles in degrees.

    Parameters
    ----------
    root
        (n, 2) sideways and forward shift of the hips, metres.
    hips, spine, head
        (n, 3) pitch, yaw, roll: of the pelvis, of the whole back on it, of the head in the world.
    shoulders
        (2, n) lift.
    breath
        (n,) fullness of the lungs.
    hands
        (2, n, C) channels of the hands.
    speeds
        (2, n, 3) speed of the hands, m/s.
    fingers
        (2, n, 20) finger angles.
    gaze
        (n, 2) azimuth and elevation of what is looked at.
    tension
        0 to 1.
    """

    root: Array
    hips: Array
    spine: Array
    head: Array
    shoulders: Array
    breath: Array
    hands: Array
    speeds: Array
    fingers: Array
    gaze: Array
    tension: float


def _degrees(pitch_yaw_roll: Array) -> Array:
    return rot.from_rotvec(np.radians(pitch_yaw_roll))


def _within(rotations: Array, most: float) -> Array:
    """Rotations (..., 4) that turn by no more than ``most`` radians, without a corner."""
    vector = rot.to_rotvec(rotations)
    size = np.sqrt(np.sum(vector * vector, axis=-1, keepdims=True))
    return rot.from_rotvec(vector * (soft_clip(size, -most, most) / np.maximum(size, 1e-9)))


def _mirror_stack(values: Array, factor: Array) -> Array:
    """A world quantity (n, k) as seen by the left and by the mirrored right side, (2, n, k)."""
    return np.stack([values, values * factor])


class Figure:
    """A standing person who can be posed.

    Parameters
    ----------
    skeleton
        The 55 canonical joints.
    seed
        Varies how the feet stand.
    """

    def __init__(self, skeleton: Skeleton, seed: int) -> None:
        self.skeleton = skeleton
        self.rest = skeleton.rest.astype(np.float64)
        self.marks = {s: Landmarks(skeleton, s) for s in _SIDES}
        self.hand = {s: Hand(skeleton, s) for s in _SIDES}
        self.volumes = Volumes(self.marks["left"])
        self.reach = {
            s: Reach(Rig.of(self.marks[s], self.hand[s]), self.marks[s], self.hand[s], self.volumes)
            for s in _SIDES
        }
        self.rig = Rig.stack(self.reach["left"].rig, self.reach["right"].rig)
        self._centres, self._radii, self._frame = self.volumes.shapes()
        parts = [np.stack([h.fingers, h.centre, 0.68 * h.knuckles]) for h in self.hand.values()]
        self._hand_parts = np.stack(parts)[:, None]
        self.unit = self.marks["left"].unit
        self._stand(seed)

    def _at(self, name: str) -> Array:
        return self.rest[INDEX[name]]

    def _stand(self, seed: int) -> None:
        """Where the feet are planted; legs seen as left legs."""
        draw = seeds.rng(seed, "stance")
        self._toes_out = np.radians(draw.uniform(5, 11, 2))
        stagger = draw.normal(0, 0.014, 2) * self.unit
        rows = []
        for i, side in enumerate(_SIDES):
            sign = MIRROR_VECTOR if i else np.ones(3)
            hip, knee, ankle = (self._at(side + n) * sign for n in ("UpperLeg", "LowerLeg", "Foot"))
            foot = np.array([max(hip[0] * 1.12, hip[0] + 0.012), ankle[1], ankle[2] + stagger[i]])
            rows.append((hip, knee - hip, ankle - knee, foot))
        self._leg_hip, self._leg_upper, self._leg_lower, self._foot = (
            np.stack(r)[:, None] for r in zip(*rows, strict=True)
        )
        lengths = [
            np.linalg.norm(v, axis=-1, keepdims=True)[:, :, 0] for v in (self._leg_upper, self._leg_lower)
        ]
        self._leg_lengths = [v[..., None] for v in lengths]
        self._leg_total = (lengths[0] + lengths[1])[:, 0]
        yaw = np.array([self._toes_out[0], self._toes_out[1]])
        self._foot_turn = rot.from_axis_angle(np.array([0.0, 1, 0]), yaw)[:, None]
        # Knees go over the toes.
        self._knee = rot.rotate(self._foot_turn, np.array([0.0, 0, 1.0]))

    def pose(self, w: Wishes) -> tuple[Array, Array, Array, dict[str, Array]]:
        """Joint rotations (n, 55, 4), root (n, 3), eye angles (n, 2) and what was computed on the way."""
        n = len(w.root)
        local = np.zeros((n, 55, 4))
        local[..., 0] = 1
        hips = _degrees(w.hips)
        root = self._root(w.root, hips)
        local[:, 0] = hips
        breath = np.zeros((n, 3))
        breath[:, 0] = w.breath
        turn, place, parent = hips, root, "hips"
        for name, share, inhale in (("spine", 0.32, 0.7), ("chest", 0.34, -0.5), ("upperChest", 0.34, -1.3)):
            place = place + rot.rotate(turn, self._at(name) - self._at(parent))
            local[:, INDEX[name]] = _degrees(share * w.spine + inhale * breath)
            turn = rot.multiply(turn, local[:, INDEX[name]])
            parent = name
        chest, chest_place = turn, place
        head, head_place, eyes = self._head(local, w, chest, chest_place)
        made = self._arms(local, w, (chest, chest_place), (hips, root), (head, head_place))
        self._legs(local, hips, root)
        made["head"] = head
        return local, root, eyes, made

    def _root(self, shift: Array, hips: Array) -> Array:
        root = np.empty((len(hips), 3))
        base = self._at("hips")
        root[:, 0], root[:, 2] = base[0] + shift[:, 0], base[2] + shift[:, 1]
        # As high as both legs allow with their knees a little bent.
        heights = []
        for i in range(2):
            sign = MIRROR_VECTOR if i else np.ones(3)
            offset = rot.rotate(hips, self._leg_hip[i, 0] * sign - base)
            foot = self._foot[i, 0] * sign
            aside = np.sum((root[:, [0, 2]] + offset[:, [0, 2]] - foot[[0, 2]]) ** 2, axis=-1)
            longest = 0.9975 * self._leg_total[i]
            heights.append(foot[1] - offset[:, 1] + np.sqrt(np.maximum(longest**2 - aside, 0.04)))
        soft = 0.004
        root[:, 1] = -soft * np.logaddexp(-heights[0] / soft, -heights[1] / soft)
        return root

    def _head(self, local: Array, w: Wishes, chest: Array, chest_place: Array) -> tuple[Array, Array, Array]:
        carried = rot.from_rotvec(_FREE * rot.to_rotvec(chest))
        head = rot.multiply(carried, rot.multiply(_degrees(w.head * [0, 1, 0]), _degrees(w.head * [1, 0, 1])))
        total = rot.to_rotvec(rot.multiply(rot.conjugate(chest), head))
        neck = rot.from_rotvec(0.42 * total)
        local[:, INDEX["neck"]] = neck
        local[:, INDEX["head"]] = rot.from_rotvec(0.58 * total)
        place = chest_place + rot.rotate(chest, self._at("neck") - self._at("upperChest"))
        place = place + rot.rotate(rot.multiply(chest, neck), self._at("head") - self._at("neck"))
        middle = 0.5 * (self._at("leftEye") + self._at("rightEye"))
        target = middle + gaze.DISTANCE * gaze.directions(w.gaze[:, 0], w.gaze[:, 1])
        return head, place, self._eyes(local, head, place, target)

    def _eyes(self, local: Array, head: Array, place: Array, target: Array) -> Array:
        """Turn the eyes to what they look at (n, 3); azimuth and elevation in the head (n, 2)."""
        sockets = np.stack([self._at(s + "Eye") for s in _SIDES]) - self._at("head")
        eyes = place[:, None] + rot.rotate(head[:, None], sockets)
        azimuth, elevation = gaze.eye_rotations(target, eyes, rot.to_matrix(head))
        across = np.zeros((len(head), 2, 3))
        across[..., 1] = azimuth
        up = np.zeros_like(across)
        up[..., 0] = -elevation
        local[:, [INDEX["leftEye"], INDEX["rightEye"]]] = rot.multiply(_degrees(across), _degrees(up))
        return np.stack([azimuth.mean(axis=1), elevation.mean(axis=1)], axis=-1)

    def _arms(
        self,
        local: Array,
        w: Wishes,
        chest: tuple[Array, Array],
        hips: tuple[Array, Array],
        head: tuple[Array, Array],
    ) -> dict[str, Array]:
        rig = self.rig
        turns, places, origins = frames = self._frames(chest, hips, head)
        p, q, swing = w.hands[..., :3], w.hands[..., 3:7], w.hands[..., 7]
        with_head, hanging, contact = w.hands[..., 8:9], w.hands[..., 9:10], w.hands[..., 10]
        limbs = np.clip(w.hands[..., 11:12], 0, 1)
        collar_local = collar(rig, p, w.shoulders)
        collar_world = rot.multiply(turns[0], collar_local)
        base = places[0] + rot.rotate(turns[0], rig.clavicle - origins[0])
        shoulder = base + rot.rotate(collar_world, rig.shoulder - rig.clavicle)
        # Where the hand is: carried by the chest, by the head, or hanging from the shoulder.
        carried = [
            places[0] + rot.rotate(turns[0], p - origins[0]),
            places[2] + rot.rotate(turns[2], p - origins[2]),
        ]
        hung = shoulder + rot.rotate(turns[1], p - rig.shoulder)
        parts = [1 - with_head - hanging, with_head, hanging]
        wrist = parts[0] * carried[0] + parts[1] * carried[1] + parts[2] * hung
        frame = rot.normalise(parts[0] * turns[0] + parts[1] * turns[2] + parts[2] * turns[1])
        hand = rot.multiply(frame, rot.normalise(q))
        # A loose hand trails behind its movement.
        fingers_out = rot.rotate(hand, self._hand_parts[:, :, 0])
        lag = (0.12 - 0.07 * w.tension) * rot.rotate(frame, w.speeds)
        hand = rot.multiply(rot.from_rotvec(rot.cross(fingers_out, -lag)), hand)
        angles = np.clip(w.fingers, LIMITS_LOW.ravel(), LIMITS_HIGH.ravel())
        wrist = self._free(wrist, hand, angles, contact, frames)
        way = rot.rotate(rot.conjugate(turns[0]), wrist - shoulder)
        pole = rot.rotate(turns[0], elbow_direction(way, swing))
        return self._bend(
            local, (collar_local, collar_world, shoulder), wrist, hand, pole, limbs, angles, frames
        )

    def _frames(self, *carriers: tuple[Array, Array]) -> _Frames:
        """Chest, hips and head (rotation, place), as seen by the left and by the mirrored right arm; and where each rests."""
        turns = [_mirror_stack(q, MIRROR_ROTATION) for q, _ in carriers]
        places = [_mirror_stack(p, MIRROR_VECTOR) for _, p in carriers]
        names = ("upperChest", "hips", "head")
        origins = [np.stack([self._at(n), self._at(n) * MIRROR_VECTOR])[:, None] for n in names]
        return turns, places, origins

    def _free(self, wrist: Array, hand: Array, angles: Array, contact: Array, frames: _Frames) -> Array:
        """Wrists (2, n, 3) whose hands are out of the body and of each other."""
        tips = np.stack([self.hand[s].tips(angles[i]) for i, s in enumerate(_SIDES)])
        palm = np.broadcast_to(self._hand_parts[:, :, 1:], (*tips.shape[:2], 2, 3))
        spots = rot.rotate(hand[..., None, :], np.concatenate([palm, tips], axis=-2))
        wrist = wrist + self._clear(wrist, spots, contact, *frames)
        return wrist + self._apart(wrist, spots[..., 1, :])

    def _bend(
        self, local: Array, collars: tuple[Array, Array, Array], wrist: Array, hand: Array, pole: Array,
        limbs: ArrayLike, angles: Array, frames: _Frames,
    ) -> dict[str, Array]:  # fmt: skip
        """Write both arms and hands into ``local``, elbows towards ``pole`` and out of the body."""
        rig = self.rig
        collar_local, collar_world, shoulder = collars
        straight = taut(limbs)
        elbow, _ = two_bone(shoulder, wrist, rig.upper_length, rig.lower_length, pole, reach=straight)
        off = self._push(elbow[..., None, :], 0.05, *frames)
        wrist_out = solve(rig, shoulder, wrist, hand, pole + 3.0 * off, limbs)
        elbow, reached, upper, lower, hand, excess = wrist_out
        chain = [
            ("Shoulder", collar_local), ("UpperArm", rot.multiply(rot.conjugate(collar_world), upper)),
            ("LowerArm", rot.multiply(rot.conjugate(upper), lower)), ("Hand", rot.multiply(rot.conjugate(lower), hand)),
        ]  # fmt: skip
        for i, (side, fingers) in enumerate(zip(_SIDES, (LEFT_FINGERS, RIGHT_FINGERS), strict=True)):
            factor = MIRROR_ROTATION if i else np.ones(4)
            for name, value in chain:
                local[:, INDEX[side + name]] = value[i] * factor
            local[:, fingers] = self.hand[side].rotations(angles[i]) * factor
        return {"excess": excess, "wrist": reached, "elbow": elbow, "hand": hand}

    def _push(self, points: Array, margin: Array | float, turns: list, places: list, origins: list) -> Array:
        """Displacement (2, n, 3) that brings points (2, n, k, 3) of the arms out of the body."""
        seen = [
            rot.rotate(rot.conjugate(t)[..., None, :], points - p[..., None, :]) + o[..., None, :]
            for t, p, o in zip(turns, places, origins, strict=True)
        ]
        inside = np.stack([seen[f] for f in self._frame], axis=-2)
        pushes = limits.push(inside, self._centres, self._radii, margin)
        world = np.stack(
            [rot.rotate(turns[f][..., None, :], pushes[..., i, :]) for i, f in enumerate(self._frame)],
            axis=-2,
        )
        return limits.combine(world.reshape(*world.shape[:2], -1, 3))

    def _clear(self, wrist: Array, spots: Array, contact: Array, *frames: list[Array]) -> Array:
        """Keep wrist, palm, fingers and thumb out of trunk, head and thighs; a touching hand may touch."""
        points = np.concatenate([wrist[..., None, :], wrist[..., None, :] + spots], axis=-2)
        margin = np.array([0.034, 0.012, 0.022, 0.014, 0.011, 0.011, 0.013])
        margin = margin - contact[..., None] * (margin + 0.015)
        return self._push(points, margin[..., None], *frames)

    def _apart(self, wrist: Array, middle: Array) -> Array:
        """Keep the hands out of each other: displacement (2, n, 3), each in its own mirrored world."""
        left, right = wrist[0] + middle[0], (wrist[1] + middle[1]) * MIRROR_VECTOR
        between = left - right
        gap = np.sqrt(np.sum(between * between, axis=-1, keepdims=True))
        need = 0.012 * np.logaddexp(0, (0.036 - gap) / 0.012)
        # Hands that meet head-on pass each other before and behind, without a jump.
        aside = between + 0.05 * np.exp(-((gap / 0.06) ** 2)) * [0.0, 0.35, 0.94]
        step = 0.5 * need * aside / np.maximum(np.sqrt(np.sum(aside * aside, axis=-1, keepdims=True)), 1e-3)
        return np.stack([step, -step * MIRROR_VECTOR])

    def keep(self, rotations: Array, shift: Array, target: Array) -> tuple[Array, Array]:
        """Bring poses from elsewhere within what this body can do: joint limits, collisions, planted feet.

        Parameters
        ----------
        rotations
            (n, 55, 4) local unit quaternions of trunk, head, arms and hands; legs and eyes are solved anew.
        shift
            (n, 2) of the hips from where they rest, sideways and forward, metres.
        target
            (n, 3) what the eyes look at, metres.

        Returns
        -------
        rotations, root
            (n, 55, 4), (n, 3).
        """
        local = np.array(rotations, dtype=np.float64)
        shift = soft_clip(shift, -0.07 * self.unit, 0.07 * self.unit)
        for name, most in _BENDS.items():
            local[:, INDEX[name]] = _within(local[:, INDEX[name]], np.radians(most))
        root = self._root(shift, local[:, 0])
        turns, places = {"hips": local[:, 0]}, {"hips": root}
        for parent, name in pairwise(("hips", "spine", "chest", "upperChest", "neck", "head")):
            places[name] = places[parent] + rot.rotate(turns[parent], self._at(name) - self._at(parent))
            turns[name] = rot.multiply(turns[parent], local[:, INDEX[name]])
        carriers = [(turns[n], places[n]) for n in ("upperChest", "hips", "head")]
        frames = self._frames(*carriers)
        self._eyes(local, turns["head"], places["head"], target)
        self._keep_arms(local, frames)
        self._legs(local, local[:, 0], root)
        return local, root

    def _keep_arms(self, local: Array, frames: _Frames) -> None:
        rig, (turns, places, origins) = self.rig, frames

        def both(part: str) -> Array:
            return np.stack(
                [local[:, INDEX["left" + part]], local[:, INDEX["right" + part]] * MIRROR_ROTATION]
            )

        collar_local = both("Shoulder")
        collar_world = rot.multiply(turns[0], collar_local)
        base = places[0] + rot.rotate(turns[0], rig.clavicle - origins[0])
        shoulder = base + rot.rotate(collar_world, rig.shoulder - rig.clavicle)
        upper = rot.multiply(collar_world, both("UpperArm"))
        elbow = shoulder + rot.rotate(upper, rig.upper * rig.upper_length)
        lower = rot.multiply(upper, both("LowerArm"))
        wrist = elbow + rot.rotate(lower, rig.lower * rig.lower_length)
        hand = rot.multiply(lower, both("Hand"))
        angles = np.stack(
            [
                self.hand[side].angles(local[:, fingers] * factor)
                for side, fingers, factor in zip(
                    _SIDES, (LEFT_FINGERS, RIGHT_FINGERS), (np.ones(4), MIRROR_ROTATION), strict=True
                )
            ]
        )
        angles = np.clip(angles, LIMITS_LOW.ravel(), LIMITS_HIGH.ravel())
        # A straight arm does not say where its elbow points: nature does.
        line = (wrist - shoulder) / np.linalg.norm(wrist - shoulder, axis=-1, keepdims=True)
        off = (elbow - shoulder) - np.sum((elbow - shoulder) * line, axis=-1, keepdims=True) * line
        way = rot.rotate(rot.conjugate(turns[0]), wrist - shoulder)
        pole = off / rig.arm + 0.03 * rot.rotate(turns[0], elbow_direction(way, np.zeros(way.shape[:-1])))
        wrist = self._free(wrist, hand, angles, np.zeros(wrist.shape[:-1]), frames)
        self._bend(local, (collar_local, collar_world, shoulder), wrist, hand, 10 * pole, 0.0, angles, frames)

    def _legs(self, local: Array, hips: Array, root: Array) -> None:
        turn = _mirror_stack(hips, MIRROR_ROTATION)
        place = _mirror_stack(root, MIRROR_VECTOR)
        base = np.stack([self._at("hips"), self._at("hips") * MIRROR_VECTOR])[:, None]
        hip = place + rot.rotate(turn, self._leg_hip - base)
        foot = np.broadcast_to(self._foot, hip.shape)
        knee, ankle = two_bone(hip, foot, *self._leg_lengths, self._knee, reach=0.9995)
        hinge = rot.cross(np.broadcast_to(self._knee, hip.shape), ankle - hip)
        side = np.array([1.0, 0, 0])
        upper = align(self._leg_upper, side, knee - hip, hinge)
        lower = align(self._leg_lower, side, ankle - knee, hinge)
        chain = [
            ("UpperLeg", rot.multiply(rot.conjugate(turn), upper)),
            ("LowerLeg", rot.multiply(rot.conjugate(upper), lower)),
            ("Foot", rot.multiply(rot.conjugate(lower), self._foot_turn)),
        ]
        for i, name in enumerate(_SIDES):
            factor = MIRROR_ROTATION if i else np.ones(4)
            for part, value in chain:
                local[:, INDEX[name + part]] = value[i] * factor
