"""MANO's maths against an independent loop, orders and signs of its hands, and our own hand in its shapes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kinesics.bodies.hand import HANDSHAPES, Hand
from kinesics.bodies.mano import (
    JOINTS,
    ORDERS,
    PARENTS,
    TIPS,
    mended_left,
    mirrored,
    pose_hand,
    synthetic_hand,
)
from kinesics.bodies.rig import maya
from kinesics.bodies.smpl import HandSpace, SmplModel, pose_model, rodrigues
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.seeds import rng


def body(joints: int = 52, vertices: int = 60, seed: int = 0) -> SmplModel:
    """A body of random numbers with SMPL+H's number of joints."""
    stream = rng(seed, "body")
    weights = stream.random((vertices, joints)) ** 8
    regressor = stream.random((joints, vertices)) ** 4
    return SmplModel(
        stream.normal(size=(vertices, 3)),
        0.1 * stream.normal(size=(vertices, 3, 16)),
        0.01 * stream.normal(size=(vertices, 3, 9 * (joints - 1))),
        regressor / regressor.sum(axis=1, keepdims=True),
        weights / weights.sum(axis=1, keepdims=True),
        (-1, *(int(stream.integers(0, j)) for j in range(1, joints))),
        np.zeros((0, 3), int),
    )


def slowly(model, pose, betas, trans):
    """The model as the paper writes it, one vertex and one joint at a time, with 4 × 4 matrices."""
    rest = model.vertices + model.shapes[..., : len(betas)] @ betas
    joints = model.regressor @ rest
    turns = [rot.to_matrix(rot.from_rotvec(v)) for v in pose]
    rest = rest + model.correctives @ np.concatenate([(r - np.eye(3)).ravel() for r in turns[1:]])
    chain = []
    for j, p in enumerate(model.parents):
        local = np.eye(4)
        local[:3, :3] = turns[j]
        local[:3, 3] = joints[j] - (joints[p] if p >= 0 else 0)
        chain.append(local if p < 0 else chain[p] @ local)
    out = []
    for v, w in zip(rest, model.weights, strict=True):
        matrix = sum(
            wj * g @ np.block([[np.eye(3), -j[:, None]], [np.zeros((1, 3)), np.ones((1, 1))]])
            for wj, g, j in zip(w, chain, joints, strict=True)
        )
        out.append((matrix @ [*v, 1.0])[:3])
    return np.array(out) + trans, np.array([g[:3, 3] for g in chain]) + trans


def test_the_maths_are_the_papers():
    model, stream = body(), rng(1, "pose")
    pose, betas, trans = 0.5 * stream.normal(size=(52, 3)), stream.normal(size=16), stream.normal(size=3)
    found = pose_model(model, pose, betas=betas, trans=trans)
    vertices, joints = slowly(model, pose, betas, trans)
    np.testing.assert_allclose(found.vertices, vertices, atol=1e-6)
    np.testing.assert_allclose(found.joints, joints, atol=1e-6)
    many = pose_model(model, np.stack([pose, 0 * pose]).reshape(2, -1), betas=betas[:10])
    assert many.vertices.shape == (2, 60, 3)


def test_rodrigues_has_the_models_hundred_millionth():
    np.testing.assert_array_equal(rodrigues(np.zeros(3)), np.eye(3))
    v = 1e-8 * np.array([3.0, 4.0, 0.0])
    angle = np.sqrt(4.0**2 + 5.0**2 + 1) * 1e-8
    np.testing.assert_allclose(rodrigues(v)[2, 1], np.sin(angle) * 3e-8 / angle, rtol=1e-12)
    v = rng(0, "v").normal(size=(20, 3))
    np.testing.assert_allclose(rodrigues(v), rot.to_matrix(rot.from_rotvec(v)), atol=1e-7)


def test_our_hand_has_manos_shapes_and_is_a_disc_with_sixteen_edges():
    hand = synthetic_hand("right")
    assert (len(JOINTS), hand.parents) == (16, PARENTS)
    assert hand.regressor.shape == (16, 778)
    np.testing.assert_allclose(hand.weights.sum(axis=1), 1)
    np.testing.assert_allclose(hand.regressor.sum(axis=1), 1, atol=1e-5)
    edges = np.sort(hand.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    assert len(np.unique(hand.faces)) == 778
    assert 778 - len(unique) + 1538 == 1
    assert (count == 1).sum() == 16
    assert count.max() == 2
    space = hand.hands["right"]
    np.testing.assert_allclose(space.components @ space.components.T, np.eye(45), atol=1e-5)


@pytest.mark.parametrize("side", ["left", "right"])
def test_our_hand_bends_as_the_canonical_skeleton_does(side):
    """Joints of the hand model and of the avatar's skeleton point the same way for the same rotations."""
    hand, angles = synthetic_hand(side), HANDSHAPES["point"].ravel()
    turns = Hand(maya(), side).rotations(angles) * ([1, 1, -1, -1] if side == "right" else 1)
    _, points = pose_hand(hand, rot.to_rotvec(turns).reshape(45))
    index = points[[1, 2, 3]]
    ring = points[[10, 11, 12]]
    out = -1.0 if side == "right" else 1.0
    assert out * (index[2] - index[0])[0] > 0.03  # the index is stretched, away from the body
    assert (ring[2] - ring[0])[1] < -0.01  # the ring finger is bent towards the palm, which faces down


def test_tips_lie_at_the_ends_of_fingers_in_every_order():
    for side in ("left", "right"):
        hand = synthetic_hand(side)
        for name in ("smplx", f"manopth {side}"):
            tips = hand.vertices[list(TIPS[name])]
            joints = hand.regressor @ hand.vertices
            last = joints[[15, 3, 6, 12, 9]]
            before = joints[[14, 2, 5, 11, 8]]
            way = (last - before) / np.linalg.norm(last - before, axis=1, keepdims=True)
            assert (np.sum((tips - last) * way, axis=1) > 0.01).all()
            assert (np.linalg.norm(tips - last, axis=1) < 0.04).all()
    _, ours = pose_hand(synthetic_hand("right"), np.zeros(45))
    _, theirs = pose_hand(synthetic_hand("right"), np.zeros(45), order="manopth")
    np.testing.assert_array_equal(theirs[0], ours[0])
    np.testing.assert_array_equal(theirs[[1, 2, 3]], ours[[13, 14, 15]])  # thumb first
    np.testing.assert_array_equal(theirs[[17, 18, 19]], ours[[7, 8, 9]])  # little finger last
    assert sorted(ORDERS["manopth"]) == list(range(21))


def test_a_mirrored_hand_does_in_the_mirror_what_the_hand_does():
    right, stream = synthetic_hand("right"), rng(2, "mirror")
    left, flip = mirrored(right), np.array([-1.0, 1, 1])
    coefficients, betas = stream.normal(size=6), stream.normal(size=10)
    a, pa = pose_hand(right, coefficients, betas=betas, orientation=[0.2, 0.5, -0.3], trans=[0.1, 0, 0.2])
    b, pb = pose_hand(left, coefficients, betas=betas, orientation=[0.2, -0.5, 0.3], trans=[-0.1, 0, 0.2])
    np.testing.assert_allclose(a * flip, b, atol=1e-6)
    np.testing.assert_allclose(pa * flip, pb, atol=1e-6)


def test_the_official_left_hands_sign_bug_is_mended_once():
    right = synthetic_hand("right")
    good = mirrored(right)
    # as in MANO_LEFT.pkl: x of the shape components is the right hand's
    bad = replace(good, shapes=good.shapes * np.array([-1.0, 1, 1])[:, None])
    np.testing.assert_array_equal(mended_left(bad, right).shapes, good.shapes)
    assert mended_left(good, right) is good

    def spread(hand, beta):
        return np.ptp(pose_model(hand, np.zeros((16, 3)), betas=[beta]).vertices, axis=0)

    # a bigger hand is longer as well as thicker; with the bug it is not
    assert (spread(good, 2.0) > spread(good, 0.0)).all()
    assert spread(bad, 2.0)[0] < spread(bad, 0.0)[0]


def test_coefficients_and_angles_go_both_ways():
    space = synthetic_hand("right").hands["right"]
    some = rng(3, "c").normal(size=(4, 12))
    for flat in (True, False):
        pose = space.pose(some, flat_hand_mean=flat)
        np.testing.assert_allclose(space.coefficients(pose, 12, flat_hand_mean=flat), some, atol=1e-5)
    np.testing.assert_allclose(space.pose(np.zeros(6)), space.mean)
    assert not space.pose(np.zeros(6), flat_hand_mean=True).any()
    skewed = HandSpace(2.0 * space.components, space.mean)
    np.testing.assert_allclose(
        skewed.pose(skewed.coefficients(space.mean + 0.1)), space.mean + 0.1, atol=1e-5
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda h: pose_hand(h, np.zeros(46)), "1 to 45"),
        (lambda h: pose_hand(h, np.zeros(45), betas=np.zeros(11)), "at most 10"),
        (lambda h: pose_hand(h, np.zeros(45), order="openpose"), "choose one of: smplx, manopth"),
        (lambda h: pose_model(h, np.zeros((15, 3))), r"expected \(\.\.\., 16, 3\)"),
        (lambda h: replace(h, weights=h.weights[:, :3]), r"weights \(778, 3\); expected \(778, 16\)"),
        (lambda h: h.hands["right"].coefficients(np.zeros(45), 46), "46 hand coefficients"),
        (lambda h: synthetic_hand("both"), "choose one of: left, right"),
        (lambda h: pose_hand(body(), np.zeros(45)), "expected 16 and 1"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(DataError, match=message):
        call(synthetic_hand("right"))
