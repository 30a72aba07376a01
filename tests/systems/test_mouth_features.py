"""What is seen of a mouth: heads, distances and sizes drop out, lips stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinesics.bodies import ibug
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.performance import Points
from kinesics.seeds import rng
from kinesics.systems import _mouth_features as mouths


def talking(frames: int = 12, *, depth: bool = True) -> np.ndarray:
    """(T, 68, 3) landmarks of maya, mm, y up, whose lips and chin move."""
    points = np.tile(mouths.rest("maya"), (frames, 1, 1))
    moved = list(mouths.PLACES)
    points[:, moved, :2] += 3 * rng(1, "talk").standard_normal((frames, len(moved), 2))
    points[:, 33] = mouths.rest("maya")[33]
    return points


def as_points(values: np.ndarray) -> Points:
    values = values * [1.0, -1.0, -1.0][: values.shape[2]]
    return Points(values.astype(np.float32), tuple(map(str, range(values.shape[1]))), 25, "image")


@settings(max_examples=25, deadline=None)
@given(st.floats(0.3, 8), st.tuples(*[st.floats(-0.6, 0.6)] * 3), st.tuples(*[st.floats(-500, 500)] * 3))
def test_turned_moved_and_scaled_heads_look_the_same(scale, angles, shift):
    points = talking()
    turn = rot.to_matrix(rot.from_rotvec(np.array(angles)))
    moved = scale * points @ turn.T + np.array(shift)
    there, here = mouths.seen(as_points(moved), "maya"), mouths.seen(as_points(points), "maya")
    np.testing.assert_allclose(there, here, atol=2e-3)
    expected = points[:, list(mouths.PLACES), :2] / mouths.NEAR
    np.testing.assert_allclose(here, expected - expected.mean(axis=0), atol=1e-3)


def test_flat_landmarks_do_where_the_head_only_rolls():
    points = talking()[..., :2]
    angle = 0.4
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(
        mouths.seen(as_points(2 * points @ turn.T + 30), "maya"),
        mouths.seen(as_points(points), "maya"),
        atol=1e-3,
    )


@pytest.mark.parametrize("count", [468, 478])
def test_a_mesh_is_read_at_the_same_places(count):
    points = talking()
    mesh = rng(2, "mesh").standard_normal((len(points), count, 3)) * 1000
    mesh[:, list(ibug.MEDIAPIPE)] = points
    np.testing.assert_allclose(
        mouths.seen(as_points(mesh), "maya"), mouths.seen(as_points(points), "maya"), atol=1e-6
    )


def test_the_table_names_each_point_once_and_left_mirrors_right():
    assert len(set(ibug.MEDIAPIPE)) == 68
    assert max(ibug.MEDIAPIPE) < 468
    assert ibug.among(68) == tuple(range(68))
    with pytest.raises(DataError, match="5 landmarks; expected 68"):
        ibug.among(5)


def test_what_tells_nothing_is_refused():
    still = as_points(np.ones((4, 68, 3)))
    with pytest.raises(DataError, match="frame 0 all lie in one place"):
        mouths.seen(still, "maya")
    with pytest.raises(DataError, match="expected 'image'"):
        mouths.seen(Points(talking().astype(np.float32), tuple(map(str, range(68))), 25, "world"), "maya")
    with pytest.raises(DataError, match="nothing to see"):
        mouths.seen(as_points(np.zeros((0, 68, 3))), "maya")
