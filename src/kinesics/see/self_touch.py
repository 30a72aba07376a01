"""Hands that touch the head, the trunk or each other, from a body's motion.

Head, neck and trunk are ellipsoids and a capsule sized from the skeleton, fingers and palm are balls; a
touch is a gap of next to nothing between them. Sizes are ours, from the shipped avatars, which are people of
ordinary builds. A hand that hangs beside the thigh touches nothing: that is how arms rest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Interval, Motion, Tier
from kinesics.see._stream import Found, Runs, Windows, beyond, labelled, mean

Array = NDArray[np.float64]

TOUCH, APART = 0.012, 0.030
"""Gap in metres at which a touch begins and ends (ours: what the shapes are off by)."""
HEAD_PARTS: tuple[str, ...] = ("hair", "forehead", "ear", "eye", "nose", "cheek", "mouth", "chin", "neck")
"""Where on the head a hand is."""
TARGETS: tuple[str, ...] = ("head", "torso", "hands")
"""What a hand can touch; the neck is part of the head here."""
_SIDES = ("left", "right")
_FINGERS = ("Thumb", "Index", "Middle", "Ring", "Little")
_FINGER, _PALM = 0.008, 0.013  # metres of thickness to either side
_SMOOTH = 0.05  # seconds on either side
_EYE_HEIGHT = 1.59  # metres, of the person that the sizes below are of


class _Shapes:
    """The solid parts of a person."""

    def __init__(self, skeleton: Skeleton) -> None:
        rest = skeleton.rest.astype(np.float64)
        eyes = 0.5 * (rest[INDEX["leftEye"]] + rest[INDEX["rightEye"]])
        self.unit = u = float(eyes[1] - min(rest[:, 1].min(), 0.0)) / _EYE_HEIGHT
        self.eyes = eyes - rest[INDEX["head"]]
        # Centre relative to the joint that carries it, and radii.
        skull, jaw, nose = (
            ([0, 0.008, -0.072], [0.078, 0.114, 0.095]),
            ([0, -0.076, -0.022], [0.045, 0.052, 0.048]),
            ([0, -0.038, 0.028], [0.015] * 3),
        )
        self.head = [(self.eyes + np.array(c) * u, np.array(r) * u) for c, r in (skull, jaw, nose)]
        hip, shoulder = rest[INDEX["leftUpperLeg"]], rest[INDEX["leftUpperArm"]]
        trunk, depth = shoulder[1] - hip[1], 0.5 * (hip[2] + shoulder[2])
        middle = np.array([0.0, hip[1] + 0.74 * trunk, depth + 0.025 * u])
        belly = np.array([0.0, hip[1] + 0.34 * trunk, depth + 0.030 * u])
        self.chest = (
            middle - rest[INDEX["upperChest"]],
            np.array([0.155 * u, 0.32 * trunk + 0.04, 0.112 * u]),
        )
        self.belly = (belly - rest[INDEX["spine"]], np.array([0.150 * u, 0.40 * trunk, 0.110 * u]))
        self.neck = 0.055 * u


def _ellipsoid(points: Array, centre: Array, radii: Array) -> Array:
    """Gap to the surface, of the first order, negative inside."""
    away = points - centre
    scaled = away / radii
    distance = np.sqrt(np.maximum(np.sum(scaled * scaled, axis=-1), 1e-6))
    normal = np.sqrt(np.sum((scaled / radii) ** 2, axis=-1))
    return (distance - 1) * distance / np.maximum(normal, 1e-6)


def _capsule(points: Array, a: Array, b: Array, radius: float) -> Array:
    """Gap of points (T, P, 3) to capsules from a (T, 3) to b (T, 3)."""
    way = (b - a)[:, None]
    along = np.sum((points - a[:, None]) * way, axis=-1) / np.maximum(np.sum(way * way, axis=-1), 1e-9)
    near = a[:, None] + np.clip(along, 0, 1)[..., None] * way
    return np.linalg.norm(points - near, axis=-1) - radius


def _hand_points(at: Array, side: str, unit: float) -> tuple[Array, Array]:
    """(T, P, 3) points of a hand and (P,) the thickness there."""
    fingers, tips = [], []
    for finger in _FINGERS:
        parts = (
            ("Metacarpal", "Proximal", "Distal")
            if finger == "Thumb"
            else ("Proximal", "Intermediate", "Distal")
        )
        joints = [at[:, INDEX[f"{side}{finger}{p}"]] for p in parts]
        fingers += joints[1:]
        tips.append(joints[2] + 0.85 * (joints[2] - joints[1]))
    knuckles = [at[:, INDEX[f"{side}{f}Proximal"]] for f in _FINGERS[1:]]
    wrist = at[:, INDEX[f"{side}Hand"]]
    palm = [0.5 * (wrist + k) for k in (knuckles[0], knuckles[3])]
    points = np.stack([*fingers, *tips, *knuckles, *palm], axis=1)
    thickness = np.full(points.shape[1], _FINGER * unit)
    thickness[-6:] = _PALM * unit
    return points, thickness


def gaps(body: Motion) -> tuple[Array, NDArray[np.int64]]:
    """How far each hand is from what it can touch.

    Parameters
    ----------
    body
        On the canonical joints.

    Returns
    -------
    gaps
        (T, 2, 3) metres of the left and the right hand to :data:`TARGETS`.
    parts
        (T, 2) index into :data:`HEAD_PARTS` of the place of the head that is nearest.

    Raises
    ------
    DataError
        If the motion is not on the canonical joints.
    """
    if tuple(body.skeleton.names) != JOINTS:
        raise DataError("self-touch needs the 55 canonical joints; retarget the motion first")
    shapes = _Shapes(body.skeleton)
    at, turn = (a.astype(np.float64) for a in body.skeleton.forward(body.rotations, body.root))
    out = np.empty((len(body), 2, len(TARGETS)))
    parts = np.zeros((len(body), 2), np.int64)
    hands = [_hand_points(at, side, shapes.unit) for side in _SIDES]

    def carried(points: Array, joint: str) -> Array:
        back = rot.conjugate(turn[:, INDEX[joint]])[:, None]
        return rot.rotate(back, points - at[:, None, INDEX[joint]])

    for k, (points, thick) in enumerate(hands):
        local = carried(points, "head")
        head = np.min([_ellipsoid(local, *e) for e in shapes.head], axis=0) - thick
        neck = _capsule(points, at[:, INDEX["neck"]], at[:, INDEX["head"]], shapes.neck) - thick
        nearest = np.argmin(head, axis=1)
        place = (local[np.arange(len(local)), nearest] - shapes.eyes) / shapes.unit
        parts[:, k] = np.where(neck.min(axis=1) < head.min(axis=1), HEAD_PARTS.index("neck"), _part(place))
        out[:, k, 0] = np.minimum(neck, head).min(axis=1)
        chest = _ellipsoid(carried(points, "upperChest"), *shapes.chest) - thick
        belly = _ellipsoid(carried(points, "spine"), *shapes.belly) - thick
        out[:, k, 1] = np.minimum(chest, belly).min(axis=1)
    (left, a), (right, b) = hands
    between = np.linalg.norm(left[:, :, None] - right[:, None], axis=-1) - a[:, None] - b
    out[:, :, 2] = between.min(axis=(1, 2))[:, None]
    return out, parts


def _part(place: Array) -> NDArray[np.int64]:
    """Index into :data:`HEAD_PARTS` of places (T, 3) relative to the eyes, metres of a person of ordinary size."""
    x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    conditions = [
        (z < -0.13) | (y > 0.085) | ((z < -0.04) & (y > 0.04)),
        y > 0.03,
        (z < -0.04) & (y > -0.06),
        (y > -0.018),
        (y > -0.05) & (x < 0.022),
        (y > -0.088) & (x < 0.036),
        (y > -0.088),
    ]
    names = ("hair", "forehead", "ear", "eye", "nose", "mouth", "cheek")
    return np.select(conditions, [HEAD_PARTS.index(n) for n in names], HEAD_PARTS.index("chin"))


class SelfTouch:
    """Find touches in a stream; told 0.3 s after they are over.

    Labels are the part and the hand that touches it: ``chin R``, ``torso L``; ``hands`` when both meet.

    Parameters
    ----------
    fps
        Frames per second.
    """

    def __init__(self, fps: float) -> None:
        self._fps = float(fps)
        self._half = round(_SMOOTH * self._fps)
        self._windows = Windows(self._half, self._half)
        self._runs = {
            (k, n): Runs(on=-TOUCH, off=-APART, fps=self._fps, shortest=0.15, bridge=0.25)
            for k in range(2) for n in TARGETS if (k, n) != (1, "hands")
        }  # fmt: skip
        self._parts: list[tuple[float, int, int]] = []
        self._done = 0
        self._start: float | None = None

    def push(self, body: Motion, sure: Array | None = None, apart: Array | None = None) -> list[Interval]:
        """Take frames; return the touches that are over.

        Parameters
        ----------
        body
            On the canonical joints.
        sure
            (T, 2) confidence of the left and the right hand; 1 by default.
        apart
            (T, 2, 3) metres by which each hand is away from :data:`TARGETS` at least, as far as a picture tells: what
            is apart there does not touch, however near a body made from it has them. Nothing by default.
        """
        self._start = body.start if self._start is None else self._start
        far, parts = gaps(body)
        far = far if apart is None else np.maximum(far, apart)
        sure = np.ones((len(body), 2)) if sure is None else np.asarray(sure, dtype=np.float64)
        return self._look(self._windows.push(np.column_stack([far.reshape(len(body), -1), sure, parts])))

    def finish(self) -> list[Interval]:
        """What the end of the stream makes certain."""
        out = self._look(self._windows.finish())
        for (k, name), runs in self._runs.items():
            out += [self._told(f, k, name) for f in runs.finish()]
        return out

    def _look(self, block: Array) -> list[Interval]:
        h, count = self._half, len(TARGETS)
        if len(block) <= 2 * h:
            return []
        smooth = mean(block[:, : 2 * count + 2], h)
        parts = block[h : len(block) - h, -2:]
        times = (self._start or 0.0) + (self._done + np.arange(len(smooth))) / self._fps
        self._done += len(smooth)
        self._parts += [
            (float(times[i]), int(k), int(parts[i, k]))
            for i, k in np.argwhere(smooth[:, [0, count]] <= TOUCH)
        ]
        out = []
        for (k, name), runs in self._runs.items():
            column = k * count + TARGETS.index(name)
            own = smooth[:, -2:].min(axis=1) if name == "hands" else smooth[:, 2 * count + k]
            out += [self._told(f, k, name) for f in runs.push(times, -smooth[:, column], own)]
        return out

    def _told(self, found: Found, k: int, name: str) -> Interval:
        label = name
        if name == "head":
            label = next(
                (HEAD_PARTS[p] for t, s, p in self._parts if s == k and abs(t - found.apex) < 1e-6), "head"
            )
            self._parts = [x for x in self._parts if x[1] != k or x[0] > found.end]
        if name != "hands":
            label = f"{label} {'LR'[k]}"
        return labelled(found, label, certainty=beyond(found.peak, -TOUCH, 0.006))


def self_touch(body: Motion, sure: Array | None = None) -> Tier:
    """Touches of a whole track: the tier ``self_touch``.

    Parameters
    ----------
    body
        On the canonical joints.
    sure
        (T, 2) confidence of the left and the right hand; 1 by default.

    Examples
    --------
    >>> from kinesics import perform
    >>> from kinesics.performance import Behaviour, Plan, Sync
    >>> heart = Behaviour("g", "gesture", {"stroke": Sync(1.5)}, {"lexeme": "HAND_ON_HEART", "mode": "LEFT_HAND"})
    >>> show = perform(plan=Plan((heart,), (), "REPLACE"), progress=False)
    >>> "torso L" in self_touch(show.body).labels
    True
    """
    finder = SelfTouch(float(body.fps))
    return Tier("self_touch", tuple(finder.push(body, sure) + finder.finish()))
