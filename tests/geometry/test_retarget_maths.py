"""The array maths of retargeting."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.geometry import retarget as maths
from kinesics.geometry import rotations as rot

X, Y, Z = np.eye(3)
STILL = np.array([1.0, 0, 0, 0])


def test_a_limb_is_straightened_from_its_root_outwards():
    # An arm that hangs, with the forearm bent forward: both end along x, and the hand follows the forearm.
    base = np.tile(STILL, (4, 1))
    pose = maths.pose((-1, 0, 1, 2), base, {1: (-Y, X), 2: (Z, X)}, {})
    np.testing.assert_allclose(rot.rotate(pose[1], -Y), X, atol=1e-12)
    np.testing.assert_allclose(rot.rotate(pose[2], Z), X, atol=1e-12)
    np.testing.assert_allclose(pose[3], pose[2], atol=1e-12)
    # The upper arm turns in the frontal plane alone: what faced forward still does.
    np.testing.assert_allclose(rot.rotate(pose[1], Z), Z, atol=1e-12)


def test_joints_may_be_given_their_turn():
    half = rot.from_axis_angle(X, 0.5)
    pose = maths.pose((-1, 0, 1), np.tile(STILL, (3, 1)), {0: (Y, X), 2: (Y, Y)}, {1: half})
    np.testing.assert_allclose(pose[1], half, atol=1e-12)
    np.testing.assert_allclose(rot.rotate(pose[2], Y), Y, atol=1e-12)


def test_a_chain_keeps_its_end_and_bends_evenly():
    angles = np.radians([10.0, 20, 30])
    chain = rot.from_axis_angle(np.tile(X, (3, 1)), angles)[None]
    for count in (1, 2, 3, 4, 7):
        out = maths.spread(STILL[None], chain, count)
        found = np.degrees(2 * np.arctan2(out[0, :, 1], out[0, :, 0]))
        np.testing.assert_allclose(found, 30 * np.arange(1, count + 1) / count, atol=1e-9)


@pytest.mark.parametrize(("left", "yaw"), [(X, 0), (-X, 180), (Z, 90), (-Z, 90), ([1, 0, 0.3], 0)])
def test_facing_in_quarters(left, yaw):
    turn = maths.facing(np.asarray(left, float))
    assert np.degrees(rot.angle(turn, STILL)) == pytest.approx(yaw, abs=1e-6)
    assert rot.rotate(turn, np.asarray(left, float))[0] > 0.9


def walk(slope: float = 0.0, level: float = 0.0, seconds: float = 6.0) -> np.ndarray:
    """Soles (T, 2, 3) of two feet that step along z in turn, half a metre each, 60 frames a second."""
    t = np.arange(round(60 * seconds)) / 60
    out = np.zeros((len(t), 2, 3))
    for k in range(2):
        phase = t + 0.5 * k
        swing = np.clip(phase % 1 - 0.5, 0, 0.5) / 0.5
        out[:, k, 2] = 0.5 * (np.floor(phase) + swing**2 * (3 - 2 * swing)) - 0.25 * k
        out[:, k, 1] = 0.1 * np.sin(np.pi * swing)
        out[:, k, 0] = 0.2 * k
    out[..., 1] += level + slope * out[..., 2]
    return out


@pytest.mark.parametrize("slope", [0.0, 0.015, -0.03])
def test_the_floor_is_found_below_its_feet(slope):
    soles = walk(slope, level=0.7)
    under = maths.floor_under(soles, 60)
    height = soles[..., 1].min(axis=1) - under
    assert np.abs(height).max() < 0.006
    # It turns with the walker.
    turn = rot.from_axis_angle(Y, 1.0)
    np.testing.assert_allclose(maths.floor_under(rot.rotate(turn, soles), 60), under, atol=1e-6)


def test_stairs_are_not_a_tilted_floor():
    soles = walk(0.3)
    under = maths.floor_under(soles, 60)
    assert np.ptp(under) == 0
    assert soles[-60:, :, 1].min() - under[-1] > 0.5


def test_a_jump_or_a_bad_frame_does_not_move_the_floor():
    soles = np.zeros((120, 2, 3))
    soles[40:60, :, 1] = 0.5
    soles[80, :, 1] = -3
    np.testing.assert_allclose(maths.floor_under(soles, 60), 0, atol=1e-3)


def test_no_frames_no_floor():
    assert maths.floor_under(np.zeros((0, 4, 3)), 30).shape == (0,)
    assert maths.floor_under(np.ones((1, 4, 3)), 30) == pytest.approx(1)
    assert maths.planted(np.zeros((0, 4, 3)), np.zeros((0, 4, 3)), np.zeros((0, 4)), 30).shape == (0, 2)
    assert maths.smoothed(np.ones((1, 2)), 3).shape == (1, 2)


def test_settled_heights_keep_their_order_and_their_size():
    height = np.linspace(0, 1, 500)
    out = maths.settled(height)
    assert (np.diff(out) > 0).all()
    assert (out <= height).all()
    assert np.abs(out - height).max() < 0.011


def test_smoothing_keeps_what_does_not_change_and_halves_no_line():
    line = np.linspace(0, 3, 50)[:, None] * [1.0, -2.0]
    np.testing.assert_allclose(maths.smoothed(line, 2)[10:-10], line[10:-10], atol=1e-12)
    np.testing.assert_allclose(maths.smoothed(np.ones(30), 4), 1, atol=1e-12)
    spike = np.zeros(41)
    spike[20] = 1
    assert maths.smoothed(spike, 2)[20] == pytest.approx(1 / (2 * np.sqrt(2 * np.pi)), rel=0.01)


def test_standing_soles_are_kept_from_slipping():
    wanted = walk()
    rng = np.random.default_rng(0)
    sway = maths.smoothed(0.05 * rng.standard_normal((len(wanted), 1, 3)), 10) * [1, 0, 1]
    now = wanted + sway
    fixed = now + np.insert(maths.planted(wanted, now, wanted[..., 1], 60), 1, 0, axis=1)[:, None]
    stands = np.linalg.norm(np.gradient(wanted, 1 / 60, axis=0), axis=-1) < 0.01

    def slip(soles: np.ndarray) -> float:
        return float(np.linalg.norm(np.gradient(soles, 1 / 60, axis=0), axis=-1)[stands].mean())

    assert slip(fixed) < 0.5 * slip(now)
    assert np.abs(fixed - now).max() < 0.05
