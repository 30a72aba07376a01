"""Hands from landmarks: shapes come back, noise is borne, what a hand cannot do is not found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.hand import HANDSHAPES, LIMITS_HIGH, LIMITS_LOW
from kinesics.bodies.humanoid import INDEX, LEFT_FINGERS, RIGHT_FINGERS
from kinesics.bodies.rig import maya
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.geometry.from_positions import smooth
from kinesics.see._hand_chains import Chains
from kinesics.see.hands import LANDMARKS, ORDER, Limits, fit_hand
from kinesics.see.handshapes import UNKNOWN, handshapes
from kinesics.seeds import rng

NONE = Limits(None, None, None, None)


def moving(count: int = 90, *, seed: int = 0, side: str = "left", skeleton=None):
    """A hand that goes from shape to shape while it turns: angles, turns and landmarks (metres)."""
    stream = rng(seed, "moving hand")
    shapes = np.stack(list(HANDSHAPES.values()))
    keys = np.repeat(shapes[stream.integers(len(shapes), size=count // 15 + 1)], 15, axis=0)[:count]
    angles = smooth(keys, 2.5)
    turn = rot.from_rotvec(smooth(6 * stream.normal(size=(count, 3)), 8))
    points = rot.rotate(turn[:, None], Chains.of(skeleton or maya(), side).points(angles))
    points = points[:, np.argsort(ORDER)]
    if side == "right":
        points, turn = points * [-1, 1, 1], turn * [1, 1, -1, -1]
    return angles, turn, points


@pytest.mark.parametrize("side", ["left", "right"])
def test_exact_landmarks_give_the_skeleton_that_made_them(side):
    person = load_avatar("theo").skeleton
    angles, turn, points = moving(side=side, skeleton=person)
    found = fit_hand(points, side, skeleton=person)
    assert np.median(np.abs(found.angles - angles)) < 1.5
    assert np.degrees(rot.angle(found.orientation, turn)).max() < 4
    # the joints of the canonical skeleton, posed with what was found, lie on the landmarks
    q = np.tile(rot.IDENTITY.astype(float), (len(points), 55, 1))
    fingers = LEFT_FINGERS if side == "left" else RIGHT_FINGERS
    q[:, fingers], q[:, INDEX[f"{side}Hand"]] = found.rotations, found.orientation
    places, _ = person.forward(q, np.zeros(3))
    knuckle = places[:, INDEX[f"{side}IndexIntermediate"]] - places[:, INDEX[f"{side}Hand"]]
    assert np.linalg.norm(knuckle - points[:, LANDMARKS.index("index_pip")], axis=1).mean() < 0.004
    assert (found.confidence > 0.9).all()


def test_limits_lower_the_error_of_noisy_and_hidden_landmarks():
    _, turn, points = moving(150, seed=1)
    angles = moving(150, seed=1)[0]
    stream = rng(2, "noise")
    noisy = points + 0.006 * stream.normal(size=points.shape)
    trust = (stream.random(points.shape[:2]) > 0.25).astype(float)
    noisy[trust == 0] += 0.03 * stream.normal(size=(int((trust == 0).sum()), 3))
    errors = {}
    for name, limits in (("bio", Limits()), ("none", NONE)):
        found = fit_hand(noisy, "left", confidence=trust, limits=limits)
        errors[name] = (
            np.abs(found.angles - angles).mean(),
            np.linalg.norm(found.points - points, axis=-1).mean(),
            rot.angle(found.orientation, turn).mean(),
        )
    assert np.all(np.array(errors["bio"]) < 0.9 * np.array(errors["none"]))
    assert errors["bio"][1] < 0.75 * np.linalg.norm(noisy - points, axis=-1)[trust > 0].mean()


def test_points_that_fly_off_do_not_carry_the_hand_away():
    _, _, points = moving(60)
    spoiled = points.copy()
    spoiled[20:24, LANDMARKS.index("ring_tip")] += 0.3
    found = fit_hand(spoiled, "left")
    assert np.linalg.norm(found.points - points, axis=-1).max() < 0.025


def test_without_depth_the_fingers_close_and_do_not_break():
    angles, turn, points = moving(120, seed=3)
    found = fit_hand(points[..., :2] * 640 + 300, "left")
    assert np.median(np.abs(found.angles - angles)) < 4
    assert np.median(np.degrees(rot.angle(found.orientation, turn))) < 4
    assert np.linalg.norm(found.points[..., :2] - (points[..., :2] * 640 + 300), axis=-1).mean() < 2


@given(st.integers(0, 2**31), st.floats(0.0, 0.1))
@settings(max_examples=15)
def test_whatever_the_landmarks_a_hand_stays_a_hand(seed, noise):
    stream = rng(seed, "any")
    points = 0.1 * stream.normal(size=(1, 21, 3)) + noise * stream.normal(size=(8, 21, 3))
    found = fit_hand(points, "right", confidence=stream.random((8, 21)))
    assert (found.angles >= LIMITS_LOW - 1e-9).all()
    assert (found.angles <= LIMITS_HIGH + 1e-9).all()
    assert np.isfinite(found.points).all()
    np.testing.assert_allclose(np.linalg.norm(found.rotations, axis=-1), 1, atol=1e-5)
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()


def test_unit_place_and_size_of_the_person_do_not_matter():
    angles, _, points = moving(40)
    found = fit_hand(1000 * points + [300.0, -200, 50], "left").angles
    np.testing.assert_allclose(found, fit_hand(points, "left").angles, atol=0.5)
    assert np.median(np.abs(fit_hand(1.3 * points, "left").angles - angles)) < 1.5


def test_gaps_are_bridged_at_no_confidence():
    angles, _, points = moving(60)
    holes = points.copy()
    holes[25:32] = np.nan
    found = fit_hand(holes, "left")
    assert (found.confidence[25:32] == 0).all()
    assert (found.confidence[:24] > 0.8).all()
    assert np.abs(np.diff(found.angles[22:36], axis=0)).max() < 40
    assert np.abs(found.angles[:24] - angles[:24]).mean() < 2


def test_a_hand_that_is_never_seen_rests():
    found = fit_hand(np.full((3, 21, 3), np.nan), "right")
    np.testing.assert_array_equal(found.angles[1], HANDSHAPES["relaxed"])
    assert not found.confidence.any()
    assert fit_hand(np.zeros((0, 21, 3)), "left").angles.shape == (0, 5, 4)


def test_long_clips_are_solved_in_windows_that_do_not_show():
    _, _, points = moving(700, seed=5)
    noisy = points + 0.003 * rng(1, "n").normal(size=points.shape)
    whole, part = fit_hand(noisy, "left"), fit_hand(noisy[520:640], "left")
    jump = np.abs(np.diff(whole.angles, axis=0)).max(axis=(1, 2))
    assert jump[580:590].max() < 1.5 * jump.max()
    assert np.median(np.abs(whole.angles[540:620] - part.angles[20:100])) < 1.5


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"landmarks": np.zeros((4, 20, 3))}, r"\(4, 20, 3\); expected \(T, 21, 3\)"),
        ({"side": "middle"}, "choose one of: left, right"),
        ({"confidence": np.ones(3)}, r"confidence \(3,\)"),
    ],
)
def test_what_does_not_fit_is_named(bad, message):
    given = {"landmarks": np.zeros((4, 21, 3)), "side": "left"} | bad
    with pytest.raises(DataError, match=message):
        fit_hand(given.pop("landmarks"), given.pop("side"), **given)


def held(names: list[str], seconds: float = 0.6, fps: int = 30):
    angles = smooth(np.repeat(np.stack([HANDSHAPES[n] for n in names]), int(seconds * fps), axis=0), 1.0)
    return Chains.of(maya(), "left").points(angles)[:, np.argsort(ORDER)]


def test_shapes_are_named_when_they_are_held():
    names = ["relaxed", "point", "fist", "spread", "thumb", "vee"]
    points = held(names) + 0.003 * rng(0, "held").normal(size=(108, 21, 3))
    tier = handshapes(fit_hand(points, "left"), "handshape_left", fps=30, start=2.0)
    assert [tier.at(2.3 + 0.6 * k).label for k in range(6)] == names
    assert tier.start == 2.0
    assert all(i.confidence >= 0.5 for i in tier if i.label != UNKNOWN)


def test_what_is_no_shape_is_unknown_and_no_hand_is_nothing():
    odd = HANDSHAPES["flat"].copy()
    odd[[0, 2], 1:] = 75, 5, 70
    odd[[1, 3], 1:] = -20, 90, 0
    points = np.repeat(Chains.of(maya(), "left").points(odd)[None, np.argsort(ORDER)], 30, axis=0)
    points[20:] = np.nan
    tier = handshapes(fit_hand(points, "left", limits=NONE), "handshape_left", fps=30)
    assert set(tier.labels) == {UNKNOWN}
    assert tier.end == pytest.approx(20 / 30)


def test_a_shape_in_doubt_for_a_moment_goes_on_and_one_passed_through_is_not_told():
    angles = np.repeat(HANDSHAPES["fist"][None], 90, axis=0)
    still = fit_hand(np.zeros((90, 21, 3)), "left", confidence=np.zeros(90))
    trust = np.full(90, 0.9)
    trust[[20, 21, 22, 40, 41, 60, 61, 62]] = 0.35  # below what a shape takes, above what it takes to stay
    trust[70:74] = 0.1
    tier = handshapes(still._replace(angles=angles, confidence=trust), "shape", fps=30)
    assert [(i.label, i.start, i.end) for i in tier] == [("fist", 0, 3)]
    angles = angles.copy()
    angles[30:32], angles[60:] = HANDSHAPES["flat"], HANDSHAPES["point"]
    sure = still._replace(angles=angles, confidence=np.full(90, 0.9))
    assert handshapes(sure, "shape", fps=30).labels == ("fist", "point")
    # Doubt that lasts is told as such, and a hand that is there for two frames is none.
    trust = np.full(90, 0.9)
    trust[30:60] = 0.1
    labels = handshapes(
        still._replace(angles=angles[:1].repeat(90, 0), confidence=trust), "shape", fps=30
    ).labels
    assert labels == ("fist", UNKNOWN, "fist")
    trust = np.zeros(90)
    trust[10:12], trust[50:] = 0.9, 0.9
    tier = handshapes(still._replace(angles=angles[:1].repeat(90, 0), confidence=trust), "shape", fps=30)
    assert [i.label for i in tier if i.label != UNKNOWN] == ["fist"]
    assert tier[0].start > 1.5
