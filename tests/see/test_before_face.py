"""Hands before the face: brought to it where a network lets them hang in the air, left alone where they are elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.rig import maya
from kinesics.geometry import rotations as rot
from kinesics.see.body3d import fit_body
from kinesics.stage.actions import act
from tests.see.test_body3d import landmarks_of

# Landmarks of the face from the middle of the eyes in the head's own frame, metres, by MediaPipe's numbers.
FACE = {
    0: (0.0, -0.04, 0.04), 2: (0.03, 0.0, 0.0), 5: (-0.03, 0.0, 0.0),  # nose, eyes
    7: (0.075, -0.02, -0.09), 8: (-0.075, -0.02, -0.09), 9: (0.025, -0.08, 0.01), 10: (-0.025, -0.08, 0.01),  # ears, mouth
}  # fmt: skip
METRE = 200.0


def seen(name: str, seed: int = 2):
    """Landmarks of an action, where its hands are seen from the eyes (T, 55, 3), and its pixels."""
    body = act([name], seed=seed).body.resample(30)
    rotations, root = body.rotations.astype(float), body.root.astype(float)
    places, turns = body.skeleton.forward(rotations, root)
    points = landmarks_of(rotations, root)
    with_face(points, places, turns)
    pixels = [320.0, 240.0] + METRE * points[..., :2] * [1, -1]
    return points, pixels, from_head(places)


def with_face(points, places, turns):
    middle = 0.5 * (places[:, INDEX["leftUpperLeg"]] + places[:, INDEX["rightUpperLeg"]])
    eyes = 0.5 * (places[:, INDEX["leftEye"]] + places[:, INDEX["rightEye"]])
    for k, place in FACE.items():
        points[:, k] = eyes + rot.rotate(turns[:, INDEX["head"]], np.array(place)) - middle


def from_head(places):
    return places - places[:, INDEX["head"], None]


def hanging(points, side):
    """The same with a forearm that comes nearer where it goes back to the face."""
    elbow, wrist, palm = {"left": (13, 15, (17, 19)), "right": (14, 16, (18, 20))}[side]
    out = points.copy()
    depth = np.abs(out[:, wrist, 2] - out[:, elbow, 2]) + 0.08
    shift = out[:, elbow, 2] + depth - out[:, wrist, 2]
    for k in (wrist, *palm):
        out[:, k, 2] += shift
    return out


def wrist(pose, side):
    places, _ = pose.skeleton.forward(pose.rotations.astype(float), pose.root.astype(float))
    return from_head(places)[:, INDEX[f"{side}Hand"]]


@pytest.mark.parametrize(
    ("name", "side"),
    [("hold the chin right", "right"), ("scratch the head right", "right"), ("phone left", "left")],
)
def test_a_hand_at_the_face_does_not_hang_before_it(name, side):
    points, pixels, places = seen(name)
    true = places[:, INDEX[f"{side}Hand"]]
    near = np.linalg.norm(places[:, INDEX[f"{side}MiddleProximal"]], axis=1) < 0.26
    assert near.sum() > 10
    wrong = hanging(points, side)
    off = np.linalg.norm(wrist(fit_body(wrong, image=pixels), side) - true, axis=1)[near]
    blind = np.linalg.norm(wrist(fit_body(wrong), side) - true, axis=1)[near]
    assert np.median(blind) > 0.15
    assert np.median(off) < 0.09


@pytest.mark.parametrize("name", ["point ahead right", "wave left", "walk"])
def test_hands_elsewhere_are_left_alone(name):
    points, pixels, _ = seen(name)
    pixels -= pixels[:, [11, 12]].mean(axis=1, keepdims=True)  # nobody moves through the picture
    with_picture, without = fit_body(points, image=pixels), fit_body(points)
    arms = [INDEX[f"{s}{b}"] for s in ("left", "right") for b in ("UpperArm", "LowerArm", "Hand")]
    apart = rot.angle(with_picture.rotations[:, arms].astype(float), without.rotations[:, arms].astype(float))
    assert np.degrees(apart).max() < 3.0


def test_an_arm_stretched_out_towards_the_camera_stays_stretched():
    count = 40
    q = np.tile(rot.IDENTITY.astype(float), (count, 55, 1))
    q[:, INDEX["rightUpperArm"]] = rot.multiply(
        rot.from_rotvec([-0.2, 0, 0]), rot.from_rotvec([0, np.pi / 2 + 0.15, 0])
    )
    q[:, INDEX["leftUpperArm"]] = rot.from_rotvec([0, 0, -1.3])
    root = np.tile(maya().offsets[0].astype(float), (count, 1))
    places, turns = maya().forward(q, root)
    points = landmarks_of(q, root)
    with_face(points, places, turns)
    # The hand is before the face in the picture, as near as an arm is long.
    pixels = METRE * points[..., :2] * [1, -1]
    pixels[:, [16, 18, 20]] += pixels[:, [7, 8]].mean(axis=1, keepdims=True) - pixels[:, [16]]
    a, b = wrist(fit_body(points, image=pixels), "right"), wrist(fit_body(points), "right")
    assert (b[:, 2] > 0.35).all()
    np.testing.assert_allclose(a, b, atol=0.02)
