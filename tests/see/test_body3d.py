"""Bodies from pose landmarks: what is seen comes back, what is not rests, feet stay on the floor."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.bodies.hand import HANDSHAPES, Hand
from kinesics.bodies.humanoid import INDEX, LEFT_FINGERS
from kinesics.bodies.rig import maya
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.see._body_points import LANDMARKS
from kinesics.see._hand_chains import Chains
from kinesics.see.body3d import PARTS, fit_body
from kinesics.see.hands import ORDER, fit_hand
from kinesics.seeds import rng

KNUCKLES = {17: "leftLittle", 19: "leftIndex", 18: "rightLittle", 20: "rightIndex"}


def talking(count: int = 90):
    """A standing person who turns the trunk and moves both arms: rotations, root, landmarks (hips in the middle)."""
    t = np.linspace(0, 2 * np.pi, count)
    q = np.tile(rot.IDENTITY.astype(float), (count, 55, 1))

    def put(name, *vector):
        q[:, INDEX[name]] = rot.from_rotvec(np.stack([np.broadcast_to(v, t.shape) for v in vector], axis=-1))

    put("upperChest", 0.05, 0.15 * np.sin(t), 0.03 * np.cos(t))
    put("leftUpperArm", 0.1, -0.4, -1.1 + 0.2 * np.sin(t))
    put("rightUpperArm", 0.1, 0.4, 1.1 + 0.2 * np.cos(t))
    put("leftLowerArm", 0, -1.0 + 0.4 * np.cos(2 * t), 0)
    put("rightLowerArm", 0, 1.2 + 0.3 * np.sin(2 * t), 0)
    root = np.tile(maya().offsets[0].astype(float), (count, 1))
    return q, root, landmarks_of(q, root)


def landmarks_of(q, root):
    places, _ = maya().forward(q, root)
    points = np.full((len(q), 33, 3), np.nan)
    for name, k in LANDMARKS.items():
        points[:, k] = places[:, INDEX[name]]
    for k, name in KNUCKLES.items():
        points[:, k] = places[:, INDEX[f"{name}Proximal"]]
    return points - 0.5 * (points[:, 23] + points[:, 24])[:, None]


def world(pose):
    return pose.skeleton.forward(pose.rotations.astype(float), pose.root.astype(float))


def off(a, b, name):
    return np.degrees(rot.angle(a[:, INDEX[name]], b[:, INDEX[name]]))


def test_exact_landmarks_give_the_pose_back():
    q, root, points = talking()
    places, turns = maya().forward(q, root)
    found_places, found = world(fit_body(points))
    for name in ("hips", "upperChest", "leftUpperArm", "rightUpperArm", "leftLowerArm", "rightLowerArm"):
        assert np.median(off(found, turns, name)) < 4, name
    wrist = found_places[:, INDEX["leftHand"]] - found_places[:, 0]
    assert np.linalg.norm(wrist - (places[:, INDEX["leftHand"]] - places[:, 0]), axis=1).max() < 0.04


def test_noise_is_calmed_without_dulling_the_movement():
    q, _, points = talking(150)
    _, turns = maya().forward(q, np.zeros((150, 3)))
    noisy = points + 0.02 * rng(0, "noise").normal(size=points.shape)
    pose = fit_body(noisy)
    _, found = world(pose)
    assert np.median(off(found, turns, "rightLowerArm")) < 7
    jerk = np.abs(np.diff(rot.to_rotvec(pose.rotations[:, INDEX["rightUpperArm"]]), 2, axis=0)).mean()
    alone = np.abs(np.diff(noisy[:, 14] - noisy[:, 12], 2, axis=0)).mean() / 0.25
    assert jerk < 0.3 * alone


def test_a_talking_head_stands_upright_with_hanging_arms():
    points = np.full((40, 33, 3), np.nan)
    points[:, 11], points[:, 12] = [0.18, 0.5, 0.0], [-0.18, 0.5, 0.0]
    head = np.tile([5.0, 20.0, -4.0], (40, 1))
    pose = fit_body(points, head=head)
    places, turns = world(pose)
    chest = turns[:, INDEX["upperChest"]]
    assert np.degrees(rot.angle(chest, rot.IDENTITY)).max() < 3
    for side in ("left", "right"):
        wrist = places[:, INDEX[f"{side}Hand"]] - places[:, INDEX[f"{side}UpperArm"]]
        assert (wrist[:, 1] < -0.4).all()
        assert (np.linalg.norm(wrist[:, [0, 2]], axis=1) < 0.2).all()
    assert places[..., 1].min() > 0
    seen = dict(zip(PARTS, pose.confidence.mean(axis=0), strict=True))
    assert seen["head"] == 1
    assert not any(v for k, v in seen.items() if k.endswith(("arm", "leg", "hand")))
    yaw, down, roll = np.degrees(rot.to_euler(turns[:, INDEX["head"]], "YXZ")).T
    np.testing.assert_allclose([yaw[20], -down[20], roll[20]], [20, 5, -4], atol=0.5)


def test_nobody_in_sight_is_a_person_at_rest():
    pose = fit_body(np.full((5, 33, 3), np.nan))
    assert not pose.confidence.any()
    assert np.isfinite(pose.rotations).all()
    assert fit_body(np.zeros((0, 33, 3))).rotations.shape == (0, 55, 4)


def test_unseen_legs_stand_though_the_trunk_bends():
    q, root, points = talking()
    bow = rot.from_axis_angle([1.0, 0, 0], 0.6 * np.sin(np.linspace(0, np.pi, 90)) ** 2)
    q[:, 0] = bow
    points = landmarks_of(q, root)
    points[:, 25:] = np.nan
    places, _ = world(fit_body(points))
    shin = places[:, INDEX["leftFoot"]] - places[:, INDEX["leftUpperLeg"]]
    assert (np.linalg.norm(shin[:, [0, 2]], axis=1) < 0.15).all()


def test_a_tilted_camera_does_not_make_people_lean():
    _, _, points = talking()
    tilted = rot.rotate(rot.from_axis_angle([1.0, 0, 0], np.radians(20)), points)
    _, straight = world(fit_body(points))
    _, found = world(fit_body(tilted))
    assert off(found, straight, "hips").max() < 2


def test_standing_feet_stay_where_they_are():
    _, _, points = talking(120)
    noisy = points + 0.01 * rng(3, "feet").normal(size=points.shape)
    places, _ = world(fit_body(noisy))
    for side in ("left", "right"):
        ankle = places[:, INDEX[f"{side}Foot"]]
        assert np.abs(ankle - np.median(ankle, axis=0)).max() < 0.02
        assert np.linalg.norm(np.diff(ankle, axis=0), axis=1).mean() * 30 < 0.02
    toes = places[..., [INDEX["leftToes"], INDEX["rightToes"]], 1]
    assert np.abs(toes - maya().rest[INDEX["leftToes"], 1]).max() < 0.03


def test_hands_turn_wrist_and_fingers_within_what_joints_can_do():
    q, root, points = talking()
    angles = np.broadcast_to(HANDSHAPES["point"], (90, 5, 4))
    q[:, LEFT_FINGERS] = Hand(maya(), "left").rotations(angles.reshape(-1, 20))
    q[:, INDEX["leftHand"]] = rot.from_rotvec([0.3, 0.1, 0.5])
    _, turns = maya().forward(q, root)
    seen = rot.rotate(turns[:, INDEX["leftHand"], None], Chains.of(maya(), "left").points(angles))
    hand = fit_hand(seen[:, np.argsort(ORDER)], "left")
    pose = fit_body(points, hands={"left": hand})
    _, found = world(pose)
    assert np.median(off(found, turns, "leftHand")) < 4
    assert np.median(off(found, turns, "leftIndexDistal")) < 5
    assert pose.confidence[:, PARTS.index("left hand")].mean() > 0.9
    # A hand that no wrist can hold is held as far as one can.
    twisted = hand._replace(orientation=rot.multiply(hand.orientation, rot.from_rotvec([0, 0, 2.5])))
    _, found = world(fit_body(points, hands={"left": twisted}))
    bend = rot.angle(found[:, INDEX["leftLowerArm"]], found[:, INDEX["leftHand"]])
    assert np.degrees(bend).max() < 110


def test_gaze_is_held_against_the_head():
    _, _, points = talking(30)
    head, gaze = np.tile([0.0, 15.0, 0.0], (30, 1)), np.tile([0.0, 0.0], (30, 1))
    _, turns = world(fit_body(points, head=head, gaze=gaze))
    np.testing.assert_allclose(np.degrees(rot.angle(turns[:, INDEX["leftEye"]], rot.IDENTITY)), 0, atol=1.0)


def test_where_the_face_is_lost_nose_and_ears_turn_the_head():
    _, _, points = talking(60)
    top = points[:, [11, 12]].mean(axis=1)
    turn = rot.from_euler(np.radians([30.0, 0, 0]), "YXZ")
    for k, way in (
        (7, [0.075, 0.2, 0]),
        (8, [-0.075, 0.2, 0]),
        (0, [0, 0.2 - 0.12 * np.tan(np.radians(13)), 0.12]),
    ):
        points[:, k] = top + rot.rotate(turn, np.array(way))
    pose = fit_body(points)
    _, turns = world(pose)
    yaw = np.degrees(rot.to_euler(turns[:, INDEX["head"]], "YXZ"))[:, 0]
    np.testing.assert_allclose(yaw, 30, atol=2)
    assert (pose.confidence[:, PARTS.index("head")] == 0.5).all()


def test_a_person_who_walks_through_the_picture_moves():
    _, _, points = talking(90)
    pixels = 300 * points[..., :2] * [1, -1] + 500
    pixels[..., 0] += np.linspace(0, 300, 90)[:, None]
    points[:, 25:] = np.nan
    pose = fit_body(points, image=pixels)
    assert 0.7 < pose.root[-1, 0] - pose.root[0, 0] < 1.1


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"landmarks": np.zeros((4, 32, 3))}, r"expected \(T, 33, 3\)"),
        ({"head": np.zeros((3, 3))}, r"head \(3, 3\); expected \(4, 3\)"),
        ({"gaze": np.zeros((4, 3)), "head": np.zeros((4, 3))}, r"gaze \(4, 3\)"),
        ({"image": np.zeros((4, 3))}, "pixels"),
        ({"confidence": np.zeros((4, 3))}, "confidence"),
    ],
)
def test_what_does_not_fit_is_named(bad, message):
    given = {"landmarks": np.ones((4, 33, 3))} | bad
    with pytest.raises(DataError, match=message):
        fit_body(given.pop("landmarks"), **given)
