"""Gaze to eyeLook, jawOpen to the jaw bone, at export alone."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.export import (
    EYE_LOOK,
    EYE_LOOK_DEGREES,
    JAW_DEGREES,
    body_for_export,
    eye_angles,
    face_for_export,
)
from kinesics.bodies.humanoid import INDEX, JOINTS, PARENTS
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Face, Motion

SKELETON = Skeleton(JOINTS, PARENTS, np.full((55, 3), 0.1))


def looking(azimuth: float, elevation: float, *, frames: int = 4, fps: int = 60) -> Motion:
    q = np.tile(rot.IDENTITY, (frames, 55, 1))
    gaze = rot.multiply(
        rot.from_axis_angle([0, 1.0, 0], np.radians(azimuth)),
        rot.from_axis_angle([1.0, 0, 0], np.radians(-elevation)),
    )
    q[:, [INDEX["leftEye"], INDEX["rightEye"]]] = gaze
    return Motion(SKELETON, q, np.ones((frames, 3)), fps)


STILL = Face(np.full((4, 1), 0.3), ("eyeLookUpLeft",), 60)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "wanted"),
    [
        (0, 0, {}),
        (10, 0, {"eyeLookOutLeft": 10, "eyeLookInRight": 10}),
        (-10, 0, {"eyeLookInLeft": 10, "eyeLookOutRight": 10}),
        (0, 12, {"eyeLookUpLeft": 12, "eyeLookUpRight": 12}),
        (0, -12, {"eyeLookDownLeft": 12, "eyeLookDownRight": 12}),
        (20, 15, {"eyeLookOutLeft": 20, "eyeLookInRight": 20, "eyeLookUpLeft": 15, "eyeLookUpRight": 15}),
    ],
)
def test_eyes_become_eight_coefficients(azimuth, elevation, wanted):
    motion = looking(azimuth, elevation)
    angles = eye_angles(motion.joint("leftEye"))
    np.testing.assert_allclose([angles[0][0], angles[1][0]], [azimuth, elevation], atol=1e-3)
    face = face_for_export(STILL, motion)
    assert face.names == ARKIT
    for name in EYE_LOOK:
        way = name.removeprefix("eyeLook").removesuffix("Left").removesuffix("Right")
        assert face.column(name)[0] == pytest.approx(wanted.get(name, 0) / EYE_LOOK_DEGREES[way], abs=1e-4)


def test_coefficients_stay_within_0_and_1():
    assert face_for_export(STILL, looking(80, 0)).column("eyeLookOutLeft").max() == 1


def test_without_eye_joints_the_face_keeps_its_own():
    assert face_for_export(STILL).column("eyeLookUpLeft")[0] == pytest.approx(0.3)
    blind = Skeleton(("a",), (-1,), [[0, 1, 0]])
    motion = Motion(blind, np.tile(rot.IDENTITY, (1, 1, 1)), np.zeros((1, 3)), 60)
    assert face_for_export(STILL, motion).column("eyeLookUpLeft")[0] == pytest.approx(0.3)
    assert body_for_export(motion, STILL) is motion


def test_clocks_may_differ():
    q = looking(0, 0, frames=61).rotations.copy()
    q[:, INDEX["leftEye"]] = rot.from_axis_angle([[0, 1.0, 0]] * 61, np.radians(np.linspace(0, 30, 61)))
    body = Motion(SKELETON, q, np.ones((61, 3)), 60)
    face = face_for_export(Face(np.zeros((30, 1)), ("jawOpen",), 30), body)
    out = face.column("eyeLookOutLeft") * EYE_LOOK_DEGREES["Out"]
    np.testing.assert_allclose(out, np.arange(30) / 30 * 30, atol=0.01)


def test_the_jaw_opens_downwards_and_only_once():
    face = Face(np.array([[0.0], [0.5], [1.0], [2.0]]), ("jawOpen",), 60)
    motion = body_for_export(looking(0, 0), face)
    jaw = motion.joint("jaw")
    chin = rot.rotate(jaw, np.array([0, 0, 0.1], np.float32))
    assert np.all(np.diff(chin[:3, 1]) < 0)
    np.testing.assert_allclose(
        np.degrees(rot.angle(jaw, rot.IDENTITY)), [0, JAW_DEGREES / 2, JAW_DEGREES, JAW_DEGREES], atol=1e-3
    )
    assert body_for_export(motion, face).difference(motion) < 1e-6
    assert looking(0, 0).joint("jaw")[0, 0] == 1, "the motion itself is left alone"
