"""A body from the places of its joints: what depth cameras, HumanML3D and pose estimators give.

Places say where a bone points, not how it is turned about itself. Upper arms and thighs are turned by
the plane in which elbow and knee bend, carried along where a limb is straight; pelvis and chest by the
line of the hips and of the shoulders; feet by the knee; hands and head keep to what they hang on, but
for where they point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.bodies.humanoid import INDEX, JOINTS, PARENTS
from kinesics.bodies.rig import maya
from kinesics.bodies.skeletons import TABLES
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.geometry.from_positions import bend_axis, directions, fill
from kinesics.geometry.kinematics import align
from kinesics.geometry.skeleton import Skeleton

Array = NDArray[np.floating]

HUMANML3D: tuple[str, ...] = TABLES["smpl22"].joints
"""SMPL's 22 body joints by SMPL's names: the first 22 of the canonical humanoid, in its order."""

KINECT_25: tuple[str, ...] = TABLES["kinect25"].joints
"""Joints of Kinect for Windows v2 (also NTU RGB+D's), by Microsoft's names and in its order."""

KINECT_20: tuple[str, ...] = TABLES["kinect20"].joints
"""Joints of the first Kinect (also UTKinect's), by Microsoft's names and in its order."""


def _sides(pairs: Mapping[str, str]) -> dict[str, str]:
    return {
        f"{side}{bone}": f"{joint}{side.capitalize()}"
        for side in ("left", "right")
        for bone, joint in pairs.items()
    }


_LIMBS = {
    "UpperArm": "Shoulder", "LowerArm": "Elbow", "Hand": "Wrist", "Palm": "Hand",
    "UpperLeg": "Hip", "LowerLeg": "Knee", "Foot": "Ankle", "Toes": "Foot",
}  # fmt: skip
LAYOUTS: dict[str, dict[str, str]] = {
    "humanml3d": dict(zip(JOINTS[:22], HUMANML3D, strict=True)),
    "kinect25": {
        "hips": "SpineBase",
        "waist": "SpineMid",
        "neck": "SpineShoulder",
        "crown": "Head",
        **_sides(_LIMBS),
    },
    "kinect20": {
        "hips": "HipCenter",
        "waist": "Spine",
        "neck": "ShoulderCenter",
        "crown": "Head",
        **_sides(_LIMBS),
    },
    "canonical": {n: n for n in ("hips", "neck", *(s + b for s in ("left", "right") for b in _LIMBS))},
}
"""Which point stands at which canonical joint. Besides joints: ``waist`` a point on the spine, ``crown`` the
middle of the head, ``leftPalm`` and ``rightPalm`` the middle of the hand."""

_SPINE = ("hips", "spine", "chest", "upperChest", "neck")
_NEEDED = (
    "hips",
    "neck",
    *(f"{s}{b}" for s in ("left", "right") for b in ("UpperArm", "LowerArm", "UpperLeg", "LowerLeg")),
)
# The skull's middle above the point between the shoulders when a person looks ahead: within 5° in five clips
# of the Labanotation Suite (MIT).
_CROWN = np.array([0.0, 1, 0])
# Directions from which arms and thighs are swung: their opposites, where a swing has no twist of its own,
# are out of reach (ours).
_ARM_MIDDLE, _LEG_MIDDLE = np.array([0.7, -0.6, 0.4]), np.array([0.1, -0.8, 0.6])


class Posed(NamedTuple):
    """What :func:`from_joints` finds.

    Parameters
    ----------
    skeleton
        The canonical humanoid, by default in the person's proportions.
    rotations
        (T, 55, 4) unit quaternions wxyz, float32, local to the parent.
    root
        (T, 3) world position of the hips, metres.
    """

    skeleton: Skeleton
    rotations: NDArray[np.float32]
    root: NDArray[np.float32]


def from_joints(
    positions: ArrayLike,
    names: tuple[str, ...],
    *,
    fps: float = 30.0,
    confidence: ArrayLike | None = None,
    skeleton: Skeleton | None = None,
    layout: str | None = None,
) -> Posed:
    """Rotations of the canonical humanoid from the places of joints.

    Parameters
    ----------
    positions
        (T, N, 3) metres, Y up, right-handed. A joint that is not finite is missing, and without ``confidence``
        so is one at exactly (0, 0, 0).
    names
        The N names: :data:`HUMANML3D`, :data:`KINECT_25` or :data:`KINECT_20`, in any order.
    fps
        Frames per second, for how long a straight limb remembers its twist.
    confidence
        (T, N) from 0 (missing) to 1. Missing joints are interpolated in time and held at the ends; a bone
        with an end that is never seen keeps to what it hangs on.
    skeleton
        A canonical skeleton to pose. By default one is made with the person's own bone lengths.
    layout
        A key of :data:`LAYOUTS`; by default the one that the names fit.

    Returns
    -------
    Posed
        Skeleton, rotations and root. Arms and legs point exactly where the joints say; on the person's own
        skeleton the joints lie where they were, but for what bones that change their length take away.

    Raises
    ------
    DataError
        On wrong shapes, on names that fit no layout, where hips, neck, shoulders, elbows or knees are never seen, and
        where all joints lie in one place.

    Examples
    --------
    >>> rest = maya().rest[:22]
    >>> posed = from_joints(rest[None], HUMANML3D)
    >>> bool(rot.angle(posed.rotations, rot.IDENTITY).max() < 1e-3)
    True
    """
    places = _landmarks(positions, names, confidence, layout)
    template = skeleton or maya()
    if template.names != JOINTS:
        raise DataError("from_joints: the skeleton has other joints than the canonical humanoid")
    if not len(places.values):
        return Posed(template, np.zeros((0, len(JOINTS), 4), np.float32), np.zeros((0, 3), np.float32))
    body = _Body(places, template, float(fps))
    own = body.proportions()
    local = own.local(body.world)
    local = rot.continuous(rot.normalise(local)).astype(np.float32)
    root = places.of("hips")
    if skeleton is None:
        return Posed(own, local, root.astype(np.float32))
    scale = skeleton.offsets[0, 1] / own.offsets[0, 1]
    return Posed(skeleton, local, (root * scale).astype(np.float32))


@dataclass(frozen=True)
class _Landmarks:
    """(T, L, 3) places with no gaps, (T, L) trust in them, and which were seen at all."""

    names: tuple[str, ...]
    values: Array
    trust: Array

    def __contains__(self, name: str) -> bool:
        return name in self.names and bool(self.trust[:, self.names.index(name)].any())

    def of(self, name: str) -> Array:
        return self.values[:, self.names.index(name)]

    def sure(self, *names: str) -> Array:
        """(T,) the least trust in any of these."""
        return np.min([self.trust[:, self.names.index(n)] for n in names], axis=0)


def _landmarks(
    positions: ArrayLike, names: tuple[str, ...], confidence: ArrayLike | None, layout: str | None
) -> _Landmarks:
    values = np.asarray(positions, dtype=np.float64)
    if values.ndim != 3 or values.shape[1:] != (len(names), 3):
        raise DataError(f"from_joints: positions {values.shape} for {len(names)} names; expected (T, N, 3)")
    fits = [k for k, table in LAYOUTS.items() if set(table.values()) <= set(names)]
    if not fits or layout not in (None, *fits):
        raise DataError(
            f"from_joints: the names fit {', '.join(fits) or 'no layout'}, expected {layout or ' or '.join(LAYOUTS)}"
        )
    table = LAYOUTS[layout or fits[0]]
    columns = [names.index(p) for p in table.values()]
    values = values[:, columns]
    if confidence is None:
        trust = (values != 0).any(axis=-1).astype(np.float64)
    else:
        trust = np.asarray(confidence, dtype=np.float64)
        if trust.shape != (len(values), len(names)):
            raise DataError(f"from_joints: confidence {trust.shape}; expected ({len(values)}, {len(names)})")
        trust = trust[:, columns]
    finite = np.isfinite(values).all(axis=-1)
    trust = np.where(finite, trust, 0.0)
    found = _Landmarks(tuple(table), fill(np.where(finite[..., None], values, 0), trust > 0), trust)
    never = [table[n] for n in _NEEDED if len(values) and n not in found]
    if never:
        raise DataError(f"from_joints: never seen: {', '.join(never)}; a body needs them")
    return found


class _Body:
    """World rotations of the 55 joints, one part after the other from the hips outwards."""

    def __init__(self, places: _Landmarks, template: Skeleton, fps: float) -> None:
        self.places, self.template, self.fps = places, template, fps
        self.rest = template.rest.astype(np.float64)
        self.world = np.tile(rot.IDENTITY.astype(np.float64), (len(places.values), len(JOINTS), 1))
        self._torso()
        for side, sign in (("left", 1.0), ("right", -1.0)):
            self._shoulder(side)
            self._limb(side, "Arm", np.array([0, -sign, 0]), _ARM_MIDDLE * [sign, 1, 1])
            self._limb(side, "Leg", np.array([1.0, 0, 0]), _LEG_MIDDLE * [sign, 1, 1])
            self._foot(side)
            self._hand(side)
        self._head()

    def _joint(self, name: str) -> Array:
        return self.rest[INDEX[name]]

    def _turn(self, name: str) -> Array:
        return self.world[:, INDEX[name]]

    def _set(self, name: str, world: Array) -> None:
        """Turn a joint, and with it all that hang on it."""
        self.world[:, INDEX[name]] = world
        below = {INDEX[name]}
        for j, parent in enumerate(PARENTS):
            if parent in below:
                below.add(j)
                self.world[:, j] = world

    def _way(self, start: str, end: str) -> Array:
        """(T, 3) the direction from one landmark to another."""
        p = self.places
        known = p.sure(start, end) > 0
        # Two joints that are seen, but never together: their places in between must do.
        return directions(p.of(end) - p.of(start), known | ~known.any())[0]

    def _swing(self, name: str, rest: Array, way: Array) -> None:
        """Turn a joint from what it hangs on the shortest way, until ``rest`` points along ``way``."""
        above = self._turn(JOINTS[PARENTS[INDEX[name]]])
        self._set(name, rot.multiply(rot.between(rot.rotate(above, rest), way), above))

    def _torso(self) -> None:
        p = self.places
        rest, seen = self._spine()
        x = np.array([1.0, 0, 0])
        hips = self._way("rightUpperLeg", "leftUpperLeg")
        collars = "Shoulder" if "leftShoulder" in p and "rightShoulder" in p else "UpperArm"
        shoulders = self._way(f"right{collars}", f"left{collars}")
        ways, _ = directions(np.diff(seen, axis=1), np.ones((len(seen), 4), dtype=bool))
        rests = np.diff(rest, axis=0)
        # The hips' line is met exactly, above it the spine: each vertebra points where it points.
        self._set("hips", align(x, rests[0], hips, ways[:, 0]))
        for k, name in enumerate(_SPINE[1:4], start=1):
            part = k / 3
            side = hips + (shoulders - hips) * part
            self._set(name, align(rests[k], x, ways[:, k], side))

    def _spine(self) -> tuple[Array, Array]:
        """(5, 3) and (T, 5, 3): places of the spine's joints at rest and in motion.

        Where only a waist is seen they lie on the lines below and above it, at rest as in motion.
        """
        p = self.places
        rest = np.array([self._joint(n) for n in _SPINE])
        if all(n in p for n in _SPINE):
            return rest, np.stack([p.of(n) for n in _SPINE], axis=1)
        arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(rest, axis=0), axis=1))])
        arc /= arc[-1]
        low, high = p.of("hips"), p.of("neck")
        if "waist" not in p:
            return rest[0] + arc[:, None] * (rest[-1] - rest[0]), low[:, None] + arc[:, None] * (high - low)[
                :, None
            ]
        waist = p.of("waist")
        below, above = (np.linalg.norm(v, axis=-1) for v in (waist - low, high - waist))
        sure = p.sure("hips", "waist", "neck") > 0
        at = float(
            np.clip(
                np.median((below / np.maximum(below + above, 1e-6))[sure]) if sure.any() else 0.5, 0.1, 0.9
            )
        )
        middle = np.array([np.interp(at, arc, rest[:, k]) for k in range(3)])
        weights = np.array([np.interp(arc, [0, at, 1], row) for row in np.eye(3)]).T
        return weights @ np.stack([rest[0], middle, rest[-1]]), np.einsum(
            "kl,tlc->tkc", weights, np.stack([low, waist, high], axis=1)
        )

    def _shoulder(self, side: str) -> None:
        name, end = f"{side}Shoulder", f"{side}UpperArm"
        if name in self.places:
            self._swing(name, self._joint(end) - self._joint(name), self._way(name, end))
            return
        # Cameras put the shoulder where they see it, not where a skeleton has it: how the two usually
        # lie in the chest's frame, both sides alike, is taken for the shoulder at rest.
        way, _ = directions(self._from_collar(side), self.places.sure(end, "neck") > 0)
        self._swing(name, self._usual_collar(side), way)

    def _from_collar(self, side: str) -> Array:
        """(T, 3) from where the collar bone begins, which no camera sees, to the shoulder."""
        neck_to_collar = (self._joint(f"{side}Shoulder") - self._joint("neck")) * self._torso_scale()
        start = self.places.of("neck") + rot.rotate(self._turn("upperChest"), neck_to_collar)
        return self.places.of(f"{side}UpperArm") - start

    def _usual_collar(self, side: str) -> Array:
        both = []
        for s in ("left", "right"):
            sure = self.places.sure(f"{s}UpperArm", "neck")
            local = rot.rotate(rot.conjugate(self._turn("upperChest")), self._from_collar(s))[
                sure >= sure.max()
            ]
            both.append(np.median(local, axis=0) * [1.0 if s == side else -1.0, 1, 1])
        return np.mean(both, axis=0)

    def _torso_scale(self) -> float:
        own = self._span("hips", "neck")
        return own / float(np.linalg.norm(self._joint("neck") - self._joint("hips"))) if own else 1.0

    def _limb(self, side: str, kind: str, hinge: Array, middle: Array) -> None:
        p = self.places
        upper, lower = f"{side}Upper{kind}", f"{side}Lower{kind}"
        end = f"{side}{'Hand' if kind == 'Arm' else 'Foot'}"
        u = self._way(upper, lower)
        bone = self._joint(lower) - self._joint(upper)
        trunk = self._turn("upperChest" if kind == "Arm" else "hips")
        middle = middle / np.linalg.norm(middle)
        swung = rot.multiply(
            rot.between(rot.rotate(trunk, middle), u), rot.multiply(trunk, rot.between(bone, middle))
        )
        spare = rot.rotate(swung, hinge)
        seen = end in p
        way = self._way(lower, end) if seen else u
        axis = bend_axis(u, way, spare, fps=self.fps, freedom=0.75 if kind == "Arm" else 0.0)
        self._set(upper, align(bone, hinge, u, axis))
        if seen:
            self._set(lower, align(self._joint(end) - self._joint(lower), hinge, way, axis))

    def _foot(self, side: str) -> None:
        ankle, toes = f"{side}Foot", f"{side}Toes"
        if ankle in self.places and toes in self.places:
            x = np.array([1.0, 0, 0])
            knee = rot.rotate(self._turn(f"{side}LowerLeg"), x)
            self._set(ankle, align(self._rest_foot(side), x, self._way(ankle, toes), knee))

    def _rest_foot(self, side: str) -> Array:
        """(3,) from ankle to toes at rest."""
        ankle, toes = f"{side}Foot", f"{side}Toes"
        rest = self._joint(toes) - self._joint(ankle)
        if "head" in self.places:
            return rest
        # A camera puts the foot's joint anywhere between instep and sole: 10° to 50° down from the ankle in
        # people who stand. What is usual in this clip while the foot stands is taken for one flat on the floor.
        sure = self.places.sure(ankle, toes)
        stands = sure >= sure.max()
        other = "right" if side == "left" else "left"
        if f"{other}Foot" in self.places and f"{other}Toes" in self.places:
            own, others = (self.places.of(f"{s}Foot") + self.places.of(f"{s}Toes") for s in (side, other))
            lower = own[:, 1] - others[:, 1] <= 0.2 * self._span(ankle, toes)
            stands = stands & lower if (stands & lower).any() else stands
        down = np.median(np.arcsin(np.clip(-self._way(ankle, toes)[stands, 1], -1, 1)))
        down = np.clip(down, 0, np.radians(60))
        return np.linalg.norm(rest) * np.array([0, -np.sin(down), np.cos(down)])

    def _hand(self, side: str) -> None:
        p, hand, palm = self.places, f"{side}Hand", f"{side}Palm"
        if hand in p and palm in p:
            # A palm that has slipped into the wrist points anywhere.
            away = p.of(palm) - p.of(hand)
            way, _ = directions(away, p.sure(hand, palm) > 0, shortest=0.5 * self._span(hand, palm))
            self._swing(hand, self._joint(f"{side}MiddleProximal") - self._joint(hand), way)

    def _head(self) -> None:
        p = self.places
        if "head" in p:
            self._swing("neck", self._joint("head") - self._joint("neck"), self._way("neck", "head"))
        elif "crown" in p:
            # Neck and head share the way: what is seen is one line from between the shoulders to the skull's middle.
            chest = self._turn("upperChest")
            whole = rot.multiply(rot.between(rot.rotate(chest, _CROWN), self._way("neck", "crown")), chest)
            self._set("neck", rot.slerp(chest, whole, np.full(len(chest), 0.5)))
            self._set("head", whole)

    def _span(self, start: str, end: str) -> float:
        """The usual distance of two landmarks, metres; 0 where they are never seen together."""
        p = self.places
        if start not in p or end not in p:
            return 0.0
        sure = p.sure(start, end)
        sure = sure >= sure.max() if sure.size else sure > 0
        length = np.linalg.norm(p.of(end) - p.of(start), axis=-1)[sure]
        return float(np.median(length)) if length.size else 0.0

    def proportions(self) -> Skeleton:
        """The canonical skeleton with the bone lengths that were seen, others in proportion."""
        p, offsets = self.places, self.template.offsets.astype(np.float64)
        rested = np.linalg.norm(offsets, axis=1)
        limbs = [(f"{s}Upper{k}", f"{s}Lower{k}") for s in ("left", "right") for k in ("Arm", "Leg")]
        seen = [self._span("hips", "neck"), *(self._span(*pair) for pair in limbs)]
        rest = [
            np.linalg.norm(self._joint("neck") - self._joint("hips")),
            *(rested[INDEX[b]] for _, b in limbs),
        ]
        scale = sum(seen) / sum(rest)
        if scale < 1e-3:
            raise DataError("from_joints: the joints lie in one place; expected metres")
        offsets *= scale
        for name in JOINTS[1:22]:
            j, above = INDEX[name], JOINTS[PARENTS[INDEX[name]]]
            length = self._span(above, name)
            if length > 1e-3:
                offsets[j] *= length / (rested[j] * scale)
        if not all(n in p for n in _SPINE):
            for name in _SPINE[1:]:
                offsets[INDEX[name]] *= self._torso_scale() / scale
        # What branches off a bone that does not point there lies where it was seen, in that bone's frame.
        for name in ("leftUpperLeg", "rightUpperLeg", "leftShoulder", "rightShoulder"):
            above = "hips" if name.endswith("Leg") else "upperChest"
            if name in p and above in p:
                away = p.of(name) - p.of(above)
                away = rot.rotate(rot.conjugate(self._turn(above)), away)
                offsets[INDEX[name]] = np.median(away, axis=0)
            elif name.endswith("Shoulder"):
                side = name.removesuffix("Shoulder")
                offsets[INDEX[name]] *= self._torso_scale() / scale
                offsets[INDEX[f"{side}UpperArm"]] = self._usual_collar(side)
        for side in ("left", "right"):
            if f"{side}Foot" in p and f"{side}Toes" in p:
                toes = INDEX[f"{side}Toes"]
                rest = self._rest_foot(side)
                offsets[toes] = rest * np.linalg.norm(offsets[toes]) / np.linalg.norm(rest)
        floor = self._joint("leftToes")[1] * scale
        offsets[0] = 0
        low = Skeleton(JOINTS, PARENTS, offsets.astype(np.float32)).rest[:, 1].min()
        offsets[0, 1] = floor - low
        return Skeleton(JOINTS, PARENTS, offsets.astype(np.float32))
