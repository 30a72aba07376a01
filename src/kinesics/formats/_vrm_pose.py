"""A VRM's nodes and the canonical humanoid, both ways.

All VRM rigs rest in a T-pose, but their nodes may be turned (1.0) or face away from us (0.x, along -Z). What both
sides share is how far each bone has turned from its rest in the world, G = Q·Q₀⁻¹; in 0.x it is seen from
behind, Y·G·Y⁻¹ with Y half a turn about the vertical. Bones a model lacks keep their part: what stands
below them takes its world rotation.
"""

from __future__ import annotations

import logging
from fractions import Fraction

import numpy as np

from kinesics.bodies.export import eye_angles
from kinesics.bodies.humanoid import INDEX, JOINTS, PARENTS
from kinesics.errors import FormatError
from kinesics.formats._gltf_clip import times_of
from kinesics.formats._gltf_nodes import Array, Nodes
from kinesics.formats._gltf_scene import Moving
from kinesics.formats._vrm import LookAt, Vrm, ranged
from kinesics.geometry import rotations as rot
from kinesics.geometry.retarget import scaled_way
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Motion

log = logging.getLogger(__name__)

_AROUND = np.array([0.0, 0.0, 1.0, 0.0])  # half a turn about Y


def _seen(q: Array, vrm: Vrm) -> Array:
    """World rotations as seen by someone whom the model faces along +Z; the same the way back."""
    if vrm.version != "0.x":
        return q
    return rot.multiply(rot.multiply(_AROUND, q), rot.conjugate(_AROUND))


def _placed(v: Array, vrm: Vrm) -> Array:
    return v * np.array([-1.0, 1, -1]) if vrm.version == "0.x" else v


def skeleton_of(nodes: Nodes, vrm: Vrm) -> Skeleton:
    """The canonical skeleton with a model's proportions; joints that it lacks lie on their parents."""
    places = _placed(nodes.rest()[0], vrm)
    world = np.zeros((len(JOINTS), 3))
    for j, name in enumerate(JOINTS):
        world[j] = places[vrm.bones[name]] if name in vrm.bones else world[PARENTS[j]]
    offsets = world.copy()
    offsets[1:] -= world[list(PARENTS[1:])]
    return Skeleton(JOINTS, PARENTS, offsets.astype(np.float32))


def motion_of(moving: Moving, vrm: Vrm, fps: Fraction, start: float, count: int) -> Motion:
    """What a model's bones do, on the canonical joints.

    Parameters
    ----------
    moving
        The nodes and the clip.
    vrm
        Which of them are bones.
    fps, start, count
        The clock to sample on.
    """
    skeleton = skeleton_of(moving.nodes, vrm)
    rest = moving.nodes.rest()[2]
    nodes = list(vrm.bones.values())
    rotations = np.empty((count, len(JOINTS), 4), np.float32)
    root = np.empty((count, 3), np.float32)
    for first in range(0, count, 2048):
        times = times_of(fps, start, first, min(count, first + 2048))
        turns = moving.turns(nodes, times)
        world = np.empty((len(times), len(JOINTS), 4))
        for j, name in enumerate(JOINTS):
            if name in vrm.bones:
                node = vrm.bones[name]
                world[:, j] = _seen(rot.multiply(turns[node], rot.conjugate(rest[node])), vrm)
            else:
                world[:, j] = world[:, PARENTS[j]]
        part = slice(first, first + len(times))
        rotations[part] = rot.normalise(skeleton.local(world))
        hips = vrm.bones["hips"]
        root[part] = _placed(moving.places([hips], times)[hips][0], vrm)
    return Motion(skeleton, rotations, root, fps, start)


def node_motion(body: Motion, nodes: Nodes, vrm: Vrm) -> tuple[dict[int, Array], Array]:
    """What a model's nodes must do to move like ``body``.

    Parameters
    ----------
    body
        On the 55 canonical joints.
    nodes, vrm
        The model.

    Returns
    -------
    turns
        Node -> local rotations (T, 4) wxyz.
    hips
        (T, 3) local translation of the hips' node.
    """
    turns = body.rotations.astype(np.float64)
    if vrm.look_at is not None and vrm.look_at.kind == "bone":
        turns = turns.copy()
        for side in ("left", "right"):
            j = INDEX[f"{side}Eye"]
            turns[:, j] = _eye(turns[:, j], vrm.look_at, left=side == "left")
    elif vrm.look_at is not None:
        turns = turns.copy()
        turns[:, [INDEX["leftEye"], INDEX["rightEye"]]] = rot.IDENTITY
    _, world = body.skeleton.forward(turns, body.root.astype(np.float64))
    position, linear, rest = nodes.rest()
    bone_at = {node: name for name, node in vrm.bones.items()}
    out: dict[int, Array] = {}
    for name, node in vrm.bones.items():
        above = [bone_at[i] for i in nodes.path(node)[:-1] if i in bone_at]
        mine = _seen(world[:, INDEX[name]], vrm)
        parent = int(nodes.parents[node])
        frame = rest[parent] if parent >= 0 else rot.IDENTITY.astype(np.float64)
        if above:
            mine = rot.multiply(rot.conjugate(_seen(world[:, INDEX[above[-1]]], vrm)), mine)
        turned = rot.multiply(rot.multiply(rot.conjugate(frame), mine), rest[node])
        out[node] = rot.normalise(turned)
    hips = vrm.bones["hips"]
    ours, theirs = body.skeleton.offsets[0].astype(np.float64), _placed(position[hips], vrm)
    way = scaled_way(body.root.astype(np.float64), ours, theirs)
    way = _placed(way, vrm)
    parent = int(nodes.parents[hips])
    if parent >= 0:
        if abs(np.linalg.det(linear[parent])) < 1e-12:
            raise FormatError(
                "avatar", "the node above the hips", "a scale other than zero", "mend the model"
            )
        way = np.einsum("ab,tb->ta", np.linalg.inv(linear[parent]), way - position[parent])
    return out, way


def _eye(q: Array, look: LookAt, *, left: bool) -> Array:
    """An eye's rotation as far as the model's eye bones may go for it."""
    azimuth, elevation = eye_angles(q)
    outwards = azimuth if left else -azimuth
    turn = np.where(outwards >= 0, ranged(outwards, look.outer), -ranged(-outwards, look.inner))
    lift = np.where(elevation >= 0, ranged(elevation, look.up), -ranged(-elevation, look.down))
    return look_rotation(turn if left else -turn, lift)


def look_rotation(azimuth: Array, elevation: Array) -> Array:
    """Degrees to the left and up (T,) -> rotations (T, 4) that take +Z there, without a roll."""
    yaw = rot.from_axis_angle(np.array([0.0, 1, 0]), np.radians(azimuth))
    return rot.multiply(yaw, rot.from_axis_angle(np.array([1.0, 0, 0]), -np.radians(elevation)))


def gaze_of(body: Motion) -> tuple[Array, Array]:
    """Where both eyes together look: degrees (T,) to the performer's left and up."""
    sides = [eye_angles(body.joint(f"{side}Eye").astype(np.float64)) for side in ("left", "right")]
    return 0.5 * (sides[0][0] + sides[1][0]), 0.5 * (sides[0][1] + sides[1][1])
