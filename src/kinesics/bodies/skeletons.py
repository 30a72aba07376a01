"""The skeletons that motions come on, and what each of their joints is on the canonical humanoid.

Every table is a tree: a joint's children stand indented below it, and behind its name stands what it is:

- a canonical bone (several with ``+``: the joint turns all of them, and is read from the first; where two joints
  are the same bone, the inner one only twists it, and it is read from the outer one),
- ``spine*`` or ``neck*``: one of a chain of any length between hips and shoulders, or shoulders and head,
- ``>bone``: the tip of that bone, with no turn of its own,
- nothing: a joint that people do not have; it rests, and stands where its parent does.

``@`` and bones joined by ``+`` say where a joint stands when it is not where its bone begins: at their mean.
A line that begins with ``*`` stands for both sides: it is written for the left, and the right is its mirror.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kinesics.bodies.humanoid import JOINTS, PARENTS

_FINGERS = ("Index", "Middle", "Ring", "Pinky")
_PARTS = ("Proximal", "Intermediate", "Distal")
_THUMB = ("Metacarpal", "Proximal", "Distal")

SPINE: tuple[str, ...] = ("spine", "chest", "upperChest")
"""The canonical chain between hips and shoulders."""

NECK: tuple[str, ...] = ("neck",)
"""The canonical chain between shoulders and head."""


@dataclass(frozen=True)
class Table:
    """One known skeleton.

    Parameters
    ----------
    name, title
        Short name, and what it is.
    joints
        Names in the order of its files.
    parents
        Index of each joint's parent, -1 for the root. Parents need not come first.
    bones
        For each joint the canonical bones it turns, the first being the one it is read from; empty where it
        turns none.
    spine, neck
        Names of the joints of the two chains, from below; they are not in ``bones``.
    tips
        Joint → canonical bone whose tip it is.
    places
        Joint → canonical bones at whose mean it stands, where that is not its own bone's beginning.
    frames
        Joint → what its local x, y and z axes are in the T-pose, for files whose zero pose is no human pose:
        three of ``L R U D F B`` (the person's left, right, up, down, front, back). Empty: world-aligned.
    """

    name: str
    title: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    bones: Mapping[str, tuple[str, ...]]
    spine: tuple[str, ...] = ()
    neck: tuple[str, ...] = ()
    tips: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    frames: Mapping[str, str] = field(default_factory=dict)

    @functools.cached_property
    def joint_of(self) -> dict[str, str]:
        """Canonical bone → the joint where it begins; without the chains."""
        out: dict[str, str] = {}
        for joint, bones in self.bones.items():
            if bones:
                out.setdefault(bones[0], joint)
        for joint, bones in self.bones.items():
            for bone in bones[1:]:
                out.setdefault(bone, joint)
        return out

    @functools.cached_property
    def canonical(self) -> dict[str, str]:
        """Joint → the one canonical bone it is nearest to, the chains spread over theirs."""
        out = {joint: bones[0] for joint, bones in self.bones.items() if bones}
        for chain, bones in ((self.spine, SPINE), (self.neck, NECK)):
            for k, joint in enumerate(chain):
                out[joint] = bones[round(k * (len(bones) - 1) / max(len(chain) - 1, 1))]
        return out

    @property
    def needed(self) -> tuple[str, ...]:
        """Joints without which a skeleton is not this one, besides one of the spine."""
        limbs = [f"{s}{b}" for s in ("left", "right") for b in _LIMBS]
        return tuple(self.joint_of[b] for b in ["hips", "head", *limbs])


_LIMBS = ("UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand")


_SIDES = (("Left", "Right"), ("_L$", "_R"), ("_l$", "_r"), ("^L(?=[A-Z])", "R"), ("^l(?=[A-Z])", "r"))


def _right(joint: str) -> str:
    """The mirror image of a left joint's name."""
    for left, right in _SIDES:
        if re.search(left, joint):
            return re.sub(left, right, joint, count=1)
    return joint


def _parse(name: str, title: str, text: str, frames: Mapping[str, str] | None = None) -> Table:
    """A table from its tree."""
    rows: list[tuple[str, int, str]] = []

    def add(lines: list[tuple[int, str]], parent: int, mirror: bool) -> None:
        i = 0
        while i < len(lines):
            depth, line = lines[i]
            end = next((k for k in range(i + 1, len(lines)) if lines[k][0] <= depth), len(lines))
            both = line.startswith("*")
            for right in (False, True) if both else (mirror,):
                joint, _, what = line.lstrip("*").partition(" ")
                if right:
                    joint, what = _right(joint), what.replace("left", "right")
                rows.append((joint, parent, what.strip()))
                add(lines[i + 1 : end], len(rows) - 1, right)
            i = end

    stripped = [line for line in text.splitlines() if line.strip()]
    add([(len(line) - len(line.lstrip()), line.strip()) for line in stripped], -1, False)
    bones, tips, places = {}, {}, {}
    chains: dict[str, list[str]] = {"spine*": [], "neck*": []}
    for joint, _, what in rows:
        what, _, place = what.partition("@")
        if place:
            places[joint] = tuple(place.split("+"))
        if what in chains:
            chains[what].append(joint)
        elif what.startswith(">"):
            tips[joint] = what[1:]
        else:
            bones[joint] = tuple(what.split("+")) if what else ()
    return Table(
        name,
        title,
        tuple(r[0] for r in rows),
        tuple(r[1] for r in rows),
        bones,
        tuple(chains["spine*"]),
        tuple(chains["neck*"]),
        tips,
        places,
        frames or {},
    )


def _finger(name: str, bone: str, depth: int) -> str:
    """Four joints one below the other, the last being the tip."""
    parts = _THUMB if bone == "Thumb" else _PARTS
    whats = [*(f"left{bone}{part}" for part in parts), f">left{bone}Distal"]
    return "\n".join(f"{'  ' * (depth + k)}{name}{k + 1} {what}" for k, what in enumerate(whats))


_CMU = """
Hips hips
  *LHipJoint
    LeftUpLeg leftUpperLeg
      LeftLeg leftLowerLeg
        LeftFoot leftFoot
          LeftToeBase leftToes
  LowerBack spine*
    Spine spine*
      Spine1 spine*
        Neck neck*
          Neck1 neck*
            Head head
        *LeftShoulder leftShoulder
          LeftArm leftUpperArm
            LeftForeArm leftLowerArm
              LeftHand leftHand
                LeftFingerBase leftHand
                  LeftHandIndex1 leftMiddleProximal+leftIndexProximal+leftRingProximal+leftLittleProximal
                LThumb leftThumbMetacarpal
"""

_CMU_DAZ = """
hip hips
  abdomen spine*
    chest spine*
      neck neck*
        head head
          leftEye leftEye
          rightEye rightEye
      *lCollar leftShoulder
        lShldr leftUpperArm
          lForeArm leftLowerArm
            lHand leftHand
              lThumb1 leftThumbMetacarpal
                lThumb2 leftThumbProximal
              lIndex1 leftIndexProximal
                lIndex2 leftIndexIntermediate
              lMid1 leftMiddleProximal
                lMid2 leftMiddleIntermediate
              lRing1 leftRingProximal
                lRing2 leftRingIntermediate
              lPinky1 leftLittleProximal
                lPinky2 leftLittleIntermediate
  *lButtock
    lThigh leftUpperLeg
      lShin leftLowerLeg
        lFoot leftFoot
"""

_BEAT = f"""
Hips hips
  Spine spine*
    Spine1 spine*
      Spine2 spine*
        Spine3 spine*
          Neck neck*
            Neck1 neck*
              Head head
                HeadEnd >head
          *LeftShoulder leftShoulder
            LeftArm leftUpperArm
              LeftForeArm leftLowerArm
                LeftHand leftHand
{_finger("LeftHandMiddle", "Middle", 9)}
                  LeftHandRing
{_finger("LeftHandRing", "Ring", 10)}
                    LeftHandPinky
{_finger("LeftHandPinky", "Little", 11)}
                  LeftHandIndex
{_finger("LeftHandIndex", "Index", 10)}
{_finger("LeftHandThumb", "Thumb", 10)}
  *LeftUpLeg leftUpperLeg
    LeftLeg leftLowerLeg
      LeftFoot leftFoot
        LeftForeFoot
          LeftToeBase leftToes
            LeftToeBaseEnd >leftToes
"""

_BANDAI_NAMCO = """
Hips hips
  Spine spine*
    Chest spine*
      Neck neck*
        Head head
      *Shoulder_L leftShoulder
        UpperArm_L leftUpperArm
          LowerArm_L leftLowerArm
            Hand_L leftHand
  *UpperLeg_L leftUpperLeg
    LowerLeg_L leftLowerLeg
      Foot_L leftFoot
        Toes_L leftToes
"""

# The x axis runs along the bone, on the right side against it; knees, elbows and ankles bend about y.
_BANDAI_FRAMES = {
    "Hips": "URF",
    **dict.fromkeys(("Spine", "Chest", "Neck", "Head"), "UFL"),
    **dict.fromkeys(("Shoulder_L", "UpperArm_L", "LowerArm_L", "Hand_L"), "LUF"),
    **dict.fromkeys(("Shoulder_R", "UpperArm_R", "LowerArm_R", "Hand_R"), "LDB"),
    **dict.fromkeys(("UpperLeg_L", "LowerLeg_L"), "DLF"),
    **dict.fromkeys(("UpperLeg_R", "LowerLeg_R"), "ULB"),
    **dict.fromkeys(("Foot_L", "Toes_L"), "FLU"),
    **dict.fromkeys(("Foot_R", "Toes_R"), "BLD"),
}

_MIXAMO = f"""
Hips hips
  Spine spine*
    Spine1 spine*
      Spine2 spine*
        Neck neck*
          Head head
            HeadTop_End >head
            LeftEye leftEye
            RightEye rightEye
        *LeftShoulder leftShoulder
          LeftArm leftUpperArm
            LeftForeArm leftLowerArm
              LeftHand leftHand
{chr(10).join(_finger(f"LeftHand{f}", {"Pinky": "Little"}.get(f, f), 8) for f in ("Thumb", *_FINGERS))}
  *LeftUpLeg leftUpperLeg
    LeftLeg leftLowerLeg
      LeftFoot leftFoot
        LeftToeBase leftToes
          LeftToe_End >leftToes
"""

_BIOVISION = """
Hips hips
  Chest spine*
    Chest2 spine*
      Chest3 spine*
        Chest4 spine*
          Neck neck*
            Head head
          *LeftCollar leftShoulder
            LeftShoulder leftUpperArm
              LeftElbow leftLowerArm
                LeftWrist leftHand
  *LeftHip leftUpperLeg
    LeftKnee leftLowerLeg
      LeftAnkle leftFoot
        LeftToe leftToes
"""

_UNREAL_FINGERS = "\n".join(
    f"{'  ' * (8 + k)}{name}_0{k + 1}_l left{bone}{part}"
    for name, bone in zip(
        ("thumb", "index", "middle", "ring", "pinky"), ("Thumb", *_FINGERS[:3], "Little"), strict=True
    )
    for k, part in enumerate(_THUMB if bone == "Thumb" else _PARTS)
)
_UNREAL = f"""
pelvis hips
  spine_01 spine*
    spine_02 spine*
      spine_03 spine*
        neck_01 neck*
          head head
        *clavicle_l leftShoulder
          upperarm_l leftUpperArm
            lowerarm_l leftLowerArm
              hand_l leftHand
{_UNREAL_FINGERS}
  *thigh_l leftUpperLeg
    calf_l leftLowerLeg
      foot_l leftFoot
        ball_l leftToes
"""

# Shoulders hang on the spine here, not on ShoulderCenter: that joint turns with the neck.
_KINECT20 = """
HipCenter hips
  Spine spine*@chest
    ShoulderCenter neck*@leftUpperArm+rightUpperArm
      Head head
    *ShoulderLeft leftUpperArm
      ElbowLeft leftLowerArm
        WristLeft leftHand
          HandLeft leftMiddleProximal
  *HipLeft leftUpperLeg
    KneeLeft leftLowerLeg
      AnkleLeft leftFoot
        FootLeft leftToes
"""

_KINECT25 = """
SpineBase hips
  SpineMid spine*@chest
    SpineShoulder spine*@leftUpperArm+rightUpperArm
      Neck neck*
        Head head
      *ShoulderLeft leftUpperArm
        ElbowLeft leftLowerArm
          WristLeft leftHand
            HandLeft leftMiddleProximal
              HandTipLeft leftMiddleDistal
            ThumbLeft leftThumbDistal
  *HipLeft leftUpperLeg
    KneeLeft leftLowerLeg
      AnkleLeft leftFoot
        FootLeft leftToes
"""

_KINECT20_ORDER = (
    "HipCenter", "Spine", "ShoulderCenter", "Head",
    "ShoulderLeft", "ElbowLeft", "WristLeft", "HandLeft",
    "ShoulderRight", "ElbowRight", "WristRight", "HandRight",
    "HipLeft", "KneeLeft", "AnkleLeft", "FootLeft",
    "HipRight", "KneeRight", "AnkleRight", "FootRight",
)  # fmt: skip

_KINECT25_ORDER = (
    "SpineBase", "SpineMid", "Neck", "Head",
    "ShoulderLeft", "ElbowLeft", "WristLeft", "HandLeft",
    "ShoulderRight", "ElbowRight", "WristRight", "HandRight",
    "HipLeft", "KneeLeft", "AnkleLeft", "FootLeft",
    "HipRight", "KneeRight", "AnkleRight", "FootRight",
    "SpineShoulder", "HandTipLeft", "ThumbLeft", "HandTipRight", "ThumbRight",
)  # fmt: skip

_SMPL = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
_SMPL_FACE = ("jaw", "left_eye_smplhf", "right_eye_smplhf")
_SMPL_HANDS = tuple(
    f"{side}_{finger}{k}"
    for side in ("left", "right")
    for finger in ("index", "middle", "pinky", "ring", "thumb")
    for k in (1, 2, 3)
)


def _reordered(table: Table, order: tuple[str, ...]) -> Table:
    index = {n: i for i, n in enumerate(order)}
    parent = {
        j: table.joints[p] if p >= 0 else None for j, p in zip(table.joints, table.parents, strict=True)
    }
    parents = tuple(index[p] if (p := parent[j]) is not None else -1 for j in order)
    return replace(table, joints=order, parents=parents)


def _like_canonical(name: str, title: str, names: tuple[str, ...], bones: tuple[str, ...]) -> Table:
    """A skeleton whose joints are canonical bones one by one, in the order given."""
    canonical = dict(zip(JOINTS, PARENTS, strict=True))
    index = {b: i for i, b in enumerate(bones)}
    parents = tuple(index[JOINTS[canonical[b]]] if canonical[b] >= 0 else -1 for b in bones)
    pairs = list(zip(names, bones, strict=True))
    return Table(
        name,
        title,
        names,
        parents,
        {j: (b,) for j, b in pairs if b not in SPINE + NECK},
        tuple(j for j, b in pairs if b in SPINE),
        tuple(j for j, b in pairs if b in NECK),
    )


def _smpl24() -> Table:
    joints = (*_SMPL, "left_hand", "right_hand")
    bones = (*JOINTS[:22], "leftMiddleProximal", "rightMiddleProximal")
    return _like_canonical("smpl", "SMPL, 24 joints", joints, bones)


def _vrm0() -> Table:
    # VRM 0.x calls the thumb's three bones proximal, intermediate and distal.
    def old(bone: str) -> str:
        return bone.replace("ThumbProximal", "ThumbIntermediate").replace("ThumbMetacarpal", "ThumbProximal")

    return _like_canonical("vrm0", "VRM 0.x", tuple(map(old, JOINTS)), JOINTS)


_SMPLH_BONES = (*JOINTS[:22], *JOINTS[25:])

TABLES: dict[str, Table] = {
    t.name: t
    for t in (
        _like_canonical("humanoid", "the canonical humanoid: VRM 1.0", JOINTS, JOINTS),
        _parse("bandai_namco", "Bandai-Namco Research motion dataset", _BANDAI_NAMCO, _BANDAI_FRAMES),
        _parse("beat", "BEAT, 75 joints", _BEAT),
        _parse("biovision", "Biovision's names, as in many older BVH files", _BIOVISION),
        _parse("cmu", "CMU, MotionBuilder and ASF names, and Xia's styled motion", _CMU),
        _parse("cmu_daz", "CMU, DAZ names", _CMU_DAZ),
        _reordered(_parse("kinect20", "Kinect for Windows, 20 joints", _KINECT20), _KINECT20_ORDER),
        _reordered(_parse("kinect25", "Kinect v2, 25 joints", _KINECT25), _KINECT25_ORDER),
        _parse("mixamo", "Mixamo", _MIXAMO),
        _parse("unreal", "Unreal's mannequin", _UNREAL),
        _smpl24(),
        _like_canonical("smpl22", "SMPL's body, 22 joints: HumanML3D, AMASS", _SMPL, JOINTS[:22]),
        _like_canonical("smplh", "SMPL-H, 52 joints", (*_SMPL, *_SMPL_HANDS), _SMPLH_BONES),
        _like_canonical("smplx", "SMPL-X, 55 joints", (*_SMPL, *_SMPL_FACE, *_SMPL_HANDS), JOINTS),
        _vrm0(),
    )
}  # fmt: skip
"""Every known skeleton by its short name."""

ALIASES: dict[str, str] = {"vrm": "humanoid", "vrm1": "humanoid", "xia": "cmu", "humanml3d": "smpl22", "ntu": "kinect25"}  # fmt: skip
"""Other names for them."""


def lacking(known: Table, plain: Iterable[str]) -> list[str]:
    """Joints that a skeleton with these :func:`plain_names` lacks and needs to be the known one."""
    there = set(plain)
    out = [j for j, name in zip(known.needed, plain_names(known.needed), strict=True) if name not in there]
    if not there & set(plain_names(known.spine)):
        out.append(" or ".join(known.spine))
    return out


_SAME = {"lefteye": "lefteyesmplhf", "righteye": "righteyesmplhf"}


@functools.lru_cache(maxsize=256)
def plain_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names without prefix, case, underscores, blanks, dots and dashes; ``L_`` and ``R_`` in full.

    >>> plain_names(("mixamorig:LeftUpLeg", "L_Hip", "Left_Hip"))
    ('leftupleg', 'lefthip', 'lefthip')
    """
    return tuple(map(_plain, names))


def _plain(name: str) -> str:
    name = re.sub(r"^(.*[:|])?(mixamorig\d*[_ ]?)?([mf]_avg_)?", "", name)
    name = re.sub(r"^([LR])_", lambda m: {"L": "left", "R": "right"}[m[1]], name)
    name = re.sub(r"[\s_.\-]", "", name).lower()
    return _SAME.get(name, name)
