"""Rotations against scipy, and what must hold of all of them."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from kinesics.errors import DataError
from kinesics.geometry import rotations as rot

ORDERS = ["".join(p) for p in permutations("XYZ")]
unit_floats = st.floats(-1, 1, allow_nan=False, width=32)
quaternions = arrays(np.float64, (5, 4), elements=unit_floats).map(rot.normalise)
vectors = arrays(np.float64, (5, 3), elements=st.floats(-10, 10))


def random_quaternions(n: int, dtype=np.float64) -> np.ndarray:
    q = np.random.default_rng(0).standard_normal((n, 4))
    return (q / np.linalg.norm(q, axis=1, keepdims=True)).astype(dtype)


def scipy_of(q: np.ndarray) -> Rotation:
    return Rotation.from_quat(np.asarray(q, np.float64)[..., [1, 2, 3, 0]])


def same(a: np.ndarray, b: np.ndarray, *, within: float = 1e-7) -> bool:
    return bool(np.all(rot.angle(a, b) < within))


def test_agrees_with_scipy():
    a, b = random_quaternions(500), random_quaternions(1000)[500:]
    v = np.random.default_rng(1).standard_normal((500, 3))
    A, B = scipy_of(a), scipy_of(b)
    np.testing.assert_allclose(rot.to_matrix(a), A.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(rot.rotate(a, v), A.apply(v), atol=1e-12)
    np.testing.assert_allclose(rot.to_matrix(rot.multiply(a, b)), (A * B).as_matrix(), atol=1e-12)
    np.testing.assert_allclose(rot.to_rotvec(a), A.as_rotvec(), atol=1e-9)
    np.testing.assert_allclose(rot.angle(a, b), (A.inv() * B).magnitude(), atol=1e-7)
    assert same(rot.from_matrix(A.as_matrix()), a)
    assert same(rot.from_rotvec(A.as_rotvec()), a)


@pytest.mark.parametrize("order", ORDERS)
def test_euler_agrees_with_scipy_in_every_order(order: str):
    q = random_quaternions(300)
    # Upper case means intrinsic in scipy too.
    np.testing.assert_allclose(rot.to_euler(q, order), scipy_of(q).as_euler(order), atol=1e-9)
    angles = np.random.default_rng(2).uniform(-7, 7, (300, 3))
    wanted = Rotation.from_euler(order, angles).as_matrix()
    np.testing.assert_allclose(rot.to_matrix(rot.from_euler(angles, order)), wanted, atol=1e-12)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("away", [0, 1e-9, 1e-7, 1e-6, 1e-5, 3e-5, 1e-4, 4e-4, 1e-3])
def test_euler_keeps_the_rotation_near_gimbal_lock(order: str, dtype, away: float):
    first, third = np.meshgrid(np.linspace(-3, 3, 9), np.linspace(-3, 3, 9))
    for quarter in (np.pi / 2, -np.pi / 2):
        angles = np.stack([first, np.full_like(first, quarter - np.sign(quarter) * away), third], -1)
        q = rot.from_euler(angles, order).astype(dtype)
        back = rot.from_euler(rot.to_euler(q, order).astype(np.float64), order)
        limit = np.radians(0.01 if dtype is np.float64 else 0.05)
        assert np.all(rot.angle(back, q.astype(np.float64)) < limit)


@pytest.mark.parametrize("bad", ["", "XY", "XYX", "xyz", "ABC", "XYZX"])
def test_a_wrong_order_is_named(bad: str):
    with pytest.raises(DataError, match="permutation"):
        rot.from_euler(np.zeros(3), bad)


@given(quaternions, quaternions, vectors)
def test_rotations_form_a_group(a, b, v):
    identity = np.broadcast_to([1.0, 0, 0, 0], a.shape)
    assert same(rot.multiply(a, rot.conjugate(a)), identity, within=1e-6)
    np.testing.assert_allclose(rot.rotate(rot.multiply(a, b), v), rot.rotate(a, rot.rotate(b, v)), atol=1e-8)
    np.testing.assert_allclose(np.linalg.norm(rot.rotate(a, v), axis=1), np.linalg.norm(v, axis=1), atol=1e-8)


@given(quaternions)
def test_every_form_and_back(q):
    assert same(rot.from_matrix(rot.to_matrix(q)), q, within=1e-6)
    assert same(rot.from_rotvec(rot.to_rotvec(q)), q, within=1e-6)
    assert same(rot.from_6d(rot.to_6d(q)), q, within=1e-6)
    swing, twist = rot.swing_twist(q, [0, 1.0, 0])
    assert same(rot.multiply(swing, twist), q, within=1e-6)
    np.testing.assert_allclose(twist[:, [1, 3]], 0, atol=1e-12)


@given(quaternions, quaternions, st.floats(0, 1))
def test_slerp_is_even_and_takes_the_short_way(a, b, t):
    c = rot.slerp(a, b, np.full(len(a), t))
    whole = rot.angle(a, b)
    np.testing.assert_allclose(rot.angle(a, c), whole * t, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(c, axis=1), 1, atol=1e-6)


@given(vectors, vectors)
def test_between_takes_one_direction_to_the_other(u, v):
    u, v = u + [11, 0, 0], np.where(np.linalg.norm(v, axis=1, keepdims=True) < 1e-3, 1.0, v)
    got = rot.rotate(rot.between(u, v), u / np.linalg.norm(u, axis=1, keepdims=True))
    np.testing.assert_allclose(got, v / np.linalg.norm(v, axis=1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("off", [0, 1e-6, 1e-5, 1e-4, 5e-4, 1e-3, 1e-2])
def test_between_nearly_opposite_directions(off: float):
    u = np.eye(3)
    v = -np.eye(3) + off * np.roll(np.eye(3), 1, axis=1)
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    np.testing.assert_allclose(rot.rotate(rot.between(u, v), u), v, atol=1e-6)


def test_a_zero_axis_does_not_turn():
    q = rot.from_axis_angle([[0.0, 0, 0], [0, 0, 3.0]], np.array([1.0, np.pi]))
    np.testing.assert_allclose(q, [[1, 0, 0, 0], [0, 0, 0, 1]], atol=1e-12)


def test_zero_quaternion_becomes_identity_and_tiny_rotations_survive():
    np.testing.assert_array_equal(rot.normalise(np.zeros((2, 4)))[0], [1, 0, 0, 0])
    tiny = np.array([[1e-9, 0, 0], [0, 3e-5, 0], [0, 0, 0]])
    np.testing.assert_allclose(rot.to_rotvec(rot.from_rotvec(tiny)), tiny, rtol=1e-6, atol=1e-15)


def test_continuous_never_jumps_and_changes_no_rotation():
    q = random_quaternions(50, np.float32).reshape(25, 2, 4)
    smooth = rot.continuous(q)
    assert np.all(np.sum(smooth[1:] * smooth[:-1], axis=-1) >= 0)
    assert same(smooth.astype(np.float64), q.astype(np.float64), within=1e-6)
    assert rot.continuous(q[:1]).shape == (1, 2, 4)


@pytest.mark.parametrize(
    "call",
    [
        lambda q: rot.multiply(q, q),
        lambda q: rot.rotate(q, q[..., :3]),
        lambda q: rot.between(q[..., :3], q[..., 1:]),
        lambda q: rot.slerp(q, q[::-1], 0.3),
        lambda q: rot.from_matrix(rot.to_matrix(q)),
        lambda q: rot.from_6d(rot.to_6d(q)),
        lambda q: rot.from_euler(rot.to_euler(q, "ZXY"), "ZXY"),
        lambda q: rot.from_rotvec(rot.to_rotvec(q)),
        lambda q: rot.from_axis_angle(q[..., 1:], q[..., 0]),
        lambda q: rot.continuous(q),
        lambda q: rot.swing_twist(q, [1, 0, 0])[0],
    ],
)
def test_single_precision_stays_single(call):
    assert call(random_quaternions(8, np.float32)).dtype == np.float32
