"""Skeletons, forward kinematics by hand, and limbs in closed form."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.geometry.kinematics import align, two_bone
from kinesics.geometry.skeleton import Skeleton

ARM = Skeleton(
    ("root", "upper", "lower", "hand"), (-1, 0, 1, 2), [[0, 1, 0], [0.2, 0, 0], [0.3, 0, 0], [0.25, 0, 0]]
)
points = arrays(np.float64, 3, elements=st.floats(-2, 2))


def test_forward_kinematics_by_hand():
    quarter = rot.from_axis_angle([0, 0, 1.0], np.pi / 2)
    still = np.array([1.0, 0, 0, 0])
    # The upper arm turns up by 90°, the lower arm back by 90°.
    positions, orientations = ARM.forward([still, quarter, rot.conjugate(quarter), still], [1, 2, 3])
    np.testing.assert_allclose(positions, [[1, 2, 3], [1.2, 2, 3], [1.2, 2.3, 3], [1.45, 2.3, 3]], atol=1e-12)
    np.testing.assert_allclose(orientations[1], quarter, atol=1e-12)
    np.testing.assert_allclose(orientations[3], still, atol=1e-12)


def test_turning_the_root_turns_everything_about_it():
    half = rot.from_axis_angle([0, 1.0, 0], np.pi)
    still = np.tile([1.0, 0, 0, 0], (4, 1))
    turned = still.copy()
    turned[0] = half
    a, _ = ARM.forward(still, [0, 0, 0])
    b, _ = ARM.forward(turned, [0, 0, 0])
    np.testing.assert_allclose(b, a * [-1, 1, -1], atol=1e-7)


def test_rest_and_leading_axes():
    np.testing.assert_allclose(ARM.rest, [[0, 1, 0], [0.2, 1, 0], [0.5, 1, 0], [0.75, 1, 0]], atol=1e-6)
    q = np.random.default_rng(0).standard_normal((3, 5, 4, 4))
    q = rot.normalise(q)
    root = np.random.default_rng(1).standard_normal((3, 5, 3))
    p, o = ARM.forward(q, root)
    assert p.shape == (3, 5, 4, 3)
    assert o.shape == (3, 5, 4, 4)
    one, _ = ARM.forward(q[2, 4], root[2, 4])
    np.testing.assert_allclose(p[2, 4], one, atol=1e-12)
    np.testing.assert_allclose(np.abs(np.sum(ARM.local(o) * q, axis=-1)), 1, atol=1e-9)


def test_whole_numbers_are_not_cut():
    whole = np.tile([1, 0, 0, 0], (4, 1))
    positions, _ = ARM.forward(whole, [0.5, 0.5, 0.5])
    np.testing.assert_allclose(positions[0], 0.5)
    assert np.issubdtype(ARM.local(whole).dtype, np.floating)


@pytest.mark.parametrize("shape", [(3, 4), (5, 4), (4, 3), (4,)])
def test_wrong_shapes_are_named(shape):
    with pytest.raises(DataError, match=r"expected \(\.\.\., 4, 4\)"):
        ARM.forward(np.ones(shape), np.zeros(3))


@pytest.mark.parametrize(
    ("names", "parents", "offsets", "says"),
    [
        (("a", "b"), (-1,), np.zeros((2, 3)), "one parent"),
        (("a", "a"), (-1, 0), np.zeros((2, 3)), "repeat"),
        (("a", "b"), (-1, -1), np.zeros((2, 3)), "earlier joint"),
        (("a", "b"), (-1, 1), np.zeros((2, 3)), "earlier joint"),
        (("a", "b", "c"), (-1, 2, 0), np.zeros((3, 3)), "earlier joint"),
        (("a", "b"), (-1, 0), [[0, 0, 0], [0, np.nan, 0]], "finite"),
        ((), (), np.zeros((0, 3)), "at least one"),
    ],
)
def test_broken_skeletons_are_refused(names, parents, offsets, says):
    with pytest.raises(DataError, match=says):
        Skeleton(names, parents, offsets)


def test_names_are_listed_and_skeletons_compare_and_travel():
    with pytest.raises(DataError, match="upper"):
        ARM.index("elbow")
    other = pickle.loads(pickle.dumps(ARM))
    assert other == ARM
    assert hash(other) == hash(ARM)
    assert other != Skeleton(ARM.names, ARM.parents, ARM.offsets + 1)
    assert not ARM.offsets.flags.writeable


@given(points, points, points, st.floats(0.1, 0.6), st.floats(0.1, 0.6))
def test_two_bone_keeps_lengths_and_reaches(start, target, pole, upper, lower):
    middle, end = two_bone(start, target, upper, lower, pole)
    assert np.isclose(np.linalg.norm(middle - start), upper, atol=1e-6)
    assert np.isclose(np.linalg.norm(end - middle), lower, atol=1e-6)
    distance = np.linalg.norm(target - start)
    if abs(upper - lower) + 0.02 * (upper + lower) < distance < 0.995 * (upper + lower):
        np.testing.assert_allclose(end, target, atol=1e-6)


def test_two_bone_bends_towards_the_pole():
    frames = np.linspace(0.1, 0.5, 20)[:, None] * [[0, -1.0, 0]]
    for pole in ([0, 0, 1.0], [1.0, 0, 0], [0, 0, -1.0]):
        middle, _ = two_bone(np.zeros(3), frames, 0.3, 0.3, pole)
        assert np.all(middle @ pole > 0)


@pytest.mark.parametrize("pole", [[0, -1.0, 0], [0, 0, 0], [0, 5.0, 0]])
def test_a_pole_along_the_limb_still_gives_a_limb(pole):
    middle, end = two_bone([0.0, 0, 0], [0, -0.4, 0], 0.3, 0.3, pole)
    assert np.isclose(np.linalg.norm(middle), 0.3)
    assert np.isclose(np.linalg.norm(end - middle), 0.3)


def test_align_meets_the_direction_exactly():
    rng = np.random.default_rng(3)
    direction, side = rng.standard_normal((2, 40, 3))
    q = align([1, 0, 0], [0, 0, 1], direction, side)
    unit = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    np.testing.assert_allclose(rot.rotate(q, [1.0, 0, 0]), unit, atol=1e-9)
    assert np.all(np.sum(rot.rotate(q, [0, 0, 1.0]) * side, axis=1) > 0)
