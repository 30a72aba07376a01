"""What an avatar is told to do: the same that the person does."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.bodies.rig import maya
from kinesics.geometry import rotations as rot
from kinesics.performance import Face, Motion, Performance, Signal
from kinesics.reading._mirror import mirrored

SPINE = ("hips", "spine", "chest", "upperChest", "neck", "head")


def looking(head, gaze, body=None, *, sure: float = 1.0) -> Performance:
    known = {"fps": 25, "confidence": np.full((1, 3), sure)}
    tracks = {
        "head": Signal([head], ("pitch", "yaw", "roll"), ("degrees",) * 3, **known),
        "gaze": Signal(
            [gaze[::-1]], ("yaw", "pitch"), ("degrees",) * 2, fps=25, confidence=np.full((1, 2), sure)
        ),
    }
    return Performance({**tracks, **({} if body is None else {"body": body})})


def ahead(joints, *, through=SPINE) -> np.ndarray:
    """Where the +Z of the last joint points in the world."""
    turn = rot.IDENTITY.astype(float)
    for name in through:
        turn = rot.multiply(turn, np.roll(joints.get(name, (0, 0, 0, 1)), 1))
    return rot.rotate(turn, np.array([0.0, 0, 1]))


def direction(pitch: float, yaw: float) -> np.ndarray:
    """Up, and to one's own left, which is +X of somebody who faces +Z."""
    up, left = np.radians([pitch, yaw])
    return np.array([np.sin(left) * np.cos(up), np.sin(up), np.cos(left) * np.cos(up)])


@pytest.mark.parametrize("angles", [(0, 0, 0), (12, -30, 0), (-20, 25, 10)])
@pytest.mark.parametrize("turned", [0.0, 20.0])
def test_head_and_eyes_point_where_the_persons_do_whatever_the_body_does(angles, turned):
    pose = np.tile(rot.IDENTITY, (1, 55, 1)).astype(float)
    pose[0, INDEX["spine"]] = rot.from_euler(np.radians([turned, 5, 3]), "YXZ")
    body = Motion(maya(), pose, maya().offsets[None, 0], 25)
    joints = mirrored(looking(angles, (angles[0] + 6, angles[1] - 10), body))["joints"]
    assert set(joints) == set(JOINTS)
    np.testing.assert_allclose(ahead(joints), direction(angles[0], angles[1]), atol=2e-3)
    eyes = ahead(joints, through=(*SPINE, "leftEye"))
    np.testing.assert_allclose(eyes, direction(angles[0] + 6, angles[1] - 10), atol=5e-3)


def test_a_head_tilted_to_its_right_shoulder_is_tilted_to_the_right():
    joints = mirrored(looking((0, 0, 20), (0, 0)))["joints"]
    turn = rot.multiply(*(np.roll(joints[n], 1) for n in ("neck", "head")))
    crown = rot.rotate(turn, np.array([0.0, 1, 0]))
    assert crown[0] == pytest.approx(-np.sin(np.radians(20)), abs=1e-3)


def test_eyes_stay_in_their_sockets():
    joints = mirrored(looking((0, -60, 0), (0, 60)))["joints"]
    away = np.degrees(2 * np.arccos(abs(joints["leftEye"][3])))
    assert away < 60


def test_only_what_is_seen_is_done():
    assert mirrored(Performance()) is None
    assert mirrored(looking((0, 40, 0), (0, 0), sure=0.0)) is None
    weights = np.zeros((1, 52))
    weights[0, ARKIT.index("mouthSmileLeft")] = 0.61234
    assert mirrored(Performance({"face": Face(weights, ARKIT, 25)})) == {
        "face": {"mouthSmileLeft": 0.612},
        "joints": {},
    }
