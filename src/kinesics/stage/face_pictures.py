"""Pictures of faces in many poses with exact truth: what a network that reads faces learns from.

Three quarters of the pictures of a person are moments of performed speech with an emotion, the others poses that nobody performs: any few
coefficients at any strength, one side or both, cheeks puffed, tongue out, eyes and head turned far.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.arkit import INDEX as COLUMN
from kinesics.bodies.avatar import Avatar
from kinesics.bodies.export import EYE_LOOK, face_for_export
from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.mediapipe import on_head
from kinesics.bodies.retarget import retarget
from kinesics.geometry import rotations as rot
from kinesics.performance import Camera, Face, Motion, Performance
from kinesics.render import view_of
from kinesics.seeds import rng
from kinesics.stage.pixels import Studio, draw_set

Array = NDArray[np.float32]
_REST = np.tile(np.array([1, 0, 0, 0], np.float32), (55, 1))
_MOVED = [INDEX[n] for n in ("neck", "head", "leftEye", "rightEye")]
_PAIRS = tuple(
    n[:-4] for n in ARKIT if n.endswith("Left") and n[:-4] + "Right" in COLUMN and n not in EYE_LOOK
)
_SINGLE = tuple(
    n
    for n in ARKIT
    if not n.endswith(("Left", "Right")) or n in ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
)
_PAIRED = tuple(p for p in _PAIRS if p not in ("jaw", "mouth"))


@dataclass(frozen=True, eq=False)
class Pose:
    """What a face does at one moment.

    Parameters
    ----------
    rotations
        (55, 4) of which neck, head and eyes are turned.
    face
        (52,) ARKit weights as painted.
    acted
        Whether somebody performed it.
    """

    rotations: Array
    face: Array
    acted: bool


@dataclass(frozen=True, eq=False)
class FacePicture:
    """A picture of a face and its truth.

    Parameters
    ----------
    rgb
        (H, W, 3) uint8.
    mesh
        (478, 3) pixels where the points truly are.
    face
        (52,) ARKit weights; those of the eyes' directions from the eyes.
    head, gaze
        (3,) pitch, yaw, roll and (2,) pitch, yaw in degrees, seen from the camera: up, to the own left, to the own right shoulder.
    acted
        Whether somebody performed it.
    """

    rgb: NDArray[np.uint8]
    mesh: Array
    face: Array
    head: Array
    gaze: Array
    acted: bool


def acted_poses(takes: Sequence[Performance], count: int, seed: int, *names: object) -> list[Pose]:
    """Moments of performances, on a body at rest whose head and eyes move as performed."""
    random = rng(seed, *names, "acted")
    out = []
    for _ in range(count):
        take = takes[int(random.integers(len(takes)))]
        now = np.array([random.random() * max(min(take.body.duration, take.face.duration) - 0.05, 0)])
        rotations = _REST.copy()
        rotations[_MOVED] = retarget(take.body).at(now).rotations[0, _MOVED]
        out.append(Pose(rotations, take.face.select(ARKIT).at(now).values[0], True))
    return out


def drawn_poses(count: int, seed: int, *names: object) -> list[Pose]:
    """Poses that nobody performs, drawn."""
    random = rng(seed, *names, "drawn")
    return [_drawn(random) for _ in range(count)]


def _drawn(random: np.random.Generator) -> Pose:
    face = np.zeros(52, np.float32)
    for name in random.choice(_PAIRED, int(random.integers(1, 4)), replace=False):
        strength = random.random(2) if random.random() < 0.35 else np.repeat(random.random(), 2)
        face[[COLUMN[name + "Left"], COLUMN[name + "Right"]]] = strength
    for name in random.choice(_SINGLE, int(random.integers(0, 3)), replace=False):
        face[COLUMN[name]] = random.random()
    if random.random() < 0.5:
        face[COLUMN["jawOpen"]] = random.beta(1.2, 2)
    if random.random() < 0.12:
        face[COLUMN["cheekPuff"]], face[COLUMN["jawOpen"]] = random.uniform(0.2, 1), 0
    if random.random() < 0.14:
        face[COLUMN["tongueOut"]] = random.uniform(0.2, 1)
    # A tongue goes out through an open mouth; lips close a jaw that is open.
    face[COLUMN["jawOpen"]] = max(face[COLUMN["jawOpen"]], 0.3 * face[COLUMN["tongueOut"]])
    face[COLUMN["mouthClose"]] = min(face[COLUMN["mouthClose"]], face[COLUMN["jawOpen"]])
    for name in ("jaw", "mouth"):  # one way at a time
        face[COLUMN[name + ("Left" if random.random() < 0.5 else "Right")]] = 0
    for side in ("Left", "Right"):  # a lid is wide or shut
        face[COLUMN["eyeWide" + side]] *= face[COLUMN["eyeBlink" + side]] < 0.2
    rotations = _REST.copy()
    yaw, pitch, roll = random.normal(0, [17, 11, 8])
    share = random.uniform(0.2, 0.6)
    for joint, part in (("neck", share), ("head", 1 - share)):
        rotations[INDEX[joint]] = _turned(part * yaw, part * pitch, part * roll)
    yaw, pitch = np.clip(random.normal(0, [14, 9]), [-38, -26], [38, 26])
    apart = random.normal(0, 1.0)
    for joint, sign in (("leftEye", -0.5), ("rightEye", 0.5)):
        rotations[INDEX[joint]] = _turned(yaw + sign * apart, pitch, 0)
    return Pose(rotations, face, False)


def _turned(yaw: float, pitch: float, roll: float) -> Array:
    """Quaternion of a turn to the own left, up, and to the own right shoulder, degrees."""
    turns = [
        rot.from_axis_angle(np.array(axis, float), np.radians(angle))
        for axis, angle in (([0, 1, 0], yaw), ([-1, 0, 0], pitch), ([0, 0, 1], roll))
    ]
    return rot.multiply(rot.multiply(turns[0], turns[1]), turns[2]).astype(np.float32)


def truth(person: Avatar, camera: Camera, pose: Pose, vertices: Array) -> tuple[Array, Array, Array, Array]:
    """Mesh in pixels, ARKit weights, head and gaze as in :class:`FacePicture`."""
    from kinesics.see.face_shape import angles

    mesh = on_head(vertices)
    flat, far = camera.project(mesh)
    flat = np.c_[flat, (far - far.mean()) * (camera.focal / far.mean())]
    orientation = person.skeleton.forward(pose.rotations, person.joints[0])[1]
    # Seen along the line from the camera to the face, so that where in the picture it is makes no turn.
    back = camera.position - mesh.mean(axis=0)
    back = back / np.linalg.norm(back)
    right = np.cross(camera.axes[1], back)
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(back, right), back])
    head = angles((axes @ rot.to_matrix(orientation[INDEX["head"]]))[None])[0]
    eyes = rot.to_matrix(orientation[[INDEX["leftEye"], INDEX["rightEye"]]])[:, :, 2].mean(axis=0)
    look = axes @ (eyes / np.linalg.norm(eyes))
    gaze = np.degrees([np.arcsin(np.clip(look[1], -1, 1)), np.arctan2(look[0], look[2])])
    body = Motion(person.skeleton, pose.rotations[None], person.joints[:1], 30)
    face = face_for_export(Face(pose.face[None], ARKIT, 30), body).values[0]
    return flat.astype(np.float32), face, head, gaze.astype(np.float32)


def shoot(
    person: Avatar, poses: Sequence[Pose], seed: int, *names: object, sets: int = 4
) -> Iterator[FacePicture]:
    """Pictures of a person in these poses, under several lights, from several sides, near and farther away."""
    random = rng(seed, *names, "studio")
    share = -(-len(poses) // sets)
    for s in range(sets):
        view, size = (("face", 224), ("face", 320), ("bust", 400))[int(random.integers(3))]
        stage = draw_set(seed, *names, s, turn=13.0)
        camera = view_of(person, view, width=size, height=size, turn=stage.turn)
        if view == "face":  # with room for a chin that drops on a head that nods
            camera = replace(camera, focal=0.68 * camera.focal)
        studio = Studio(person, stage, view=camera)
        for pose in poses[s * share : (s + 1) * share]:
            frame = studio.shoot(pose.rotations, None, pose.face)
            mesh, face, head, gaze = truth(person, studio.camera, pose, frame.vertices)
            yield FacePicture(_taken(frame.rgb, random), mesh, face, head, gaze, pose.acted)


def _taken(rgb: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """As a camera would have taken it: exposure, a cast, and noise."""
    gain = np.exp(random.normal(0, 0.15)) * np.exp(random.normal(0, 0.04, 3))
    noise = random.standard_normal(rgb.shape, np.float32) * random.uniform(0, 6)
    return np.clip(rgb * gain.astype(np.float32) + noise, 0, 255).astype(np.uint8)
