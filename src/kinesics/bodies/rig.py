"""A skeleton made ready for retargeting: which joint is which bone, and how its limbs lie in the T-pose."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import INDEX, JOINTS, PARENTS
from kinesics.bodies.skeletons import NECK, SPINE, Table, lacking, plain_names
from kinesics.errors import DataError
from kinesics.geometry import retarget as maths
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton

Array = NDArray[np.float64]
SIDES = ("left", "right")
PRONATION_SHARE = 0.72
"""How far the forearm's bone follows the palm where a skeleton has a joint for that turn alone; what the
rules' own arms do."""
HEEL, TIP = 0.06, 0.075  # of the leg's length, behind the ankle and before the joint of the toes (ours)
_AXES = {
    "L": (1.0, 0, 0), "R": (-1.0, 0, 0),
    "U": (0, 1.0, 0), "D": (0, -1.0, 0),
    "F": (0, 0, 1.0), "B": (0, 0, -1.0),
}  # fmt: skip


def _aims() -> dict[str, str]:
    """Canonical bone → the bone whose beginning it points at, for all that point where the source's point."""
    out = {}
    for side in SIDES:
        for bone, end in (("UpperArm", "LowerArm"), ("LowerArm", "Hand"), ("Hand", "MiddleProximal")):
            out[side + bone] = side + end
        for bone, end in (("UpperLeg", "LowerLeg"), ("LowerLeg", "Foot")):
            out[side + bone] = side + end
    for joint, parent in zip(JOINTS, PARENTS, strict=True):
        if parent >= INDEX["leftIndexProximal"]:
            out[JOINTS[parent]] = joint
    return out


_AIMS = _aims()


def leg_length(offsets: NDArray[np.float32]) -> float:
    """Of a canonical skeleton, metres."""
    return float(np.linalg.norm(offsets[INDEX["leftLowerLeg"]]) + np.linalg.norm(offsets[INDEX["leftFoot"]]))


@functools.lru_cache(maxsize=1)
def maya() -> Skeleton:
    """The avatar maya's skeleton, which stands for the humanoid where no other one is given."""
    # Of the avatar's file only the joints: its mesh and pictures take a second to unpack.
    with (resources.files("kinesics.bodies") / "data" / "maya.npz").open("rb") as file:
        joints = np.load(file, allow_pickle=False)["joints"]
    parents = np.array(PARENTS)
    return Skeleton(JOINTS, PARENTS, joints - np.where(parents[:, None] >= 0, joints[parents], 0))


@dataclass(frozen=True, eq=False)
class Rig:
    """A skeleton with its table, ready to be read from and written to.

    ``joint`` maps canonical bones to the joints they are read from, ``bones`` joints to the bones they are given;
    ``twisting`` are joints that twist a bone from within, ``spine`` and ``neck`` the chains; ``pose`` (J, 4) are the
    joints' world rotations in the T-pose of the humanoid that it is compared with; ``sole`` says where the
    sole is below ankle and toes.
    """

    skeleton: Skeleton
    bones: Mapping[int, str]
    joint: Mapping[str, int]
    twisting: Mapping[str, int]
    spine: tuple[int, ...]
    neck: tuple[int, ...]
    pose: Array
    leg: float
    sole: Mapping[str, tuple[tuple[Array, Array], Array]]

    @classmethod
    def of(cls, body: Skeleton, known: Table, hub: Skeleton) -> Rig:
        """Prepare a skeleton; ``hub`` is the canonical one whose T-pose it is put into."""
        place: dict[str, int] = {}
        for i, plain in enumerate(plain_names(body.names)):
            place.setdefault(plain, i)
        missing = lacking(known, set(place))
        if missing:
            raise DataError(f"skeleton: taken for {known.name!r}, but it lacks: {', '.join(missing)}")

        def found(joints: tuple[str, ...]) -> tuple[int, ...]:
            return tuple(place[n] for n in plain_names(joints) if n in place)

        bones = {i[0]: b[0] for j, b in known.bones.items() if b and (i := found((j,)))}
        joint = {b: i[0] for b, j in known.joint_of.items() if (i := found((j,)))}
        twisting = {
            bone: joint[bone] for j, bone in bones.items() if j != joint[bone] and bone == bones[joint[bone]]
        }
        joint |= {bone: j for j, bone in bones.items()}
        bones |= {wrist: JOINTS[PARENTS[INDEX[hand]]] for hand, wrist in twisting.items()}
        tips = {b: i[0] for j, b in known.tips.items() if (i := found((j,)))}
        zero, standing = body.rest.astype(np.float64), hub.rest.astype(np.float64)
        rest = zero
        base = _standing(joint, rest)
        framed = base is None
        if base is None:
            if not known.frames:
                raise DataError(
                    f"skeleton: in its rest pose ({known.name!r}) the head is not above the hips and these above the "
                    "feet; expected a person standing, in a T or an A or with arms down"
                )
            base = _framed(len(body), {i[0]: f for j, f in known.frames.items() if (i := found((j,)))})
        else:
            rest, base = rot.rotate(base, rest), np.tile(base, (len(body), 1))
        aims = {}
        for j, bone in bones.items():
            end, aim = _aim(bone, joint, tips, standing)
            if end is not None and np.linalg.norm(zero[end] - zero[j]) > 1e-4:
                aims[j] = zero[end] - zero[j], aim
        legs = [
            np.linalg.norm(zero[joint[s + a]] - zero[joint[s + b]])
            for s in SIDES
            for a, b in (("UpperLeg", "LowerLeg"), ("LowerLeg", "Foot"))
        ]
        if not min(legs) > 0:
            raise DataError("skeleton: a leg has no length")
        leg = float(np.sum(legs)) / 2
        feet = {
            joint[f"{s}Foot"]: _framed_foot(joint, rest, s, base, leg, hub)
            if framed
            else _standing_foot(joint, rest, s, standing)
            for s in SIDES
        }
        pose = maths.pose(body.parents, base, aims, feet)
        flat, _ = body.forward(body.local(pose), np.zeros(3))
        sole = {s: _sole(body, joint, flat, leg, s, hub) for s in SIDES}
        return cls(body, bones, joint, twisting, found(known.spine), found(known.neck), pose, leg, sole)

    def read(self, world: Array) -> Array:
        """World rotations (T, J, 4) as turns (T, 55, 4) of the canonical bones out of the T-pose."""
        own = rot.multiply(world, rot.conjugate(self.pose))
        turns = np.empty((len(world), len(JOINTS), 4))
        turns[:, 0] = own[:, self.joint["hips"]]
        turns[:, [INDEX[b] for b in SPINE]] = maths.spread(turns[:, 0], own[:, self.spine], len(SPINE))
        head = own[:, self.joint["head"]]
        chest = turns[:, INDEX["upperChest"]]
        if self.neck:
            # One joint stands for all: its turn is that halfway up the neck.
            middle = (len(self.neck) - 1) / 2
            below, above = own[:, self.neck[math.floor(middle)]], own[:, self.neck[math.ceil(middle)]]
            turns[:, INDEX["neck"]] = rot.slerp(below, above, np.full(len(own), middle % 1))
        else:
            turns[:, INDEX["neck"]] = rot.slerp(chest, head, np.full(len(own), 0.5))
        for i, bone in enumerate(JOINTS):
            if bone in self.joint:
                turns[:, i] = own[:, self.joint[bone]]
            elif i and bone not in SPINE + NECK:
                turns[:, i] = turns[:, PARENTS[i]]
        for hand, wrist in self.twisting.items():
            # A joint that is only there to turn the palm: flesh turns with it all along the forearm.
            lower = PARENTS[INDEX[hand]]
            along = np.array([1.0 if hand.startswith("left") else -1.0, 0, 0])
            _, twist = rot.swing_twist(rot.multiply(rot.conjugate(turns[:, lower]), own[:, wrist]), along)
            part = rot.slerp(
                np.broadcast_to(rot.IDENTITY, twist.shape), twist, np.full(len(own), PRONATION_SHARE)
            )
            turns[:, lower] = rot.multiply(turns[:, lower], part)
        return turns

    def write(self, turns: Array) -> Array:
        """Turns of the canonical bones (T, 55, 4) as world rotations (T, J, 4)."""
        own = np.empty((len(turns), len(self.skeleton), 4))
        spine = maths.spread(turns[:, 0], turns[:, [INDEX[b] for b in SPINE]], len(self.spine))
        chains = dict(zip(self.spine, np.moveaxis(spine, 1, 0), strict=True))
        chains |= dict.fromkeys(self.neck, turns[:, INDEX["neck"]])
        for j, p in enumerate(self.skeleton.parents):
            if j in chains:
                own[:, j] = chains[j]
            elif j in self.bones:
                own[:, j] = turns[:, INDEX[self.bones[j]]]
            elif p < 0:  # what stands above the hips stays where it is
                own[:, j] = rot.conjugate(self.pose[j])
            else:
                own[:, j] = own[:, p]
        return rot.multiply(own, self.pose)

    def hips(self, places: Array) -> Array:
        """(T, 3) the middle of the hip joints."""
        return places[:, [self.joint[f"{s}UpperLeg"] for s in SIDES]].mean(axis=1)

    @property
    def has_toes(self) -> bool:
        """Whether its toes can bend."""
        return "leftToes" in self.joint and "rightToes" in self.joint

    def soles(self, places: Array, turns: Array) -> Array:
        """(T, 6, 3) heel, ball and tip of both soles."""
        out = []
        for side, (points, toe_joint) in self.sole.items():
            foot, toes = turns[:, INDEX[f"{side}Foot"]], turns[:, INDEX[f"{side}Toes"]]
            ankle = places[:, self.joint[f"{side}Foot"]]
            out.append(maths.soles(ankle, foot, toes, points, toe_joint))
        return np.concatenate(out, axis=1)


def _aim(
    bone: str, joint: Mapping[str, int], tips: Mapping[str, int], standing: Array
) -> tuple[int | None, Array]:
    """The joint at the end of a bone, and where it lies from its beginning in the T-pose."""
    if bone in _AIMS:
        end = _AIMS[bone]
        return joint.get(end), standing[INDEX[end]] - standing[INDEX[bone]]
    if bone.endswith("Distal"):  # fingers end straight
        return tips.get(bone), standing[INDEX[bone]] - standing[PARENTS[INDEX[bone]]]
    return None, np.zeros(3)


def _standing(joint: Mapping[str, int], rest: Array) -> Array | None:
    """The turn (4,) about the vertical that makes a person at rest face +Z; None where nobody stands."""
    hips, head = rest[joint["hips"]], rest[joint["head"]]
    ankles = rest[[joint[f"{s}Foot"] for s in SIDES]]
    up, down = head - hips, hips - ankles
    if up[1] < 0.7 * np.linalg.norm(up) or (down[:, 1] < 0.7 * np.linalg.norm(down, axis=1)).any():
        return None
    pairs = [(joint[f"left{b}"], joint[f"right{b}"]) for b in ("UpperLeg", "UpperArm")]
    lateral = sum((rest[a] - rest[b] for a, b in pairs), np.zeros(3))
    return maths.facing(lateral)


def _framed(count: int, frames: Mapping[int, str]) -> Array:
    """World rotations (J, 4) in the T-pose of joints whose axes are named."""
    base = np.tile(np.array([1.0, 0, 0, 0]), (count, 1))
    for j, axes in frames.items():
        base[j] = rot.from_matrix(np.array([_AXES[a] for a in axes]).T)
    return base


def _standing_foot(joint: Mapping[str, int], rest: Array, side: str, standing: Array) -> Array:
    """The turn (4,) of a foot from rest into the T-pose.

    It follows its leg to the side, as legs at rest may be spread, but not to the front: soles are flat in both.
    Then it is made to point as the humanoid's does.
    """
    hip, ankle = f"{side}UpperLeg", f"{side}Foot"
    now, aim = rest[joint[ankle]] - rest[joint[hip]], standing[INDEX[ankle]] - standing[INDEX[hip]]
    spread = np.arctan2(aim[0], -aim[1]) - np.arctan2(now[0], -now[1])
    turn = rot.from_axis_angle(np.array([0.0, 0, 1]), spread)
    toes = joint.get(f"{side}Toes")
    if toes is None:
        return turn
    now = rot.rotate(turn, rest[toes] - rest[joint[ankle]])
    aim = standing[INDEX[f"{side}Toes"]] - standing[INDEX[ankle]]
    heading = np.arctan2(aim[0], aim[2]) - np.arctan2(now[0], now[2])
    return rot.multiply(rot.from_axis_angle(np.array([0.0, 1, 0]), heading), turn)


def _framed_foot(
    joint: Mapping[str, int], rest: Array, side: str, base: Array, leg: float, hub: Skeleton
) -> Array:
    """The same where the zero pose does not show a flat foot.

    The root's height at rest leaves the ankle's when the legs are straight; the joint of the toes is as high as
    the humanoid's, to scale. Between them the foot slants.
    """
    toes, ankle, hips = joint.get(f"{side}Toes"), joint[f"{side}Foot"], joint["hips"]
    if toes is None:
        return np.array([1.0, 0, 0, 0])
    below = rot.rotate(base[hips], rest[joint[f"{side}UpperLeg"]] - rest[hips])[1]
    height = float(rest[hips, 1] + below) - leg
    ball = leg * _ball_height(hub, side)
    usual = ball - leg / leg_length(hub.offsets) * float(hub.offsets[INDEX[f"{side}Toes"], 1])
    if not 0.5 * usual < height < 2 * usual:
        height = usual
    length = max(float(np.linalg.norm(rest[toes] - rest[ankle])), 1e-6)
    slant = np.arcsin(np.clip((height - ball) / length, 0, 0.9))
    return rot.from_axis_angle(np.array([1.0, 0, 0]), slant)


def _ball_height(person: Skeleton, side: str) -> float:
    """Height of the joint of the toes of a canonical humanoid that stands, in lengths of the leg."""
    bone = INDEX[f"{side}Toes"]
    ratio = float(person.rest[bone, 1]) / leg_length(person.offsets)
    # It stands on height 0 at rest, in shoes of its own; but a file may have put it elsewhere.
    return ratio if 0 < ratio < 0.1 else float(maya().rest[bone, 1]) / leg_length(maya().offsets)


def _sole(
    body: Skeleton, joint: Mapping[str, int], flat: Array, leg: float, side: str, hub: Skeleton
) -> tuple[tuple[Array, Array], Array]:
    """Heel and ball from the ankle, tip from the joint of the toes, and that joint from the ankle."""
    person = body if body.names == JOINTS else hub
    height = leg * _ball_height(person, side)
    toes = joint.get(f"{side}Toes")
    if toes is None:
        way = leg / leg_length(person.offsets) * person.offsets[INDEX[f"{side}Toes"]].astype(np.float64)
    else:
        way = flat[toes] - flat[joint[f"{side}Foot"]]
    ball = np.array([way[0], way[1] - height, way[2]])
    heel = np.array([0.0, ball[1], -HEEL * leg])
    return (np.array([heel, ball]), np.array([[0.0, -height, TIP * leg]])), way
