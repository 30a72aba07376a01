"""From the 163-bone rest pose (arms 48° down) to a 55-joint T-pose.

The 55-joint weights are folded first, and the T-pose is found by *inverse* skinning: it is the
shape that gives back the sculpted rest pose exactly when the arms are lowered again. Shoulders,
elbows and hips therefore look as the artist made them where people hold their arms, and what
linear blending costs is paid in the T-pose, which nobody performs.
"""

from __future__ import annotations

import numpy as np

from avatars import source
from kinesics.bodies.humanoid import INDEX, JOINTS, PARENTS, mirror_index

FINGER = {"Thumb": 1, "Index": 2, "Middle": 3, "Ring": 4, "Little": 5}
TRUNK = {
    "hips": "root spine05 pelvis.L pelvis.R".split(),
    "spine": "spine04 spine03".split(),
    "chest": "spine02 breast.L breast.R".split(),
    "upperChest": ["spine01"],
    "neck": "neck01 neck02 neck03".split(),
}
LIMBS = {
    "UpperLeg": "upperleg01 upperleg02",
    "LowerLeg": "lowerleg01 lowerleg02",
    "Foot": "foot",
    "Toes": " ".join(f"toe{t}-{p}" for t in range(1, 6) for p in range(1, 4) if (t, p) != (1, 3)),
    "Shoulder": "clavicle shoulder01",
    "UpperArm": "upperarm01 upperarm02",
    "LowerArm": "lowerarm01 lowerarm02",
    "Hand": "wrist metacarpal1 metacarpal2 metacarpal3 metacarpal4",
    "Eye": "eye",
}
HEADS = {
    "hips": "spine05",
    "spine": "spine04",
    "chest": "spine02",
    "upperChest": "spine01",
    "neck": "neck01",
    "head": "head",
    "jaw": "jaw",
}


def bones_of() -> dict[str, str]:
    """Canonical joint for each of the 163 bones; face bones, tongue and jaw go to the head.

    The jaw joint carries no weight: opening the mouth is the morph ``jawOpen`` (skin, lower teeth
    and tongue together), so the joint is for other formats and never opens the mouth twice.
    """
    joint = {bone: name for name, bones in TRUNK.items() for bone in bones}
    for side, s in (("left", "L"), ("right", "R")):
        for name, bones in LIMBS.items():
            joint.update({f"{b}.{s}": side + name for b in bones.split()})
        for finger, number in FINGER.items():
            for part, joint_name in enumerate(finger_joints(side, finger), start=1):
                joint[f"finger{number}-{part}.{s}"] = joint_name
    return {bone: joint.get(bone, "head") for bone in source.rig()[0]}


def finger_joints(side: str, finger: str) -> list[str]:
    """Names of a finger's three joints from the palm outwards."""
    parts = (
        ("Metacarpal", "Proximal", "Distal") if finger == "Thumb" else ("Proximal", "Intermediate", "Distal")
    )
    return [f"{side}{finger}{part}" for part in parts]


def fold_weights() -> np.ndarray:
    """(19158, 55) weights of the 163 bones summed into the canonical joints, rows sum to one."""
    folded = np.zeros((source.VERTICES, len(JOINTS)))
    for bone, name in bones_of().items():
        folded[:, INDEX[name]] += source.rig()[1][bone]
    return folded / folded.sum(1, keepdims=True)


def rest_joints(vertices: np.ndarray) -> np.ndarray:
    """(55, 3) joint positions in the sculpted rest pose, the eyes at the eyeball centres."""
    joints = np.zeros((len(JOINTS), 3))
    for name, bone in HEADS.items():
        joints[INDEX[name]] = source.bone_point(vertices, bone)
    for side, s in (("left", "L"), ("right", "R")):
        for name, bones in LIMBS.items():
            joints[INDEX[side + name]] = source.bone_point(vertices, f"{bones.split()[0]}.{s}")
        joints[INDEX[f"{side}Toes"]] = np.mean(
            [source.bone_point(vertices, f"toe{t}-1.{s}") for t in (1, 2, 3, 4)], axis=0
        )
        for finger, number in FINGER.items():
            for part, name in enumerate(finger_joints(side, finger), start=1):
                joints[INDEX[name]] = source.bone_point(vertices, f"finger{number}-{part}.{s}")
        eye = source.base().groups[f"helper-{s.lower()}-eye"]
        joints[INDEX[f"{side}Eye"]] = sphere(vertices[eye])[0]
    return joints


def sphere(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (3,) and radius of the sphere through points (N, 3), least squares."""
    a = np.c_[2 * points, np.ones(len(points))]
    x = np.linalg.lstsq(a, (points**2).sum(1), rcond=None)[0]
    return x[:3], float(np.sqrt(x[3] + x[:3] @ x[:3]))


def unit(v: np.ndarray) -> np.ndarray:
    """Vector scaled to length one."""
    return v / np.linalg.norm(v)


def frame(direction: np.ndarray, side: np.ndarray) -> np.ndarray:
    """(3, 3) orthonormal columns: direction, side made orthogonal to it, and their cross product."""
    x = unit(direction)
    y = unit(side - (side @ x) * x)
    return np.stack([x, y, np.cross(x, y)], axis=1)


def swing(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(3, 3) shortest rotation that turns direction a into direction b."""
    a, b = unit(a), unit(b)
    v, c = np.cross(a, b), float(a @ b)
    k = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + k + k @ k / (1 + c)


def turn(axis: np.ndarray, angle: float) -> np.ndarray:
    """(3, 3) rotation about an axis by an angle in radians."""
    x, y, z = unit(axis)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)


def palm_normal(j: np.ndarray, side: str) -> np.ndarray:
    """(3,) unit vector out of the palm, from wrist, index and little knuckles."""
    wrist, index, little = (j[INDEX[side + n]] for n in ("Hand", "IndexProximal", "LittleProximal"))
    n = unit(np.cross(index - wrist, little - wrist))
    return -n if side == "left" else n


def untwist(vertices: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
    """Turn the hands until palm and elbow agree, the forearm bones sharing the twist.

    In the T-pose the elbow must bend forwards and the palm must look down; the sculpted pose has
    the hand half supinated. Returns the vertices and the twist per side in radians.
    """
    out, angles = vertices.copy(), {}
    for side, s in (("left", "L"), ("right", "R")):
        upper, lower, wrist = (joints[INDEX[side + n]] for n in ("UpperArm", "LowerArm", "Hand"))
        axis = unit(wrist - lower)
        hinge = unit(np.cross(lower - upper, wrist - lower))
        down = hinge if side == "left" else -hinge
        palm = palm_normal(joints, side)
        flat = unit(palm - (palm @ axis) * axis)
        angle = float(np.arctan2(np.cross(flat, down) @ axis, flat @ down))
        angles[side] = angle
        share = np.zeros(source.VERTICES)
        weights = source.rig()[1]
        along = np.clip((vertices - lower) @ axis / np.linalg.norm(wrist - lower), 0, 1)
        for bone, w in weights.items():
            if bone in (f"lowerarm01.{s}", f"lowerarm02.{s}"):
                share += w * along
            elif bone.endswith(f".{s}") and bone.startswith(("wrist", "metacarpal", "finger")):
                share += w
        for i in np.flatnonzero(share > 1e-6):
            out[i] = lower + turn(axis, angle * share[i]) @ (vertices[i] - lower)
    return out, angles


def goals(j: np.ndarray) -> np.ndarray:
    """(55, 3, 3) world rotation of every joint from the sculpted pose to the T-pose."""
    g = np.repeat(np.eye(3)[None], len(JOINTS), axis=0)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        at = {n: j[INDEX[side + n]] for n in ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")}
        out, down = np.array([sign, 0, 0]), np.array([0, -1.0, 0])
        hinge = np.cross(at["LowerArm"] - at["UpperArm"], at["Hand"] - at["LowerArm"]) * sign
        target = frame(out, down)
        g[INDEX[f"{side}UpperArm"]] = target @ frame(at["LowerArm"] - at["UpperArm"], hinge).T
        g[INDEX[f"{side}LowerArm"]] = target @ frame(at["Hand"] - at["LowerArm"], hinge).T
        knuckles = np.mean([j[INDEX[f"{side}{f}Proximal"]] for f in ("Index", "Middle", "Ring")], axis=0)
        hand = target @ frame(knuckles - at["Hand"], palm_normal(j, side)).T
        g[INDEX[f"{side}Hand"]] = hand
        for finger in FINGER:
            names = [INDEX[n] for n in finger_joints(side, finger)]
            if finger == "Thumb":
                g[names] = hand
                continue
            tip = j[names[2]] + (j[names[2]] - j[names[1]])
            reach = hand @ (tip - j[names[0]])
            straight = unit(np.array([reach[0], 0.0, 0.6 * reach[2]]))  # curl out, some of the splay stays
            for a, b in zip(names, [*names[1:], None], strict=True):
                bone = hand @ ((tip if b is None else j[b]) - j[a])
                g[a] = swing(bone, straight) @ hand
        g[INDEX[f"{side}UpperLeg"]] = swing(at["LowerLeg"] - at["UpperLeg"], down)
        g[INDEX[f"{side}LowerLeg"]] = swing(at["Foot"] - at["LowerLeg"], down)
    return g


def four(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The four largest weights of each row: indices (V, 4) and values (V, 4) that sum to one."""
    index = np.argsort(-weights, axis=1, kind="stable")[:, :4]
    value = np.take_along_axis(weights, index, 1)
    value[value < 0.004] = 0.0
    value /= value.sum(1, keepdims=True)
    index[value == 0] = 0
    return index, value


def dense(index: np.ndarray, value: np.ndarray) -> np.ndarray:
    """(V, 55) weights from their sparse form."""
    out = np.zeros((len(index), len(JOINTS)))
    np.add.at(out, (np.arange(len(index))[:, None], index), value)
    return out


def t_pose(vertices: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) and joints (55, 3) in the T-pose of a sculpted rest pose.

    ``weights`` (V, 55) are those the avatar ships with.
    """
    vertices, _ = untwist(vertices, rest_joints(vertices))
    j = rest_joints(vertices)
    g = goals(j)
    out = j.copy()
    for i, parent in enumerate(PARENTS):
        if parent >= 0:
            out[i] = out[parent] + g[parent] @ (j[i] - j[parent])
    back = np.swapaxes(g, 1, 2)
    matrix = np.einsum("vj,jab->vab", weights, back)
    offset = weights @ (j - np.einsum("jab,jb->ja", back, out))
    shaped = np.linalg.solve(matrix, (vertices - offset)[..., None])[..., 0]
    return shaped, symmetric_joints(out)


def symmetric_joints(joints: np.ndarray) -> np.ndarray:
    """Joints (55, 3) averaged with their mirror image."""
    return (joints + joints[mirror_index()] * [-1, 1, 1]) / 2
