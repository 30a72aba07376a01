"""Faces laid on the template lose place, size and turn, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.mediapipe import on_head
from kinesics.geometry import rotations as rot
from kinesics.see.face_shape import PATCH, angles, lay

FACE = on_head(load_avatar("maya").vertices)
FACE = ((FACE - FACE.mean(axis=0)) / np.linalg.norm(FACE[33] - FACE[263])).astype(np.float32)


def pictured(turn: np.ndarray, *, size: float = 90.0, place: tuple[float, float] = (320, 180)) -> np.ndarray:
    """(1, 478, 3) pixels of the face, turned, in a picture."""
    seen = size * FACE @ turn.T
    return (seen * [1, -1, -1] + [*place, 0])[None].astype(np.float32)


def turned(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """(3, 3) turn to the own left, up, to the own right shoulder, degrees."""
    parts = [
        rot.to_matrix(rot.from_axis_angle(np.array(axis, float), np.radians(angle)))
        for axis, angle in (([0, 1, 0], yaw), ([-1, 0, 0], pitch), ([0, 0, 1], roll))
    ]
    return parts[0] @ parts[1] @ parts[2]


@given(st.floats(-70, 70), st.floats(-50, 50), st.floats(-60, 60), st.floats(20, 400))
def test_a_rigid_face_comes_back_with_its_turn(yaw, pitch, roll, size):
    laid = lay(pictured(turned(yaw, pitch, roll), size=size), FACE)
    np.testing.assert_allclose(laid.points[0], FACE, atol=2e-3)
    np.testing.assert_allclose(angles(laid.turns)[0], [pitch, yaw, roll], atol=0.1)


def test_signs_are_up_own_left_and_own_right_shoulder():
    face = lay(pictured(turned(30, 0, 0)), FACE)
    assert pictured(turned(30, 0, 0))[0, 1, 0] > pictured(np.eye(3))[0, 1, 0], (
        "the nose points to the picture's right"
    )
    assert angles(face.turns)[0, 1] > 29
    up = pictured(turned(0, 20, 0))
    assert up[0, 1, 1] < pictured(np.eye(3))[0, 1, 1], "the nose goes up"
    assert angles(lay(up, FACE).turns)[0, 0] > 19
    tilted = pictured(turned(0, 0, 15))
    assert tilted[0, 10, 0] < pictured(np.eye(3))[0, 10, 0], "the forehead goes to the picture's left"


def test_an_open_mouth_stays_open_when_the_head_turns():
    points = FACE.copy()
    points[14] -= [0, 0.2, 0]
    turn = turned(25, -10, 5)
    seen = (90 * points @ turn.T * [1, -1, -1] + [320, 180, 0])[None]
    assert lay(seen, FACE).points[0, 14, 1] == pytest.approx(FACE[14, 1] - 0.2, abs=2e-3)


def test_the_patch_is_upright_on_a_tilted_face():
    pytest.importorskip("numba")
    from kinesics.see.face_shape import patch

    made = []
    for roll in (0.0, 25.0):
        points = pictured(turned(0, 0, roll))[0]
        y, x = np.mgrid[0:360, 0:640]
        mouth = 0.5 * (points[61, :2] + points[291, :2])
        # a bright bar along the mouth
        along = points[291, :2] - points[61, :2]
        along /= np.linalg.norm(along)
        off = (x - mouth[0]) * -along[1] + (y - mouth[1]) * along[0]
        image = np.repeat((255 * (np.abs(off) < 6))[..., None], 3, axis=2).astype(np.uint8)
        made.append(patch(image, points).astype(float))
    assert made[0].shape == (PATCH, PATCH)
    assert made[0].max() == 255
    rows = made[0].mean(axis=1)
    assert rows.max() > 200 > rows.min() + 150, "the bar lies along the rows"
    assert np.abs(made[0] - made[1]).mean() < 12


def test_the_eyes_are_upright_and_brows_have_room_above_them():
    pytest.importorskip("numba")
    from kinesics.see.face_shape import eyes

    for roll in (0.0, -20.0):
        points = pictured(turned(0, 0, roll))[0]
        between = 0.5 * (points[33, :2] + points[263, :2])
        across = points[263, :2] - points[33, :2]
        up = np.array([across[1], -across[0]])
        # a bright spot where a raised brow is, a dimmer one on the person's left eye
        y, x = np.mgrid[0:360, 0:640]
        image = np.zeros((360, 640), np.uint8)
        for place, bright in ((between + 0.4 * up, 250), (points[263, :2], 150)):
            image[np.hypot(x - place[0], y - place[1]) < 4] = bright
        seen = eyes(np.repeat(image[..., None], 3, axis=2), points)
        assert seen.shape == (PATCH, 2 * PATCH)
        row, column = np.unravel_index(seen.argmax(), seen.shape)
        assert (row, column) == (pytest.approx(7, abs=2), pytest.approx(47.5, abs=2))
        row, column = np.argwhere(seen[:, 60:] > 100).mean(axis=0) + [0, 60]
        assert (row, column) == (pytest.approx(34, abs=3), pytest.approx(81, abs=3))
